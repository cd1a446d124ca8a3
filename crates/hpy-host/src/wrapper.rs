//! Contexts around the host's: debug and trace mode.

use std::ffi::c_void;

use hpy_abi::{
    HPyContext, HPyFunc_CAPSULE_DESTRUCTOR, HPyFunc_DESTROYFUNC, HPyFunc_Signature,
    HPyFunc_TRAVERSEPROC,
};

/// How a function is entered: what is called instead of it, and with what in place of the context.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The first argument of `target`.
    pub first: *const c_void,
    /// A function with the arguments of the author's behind `first`. If the author's function gets no
    /// context, `first` is one argument more.
    pub target: unsafe extern "C" fn(),
}

/// What wraps the context of one load. The host asks it when it makes functions, types and modules;
/// calls then go through the entry without asking.
pub trait Wrapper: Sync {
    /// What the trampolines of the extension get where there are no thunks.
    fn context(&'static self) -> *mut HPyContext;

    /// How a function of the extension is entered; the same for the same function. `None`: as it is.
    fn entry(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry>;
}

/// Whether functions of this signature get a context.
pub fn gets_context(signature: HPyFunc_Signature) -> bool {
    !matches!(signature, HPyFunc_CAPSULE_DESTRUCTOR | HPyFunc_DESTROYFUNC | HPyFunc_TRAVERSEPROC)
}
