//! CPython's own functions for classes written in Python, which it does not export.

use std::sync::OnceLock;

use pyo3_ffi as ffi;

/// The functions that CPython gives to every class written in Python.
pub(crate) struct PythonClass {
    dealloc: Option<ffi::destructor>,
    traverse: Option<ffi::traverseproc>,
    clear: Option<ffi::inquiry>,
}

/// Reads them off a class of the standard library that is always loaded, once.
///
/// # Safety
/// The interpreter is attached.
unsafe fn python_class() -> &'static PythonClass {
    static CLASS: OnceLock<PythonClass> = OnceLock::new();
    CLASS.get_or_init(|| {
        // SAFETY: `type("x", (), {})` makes a class; its functions outlive it.
        unsafe {
            let class = ffi::PyObject_CallFunction(
                (&raw mut ffi::PyType_Type).cast(),
                c"s(){}".as_ptr(),
                c"python_class".as_ptr(),
            );
            if class.is_null() {
                ffi::PyErr_Clear();
                return PythonClass { dealloc: None, traverse: None, clear: None };
            }
            let ty = class.cast::<ffi::PyTypeObject>();
            let found = PythonClass {
                dealloc: (*ty).tp_dealloc,
                traverse: (*ty).tp_traverse,
                clear: (*ty).tp_clear,
            };
            ffi::Py_DECREF(class);
            found
        }
    })
}

/// Makes the answers of this module ready; it cannot be done in the middle of a garbage collection.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn prepare() {
    // SAFETY: as required.
    unsafe { python_class() };
}

/// Whether objects of `ty` are deallocated as those of a class written in Python.
///
/// # Safety
/// `ty` is a type; [`prepare`] was called.
pub(crate) unsafe fn has_dealloc(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required.
    unsafe {
        same((*ty).tp_dealloc.map(|f| f as usize), python_class().dealloc.map(|f| f as usize))
    }
}

/// Whether objects of `ty` are traversed as those of a class written in Python.
///
/// # Safety
/// As [`has_dealloc`].
pub(crate) unsafe fn has_traverse(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required.
    unsafe {
        same((*ty).tp_traverse.map(|f| f as usize), python_class().traverse.map(|f| f as usize))
    }
}

/// Whether objects of `ty` are cleared as those of a class written in Python.
///
/// # Safety
/// As [`has_dealloc`].
pub(crate) unsafe fn has_clear(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required.
    unsafe { same((*ty).tp_clear.map(|f| f as usize), python_class().clear.map(|f| f as usize)) }
}

fn same(one: Option<usize>, other: Option<usize>) -> bool {
    one.is_some() && one == other
}
