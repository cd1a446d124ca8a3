//! There are no shorter ways than the functions.

use core::ffi::{c_char, c_int};

use pyo3_ffi as ffi;

/// `len()` of an object.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn length(_object: *mut ffi::PyObject) -> Option<isize> {
    None
}

/// `object[key] = value` of a dict.
///
/// # Safety
/// The objects are alive.
pub(crate) unsafe fn set_dict_item(
    _object: *mut ffi::PyObject,
    _key: *mut ffi::PyObject,
    _value: *mut ffi::PyObject,
) -> Option<c_int> {
    None
}

/// Puts an item at the end of a list that has room for more than it holds; whether it did.
///
/// # Safety
/// The objects are alive.
pub(crate) unsafe fn append(_object: *mut ffi::PyObject, _item: *mut ffi::PyObject) -> bool {
    false
}

/// Whether it shows at once that a type is directly below `object`, and has no other base.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn is_below_object(_ty: *mut ffi::PyTypeObject) -> bool {
    false
}

/// The text of a str of ASCII characters.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn ascii(_object: *mut ffi::PyObject) -> Option<(*const c_char, isize)> {
    None
}

/// A str of ASCII characters.
///
/// # Safety
/// The interpreter is attached, and there are as many characters.
pub(crate) unsafe fn from_ascii(_text: *const c_char, _size: usize) -> Option<*mut ffi::PyObject> {
    None
}
