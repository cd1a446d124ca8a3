//! Length; items by key, by index or by C string.
//!
//! `HPy_GetItem_i(obj, i)` is `obj[i]`, whatever `obj` is. Exact lists and tuples with a
//! non-negative index are served without making an `int`. C strings are names, see [`crate::names`].

use core::ffi::{c_char, c_int};

use hpy_abi::{HPy, HPyContext};
use pyo3_ffi as ffi;

use crate::handle::{hpy, py};
use crate::layout;
use crate::load::Load;

/// `HPy_Length`
pub(crate) unsafe extern "C" fn ctx_Length(_ctx: *mut HPyContext, h: HPy) -> isize {
    let object = py(h);
    // SAFETY: the handle is open.
    unsafe {
        let short = layout::items_length(object).or_else(|| layout::length(object));
        short.unwrap_or_else(|| ffi::PyObject_Length(object))
    }
}

/// `HPy_GetItem`
///
/// The value of a `str` in a dict is read at once. A missing key goes the long way, which looks again
/// and raises the exception.
pub(crate) unsafe extern "C" fn ctx_GetItem(_ctx: *mut HPyContext, obj: HPy, key: HPy) -> HPy {
    let (object, name) = (py(obj), py(key));
    // SAFETY: the handles are open; the borrowed value is alive, because no other thread can remove it
    // before it has a reference of ours.
    unsafe {
        if !cfg!(Py_GIL_DISABLED)
            && ffi::PyDict_CheckExact(object) != 0
            && ffi::PyUnicode_CheckExact(name) != 0
        {
            let value = ffi::PyDict_GetItemWithError(object, name);
            if !value.is_null() {
                ffi::Py_INCREF(value);
                return hpy(value);
            }
            ffi::PyErr_Clear();
        }
        hpy(ffi::PyObject_GetItem(object, name))
    }
}

/// `HPy_GetItem_i`
pub(crate) unsafe extern "C" fn ctx_GetItem_i(_ctx: *mut HPyContext, obj: HPy, idx: isize) -> HPy {
    let object = py(obj);
    // SAFETY: the handle is open.
    unsafe { layout::item(object, idx).map_or_else(|| get_item_by_key(object, idx), hpy) }
}

/// `HPy_SetItem`
pub(crate) unsafe extern "C" fn ctx_SetItem(
    _ctx: *mut HPyContext,
    obj: HPy,
    key: HPy,
    value: HPy,
) -> c_int {
    let (object, key, value) = (py(obj), py(key), py(value));
    // SAFETY: the handles are open.
    unsafe {
        layout::set_dict_item(object, key, value)
            .unwrap_or_else(|| ffi::PyObject_SetItem(object, key, value))
    }
}

/// `HPy_SetItem_i`
pub(crate) unsafe extern "C" fn ctx_SetItem_i(
    _ctx: *mut HPyContext,
    obj: HPy,
    idx: isize,
    value: HPy,
) -> c_int {
    let (object, value) = (py(obj), py(value));
    // SAFETY: the handles are open.
    unsafe {
        layout::set_item(object, idx, value).unwrap_or_else(|| set_item_by_key(object, idx, value))
    }
}

/// `HPy_DelItem_i`
pub(crate) unsafe extern "C" fn ctx_DelItem_i(
    _ctx: *mut HPyContext,
    obj: HPy,
    idx: isize,
) -> c_int {
    // SAFETY: the handle is open.
    unsafe { with_key(idx, -1, |key| ffi::PyObject_DelItem(py(obj), key)) }
}

/// `HPy_GetItem_s`
pub(crate) unsafe extern "C" fn ctx_GetItem_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_key: *const c_char,
) -> HPy {
    // SAFETY: the handle is open, the key a C string.
    unsafe { with_name(ctx, utf8_key, HPy::NULL, |key| hpy(ffi::PyObject_GetItem(py(obj), key))) }
}

/// `HPy_SetItem_s`
pub(crate) unsafe extern "C" fn ctx_SetItem_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_key: *const c_char,
    value: HPy,
) -> c_int {
    // SAFETY: the handles are open, the key is a C string.
    unsafe { with_name(ctx, utf8_key, -1, |key| ffi::PyObject_SetItem(py(obj), key, py(value))) }
}

/// `HPy_DelItem_s`
pub(crate) unsafe extern "C" fn ctx_DelItem_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_key: *const c_char,
) -> c_int {
    // SAFETY: the handle is open, the key a C string.
    unsafe { with_name(ctx, utf8_key, -1, |key| ffi::PyObject_DelItem(py(obj), key)) }
}

/// `HPy_GetAttr_s`
pub(crate) unsafe extern "C" fn ctx_GetAttr_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_name: *const c_char,
) -> HPy {
    // SAFETY: the handle is open, the name a C string.
    unsafe {
        with_name(ctx, utf8_name, HPy::NULL, |name| hpy(ffi::PyObject_GetAttr(py(obj), name)))
    }
}

/// `HPy_HasAttr_s`
pub(crate) unsafe extern "C" fn ctx_HasAttr_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_name: *const c_char,
) -> c_int {
    // SAFETY: the handle is open, the name a C string. Names that cannot be made are no attributes.
    unsafe {
        let name = Load::of(ctx).names.get(utf8_name);
        if name.object().is_null() {
            ffi::PyErr_Clear();
            return 0;
        }
        ffi::PyObject_HasAttr(py(obj), name.object())
    }
}

/// `HPy_SetAttr_s`
pub(crate) unsafe extern "C" fn ctx_SetAttr_s(
    ctx: *mut HPyContext,
    obj: HPy,
    utf8_name: *const c_char,
    value: HPy,
) -> c_int {
    // SAFETY: the handles are open, the value may be null, the name is a C string.
    unsafe { with_name(ctx, utf8_name, -1, |name| ffi::PyObject_SetAttr(py(obj), name, py(value))) }
}

/// Does something with a C string as a `str`; `failure` if there is none.
///
/// # Safety
/// The context is that of a load whose interpreter is attached, and the text a C string.
#[inline(always)]
unsafe fn with_name<T>(
    ctx: *mut HPyContext,
    text: *const c_char,
    failure: T,
    action: impl FnOnce(*mut ffi::PyObject) -> T,
) -> T {
    // SAFETY: the caller's promise.
    let name = unsafe { Load::of(ctx).names.get(text) };
    if name.object().is_null() { failure } else { action(name.object()) }
}

/// # Safety
/// The interpreter is attached and the object alive.
#[cold]
unsafe fn get_item_by_key(object: *mut ffi::PyObject, index: isize) -> HPy {
    // SAFETY: the caller's promise.
    unsafe { with_key(index, HPy::NULL, |key| hpy(ffi::PyObject_GetItem(object, key))) }
}

/// # Safety
/// The interpreter is attached and the objects are alive.
#[cold]
unsafe fn set_item_by_key(
    object: *mut ffi::PyObject,
    index: isize,
    value: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with_key(index, -1, |key| ffi::PyObject_SetItem(object, key, value)) }
}

/// Does something with the index as an `int`; `failure` if there is no memory for one.
///
/// # Safety
/// The interpreter is attached.
unsafe fn with_key<T>(index: isize, failure: T, action: impl FnOnce(*mut ffi::PyObject) -> T) -> T {
    // SAFETY: the key is ours from its creation to its release.
    unsafe {
        let key = ffi::PyLong_FromSsize_t(index);
        if key.is_null() {
            return failure;
        }
        let result = action(key);
        ffi::Py_DECREF(key);
        result
    }
}
