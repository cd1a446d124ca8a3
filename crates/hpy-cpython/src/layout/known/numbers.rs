//! What is read from numbers without a call.

use pyo3_ffi as ffi;

/// The value of an `int` of one digit, or none.
///
/// # Safety
/// The object is alive.
#[inline(always)]
pub(crate) unsafe fn small_int(object: *mut ffi::PyObject) -> Option<i64> {
    /// What every `int` begins with in CPython 3.9 to 3.14.
    #[repr(C)]
    struct Int {
        header: ffi::PyObject,
        /// Until 3.11 the number of digits, negative for a negative int; later that number above three
        /// bits, of which the lower two tell the sign: 0 positive, 1 zero, 2 negative.
        size: isize,
        digit: u32,
    }
    // SAFETY: an instance of a subclass of int has the layout of int.
    unsafe {
        if cfg!(Py_3_15) || ffi::PyLong_Check(object) == 0 {
            return None;
        }
        let int = object.cast::<Int>();
        let sign = if cfg!(Py_3_12) {
            if (*int).size as usize >= 2 << 3 {
                return None;
            }
            1 - ((*int).size & 3)
        } else {
            if !(-1..=1).contains(&(*int).size) {
                return None;
            }
            (*int).size
        };
        Some(sign as i64 * i64::from((*int).digit))
    }
}

/// How many bytes the digits of an `int` take.
///
/// # Safety
/// The object is an instance of `int`.
pub(crate) unsafe fn digits_size(object: *mut ffi::PyObject) -> usize {
    // SAFETY: the object is an int. Since 3.12 the number of digits is above the three tag bits of the first word behind the header;
    // before, it is the size, which is negative for a negative int.
    unsafe {
        #[cfg(Py_3_12)]
        let digits = *object.cast::<ffi::PyObject>().add(1).cast::<usize>() >> 3;
        #[cfg(not(Py_3_12))]
        let digits = ffi::Py_SIZE(object).unsigned_abs();
        digits * ffi::PyLong_Type.tp_itemsize as usize
    }
}

/// The value of an exact `float`.
///
/// # Safety
/// The object is alive.
#[inline(always)]
pub(crate) unsafe fn exact_float(object: *mut ffi::PyObject) -> Option<f64> {
    // SAFETY: an exact float has the layout of one.
    unsafe {
        (ffi::PyFloat_CheckExact(object) != 0)
            .then(|| (*object.cast::<ffi::PyFloatObject>()).ob_fval)
    }
}
