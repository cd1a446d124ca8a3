//! The items of a list to be, or of a long tuple, in a block of memory that becomes the list's own.
//!
//! The items come first in the block, where a list has them, and the [`Block`] stands behind their places. Items that are set one after the other are
//! only counted, so nothing is cleared before and nothing is looked for afterwards. The first that is set out of turn has the rest cleared, and
//! from then on an empty place is one whose item is missing.

use core::ptr;

use hpy_host::builder_fault;
use pyo3_ffi as ffi;

use crate::error::raise;

/// No number of items, because it is no size either: the items are set out of turn, and empty places are null.
const OUT_OF_TURN: usize = usize::MAX;

/// The same, and there was an index outside the size.
const OUTSIDE: usize = usize::MAX - 1;

/// More than any memory has room for; a power of two, which is asked for with the fewest instructions.
const TOO_MANY: usize = 1 << (usize::BITS - 5);

/// What stands behind the places.
#[repr(C)]
pub(super) struct Block {
    items: *mut *mut ffi::PyObject,
    size: usize,
    /// How many of the first places have their items, or one of the numbers above.
    set: usize,
}

impl Block {
    /// A block for the items of a list, which [`Block::list`] or [`Block::discard`] takes back; null if there is no memory, or not so much.
    #[inline(always)]
    pub(super) fn for_list(size: isize) -> *mut Self {
        Self::new(size, size as usize)
    }

    /// The same for a tuple and [`Block::tuple`]. A multiple of 16 divides its address, as it does those of objects: the lowest bits of a builder
    /// tell what it is.
    #[cold]
    #[inline(never)]
    pub(super) fn for_tuple(size: isize) -> *mut Self {
        Self::new(size, (size as usize).wrapping_add(1) & !1)
    }

    #[inline(always)]
    fn new(size: isize, places: usize) -> *mut Self {
        let size = size as usize;
        if size >= TOO_MANY {
            return ptr::null_mut();
        }
        // SAFETY: the interpreter is attached; the block has room for the places and what stands behind them.
        unsafe {
            let bytes = places * size_of::<*mut ffi::PyObject>() + size_of::<Self>();
            let items = ffi::PyMem_Malloc(bytes).cast::<*mut ffi::PyObject>();
            if items.is_null() {
                return ptr::null_mut();
            }
            let block = items.add(places).cast::<Self>();
            block.write(Self { items, size, set: 0 });
            block
        }
    }

    /// Puts an item into its place, as a new reference.
    ///
    /// # Safety
    /// An object or null.
    #[inline(always)]
    pub(super) unsafe fn put(&mut self, index: isize, item: *mut ffi::PyObject) {
        let at = index as usize;
        if at >= self.size || at != self.set || item.is_null() {
            // SAFETY: as required.
            return unsafe { self.put_out_of_turn(at, item) };
        }
        // SAFETY: the place is the block's and not in use.
        unsafe {
            ffi::Py_INCREF(item);
            self.items.add(at).write(item);
        }
        self.set += 1;
    }

    #[cold]
    #[inline(never)]
    unsafe fn put_out_of_turn(&mut self, at: usize, item: *mut ffi::PyObject) {
        self.clear_rest();
        if at >= self.size {
            self.set = OUTSIDE;
            return;
        }
        // SAFETY: the place is the block's, and is empty or owns what it holds.
        unsafe {
            ffi::Py_XINCREF(item);
            ffi::Py_XDECREF(ptr::replace(self.items.add(at), item));
        }
    }

    /// Makes places that have no item null.
    fn clear_rest(&mut self) {
        let set = self.set;
        if set <= self.size {
            // SAFETY: those are the places behind the items.
            unsafe { self.items.add(set).write_bytes(0, self.size - set) };
            self.set = OUT_OF_TURN;
        }
    }

    /// Which item is missing.
    fn missing(&self) -> Option<usize> {
        let set = self.set;
        if set <= self.size {
            return (set < self.size).then_some(set);
        }
        // SAFETY: all places are either null or have their items.
        (0..self.size).find(|&at| unsafe { (*self.items.add(at)).is_null() })
    }

    /// Whether all items are there. If not, they are released, and there is an exception.
    ///
    /// # Safety
    /// Not to be used again if the result is false.
    #[inline(always)]
    unsafe fn is_complete(&mut self, builder: &str) -> bool {
        // SAFETY: as required.
        self.set == self.size || unsafe { self.is_complete_nevertheless(builder) }
    }

    #[cold]
    #[inline(never)]
    unsafe fn is_complete_nevertheless(&mut self, builder: &str) -> bool {
        let is_outside = self.set == OUTSIDE;
        let missing = if is_outside { None } else { self.missing() };
        if !is_outside && missing.is_none() {
            return true;
        }
        // SAFETY: the interpreter is attached. An exception that is already set says why an item is missing, so it stays.
        unsafe {
            if ffi::PyErr_Occurred().is_null() {
                raise(ffi::PyExc_SystemError, &builder_fault(builder, self.size, missing));
            }
            self.discard();
        }
        false
    }

    /// The finished list; null with an exception if there is none.
    ///
    /// # Safety
    /// Not to be used again.
    #[inline(always)]
    pub(super) unsafe fn list(&mut self, builder: &str) -> *mut ffi::PyObject {
        // SAFETY: as required; the new list gets the block and the references in it.
        unsafe {
            if !self.is_complete(builder) {
                return ptr::null_mut();
            }
            let list = ffi::PyList_New(if IS_ADOPTED { 0 } else { self.size as isize });
            if list.is_null() {
                self.discard();
            } else if IS_ADOPTED {
                let list = list.cast::<ffi::PyListObject>();
                (*list).ob_item = self.items;
                (*list).allocated = self.size as isize;
                (*list).ob_base.ob_size = self.size as isize;
            } else {
                self.move_to((*list.cast::<ffi::PyListObject>()).ob_item);
            }
            list
        }
    }

    /// The finished tuple; null with an exception if there is none.
    ///
    /// # Safety
    /// Not to be used again.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn tuple(&mut self, builder: &str) -> *mut ffi::PyObject {
        // SAFETY: as required; the new tuple gets the references.
        unsafe {
            if !self.is_complete(builder) {
                return ptr::null_mut();
            }
            let tuple = ffi::PyTuple_New(self.size as isize);
            if tuple.is_null() {
                self.discard();
            } else {
                self.move_to(super::tuple_items(tuple));
            }
            tuple
        }
    }

    /// # Safety
    /// There is room for all items. Not to be used again.
    unsafe fn move_to(&mut self, place: *mut *mut ffi::PyObject) {
        // SAFETY: as required.
        unsafe {
            place.copy_from_nonoverlapping(self.items, self.size);
            ffi::PyMem_Free(self.items.cast());
        }
    }

    /// Releases the items.
    ///
    /// # Safety
    /// Not to be used again.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn discard(&mut self) {
        self.clear_rest();
        // SAFETY: the places own what they hold, and nobody else sees them.
        unsafe {
            for at in 0..self.size {
                ffi::Py_XDECREF(*self.items.add(at));
            }
            ffi::PyMem_Free(self.items.cast());
        }
    }
}

/// Whether a list takes a block as it is. In free-threaded Python lists have something of their own in front of their items.
const IS_ADOPTED: bool = !cfg!(Py_GIL_DISABLED);
