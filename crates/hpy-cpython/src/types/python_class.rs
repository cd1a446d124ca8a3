//! What CPython does with objects of classes written in Python; it does not export the function.

use std::sync::atomic::{AtomicUsize, Ordering};

use core::ffi::c_int;

use hpy_abi::HPyMember_OBJECT_EX;
use pyo3_ffi as ffi;

use crate::layout;

/// `tp_dealloc` of a class written in Python.
///
/// # Safety
/// The interpreter is attached.
unsafe fn class_dealloc() -> usize {
    static DEALLOC: AtomicUsize = AtomicUsize::new(0);
    let known = DEALLOC.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: `type("python_class", (), {})` makes a class; its function outlives it. It is the same
    // function whoever asks, so several threads may.
    unsafe {
        let class = ffi::PyObject_CallFunction(
            (&raw mut ffi::PyType_Type).cast(),
            c"s(){}".as_ptr(),
            c"python_class".as_ptr(),
        );
        if class.is_null() {
            ffi::PyErr_Clear();
            return 0;
        }
        let dealloc = layout::tp_dealloc(class.cast());
        ffi::Py_DECREF(class);
        let address = dealloc.map_or(0, |f| f as usize);
        DEALLOC.store(address, Ordering::Relaxed);
        address
    }
}

/// Makes the answer of this module ready; it cannot be done in the middle of a garbage collection.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn prepare() {
    // SAFETY: as required.
    unsafe { class_dealloc() };
}

/// Whether objects of `ty` are deallocated as those of a class written in Python.
///
/// # Safety
/// `ty` is a type; [`prepare`] was called.
pub(crate) unsafe fn has_dealloc(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required. Elsewhere than on CPython, builtins may have the same function.
    unsafe {
        ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0
            && layout::tp_dealloc(ty).is_some_and(|f| f as usize == class_dealloc())
    }
}

/// Empties what the class `level` has added to a dead object: its `__slots__` and its `__dict__`.
///
/// # Safety
/// `level` is a class written in Python among the types of `object`.
pub(crate) unsafe fn release(object: *mut ffi::PyObject, level: *mut ffi::PyTypeObject) {
    // SAFETY: the members of such a class are its slots, ended by one without a name; a slot holds an object or null.
    unsafe {
        let mut member = layout::tp_members(level);
        while !member.is_null() && !(*member).name.is_null() {
            if (*member).type_code == HPyMember_OBJECT_EX.0 as c_int
                && (*member).flags & ffi::Py_READONLY == 0
            {
                layout::clear(object.byte_offset((*member).offset).cast());
            }
            member = member.add(1);
        }
        layout::clear_dict(object);
    }
}
