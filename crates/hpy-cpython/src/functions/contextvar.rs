//! Context variables.

use hpy_abi::{HPy, HPyContext};

use crate::handle::py;
use crate::layout::ffi;

/// `HPyContextVar_Get`
///
/// On success the result is the variable's value, or else `default_value`, or else the variable's
/// own default, or null.
pub(crate) unsafe extern "C" fn ctx_ContextVar_Get(
    _ctx: *mut HPyContext,
    context_var: HPy,
    default_value: HPy,
    result: *mut HPy,
) -> i32 {
    // SAFETY: the handles are open, the default may be null; a handle is written as an object
    // pointer is.
    unsafe {
        result.write(HPy::NULL);
        ffi::PyContextVar_Get(py(context_var), py(default_value), result.cast())
    }
}
