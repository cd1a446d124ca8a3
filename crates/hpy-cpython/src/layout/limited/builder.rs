//! Builders: the items of a list or tuple to be, and what went wrong so far. The object is made by `Build`.
//!
//! A builder is the address of a [`Builder`], or 0 if there was no memory for one.

use std::vec::Drain;

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};
use hpy_host::builder_fault;
use pyo3_ffi as ffi;

use super::host;
use crate::error::raise;
use crate::handle::{hpy, py};

/// What was set so far.
struct Builder {
    /// Each owned, or null.
    items: Vec<*mut ffi::PyObject>,
    /// An item was set whose index is not within the size.
    outside: bool,
}

impl Drop for Builder {
    fn drop(&mut self) {
        for item in self.items.drain(..) {
            // SAFETY: the builder owns it, and the interpreter is attached in all its functions.
            unsafe { ffi::Py_XDECREF(item) };
        }
    }
}

/// A builder for `size` items; 0 if there is no memory for it.
fn start(size: isize) -> isize {
    let Ok(size) = usize::try_from(size) else { return 0 };
    let mut items = Vec::new();
    if items.try_reserve_exact(size).is_err() {
        return 0;
    }
    items.resize(size, core::ptr::null_mut());
    Box::into_raw(Box::new(Builder { items, outside: false })) as isize
}

/// # Safety
/// The builder is 0 or open; the handle is open or null.
unsafe fn set(builder: isize, index: isize, h_item: HPy) {
    // SAFETY: the caller's promise.
    let Some(builder) = (unsafe { (builder as *mut Builder).as_mut() }) else { return };
    let place = usize::try_from(index).ok().and_then(|index| builder.items.get_mut(index));
    let Some(place) = place else {
        builder.outside = true;
        return;
    };
    // SAFETY: the place is empty or owns what it holds.
    unsafe {
        ffi::Py_XINCREF(py(h_item));
        ffi::Py_XDECREF(core::mem::replace(place, py(h_item)));
    }
}

/// # Safety
/// The builder is 0 or open, and not used any more.
unsafe fn end(builder: isize) -> Option<Box<Builder>> {
    // SAFETY: the caller's promise.
    (builder != 0).then(|| unsafe { Box::from_raw(builder as *mut Builder) })
}

/// Makes the object, which `make` makes of the items.
///
/// # Safety
/// The builder is 0 or open, and not used any more.
unsafe fn build(
    builder: isize,
    name: &str,
    make: unsafe fn(Drain<'_, *mut ffi::PyObject>) -> *mut ffi::PyObject,
) -> HPy {
    // SAFETY: the caller's promise; the object takes the items over.
    unsafe {
        let Some(mut builder) = end(builder) else { return hpy(ffi::PyErr_NoMemory()) };
        let missing = builder.items.iter().position(|item| item.is_null());
        if builder.outside || missing.is_some() {
            explain(name, &builder, missing);
            return HPy::NULL;
        }
        hpy(make(builder.items.drain(..)))
    }
}

/// A tuple of items, whose references it takes over; null with an exception.
///
/// # Safety
/// The interpreter is attached, and the items are owned.
unsafe fn tuple_of(items: Drain<'_, *mut ffi::PyObject>) -> *mut ffi::PyObject {
    // SAFETY: as required; the tuple has a place for each.
    unsafe {
        let tuple = ffi::PyTuple_New(items.len() as isize);
        for (index, item) in items.enumerate() {
            if tuple.is_null() {
                ffi::Py_DECREF(item);
            } else {
                ffi::PyTuple_SetItem(tuple, index as isize, item);
            }
        }
        tuple
    }
}

/// Raises what went wrong before `Build`. An exception that is already set says why an item is missing, so it stays.
#[cold]
unsafe fn explain(name: &str, builder: &Builder, missing: Option<usize>) {
    let missing = missing.filter(|_| !builder.outside);
    let message = builder_fault(name, builder.items.len(), missing);
    // SAFETY: the interpreter is attached.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            raise(ffi::PyExc_SystemError, &message);
        }
    }
}

/// `HPyListBuilder_New`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyListBuilder {
    HPyListBuilder { _lst: start(size) }
}

/// `HPyListBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
    index: isize,
    h_item: HPy,
) {
    // SAFETY: the builder is 0 or open, the handle open or null.
    unsafe { set(builder._lst, index, h_item) };
}

/// `HPyListBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) -> HPy {
    // SAFETY: the builder is 0 or open.
    unsafe { build(builder._lst, "HPyListBuilder", host::list_of) }
}

/// `HPyListBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) {
    // SAFETY: the builder is 0 or open.
    drop(unsafe { end(builder._lst) });
}

/// `HPyTupleBuilder_New`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyTupleBuilder {
    HPyTupleBuilder { _tup: start(size) }
}

/// `HPyTupleBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
    index: isize,
    h_item: HPy,
) {
    // SAFETY: the builder is 0 or open, the handle open or null.
    unsafe { set(builder._tup, index, h_item) };
}

/// `HPyTupleBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) -> HPy {
    // SAFETY: the builder is 0 or open.
    unsafe { build(builder._tup, "HPyTupleBuilder", tuple_of) }
}

/// `HPyTupleBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) {
    // SAFETY: the builder is 0 or open.
    drop(unsafe { end(builder._tup) });
}
