//! `list`.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext};
use pyo3_ffi as ffi;

use crate::handle::py;
use crate::layout;

/// `HPyList_Append`
pub(crate) unsafe extern "C" fn ctx_List_Append(
    _ctx: *mut HPyContext,
    h_list: HPy,
    h_item: HPy,
) -> c_int {
    // SAFETY: the handles are open.
    unsafe {
        if layout::append(py(h_list), py(h_item)) {
            return 0;
        }
        ffi::PyList_Append(py(h_list), py(h_item))
    }
}
