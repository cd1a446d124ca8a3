//! Text: what is not UTF-8 ends the process in PyPy, or becomes a str that is none.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use core::slice;

use hpy_abi::{HPy, HPyContext, wchar_t};

use super::{call_builtin, close, fail, host, raise};

/// Whether a C string is UTF-8. If it is not, a UnicodeDecodeError is set that says why.
///
/// # Safety
/// As for every function of the context; a C string.
pub(super) unsafe fn is_utf8(ctx: *mut HPyContext, text: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    unsafe { is_ascii(text) || is_other_utf8(ctx, text) }
}

/// Whether a C string is ASCII, as nearly all are. Names are short: to look for the end first takes longer than all of this.
///
/// # Safety
/// A C string.
#[inline]
unsafe fn is_ascii(text: *const c_char) -> bool {
    let mut at = text.cast::<u8>();
    // SAFETY: not beyond the zero at its end.
    unsafe {
        while (1..0x80).contains(&*at) {
            at = at.add(1);
        }
        *at == 0
    }
}

/// The same for text that is not ASCII.
#[cold]
unsafe fn is_other_utf8(ctx: *mut HPyContext, text: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if CStr::from_ptr(text).to_str().is_ok() {
            return true;
        }
        let object = (host().ctx_Bytes_FromString)(ctx, text);
        if !object.is_null() {
            let made = (host().ctx_Unicode_FromEncodedObject)(
                ctx,
                object,
                c"utf-8".as_ptr(),
                c"strict".as_ptr(),
            );
            close(ctx, &[made, object]);
        }
        false
    }
}

/// The host's function if the text is UTF-8, else the value that stands for an exception.
macro_rules! checked {
    ($ctx:ident, $text:ident, $call:expr, $wrong:expr) => {
        // SAFETY: as every function of the context, with a C string.
        unsafe { if is_utf8($ctx, $text) { $call } else { $wrong } }
    };
}

pub(super) unsafe extern "C" fn from_string(ctx: *mut HPyContext, utf8: *const c_char) -> HPy {
    checked!(ctx, utf8, (host().ctx_Unicode_FromString)(ctx, utf8), HPy::NULL)
}

pub(super) unsafe extern "C" fn get_attr(ctx: *mut HPyContext, h: HPy, name: *const c_char) -> HPy {
    checked!(ctx, name, (host().ctx_GetAttr_s)(ctx, h, name), HPy::NULL)
}

/// A name that is none is no attribute; no exception is left.
pub(super) unsafe extern "C" fn has_attr(
    ctx: *mut HPyContext,
    h: HPy,
    name: *const c_char,
) -> c_int {
    checked!(ctx, name, (host().ctx_HasAttr_s)(ctx, h, name), {
        (host().ctx_Err_Clear)(ctx);
        0
    })
}

pub(super) unsafe extern "C" fn set_attr(
    ctx: *mut HPyContext,
    h: HPy,
    name: *const c_char,
    value: HPy,
) -> c_int {
    checked!(ctx, name, (host().ctx_SetAttr_s)(ctx, h, name, value), -1)
}

pub(super) unsafe extern "C" fn get_item(ctx: *mut HPyContext, h: HPy, key: *const c_char) -> HPy {
    checked!(ctx, key, (host().ctx_GetItem_s)(ctx, h, key), HPy::NULL)
}

pub(super) unsafe extern "C" fn set_item(
    ctx: *mut HPyContext,
    h: HPy,
    key: *const c_char,
    value: HPy,
) -> c_int {
    checked!(ctx, key, (host().ctx_SetItem_s)(ctx, h, key, value), -1)
}

pub(super) unsafe extern "C" fn del_item(
    ctx: *mut HPyContext,
    h: HPy,
    key: *const c_char,
) -> c_int {
    checked!(ctx, key, (host().ctx_DelItem_s)(ctx, h, key), -1)
}

pub(super) unsafe extern "C" fn import_module(ctx: *mut HPyContext, name: *const c_char) -> HPy {
    checked!(ctx, name, (host().ctx_Import_ImportModule)(ctx, name), HPy::NULL)
}

/// PyPy's knows no text that ends with a zero.
pub(super) unsafe extern "C" fn from_wide_char(
    ctx: *mut HPyContext,
    text: *const wchar_t,
    size: isize,
) -> HPy {
    // SAFETY: as every function of the context; without a size, a zero ends the text.
    unsafe {
        if text.is_null() && size != 0 {
            let message = c"HPyUnicode_FromWideChar: the text is NULL and its size is not 0";
            return fail(ctx, host().h_SystemError, message);
        }
        if text.is_null() {
            return from_string(ctx, c"".as_ptr());
        }
        let size = if size == -1 { length(text) } else { size };
        (host().ctx_Unicode_FromWideChar)(ctx, text, size)
    }
}

