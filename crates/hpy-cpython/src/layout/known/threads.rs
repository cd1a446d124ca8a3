//! The running thread and its interpreter.

use pyo3_ffi as ffi;

/// The thread state. Up to 3.11 it may be that of another thread, if this one has none.
pub(crate) unsafe extern "C" fn attachment() -> usize {
    // SAFETY: it may be asked at any time.
    unsafe { ffi::compat::PyThreadState_GetUnchecked() as usize }
}

/// The number of the interpreter, see [`crate::interpreter_id`].
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn interpreter_id() -> i64 {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) }
}
