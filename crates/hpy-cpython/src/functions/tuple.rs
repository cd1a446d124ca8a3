//! `tuple`.

use hpy_abi::{HPy, HPyContext};

use crate::handle::{hpy, py};
use crate::layout::ffi;

/// `HPyTuple_FromArray`
pub(crate) unsafe extern "C" fn ctx_Tuple_FromArray(
    _ctx: *mut HPyContext,
    items: *const HPy,
    n: isize,
) -> HPy {
    // SAFETY: there are `n` open handles, and the new tuple has `n` empty items.
    unsafe {
        let tuple = ffi::PyTuple_New(n);
        if tuple.is_null() {
            return HPy::NULL;
        }
        for index in 0..n {
            let item = py(*items.offset(index));
            ffi::Py_INCREF(item);
            ffi::PyTuple_SET_ITEM(tuple, index, item);
        }
        hpy(tuple)
    }
}
