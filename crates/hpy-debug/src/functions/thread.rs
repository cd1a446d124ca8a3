//! Leaving Python: in between, the thread has no context.

use core::sync::atomic::Ordering;

use hpy_abi::{HPyContext, HPyThreadState};

use crate::api::Api;
use crate::generated::info;

/// `HPy_LeavePythonExecution`
pub(crate) unsafe extern "C" fn ctx_LeavePythonExecution(ctx: *mut HPyContext) -> HPyThreadState {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_LeavePythonExecution);
        api.context().left.store(true, Ordering::Relaxed);
        api.context().deactivate();
        let inner = api.inner();
        ((*inner).ctx_LeavePythonExecution)(inner)
    }
}

/// `HPy_ReenterPythonExecution`
pub(crate) unsafe extern "C" fn ctx_ReenterPythonExecution(
    ctx: *mut HPyContext,
    state: HPyThreadState,
) {
    // SAFETY: the extension calls with a context of this crate, and what leaving gave.
    unsafe {
        let api = Api::anywhere(ctx, &info::ctx_ReenterPythonExecution);
        let inner = api.inner();
        ((*inner).ctx_ReenterPythonExecution)(inner, state);
        api.context().left.store(false, Ordering::Relaxed);
        api.context().activate();
    }
}
