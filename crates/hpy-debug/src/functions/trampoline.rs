//! The way of a call where there are no thunks.

use core::ffi::c_void;
use core::ptr;

use hpy_abi::{HPyCFunction, HPyContext, HPyFunc_Signature};
use hpy_host::{Wrapper, gets_context};

use crate::api::Api;
use crate::generated::info;

/// `_HPy_CallRealFunctionFromTrampoline`
///
/// The wrapped context does the work of unpacking, and calls our entry instead of the author's function. What it hands to the function
/// as its context is what it was called with, which it does not look at; so that can be what an entry wants.
pub(crate) unsafe extern "C" fn ctx_CallRealFunctionFromTrampoline(
    ctx: *mut HPyContext,
    sig: HPyFunc_Signature,
    func: HPyCFunction,
    args: *mut c_void,
) {
    // SAFETY: the trampoline passes the author's function of this signature, and its structure.
    unsafe {
        let api = Api::anywhere(ctx, &info::ctx_CallRealFunctionFromTrampoline);
        let inner = api.inner();
        let entry = func.and_then(|function| api.world().entry(sig, function));
        let (first, function) = match entry {
            Some(entry) if gets_context(sig) => (entry.first, Some(entry.target)),
            _ => (ptr::null(), func),
        };
        let call = (*inner).ctx_CallRealFunctionFromTrampoline;
        call(first.cast_mut().cast(), sig, function, args);
    }
}
