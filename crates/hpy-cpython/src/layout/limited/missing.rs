//! Functions of the C API that the limited API of 3.10 lacks, under their names and with their contracts.

#![allow(non_snake_case)]

use core::ffi::{c_char, c_int};
use core::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::host;
use super::lookup::lookups;
use crate::handle::new_ref;
use crate::types::construct::keywords;

lookups! {
    // Limited since 3.12.
    vectorcall: "PyObject_Vectorcall" = fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;
    vectorcall_method: "PyObject_VectorcallMethod" = fn(*mut PyObject, *const *mut PyObject, usize, *mut PyObject) -> *mut PyObject;
    // Not limited; there since 3.4.
    is_attached: "PyGILState_Check" = fn() -> c_int;
}

pub(crate) const PY_VECTORCALL_ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

pub(crate) const fn PyVectorcall_NARGS(nargsf: usize) -> isize {
    (nargsf & !PY_VECTORCALL_ARGUMENTS_OFFSET) as isize
}

pub(crate) unsafe fn PyTuple_GET_SIZE(tuple: *mut PyObject) -> isize {
    // SAFETY: the contract is the same.
    unsafe { ffi::PyTuple_Size(tuple) }
}

pub(crate) unsafe fn PyTuple_GET_ITEM(tuple: *mut PyObject, index: isize) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe { ffi::PyTuple_GetItem(tuple, index) }
}

pub(crate) unsafe fn PyTuple_SET_ITEM(tuple: *mut PyObject, index: isize, item: *mut PyObject) {
    // SAFETY: the contract is the same; the tuple is new and has the place.
    unsafe { ffi::PyTuple_SetItem(tuple, index, item) };
}

pub(crate) unsafe fn PyBytes_AS_STRING(bytes: *mut PyObject) -> *mut c_char {
    // SAFETY: the contract is the same.
    unsafe { ffi::PyBytes_AsString(bytes) }
}

/// PyPy does not export it.
pub(crate) unsafe fn PyModule_SetDocString(module: *mut PyObject, doc: *const c_char) -> c_int {
    // SAFETY: the contract is the same; the text is released here.
    unsafe {
        let doc = ffi::PyUnicode_FromString(doc);
        if doc.is_null() {
            return -1;
        }
        let result = ffi::PyObject_SetAttrString(module, c"__doc__".as_ptr(), doc);
        ffi::Py_DECREF(doc);
        result
    }
}

/// Where it cannot be asked, the thread is taken for attached.
pub(crate) unsafe fn PyGILState_Check() -> c_int {
    // SAFETY: it may be asked at any time.
    is_attached().map_or(1, |function| unsafe { function() })
}

pub(crate) unsafe fn PyObject_CallFinalizerFromDealloc(object: *mut PyObject) -> c_int {
    // SAFETY: the contract is the same.
    unsafe { host::finalize(object) }
}

pub(crate) unsafe fn PyObject_Vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same; what is made here is released here.
    unsafe {
        if let Some(function) = vectorcall() {
            return function(callable, args, nargsf, names);
        }
        let nargs = PyVectorcall_NARGS(nargsf);
        let tuple = tuple_of(args, nargs);
        let keywords = keywords(args.wrapping_offset(nargs), names);
        let mut result = ptr::null_mut();
        if !tuple.is_null() && (names.is_null() || !keywords.is_null()) {
            result = ffi::PyObject_Call(callable, tuple, keywords);
        }
        ffi::Py_XDECREF(keywords);
        ffi::Py_XDECREF(tuple);
        result
    }
}

pub(crate) unsafe fn PyObject_VectorcallMethod(
    name: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same: the first argument is the receiver.
    unsafe {
        if let Some(function) = vectorcall_method() {
            return function(name, args, nargsf, names);
        }
        let method = ffi::PyObject_GetAttr(*args, name);
        if method.is_null() {
            return ptr::null_mut();
        }
        let nargs = PyVectorcall_NARGS(nargsf) as usize - 1;
        let result = PyObject_Vectorcall(method, args.add(1), nargs, names);
        ffi::Py_DECREF(method);
        result
    }
}

pub(crate) unsafe fn PyObject_VectorcallDict(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    keywords: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same; the tuple is released here.
    unsafe {
        let tuple = tuple_of(args, PyVectorcall_NARGS(nargsf));
        if tuple.is_null() {
            return ptr::null_mut();
        }
        let result = ffi::PyObject_Call(callable, tuple, keywords);
        ffi::Py_DECREF(tuple);
        result
    }
}

