//! Functions of the C API that GraalPy has, but with other results, under their names and with CPython's contracts.

#![allow(non_snake_case)]

use core::ffi::{CStr, c_char, c_int};
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::super::checked::{self, PyErr_SetString, require_call};

/// GraalPy's own takes text that is no UTF-8.
pub(crate) unsafe fn PyUnicode_FromString(text: *const c_char) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { ffi::PyUnicode_DecodeUTF8(text, length(text), ptr::null()) }
}

/// GraalPy's own puts a replacement character for a byte that is no UTF-8.
pub(crate) unsafe fn PyUnicode_DecodeFSDefaultAndSize(
    text: *const c_char,
    size: isize,
) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { ffi::PyUnicode_DecodeUTF8(text, size, c"surrogateescape".as_ptr()) }
}

/// The same of a C string.
pub(crate) unsafe fn PyUnicode_DecodeFSDefault(text: *const c_char) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { PyUnicode_DecodeFSDefaultAndSize(text, length(text)) }
}

/// What `encode` makes of a text, if it is one and the C API has no bytes for it: its exception has no words, the method's has.
unsafe fn encoded(
    bytes: *mut PyObject,
    text: *mut PyObject,
    encoding: &CStr,
    errors: &CStr,
) -> *mut PyObject {
    // SAFETY: the text is alive, and there are bytes or an exception.
    unsafe {
        if !bytes.is_null() || ffi::PyUnicode_Check(text) == 0 {
            return bytes;
        }
        ffi::PyErr_Clear();
        let (name, format) = (c"encode".as_ptr(), c"ss".as_ptr());
        ffi::PyObject_CallMethod(text, name, format, encoding.as_ptr(), errors.as_ptr())
    }
}

pub(crate) unsafe fn PyUnicode_AsASCIIString(text: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { encoded(ffi::PyUnicode_AsASCIIString(text), text, c"ascii", c"strict") }
}

pub(crate) unsafe fn PyUnicode_AsLatin1String(text: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { encoded(ffi::PyUnicode_AsLatin1String(text), text, c"latin-1", c"strict") }
}

pub(crate) unsafe fn PyUnicode_AsUTF8String(text: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { encoded(ffi::PyUnicode_AsUTF8String(text), text, c"utf-8", c"strict") }
}

/// GraalPy's own knows no surrogates that stand for bytes.
pub(crate) unsafe fn PyUnicode_EncodeFSDefault(text: *mut PyObject) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if ffi::PyUnicode_Check(text) == 0 {
            return checked::PyUnicode_EncodeFSDefault(text); // for its exception
        }
        encoded(ptr::null_mut(), text, c"utf-8", c"surrogateescape")
    }
}

pub(crate) unsafe fn PyUnicode_AsUTF8AndSize(
    text: *mut PyObject,
    size: *mut isize,
) -> *const c_char {
    // SAFETY: the contract is the same.
    unsafe {
        let utf8 = ffi::PyUnicode_AsUTF8AndSize(text, size);
        if utf8.is_null() {
            // Made for its exception.
            ffi::Py_XDECREF(encoded(ptr::null_mut(), text, c"utf-8", c"strict"));
        }
        utf8
    }
}

/// GraalPy's own makes an empty tuple for a negative size.
pub(crate) unsafe fn PyTuple_New(size: isize) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { if require_call(size >= 0) { ffi::PyTuple_New(size) } else { ptr::null_mut() } }
}

/// GraalPy's own takes each kind of source for a file. This is Python's `compile`.
pub(crate) unsafe fn Py_CompileString(
    source: *const c_char,
    filename: *const c_char,
    start: c_int,
) -> *mut PyObject {
    let mode = match start {
        ffi::Py_eval_input => c"eval",
        ffi::Py_single_input => c"single",
        _ => c"exec",
    };
    // SAFETY: the contract is the same; the builtin is borrowed, the file name goes to the call.
    unsafe {
        let filename = PyUnicode_DecodeFSDefault(filename);
        if filename.is_null() {
            return ptr::null_mut();
        }
        let compile = ffi::PyDict_GetItemString(ffi::PyEval_GetBuiltins(), c"compile".as_ptr());
        let format = c"yNs".as_ptr();
        ffi::PyObject_CallFunction(compile, format, source, filename, mode.as_ptr())
    }
}

/// GraalPy's own ends the name of the module at the first dot.
pub(crate) unsafe fn PyErr_NewException(
    name: *const c_char,
    base: *mut PyObject,
    dict: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { PyErr_NewExceptionWithDoc(name, ptr::null(), base, dict) }
}

/// The same with a documentation, which may be null.
pub(crate) unsafe fn PyErr_NewExceptionWithDoc(
    name: *const c_char,
    doc: *const c_char,
    base: *mut PyObject,
    dict: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same; what is made here is released here.
    unsafe {
        let dict = if dict.is_null() { ffi::PyDict_New() } else { ffi::Py_NewRef(dict) };
        let class = if dict.is_null() { dict } else { exception_class(name, doc, base, dict) };
        ffi::Py_XDECREF(dict);
        class
    }
}

/// The class of a name with a dot in it; null with an exception. `__module__` and `__doc__` are put into the dict.
unsafe fn exception_class(
    name: *const c_char,
    doc: *const c_char,
    base: *mut PyObject,
    dict: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the objects are alive, the documentation and the base may be null; the formats say what follows.
    unsafe {
        let Some(dot) = CStr::from_ptr(name).to_bytes().iter().rposition(|byte| *byte == b'.')
        else {
            let message = c"the name of an exception must be module.Name";
            PyErr_SetString(ffi::PyExc_SystemError, message.as_ptr());
            return ptr::null_mut();
        };
        let has_module = !ffi::PyDict_GetItemString(dict, c"__module__".as_ptr()).is_null();
        let module = || ffi::PyUnicode_DecodeUTF8(name, dot as isize, ptr::null());
        if !has_module && !set(dict, c"__module__", module()) {
            return ptr::null_mut();
        }
        if !doc.is_null() && !set(dict, c"__doc__", PyUnicode_FromString(doc)) {
            return ptr::null_mut();
        }
        let base = if base.is_null() { ffi::PyExc_Exception } else { base };
        let is_tuple = ffi::PyTuple_Check(base) != 0;
        let format = if is_tuple { c"NOO" } else { c"N(O)O" };
        let name = PyUnicode_FromString(name.add(dot + 1));
        if name.is_null() {
            return ptr::null_mut();
        }
        let r#type = (&raw mut ffi::PyType_Type).cast();
        ffi::PyObject_CallFunction(r#type, format.as_ptr(), name, base, dict)
    }
}

/// GraalPy's own writes its Python stack to standard output, and no message.
pub(crate) unsafe fn Py_FatalError(message: *const c_char) -> ! {
    // SAFETY: the contract is the same.
    let message = unsafe { CStr::from_ptr(message) };
    eprintln!("Fatal Python error: {}", message.to_string_lossy());
    std::process::abort()
}

/// Puts a new value into a dict, which takes it over; whether that worked, and the value is not null.
unsafe fn set(dict: *mut PyObject, key: &CStr, value: *mut PyObject) -> bool {
    // SAFETY: the dict is alive; the value is released here.
    unsafe {
        let set = !value.is_null() && ffi::PyDict_SetItemString(dict, key.as_ptr(), value) == 0;
        ffi::Py_XDECREF(value);
        set
    }
}

/// The number of bytes of a C string.
unsafe fn length(text: *const c_char) -> isize {
    // SAFETY: the caller has a C string.
    unsafe { CStr::from_ptr(text).count_bytes() as isize }
}
