//! `int`, and operators on numbers.

#![allow(non_snake_case)]

use core::ffi::{c_ulong, c_ulonglong, c_void};
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::require;
use crate::layout::limited::missing::call_method;

/// Whether the object is an int; if not, with an exception.
unsafe fn is_int(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    let is = unsafe { ffi::PyLong_Check(object) != 0 };
    // SAFETY: the interpreter is attached.
    unsafe { require(is, ffi::PyExc_TypeError, c"an int was expected") }
}

/// A ValueError, which an emulation may raise for a negative number, becomes the OverflowError of CPython.
#[cold]
unsafe fn negative_is_overflow() {
    let message = c"a negative int cannot be converted to an unsigned one";
    // SAFETY: the interpreter is attached.
    unsafe {
        if !ffi::PyErr_Occurred().is_null()
            && ffi::PyErr_ExceptionMatches(ffi::PyExc_ValueError) != 0
        {
            ffi::PyErr_SetString(ffi::PyExc_OverflowError, message.as_ptr());
        }
    }
}

/// Conversions of an `int`, and of nothing that has `__index__`.
macro_rules! conversions {
    ($($name:ident -> $result:ty = $failure:expr;)*) => {$(
        pub(crate) unsafe fn $name(object: *mut PyObject) -> $result {
            // SAFETY: the contract is the same.
            unsafe {
                if !is_int(object) {
                    return $failure;
                }
                let value = ffi::$name(object);
                if value == $failure {
                    negative_is_overflow();
                }
                value
            }
        }
    )*};
}

conversions! {
    PyLong_AsSsize_t -> isize = -1;
    PyLong_AsSize_t -> usize = usize::MAX;
    PyLong_AsUnsignedLong -> c_ulong = c_ulong::MAX;
    PyLong_AsUnsignedLongLong -> c_ulonglong = c_ulonglong::MAX;
}

#[cfg(PyPy)]
conversions! {
    PyLong_AsDouble -> f64 = -1.0;
}

/// By way of a `float`: GraalPy's own takes nothing above 64 bits.
#[cfg(GraalPy)]
pub(crate) unsafe fn PyLong_AsDouble(object: *mut PyObject) -> f64 {
    // SAFETY: the contract is the same; the float is released here.
    unsafe {
        if !is_int(object) {
            return -1.0;
        }
        let float = ffi::PyNumber_Float(object);
        if float.is_null() {
            return -1.0;
        }
        let value = ffi::PyFloat_AsDouble(float);
        ffi::Py_DECREF(float);
        value
    }
}

/// A negative number is taken as it is in memory.
pub(crate) unsafe fn PyLong_AsVoidPtr(object: *mut PyObject) -> *mut c_void {
    // SAFETY: the contract is the same.
    unsafe {
        if !is_int(object) {
            return ptr::null_mut();
        }
        let signed = ffi::PyLong_AsSsize_t(object);
        if signed != -1 || ffi::PyErr_Occurred().is_null() {
            return signed as *mut c_void;
        }
        ffi::PyErr_Clear();
        let unsigned = PyLong_AsSize_t(object);
        if unsigned == usize::MAX && !ffi::PyErr_Occurred().is_null() {
            return ptr::null_mut();
        }
        unsigned as *mut c_void
    }
}

/// With a modulus, of which a method in Python is not told.
pub(crate) unsafe fn PyNumber_InPlacePower(
    base: *mut PyObject,
    exponent: *mut PyObject,
    modulus: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if modulus == ffi::Py_None() {
            return ffi::PyNumber_InPlacePower(base, exponent, modulus);
        }
        if ffi::PyObject_HasAttrString(ffi::Py_TYPE(base).cast(), c"__ipow__".as_ptr()) != 0 {
            let result = call_method(base, c"__ipow__", exponent);
            if result != ffi::Py_NotImplemented() {
                return result;
            }
            ffi::Py_DECREF(result);
        }
        ffi::PyNumber_Power(base, exponent, modulus)
    }
}
