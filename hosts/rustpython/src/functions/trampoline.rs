//! The way of a call through the trampolines that are compiled into an extension. No one goes it here: they are for the Python/C API.

use core::ffi::c_void;

use hpy_abi::{HPyCFunction, HPyContext, HPyFunc_Signature};

use crate::error;

/// `_HPy_CallRealFunctionFromTrampoline`
pub(crate) unsafe extern "C" fn ctx_CallRealFunctionFromTrampoline(
    _ctx: *mut HPyContext,
    _sig: HPyFunc_Signature,
    _func: HPyCFunction,
    _args: *mut c_void,
) {
    error::fatal("a trampoline for the Python/C API was called, which RustPython does not have")
}
