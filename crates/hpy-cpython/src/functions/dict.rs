//! `dict`.

use hpy_abi::{HPy, HPyContext};

use crate::handle::{hpy, py};
use crate::layout::ffi;

/// `HPyDict_Keys`
///
/// The C API's function takes no null in free-threaded builds.
pub(crate) unsafe extern "C" fn ctx_Dict_Keys(_ctx: *mut HPyContext, h: HPy) -> HPy {
    // SAFETY: the handle is open or null.
    unsafe {
        if h.is_null() {
            ffi::PyErr_BadInternalCall();
            return HPy::NULL;
        }
        hpy(ffi::PyDict_Keys(py(h)))
    }
}
