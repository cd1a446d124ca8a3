//! Trackers: handles that are closed together.
//!
//! A tracker is the address of its handles. Room for one more than was asked for is kept, so that a handle that is added is never lost.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext, HPyTracker};

use super::handle::ctx_Close;
use crate::upcall::inside;

/// The room that 0 asks for.
const USUAL_SIZE: usize = 5;

type Handles = Vec<HPy>;

/// `HPyTracker_New`
pub(crate) unsafe extern "C" fn ctx_Tracker_New(_ctx: *mut HPyContext, size: isize) -> HPyTracker {
    let mut handles = Handles::new();
    let status = inside(|vm| {
        let size = usize::try_from(size)
            .map_err(|_| vm.new_value_error("HPyTracker_New: the size must not be negative"))?;
        let size = if size == 0 { USUAL_SIZE } else { size };
        handles.try_reserve_exact(size.saturating_add(1)).map_err(|_| vm.no_memory_error())
    });
    if status != 0 {
        return HPyTracker::NULL;
    }
    HPyTracker { _i: Box::into_raw(Box::new(handles)) as isize }
}

/// `HPyTracker_Add`
pub(crate) unsafe extern "C" fn ctx_Tracker_Add(
    _ctx: *mut HPyContext,
    ht: HPyTracker,
    h: HPy,
) -> c_int {
    // SAFETY: the tracker is open.
    let handles = unsafe { &mut *(ht._i as *mut Handles) };
    handles.push(h);
    inside(|vm| handles.try_reserve(1).map_err(|_| vm.no_memory_error()))
}

/// `HPyTracker_ForgetAll`
pub(crate) unsafe extern "C" fn ctx_Tracker_ForgetAll(_ctx: *mut HPyContext, ht: HPyTracker) {
    // SAFETY: the tracker is open.
    unsafe { (*(ht._i as *mut Handles)).clear() };
}

/// `HPyTracker_Close`
///
/// A null tracker is what a failed `HPyArg_Parse` leaves behind.
pub(crate) unsafe extern "C" fn ctx_Tracker_Close(ctx: *mut HPyContext, ht: HPyTracker) {
    if ht.is_null() {
        return;
    }
    // SAFETY: the tracker is open and not used any more; the handles are its own.
    unsafe {
        for h in *Box::from_raw(ht._i as *mut Handles) {
            ctx_Close(ctx, h);
        }
    }
}
