//! From Python to C: calling the functions of an extension.
//!
//! The unsafe code is sound because a target is a function whose prototype follows from its signature, and because the libraries of
//! extensions are never closed.

use core::ffi::{c_int, c_void};

use hpy_abi::{HPy, HPyCFunction, HPyContext, HPyFunc_Signature};
use hpy_host::Entry;
use hpy_host::thunk::Kind;
use rustpython_vm::{PyResult, VirtualMachine};

use crate::load::Load;
use crate::{error, handles};

/// A function of an extension, and what it gets in front of its arguments: the context, or what debug and trace mode want instead.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) first: *const c_void,
    pub(crate) function: unsafe extern "C" fn(),
}

// SAFETY: both lead to what lives for ever; who calls holds the host's lock.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    /// How the author's function is called in a context; none if there is no function.
    ///
    /// # Safety
    /// The context belongs to a load.
    pub(crate) unsafe fn new(
        ctx: *mut HPyContext,
        signature: HPyFunc_Signature,
        author: HPyCFunction,
    ) -> Option<Self> {
        // SAFETY: the caller's promise.
        let Entry { first, target } = unsafe { Load::of(ctx) }.entry(signature, author?);
        Some(Self { first, function: target })
    }
}

/// The function to call for `author`, which gets no context: itself, or what something that wraps the context wants to be called in its
/// place.
///
/// # Safety
/// The context belongs to a load; the result has the type of `author`.
pub(crate) unsafe fn plain(
    ctx: *mut HPyContext,
    kind: Kind,
    signature: HPyFunc_Signature,
    author: HPyCFunction,
) -> HPyCFunction {
    // SAFETY: the caller's promise.
    let entry = unsafe { Load::of(ctx) }.wrapped_entry(signature, author?);
    entry.and_then(|entry| entry.as_function(kind)).or(author)
}

/// Calls a target: `call!(target(a: HPy, b: isize) -> HPy)`. The types are those of the target's signature.
macro_rules! call {
    ($target:ident($($argument:expr => $type:ty),*) -> $result:ty) => {{
        let target: $crate::downcall::Target = $target;
        let function = core::mem::transmute::<
            unsafe extern "C" fn(),
            unsafe extern "C" fn(*const core::ffi::c_void, $($type),*) -> $result,
        >(target.function);
        function(target.first, $($argument),*)
    }};
}
pub(crate) use call;

/// What a function gave back, which must not be both null and without an exception.
#[inline(always)]
pub(crate) fn returned(vm: &VirtualMachine, h: HPy) -> PyResult {
    if error::is_set() || h.is_null() {
        return Err(no_result(vm, h));
    }
    Ok(handles::take(h))
}

#[cold]
fn no_result(vm: &VirtualMachine, h: HPy) -> rustpython_vm::builtins::PyBaseExceptionRef {
    if h.is_null() {
        return error::failed(vm);
    }
    drop(handles::take(h));
    let exception = error::failed(vm);
    error::result_with(exception, vm)
}

/// What a function gave back that reports with a number: negative with an exception.
#[inline(always)]
pub(crate) fn checked<T: Copy + PartialOrd + Default>(
    vm: &VirtualMachine,
    value: T,
) -> PyResult<T> {
    if error::is_set() || value < T::default() { Err(error::failed(vm)) } else { Ok(value) }
}

/// [`checked`], for a status.
pub(crate) fn status(vm: &VirtualMachine, status: c_int) -> PyResult<()> {
    checked(vm, status).map(|_| ())
}
