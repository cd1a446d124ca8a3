//! Fields, globals and trackers: what holds nothing ends the process in PyPy, or is an exception there.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext, HPyField, HPyGlobal, HPyTracker};

use super::{close, host, raise};

pub(super) unsafe extern "C" fn load_field(
    ctx: *mut HPyContext,
    source: HPy,
    field: HPyField,
) -> HPy {
    if field.is_null() {
        return HPy::NULL;
    }
    // SAFETY: as every function of the context.
    unsafe { (host().ctx_Field_Load)(ctx, source, field) }
}

pub(super) unsafe extern "C" fn load_global(ctx: *mut HPyContext, global: HPyGlobal) -> HPy {
    if global.is_null() {
        return HPy::NULL;
    }
    // SAFETY: as above.
    unsafe { (host().ctx_Global_Load)(ctx, global) }
}

/// PyPy's number of a global is a handle of what is in it, which is not closed when something else is stored; and null becomes None.
pub(super) unsafe extern "C" fn store_global(
    ctx: *mut HPyContext,
    global: *mut HPyGlobal,
    value: HPy,
) {
    // SAFETY: as above; a variable of the library.
    unsafe {
        let before = global.read();
        (host().ctx_Global_Store)(ctx, global, if value.is_null() { host().h_None } else { value });
        close(ctx, &[HPy { _i: before._i }]);
        if value.is_null() {
            close(ctx, &[HPy { _i: (*global)._i }]);
            global.write(HPyGlobal::NULL);
        }
    }
}

pub(super) unsafe extern "C" fn new_tracker(ctx: *mut HPyContext, size: isize) -> HPyTracker {
    // SAFETY: as above.
    unsafe {
        if size < 0 {
            raise(ctx, host().h_ValueError, c"HPyTracker_New: the size is negative");
            return HPyTracker::NULL;
        }
        // A tracker grows; its size only tells how much room is made at once.
        if size > isize::MAX / 16 {
            (host().ctx_Err_NoMemory)(ctx);
            return HPyTracker::NULL;
        }
        (host().ctx_Tracker_New)(ctx, size)
    }
}

/// PyPy would close a null handle with the others, and then give it out as the next new one.
pub(super) unsafe extern "C" fn add_to_tracker(
    ctx: *mut HPyContext,
    tracker: HPyTracker,
    h: HPy,
) -> c_int {
    if h.is_null() {
        return 0;
    }
    // SAFETY: as above.
    unsafe { (host().ctx_Tracker_Add)(ctx, tracker, h) }
}

pub(super) unsafe extern "C" fn close_tracker(ctx: *mut HPyContext, tracker: HPyTracker) {
    if !tracker.is_null() {
        // SAFETY: as above.
        unsafe { (host().ctx_Tracker_Close)(ctx, tracker) };
    }
}
