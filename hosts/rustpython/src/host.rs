//! What contexts around ours ask beyond the API.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPy, HPyFunc_visitproc};
use hpy_host::{Fields, Host, Level};
use rustpython_vm::builtins::PyType;

use crate::handles::{self, alive};
use crate::lock;
use crate::types::{Record, find_record, is_clear, own_record, struct_of};

/// This host.
pub(crate) struct RustPython;

/// The address of the thread's state while it may use the API.
unsafe extern "C" fn attachment() -> usize {
    lock::thread(|thread| if lock::is_held() { ptr::from_ref(thread) as usize } else { 0 })
}

impl Host for RustPython {
    fn attachment(&self) -> unsafe extern "C" fn() -> usize {
        attachment
    }

    fn is_attached(&self) -> bool {
        lock::is_held()
    }

    unsafe fn interpreter(&self) -> usize {
        lock::inside(|vm| ptr::from_ref(&*vm.state) as usize)
    }

    unsafe fn lasting(&self, h: HPy) -> HPy {
        // SAFETY: the caller's promise.
        unsafe { handles::lasting(h) }
    }

    fn finds_closed(&self) -> bool {
        // The slot may belong to another handle by then.
        false
    }

    unsafe fn levels(&self, h: HPy, show: &mut dyn FnMut(&Level)) {
        // SAFETY: the caller's promise.
        let record = find_record(unsafe { alive(h) }.class());
        for record in record.into_iter().flat_map(Record::levels) {
            show(&Level {
                id: identity(record),
                name: record.name.as_ptr(),
                shape: record.shape,
                size: record.size,
                fields: fields(record),
            });
        }
    }

    unsafe fn identity(&self, class: HPy) -> Option<usize> {
        // SAFETY: the caller's promise.
        let class = unsafe { alive(class) }.downcast_ref::<PyType>()?;
        own_record(class).map(identity)
    }

    unsafe fn data(&self, h: HPy) -> *mut c_void {
        // SAFETY: the caller's promise.
        struct_of(unsafe { alive(h) })
    }

    unsafe fn traverse(&self, h: HPy, visit: HPyFunc_visitproc, arg: *mut c_void) -> c_int {
        // SAFETY: the caller's promise.
        let object = unsafe { alive(h) };
        let data = struct_of(object);
        let record = find_record(object.class());
        record
            .into_iter()
            .flat_map(Record::levels)
            // SAFETY: each record describes the struct of the object.
            .map(|record| unsafe { record.visit_fields(data, visit, arg) })
            .find(|&result| result != 0)
            .unwrap_or(0)
    }

    fn empties(&self, visit: HPyFunc_visitproc) -> bool {
        is_clear(visit)
    }
}

/// Records are never freed, and made again from the same description they are found again.
fn identity(record: &'static Record) -> usize {
    ptr::from_ref(record) as usize
}

fn fields(record: &Record) -> Fields {
    if record.traverse.is_some() {
        Fields::Traverse
    } else if record.has_fields() {
        Fields::Members
    } else {
        Fields::None
    }
}
