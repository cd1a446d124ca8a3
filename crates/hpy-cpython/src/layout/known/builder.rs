//! Builders: a list or tuple that is filled before anybody else can see it.
//!
//! A builder is the address of the object under construction, or 0 if there was no memory for one.
//! Nothing but the builder refers to the object, and the collector does not know it, until it is
//! built.
//!
//! An error before that is kept for `Build`: an item that is missing is an empty place, and an
//! index outside the size is marked in the size itself, which then is the complement of the true
//! one, and so negative.

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};
use pyo3_ffi as ffi;

use super::objects::tuple_items;
use crate::error::raise;
use crate::handle::{hpy, py};

/// `HPyListBuilder_New`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyListBuilder {
    // SAFETY: the interpreter is attached.
    HPyListBuilder { _lst: unsafe { start(ffi::PyList_New(size)) } as isize }
}

/// `HPyListBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
    index: isize,
    h_item: HPy,
) {
    let list = builder._lst as *mut ffi::PyObject;
    // SAFETY: the builder is 0 or an unfinished list.
    unsafe {
        if !list.is_null() && has_place(list, index) {
            put(list_items(list).offset(index), py(h_item));
        }
    }
}

/// `HPyListBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) -> HPy {
    let list = builder._lst as *mut ffi::PyObject;
    // SAFETY: the builder is 0 or an unfinished list.
    unsafe {
        if list.is_null() {
            return no_memory();
        }
        finish(list, list_items(list), "HPyListBuilder")
    }
}

/// `HPyListBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) {
    // SAFETY: the builder is 0 or an unfinished list.
    unsafe { discard(builder._lst as *mut ffi::PyObject) };
}

/// `HPyTupleBuilder_New`
///
/// The empty tuple is a shared object that cannot be marked, so an empty list stands for it until
/// it is built.
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyTupleBuilder {
    // SAFETY: the interpreter is attached.
    let object =
        unsafe { start(if size == 0 { ffi::PyList_New(0) } else { ffi::PyTuple_New(size) }) };
    HPyTupleBuilder { _tup: object as isize }
}

/// `HPyTupleBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
    index: isize,
    h_item: HPy,
) {
    let tuple = builder._tup as *mut ffi::PyObject;
    // SAFETY: the builder is 0 or an unfinished tuple; the empty list has no place for any index.
    unsafe {
        if !tuple.is_null() && has_place(tuple, index) {
            put(tuple_items(tuple).offset(index), py(h_item));
        }
    }
}

/// `HPyTupleBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) -> HPy {
    let tuple = builder._tup as *mut ffi::PyObject;
    // SAFETY: the builder is 0 or an unfinished tuple, or the empty list, none of whose items are
    // read.
    unsafe {
        if tuple.is_null() {
            return no_memory();
        }
        if ffi::Py_SIZE(tuple) == 0 {
            discard(tuple);
            return hpy(ffi::PyTuple_New(0));
        }
        finish(tuple, tuple_items(tuple), "HPyTupleBuilder")
    }
}

/// `HPyTupleBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) {
    // SAFETY: the builder is 0 or an unfinished tuple, or the empty list.
    unsafe { discard(builder._tup as *mut ffi::PyObject) };
}

/// Hides a new object from the collector, or forgets the exception that there is none: `Build`
/// raises it.
///
/// # Safety
/// The object is null with an exception set, or a new list or tuple.
unsafe fn start(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: lists and tuples are known to the collector.
    unsafe {
        if object.is_null() {
            ffi::PyErr_Clear();
        } else {
            ffi::PyObject_GC_UnTrack(object.cast());
        }
    }
    object
}

/// Whether `index` is within the size; if not, the object is marked.
///
/// # Safety
/// An unfinished object.
#[inline]
unsafe fn has_place(object: *mut ffi::PyObject, index: isize) -> bool {
    // SAFETY: nobody else reads the size of an unfinished object.
    unsafe {
        let size = ffi::Py_SIZE(object);
        let inside = (0..size).contains(&index);
        if !inside && size >= 0 {
            set_size(object, !size);
        }
        inside
    }
}

/// # Safety
/// The place of an item of an unfinished object; an object or null.
#[inline]
unsafe fn put(place: *mut *mut ffi::PyObject, item: *mut ffi::PyObject) {
    // SAFETY: the place is empty or owns what it holds.
    unsafe {
        ffi::Py_XINCREF(item);
        ffi::Py_XDECREF(place.replace(item));
    }
}

/// Shows the object to the world if it is complete.
///
/// # Safety
/// An unfinished object and its items.
unsafe fn finish(
    object: *mut ffi::PyObject,
    items: *const *mut ffi::PyObject,
    builder: &str,
) -> HPy {
    // SAFETY: there are as many items as the size says, unless it is marked.
    unsafe {
        let size = ffi::Py_SIZE(object);
        let missing = (0..size).find(|&index| (*items.offset(index)).is_null());
        if size < 0 || missing.is_some() {
            explain(builder, size, missing);
            discard(object);
            return HPy::NULL;
        }
        ffi::PyObject_GC_Track(object.cast());
        hpy(object)
    }
}

/// # Safety
/// Null or an unfinished object, which is not used any more.
unsafe fn discard(object: *mut ffi::PyObject) {
    if object.is_null() {
        return;
    }
    // SAFETY: the object is ours, and has its true size when it is released.
    unsafe {
        let size = ffi::Py_SIZE(object);
        set_size(object, size.max(!size));
        ffi::Py_DECREF(object);
    }
}

/// # Safety
/// A list or tuple that nobody else sees.
unsafe fn set_size(object: *mut ffi::PyObject, size: isize) {
    // SAFETY: both are variable-sized objects.
    unsafe { (*object.cast::<ffi::PyVarObject>()).ob_size = size };
}

/// # Safety
/// A list.
unsafe fn list_items(list: *mut ffi::PyObject) -> *mut *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    unsafe { (*list.cast::<ffi::PyListObject>()).ob_item }
}

/// # Safety
/// The interpreter is attached.
#[cold]
unsafe fn no_memory() -> HPy {
    // SAFETY: the caller's promise.
    hpy(unsafe { ffi::PyErr_NoMemory() })
}

/// Raises what went wrong before `Build`. An exception that is already set says why an item is
/// missing, so it stays.
///
/// # Safety
/// The interpreter is attached.
#[cold]
unsafe fn explain(builder: &str, size: isize, missing: Option<isize>) {
    let message = match missing {
        Some(index) => {
            format!("{builder}_Build: item {index} was never set, or was set to HPy_NULL")
        }
        None => format!(
            "{builder}_Set was given an index that is not from 0 to size - 1; the size is {}",
            !size
        ),
    };
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            raise(ffi::PyExc_SystemError, &message);
        }
    }
}
