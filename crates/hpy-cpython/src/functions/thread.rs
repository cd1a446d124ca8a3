//! Leaving Python for a while. The thread state in between is the C API's.

use hpy_abi::{HPyContext, HPyThreadState};
use pyo3_ffi as ffi;

/// `HPy_LeavePythonExecution`
pub(crate) unsafe extern "C" fn ctx_LeavePythonExecution(_ctx: *mut HPyContext) -> HPyThreadState {
    // SAFETY: the interpreter is attached.
    HPyThreadState { _i: unsafe { ffi::PyEval_SaveThread() } as isize }
}

/// `HPy_ReenterPythonExecution`
pub(crate) unsafe extern "C" fn ctx_ReenterPythonExecution(
    _ctx: *mut HPyContext,
    state: HPyThreadState,
) {
    // SAFETY: the state is what leaving gave.
    unsafe { ffi::PyEval_RestoreThread(state._i as *mut ffi::PyThreadState) };
}
