//! Conversions from `float`.

use hpy_abi::{HPy, HPyContext};
use pyo3_ffi as ffi;

use crate::handle::py;

/// `HPyFloat_AsDouble`
pub(crate) unsafe extern "C" fn ctx_Float_AsDouble(_ctx: *mut HPyContext, h: HPy) -> f64 {
    let object = py(h);
    // SAFETY: the handle is open, and an exact float has the layout of one.
    unsafe {
        if ffi::PyFloat_CheckExact(object) != 0 {
            return (*object.cast::<ffi::PyFloatObject>()).ob_fval;
        }
        ffi::PyFloat_AsDouble(object)
    }
}
