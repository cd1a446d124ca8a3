//! What contexts around ours ask beyond the API.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPy, HPyFunc_visitproc};
use hpy_host::{Fields, Host, Level};

use crate::handle::py;
use crate::layout::{self, ffi};
use crate::types::{Record, find_record, is_clear, own_record, struct_of};

/// This host.
pub(crate) struct CPython;

impl Host for CPython {
    fn attachment(&self) -> unsafe extern "C" fn() -> usize {
        layout::attachment
    }

    fn is_attached(&self) -> bool {
        layout::is_attached()
    }

    unsafe fn interpreter(&self) -> usize {
        // SAFETY: the caller's promise.
        unsafe { layout::interpreter_id() as usize }
    }

    unsafe fn lasting(&self, object: HPy) -> HPy {
        // The object's address.
        object
    }

    unsafe fn levels(&self, object: HPy, show: &mut dyn FnMut(&Level)) {
        // SAFETY: the caller's promise.
        unsafe {
            for (class, record) in levels(py(object)) {
                show(&Level {
                    id: identity(record),
                    name: layout::full_name(class).as_ptr(),
                    shape: record.shape,
                    size: record.struct_size,
                    fields: fields(record),
                });
            }
        }
    }

    unsafe fn identity(&self, class: HPy) -> Option<usize> {
        // SAFETY: the caller's promise.
        unsafe { own_record(py(class).cast()) }.map(identity)
    }

    unsafe fn data(&self, object: HPy) -> *mut c_void {
        let object = py(object);
        // SAFETY: the caller's promise.
        unsafe {
            find_record(ffi::Py_TYPE(object))
                .map_or(ptr::null_mut(), |record| struct_of(object, record))
        }
    }

    unsafe fn traverse(&self, object: HPy, visit: HPyFunc_visitproc, arg: *mut c_void) -> c_int {
        let object = py(object);
        // SAFETY: the caller's promise; each record describes the struct of the object.
        unsafe {
            levels(object)
                .filter(|(_, record)| !record.is_legacy())
                .map(|(_, record)| record.visit_fields(struct_of(object, record), visit, arg))
                .find(|&result| result != 0)
                .unwrap_or(0)
        }
    }

    fn runs_threads_at_once(&self) -> bool {
        cfg!(Py_GIL_DISABLED)
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
    if record.is_legacy() {
        Fields::Unknown
    } else if record.traverse.is_some() {
        Fields::Traverse
    } else if record.has_fields() {
        Fields::Members
    } else {
        Fields::None
    }
}

/// The types that HPy made among those that the layout of `object` comes from.
///
/// # Safety
/// `object` is an object, and lives while the iterator is used.
unsafe fn levels(
    object: *mut ffi::PyObject,
) -> impl Iterator<Item = (*mut ffi::PyTypeObject, &'static Record)> {
    // SAFETY: the caller's promise; the base of a type is a type or null.
    let types = unsafe {
        core::iter::successors(Some(ffi::Py_TYPE(object)), |&class| {
            Some(layout::tp_base(class)).filter(|base| !base.is_null())
        })
    };
    // SAFETY: each is a type.
    types.filter_map(|class| unsafe { own_record(class) }.map(|record| (class, record)))
}
