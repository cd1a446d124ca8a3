//! What interpreters have in common whose C API is an emulation: their own objects are no C structs.

use core::ffi::c_int;
use std::vec::Drain;

use pyo3_ffi as ffi;

/// Nothing: the attributes of objects are the interpreter's own.
///
/// # Safety
/// The object is still in one piece.
pub(crate) unsafe fn clear_dict(_object: *mut ffi::PyObject) {}

/// Whether two references are to one object. It may have two structs or stand-ins, and equal numbers are one object.
///
/// # Safety
/// The objects are alive, or null.
pub(crate) unsafe fn is(first: *mut ffi::PyObject, second: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        first == second || !first.is_null() && !second.is_null() && ffi::Py_Is(first, second) != 0
    }
}

/// The state of the thread, which is attached.
pub(crate) unsafe fn thread_state() -> usize {
    // SAFETY: as required.
    unsafe { ffi::PyThreadState_Get() as usize }
}

/// The number of the interpreter: there is one.
pub(crate) unsafe fn interpreter_id() -> i64 {
    0
}

/// The number of the line of a place.
///
/// # Safety
/// The place is what `running_place` gave.
pub(crate) unsafe fn line_number(_code: *mut ffi::PyCodeObject, place: c_int) -> c_int {
    place
}

/// A list of items, whose references it takes over; null with an exception. One that has a size before it has items keeps those in C
/// memory, where the collector sees no cycle.
///
/// # Safety
/// The interpreter is attached, and the items are owned.
pub(crate) unsafe fn list_of(items: Drain<'_, *mut ffi::PyObject>) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe {
        let mut list = ffi::PyList_New(0);
        for item in items {
            if !list.is_null() && ffi::PyList_Append(list, item) < 0 {
                ffi::Py_CLEAR(&raw mut list);
            }
            ffi::Py_DECREF(item);
        }
        list
    }
}

/// How many bytes the digits of an `int` take in what C sees of it: none, because it has none.
///
/// # Safety
/// The object is an instance of `int`.
pub(crate) unsafe fn digits_size(_object: *mut ffi::PyObject) -> usize {
    0
}
