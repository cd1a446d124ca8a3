//! Handles themselves: duplicate, close, compare, convert, show.

use core::ffi::{c_char, c_int};
use core::slice;
use std::io::{self, Write};

use hpy_abi::{HPy, HPyContext, cpy_PyObject};
use pyo3_ffi as ffi;

use crate::error::Exception;
use crate::handle::{hpy, py};
use crate::layout;

/// `HPy_Dup`
pub(crate) unsafe extern "C" fn ctx_Dup(_ctx: *mut HPyContext, h: HPy) -> HPy {
    // SAFETY: the handle is open or null.
    unsafe { ffi::Py_XINCREF(py(h)) };
    h
}

/// `HPy_Close`
pub(crate) unsafe extern "C" fn ctx_Close(_ctx: *mut HPyContext, h: HPy) {
    // SAFETY: the handle is open or null, and not used any more.
    unsafe { ffi::Py_XDECREF(py(h)) };
}

/// `HPy_Is`
pub(crate) unsafe extern "C" fn ctx_Is(_ctx: *mut HPyContext, obj: HPy, other: HPy) -> c_int {
    // SAFETY: the handles are open or null.
    c_int::from(unsafe { layout::is(py(obj), py(other)) })
}

/// `HPy_FromPyObject`
pub(crate) unsafe extern "C" fn ctx_FromPyObject(
    _ctx: *mut HPyContext,
    obj: *mut cpy_PyObject,
) -> HPy {
    // SAFETY: null or an object that the caller has a reference to.
    unsafe { ffi::Py_XINCREF(obj.cast()) };
    hpy(obj.cast())
}

/// `HPy_AsPyObject`
pub(crate) unsafe extern "C" fn ctx_AsPyObject(_ctx: *mut HPyContext, h: HPy) -> *mut cpy_PyObject {
    // SAFETY: the handle is open or null.
    unsafe { ffi::Py_XINCREF(py(h)) };
    py(h).cast()
}

/// `_HPy_Dump`
///
/// Meant for debuggers, so it takes the interpreter lock itself and leaves the current exception
/// alone.
pub(crate) unsafe extern "C" fn ctx_Dump(_ctx: *mut HPyContext, h: HPy) {
    if h.is_null() {
        print("HPy_NULL\n");
        return;
    }
    // SAFETY: the handle is open; the exception that is put back is the one that was taken.
    unsafe {
        let lock = ffi::PyGILState_Ensure();
        let exception = Exception::take();
        dump(py(h));
        exception.put_back();
        ffi::PyGILState_Release(lock);
    }
}

/// # Safety
/// The interpreter is attached, no exception is set, the object is alive.
unsafe fn dump(object: *mut ffi::PyObject) {
    // SAFETY: the object is alive, so its type is; the text is read before its object is released.
    unsafe {
        let type_ = ffi::Py_TYPE(object);
        let references = layout::references(object).map(|count| count.to_string());
        print(&format!(
            "object address  : {object:p}\n\
             object refcount : {}\n\
             object type     : {type_:p}\n\
             object type name: {}\n\
             object repr     : ",
            references.as_deref().unwrap_or("unknown"),
            layout::full_name(type_).to_string_lossy(),
        ));
        let repr = ffi::PyObject_ASCII(object);
        print(text(repr).unwrap_or("(its repr raises an exception)"));
        print("\n");
        ffi::PyErr_Clear();
        ffi::Py_XDECREF(repr);
    }
}

/// # Safety
/// The argument is null or a str, which must live as long as the result is used.
unsafe fn text<'a>(string: *mut ffi::PyObject) -> Option<&'a str> {
    if string.is_null() {
        return None;
    }
    let mut length = 0;
    // SAFETY: a str, and the text belongs to it.
    let bytes = unsafe {
        let start: *const c_char = ffi::PyUnicode_AsUTF8AndSize(string, &raw mut length);
        if start.is_null() {
            return None;
        }
        slice::from_raw_parts(start.cast::<u8>(), length.unsigned_abs())
    };
    str::from_utf8(bytes).ok()
}

fn print(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
}
