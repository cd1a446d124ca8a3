//! Lists, tuples and bytes: PyPy's functions do not look whether they got one, nor at sizes.

use core::ffi::{CStr, c_int};
use std::ffi::CString;

use hpy_abi::{HPy, HPyContext};

use super::{call_builtin, close, fail, failed_with, host, raise, type_has};

pub(super) unsafe extern "C" fn new_list(ctx: *mut HPyContext, len: isize) -> HPy {
    // SAFETY: as every function of the context.
    unsafe {
        if len < 0 {
            return fail(ctx, host().h_SystemError, c"HPyList_New: the length is negative");
        }
        (host().ctx_List_New)(ctx, len)
    }
}

pub(super) unsafe extern "C" fn append(ctx: *mut HPyContext, list: HPy, item: HPy) -> c_int {
    // SAFETY: as above.
    unsafe {
        if (host().ctx_List_Check)(ctx, list) == 0 {
            raise(ctx, host().h_SystemError, c"HPyList_Append needs a list");
            return -1;
        }
        (host().ctx_List_Append)(ctx, list, item)
    }
}

pub(super) unsafe extern "C" fn tuple_from_array(
    ctx: *mut HPyContext,
    items: *const HPy,
    n: isize,
) -> HPy {
    // SAFETY: as above; so many handles.
    unsafe {
        if n < 0 {
            return fail(ctx, host().h_SystemError, c"HPyTuple_FromArray: the length is negative");
        }
        (host().ctx_Tuple_FromArray)(ctx, items, n)
    }
}

pub(super) unsafe extern "C" fn bytes_size(ctx: *mut HPyContext, h: HPy) -> isize {
    // SAFETY: as above.
    unsafe {
        if (host().ctx_Bytes_Check)(ctx, h) == 0 {
            let class = (host().ctx_Type)(ctx, h);
            let name = (host().ctx_Type_GetName)(ctx, class);
            if !name.is_null() {
                let found = CStr::from_ptr(name).to_string_lossy();
                let message = CString::new(format!("HPyBytes_Size needs bytes, not {found}"));
                raise(ctx, host().h_TypeError, &message.unwrap_or_default());
            }
            close(ctx, &[class]);
            return -1;
        }
        (host().ctx_Bytes_Size)(ctx, h)
    }
}

/// PyPy's takes what has `__bytes__` or a buffer, and no list of numbers.
pub(super) unsafe extern "C" fn bytes(ctx: *mut HPyContext, object: HPy) -> HPy {
    // SAFETY: as above.
    unsafe {
        let made = (host().ctx_Bytes)(ctx, object);
        let is_sequence = made.is_null()
            && failed_with(ctx, host().h_TypeError)
            && !type_has(ctx, object, c"__bytes__")
            && !type_has(ctx, object, c"__index__")
            && type_has(ctx, object, c"__iter__")
            && (host().ctx_Unicode_Check)(ctx, object) == 0;
        if !is_sequence {
            return made;
        }
        (host().ctx_Err_Clear)(ctx);
        call_builtin(ctx, c"bytes", &[object])
    }
}
