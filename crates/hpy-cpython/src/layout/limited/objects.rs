//! Items and sizes of objects.

use core::ffi::c_int;

use hpy_abi::HPy;
use pyo3_ffi as ffi;

use crate::handle::hpy;

/// The length of an exact list or tuple, where it is read faster than any length is.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn items_length(_object: *mut ffi::PyObject) -> Option<isize> {
    None
}

/// The item `index` of an exact list or tuple, if it has it, as a new reference.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn item(object: *mut ffi::PyObject, index: isize) -> Option<*mut ffi::PyObject> {
    // SAFETY: the item is borrowed from the object, and there is none at places that were never set.
    unsafe {
        let item = if ffi::PyList_CheckExact(object) != 0 {
            if !(0..ffi::PyList_Size(object)).contains(&index) {
                return None;
            }
            ffi::PyList_GetItem(object, index)
        } else if ffi::PyTuple_CheckExact(object) != 0 {
            if !(0..ffi::PyTuple_Size(object)).contains(&index) {
                return None;
            }
            ffi::PyTuple_GetItem(object, index)
        } else {
            return None;
        };
        ffi::Py_XINCREF(item);
        Some(item)
    }
}

/// Sets the item `index` of an exact list, if it has it. The item may be null before: a list is made with empty items.
///
/// # Safety
/// The objects are alive.
pub(crate) unsafe fn set_item(
    object: *mut ffi::PyObject,
    index: isize,
    value: *mut ffi::PyObject,
) -> Option<c_int> {
    // SAFETY: the function takes over a reference.
    unsafe {
        if value.is_null()
            || ffi::PyList_CheckExact(object) == 0
            || !(0..ffi::PyList_Size(object)).contains(&index)
        {
            return None;
        }
        ffi::Py_INCREF(value);
        Some(ffi::PyList_SetItem(object, index, value))
    }
}

/// As many items are handed over without allocating.
const FEW: usize = 8;

/// Hands the items of a tuple to `use_`, as an array of handles and their number.
///
/// # Safety
/// The object is a tuple, and alive while `use_` runs.
pub(crate) unsafe fn with_items<R>(
    tuple: *mut ffi::PyObject,
    use_: impl FnOnce(*const HPy, isize) -> R,
) -> R {
    // SAFETY: the items are borrowed from the tuple.
    let (size, item) = unsafe {
        (ffi::PyTuple_Size(tuple), |index: usize| hpy(ffi::PyTuple_GetItem(tuple, index as isize)))
    };
    let mut few = [HPy::NULL; FEW];
    if size as usize <= FEW {
        for (index, place) in few[..size as usize].iter_mut().enumerate() {
            *place = item(index);
        }
        return use_(few.as_ptr(), size);
    }
    let many: Vec<HPy> = (0..size as usize).map(item).collect();
    use_(many.as_ptr(), size)
}

/// The number of items of an object of the shape Tuple: none, if it is no tuple.
///
/// # Safety
/// The object is alive, or dead and in one piece.
pub(crate) unsafe fn tuple_length(object: *mut ffi::PyObject) -> usize {
    // SAFETY: the caller's promise.
    unsafe { if ffi::PyTuple_Check(object) == 0 { 0 } else { ffi::PyTuple_Size(object) as usize } }
}

/// The number of bytes of a `bytes` object.
///
/// # Safety
/// The object is a `bytes`.
pub(crate) unsafe fn bytes_size(object: *mut ffi::PyObject) -> isize {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyBytes_Size(object) }
}
