//! Builders: a list or tuple that is filled before anybody else can see its items.
//!
//! A builder is an object under construction, or 0 if there was no memory for one. Nothing but the builder refers to it; who asks the
//! garbage collector for all objects finds it empty, because its size is 0 until it is built. A list keeps the true size in `allocated`.
//! A tuple has no other place for it, so a small one has it in the lowest bits of the builder, which are zero in an address; of others
//! a list is made first.
//!
//! An error before that is kept for `Build`: an item that is missing is an empty place, and an index outside the size makes the size -1.

use core::ptr;

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};
use hpy_host::builder_fault;
use pyo3_ffi as ffi;

use super::keep::is_tracked;
use super::objects::tuple_items;
use crate::error::raise;
use crate::handle::{hpy, py};

/// The bits of a tuple's builder that are its size.
const SIZE: usize = 0b1111;

/// A list or tuple under construction.
#[derive(Clone, Copy)]
struct Unfinished {
    object: *mut ffi::PyObject,
    items: *mut *mut ffi::PyObject,
    size: usize,
}

impl Unfinished {
    /// # Safety
    /// An unfinished list.
    #[inline(always)]
    unsafe fn list(object: *mut ffi::PyObject) -> Self {
        // SAFETY: it has room for as many items as it says.
        unsafe {
            let list = object.cast::<ffi::PyListObject>();
            Self { object, items: (*list).ob_item, size: (*list).allocated as usize }
        }
    }

    /// That of a builder which has a small tuple; else its size is 0.
    #[inline(always)]
    fn small_tuple(builder: HPyTupleBuilder) -> Self {
        let size = builder._tup as usize & SIZE;
        let object = (builder._tup as usize & !SIZE) as *mut ffi::PyObject;
        Self { object, items: tuple_items(object), size }
    }

    /// Puts an item into its place; false if there is none.
    ///
    /// # Safety
    /// An object or null.
    #[inline(always)]
    unsafe fn put(self, index: isize, item: *mut ffi::PyObject) -> bool {
        if index as usize >= self.size {
            return false;
        }
        // SAFETY: the place is empty or owns what it holds.
        unsafe {
            ffi::Py_XINCREF(item);
            ffi::Py_XDECREF(ptr::replace(self.items.offset(index), item));
        }
        true
    }

    /// Remembers that there was an index outside the size.
    unsafe fn mark(self) {
        // SAFETY: the caller has an unfinished object.
        unsafe { set_size(self.object, -1) };
    }

    /// How many items there are before the first that is missing.
    #[inline(always)]
    unsafe fn count_set(self) -> usize {
        // SAFETY: there are as many places.
        unsafe { (0..self.size).find(|&at| (*self.items.add(at)).is_null()).unwrap_or(self.size) }
    }

    /// Shows the object to the world if it is complete; else it is discarded, and the result is null with an exception.
    #[inline(always)]
    unsafe fn finish(self, builder: &'static str) -> *mut ffi::PyObject {
        // SAFETY: the caller has an unfinished object.
        unsafe {
            if ffi::Py_SIZE(self.object) != 0 || self.count_set() != self.size {
                return fail(self.object, self.items, self.size, builder);
            }
            set_size(self.object, self.size as isize);
        }
        self.object
    }

    unsafe fn explain(self, builder: &str) -> String {
        // SAFETY: the caller has an unfinished object.
        unsafe {
            let missing = (ffi::Py_SIZE(self.object) == 0).then(|| self.count_set());
            builder_fault(builder, self.size, missing)
        }
    }

    unsafe fn discard(self) {
        // SAFETY: the object is ours, and has its true size when it is released.
        unsafe {
            set_size(self.object, self.size as isize);
            ffi::Py_DECREF(self.object);
        }
    }
}

/// Raises what went wrong before `Build`. An exception that is already set says why an item is missing, so it stays.
///
/// # Safety
/// An unfinished object, as single values: the struct would be written into memory for each object that does not fail.
#[cold]
#[inline(never)]
unsafe fn fail(
    object: *mut ffi::PyObject,
    items: *mut *mut ffi::PyObject,
    size: usize,
    builder: &str,
) -> *mut ffi::PyObject {
    let unfinished = Unfinished { object, items, size };
    // SAFETY: as required; the interpreter is attached.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            raise(ffi::PyExc_SystemError, &unfinished.explain(builder));
        }
        unfinished.discard();
    }
    ptr::null_mut()
}

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
    // SAFETY: the builder is 0 or an unfinished list; the handle is open or null.
    unsafe {
        if !list.is_null() && !Unfinished::list(list).put(index, py(h_item)) {
            Unfinished::list(list).mark();
        }
    }
}

