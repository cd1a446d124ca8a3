//! Conversions between C integers and `int`.
//!
//! Which objects are accepted follows the Python/C API: the signed and the masking conversions take
//! anything with `__index__`, the unsigned ones only `int`.

use core::ffi::{c_long, c_ulong};

use hpy_abi::{HPy, HPyContext};

use crate::error::raise;
use crate::handle::{hpy, py};
use crate::layout::{self, ffi};

/// Whether `long` has 64 bits; if so, its conversions are taken for `int64_t` too, because CPython
/// has made them the faster ones.
const LONG_IS_64: bool = size_of::<c_long>() == 8;

/// `HPyLong_FromInt32_t`
pub(crate) unsafe extern "C" fn ctx_Long_FromInt32_t(_ctx: *mut HPyContext, value: i32) -> HPy {
    // SAFETY: the interpreter is attached.
    hpy(unsafe { ffi::PyLong_FromLong(c_long::from(value)) })
}

/// `HPyLong_FromUInt32_t`
pub(crate) unsafe extern "C" fn ctx_Long_FromUInt32_t(_ctx: *mut HPyContext, value: u32) -> HPy {
    // SAFETY: the interpreter is attached.
    hpy(unsafe { ffi::PyLong_FromUnsignedLong(c_ulong::from(value)) })
}

/// `HPyLong_FromInt64_t`
pub(crate) unsafe extern "C" fn ctx_Long_FromInt64_t(_ctx: *mut HPyContext, v: i64) -> HPy {
    // SAFETY: the interpreter is attached.
    hpy(unsafe {
        if LONG_IS_64 { ffi::PyLong_FromLong(v as c_long) } else { ffi::PyLong_FromLongLong(v) }
    })
}

/// `HPyLong_FromUInt64_t`
pub(crate) unsafe extern "C" fn ctx_Long_FromUInt64_t(_ctx: *mut HPyContext, v: u64) -> HPy {
    // SAFETY: the interpreter is attached.
    hpy(unsafe {
        if LONG_IS_64 {
            ffi::PyLong_FromUnsignedLong(v as c_ulong)
        } else {
            ffi::PyLong_FromUnsignedLongLong(v)
        }
    })
}

/// `HPyLong_AsInt32_t`
pub(crate) unsafe extern "C" fn ctx_Long_AsInt32_t(_ctx: *mut HPyContext, h: HPy) -> i32 {
    // SAFETY: the handle is open.
    let value = unsafe { ffi::PyLong_AsLong(py(h)) };
    i32::try_from(value).unwrap_or_else(|_| {
        // SAFETY: the interpreter is attached. The value is not -1, so no exception is set yet.
        unsafe { overflow("the int does not fit into int32_t (-2147483648 to 2147483647)") };
        -1
    })
}

/// `HPyLong_AsUInt32_t`
pub(crate) unsafe extern "C" fn ctx_Long_AsUInt32_t(_ctx: *mut HPyContext, h: HPy) -> u32 {
    // SAFETY: the handle is open.
    let value = unsafe { ffi::PyLong_AsUnsignedLong(py(h)) };
    u32::try_from(value).unwrap_or_else(|_| {
        // SAFETY: the interpreter is attached.
        unsafe {
            if value != c_ulong::MAX || ffi::PyErr_Occurred().is_null() {
                overflow("the int does not fit into uint32_t (0 to 4294967295)");
            }
        }
        u32::MAX
    })
}

/// `HPyLong_AsUInt32_tMask`
pub(crate) unsafe extern "C" fn ctx_Long_AsUInt32_tMask(_ctx: *mut HPyContext, h: HPy) -> u32 {
    // SAFETY: the handle is open.
    unsafe { ffi::PyLong_AsUnsignedLongMask(py(h)) as u32 }
}

/// `HPyLong_AsInt64_t`
pub(crate) unsafe extern "C" fn ctx_Long_AsInt64_t(_ctx: *mut HPyContext, h: HPy) -> i64 {
    // SAFETY: the handle is open.
    unsafe {
        if let Some(value) = layout::small_int(py(h)) {
            return value;
        }
        if LONG_IS_64 { ffi::PyLong_AsLong(py(h)) as i64 } else { ffi::PyLong_AsLongLong(py(h)) }
    }
}

/// `HPyLong_AsUInt64_t`
pub(crate) unsafe extern "C" fn ctx_Long_AsUInt64_t(_ctx: *mut HPyContext, h: HPy) -> u64 {
    // SAFETY: the handle is open.
    unsafe {
        if LONG_IS_64 {
            ffi::PyLong_AsUnsignedLong(py(h)) as u64
        } else {
            ffi::PyLong_AsUnsignedLongLong(py(h))
        }
    }
}

/// `HPyLong_AsUInt64_tMask`
pub(crate) unsafe extern "C" fn ctx_Long_AsUInt64_tMask(_ctx: *mut HPyContext, h: HPy) -> u64 {
    // SAFETY: the handle is open.
    unsafe { ffi::PyLong_AsUnsignedLongLongMask(py(h)) }
}

/// # Safety
/// The interpreter is attached.
#[cold]
unsafe fn overflow(message: &str) {
    // SAFETY: the caller's promise.
    unsafe { raise(ffi::PyExc_OverflowError, message) };
}
