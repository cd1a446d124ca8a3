//! `bytes`, `list`, `dict`.

#![allow(non_snake_case)]

use core::ffi::{c_char, c_int};
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::require_call;
use crate::error::raise;
use crate::layout;

/// Sizes above are more than any memory has; asked for them, an emulation may raise another exception than MemoryError.
const LARGEST: isize = isize::MAX / 16;

/// Whether there may be memory for `count` items; if not, with an exception.
unsafe fn is_size(count: isize) -> bool {
    // SAFETY: the interpreter is attached.
    unsafe {
        if !require_call(count >= 0) {
            return false;
        }
        if count > LARGEST {
            ffi::PyErr_NoMemory();
        }
        count <= LARGEST
    }
}

pub(crate) unsafe fn PyBytes_FromStringAndSize(text: *const c_char, size: isize) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if is_size(size) { ffi::PyBytes_FromStringAndSize(text, size) } else { ptr::null_mut() }
    }
}

pub(crate) unsafe fn PyBytes_Size(object: *mut PyObject) -> isize {
    // SAFETY: the contract is the same.
    unsafe {
        if ffi::PyBytes_Check(object) != 0 {
            return ffi::PyBytes_Size(object);
        }
        let name = layout::full_name(ffi::Py_TYPE(object)).to_string_lossy();
        raise(ffi::PyExc_TypeError, &format!("bytes were expected, not an object of type {name}"));
        -1
    }
}

pub(crate) unsafe fn PyList_New(size: isize) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { if is_size(size) { ffi::PyList_New(size) } else { ptr::null_mut() } }
}

/// An index beyond either end means that end. GraalPy takes none beyond 32 bits.
pub(crate) unsafe fn PyList_Insert(
    list: *mut PyObject,
    index: isize,
    item: *mut PyObject,
) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        if require_call(ffi::PyList_Check(list) != 0) {
            let length = ffi::PyList_Size(list);
            return ffi::PyList_Insert(list, index.clamp(-length, length), item);
        }
        -1
    }
}

pub(crate) unsafe fn PyDict_Keys(dict: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if require_call(!dict.is_null() && ffi::PyDict_Check(dict) != 0) {
            return ffi::PyDict_Keys(dict);
        }
        ptr::null_mut()
    }
}

pub(crate) unsafe fn PyDict_Copy(dict: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if require_call(!dict.is_null() && ffi::PyDict_Check(dict) != 0) {
            return ffi::PyDict_Copy(dict);
        }
        ptr::null_mut()
    }
}
