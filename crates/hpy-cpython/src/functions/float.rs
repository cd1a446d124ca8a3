//! Conversions from `float`.

use hpy_abi::{HPy, HPyContext};
use pyo3_ffi as ffi;

use crate::handle::py;
use crate::layout;

/// `HPyFloat_AsDouble`
pub(crate) unsafe extern "C" fn ctx_Float_AsDouble(_ctx: *mut HPyContext, h: HPy) -> f64 {
    // SAFETY: the handle is open.
    unsafe { layout::exact_float(py(h)).unwrap_or_else(|| ffi::PyFloat_AsDouble(py(h))) }
}
