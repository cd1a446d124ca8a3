//! Capsules: the setters take what is no capsule for one.

#![allow(non_snake_case)]

use core::ffi::{CStr, c_char, c_int, c_void};

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::require;

/// Whether the object is a capsule; if not, with an exception.
unsafe fn is_capsule(object: *mut PyObject, message: &CStr) -> bool {
    // SAFETY: the object is alive, or null.
    unsafe {
        let is = !object.is_null() && ffi::PyCapsule_CheckExact(object) != 0;
        require(is, ffi::PyExc_ValueError, message)
    }
}

pub(crate) unsafe fn PyCapsule_SetPointer(capsule: *mut PyObject, pointer: *mut c_void) -> c_int {
    let message = c"a capsule's pointer cannot be NULL";
    // SAFETY: the contract is the same.
    unsafe {
        if is_capsule(capsule, c"the pointer is set of a capsule only")
            && require(!pointer.is_null(), ffi::PyExc_ValueError, message)
        {
            return ffi::PyCapsule_SetPointer(capsule, pointer);
        }
        -1
    }
}

pub(crate) unsafe fn PyCapsule_SetName(capsule: *mut PyObject, name: *const c_char) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        if is_capsule(capsule, c"the name is set of a capsule only") {
            return ffi::PyCapsule_SetName(capsule, name);
        }
        -1
    }
}

pub(crate) unsafe fn PyCapsule_SetContext(capsule: *mut PyObject, context: *mut c_void) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        if is_capsule(capsule, c"the context is set of a capsule only") {
            return ffi::PyCapsule_SetContext(capsule, context);
        }
        -1
    }
}

pub(crate) unsafe fn PyCapsule_SetDestructor(
    capsule: *mut PyObject,
    destructor: Option<ffi::PyCapsule_Destructor>,
) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        if is_capsule(capsule, c"the destructor is set of a capsule only") {
            return ffi::PyCapsule_SetDestructor(capsule, destructor);
        }
        -1
    }
}
