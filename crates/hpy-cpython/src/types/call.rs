//! The call protocol: instances that are called through a vectorcall word in themselves.

use core::ptr;

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use hpy_abi::*;
use hpy_host::thunk::Kind;
use pyo3_ffi as ffi;

use super::record::{self, Record};
use crate::error::raise;
use crate::handle::py;
use crate::layout;
use crate::methods::bind;

/// The vectorcall word of an instance of `ty`, if its type has one.
unsafe fn word(
    object: *mut ffi::PyObject,
    ty: *mut ffi::PyTypeObject,
) -> Option<*mut Option<ffi::vectorcallfunc>> {
    // SAFETY: a positive offset lies inside the object.
    unsafe {
        let offset = layout::tp_vectorcall_offset(ty);
        (offset > 0).then(|| object.byte_offset(offset).cast())
    }
}

/// Fills the word of an instance that other threads may be calling.
unsafe fn set(word: *mut Option<ffi::vectorcallfunc>, call: Option<ffi::vectorcallfunc>) {
    let call = call.map_or(ptr::null_mut(), |call| call as *mut c_void);
    // SAFETY: the word has the size and the alignment of a pointer.
    unsafe { AtomicPtr::from_ptr(word.cast::<*mut c_void>()).store(call, Ordering::Release) };
}

/// Gives a new instance the call function of its type.
///
/// # Safety
/// `object` is an instance of `ty`, whose nearest record is `record`.
#[inline]
pub(crate) unsafe fn set_default(
    object: *mut ffi::PyObject,
    ty: *mut ffi::PyTypeObject,
    record: Option<&Record>,
) {
    // SAFETY: as required.
    unsafe {
        if let Some(call) = record.and_then(|record| record.default_call)
            && let Some(word) = word(object, ty)
        {
            set(word, Some(call));
        }
    }
}

/// `tp_call` of a type with the call protocol: fills the word of an instance that was not made by `HPy_New`.
pub(crate) unsafe extern "C" fn tp_call(
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls it on instances of our types, with a tuple and a dict or null.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let word = word(object, ty);
        if word.is_some_and(|word| (*word).is_none()) {
            set_default(object, ty, record::find(ty));
        }
        let Some(function) = word.and_then(|word| *word) else {
            raise(
                ffi::PyExc_TypeError,
                "this object has no call function: HPy_SetCallFunction sets one",
            );
            return ptr::null_mut();
        };
        layout::call_vectorcall(function, object, args, kwargs)
    }
}

/// `HPy_SetCallFunction`: another function for one instance.
pub(crate) unsafe extern "C" fn ctx_SetCallFunction(
    ctx: *mut HPyContext,
    h: HPy,
    func: *mut HPyCallFunction,
) -> c_int {
    // SAFETY: the caller hands over an open handle and a definition that lives as long as its library.
    unsafe {
        let object = py(h);
        let ty = ffi::Py_TYPE(object);
        let word = word(object, ty);
        let (Some(word), Some(_)) = (word, record::find(ty)) else {
            raise(
                ffi::PyExc_TypeError,
                "HPy_SetCallFunction: the object's type does not implement the HPy call protocol; \
                 give it an HPy_tp_call slot",
            );
            return -1;
        };
        let function =
            bind(ctx, Kind::Vectorcall, HPyFunc_KEYWORDS, (*func).impl_, (*func).cpy_trampoline);
        set(word, core::mem::transmute::<*const c_void, Option<ffi::vectorcallfunc>>(function));
        0
    }
}
