//! From C to Rust and back: objects and texts for handles and C strings, results and exceptions for return values.

use core::ffi::{CStr, c_char, c_int};

use hpy_abi::HPy;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::{error, handles, lock};

/// What a function of the context gives back.
pub(crate) trait Outcome {
    /// Its type in C.
    type C;
    /// The value that says that an exception is set.
    const FAILED: Self::C;
    /// The value for C.
    fn into_c(self) -> Self::C;
}

impl Outcome for PyObjectRef {
    type C = HPy;
    const FAILED: HPy = HPy::NULL;
    #[inline(always)]
    fn into_c(self) -> HPy {
        handles::new(self)
    }
}

/// An object, or none, which is not an error.
impl Outcome for Option<PyObjectRef> {
    type C = HPy;
    const FAILED: HPy = HPy::NULL;
    fn into_c(self) -> HPy {
        handles::new_or_null(self)
    }
}

impl Outcome for () {
    type C = c_int;
    const FAILED: c_int = -1;
    fn into_c(self) -> c_int {
        0
    }
}

impl Outcome for bool {
    type C = c_int;
    const FAILED: c_int = -1;
    fn into_c(self) -> c_int {
        c_int::from(self)
    }
}

macro_rules! numbers {
    ($($number:ty = $failed:expr;)*) => {$(
        impl Outcome for $number {
            type C = Self;
            const FAILED: Self = $failed;
            #[inline(always)]
            fn into_c(self) -> Self {
                self
            }
        }
    )*};
}

numbers! {
    i32 = -1;
    u32 = u32::MAX;
    i64 = -1;
    u64 = u64::MAX;
    isize = -1;
    usize = usize::MAX;
    f64 = -1.0;
    *mut core::ffi::c_void = core::ptr::null_mut();
    *const c_char = core::ptr::null();
}

/// Does what may run Python.
#[inline(always)]
pub(crate) fn outside<T: Outcome>(python: impl FnOnce(&VirtualMachine) -> PyResult<T>) -> T::C {
    finish(lock::outside(python))
}

/// Does what runs no Python.
#[inline(always)]
pub(crate) fn inside<T: Outcome>(action: impl FnOnce(&VirtualMachine) -> PyResult<T>) -> T::C {
    finish(lock::inside(action))
}

#[inline(always)]
fn finish<T: Outcome>(result: PyResult<T>) -> T::C {
    match result {
        Ok(value) => value.into_c(),
        Err(exception) => {
            error::set(exception);
            T::FAILED
        }
    }
}

/// The text that a C string spells.
///
/// # Safety
/// A C string that lives while the result is used.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> &'a CStr {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
}

/// The text that a C string spells, or none for a null pointer.
///
/// # Safety
/// As for [`text`], or null.
pub(crate) unsafe fn nullable_text<'a>(start: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { text(start) })
}
