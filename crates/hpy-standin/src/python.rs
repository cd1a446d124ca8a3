//! The little of Python that is needed here: arguments to Rust, results to Python.

use core::ffi::CStr;
use core::ptr;
use core::slice;

use hpy_abi::{HPy, HPyContext};

use crate::module::Global;

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

    /// The context of the call.
    pub fn context(self) -> *mut HPyContext {
        self.ctx
    }

    /// Whether an object is None.
    pub fn is_none(self, h: HPy) -> bool {
        // SAFETY: an open handle, and one of the context.
        unsafe { (self.api().ctx_Is)(self.ctx, h, self.api().h_None) != 0 }
    }

    /// The number of an int that is not negative; None with an exception set.
    pub fn number(self, h: HPy) -> Option<u64> {
        // SAFETY: an open handle, as each argument of a call is.
        unsafe {
            let number = (self.api().ctx_Long_AsUInt64_t)(self.ctx, h);
            let failed = number == u64::MAX && (self.api().ctx_Err_Occurred)(self.ctx) != 0;
            (!failed).then_some(number)
        }
    }

    /// The same, and None without an exception for None.
    pub fn number_or_none(self, h: HPy) -> Option<u64> {
        if self.is_none(h) { None } else { self.number(h) }
    }

    /// A new handle of an int; null with an exception set.
    pub fn int(self, number: u64) -> HPy {
        // SAFETY: any number will do.
        unsafe { (self.api().ctx_Long_FromUInt64_t)(self.ctx, number) }
    }

    /// A new handle of a bool.
    pub fn bool(self, value: bool) -> HPy {
        // SAFETY: any value will do.
        unsafe { (self.api().ctx_Bool_FromBool)(self.ctx, value) }
    }

    /// A new handle of a list, which takes the items over; null with an exception set.
    pub fn list(self, items: impl Iterator<Item = HPy>) -> HPy {
        // SAFETY: open handles, or null, which stands for an exception.
        unsafe {
            let list = (self.api().ctx_List_New)(self.ctx, 0);
            let mut failed = list.is_null();
            for item in items {
                failed = failed
                    || item.is_null()
                    || (self.api().ctx_List_Append)(self.ctx, list, item) < 0;
                (self.api().ctx_Close)(self.ctx, item);
            }
            if failed {
                (self.api().ctx_Close)(self.ctx, list);
                return HPy::NULL;
            }
            list
        }
    }

    /// Puts an object into a variable of the module.
    pub fn store(self, global: &Global, h: HPy) {
        // SAFETY: the variable is one of the module's; an open handle.
        unsafe { (self.api().ctx_Global_Store)(self.ctx, global.get(), h) };
    }

    /// Calls the function in a variable with texts: a new handle of its result; null with an exception set.
    fn call(self, global: &Global, texts: &[&str]) -> HPy {
        // SAFETY: the variable is one of the module's; handles are closed once.
        unsafe {
            let function = (self.api().ctx_Global_Load)(self.ctx, global.get().read());
            let args: Vec<_> = texts.iter().map(|text| self.str(text)).collect();
            let tuple =
                (self.api().ctx_Tuple_FromArray)(self.ctx, args.as_ptr(), args.len().cast_signed());
            let result = (self.api().ctx_CallTupleDict)(self.ctx, function, tuple, HPy::NULL);
            args.into_iter().chain([function, tuple]).for_each(|h| {
                (self.api().ctx_Close)(self.ctx, h);
            });
            result
        }
    }

    /// The str that the function in a variable makes of texts. An exception is told and forgotten.
    pub fn ask(self, global: &Global, texts: &[&str]) -> Option<String> {
        let result = self.call(global, texts);
        let text = if result.is_null() { None } else { self.text(result) };
        if text.is_none() {
            self.write_unraisable();
        }
        // SAFETY: ours; null is let through.
        unsafe { (self.api().ctx_Close)(self.ctx, result) };
        text
    }

    /// Calls the function in a variable with texts. An exception is told and forgotten.
    pub fn tell(self, global: &Global, texts: &[&str]) {
        let result = self.call(global, texts);
        if result.is_null() {
            self.write_unraisable();
        }
        // SAFETY: as above.
        unsafe { (self.api().ctx_Close)(self.ctx, result) };
    }

    fn write_unraisable(self) {
        // SAFETY: a handle of the context.
        unsafe { (self.api().ctx_Err_WriteUnraisable)(self.ctx, self.api().h_None) };
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
