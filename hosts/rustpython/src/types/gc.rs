//! Garbage collection: what the authors' traverse functions show.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPyField, HPyFunc_visitproc};
use rustpython_vm::PyObjectRef;
use rustpython_vm::object::TraverseFn;

use super::instance::Struct;
use crate::functions::{read, take};

/// Shows the objects in the fields of a struct to the collector.
pub(crate) fn show_fields(own: &Struct, visit: &mut TraverseFn<'_>) {
    unsafe extern "C" fn visit_field(field: *mut HPyField, arg: *mut c_void) -> c_int {
        // SAFETY: the argument is the collector's visitor; a field holds an object or null.
        unsafe {
            let visit = &mut *arg.cast::<&mut TraverseFn<'_>>();
            if let Some(object) = read(*field) {
                visit(object);
            }
        }
        0
    }
    let mut visit = visit;
    let arg = (&raw mut visit).cast();
    for record in own.record.levels() {
        // SAFETY: the struct is the record's; the visitor is used during the call only.
        unsafe { record.visit_fields(own.data(), visit_field, arg) };
    }
}

/// Empties a field into a list.
unsafe extern "C" fn take_field(field: *mut HPyField, arg: *mut c_void) -> c_int {
    // SAFETY: the argument is a list; a field holds an object that it owns, or null.
    unsafe { (*arg.cast::<Vec<PyObjectRef>>()).extend(take(field)) };
    0
}

/// Empties the fields of a struct.
///
/// # Safety
/// Nobody else uses the struct.
pub(crate) unsafe fn take_fields(own: &Struct) -> Vec<PyObjectRef> {
    let mut taken = Vec::new();
    for record in own.record.levels() {
        // SAFETY: the struct is the record's.
        unsafe { record.visit_fields(own.data(), take_field, ptr::from_mut(&mut taken).cast()) };
    }
    taken
}

/// Whether `visit` empties the fields that it is shown.
pub(crate) fn is_clear(visit: HPyFunc_visitproc) -> bool {
    ptr::fn_addr_eq(visit, take_field as HPyFunc_visitproc)
}
