//! `tp_dealloc` of HPy types that have something to release.

use core::cell::{Cell, RefCell};

use pyo3_ffi as ffi;

use super::record::{LEGACY_DEALLOC, Record, own_record};
use super::{gc, python_class, shape};

/// Deallocations inside each other before objects are put off.
const DEEPEST: usize = 50;

thread_local! {
    /// How many deallocations of this module are running inside each other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Dead objects that wait for the outermost deallocation.
    static LATER: RefCell<Vec<*mut ffi::PyObject>> = const { RefCell::new(Vec::new()) };
}

/// `tp_dealloc`. Long chains of objects are released in a loop rather than by recursion.
pub(crate) unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    let depth = DEPTH.get();
    // SAFETY: CPython hands over a dead object of one of our types; put off, nobody else can reach it once it is untracked.
    unsafe {
        if depth >= DEEPEST && put_off(object) {
            return;
        }
        DEPTH.set(depth + 1);
        release(object);
        while depth == 0
            && let Some(object) = LATER.try_with(|later| later.borrow_mut().pop()).ok().flatten()
        {
            release(object);
        }
        DEPTH.set(depth);
    }
}

/// Keeps a dead object for the outermost deallocation; false if the thread is about to end.
unsafe fn put_off(object: *mut ffi::PyObject) -> bool {
    // SAFETY: as for `dealloc`.
    unsafe { untrack(object) };
    LATER.try_with(|later| later.borrow_mut().push(object)).is_ok()
}

unsafe fn untrack(object: *mut ffi::PyObject) {
    // SAFETY: only objects of collected types have the header of the collector; doing it twice is allowed.
    unsafe {
        if ffi::PyType_IS_GC(ffi::Py_TYPE(object)) != 0 {
            ffi::PyObject_GC_UnTrack(object.cast());
        }
    }
}

/// Whether `ty` has this module's `tp_dealloc`.
fn is_ours(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a type of an object that is not freed yet.
    unsafe { (*ty).tp_dealloc.is_some_and(|f| f as usize == dealloc as *const () as usize) }
}

/// Runs the finalizer, releases what HPy's levels own, and lets the base free the object.
unsafe fn release(object: *mut ffi::PyObject) {
    // SAFETY: a dead object of one of our types; the order is the one that CPython's own classes keep.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        // An outer type, a Python subclass for one, has run the finalizer already.
        if is_ours(ty)
            && (*ty).tp_finalize.is_some()
            && ffi::PyObject_CallFinalizerFromDealloc(object) < 0
        {
            return;
        }
        untrack(object);
        let base = release_levels(object, first_of_ours(ty));
        if ffi::PyType_IS_GC(base) != 0 {
            ffi::PyObject_GC_Track(object.cast());
        }
        if let Some(dealloc) = (*base).tp_dealloc {
            dealloc(object);
        }
        // The function of a heap type drops the reference of every object that it frees.
        if ffi::PyType_HasFeature(base, ffi::Py_TPFLAGS_HEAPTYPE) == 0 {
            ffi::Py_DECREF(ty.cast());
        }
    }
}

unsafe fn first_of_ours(mut ty: *mut ffi::PyTypeObject) -> *mut ffi::PyTypeObject {
    while !is_ours(ty) {
        // SAFETY: the type that brought us here is among the bases.
        ty = unsafe { (*ty).tp_base };
    }
    ty
}

/// The record of a level whose part of an object is released here.
unsafe fn released_record(level: *mut ffi::PyTypeObject) -> Option<&'static Record> {
    // SAFETY: a type of an object that is not freed yet.
    unsafe { own_record(level).filter(|record| record.flags & LEGACY_DEALLOC == 0) }
}

/// Releases what the levels from `first` on own, and returns the first that does it itself. All fields come before all structs:
/// the end of a field's object may run Python code, a destroy function may not.
unsafe fn release_levels(
    object: *mut ffi::PyObject,
    first: *mut ffi::PyTypeObject,
) -> *mut ffi::PyTypeObject {
    // SAFETY: the levels are types of the dead object, which is still in one piece.
    unsafe {
        if (*first).tp_weaklistoffset != 0 {
            ffi::PyObject_ClearWeakRefs(object);
        }
        let mut level = first;
        loop {
            if let Some(record) = released_record(level) {
                gc::clear_fields(object, record);
            } else if python_class::has_dealloc(level) {
                // CPython's function for that starts from the object's type and would come back to us.
                python_class::release(object, level);
            } else {
                break;
            }
            level = (*level).tp_base;
        }
        let mut owner = first;
        while owner != level {
            if let Some(record) = released_record(owner)
                && let Some(destroy) = record.destroy
            {
                destroy(shape::struct_of(object, record));
            }
            owner = (*owner).tp_base;
        }
        level
    }
}
