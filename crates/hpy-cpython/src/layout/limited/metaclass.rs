//! Types whose type is not `type`.

use core::ptr;

use pyo3_ffi::{PyObject, PyType_Spec, PyTypeObject};

use super::host;
use super::lookup::lookups;

lookups! {
    // Limited since 3.12.
    from_metaclass: "PyType_FromMetaclass" = fn(*mut PyTypeObject, *mut PyObject, *mut PyType_Spec, *mut PyObject) -> *mut PyObject;
}

/// `PyType_FromSpecWithBases` for a type of a metaclass that is not `type`.
///
/// # Safety
/// `spec` is valid for the C API, `bases` a tuple or null, `metaclass` a subclass of `type` with `type`'s constructor.
pub(crate) unsafe fn of_metaclass(
    metaclass: *mut PyTypeObject,
    spec: &mut PyType_Spec,
    bases: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: as required; no module is associated.
    unsafe {
        // GraalPy's ends the process if the type has members.
        let from_metaclass = if cfg!(GraalPy) { None } else { from_metaclass() };
        match from_metaclass {
            Some(function) => function(metaclass, ptr::null_mut(), spec, bases),
            None => host::of_metaclass(metaclass, spec, bases),
        }
    }
}
