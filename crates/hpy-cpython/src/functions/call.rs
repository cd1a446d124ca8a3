//! Calling Python objects.

use core::ptr;

use hpy_abi::{HPy, HPyContext};

use crate::error::raise;
use crate::handle::{hpy, py};
use crate::layout::ffi;

/// `HPy_CallTupleDict`
pub(crate) unsafe extern "C" fn ctx_CallTupleDict(
    _ctx: *mut HPyContext,
    callable: HPy,
    args: HPy,
    kw: HPy,
) -> HPy {
    let (callable, args, kw) = (py(callable), py(args), py(kw));
    // SAFETY: the handles are open; args and kw may be null.
    unsafe {
        if !args.is_null() && ffi::PyTuple_Check(args) == 0 {
            let message = "HPy_CallTupleDict: args must be a tuple or HPy_NULL";
            raise(ffi::PyExc_TypeError, message);
            return HPy::NULL;
        }
        if !kw.is_null() && ffi::PyDict_Check(kw) == 0 {
            let message = "HPy_CallTupleDict: kw must be a dict or HPy_NULL";
            raise(ffi::PyExc_TypeError, message);
            return HPy::NULL;
        }
        hpy(if args.is_null() {
            ffi::PyObject_VectorcallDict(callable, ptr::null(), 0, kw)
        } else {
            ffi::PyObject_Call(callable, args, kw)
        })
    }
}

/// `HPy_Call`
pub(crate) unsafe extern "C" fn ctx_Call(
    _ctx: *mut HPyContext,
    callable: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    // SAFETY: `args` leads to `nargs` handles and one more for each name. An array of handles is
    // one of object pointers.
    unsafe {
        if !are_names(kwnames) {
            raise(ffi::PyExc_TypeError, "HPy_Call: kwnames must be a tuple or HPy_NULL");
            return HPy::NULL;
        }
        hpy(ffi::PyObject_Vectorcall(py(callable), args.cast(), nargs, py(kwnames)))
    }
}

/// `HPy_CallMethod`
pub(crate) unsafe extern "C" fn ctx_CallMethod(
    _ctx: *mut HPyContext,
    name: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    // SAFETY: as for a call; there is a receiver.
    unsafe {
        if nargs == 0 {
            let message = "HPy_CallMethod: args[0] must be the receiver, but nargs is 0";
            raise(ffi::PyExc_TypeError, message);
            return HPy::NULL;
        }
        if !are_names(kwnames) {
            raise(ffi::PyExc_TypeError, "HPy_CallMethod: kwnames must be a tuple or HPy_NULL");
            return HPy::NULL;
        }
        hpy(ffi::PyObject_VectorcallMethod(py(name), args.cast(), nargs, py(kwnames)))
    }
}

/// Whether this can be the names of keyword arguments.
///
/// # Safety
/// The handle is open or null.
#[inline]
unsafe fn are_names(kwnames: HPy) -> bool {
    // SAFETY: the caller's promise.
    kwnames.is_null() || unsafe { ffi::PyTuple_Check(py(kwnames)) != 0 }
}
