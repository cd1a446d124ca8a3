//! Items and sizes of objects.

#[cfg(not(Py_GIL_DISABLED))]
use core::ffi::c_char;
use core::ffi::c_int;

use hpy_abi::HPy;
use pyo3_ffi as ffi;

/// How many references there are to an object, where C code can see that.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn references(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: the caller's promise.
    Some(unsafe { ffi::Py_REFCNT(object) } as isize)
}

/// A new reference to the `str` of a name, the one that the interpreter's caches look for; null with an exception.
///
/// # Safety
/// `text` is a C string, and the interpreter is attached.
#[cfg(not(Py_GIL_DISABLED))]
pub(crate) unsafe fn new_name(text: *const c_char) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe { ffi::PyUnicode_InternFromString(text) }
}

/// Whether two references are to one object.
///
/// # Safety
/// The objects are alive, or null.
#[inline(always)]
pub(crate) unsafe fn is(first: *mut ffi::PyObject, second: *mut ffi::PyObject) -> bool {
    first == second
}

/// The length of an exact list or tuple. In free-threaded builds, other threads may be changing it.
///
/// # Safety
/// The object is alive.
#[inline(always)]
pub(crate) unsafe fn items_length(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: both keep their size where every variable-sized object does.
    unsafe {
        let has_items = ffi::PyList_CheckExact(object) != 0 || ffi::PyTuple_CheckExact(object) != 0;
        (!cfg!(Py_GIL_DISABLED) && has_items).then(|| ffi::Py_SIZE(object))
    }
}

/// The item `index` of an exact list or tuple, if it has it, as a new reference.
///
/// # Safety
/// The object is alive.
#[inline(always)]
pub(crate) unsafe fn item(object: *mut ffi::PyObject, index: isize) -> Option<*mut ffi::PyObject> {
    // SAFETY: the place is one of the object's; its item is not null, because lists are not shown to anybody before they are full.
    unsafe {
        let item = *list_slot(object, index).or_else(|| tuple_slot(object, index))?;
        ffi::Py_INCREF(item);
        Some(item)
    }
}

/// Sets the item `index` of an exact list, if it has it. The item may be null before: a list is made with empty items.
///
/// # Safety
/// The objects are alive.
#[inline(always)]
pub(crate) unsafe fn set_item(
    object: *mut ffi::PyObject,
    index: isize,
    value: *mut ffi::PyObject,
) -> Option<c_int> {
    // SAFETY: an item is written only within the size of an exact list.
    unsafe {
        #[cfg(Py_GIL_DISABLED)]
        if ffi::PyList_CheckExact(object) != 0
            && (0..ffi::PyList_Size(object)).contains(&index)
            && !value.is_null()
        {
            ffi::Py_INCREF(value);
            return Some(ffi::PyList_SetItem(object, index, value));
        }
        let slot = list_slot(object, index)?;
        ffi::Py_INCREF(value);
        ffi::Py_XDECREF(slot.replace(value));
        Some(0)
    }
}

/// Where an exact list keeps the item `index`, if it has it.
///
/// Not in free-threaded builds, where other threads may resize the list meanwhile.
///
/// # Safety
/// The object is alive. The place is valid until the list is changed.
#[inline(always)]
unsafe fn list_slot(object: *mut ffi::PyObject, index: isize) -> Option<*mut *mut ffi::PyObject> {
    // SAFETY: an exact list has the layout of one, and as many items as its size says.
    unsafe {
        if cfg!(Py_GIL_DISABLED)
            || ffi::PyList_CheckExact(object) == 0
            || index as usize >= ffi::Py_SIZE(object) as usize
        {
            return None;
        }
        Some((*object.cast::<ffi::PyListObject>()).ob_item.offset(index))
    }
}

/// Where an exact tuple keeps the item `index`, if it has it.
///
/// # Safety
/// The object is alive. The place is valid as long as it is.
#[inline(always)]
unsafe fn tuple_slot(object: *mut ffi::PyObject, index: isize) -> Option<*mut *mut ffi::PyObject> {
    // SAFETY: an exact tuple has the layout of one, and as many items as its size says.
    unsafe {
        if ffi::PyTuple_CheckExact(object) == 0 || index as usize >= ffi::Py_SIZE(object) as usize {
            return None;
        }
        Some(tuple_items(object).offset(index))
    }
}

/// Where a tuple has its items.
#[inline(always)]
pub(super) fn tuple_items(tuple: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
    let offset = core::mem::offset_of!(ffi::PyTupleObject, ob_item);
    tuple.wrapping_byte_add(offset).cast()
}

/// Hands the items of a tuple to `use_`, as an array of handles and their number.
///
/// # Safety
/// The object is a tuple, and alive while `use_` runs.
#[inline(always)]
pub(crate) unsafe fn with_items<R>(
    tuple: *mut ffi::PyObject,
    use_: impl FnOnce(*const HPy, isize) -> R,
) -> R {
    // SAFETY: the items lie behind each other, and a handle is an address.
    unsafe { use_(tuple_items(tuple).cast(), ffi::Py_SIZE(tuple)) }
}

/// The number of items of an object of the shape Tuple: none, if it is no tuple.
///
/// # Safety
/// The object is a tuple, or its type has the layout of one.
#[inline(always)]
pub(crate) unsafe fn tuple_length(object: *mut ffi::PyObject) -> usize {
    // SAFETY: the place of the size is zero in what is no tuple.
    unsafe { ffi::Py_SIZE(object).unsigned_abs() }
}

/// The number of bytes of a `bytes` object.
///
/// # Safety
/// The object is a `bytes`.
pub(crate) unsafe fn bytes_size(object: *mut ffi::PyObject) -> isize {
    // SAFETY: it is a variable-sized object.
    unsafe { ffi::Py_SIZE(object) }
}
