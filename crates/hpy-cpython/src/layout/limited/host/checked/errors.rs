//! Exceptions.

#![allow(non_snake_case)]

use core::ffi::{c_char, c_int};
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::require;
use crate::layout::ffi::PyUnicode_DecodeFSDefault;

/// Whether the object is a class of exceptions.
unsafe fn is_exception_class(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    unsafe {
        ffi::PyType_Check(object) != 0
            && ffi::PyType_IsSubtype(object.cast(), ffi::PyExc_BaseException.cast()) != 0
    }
}

/// The same; if not, with an exception.
unsafe fn require_exception_class(object: *mut PyObject) -> bool {
    let message = c"an exception can only be set with a class of exceptions";
    // SAFETY: as above.
    unsafe { require(is_exception_class(object), ffi::PyExc_SystemError, message) }
}

pub(crate) unsafe fn PyErr_SetString(class: *mut PyObject, message: *const c_char) {
    // SAFETY: the contract is the same.
    unsafe {
        if require_exception_class(class) {
            ffi::PyErr_SetString(class, message);
        }
    }
}

/// A null value is none.
pub(crate) unsafe fn PyErr_SetObject(class: *mut PyObject, value: *mut PyObject) {
    // SAFETY: the contract is the same.
    unsafe {
        if require_exception_class(class) {
            let value = if value.is_null() { ffi::Py_None() } else { value };
            ffi::PyErr_SetObject(class, value);
        }
    }
}

/// What is no class of exceptions matches only itself.
pub(crate) unsafe fn PyErr_ExceptionMatches(wanted: *mut PyObject) -> c_int {
    // SAFETY: the contract is the same; the class of the current exception is borrowed.
    unsafe {
        let class = ffi::PyErr_Occurred();
        c_int::from(!class.is_null() && matches(class, wanted))
    }
}

/// Whether a class of exceptions is `wanted`, below it, or so for one of a tuple.
unsafe fn matches(class: *mut PyObject, wanted: *mut PyObject) -> bool {
    // SAFETY: the objects are alive, and a tuple has as many items.
    unsafe {
        if ffi::PyTuple_Check(wanted) != 0 {
            let mut items = 0..ffi::PyTuple_Size(wanted);
            return items.any(|at| matches(class, ffi::PyTuple_GetItem(wanted, at)));
        }
        is_exception_class(wanted) && ffi::PyType_IsSubtype(class.cast(), wanted.cast()) != 0
    }
}

pub(crate) unsafe fn PyErr_SetFromErrnoWithFilename(
    class: *mut PyObject,
    filename: *const c_char,
) -> *mut PyObject {
    let number = errno();
    // SAFETY: the contract is the same; the name is released here.
    unsafe {
        let mut name = ptr::null_mut();
        if !filename.is_null() {
            name = PyUnicode_DecodeFSDefault(filename);
            if name.is_null() {
                return ptr::null_mut();
            }
        }
        set_from(class, number, name, ptr::null_mut());
        ffi::Py_XDECREF(name);
        ptr::null_mut()
    }
}

pub(crate) unsafe fn PyErr_SetFromErrnoWithFilenameObjects(
    class: *mut PyObject,
    first: *mut PyObject,
    second: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { set_from(class, errno(), first, second) };
    ptr::null_mut()
}

/// What the system's last function has said.
fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or_default()
}

/// Calls `class` for the exception of an error number, with the names that are not null: an emulation may pass None for a missing
/// name, or end the process. A signal's handler comes first.
unsafe fn set_from(
    class: *mut PyObject,
    number: c_int,
    first: *mut PyObject,
    second: *mut PyObject,
) {
    // SAFETY: the objects are alive or null; the formats say what follows, and take the message over.
    unsafe {
        if number == libc::EINTR && ffi::PyErr_CheckSignals() != 0 {
            return;
        }
        let message = PyUnicode_DecodeFSDefault(libc::strerror(number));
        if message.is_null() {
            return;
        }
        let call = ffi::PyObject_CallFunction;
        let exception = match (first.is_null(), second.is_null()) {
            (true, _) => call(class, c"iN".as_ptr(), number, message),
            (_, true) => call(class, c"iNO".as_ptr(), number, message, first),
            _ => call(class, c"iNOiO".as_ptr(), number, message, first, 0, second),
        };
        if !exception.is_null() {
            PyErr_SetObject(ffi::Py_TYPE(exception).cast(), exception);
            ffi::Py_DECREF(exception);
        }
    }
}

/// Without a category it is a RuntimeWarning.
pub(crate) unsafe fn PyErr_WarnEx(
    category: *mut PyObject,
    message: *const c_char,
    level: isize,
) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        let category = if category.is_null() { ffi::PyExc_RuntimeWarning } else { category };
        ffi::PyErr_WarnEx(category, message, level)
    }
}
