//! `bytes`.

use core::ffi::c_char;

use hpy_abi::{HPy, HPyContext};

use crate::error::raise;
use crate::handle::{hpy, py};
use crate::layout::{self, ffi};

/// `HPyBytes_GET_SIZE`
pub(crate) unsafe extern "C" fn ctx_Bytes_GET_SIZE(_ctx: *mut HPyContext, h: HPy) -> isize {
    // SAFETY: the handle is open and a `bytes`.
    unsafe { layout::bytes_size(py(h)) }
}

/// `HPyBytes_FromStringAndSize`
///
/// The C API leaves the contents uninitialised for a null pointer; `bytes` are immutable here, so
/// that is an error.
pub(crate) unsafe extern "C" fn ctx_Bytes_FromStringAndSize(
    _ctx: *mut HPyContext,
    bytes: *const c_char,
    len: isize,
) -> HPy {
    // SAFETY: the interpreter is attached, and the pointer leads to `len` bytes.
    unsafe {
        if bytes.is_null() {
            let message = "NULL char * passed to HPyBytes_FromStringAndSize";
            raise(ffi::PyExc_ValueError, message);
            return HPy::NULL;
        }
        hpy(ffi::PyBytes_FromStringAndSize(bytes, len))
    }
}
