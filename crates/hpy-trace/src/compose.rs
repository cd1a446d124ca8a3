//! Two wrappers around one context.
//!
//! Which of them is nearer to the extension decides what the numbers mean. Above the other, trace mode sees the calls as the extension
//! makes them, and the times have the other's work in them. Below it, trace mode sees what reaches the interpreter: also what the other
//! calls for itself, and the times are the interpreter's own.

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr;

use hpy_abi::{HPyContext, HPyFunc_Signature};
use hpy_host::thunk::thunk;
use hpy_host::{Entry, Wrap, Wrapped, Wrapper};

use crate::generated;
use crate::world::World;

/// Wraps a context for tracing, and what that makes by `other`, which the extension then talks to.
///
/// # Safety
/// The context is valid and never freed; the interpreter is attached; there are thunks.
pub unsafe fn wrap_below(wrapped: Wrapped, other: Wrap) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise; the context of a world is never freed.
    unsafe {
        let world = World::new(wrapped);
        let other = other(Wrapped { context: world.context(), ..wrapped });
        Box::leak(Box::new(Below { world, other }))
    }
}

/// Wraps a context by `other`, and what that makes for tracing, which the extension then talks to.
///
/// # Safety
/// The context is valid and never freed; the interpreter is attached; there are thunks.
pub unsafe fn wrap_above(wrapped: Wrapped, other: Wrap) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise; the context of a wrapper is never freed.
    unsafe {
        let other = other(wrapped);
        let world = World::new(Wrapped { context: other.context(), ..wrapped });
        Box::leak(Box::new(Above { world, other }))
    }
}

struct Below {
    world: &'static World,
    other: &'static dyn Wrapper,
}

impl Wrapper for Below {
    fn context(&'static self) -> *mut HPyContext {
        self.other.context()
    }

    /// Tracing enters first, so that it knows which function runs when the other calls the API; the other gives the author the context.
    fn entry(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry> {
        self.world.around(signature, function, self.other.entry(signature, function)?)
    }
}

struct Above {
    world: &'static World,
    other: &'static dyn Wrapper,
}

impl Wrapper for Above {
    fn context(&'static self) -> *mut HPyContext {
        self.world.context()
    }

    /// The other enters first and makes a context for the call. What it takes for the author's function is a thunk that adds our target,
    /// and gives the author a context around that one.
    fn entry(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry> {
        let (kind, entry) = generated::inner_entry(signature)?;
        let name = || self.world.names.find(function);
        let target = self.world.target(signature, function, ptr::null(), name);
        let inside = thunk(kind, ptr::from_ref(target).cast(), entry)?;
        // SAFETY: a thunk is code with the arguments of its target but the first, which are those of the signature.
        let inside = unsafe { transmute::<*mut c_void, unsafe extern "C" fn()>(inside.as_ptr()) };
        self.other.entry(signature, inside)
    }
}
