//! Contexts around the host's: debug and trace mode.

use std::ffi::c_void;
use std::mem::transmute;

use hpy_abi::{
    HPyCFunction, HPyContext, HPyFunc_CAPSULE_DESTRUCTOR, HPyFunc_DESTROYFUNC, HPyFunc_Signature,
    HPyFunc_TRAVERSEPROC,
};

use crate::thunk::{Kind, thunk};

/// How a function is entered: what is called instead of it, and with what in place of the context.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The first argument of `target`.
    pub first: *const c_void,
    /// A function with the arguments of the author's behind `first`. If the author's function gets no
    /// context, `first` is one argument more.
    pub target: unsafe extern "C" fn(),
}

impl Entry {
    /// A function that is called with the arguments of the author's; none where there are no thunks.
    pub fn as_function(self, kind: Kind) -> HPyCFunction {
        let thunk = thunk(kind, self.first, self.target as *const c_void)?;
        // SAFETY: a thunk is code with the arguments of its target but the first.
        Some(unsafe { transmute::<*mut c_void, unsafe extern "C" fn()>(thunk.as_ptr()) })
    }
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
