//! The parameters of `HPyType_FromSpec`: bases and metaclass.

use core::ptr;

use hpy_abi::*;

use crate::error::Failure;
use crate::handle::py;
use crate::layout::{self, ffi};

/// What the parameters say, checked.
pub(crate) struct Params {
    /// A tuple of classes that this owns, or null for none.
    pub bases: *mut ffi::PyObject,
    /// The metaclass, borrowed; `type` by default.
    pub metaclass: *mut ffi::PyTypeObject,
}

impl Drop for Params {
    fn drop(&mut self) {
        // SAFETY: the tuple is owned; the interpreter is attached as long as this lives.
        unsafe { ffi::Py_XDECREF(self.bases) }
    }
}

/// Iterates over a parameter array, ended by kind 0.
unsafe fn entries(params: *const HPyType_SpecParam) -> impl Iterator<Item = HPyType_SpecParam> {
    let mut next = params;
    core::iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: the array goes on until an entry of kind 0.
        unsafe {
            let entry = *next;
            next = next.add(1);
            (entry.kind != HPyType_SpecParam_End).then_some(entry)
        }
    })
}

/// Reads the parameters.
///
/// # Safety
/// `params` is null or an array ended by kind 0; the interpreter is attached.
pub(crate) unsafe fn read(params: *const HPyType_SpecParam) -> Result<Params, Failure> {
    let mut found = Params { bases: ptr::null_mut(), metaclass: &raw mut ffi::PyType_Type };
    let mut single = Vec::new();
    let mut metaclass = None;
    // SAFETY: as required of the caller.
    for entry in unsafe { entries(params) } {
        let object = py(entry.object);
        match entry.kind {
            HPyType_SpecParam_Base => single.push(object),
            // SAFETY: the handle is open.
            HPyType_SpecParam_BasesTuple => unsafe { bases_tuple(&mut found, object)? },
            HPyType_SpecParam_Metaclass => {
                if metaclass.replace(object).is_some() {
                    return Err(Failure::Value(
                        "HPyType_FromSpec: HPyType_SpecParam_Metaclass is given more than once"
                            .into(),
                    ));
                }
            }
            HPyType_SpecParam_Kind(other) => {
                return Err(Failure::Type(format!(
                    "HPyType_FromSpec: unknown kind {other} of HPyType_SpecParam"
                )));
            }
        }
    }
    // SAFETY: the handles are open.
    unsafe {
        if !single.is_empty() {
            pack(&mut found, &single)?;
        }
        check_bases(found.bases)?;
        match metaclass {
            Some(metaclass) => found.metaclass = check_metaclass(metaclass)?,
            None => inherit_metaclass(&mut found),
        }
    }
    Ok(found)
}

unsafe fn bases_tuple(found: &mut Params, tuple: *mut ffi::PyObject) -> Result<(), Failure> {
    // SAFETY: `tuple` is an object.
    unsafe {
        if !found.bases.is_null() {
            return Err(Failure::Type(
                "HPyType_FromSpec: HPyType_SpecParam_BasesTuple is given more than once".into(),
            ));
        }
        if ffi::PyTuple_Check(tuple) == 0 {
            return Err(Failure::Type(
                "HPyType_FromSpec: HPyType_SpecParam_BasesTuple needs a tuple".into(),
            ));
        }
        ffi::Py_INCREF(tuple);
        found.bases = tuple;
    }
    Ok(())
}

unsafe fn pack(found: &mut Params, bases: &[*mut ffi::PyObject]) -> Result<(), Failure> {
    if !found.bases.is_null() {
        return Err(Failure::Type(
            "HPyType_FromSpec: give HPyType_SpecParam_Base or HPyType_SpecParam_BasesTuple, not both"
                .into(),
        ));
    }
    // SAFETY: a new tuple takes a new reference to each base.
    unsafe {
        found.bases = ffi::PyTuple_New(bases.len() as isize);
        if found.bases.is_null() {
            return Err(Failure::Raised);
        }
        for (at, base) in bases.iter().enumerate() {
            ffi::Py_INCREF(*base);
            ffi::PyTuple_SET_ITEM(found.bases, at as isize, *base);
        }
    }
    Ok(())
}

unsafe fn check_bases(bases: *mut ffi::PyObject) -> Result<(), Failure> {
    if bases.is_null() {
        return Ok(());
    }
    // SAFETY: a tuple.
    unsafe {
        for at in 0..ffi::PyTuple_GET_SIZE(bases) {
            if ffi::PyType_Check(ffi::PyTuple_GET_ITEM(bases, at)) == 0 {
                return Err(Failure::Type(format!(
                    "HPyType_FromSpec: base number {} is not a type",
                    at + 1
                )));
            }
        }
    }
    Ok(())
}

/// Takes the most derived metaclass of the bases, as CPython does by itself since 3.12. One with a constructor of its own
/// is left out, as CPython leaves out all of them before.
unsafe fn inherit_metaclass(found: &mut Params) {
    if cfg!(Py_3_12) || found.bases.is_null() {
        return;
    }
    // SAFETY: a tuple of types.
    unsafe {
        for at in 0..ffi::PyTuple_GET_SIZE(found.bases) {
            let metaclass = ffi::Py_TYPE(ffi::PyTuple_GET_ITEM(found.bases, at));
            if has_constructor_of_type(metaclass)
                && ffi::PyType_IsSubtype(metaclass, found.metaclass) != 0
            {
                found.metaclass = metaclass;
            }
        }
    }
}

/// Whether a metaclass makes its types as `type` does.
unsafe fn has_constructor_of_type(metaclass: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a type.
    unsafe {
        let constructor = |ty| layout::tp_new(ty).map(|f| f as usize);
        constructor(metaclass) == constructor(&raw mut ffi::PyType_Type)
    }
}

unsafe fn check_metaclass(
    metaclass: *mut ffi::PyObject,
) -> Result<*mut ffi::PyTypeObject, Failure> {
    // SAFETY: an object; if it is a type, its slots may be read.
    unsafe {
        let ty = metaclass.cast::<ffi::PyTypeObject>();
        if ffi::PyType_Check(metaclass) == 0
            || ffi::PyType_IsSubtype(ty, &raw mut ffi::PyType_Type) == 0
        {
            return Err(Failure::Type(
                "HPyType_FromSpec: the metaclass must be a subclass of type".into(),
            ));
        }
        if !has_constructor_of_type(ty) {
            return Err(Failure::Type(
                "HPyType_FromSpec: a metaclass with a constructor (HPy_tp_new) of its own is not \
                 supported; use HPy_tp_init"
                    .into(),
            ));
        }
        Ok(ty)
    }
}
