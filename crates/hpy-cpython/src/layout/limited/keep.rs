//! The memory of dead objects is CPython's: it is kept where the layout of objects is known.

use core::cell::Cell;

use pyo3_ffi as ffi;

/// Nothing.
pub(crate) struct Kept;

impl Kept {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self
    }
}

/// How the memory of a type's objects is kept: there is none whose is.
#[derive(Clone, Copy)]
pub(crate) enum Memory {}

impl Memory {
    /// None.
    ///
    /// # Safety
    /// `ty` is a type.
    pub(crate) unsafe fn install(
        _ty: *mut ffi::PyTypeObject,
        _kept: &'static Kept,
    ) -> Option<Self> {
        None
    }

    /// Where deallocations are counted.
    pub(crate) fn depth(&self) -> &'static Cell<usize> {
        match *self {}
    }

    /// The memory of a dead object.
    ///
    /// # Safety
    /// None.
    pub(crate) unsafe fn take(&self) -> Option<*mut ffi::PyObject> {
        match *self {}
    }

    /// Makes an object of it.
    ///
    /// # Safety
    /// None.
    pub(crate) unsafe fn revive(
        &self,
        _object: *mut ffi::PyObject,
        _ty: *mut ffi::PyTypeObject,
    ) -> *mut ffi::PyObject {
        match *self {}
    }

    /// Keeps the memory of a dead object.
    ///
    /// # Safety
    /// An object of the type.
    pub(crate) unsafe fn give(&self, _object: *mut ffi::PyObject) -> bool {
        match *self {}
    }
}
