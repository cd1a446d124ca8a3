//! Trackers: handles that are closed together.
//!
//! A tracker is the address of one block of memory: its head and behind it the first handles. If
//! there are more, the handles move to an array of their own; the head stays where it is. Closed
//! blocks of the usual size are used again.

#[cfg(not(Py_GIL_DISABLED))]
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr;

use hpy_abi::{HPy, HPyContext, HPyTracker};
use pyo3_ffi as ffi;

use crate::error::raise;
use crate::handle::py;
use crate::load::Load;

/// How many handles a tracker has room for if the author asks for fewer or does not say.
const USUAL_SIZE: usize = 7;

#[repr(C)]
pub(crate) struct Tracker {
    handles: *mut HPy,
    length: usize,
    /// More than `length`: the handle of the next `Add` must find a place even if there is no
    /// memory for more.
    capacity: usize,
}

/// `HPyTracker_New`
pub(crate) unsafe extern "C" fn ctx_Tracker_New(ctx: *mut HPyContext, size: isize) -> HPyTracker {
    // SAFETY: the interpreter is attached.
    unsafe {
        let Ok(size) = usize::try_from(size) else {
            raise(ffi::PyExc_ValueError, "HPyTracker_New: the size must not be negative");
            return HPyTracker::NULL;
        };
        let tracker = new(&Load::of(ctx).trackers, size.max(USUAL_SIZE));
        if tracker.is_null() {
            ffi::PyErr_NoMemory();
        }
        HPyTracker { _i: tracker as isize }
    }
}

/// `HPyTracker_Add`
pub(crate) unsafe extern "C" fn ctx_Tracker_Add(
    _ctx: *mut HPyContext,
    ht: HPyTracker,
    h: HPy,
) -> c_int {
    // SAFETY: the tracker is open; a handle is written only where there is room.
    unsafe {
        let tracker = &mut *(ht._i as *mut Tracker);
        if tracker.length + 1 < tracker.capacity {
            tracker.handles.add(tracker.length).write(h);
            tracker.length += 1;
            return 0;
        }
        add_last(tracker, h)
    }
}

/// `HPyTracker_ForgetAll`
pub(crate) unsafe extern "C" fn ctx_Tracker_ForgetAll(_ctx: *mut HPyContext, ht: HPyTracker) {
    // SAFETY: the tracker is open.
    unsafe { (*(ht._i as *mut Tracker)).length = 0 };
}

/// `HPyTracker_Close`
///
/// A null tracker is what a failed `HPyArg_Parse` leaves behind.
pub(crate) unsafe extern "C" fn ctx_Tracker_Close(ctx: *mut HPyContext, ht: HPyTracker) {
    let tracker = ht._i as *mut Tracker;
    if tracker.is_null() {
        return;
    }
    // SAFETY: the tracker is open and not used any more; closing a handle may run code, but none
    // that knows it.
    unsafe {
        let Tracker { handles, length, capacity } = tracker.read();
        for index in 0..length {
            ffi::Py_XDECREF(py(handles.add(index).read()));
        }
        if handles != first_handles(tracker) {
            ffi::PyMem_Free(handles.cast());
            ffi::PyMem_Free(tracker.cast());
        } else if capacity == USUAL_SIZE + 1 {
            Load::of(ctx).trackers.put(tracker);
        } else {
            ffi::PyMem_Free(tracker.cast());
        }
    }
}

/// A load's closed blocks of the usual size: as many as there ever were trackers at the same time.
/// Memory belongs to an interpreter, and so does a load.
#[cfg(not(Py_GIL_DISABLED))]
pub(crate) struct Pool {
    /// The first; each leads to the next. Only the thread that holds the interpreter's lock uses it.
    first: Cell<*mut Tracker>,
}

#[cfg(not(Py_GIL_DISABLED))]
impl Pool {
    /// No blocks yet.
    pub(crate) const fn new() -> Self {
        Self { first: Cell::new(ptr::null_mut()) }
    }

