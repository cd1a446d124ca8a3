//! Capsules.
//!
//! Python calls the destructor of a capsule with the capsule, the author's function wants what is
//! in it. A thunk that carries the author's function makes one of the other, so the capsule needs
//! no memory of its own for it.

use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr;

use hpy_abi::{
    _HPyCapsule_key, HPy, HPyCFunction, HPyCapsule_Destructor, HPyCapsule_key_Context,
    HPyCapsule_key_Destructor, HPyCapsule_key_Name, HPyCapsule_key_Pointer, HPyContext,
    HPyFunc_CAPSULE_DESTRUCTOR, HPyFunc_Capsule_Destructor,
};
use hpy_host::thunk::{Kind, thunk};

use crate::error::raise;
use crate::handle::{hpy, py};
use crate::layout::ffi;
use crate::methods::bind_plain;

/// `HPyCapsule_New`
pub(crate) unsafe extern "C" fn ctx_Capsule_New(
    ctx: *mut HPyContext,
    pointer: *mut c_void,
    utf8_name: *const c_char,
    destructor: *mut HPyCapsule_Destructor,
) -> HPy {
    // SAFETY: the name and the destructor live as long as the capsule, or are null.
    unsafe {
        match c_destructor(ctx, destructor) {
            Ok(destructor) => hpy(ffi::PyCapsule_New(pointer, utf8_name, destructor)),
            Err(InvalidDestructor) => HPy::NULL,
        }
    }
}

/// `HPyCapsule_Get`
pub(crate) unsafe extern "C" fn ctx_Capsule_Get(
    _ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    utf8_name: *const c_char,
) -> *mut c_void {
    // SAFETY: the handle is open; the C API checks that it is a capsule.
    unsafe {
        match key {
            HPyCapsule_key_Pointer => ffi::PyCapsule_GetPointer(py(capsule), utf8_name),
            HPyCapsule_key_Name => ffi::PyCapsule_GetName(py(capsule)).cast_mut().cast(),
            HPyCapsule_key_Context => ffi::PyCapsule_GetContext(py(capsule)),
            _ => {
                let message =
                    "HPyCapsule_Get: only the pointer, the name and the context can be read";
                raise(ffi::PyExc_SystemError, message);
                ptr::null_mut()
            }
        }
    }
}

/// `HPyCapsule_Set`
pub(crate) unsafe extern "C" fn ctx_Capsule_Set(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    value: *mut c_void,
) -> c_int {
    let capsule = py(capsule);
    // SAFETY: the handle is open, the C API checks that it is a capsule; the value is what the key
    // says.
    unsafe {
        match key {
            HPyCapsule_key_Pointer => ffi::PyCapsule_SetPointer(capsule, value),
            HPyCapsule_key_Name => ffi::PyCapsule_SetName(capsule, value.cast()),
            HPyCapsule_key_Context => ffi::PyCapsule_SetContext(capsule, value),
            HPyCapsule_key_Destructor => match c_destructor(ctx, value.cast()) {
                Ok(destructor) => ffi::PyCapsule_SetDestructor(capsule, destructor),
                Err(InvalidDestructor) => -1,
            },
            _ => {
                let message = "HPyCapsule_Set: the key is not one of _HPyCapsule_key";
                raise(ffi::PyExc_SystemError, message);
                -1
            }
        }
    }
}

/// An exception is set.
struct InvalidDestructor;

/// What the C API gets for the author's destructor.
///
/// # Safety
/// The interpreter is attached; the destructor is null or valid.
unsafe fn c_destructor(
    ctx: *mut HPyContext,
    destructor: *const HPyCapsule_Destructor,
) -> Result<Option<ffi::PyCapsule_Destructor>, InvalidDestructor> {
    // SAFETY: the caller's promise; a thunk and a trampoline have the prototype of a capsule
    // destructor.
    unsafe {
        let Some(destructor) = destructor.as_ref() else {
            return Ok(None);
        };
        let (Some(trampoline), Some(author)) = (destructor.cpy_trampoline, destructor.impl_) else {
            let message = "a capsule destructor must be defined with HPyCapsule_DESTRUCTOR: \
                its cpy_trampoline or its impl is NULL";
            raise(ffi::PyExc_ValueError, message);
            return Err(InvalidDestructor);
        };
        let author = transmute::<HPyFunc_Capsule_Destructor, HPyCFunction>(author);
        let author = bind_plain(ctx, Kind::Shift3, HPyFunc_CAPSULE_DESTRUCTOR, author);
        let first = transmute::<HPyCFunction, *const c_void>(author);
        let ours = destroy as unsafe extern "C" fn(_, _);
        Ok(Some(match thunk(Kind::Shift1, first, ours as *const c_void) {
            Some(thunk) => transmute::<*mut c_void, ffi::PyCapsule_Destructor>(thunk.as_ptr()),
            None => transmute::<unsafe extern "C" fn(), ffi::PyCapsule_Destructor>(trampoline),
        }))
    }
}

/// Calls the author's destructor with the contents of a dying capsule.
///
/// # Safety
/// The interpreter is attached; the second argument is a capsule.
pub(super) unsafe extern "C" fn destroy(
    author: HPyFunc_Capsule_Destructor,
    capsule: *mut ffi::PyObject,
) {
    // SAFETY: the caller's promise; the pointer is asked for by the capsule's own name.
    unsafe {
        let name = ffi::PyCapsule_GetName(capsule);
        let pointer = ffi::PyCapsule_GetPointer(capsule, name);
        let context = ffi::PyCapsule_GetContext(capsule);
        author(name, pointer, context);
    }
}
