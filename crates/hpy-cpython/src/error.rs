//! Setting Python exceptions from Rust text.

use pyo3_ffi as ffi;

/// Sets the exception `class` with `message`.
///
/// # Safety
/// The interpreter is attached and `class` is an exception class.
#[cold]
pub(crate) unsafe fn raise(class: *mut ffi::PyObject, message: &str) {
    // SAFETY: the text is UTF-8 of the given length; if the string cannot be made, its MemoryError stays set.
    unsafe {
        let text =
            ffi::PyUnicode_FromStringAndSize(message.as_ptr().cast(), message.len() as isize);
        if !text.is_null() {
            ffi::PyErr_SetObject(class, text);
            ffi::Py_DECREF(text);
        }
    }
}

/// An exception to be: which class, and what it says. Lets checks be plain Rust that raises in one place.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `TypeError`
    Type(String),
    /// `ValueError`
    Value(String),
    /// `SystemError`
    System(String),
    /// The C API has set an exception already.
    Raised,
}

impl Failure {
    /// Sets the exception.
    ///
    /// # Safety
    /// The interpreter is attached.
    #[cold]
    pub(crate) unsafe fn set(&self) {
        // SAFETY: the interpreter is attached, so the exception classes are there.
        unsafe {
            match self {
                Self::Type(message) => raise(ffi::PyExc_TypeError, message),
                Self::Value(message) => raise(ffi::PyExc_ValueError, message),
                Self::System(message) => raise(ffi::PyExc_SystemError, message),
                Self::Raised => {}
            }
        }
    }
}
