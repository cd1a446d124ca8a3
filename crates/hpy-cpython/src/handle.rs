//! A handle on CPython is the object's address, a null handle is a null pointer.

use hpy_abi::HPy;
use pyo3_ffi::PyObject;

/// The object behind a handle.
#[inline(always)]
pub(crate) fn py(h: HPy) -> *mut PyObject {
    h._i as *mut PyObject
}

/// The handle of an object; it takes over the caller's reference.
#[inline(always)]
pub(crate) fn hpy(object: *mut PyObject) -> HPy {
    HPy { _i: object as isize }
}

/// A new reference; CPython 3.9 has no function that gives one.
///
/// # Safety
/// The interpreter is attached, and the object alive.
#[inline(always)]
pub(crate) unsafe fn new_ref(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's promise.
    unsafe { pyo3_ffi::Py_INCREF(object) };
    object
}
