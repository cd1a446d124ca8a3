//! The way of a call where there are no thunks.

use core::ffi::c_void;

use hpy_abi::{HPyCFunction, HPyContext, HPyFunc_Signature};
use hpy_host::{Wrapper, gets_context};

use crate::api::Place;

/// `_HPy_CallRealFunctionFromTrampoline`
///
/// The wrapped context does the work of unpacking, and calls our entry instead of the author's function. What it hands to the function as
/// its context is what it was called with, which it does not look at; so that can be what an entry wants. It is no call that the author
/// wrote, and not counted.
pub(crate) unsafe extern "C" fn ctx_CallRealFunctionFromTrampoline<P: Place>(
    ctx: *mut HPyContext,
    sig: HPyFunc_Signature,
    func: HPyCFunction,
    args: *mut c_void,
) {
    // SAFETY: the trampoline passes a context of this crate, the author's function of this signature, and its structure.
    unsafe {
        let (record, inner) = P::find(ctx);
        let entry = func.and_then(|function| record.target.world.entry(sig, function));
        let (first, function) = match entry {
            Some(entry) if gets_context(sig) => (entry.first, Some(entry.target)),
            _ => (inner.cast_const().cast(), func),
        };
        ((*inner).ctx_CallRealFunctionFromTrampoline)(first.cast_mut().cast(), sig, function, args);
    }
}
