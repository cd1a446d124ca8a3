//! Setting Python exceptions from Rust text, and setting them aside.

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

/// The current exception, set aside.
#[cfg(Py_3_12)]
pub(crate) struct Exception(*mut ffi::PyObject);

#[cfg(Py_3_12)]
impl Exception {
    /// # Safety
    /// The interpreter is attached.
    pub(crate) unsafe fn take() -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { ffi::PyErr_GetRaisedException() })
    }

    /// # Safety
    /// The interpreter is attached.
    pub(crate) unsafe fn put_back(self) {
        // SAFETY: the reference is ours to give.
        unsafe { ffi::PyErr_SetRaisedException(self.0) };
    }
}

/// The current exception, set aside: type, value, traceback.
#[cfg(not(Py_3_12))]
pub(crate) struct Exception([*mut ffi::PyObject; 3]);

#[cfg(not(Py_3_12))]
impl Exception {
    /// # Safety
    /// The interpreter is attached.
    pub(crate) unsafe fn take() -> Self {
        let [mut type_, mut value, mut traceback] = [core::ptr::null_mut(); 3];
        // SAFETY: three places to write to.
        unsafe { ffi::PyErr_Fetch(&raw mut type_, &raw mut value, &raw mut traceback) };
        Self([type_, value, traceback])
    }

    /// # Safety
    /// The interpreter is attached.
    pub(crate) unsafe fn put_back(self) {
        let [type_, value, traceback] = self.0;
        // SAFETY: the references are ours to give.
        unsafe { ffi::PyErr_Restore(type_, value, traceback) };
    }
}
