//! Closing handles, and handles that come out through a pointer.

use hpy_abi::{HPy, HPyContext};

use crate::api::Api;
use crate::findings::{
    ARGUMENT_CLOSED, CONSTANT_CLOSED, DOUBLE_CLOSE, FOREIGN_HANDLE, NOT_A_HANDLE,
};
use crate::generated::info;
use crate::handles::{Invalid, Owner};
use crate::report::{ANOTHER_MODULE, AS_IF_CLOSED, CALLER_CLOSES, CLOSED};
use crate::slots::Slot;
use crate::state::state;

/// `HPy_Close`
pub(crate) unsafe extern "C" fn ctx_Close(ctx: *mut HPyContext, h: HPy) {
    // SAFETY: the extension calls with a context of this crate.
    unsafe { close(&Api::begin(ctx, &info::ctx_Close), h) };
}

/// Closes a handle that the extension says it owns.
///
/// # Safety
/// The interpreter is attached.
pub(super) unsafe fn close(api: &Api, h: HPy) {
    if h.is_null() {
        return;
    }
    let closed = state().handles.give_away(h, api.world());
    match closed {
        Some(wrapped) => {
            let inner = api.inner();
            // SAFETY: the handle was open. Last, because it can run Python code.
            unsafe { ((*inner).ctx_Close)(inner, wrapped) };
            api.came_back();
        }
        None => not_closed(api, h),
    }
}

/// Reports a handle that the extension cannot close.
#[cold]
fn not_closed(api: &Api, h: HPy) {
    let owner = |slot: &Slot| (slot.owner(), slot.is_of(api.world()));
    let found = state().handles.get(h).map(owner);
    let (class, detail) = match found {
        Some((_, false)) => (&FOREIGN_HANDLE, ANOTHER_MODULE),
        Some((Owner::Context, _)) => (&CONSTANT_CLOSED, AS_IF_CLOSED),
        Some(_) => (&ARGUMENT_CLOSED, CALLER_CLOSES),
        None => match state().handles.diagnose(h) {
            Invalid::Closed(_) | Invalid::Reused => (&DOUBLE_CLOSE, CLOSED),
            Invalid::Unknown => (&NOT_A_HANDLE, ""),
        },
    };
    // Nothing is closed, so there is nothing to fail.
    api.find(class, &info::ctx_Close.handles[0], h, detail);
}

/// `HPyContextVar_Get`
pub(crate) unsafe extern "C" fn ctx_ContextVar_Get(
    ctx: *mut HPyContext,
    context_var: HPy,
    default_value: HPy,
    result: *mut HPy,
) -> i32 {
    // SAFETY: the extension calls with a context of this crate and a place for the result.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_ContextVar_Get);
        let Some([context_var, default_value]) = api.handles([context_var, default_value]) else {
            return -1;
        };
        let inner = api.inner();
        let mut value = HPy::NULL;
        let status =
            ((*inner).ctx_ContextVar_Get)(inner, context_var, default_value, &raw mut value);
        api.came_back();
        *result = if value.is_null() { value } else { api.new_handle(value) };
        api.status(status)
    }
}
