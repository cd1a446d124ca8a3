//! `tp_dealloc` of HPy types that have something to release.

use core::cell::{Cell, RefCell};

use hpy_abi::HPy_TPFLAGS_HAVE_GC;
use pyo3_ffi as ffi;

use super::gc::{self, Levels};
use super::{python_class, shape};

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

/// Whether `ty` is a class written in Python that adds nothing to its instances: those that do are collected.
fn adds_nothing(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a type of an object that is not freed yet; our types prepared the question.
    unsafe { python_class::has_dealloc(ty) && ffi::PyType_IS_GC(ty) == 0 }
}

/// Runs the finalizer, releases fields, destroys structs, and hands the object to its base.
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
        gc::clear_fields(object, Levels::of(object, is_ours, adds_nothing));
        let levels = Levels::of(object, is_ours, adds_nothing);
        let base = levels.base();
        for record in levels {
            if let Some(destroy) = record.destroy {
                destroy(shape::struct_of(object, record));
            }
        }
        hand_to_base(object, ty, base);
    }
}

/// Lets `base` free the object, and drops the object's reference to its type where `base` does not.
unsafe fn hand_to_base(
    object: *mut ffi::PyObject,
    ty: *mut ffi::PyTypeObject,
    base: *mut ffi::PyTypeObject,
) {
    // SAFETY: `base` is the next level of the dead object's type.
    unsafe {
        let mut base = base;
        // Freeing goes by the type's memory layout. A class whose objects lie differently in memory cannot take this one; what it
        // would release then is lost.
        while is_ours(base) || (python_class::has_dealloc(base) && !same_header(ty, base)) {
            base = (*base).tp_base;
        }
        let python_class = python_class::has_dealloc(base);
        if python_class {
            // That function starts from the object's type; it drops the reference to what it finds there.
            ffi::Py_INCREF(base.cast());
            (*object).ob_type = base;
        }
        if ffi::PyType_IS_GC(base) != 0 {
            ffi::PyObject_GC_Track(object.cast());
        }
        if let Some(dealloc) = (*base).tp_dealloc {
            dealloc(object);
        }
        if python_class || ffi::PyType_HasFeature(base, ffi::Py_TPFLAGS_HEAPTYPE) == 0 {
            ffi::Py_DECREF(ty.cast());
        }
    }
}

/// The flags that decide what lies before an object: the collector's header, and since 3.11 a dictionary and weak references.
const HEADER_FLAGS: core::ffi::c_ulong = HPy_TPFLAGS_HAVE_GC | (1 << 3) | (1 << 4);

/// Whether objects of two types have the same memory before them.
unsafe fn same_header(one: *mut ffi::PyTypeObject, other: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: both are types.
    unsafe { (ffi::PyType_GetFlags(one) ^ ffi::PyType_GetFlags(other)) & HEADER_FLAGS == 0 }
}
