//! GraalPy, whose own objects live in a Java machine. What C code sees of one is a stand-in, which keeps it alive.

mod functions;

pub(crate) use functions::*;

use core::ffi::{CStr, c_char, c_int};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use pyo3_ffi as ffi;

use super::types::{own_tp_finalize, tp_base};

/// Whether the `tp_dealloc` of a type drops an object's reference to its type. That of a heap type does, for every object that it frees.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn dealloc_drops_type(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0 }
}

/// Whether objects of types below this builtin are structs, in which ours has its place. Those below int, list and dict are Java
/// objects, and what C code has of them is a number that is no address; a tuple's items lie where its struct does not tell.
pub(crate) fn has_structs_below(builtin: *mut ffi::PyTypeObject) -> bool {
    let without = [
        &raw mut ffi::PyLong_Type,
        &raw mut ffi::PyTuple_Type,
        &raw mut ffi::PyList_Type,
        &raw mut ffi::PyDict_Type,
    ];
    !without.contains(&builtin)
}

/// Whether the `tp_dealloc` of a class that is written in Python runs the finalizer that it inherits.
pub(crate) const SUBCLASSES_FINALIZE: bool = false;

/// Objects that live on after their finalizer: it runs once.
static FINALIZED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Runs the finalizer of a dead object; -1 if the object lives on. GraalPy has no function for it.
///
/// # Safety
/// The object is dead, and in one piece.
pub(crate) unsafe fn finalize(object: *mut ffi::PyObject) -> c_int {
    let finalized = || FINALIZED.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the caller's promise; a reference keeps the object from dying again meanwhile.
    unsafe {
        let Some(finalize) = tp_finalize(ffi::Py_TYPE(object)) else { return 0 };
        if finalized().remove(&object.addr()) {
            return 0;
        }
        let references = &raw mut (*object).ob_refcnt.ob_refcnt;
        *references += 1;
        finalize(object);
        *references -= 1;
        if *references == 0 {
            return 0;
        }
        finalized().insert(object.addr());
        -1
    }
}

/// `tp_finalize`, which a class that is written in Python does not tell of its base.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn tp_finalize(mut ty: *mut ffi::PyTypeObject) -> Option<ffi::destructor> {
    // SAFETY: the caller's promise; bases are types, too.
    unsafe {
        while !ty.is_null() {
            if let Some(finalize) = own_tp_finalize(ty) {
                return Some(finalize);
            }
            ty = tp_base(ty);
        }
    }
    None
}

/// How many references there are to an object, where C code can see that.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn references(_object: *mut ffi::PyObject) -> Option<isize> {
    None // the object may be no address at all
}

/// The name that a function of the C API is exported under.
pub(crate) fn exported(name: &CStr) -> CString {
    name.to_owned()
}

/// A new reference to the `str` of a name; null with an exception. Those that are interned are made as above.
///
/// # Safety
/// `text` is a C string, and the interpreter is attached.
pub(crate) unsafe fn new_name(text: *const c_char) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe { PyUnicode_FromString(text) }
}

/// Nothing: its C API shows no frames.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn running_place() -> Option<(*mut ffi::PyCodeObject, c_int)> {
    None
}

/// A TypeError.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn of_metaclass(
    _metaclass: *mut ffi::PyTypeObject,
    _spec: &mut ffi::PyType_Spec,
    _bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let message = c"HPyType_FromSpec: GraalPy's C API makes no type with a metaclass";
    // SAFETY: as required.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr()) };
    core::ptr::null_mut()
}
