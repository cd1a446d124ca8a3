//! Builders: a list or tuple that is filled before anybody else can see its items.
//!
//! A builder of a list is the address of a [`Block`], or 0 if there was no memory for one. So is one of a tuple which is long or empty. A
//! small tuple is made at once: nothing but the builder refers to it, and who asks the garbage collector for all objects finds it empty, because its size
//! is 0 until it is built. Its true size is the lowest bits of the builder, which are zero in an address.
//!
//! An error before that is kept for `Build`: an item that is missing is an empty place, and an index outside the size makes the size -1.

mod block;

use core::ptr;

use hpy_abi::{HPy, HPyContext, HPyListBuilder, HPyTupleBuilder};
use hpy_host::builder_fault;
use pyo3_ffi as ffi;

use super::keep::is_tracked;
use super::objects::tuple_items;
use crate::error::raise;
use crate::handle::{hpy, py};
use block::Block;

/// The bits of a tuple's builder that are its size.
const SIZE: usize = 0b1111;

/// A small tuple under construction.
#[derive(Clone, Copy)]
struct Unfinished {
    tuple: *mut ffi::PyObject,
    items: *mut *mut ffi::PyObject,
    size: usize,
}

impl Unfinished {
    /// That of a builder which has a small tuple; else its size is 0.
    #[inline(always)]
    fn of(builder: HPyTupleBuilder) -> Self {
        let size = builder._tup as usize & SIZE;
        let tuple = (builder._tup as usize - size) as *mut ffi::PyObject;
        Self { tuple, items: tuple_items(tuple), size }
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
        // SAFETY: the caller has an unfinished tuple.
        unsafe { set_size(self.tuple, -1) };
    }

    /// Whether all items are there. From the last to the first: counting down takes an instruction less for each.
    #[inline(always)]
    unsafe fn is_complete(self) -> bool {
        let mut at = self.size;
        // SAFETY: there are as many places.
        unsafe {
            while at > 0 {
                at -= 1;
                if (*self.items.add(at)).is_null() {
                    return false;
                }
            }
            ffi::Py_SIZE(self.tuple) == 0
        }
    }

    /// Shows the tuple to the world if it is complete; else it is discarded, and the result is null with an exception.
    #[inline(always)]
    unsafe fn finish(self) -> *mut ffi::PyObject {
        // SAFETY: the caller has an unfinished tuple.
        unsafe {
            if !self.is_complete() {
                return fail(self.tuple, self.size);
            }
            set_size(self.tuple, self.size as isize);
            // The collector forgets tuples that it finds empty.
            if !is_tracked(self.tuple) {
                ffi::PyObject_GC_Track(self.tuple.cast());
            }
        }
        self.tuple
    }

    unsafe fn explain(self) -> String {
        // SAFETY: the caller has an unfinished tuple, with as many places.
        unsafe {
            let missing = || (0..self.size).find(|&at| (*self.items.add(at)).is_null());
            let missing = if ffi::Py_SIZE(self.tuple) == 0 { missing() } else { None };
            builder_fault("HPyTupleBuilder", self.size, missing)
        }
    }

    unsafe fn discard(self) {
        // SAFETY: the tuple is ours, and has its true size when it is released.
        unsafe {
            set_size(self.tuple, self.size as isize);
            ffi::Py_DECREF(self.tuple);
        }
    }
}

/// Raises what went wrong before `Build`. An exception that is already set says why an item is missing, so it stays.
///
/// # Safety
/// An unfinished tuple, as single values: the struct would be written into memory for each object that does not fail.
#[cold]
#[inline(never)]
unsafe fn fail(tuple: *mut ffi::PyObject, size: usize) -> *mut ffi::PyObject {
    let unfinished = Unfinished { tuple, items: tuple_items(tuple), size };
    // SAFETY: as required; the interpreter is attached.
    unsafe {
        if ffi::PyErr_Occurred().is_null() {
            raise(ffi::PyExc_SystemError, &unfinished.explain());
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
    HPyListBuilder { _lst: Block::for_list(size) as isize }
}

/// `HPyListBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Set(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
    index: isize,
    h_item: HPy,
) {
    // SAFETY: the builder is 0 or has a block; the handle is open or null.
    unsafe {
        if let Some(block) = (builder._lst as *mut Block).as_mut() {
            block.put(index, py(h_item));
        }
    }
}

/// `HPyListBuilder_Build`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Build(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) -> HPy {
    // SAFETY: the builder is 0 or has a block.
    hpy(unsafe {
        match (builder._lst as *mut Block).as_mut() {
            Some(block) => block.list("HPyListBuilder"),
            None => ffi::PyErr_NoMemory(),
        }
    })
}

/// `HPyListBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_ListBuilder_Cancel(
    _ctx: *mut HPyContext,
    builder: HPyListBuilder,
) {
    // SAFETY: the builder is 0 or has a block.
    unsafe {
        if let Some(block) = (builder._lst as *mut Block).as_mut() {
            block.discard();
        }
    }
}

/// `HPyTupleBuilder_New`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_New(
    _ctx: *mut HPyContext,
    size: isize,
) -> HPyTupleBuilder {
    if !(1..=SIZE as isize).contains(&size) {
        return HPyTupleBuilder { _tup: Block::for_tuple(size) as isize };
    }
    // SAFETY: the interpreter is attached; a new tuple has its items hidden, and the exception is forgotten if there is none: `Build` raises it.
    unsafe {
        let tuple = ffi::PyTuple_New(size);
        if tuple.is_null() {
            ffi::PyErr_Clear();
            return HPyTupleBuilder { _tup: 0 };
        }
        set_size(tuple, 0);
        HPyTupleBuilder { _tup: tuple as isize | size }
    }
}

/// `HPyTupleBuilder_Set`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Set(
    ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
    index: isize,
    h_item: HPy,
) {
    let tuple = Unfinished::of(builder);
    // SAFETY: the builder is 0 or has a block or an unfinished tuple; the handle is open or null.
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
    let tuple = Unfinished::of(builder);
    // SAFETY: the builder is 0 or has a block or an unfinished tuple.
    hpy(unsafe {
        match tuple.size {
            0 => build_from_block(builder._tup as *mut Block),
            _ => tuple.finish(),
        }
    })
}

/// `HPyTupleBuilder_Cancel`
pub(crate) unsafe extern "C" fn ctx_TupleBuilder_Cancel(
    ctx: *mut HPyContext,
    builder: HPyTupleBuilder,
) {
    let tuple = Unfinished::of(builder);
    // SAFETY: the builder is 0 or has a block or an unfinished tuple.
    unsafe {
        match tuple.size {
            0 => ctx_ListBuilder_Cancel(ctx, HPyListBuilder { _lst: builder._tup }),
            _ => tuple.discard(),
        }
    }
}

/// The tuple of a builder that has a block.
///
/// # Safety
/// Null or a block.
#[cold]
#[inline(never)]
unsafe fn build_from_block(block: *mut Block) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe {
        match block.as_mut() {
            Some(block) => block.tuple("HPyTupleBuilder"),
            None => ffi::PyErr_NoMemory(),
        }
    }
}

/// # Safety
/// A tuple that nobody else sees.
#[inline(always)]
unsafe fn set_size(tuple: *mut ffi::PyObject, size: isize) {
    // SAFETY: it is a variable-sized object.
    unsafe { (*tuple.cast::<ffi::PyVarObject>()).ob_size = size };
}
