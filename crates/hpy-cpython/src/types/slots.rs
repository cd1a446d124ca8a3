//! Slots of types: the function that CPython gets for the author's function.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::*;
use hpy_host::thunk::{self, Kind};
use pyo3_ffi as ffi;

use crate::error::{Exception, Failure};
use crate::handle::{hpy, py};
use crate::layout;
use crate::load::Load;
use crate::methods::bind;

/// The function for CPython's slot of the same number.
///
/// # Safety
/// `slot` is a definition of a living library; `ctx` lives for ever.
pub(crate) unsafe fn function(
    ctx: *mut HPyContext,
    slot: &HPySlot,
) -> Result<*mut c_void, Failure> {
    let signature = signature(slot.slot)?;
    if slot.impl_.is_none() {
        return Err(Failure::System(format!("slot number {} has no function", slot.slot.0)));
    }
    // SAFETY: the author's function has the prototype that its slot's signature tells.
    let function = unsafe {
        match signature {
            HPyFunc_INITPROC => reshaped(ctx, slot, signature, init as *const c_void),
            HPyFunc_NEWFUNC => reshaped(ctx, slot, signature, new as *const c_void),
            HPyFunc_DESTRUCTOR => reshaped(ctx, slot, signature, finalize as *const c_void),
            _ => {
                let kind = kind(signature).ok_or_else(|| unknown(slot.slot))?;
                bind(ctx, kind, signature, slot.impl_, slot.cpy_trampoline)
            }
        }
    };
    Ok(function.cast_mut())
}

/// How many arguments CPython passes to a function that needs nothing but the context before them.
fn kind(signature: HPyFunc_Signature) -> Option<Kind> {
    Some(match signature {
        HPyFunc_UNARYFUNC | HPyFunc_REPRFUNC | HPyFunc_INQUIRY | HPyFunc_LENFUNC
        | HPyFunc_HASHFUNC => Kind::Shift1,
        HPyFunc_BINARYFUNC
        | HPyFunc_OBJOBJPROC
        | HPyFunc_SSIZEARGFUNC
        | HPyFunc_RELEASEBUFFERPROC => Kind::Shift2,
        HPyFunc_TERNARYFUNC
        | HPyFunc_SSIZEOBJARGPROC
        | HPyFunc_OBJOBJARGPROC
        | HPyFunc_RICHCMPFUNC
        | HPyFunc_GETBUFFERPROC => Kind::Shift3,
        _ => return None,
    })
}

fn signature(slot: HPySlot_Slot) -> Result<HPyFunc_Signature, Failure> {
    let known = SLOT_SIGNATURES.iter().find(|(number, _)| *number == slot);
    match known {
        Some((slot, _)) if matches!(*slot, HPy_mod_create | HPy_mod_exec) => Err(unknown(*slot)),
        Some((_, signature)) => Ok(*signature),
        None => Err(unknown(slot)),
    }
}

fn unknown(slot: HPySlot_Slot) -> Failure {
    Failure::System(format!("slot number {} is not one that a type can define", slot.0))
}

/// What a thunk to a function of ours carries instead of the context: the function to call and its first argument, which is the
/// context unless something wraps that.
struct Closure {
    ctx: *mut HPyContext,
    function: HPyCFunction,
}

/// A thunk to `target`, which reshapes the arguments; the closure belongs to the record of the type and lives for ever.
unsafe fn reshaped(
    ctx: *mut HPyContext,
    slot: &HPySlot,
    signature: HPyFunc_Signature,
    target: *const c_void,
) -> *const c_void {
    if !thunk::available() {
        return slot.cpy_trampoline.map_or(ptr::null(), |f| f as *const c_void);
    }
    let Some(author) = slot.impl_ else { return ptr::null() };
    // SAFETY: the context belongs to a load.
    let entry = unsafe { Load::of(ctx) }.entry(signature, author);
    let closure = Closure { ctx: entry.first.cast_mut().cast(), function: Some(entry.target) };
    let closure: &'static Closure = Box::leak(Box::new(closure));
    let thunk = thunk::thunk(Kind::Shift3, ptr::from_ref(closure).cast(), target);
    thunk.map_or(ptr::null(), |thunk| thunk.as_ptr().cast_const())
}

type InitProc = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, isize, HPy) -> c_int;
type NewFunc = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, isize, HPy) -> HPy;
pub(crate) type Finalizer = unsafe extern "C" fn(*mut HPyContext, HPy);

/// `tp_init`
unsafe extern "C" fn init(
    closure: &Closure,
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kw: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: the closure was made from a slot of this signature; CPython passes a tuple.
    unsafe {
        let author = core::mem::transmute::<HPyCFunction, InitProc>(closure.function);
        layout::with_items(args, |items, n| author(closure.ctx, hpy(object), items, n, hpy(kw)))
    }
}

/// `tp_new`
unsafe extern "C" fn new(
    closure: &Closure,
    ty: *mut ffi::PyTypeObject,
    args: *mut ffi::PyObject,
    kw: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the closure was made from a slot of this signature; CPython passes a tuple.
    unsafe {
        let author = core::mem::transmute::<HPyCFunction, NewFunc>(closure.function);
        let object = hpy(ty.cast());
        py(layout::with_items(args, |items, n| author(closure.ctx, object, items, n, hpy(kw))))
    }
}

/// `tp_finalize`
unsafe extern "C" fn finalize(closure: &Closure, object: *mut ffi::PyObject) {
    // SAFETY: the closure was made from a slot of this signature.
    unsafe {
        let author = core::mem::transmute::<HPyCFunction, Finalizer>(closure.function);
        call_finalizer(closure.ctx, author, object);
    }
}

/// Calls the author's finalizer. CPython demands that the current exception is the same afterwards.
///
/// # Safety
/// The interpreter is attached; the object can be finalized.
pub(crate) unsafe fn call_finalizer(
    ctx: *mut HPyContext,
    author: Finalizer,
    object: *mut ffi::PyObject,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let before = Exception::take();
        author(ctx, hpy(object));
        if !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_WriteUnraisable(object);
        }
        before.put_back();
    }
}
