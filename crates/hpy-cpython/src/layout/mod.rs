//! What the layout of CPython's objects gives, and how the same is had without it.
//!
//! A runtime for one version of CPython knows the fields of objects and types, and what its headers do with them: [`known`]. One for the
//! limited API, and one for another interpreter's C API, has functions only: [`limited`]. Each side has the same names, and the rest of
//! the crate does not ask which it is. So this folder is the whole list of what the layout is used for.
//!
//! [`ffi`] is the Python/C API; on the limited side, completed by what that lacks.

#[cfg(not(any(Py_LIMITED_API, PyPy, GraalPy)))]
mod known;
#[cfg(any(Py_LIMITED_API, PyPy, GraalPy))]
mod limited;

#[cfg(not(any(Py_LIMITED_API, PyPy, GraalPy)))]
pub(crate) use known::*;
#[cfg(any(Py_LIMITED_API, PyPy, GraalPy))]
pub(crate) use limited::*;

/// Whether this thread is attached to an interpreter.
pub fn is_attached() -> bool {
    // SAFETY: it may be asked at any time.
    unsafe { ffi::PyGILState_Check() != 0 }
}

/// Empties a place.
///
/// # Safety
/// It holds an object that it owns, or null.
pub(crate) unsafe fn clear(place: *mut *mut ffi::PyObject) {
    // SAFETY: as required; the place is empty before foreign code can run.
    unsafe { ffi::Py_XDECREF(core::ptr::replace(place, core::ptr::null_mut())) }
}
