//! Fields: references that live in the C struct of an object. A field is the object's address, or
//! 0.

use core::sync::atomic::{AtomicIsize, Ordering};

use hpy_abi::{HPy, HPyContext, HPyField};
use pyo3_ffi as ffi;

use crate::handle::py;

/// `HPyField_Store`
pub(crate) unsafe extern "C" fn ctx_Field_Store(
    _ctx: *mut HPyContext,
    _target_object: HPy,
    target_field: *mut HPyField,
    h: HPy,
) {
    // SAFETY: the handle is open or null, and the field holds null or a reference. The old object
    // is released last, because that can run code that reads the field. Atomic, because other
    // threads may ask at any time whether the field is empty (`HPyField_IsNull` of threads.h).
    unsafe {
        ffi::Py_XINCREF(py(h));
        let place = AtomicIsize::from_ptr(&raw mut (*target_field)._i);
        let old = place.load(Ordering::Relaxed);
        place.store(h._i, Ordering::Relaxed);
        ffi::Py_XDECREF(py(HPy { _i: old }));
    }
}

/// `HPyField_Load`
pub(crate) unsafe extern "C" fn ctx_Field_Load(
    _ctx: *mut HPyContext,
    _source_object: HPy,
    source_field: HPyField,
) -> HPy {
    let h = HPy { _i: source_field._i };
    // SAFETY: the field holds null or a reference.
    unsafe { ffi::Py_XINCREF(py(h)) };
    h
}
