//! Functions of the C API that an emulation has without all of CPython's checks and ways, under their names and with CPython's
//! contracts: what is wrong with an argument is looked for before the interpreter sees it, which may end the process.

mod capsule;
mod containers;
mod errors;
mod module;
mod numbers;
mod text;

pub(crate) use capsule::*;
pub(crate) use containers::*;
pub(crate) use errors::*;
pub(crate) use module::*;
pub(crate) use numbers::*;
pub(crate) use text::*;

use core::ffi::CStr;

use pyo3_ffi as ffi;

/// Raises `class` with `message` unless `holds`; whether it holds.
///
/// # Safety
/// The interpreter is attached, and `class` an exception class.
#[inline]
unsafe fn require(holds: bool, class: *mut ffi::PyObject, message: &CStr) -> bool {
    if !holds {
        // SAFETY: as required.
        unsafe { ffi::PyErr_SetString(class, message.as_ptr()) };
    }
    holds
}

/// The same with the exception for arguments that a caller must not give.
///
/// # Safety
/// The interpreter is attached.
#[inline]
pub(crate) unsafe fn require_call(holds: bool) -> bool {
    // SAFETY: as required.
    unsafe { require(holds, ffi::PyExc_SystemError, c"bad argument to internal function") }
}