/// A new tuple of the arguments, or null with an exception.
unsafe fn tuple_of(args: *const *mut PyObject, nargs: isize) -> *mut PyObject {
    // SAFETY: there are as many arguments, and the tuple has a place for each.
    unsafe {
        let tuple = ffi::PyTuple_New(nargs);
        if !tuple.is_null() {
            for index in 0..nargs {
                ffi::PyTuple_SetItem(tuple, index, new_ref(*args.offset(index)));
            }
        }
        tuple
    }
}

/*
 * Context variables, by the methods that Python code uses.
 */

/// The class of context variables, as a new reference; null with an exception.
unsafe fn context_var_type() -> *mut PyObject {
    // SAFETY: the interpreter is attached.
    unsafe {
        let module = ffi::PyImport_ImportModule(c"contextvars".as_ptr());
        if module.is_null() {
            return ptr::null_mut();
        }
        let class = get_attribute(module, c"ContextVar");
        ffi::Py_DECREF(module);
        class
    }
}

/// Whether the object is a context variable; if not, with an exception.
unsafe fn check_context_var(object: *mut PyObject) -> bool {
    // SAFETY: the object is alive.
    unsafe {
        let class = context_var_type();
        if class.is_null() {
            return false;
        }
        let result = ffi::PyObject_IsInstance(object, class);
        ffi::Py_DECREF(class);
        if result == 0 {
            let message = c"an instance of ContextVar was expected";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr());
        }
        result > 0
    }
}

pub(crate) unsafe fn PyContextVar_New(
    name: *const c_char,
    default: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same; what is made here is released here.
    unsafe {
        let class = context_var_type();
        let keywords = ffi::PyDict_New();
        let mut result = ptr::null_mut();
        if !class.is_null()
            && !keywords.is_null()
            && (default.is_null()
                || ffi::PyDict_SetItemString(keywords, c"default".as_ptr(), default) == 0)
        {
            let name = host::new_name(name);
            if !name.is_null() {
                result = PyObject_VectorcallDict(class, &raw const name, 1, keywords);
                ffi::Py_DECREF(name);
            }
        }
        ffi::Py_XDECREF(keywords);
        ffi::Py_XDECREF(class);
        result
    }
}

/// An attribute as a new reference, or null with an exception. The name is the same object each time: CPython's cache of attributes
/// keeps the names that it was asked for.
pub(super) unsafe fn get_attribute(object: *mut PyObject, name: &core::ffi::CStr) -> *mut PyObject {
    // SAFETY: the object is alive; the name is released here.
    unsafe {
        let name = host::new_name(name.as_ptr());
        if name.is_null() {
            return ptr::null_mut();
        }
        let attribute = ffi::PyObject_GetAttr(object, name);
        ffi::Py_DECREF(name);
        attribute
    }
}

/// Calls a method with an argument, or with none.
pub(super) unsafe fn call_method(
    object: *mut PyObject,
    name: &core::ffi::CStr,
    argument: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the objects are alive, the argument may be null.
    unsafe {
        let method = get_attribute(object, name);
        if method.is_null() {
            return ptr::null_mut();
        }
        let count = usize::from(!argument.is_null());
        let result = PyObject_Vectorcall(method, &raw const argument, count, ptr::null_mut());
        ffi::Py_DECREF(method);
        result
    }
}

pub(crate) unsafe fn PyContextVar_Set(
    variable: *mut PyObject,
    value: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the contract is the same.
    unsafe {
        if !check_context_var(variable) {
            return ptr::null_mut();
        }
        call_method(variable, c"set", value)
    }
}

/// Without a default of the caller and of the variable, a missing value is no error.
pub(crate) unsafe fn PyContextVar_Get(
    variable: *mut PyObject,
    default: *mut PyObject,
    value: *mut *mut PyObject,
) -> c_int {
    // SAFETY: the contract is the same.
    unsafe {
        *value = ptr::null_mut();
        if !check_context_var(variable) {
            return -1;
        }
        *value = call_method(variable, c"get", default);
        if !(*value).is_null() {
            return 0;
        }
        if default.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_LookupError) != 0 {
            ffi::PyErr_Clear();
            return 0;
        }
        -1
    }
}
