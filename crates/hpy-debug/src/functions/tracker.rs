//! Trackers. They hold handles of this crate, and close them as `HPy_Close` does.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext, HPyTracker};

use super::handle::close;
use crate::api::Api;
use crate::findings::TRACKER_CLOSED;
use crate::generated::info;
use crate::report::raise;
use crate::state::state;

/// A tracker that is not closed: the handles that it has to close.
pub(crate) struct Tracker(Vec<HPy>);

/// `HPyTracker_New`
pub(crate) unsafe extern "C" fn ctx_Tracker_New(ctx: *mut HPyContext, size: isize) -> HPyTracker {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Tracker_New);
        if size < 0 {
            // The wrapped context says why not.
            let inner = api.inner();
            return ((*inner).ctx_Tracker_New)(inner, size);
        }
        HPyTracker { _i: state().trackers.insert(Tracker(Vec::new())) }
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
        if let Some(tracker) = state().trackers.get(ht._i) {
            tracker.0.push(h);
            return 0;
        }
        api.find_other(&TRACKER_CLOSED, "ht", "");
        raise(api.inner(), &TRACKER_CLOSED);
        -1
    }
}

/// `HPyTracker_ForgetAll`
pub(crate) unsafe extern "C" fn ctx_Tracker_ForgetAll(ctx: *mut HPyContext, ht: HPyTracker) {
    // SAFETY: the extension calls with a context of this crate.
    let api = unsafe { Api::begin(ctx, &info::ctx_Tracker_ForgetAll) };
    let forgotten = state().trackers.get(ht._i).map(|tracker| tracker.0.clear());
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
        let tracker = state().trackers.remove(ht._i);
        match tracker {
            Some(Tracker(handles)) => handles.into_iter().for_each(|h| close(&api, h)),
            None => {
                api.find_other(&TRACKER_CLOSED, "ht", "");
            }
        }
    }
}
