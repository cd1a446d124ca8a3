//! `tp_dealloc` of HPy types that have something to release.

use core::cell::{Cell, RefCell};

use super::record::{LEGACY_DEALLOC, Record, own_record};
use super::{gc, python_class, shape};
use crate::layout::{self, Memory, ffi};

/// Deallocations inside each other before objects are put off.
const DEEPEST: usize = 50;

thread_local! {
    /// How many deallocations of this module are running inside each other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Dead objects that wait for the outermost deallocation.
    static LATER: RefCell<Vec<*mut ffi::PyObject>> = const { RefCell::new(Vec::new()) };
}

/// Bit of [`DEPTH`]: objects wait. So the usual deallocation looks at one variable only.
const WAITING: usize = 1 << (usize::BITS - 1);

/// `tp_dealloc`.
///
/// Short for types whose objects are kept: they have one level and no weak references. Deallocations of the types of one load count
/// together up to a depth, whichever thread they are in. Only beyond that each thread counts its own, for the variable of a thread takes
/// a call.
pub(crate) unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython hands over a dead object of one of our types.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        if let Some(record) = own_record(ty)
            && let Some(memory) = record.memory()
            && layout::tp_finalize(ty).is_none()
            && memory.depth().get() < DEEPEST
        {
            memory.depth().set(memory.depth().get() + 1);
            release_kept(object, record, memory);
        } else {
            dealloc_in_thread(object);
        }
    }
}

/// What `release_any` comes to for a type whose memory is kept: the struct is at a fixed place. Leaves one deallocation.
///
/// What is needed between two calls is read again: to save it takes as long, and as much to restore what was in its place.
#[inline(always)]
unsafe fn release_kept(object: *mut ffi::PyObject, record: *const Record, memory: *const Memory) {
    // SAFETY: a dead object of a type with that record. It remains one until its memory is given back, where its type stays readable.
    unsafe {
        untrack(object);
        gc::clear_struct(object.byte_add((*record).struct_offset).cast(), &*record);
        if let Some(destroy) = (*record).destroy {
            destroy(object.byte_add((*record).struct_offset).cast());
        }
        let ty = ffi::Py_TYPE(object);
        let depth = (*memory).depth();
        depth.set(depth.get() - 1);
        if !(*memory).give(object)
            && let Some(free) = layout::tp_free(ty)
        {
            free(object.cast());
        }
        ffi::Py_DECREF(ty.cast());
    }
}

/// Long chains of objects are released in a loop rather than by recursion.
#[inline(never)]
unsafe fn dealloc_in_thread(object: *mut ffi::PyObject) {
    // SAFETY: CPython hands over a dead object of one of our types; put off, nobody else can reach it once it is untracked.
    unsafe {
        DEPTH.with(|depth| {
            let before = depth.get();
            if before & !WAITING >= DEEPEST && put_off(object) {
                depth.set(before | WAITING);
                return;
            }
            depth.set(before + 1);
            release(object);
            // An object that was put off meanwhile waits for the outermost.
            let waiting = depth.get() & WAITING;
            depth.set(before | waiting);
            if depth.get() == WAITING {
                release_waiting(depth);
            }
        });
    }
}

/// Releases what was put off, and what is put off meanwhile.
#[cold]
unsafe fn release_waiting(depth: &Cell<usize>) {
    depth.set(WAITING | 1);
    while let Some(object) = LATER.try_with(|later| later.borrow_mut().pop()).ok().flatten() {
        // SAFETY: as for `dealloc`.
        unsafe { release(object) };
    }
    depth.set(0);
}

/// Keeps a dead object for the outermost deallocation; false if the thread is about to end.
#[cold]
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
    unsafe { layout::tp_dealloc(ty).is_some_and(|f| f as usize == dealloc as *const () as usize) }
}

/// Runs the finalizer, releases what the levels own, and lets the base free the object.
#[inline(always)]
unsafe fn release(object: *mut ffi::PyObject) {
    // SAFETY: a dead object of one of our types.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        match only_level(ty) {
            Some(record) => release_only_level(object, ty, record),
            None => release_any(object, ty),
        }
    }
}

/// The record of a type that was made here, directly below `object`, and leaves nothing to do but its own struct.
#[inline]
unsafe fn only_level(ty: *mut ffi::PyTypeObject) -> Option<&'static Record> {
    // SAFETY: a type of an object that is not freed yet.
    unsafe {
        let simple = is_ours(ty)
            && layout::tp_base(ty) == &raw mut ffi::PyBaseObject_Type
            && layout::tp_finalize(ty).is_none()
            && !layout::has_weak_references(ty);
        if simple { released_record(ty) } else { None }
    }
}

/// What `release_any` comes to for such a type.
#[inline]
unsafe fn release_only_level(
    object: *mut ffi::PyObject,
    ty: *mut ffi::PyTypeObject,
    record: &Record,
) {
    // SAFETY: a dead object of that type, whose memory is freed as `object` does.
    unsafe {
        untrack(object);
        gc::clear_fields(object, record);
        if let Some(destroy) = record.destroy {
            destroy(shape::struct_of(object, record));
        }
        if let Some(free) = layout::tp_free(ty) {
            free(object.cast());
        }
        ffi::Py_DECREF(ty.cast());
    }
}

unsafe fn release_any(object: *mut ffi::PyObject, ty: *mut ffi::PyTypeObject) {
    // SAFETY: a dead object of one of our types; the order is the one that CPython's own classes keep.
    unsafe {
        // An outer type, a Python subclass for one, has run the finalizer already.
        if (is_ours(ty) || !layout::SUBCLASSES_FINALIZE)
            && layout::tp_finalize(ty).is_some()
            && ffi::PyObject_CallFinalizerFromDealloc(object) < 0
        {
            return;
        }
        untrack(object);
        let base = release_levels(object, first_of_ours(ty));
        if ffi::PyType_IS_GC(base) != 0 {
            ffi::PyObject_GC_Track(object.cast());
        }
        if let Some(dealloc) = layout::tp_dealloc(base) {
            dealloc(object);
        }
        if !layout::dealloc_drops_type(base) {
            ffi::Py_DECREF(ty.cast());
        }
    }
}

unsafe fn first_of_ours(mut ty: *mut ffi::PyTypeObject) -> *mut ffi::PyTypeObject {
    while !is_ours(ty) {
        // SAFETY: the type that brought us here is among the bases.
        ty = unsafe { layout::tp_base(ty) };
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
        if layout::has_weak_references(first) {
            ffi::PyObject_ClearWeakRefs(object);
        }
        let mut level = first;
        loop {
            if let Some(record) = released_record(level) {
                gc::clear_fields(object, record);
            } else if python_class::has_dealloc(level) || is_ours(level) {
                // CPython's function for that starts from the object's type and would come back to us; a type without a record may
                // have inherited ours.
                python_class::release(object, level);
            } else {
                break;
            }
            level = layout::tp_base(level);
        }
        let mut owner = first;
        while owner != level {
            if let Some(record) = released_record(owner)
                && let Some(destroy) = record.destroy
            {
                destroy(shape::struct_of(object, record));
            }
            owner = layout::tp_base(owner);
        }
        level
    }
}
