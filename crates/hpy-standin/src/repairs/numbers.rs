//! Numbers: PyPy takes floats for ints, and cuts what does not fit into 32 bits.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPy, HPyContext};

use super::{call, close, failed_with, host, raise, type_has};

/// Reads an int, or what `__index__` gives, with a function of the host. `wrong` is the result with an exception.
///
/// # Safety
/// As for every function of the context.
unsafe fn indexed<T>(
    ctx: *mut HPyContext,
    h: HPy,
    read: unsafe extern "C" fn(*mut HPyContext, HPy) -> T,
    wrong: T,
) -> T {
    // SAFETY: the caller's promise.
    unsafe {
        if is_int(ctx, h) {
            return read(ctx, h);
        }
        let index = (host().ctx_Index)(ctx, h);
        if index.is_null() {
            return wrong;
        }
        let value = read(ctx, index);
        (host().ctx_Close)(ctx, index);
        value
    }
}

unsafe fn is_int(ctx: *mut HPyContext, h: HPy) -> bool {
    // SAFETY: as above.
    unsafe { (host().ctx_TypeCheck)(ctx, h, host().h_LongType) != 0 }
}

unsafe fn overflow(ctx: *mut HPyContext) {
    // SAFETY: as above.
    unsafe { raise(ctx, host().h_OverflowError, c"the int is too large for the C type") };
}

pub(super) unsafe extern "C" fn as_int64(ctx: *mut HPyContext, h: HPy) -> i64 {
    // SAFETY: as above.
    unsafe { indexed(ctx, h, host().ctx_Long_AsInt64_t, -1) }
}

pub(super) unsafe extern "C" fn as_int32(ctx: *mut HPyContext, h: HPy) -> i32 {
    // SAFETY: as above.
    unsafe {
        i32::try_from(as_int64(ctx, h)).unwrap_or_else(|_| {
            overflow(ctx);
            -1
        })
    }
}

pub(super) unsafe extern "C" fn as_uint32(ctx: *mut HPyContext, h: HPy) -> u32 {
    // SAFETY: as above.
    unsafe {
        let value = (host().ctx_Long_AsUInt64_t)(ctx, h);
        u32::try_from(value).unwrap_or_else(|_| {
            if value != u64::MAX || (host().ctx_Err_Occurred)(ctx) == 0 {
                overflow(ctx);
            }
            u32::MAX
        })
    }
}

pub(super) unsafe extern "C" fn as_uint32_mask(ctx: *mut HPyContext, h: HPy) -> u32 {
    // SAFETY: as above.
    unsafe { indexed(ctx, h, host().ctx_Long_AsUInt32_tMask, u32::MAX) }
}

pub(super) unsafe extern "C" fn as_uint64_mask(ctx: *mut HPyContext, h: HPy) -> u64 {
    // SAFETY: as above.
    unsafe { indexed(ctx, h, host().ctx_Long_AsUInt64_tMask, u64::MAX) }
}

/// PyPy's refuses the upper half of the addresses.
pub(super) unsafe extern "C" fn as_void_ptr(ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    // SAFETY: as above.
    unsafe {
        let address = (host().ctx_Long_AsUInt64_t)(ctx, h);
        if address != u64::MAX || (host().ctx_Err_Occurred)(ctx) == 0 {
            return address as *mut c_void;
        }
        if !failed_with(ctx, host().h_OverflowError) {
            return ptr::null_mut();
        }
        (host().ctx_Err_Clear)(ctx);
        let address = (host().ctx_Long_AsInt64_t)(ctx, h);
        let failed = address == -1 && (host().ctx_Err_Occurred)(ctx) != 0;
        if failed { ptr::null_mut() } else { address as *mut c_void }
    }
}

pub(super) unsafe extern "C" fn as_double(ctx: *mut HPyContext, h: HPy) -> f64 {
    // SAFETY: as above.
    unsafe {
        if is_int(ctx, h) {
            return (host().ctx_Long_AsDouble)(ctx, h);
        }
        raise(ctx, host().h_TypeError, c"HPyLong_AsDouble needs an int");
        -1.0
    }
}

/// PyPy's does not ask `__index__`.
pub(super) unsafe extern "C" fn float_as_double(ctx: *mut HPyContext, h: HPy) -> f64 {
    // SAFETY: as above.
    unsafe {
        let value = (host().ctx_Float_AsDouble)(ctx, h);
        #[expect(clippy::float_cmp, reason = "the value that may stand for an exception")]
        let suspicious = value == -1.0 && failed_with(ctx, host().h_TypeError);
        if !suspicious || type_has(ctx, h, c"__float__") || !type_has(ctx, h, c"__index__") {
            return value;
        }
        (host().ctx_Err_Clear)(ctx);
        let index = (host().ctx_Index)(ctx, h);
        if index.is_null() {
            return -1.0;
        }
        let value = (host().ctx_Float_AsDouble)(ctx, index);
        (host().ctx_Close)(ctx, index);
        value
    }
}

/// PyPy's knows neither complex numbers nor all objects that can be made one.
pub(super) unsafe extern "C" fn check(ctx: *mut HPyContext, h: HPy) -> c_int {
    // SAFETY: as above.
    unsafe {
        let known = (host().ctx_Number_Check)(ctx, h);
        if known != 0 {
            return known;
        }
        let has = |name| type_has(ctx, h, name);
        let is = (host().ctx_TypeCheck)(ctx, h, host().h_ComplexType) != 0
            || has(c"__index__")
            || has(c"__int__")
            || has(c"__float__");
        c_int::from(is)
    }
}

/// PyPy's forgets the modulus. An `__ipow__` does not want it; what comes after that does.
pub(super) unsafe extern "C" fn in_place_power(
    ctx: *mut HPyContext,
    base: HPy,
    exponent: HPy,
    modulus: HPy,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        let without = (host().ctx_Is)(ctx, modulus, host().h_None) != 0;
        if without {
            return (host().ctx_InPlacePower)(ctx, base, exponent, modulus);
        }
        if type_has(ctx, base, c"__ipow__") {
            let method = (host().ctx_GetAttr_s)(ctx, base, c"__ipow__".as_ptr());
            let result = call(ctx, method, &[exponent]);
            close(ctx, &[method]);
            if result.is_null() || (host().ctx_Is)(ctx, result, host().h_NotImplemented) == 0 {
                return result;
            }
            close(ctx, &[result]);
        }
        (host().ctx_Power)(ctx, base, exponent, modulus)
    }
}
