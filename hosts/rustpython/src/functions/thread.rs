//! Leaving Python for a while.

use hpy_abi::{HPyContext, HPyThreadState};
use rustpython_vm::vm::thread::{SavedThreadState, restore_current_thread, save_current_thread};

use crate::lock;

/// `HPy_LeavePythonExecution`
pub(crate) unsafe extern "C" fn ctx_LeavePythonExecution(_ctx: *mut HPyContext) -> HPyThreadState {
    lock::release();
    HPyThreadState { _i: Box::into_raw(Box::new(save_current_thread())) as isize }
}

/// `HPy_ReenterPythonExecution`
pub(crate) unsafe extern "C" fn ctx_ReenterPythonExecution(
    _ctx: *mut HPyContext,
    state: HPyThreadState,
) {
    // SAFETY: what this thread was given when it left.
    restore_current_thread(*unsafe { Box::from_raw(state._i as *mut SavedThreadState) });
    lock::retake();
}
