//! Exceptions.

use core::ffi::{c_char, c_int};

use hpy_abi::HPyContext;

use crate::layout::ffi;

/// `HPy_FatalError`
pub(crate) unsafe extern "C" fn ctx_FatalError(_ctx: *mut HPyContext, message: *const c_char) {
    // SAFETY: a C string; the call does not return.
    unsafe { ffi::Py_FatalError(message) }
}

/// `HPyErr_Occurred`
pub(crate) unsafe extern "C" fn ctx_Err_Occurred(_ctx: *mut HPyContext) -> c_int {
    // SAFETY: the interpreter is attached.
    c_int::from(unsafe { !ffi::PyErr_Occurred().is_null() })
}
