//! Exceptions: PyPy makes a TypeError of what is no exception class, and ends the process with null and with texts that are not UTF-8.

use core::ffi::{CStr, c_char, c_int};
use core::slice;
use std::ffi::CString;

use hpy_abi::{HPy, HPyContext};

use super::text::{from_string, is_utf8};
use super::{call, close, host, raise};

/// Whether an object is an exception class; else a SystemError is set.
///
/// # Safety
/// As for every function of the context.
unsafe fn is_exception_class(ctx: *mut HPyContext, class: HPy) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let is = (host().ctx_TypeCheck)(ctx, class, host().h_TypeType) != 0
            && (host().ctx_Type_IsSubtype)(ctx, class, host().h_BaseException) != 0;
        if !is {
            let message =
                c"an exception is to be set whose class does not derive from BaseException";
            raise(ctx, host().h_SystemError, message);
        }
        is
    }
}

pub(super) unsafe extern "C" fn set_string(
    ctx: *mut HPyContext,
    class: HPy,
    message: *const c_char,
) {
    // SAFETY: as above.
    unsafe {
        if is_constant(class) {
            if is_utf8(ctx, message) {
                (host().ctx_Err_SetString)(ctx, class, message);
            }
            return;
        }
        let text = from_string(ctx, message);
        if !text.is_null() {
            set_object(ctx, class, text);
            close(ctx, &[text]);
        }
    }
}

/// Whether a class is one of the context's exceptions: what they are is known.
fn is_constant(class: HPy) -> bool {
    let api = host();
    let first = &raw const api.h_BaseException;
    let last = &raw const api.h_ResourceWarning;
    // SAFETY: the members between the two are handles.
    let handles =
        unsafe { slice::from_raw_parts(first, last.offset_from(first).unsigned_abs() + 1) };
    handles.contains(&class)
}

/// PyPy makes the exception only when it is looked at, and what is raised then is raised too late.
pub(super) unsafe extern "C" fn set_object(ctx: *mut HPyContext, class: HPy, value: HPy) {
    // SAFETY: as above.
    unsafe {
        if !is_exception_class(ctx, class) {
            return;
        }
        let value = if value.is_null() { host().h_None } else { value };
        if (host().ctx_TypeCheck)(ctx, value, class) != 0 {
            return (host().ctx_Err_SetObject)(ctx, class, value);
        }
        let made = if (host().ctx_Is)(ctx, value, host().h_None) != 0 {
            call(ctx, class, &[])
        } else if (host().ctx_Tuple_Check)(ctx, value) != 0 {
            (host().ctx_CallTupleDict)(ctx, class, value, HPy::NULL)
        } else {
            call(ctx, class, &[value])
        };
        if !made.is_null() {
            (host().ctx_Err_SetObject)(ctx, class, made);
            close(ctx, &[made]);
        }
    }
}

pub(super) unsafe extern "C" fn set_from_errno(
    ctx: *mut HPyContext,
    class: HPy,
    filename: *const c_char,
) -> HPy {
    let errno = Errno::now();
    // SAFETY: as above; a C string or null.
    unsafe {
        let name = if filename.is_null() {
            HPy::NULL
        } else {
            (host().ctx_Unicode_DecodeFSDefault)(ctx, filename)
        };
        if name.is_null() && !filename.is_null() {
            return HPy::NULL;
        }
        errno.restore();
        set_from_errno_objects(ctx, class, name, HPy::NULL);
        close(ctx, &[name]);
        HPy::NULL
    }
}

pub(super) unsafe extern "C" fn set_from_errno_objects(
    ctx: *mut HPyContext,
    class: HPy,
    first: HPy,
    second: HPy,
) {
    let errno = Errno::now();
    // SAFETY: as above.
    unsafe {
        // What is no class, PyPy refuses with the TypeError that is wanted.
        let is_class = (host().ctx_TypeCheck)(ctx, class, host().h_TypeType) != 0;
        if is_class && !is_exception_class(ctx, class) {
            return;
        }
        if second.is_null() {
            errno.restore();
            (host().ctx_Err_SetFromErrnoWithFilenameObjects)(ctx, class, first, second);
        } else {
            set_with_two(ctx, class, &errno, [first, second]);
        }
    }
}

