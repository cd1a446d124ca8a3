//! Capsules: PyPy does not look at keys and pointers that cannot be.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use hpy_abi::{
    _HPyCapsule_key, HPy, HPyCapsule_Destructor, HPyCapsule_key_Context, HPyCapsule_key_Destructor,
    HPyCapsule_key_Name, HPyCapsule_key_Pointer, HPyContext,
};

use super::{host, raise};

/// Whether a destructor is null or complete; else a ValueError is set.
///
/// # Safety
/// As for every function of the context.
unsafe fn is_complete(ctx: *mut HPyContext, destructor: *const HPyCapsule_Destructor) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let complete = destructor
            .as_ref()
            .is_none_or(|given| given.cpy_trampoline.is_some() && given.impl_.is_some());
        if !complete {
            let message = c"a capsule destructor must be defined with HPyCapsule_DESTRUCTOR: its \
                cpy_trampoline or its impl is NULL";
            raise(ctx, host().h_ValueError, message);
        }
        complete
    }
}

unsafe extern "C" fn do_nothing(_: *const c_char, _: *mut c_void, _: *mut c_void) {}

unsafe extern "C" fn unused() {}

/// In the place of no destructor: PyPy's keeps the one that a capsule has.
static NOTHING: HPyCapsule_Destructor =
    HPyCapsule_Destructor { cpy_trampoline: Some(unused), impl_: Some(do_nothing) };

pub(super) unsafe extern "C" fn new(
    ctx: *mut HPyContext,
    pointer: *mut c_void,
    name: *const c_char,
    destructor: *mut HPyCapsule_Destructor,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        if is_complete(ctx, destructor) {
            (host().ctx_Capsule_New)(ctx, pointer, name, destructor)
        } else {
            HPy::NULL
        }
    }
}

pub(super) unsafe extern "C" fn get(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    name: *const c_char,
) -> *mut c_void {
    // SAFETY: as above.
    unsafe {
        if matches!(key, HPyCapsule_key_Pointer | HPyCapsule_key_Name | HPyCapsule_key_Context) {
            return (host().ctx_Capsule_Get)(ctx, capsule, key, name);
        }
        let message = c"HPyCapsule_Get: only the pointer, the name and the context can be read";
        raise(ctx, host().h_SystemError, message);
        ptr::null_mut()
    }
}

pub(super) unsafe extern "C" fn set(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    value: *mut c_void,
) -> c_int {
    // SAFETY: as above; with the last key, the value is a destructor.
    unsafe {
        match key {
            HPyCapsule_key_Pointer if value.is_null() => {
                raise(ctx, host().h_ValueError, c"HPyCapsule_SetPointer: the pointer is NULL");
                -1
            }
            HPyCapsule_key_Destructor if !is_complete(ctx, value.cast()) => -1,
            HPyCapsule_key_Destructor if value.is_null() => {
                let nothing = ptr::from_ref(&NOTHING).cast_mut();
                (host().ctx_Capsule_Set)(ctx, capsule, key, nothing.cast())
            }
            HPyCapsule_key_Pointer
            | HPyCapsule_key_Name
            | HPyCapsule_key_Context
            | HPyCapsule_key_Destructor => (host().ctx_Capsule_Set)(ctx, capsule, key, value),
            _ => {
                let message = c"HPyCapsule_Set: the key is not one of _HPyCapsule_key";
                raise(ctx, host().h_SystemError, message);
                -1
            }
        }
    }
}
