//! The little of Python that is needed here: arguments to Rust, results to Python.

use core::ffi::CStr;
use core::ptr;
use core::slice;

use hpy_abi::{HPy, HPyContext};

/// The interpreter during a call.
#[derive(Clone, Copy)]
pub(crate) struct Python {
    ctx: *mut HPyContext,
}

impl Python {
    /// # Safety
    /// The context is the host's, the interpreter is attached, and stays so as long as the result is used.
    pub unsafe fn new(ctx: *mut HPyContext) -> Self {
        Self { ctx }
    }

    fn api(&self) -> &HPyContext {
        // SAFETY: `new` was promised that it is valid.
        unsafe { &*self.ctx }
    }

    /// The text of a str, which must be one; None with an exception set.
    pub fn text(self, h: HPy) -> Option<String> {
        let mut length = 0;
        // SAFETY: an open handle, as each argument of a call is.
        let text = unsafe { (self.api().ctx_Unicode_AsUTF8AndSize)(self.ctx, h, &raw mut length) };
        if text.is_null() {
            return None;
        }
        // SAFETY: so many bytes of UTF-8, which live as long as the object.
        let bytes = unsafe { slice::from_raw_parts(text.cast::<u8>(), length.unsigned_abs()) };
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Whether an object is true.
    pub fn is_true(self, h: HPy) -> bool {
        // SAFETY: as above.
        unsafe { (self.api().ctx_IsTrue)(self.ctx, h) == 1 }
    }

    /// A new handle of a str; null with an exception set.
    pub fn str(self, text: &str) -> HPy {
        let text: String = text.chars().filter(|&c| c != '\0').collect();
        let Ok(text) = std::ffi::CString::new(text) else { return HPy::NULL };
        self.c_str(&text)
    }

    /// The same for a C string.
    pub fn c_str(self, text: &CStr) -> HPy {
        // SAFETY: a C string.
        unsafe { (self.api().ctx_Unicode_FromString)(self.ctx, text.as_ptr()) }
    }

    /// A new handle of None.
    pub fn none(self) -> HPy {
        // SAFETY: a handle of the context.
        unsafe { (self.api().ctx_Dup)(self.ctx, self.api().h_None) }
    }

    /// A new handle of a tuple, which takes the items over; null with an exception set.
    pub fn tuple<const N: usize>(self, items: [HPy; N]) -> HPy {
        let made = if items.iter().any(|item| item.is_null()) {
            HPy::NULL
        } else {
            // SAFETY: so many open handles.
            unsafe { (self.api().ctx_Tuple_FromArray)(self.ctx, items.as_ptr(), N.cast_signed()) }
        };
        for item in items {
            // SAFETY: ours; null is let through.
            unsafe { (self.api().ctx_Close)(self.ctx, item) };
        }
        made
    }

    /// Raises a TypeError.
    pub fn type_error(self, message: &CStr) -> HPy {
        // SAFETY: a handle of the context, and a C string.
        unsafe {
            (self.api().ctx_Err_SetString)(self.ctx, self.api().h_TypeError, message.as_ptr())
        };
        HPy::NULL
    }
}

/// The arguments of a call.
///
/// # Safety
/// What the host handed over.
pub(crate) unsafe fn arguments<'a>(args: *const HPy, count: usize) -> &'a [HPy] {
    let args = if count == 0 { ptr::NonNull::dangling().as_ptr() } else { args.cast_mut() };
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(args, count) }
}