/// How many characters there are before the zero.
unsafe fn length(text: *const wchar_t) -> isize {
    let mut length = 0;
    // SAFETY: not beyond the zero.
    while unsafe { *text.offset(length) } != 0 {
        length += 1;
    }
    length
}

/// PyPy's takes bytes, and of all others that have a buffer bytearrays only.
pub(super) unsafe extern "C" fn from_encoded_object(
    ctx: *mut HPyContext,
    object: HPy,
    encoding: *const c_char,
    errors: *const c_char,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        if object.is_null() {
            let message = c"HPyUnicode_FromEncodedObject: the object is HPy_NULL";
            return fail(ctx, host().h_SystemError, message);
        }
        let memory = call_memoryview(ctx, object);
        if memory.is_null() {
            return (host().ctx_Unicode_FromEncodedObject)(ctx, object, encoding, errors);
        }
        let bytes = (host().ctx_Bytes)(ctx, memory);
        let made = if bytes.is_null() {
            HPy::NULL
        } else {
            (host().ctx_Unicode_FromEncodedObject)(ctx, bytes, encoding, errors)
        };
        close(ctx, &[memory, bytes]);
        made
    }
}

/// A view of an object's memory; null without an exception where bytes or something without memory is.
unsafe fn call_memoryview(ctx: *mut HPyContext, object: HPy) -> HPy {
    // SAFETY: as above.
    unsafe {
        if (host().ctx_Bytes_Check)(ctx, object) != 0 {
            return HPy::NULL;
        }
        let memory = call_builtin(ctx, c"memoryview", &[object]);
        if memory.is_null() {
            (host().ctx_Err_Clear)(ctx);
        }
        memory
    }
}

/// PyPy's hands out the bytes of surrogates, which are no UTF-8.
pub(super) unsafe extern "C" fn as_utf8_and_size(
    ctx: *mut HPyContext,
    h: HPy,
    size: *mut isize,
) -> *const c_char {
    // SAFETY: as above; so many bytes.
    unsafe {
        let mut length = 0;
        let text = (host().ctx_Unicode_AsUTF8AndSize)(ctx, h, &raw mut length);
        if text.is_null() {
            return text;
        }
        let bytes = slice::from_raw_parts(text.cast::<u8>(), length.unsigned_abs());
        if has_surrogate(bytes) {
            // It fails, with the error that is wanted.
            close(ctx, &[(host().ctx_Unicode_AsUTF8String)(ctx, h)]);
            return ptr::null();
        }
        if let Some(size) = size.as_mut() {
            *size = length;
        }
        text
    }
}

/// Whether text that is UTF-8 but for surrogates has one: they are ED and then A0 or more.
fn has_surrogate(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair[0] == 0xED && pair[1] >= 0xA0)
}

/// Whether an object is a str; else a TypeError is set.
unsafe fn is_text(ctx: *mut HPyContext, h: HPy) -> bool {
    // SAFETY: as above.
    unsafe {
        let is = (host().ctx_Unicode_Check)(ctx, h) != 0;
        if !is {
            raise(ctx, host().h_TypeError, c"a str is needed");
        }
        is
    }
}

pub(super) unsafe extern "C" fn as_utf8_string(ctx: *mut HPyContext, h: HPy) -> HPy {
    // SAFETY: as above.
    unsafe { if is_text(ctx, h) { (host().ctx_Unicode_AsUTF8String)(ctx, h) } else { HPy::NULL } }
}

pub(super) unsafe extern "C" fn encode_fs_default(ctx: *mut HPyContext, h: HPy) -> HPy {
    // SAFETY: as above.
    unsafe {
        if is_text(ctx, h) { (host().ctx_Unicode_EncodeFSDefault)(ctx, h) } else { HPy::NULL }
    }
}

/// PyPy's does not call `repr`, and ends the process with null.
pub(super) unsafe extern "C" fn dump(ctx: *mut HPyContext, h: HPy) {
    if h.is_null() {
        eprintln!("object      : HPy_NULL");
        return;
    }
    // SAFETY: as above; a C string.
    unsafe {
        (host().ctx_Dump)(ctx, h);
        if (host().ctx_Err_Occurred)(ctx) != 0 {
            return; // Python code is not run while there is one
        }
        let repr = (host().ctx_Repr)(ctx, h);
        if !repr.is_null() {
            let text = (host().ctx_Unicode_AsUTF8AndSize)(ctx, repr, ptr::null_mut());
            if !text.is_null() {
                eprintln!("object repr     : {}", CStr::from_ptr(text).to_string_lossy());
            }
            close(ctx, &[repr]);
        }
        (host().ctx_Err_Clear)(ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::has_surrogate;

    #[test]
    fn surrogates_are_told_from_what_is_near_them() {
        assert!(has_surrogate(b"a\xed\xa0\x80") && has_surrogate(b"\xed\xbf\xbf"));
        assert!(!has_surrogate("a\u{d7ff}\u{e000}\u{ffff}\u{10ffff}".as_bytes()));
    }
}