/// `HPyListBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) -> HPy {
    // SAFETY: the builder is 0 or an unfinished list.
    hpy(unsafe { build_list(builder._lst as *mut ffi::PyObject, "HPyListBuilder") })
}

/// `HPyListBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) {
    let list = builder._lst as *mut ffi::PyObject;
    // SAFETY: the builder is 0 or an unfinished list.
    unsafe {
        if !list.is_null() {
            Unfinished::list(list).discard();
        }
    }
}

/// `HPyTupleBuilder_New`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyTupleBuilder {
    // SAFETY: the interpreter is attached.
    unsafe {
        if !(1..=SIZE as isize).contains(&size) {
            return HPyTupleBuilder { _tup: start(ffi::PyList_New(size)) as isize };
        }
        let tuple = start(ffi::PyTuple_New(size));
        HPyTupleBuilder { _tup: if tuple.is_null() { 0 } else { tuple as isize | size } }
    }
}

/// `HPyTupleBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Set(
    ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
    index: isize,
    h_item: HPy,
) {
    let tuple = Unfinished::small_tuple(builder);
    // SAFETY: the builder is 0 or an unfinished object; the handle is open or null.
    unsafe {
        if tuple.put(index, py(h_item)) {
            return;
        }
        match tuple.size {
            0 => ctx_ListBuilder_Set(ctx, HPyListBuilder { _lst: builder._tup }, index, h_item),
            _ => tuple.mark(),
        }
    }
}

/// `HPyTupleBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) -> HPy {
    let tuple = Unfinished::small_tuple(builder);
    // SAFETY: the builder is 0 or an unfinished object.
    unsafe {
        if tuple.size == 0 {
            return build_from_list(builder._tup as *mut ffi::PyObject);
        }
        let made = tuple.finish("HPyTupleBuilder");
        // The collector forgets tuples that it finds empty.
        if !made.is_null() && !is_tracked(made) {
            ffi::PyObject_GC_Track(made.cast());
        }
        hpy(made)
    }
}

/// `HPyTupleBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Cancel(
    ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) {
    let tuple = Unfinished::small_tuple(builder);
    // SAFETY: the builder is 0 or an unfinished object.
    unsafe {
        match tuple.size {
            0 => ctx_ListBuilder_Cancel(ctx, HPyListBuilder { _lst: builder._tup }),
            _ => tuple.discard(),
        }
    }
}

/// Hides the items of a new object, or forgets the exception that there is none: `Build` raises it.
///
/// # Safety
/// The object is null with an exception set, or a new list or tuple.
#[inline(always)]
unsafe fn start(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe {
        if object.is_null() {
            ffi::PyErr_Clear();
        } else {
            set_size(object, 0);
        }
    }
    object
}

/// The finished list.
///
/// # Safety
/// Null or an unfinished list.
#[inline(always)]
unsafe fn build_list(list: *mut ffi::PyObject, builder: &'static str) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe {
        if list.is_null() { ffi::PyErr_NoMemory() } else { Unfinished::list(list).finish(builder) }
    }
}

/// The tuple of a builder that has a list.
///
/// # Safety
/// Null or an unfinished list.
#[cold]
#[inline(never)]
unsafe fn build_from_list(list: *mut ffi::PyObject) -> HPy {
    // SAFETY: as required; a finished list is ours.
    unsafe {
        let list = build_list(list, "HPyTupleBuilder");
        if list.is_null() {
            return HPy::NULL;
        }
        let tuple = ffi::PyList_AsTuple(list);
        ffi::Py_DECREF(list);
        hpy(tuple)
    }
}

/// # Safety
/// A list or tuple that nobody else sees.
#[inline(always)]
unsafe fn set_size(object: *mut ffi::PyObject, size: isize) {
    // SAFETY: both are variable-sized objects.
    unsafe { (*object.cast::<ffi::PyVarObject>()).ob_size = size };
}
