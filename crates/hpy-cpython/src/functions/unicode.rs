//! `str`.

use core::ffi::{CStr, c_char};

use hpy_abi::{HPy, HPyContext};

use crate::handle::{hpy, py};
use crate::layout::{self, ffi};

/// `HPyUnicode_FromString`
pub(crate) unsafe extern "C" fn ctx_Unicode_FromString(
    _ctx: *mut HPyContext,
    utf8: *const c_char,
) -> HPy {
    // SAFETY: a C string.
    unsafe {
        match layout::from_ascii(utf8, CStr::from_ptr(utf8).count_bytes()) {
            Some(object) => hpy(object),
            None => hpy(ffi::PyUnicode_FromString(utf8)),
        }
    }
}

/// `HPyUnicode_DecodeASCII`
pub(crate) unsafe extern "C" fn ctx_Unicode_DecodeASCII(
    _ctx: *mut HPyContext,
    ascii: *const c_char,
    size: isize,
    errors: *const c_char,
) -> HPy {
    // SAFETY: there are as many characters; a negative size is left to CPython.
    unsafe {
        match layout::from_ascii(ascii, size as usize) {
            Some(object) => hpy(object),
            None => hpy(ffi::PyUnicode_DecodeASCII(ascii, size, errors)),
        }
    }
}

/// `HPyUnicode_AsUTF8AndSize`
pub(crate) unsafe extern "C" fn ctx_Unicode_AsUTF8AndSize(
    _ctx: *mut HPyContext,
    h: HPy,
    size: *mut isize,
) -> *const c_char {
    // SAFETY: the handle is open; the size is null or a place for one.
    unsafe {
        let Some((text, length)) = layout::ascii(py(h)) else {
            return ffi::PyUnicode_AsUTF8AndSize(py(h), size);
        };
        if !size.is_null() {
            *size = length;
        }
        text
    }
}
