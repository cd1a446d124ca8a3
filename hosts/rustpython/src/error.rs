//! The exception that C code has set, and errors that end the process.
//!
//! The unsafe code is sound because the state of the thread owns the reference that it keeps.

use core::ptr;
use std::io::Write;

use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::{AsObject, Py, PyRef, VirtualMachine};

use crate::lock::thread;

/// Sets the exception; the one before is forgotten.
pub(crate) fn set(exception: PyBaseExceptionRef) {
    let exception = ptr::from_ref(PyRef::leak(exception));
    let before = thread(|thread| thread.pending.replace(exception));
    // SAFETY: the thread owned the reference.
    drop(unsafe { owned(before) });
}

/// Takes the exception away, if one is set.
#[inline(always)]
pub(crate) fn take() -> Option<PyBaseExceptionRef> {
    let pending = thread(|thread| thread.pending.replace(ptr::null()));
    // SAFETY: the thread owned the reference.
    unsafe { owned(pending) }
}

/// The exception, if one is set.
pub(crate) fn pending() -> Option<PyBaseExceptionRef> {
    let pending = thread(|thread| thread.pending.get());
    // SAFETY: the thread owns a reference.
    unsafe { pending.as_ref() }.map(ToOwned::to_owned)
}

/// Whether an exception is set.
pub(crate) fn is_set() -> bool {
    thread(|thread| !thread.pending.get().is_null())
}

/// # Safety
/// Null or a reference that the caller gives away.
#[inline(always)]
unsafe fn owned(exception: *const Py<PyBaseException>) -> Option<PyBaseExceptionRef> {
    // SAFETY: the caller's promise.
    (!exception.is_null()).then(|| unsafe { PyRef::from_raw(exception) })
}

/// What a function of an extension that failed leaves behind: its exception, or ours if it set none.
#[cold]
pub(crate) fn failed(vm: &VirtualMachine) -> PyBaseExceptionRef {
    take().unwrap_or_else(|| {
        vm.new_system_error(
            "a function of an HPy extension failed without an exception: \
             call an HPyErr_… function before it returns",
        )
    })
}

/// A result, although an exception is set.
#[cold]
pub(crate) fn result_with(
    exception: PyBaseExceptionRef,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let error = vm.new_system_error(format!(
        "a function of an HPy extension returned a result with an exception set: {}",
        exception.as_object().class().name()
    ));
    error.set_cause(Some(exception));
    error
}

/// Ends the process with a message.
#[cold]
pub(crate) fn fatal(message: &str) -> ! {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "Fatal Python error: {message}");
    std::process::abort();
}
