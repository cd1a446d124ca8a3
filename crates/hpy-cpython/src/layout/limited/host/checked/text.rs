//! `str`.

#![allow(non_snake_case)]

use core::ffi::c_char;
use core::ptr;

use hpy_abi::wchar_t;
use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::{require, require_call};

/// What `str` makes of an object that has a buffer: an emulation may know `bytes` only.
pub(crate) unsafe fn PyUnicode_FromEncodedObject(
    object: *mut PyObject,
    encoding: *const c_char,
    errors: *const c_char,
) -> *mut PyObject {
    let or = |text: *const c_char, usual: &'static core::ffi::CStr| {
        if text.is_null() { usual.as_ptr() } else { text }
    };
    let format = c"Oss".as_ptr();
    // SAFETY: the contract is the same: the object is alive, the texts are C strings or null.
    unsafe {
        let class = (&raw mut ffi::PyUnicode_Type).cast();
        let (encoding, errors) = (or(encoding, c"utf-8"), or(errors, c"strict"));
        ffi::PyObject_CallFunction(class, format, object, encoding, errors)
    }
}

pub(crate) unsafe fn PyUnicode_EncodeFSDefault(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        let is = ffi::PyUnicode_Check(object) != 0;
        if require(is, ffi::PyExc_TypeError, c"a str was expected") {
            return ffi::PyUnicode_EncodeFSDefault(object);
        }
        ptr::null_mut()
    }
}

pub(crate) unsafe fn PyUnicode_FromWideChar(text: *const wchar_t, size: isize) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if require_call(!text.is_null() || size == 0) && is_unicode(text, size) {
            return ffi::PyUnicode_FromWideChar(text, size);
        }
        ptr::null_mut()
    }
}

pub(crate) unsafe fn PyUnicode_Substring(
    text: *mut PyObject,
    start: isize,
    end: isize,
) -> *mut PyObject {
    let message = c"an index of a substring cannot be negative";
    // SAFETY: the contract is the same.
    unsafe {
        if require(start >= 0 && end >= 0, ffi::PyExc_IndexError, message) {
            return ffi::PyUnicode_Substring(text, start, end);
        }
        ptr::null_mut()
    }
}

/// Whether each character is one; if not, with an exception. GraalPy does not look.
#[cfg(GraalPy)]
unsafe fn is_unicode(text: *const wchar_t, size: isize) -> bool {
    // SAFETY: the text has `size` characters, or ends with a null if `size` is negative.
    unsafe {
        let mut at = 0;
        while if size < 0 { *text.offset(at) != 0 } else { at < size } {
            let character = *text.offset(at) as u32;
            if character > char::MAX as u32 {
                let message = format!("{character:#x} is more than the last character, 0x10ffff");
                crate::error::raise(ffi::PyExc_ValueError, &message);
                return false;
            }
            at += 1;
        }
    }
    true
}

/// The interpreter looks.
#[cfg(not(GraalPy))]
unsafe fn is_unicode(_text: *const wchar_t, _size: isize) -> bool {
    true
}
