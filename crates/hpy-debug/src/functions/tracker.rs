//! Trackers. They hold handles of this crate, and close them as `HPy_Close` does. A tracker of the wrapped context, which gets null
//! handles only, tells when there is no memory.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext, HPyTracker};

use super::handle::close;
use crate::api::Api;
use crate::findings::TRACKER_CLOSED;
use crate::generated::info;
use crate::report::raise;
use crate::resources::Thing;
use crate::state::state;

/// A tracker that is not closed.
pub(crate) struct Tracker {
    wrapped: HPyTracker,
    /// What it has to close.
    handles: Vec<HPy>,
}

/// `HPyTracker_New`
pub(crate) unsafe extern "C" fn ctx_Tracker_New(ctx: *mut HPyContext, size: isize) -> HPyTracker {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Tracker_New);
        let inner = api.inner();
        let wrapped = ((*inner).ctx_Tracker_New)(inner, size);
        if wrapped.is_null() {
            api.has_failed();
            return wrapped;
        }
        let tracker = Tracker { wrapped, handles: Vec::new() };
        HPyTracker { _i: state().keep(Thing::Tracker(tracker)) }
    }
}

/// `HPyTracker_Add`
pub(crate) unsafe extern "C" fn ctx_Tracker_Add(
    ctx: *mut HPyContext,
    ht: HPyTracker,
    h: HPy,
) -> c_int {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Tracker_Add);
        if api.handles([h]).is_none() {
            return -1;
        }
        let inner = api.inner();
        let wrapped = with(ht, |tracker| {
            // Also if there is no memory for more, as the description says.
            tracker.handles.push(h);
            tracker.wrapped
        });
        match wrapped {
            Some(wrapped) => api.status(((*inner).ctx_Tracker_Add)(inner, wrapped, HPy::NULL)),
            None => {
                api.find_other(&TRACKER_CLOSED, "ht", "");
                raise(inner, &TRACKER_CLOSED);
                -1
            }
        }
    }
}

/// `HPyTracker_ForgetAll`
pub(crate) unsafe extern "C" fn ctx_Tracker_ForgetAll(ctx: *mut HPyContext, ht: HPyTracker) {
    // SAFETY: the extension calls with a context of this crate.
    let api = unsafe { Api::begin(ctx, &info::ctx_Tracker_ForgetAll) };
    let forgotten = with(ht, |tracker| tracker.handles.clear());
    if forgotten.is_none() {
        api.find_other(&TRACKER_CLOSED, "ht", "");
    }
}

/// `HPyTracker_Close`
pub(crate) unsafe extern "C" fn ctx_Tracker_Close(ctx: *mut HPyContext, ht: HPyTracker) {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Tracker_Close);
        if ht.is_null() {
            return;
        }
        match take(ht) {
            Some(Tracker { wrapped, handles }) => {
                let inner = api.inner();
                ((*inner).ctx_Tracker_Close)(inner, wrapped);
                handles.into_iter().for_each(|h| close(&api, h));
            }
            None => {
                api.find_other(&TRACKER_CLOSED, "ht", "");
            }
        }
    }
}

/// Does something with a tracker that is not closed.
fn with<R>(ht: HPyTracker, action: impl FnOnce(&mut Tracker) -> R) -> Option<R> {
    match state().resources.get(ht._i) {
        Some(Thing::Tracker(tracker)) => Some(action(tracker)),
        _ => None,
    }
}

/// Ends a tracker that is not closed.
fn take(ht: HPyTracker) -> Option<Tracker> {
    with(ht, |_| ())?;
    match state().resources.remove(ht._i) {
        Some(Thing::Tracker(tracker)) => Some(tracker),
        _ => None,
    }
}
