//! What CPython does with objects of classes written in Python; it does not export the function.

use std::sync::OnceLock;

use pyo3_ffi as ffi;

/// `tp_dealloc` of a class written in Python.
///
/// # Safety
/// The interpreter is attached.
unsafe fn class_dealloc() -> usize {
    static DEALLOC: OnceLock<usize> = OnceLock::new();
    *DEALLOC.get_or_init(|| {
        // SAFETY: `type("python_class", (), {})` makes a class; its function outlives it.
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
            let dealloc = (*class.cast::<ffi::PyTypeObject>()).tp_dealloc;
            ffi::Py_DECREF(class);
            dealloc.map_or(0, |f| f as usize)
        }
    })
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
    // SAFETY: as required.
    unsafe { (*ty).tp_dealloc.is_some_and(|f| f as usize == class_dealloc()) }
}
