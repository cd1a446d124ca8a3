//! Buffer procedures: the structure that they fill has a handle in it.

use core::ffi::c_int;

use hpy_abi::{HPy, HPy_buffer, HPyContext};

use crate::call::Call;
use crate::world::Target;

/// Enters a function of the signature `HPyFunc_GETBUFFERPROC`.
///
/// The buffer takes over the handle of the exporter.
pub(crate) unsafe extern "C" fn enter_getbufferproc(
    target: &Target,
    self_: HPy,
    view: *mut HPy_buffer,
    flags: c_int,
) -> c_int {
    type Function =
        unsafe extern "C" fn(*mut HPyContext, HPy, view: *mut HPy_buffer, flags: c_int) -> c_int;
    // SAFETY: the host calls with what the signature says; the target's function has it.
    unsafe {
        let (call, handles) = Call::enter(target, [self_]);
        let function = target.function::<Function>();
        let result = function(call.context(), handles[0], view, flags);
        if let Some(view) = view.as_mut() {
            view.obj = if result == 0 { call.take_over(view.obj) } else { HPy::NULL };
        }
        call.leave(&[&handles]);
        result
    }
}

/// Enters a function of the signature `HPyFunc_RELEASEBUFFERPROC`.
///
/// The handle of the exporter stays the buffer's.
pub(crate) unsafe extern "C" fn enter_releasebufferproc(
    target: &Target,
    self_: HPy,
    view: *mut HPy_buffer,
) {
    // SAFETY: the host calls with what the signature says; the target's function has it.
    unsafe {
        let exporter = view.as_ref().map_or(HPy::NULL, |view| view.obj);
        let (call, handles) = Call::enter(target, [self_, exporter]);
        if let Some(view) = view.as_mut() {
            view.obj = handles[1];
        }
        let function =
            target.function::<unsafe extern "C" fn(*mut HPyContext, HPy, view: *mut HPy_buffer)>();
        function(call.context(), handles[0], view);
        if let Some(view) = view.as_mut() {
            view.obj = exporter;
        }
        call.leave(&[&handles]);
    }
}