    /// A block, or null if there is none.
    #[inline]
    fn take(&self) -> *mut Tracker {
        let first = self.first.get();
        if !first.is_null() {
            // SAFETY: blocks in the pool are kept as `put` leaves them.
            self.first.set(unsafe { (*first).handles }.cast());
        }
        first
    }

    /// # Safety
    /// A block of the usual size that nobody uses any more.
    #[inline]
    unsafe fn put(&self, tracker: *mut Tracker) {
        // SAFETY: the caller's promise.
        unsafe { (*tracker).handles = self.first.get().cast() };
        self.first.set(tracker);
    }
}

/// Without an interpreter lock, CPython's allocator is as fast.
#[cfg(Py_GIL_DISABLED)]
pub(crate) struct Pool;

#[cfg(Py_GIL_DISABLED)]
impl Pool {
    /// There is nothing in it, ever.
    pub(crate) const fn new() -> Self {
        Self
    }

    fn take(&self) -> *mut Tracker {
        ptr::null_mut()
    }

    /// # Safety
    /// A block that nobody uses any more, and the interpreter is attached.
    unsafe fn put(&self, tracker: *mut Tracker) {
        // SAFETY: the caller's promise.
        unsafe { ffi::PyMem_Free(tracker.cast()) };
    }
}

/// A tracker for `size` handles; null if there is no memory for it.
///
/// # Safety
/// The interpreter is attached.
unsafe fn new(pool: &Pool, size: usize) -> *mut Tracker {
    let Some(capacity) = size.checked_add(1) else {
        return ptr::null_mut();
    };
    // SAFETY: the block is as large as its head and the handles.
    unsafe {
        let mut tracker = if size == USUAL_SIZE { pool.take() } else { ptr::null_mut() };
        if tracker.is_null() {
            tracker = allocate(size_of::<Tracker>(), capacity).cast::<Tracker>();
        }
        if !tracker.is_null() {
            tracker.write(Tracker { handles: first_handles(tracker), length: 0, capacity });
        }
        tracker
    }
}

/// Adds the handle for which the room was kept, and makes room for the next.
///
/// # Safety
/// An open tracker, and the interpreter is attached.
#[cold]
#[inline(never)]
unsafe fn add_last(tracker: &mut Tracker, h: HPy) -> c_int {
    // SAFETY: a handle is written only where there is room. There is none only if the caller goes
    // on after a failure.
    unsafe {
        if tracker.length < tracker.capacity || grow(tracker) {
            tracker.handles.add(tracker.length).write(h);
            tracker.length += 1;
            if tracker.length < tracker.capacity || grow(tracker) {
                return 0;
            }
        }
        ffi::PyErr_NoMemory();
    }
    -1
}

/// Doubles the room.
///
/// # Safety
/// An open tracker, and the interpreter is attached.
unsafe fn grow(tracker: &mut Tracker) -> bool {
    // A capacity of handles in memory can be doubled.
    let capacity = 2 * tracker.capacity;
    // SAFETY: the new array has more room than the old one, and the old one is freed if it was an
    // array of its own.
    unsafe {
        let handles = allocate(0, capacity).cast::<HPy>();
        if handles.is_null() {
            return false;
        }
        handles.copy_from_nonoverlapping(tracker.handles, tracker.length);
        if tracker.handles != first_handles(tracker) {
            ffi::PyMem_Free(tracker.handles.cast());
        }
        tracker.handles = handles;
        tracker.capacity = capacity;
    }
    true
}

/// Memory for a head of some bytes and `count` handles; null if there is none.
///
/// # Safety
/// The interpreter is attached.
unsafe fn allocate(head: usize, count: usize) -> *mut u8 {
    let size = count.checked_mul(size_of::<HPy>()).and_then(|size| size.checked_add(head));
    match size {
        // SAFETY: the caller's promise.
        Some(size) => unsafe { ffi::PyMem_Malloc(size).cast() },
        None => ptr::null_mut(),
    }
}

/// Where the first handles of a tracker lie.
fn first_handles(tracker: *mut Tracker) -> *mut HPy {
    tracker.wrapping_add(1).cast()
}
