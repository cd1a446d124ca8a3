//! Modules.

#![allow(non_snake_case)]

use core::ffi::c_char;
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use crate::layout::limited::host;

/// A name that is no UTF-8 is an exception.
pub(crate) unsafe fn PyImport_ImportModule(name: *const c_char) -> *mut PyObject {
    // SAFETY: the contract is the same; the name is released here.
    unsafe {
        let name = host::new_name(name);
        if name.is_null() {
            return ptr::null_mut();
        }
        let module = ffi::PyImport_Import(name);
        ffi::Py_DECREF(name);
        module
    }
}

/// The documentation of a new module is None, and not that of its type.
pub(crate) unsafe fn PyModule_NewObject(name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        let mut module = ffi::PyModule_NewObject(name);
        if !module.is_null()
            && ffi::PyObject_SetAttrString(module, c"__doc__".as_ptr(), ffi::Py_None()) < 0
        {
            ffi::Py_CLEAR(&raw mut module);
        }
        module
    }
}
