//! Questions about types.

use core::ffi::{c_char, c_int, c_ulong};

use hpy_abi::{HPy, HPyContext};

use crate::handle::{hpy, py};
use crate::layout::{self, ffi, flags};

/// `HPy_Type`
pub(crate) unsafe extern "C" fn ctx_Type(_ctx: *mut HPyContext, obj: HPy) -> HPy {
    // SAFETY: the handle is open, and an object keeps its type alive.
    unsafe {
        let type_ = ffi::Py_TYPE(py(obj)).cast();
        ffi::Py_INCREF(type_);
        hpy(type_)
    }
}

/// The flags by which CPython tells instances of int, list, tuple, bytes, str, dict, BaseException and type.
const SUBCLASS_FLAGS: c_ulong = 0xff << 24;

/// `HPy_TypeCheck`
///
/// Most builtin types are directly below `object`. A subclass of one of the types that have a flag has the flag as well, because they
/// decide the memory layout. So an object without it is no instance; and one with it is, of the type that is directly below `object`.
pub(crate) unsafe extern "C" fn ctx_TypeCheck(
    _ctx: *mut HPyContext,
    obj: HPy,
    r#type: HPy,
) -> c_int {
    // SAFETY: the handles are open, and the second is a type.
    unsafe {
        let (own, wanted) = (ffi::Py_TYPE(py(obj)), py(r#type).cast::<ffi::PyTypeObject>());
        if own == wanted {
            return 1;
        }
        if layout::is_below_object(own) && flags(own) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return c_int::from(wanted == &raw mut ffi::PyBaseObject_Type);
        }
        let needed = flags(wanted) & SUBCLASS_FLAGS;
        if flags(own) & needed != needed {
            return 0;
        }
        if needed != 0 && layout::is_below_object(wanted) {
            return 1;
        }
        ffi::PyType_IsSubtype(own, wanted)
    }
}

/// `HPyType_IsSubtype`
pub(crate) unsafe extern "C" fn ctx_Type_IsSubtype(
    _ctx: *mut HPyContext,
    sub: HPy,
    r#type: HPy,
) -> c_int {
    // SAFETY: both are types.
    unsafe { ffi::PyType_IsSubtype(py(sub).cast(), py(r#type).cast()) }
}

/// `HPyType_GetName`
///
/// The text belongs to the type.
pub(crate) unsafe extern "C" fn ctx_Type_GetName(
    _ctx: *mut HPyContext,
    r#type: HPy,
) -> *const c_char {
    // SAFETY: a type.
    unsafe { layout::name(py(r#type).cast()) }
}
