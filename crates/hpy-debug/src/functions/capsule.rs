//! Capsules: the name that a pointer is asked for by.

use core::ffi::{CStr, c_char, c_void};
use core::ptr;

use hpy_abi::{_HPyCapsule_key, HPy, HPyCapsule_key_Name, HPyCapsule_key_Pointer, HPyContext};

use crate::api::Api;
use crate::findings::CAPSULE_NAME;
use crate::generated::info;
use crate::report::{Finding, report};

/// `HPyCapsule_Get`
pub(crate) unsafe extern "C" fn ctx_Capsule_Get(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    utf8_name: *const c_char,
) -> *mut c_void {
    // SAFETY: the extension calls with a context of this crate, and a C string or null.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Capsule_Get);
        let Some([wrapped]) = api.handles([capsule]) else { return ptr::null_mut() };
        let inner = api.inner();
        let is_valid = (*inner).ctx_Capsule_IsValid;
        if key == HPyCapsule_key_Pointer && is_valid(inner, wrapped, utf8_name) == 0 {
            look_at_name(&api, capsule, wrapped, utf8_name);
        }
        let pointer = ((*inner).ctx_Capsule_Get)(inner, wrapped, key, utf8_name);
        api.pointer(pointer.cast_const()).cast_mut()
    }
}

/// Reports a capsule that has another name.
///
/// # Safety
/// The interpreter is attached, the wrapped handle is open, and the name is a C string or null.
#[cold]
unsafe fn look_at_name(api: &Api, capsule: HPy, wrapped: HPy, asked: *const c_char) {
    let inner = api.inner();
    // SAFETY: the caller's promise. The name of a capsule is a C string or null.
    unsafe {
        let context = &*inner;
        if (context.ctx_Err_Occurred)(inner) != 0 {
            return;
        }
        let name = (context.ctx_Capsule_Get)(inner, wrapped, HPyCapsule_key_Name, ptr::null());
        if (context.ctx_Err_Occurred)(inner) != 0 {
            // It is no capsule, as the caller is going to see.
            (context.ctx_Err_Clear)(inner);
            return;
        }
        let detail = format!("it is {}, not {}", show(name.cast_const().cast()), show(asked));
        let place = "HPyCapsule_GetPointer, argument 'name'".to_owned();
        report(api.world(), Finding::of_handle(&CAPSULE_NAME, place, &detail, capsule));
    }
}

/// A name as C has it.
///
/// # Safety
/// A C string, or null.
unsafe fn show(name: *const c_char) -> String {
    if name.is_null() {
        return "NULL".to_owned();
    }
    // SAFETY: the caller's promise.
    format!("{:?}", unsafe { CStr::from_ptr(name) })
}
