//! Author's functions as C functions that CPython can call.
//!
//! The unsafe code is sound because a thunk has the prototype that its kind says, and CPython calls
//! what it finds in a `PyMethodDef` with the arguments that its flags say.

use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hpy_abi::{
    HPyCFunction, HPyContext, HPyFunc_KEYWORDS, HPyFunc_NOARGS, HPyFunc_O, HPyFunc_Signature,
    HPyFunc_VARARGS, HPyMeth,
};
use hpy_host::thunk::{Kind, thunk};
use pyo3_ffi as ffi;

use crate::error::Failure;
use crate::load::Load;

/// The address of a C function that CPython calls and that hands over to `author` with the context
/// in front of the arguments: a thunk, or where there are none the extension's own `trampoline`.
/// Null if the author's function is missing.
///
/// # Safety
/// The context is never freed, and the functions belong to the extension that it was made for.
pub(crate) unsafe fn bind(
    ctx: *mut HPyContext,
    kind: Kind,
    signature: HPyFunc_Signature,
    author: HPyCFunction,
    trampoline: HPyCFunction,
) -> *const c_void {
    let Some(author) = author else {
        return ptr::null();
    };
    // SAFETY: the caller's promise.
    let entry = unsafe { Load::of(ctx) }.entry(signature, author);
    match thunk(kind, entry.first, entry.target as *const c_void) {
        Some(thunk) => thunk.as_ptr(),
        None => trampoline.map_or(ptr::null(), |trampoline| trampoline as *const c_void),
    }
}

/// The function to call for `author`, which gets no context: itself, or what something that wraps the
/// context wants to be called in its place.
///
/// # Safety
/// As for [`bind`]; the result has the type of `author`.
pub(crate) unsafe fn bind_plain(
    ctx: *mut HPyContext,
    kind: Kind,
    signature: HPyFunc_Signature,
    author: HPyCFunction,
) -> HPyCFunction {
    // SAFETY: the caller's promise.
    let entry = unsafe { Load::of(ctx) }.wrapped_entry(signature, author?);
    entry.and_then(|entry| entry.as_function(kind)).or(author)
}

/// The entry of a method table for `meth`.
///
/// # Safety
/// As for [`bind`]; the name and the documentation of `meth` are C strings that are never freed.
pub(crate) unsafe fn method_def(
    ctx: *mut HPyContext,
    meth: &HPyMeth,
) -> Result<ffi::PyMethodDef, Failure> {
    let (kind, flags) = call_convention(meth)?;
    // SAFETY: the caller's promise.
    let function = unsafe { bind(ctx, kind, meth.signature, meth.impl_, meth.cpy_trampoline) };
    if meth.name.is_null() || function.is_null() {
        return Err(Failure::System(
            "HPyMeth with no name or no function: declare it with HPyDef_METH".to_owned(),
        ));
    }
    Ok(ffi::PyMethodDef {
        ml_name: meth.name,
        // SAFETY: all members of the union are function pointers, and `function` is not null.
        ml_meth: unsafe { transmute::<*const c_void, ffi::PyMethodDefPointer>(function) },
        ml_flags: flags,
        ml_doc: meth.doc,
    })
}

/// What a thunk must shift for a method, and how CPython is told to call it.
fn call_convention(meth: &HPyMeth) -> Result<(Kind, c_int), Failure> {
    match meth.signature {
        // The second argument of a METH_NOARGS function is always null, so it may be overwritten.
        HPyFunc_NOARGS => Ok((Kind::Shift1, ffi::METH_NOARGS)),
        HPyFunc_O => Ok((Kind::Shift2, ffi::METH_O)),
        HPyFunc_VARARGS => Ok((Kind::Shift3, ffi::METH_FASTCALL)),
        HPyFunc_KEYWORDS => Ok((Kind::Shift4, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)),
        _ => Err(Failure::Value("Unsupported HPyMeth signature".to_owned())),
    }
}

/// The end of a method table.
pub(crate) const METHODS_END: ffi::PyMethodDef = ffi::PyMethodDef::zeroed();

/// A table that lives for ever, ended by a zeroed entry. Equal contents give the same table, so that
/// loading a module again and again makes no new ones.
pub(crate) fn intern_methods(mut methods: Vec<ffi::PyMethodDef>) -> *mut ffi::PyMethodDef {
    static TABLES: Mutex<BTreeMap<Vec<[usize; 4]>, Table>> = Mutex::new(BTreeMap::new());
    let key = methods.iter().map(words).collect();
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables
        .entry(key)
        .or_insert_with(|| {
            methods.push(METHODS_END);
            Table(Box::leak(methods.into_boxed_slice()).as_mut_ptr())
        })
        .0
}

struct Table(*mut ffi::PyMethodDef);

// SAFETY: CPython only reads method tables.
unsafe impl Send for Table {}

fn words(method: &ffi::PyMethodDef) -> [usize; 4] {
    // SAFETY: all members of the union are function pointers.
    let function: *const c_void = unsafe { transmute(method.ml_meth) };
    [method.ml_name as usize, function as usize, method.ml_flags as usize, method.ml_doc as usize]
}