/// Of PyPy, an exception with two files has a null among its arguments.
///
/// # Safety
/// As above; two files.
unsafe fn set_with_two(ctx: *mut HPyContext, class: HPy, errno: &Errno, files: [HPy; 2]) {
    // SAFETY: the caller's promise; the message is a C string.
    unsafe {
        let number = (host().ctx_Long_FromInt32_t)(ctx, errno.0);
        let message = (host().ctx_Unicode_DecodeFSDefault)(ctx, libc::strerror(errno.0));
        let zero = (host().ctx_Long_FromInt32_t)(ctx, 0);
        let made = call(ctx, class, &[number, message, files[0], zero, files[1]]);
        if !made.is_null() {
            set_object(ctx, class, made);
        }
        close(ctx, &[number, message, zero, made]);
    }
}

/// What C's last error was: what is called in between may have one of its own.
struct Errno(c_int);

impl Errno {
    fn now() -> Self {
        // SAFETY: the address is that of this thread's variable.
        Self(unsafe { *libc::__errno_location() })
    }

    fn restore(&self) {
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = self.0 };
    }
}

pub(super) unsafe extern "C" fn new_exception(
    ctx: *mut HPyContext,
    name: *const c_char,
    base: HPy,
    dict: HPy,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        if has_module(ctx, name, dict) {
            let made = (host().ctx_Err_NewException)(ctx, name, base, dict);
            of_module(ctx, made, dict)
        } else {
            HPy::NULL
        }
    }
}

pub(super) unsafe extern "C" fn new_exception_with_doc(
    ctx: *mut HPyContext,
    name: *const c_char,
    doc: *const c_char,
    base: HPy,
    dict: HPy,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        let texts_are_right = has_module(ctx, name, dict) && (doc.is_null() || is_utf8(ctx, doc));
        if texts_are_right {
            let made = (host().ctx_Err_NewExceptionWithDoc)(ctx, name, doc, base, dict);
            of_module(ctx, made, dict)
        } else {
            HPy::NULL
        }
    }
}

/// The class that was made, in the module that the dict names: PyPy takes it from the name of the class.
///
/// # Safety
/// As above; a class or null, and a dict or null.
unsafe fn of_module(ctx: *mut HPyContext, class: HPy, dict: HPy) -> HPy {
    if class.is_null() || dict.is_null() {
        return class;
    }
    // SAFETY: the caller's promise.
    unsafe {
        let name = c"__module__".as_ptr();
        let module = (host().ctx_GetItem_s)(ctx, dict, name);
        let done = !module.is_null() && (host().ctx_SetAttr_s)(ctx, class, name, module) == 0;
        close(ctx, &[module]);
        if done {
            return class;
        }
        close(ctx, &[class]);
        HPy::NULL
    }
}

/// Whether a name is UTF-8 and has a module in it, which is put into the dict as `__module__`; else an exception is set.
///
/// # Safety
/// As above; a C string, and a dict or null.
unsafe fn has_module(ctx: *mut HPyContext, name: *const c_char, dict: HPy) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if !is_utf8(ctx, name) {
            return false;
        }
        let name = CStr::from_ptr(name).to_string_lossy();
        let Some((module, _)) = name.rsplit_once('.') else {
            raise(ctx, host().h_SystemError, c"the name of an exception class must be module.Name");
            return false;
        };
        dict.is_null() || name_module(ctx, dict, &CString::new(module).unwrap_or_default())
    }
}

/// Puts the module into the dict of a class, unless there is one; whether that worked.
///
/// # Safety
/// As above; a dict.
unsafe fn name_module(ctx: *mut HPyContext, dict: HPy, module: &CStr) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        let key = (host().ctx_Unicode_FromString)(ctx, c"__module__".as_ptr());
        let value = (host().ctx_Unicode_FromString)(ctx, module.as_ptr());
        let done = !key.is_null()
            && !value.is_null()
            && match (host().ctx_Contains)(ctx, dict, key) {
                0 => (host().ctx_SetItem)(ctx, dict, key, value) == 0,
                found => found == 1,
            };
        close(ctx, &[key, value]);
        done
    }
}

/// PyPy's gives a warning without a category another than RuntimeWarning.
pub(super) unsafe extern "C" fn warn(
    ctx: *mut HPyContext,
    category: HPy,
    message: *const c_char,
    stack_level: isize,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        let category = if category.is_null() { host().h_RuntimeWarning } else { category };
        if !is_utf8(ctx, message) {
            return -1;
        }
        (host().ctx_Err_WarnEx)(ctx, category, message, stack_level)
    }
}
