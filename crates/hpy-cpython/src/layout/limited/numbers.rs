//! Numbers, and the sizes of builtins.

use core::sync::atomic::{AtomicUsize, Ordering};

use pyo3_ffi as ffi;

use super::host;

/// The value of a small `int`, where it is read faster than any value is.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn small_int(_object: *mut ffi::PyObject) -> Option<i64> {
    None
}

/// The value of an exact `float`, likewise.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn exact_float(_object: *mut ffi::PyObject) -> Option<f64> {
    None
}

pub(crate) use host::digits_size;

/// The sizes of builtins' instances without their items. They are asked for when the first type is made that needs them; a dead object
/// could not be asked.
macro_rules! sizes {
    ($($name:ident = $builtin:ident;)*) => {$(
        #[doc = concat!("`", stringify!($builtin), "`")]
        pub(crate) fn $name() -> usize {
            static SIZE: AtomicUsize = AtomicUsize::new(0);
            let known = SIZE.load(Ordering::Relaxed);
            if known != 0 {
                return known;
            }
            // SAFETY: the builtin types are static, and the interpreter is attached where types are made.
            let size = unsafe { host::tp_basicsize(&raw mut ffi::$builtin) } as usize;
            SIZE.store(size, Ordering::Relaxed);
            size
        }
    )*};
}

sizes! {
    type_size = PyType_Type;
    long_size = PyLong_Type;
    float_size = PyFloat_Type;
    unicode_size = PyUnicode_Type;
    tuple_size = PyTuple_Type;
    list_size = PyList_Type;
    dict_size = PyDict_Type;
}
