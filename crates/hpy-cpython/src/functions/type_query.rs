//! Questions about types.

use core::ffi::{c_char, c_int, c_ulong};

use hpy_abi::{HPy, HPyContext};
use pyo3_ffi as ffi;

use crate::handle::{hpy, py};

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

/// The flags of a type, read without a call.
///
/// # Safety
/// `ty` is a type.
unsafe fn flags(ty: *mut ffi::PyTypeObject) -> c_ulong {
    // SAFETY: as required.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return (*ty).tp_flags;
        #[cfg(Py_GIL_DISABLED)]
        return (*ty).tp_flags.load(core::sync::atomic::Ordering::Relaxed);
    }
}

/// `HPy_TypeCheck`
///
/// A subclass of one of the types that have a flag has the flag as well, because they decide the memory layout. So an object without
/// it is no instance, and the walk through its type's bases is saved.
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
        let needed = flags(wanted) & SUBCLASS_FLAGS;
        if flags(own) & needed != needed {
            return 0;
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
/// The text belongs to the type: a heap type owns its name as a `str`, other types live for ever.
pub(crate) unsafe extern "C" fn ctx_Type_GetName(
    _ctx: *mut HPyContext,
    r#type: HPy,
) -> *const c_char {
    let type_: *mut ffi::PyTypeObject = py(r#type).cast();
    // SAFETY: a type, and one with the heap flag has the layout of a heap type.
    unsafe {
        if ffi::PyType_HasFeature(type_, ffi::Py_TPFLAGS_HEAPTYPE) != 0 {
            return ffi::PyUnicode_AsUTF8((*type_.cast::<ffi::PyHeapTypeObject>()).ht_name);
        }
        behind_last_dot((*type_).tp_name)
    }
}

/// # Safety
/// The argument is a C string.
unsafe fn behind_last_dot(name: *const c_char) -> *const c_char {
    let mut start = name;
    let mut at = name;
    // SAFETY: no byte behind the terminator is read.
    unsafe {
        while *at != 0 {
            if *at.cast::<u8>() == b'.' {
                start = at.add(1);
            }
            at = at.add(1);
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::behind_last_dot;
    use core::ffi::CStr;

    fn short(name: &CStr) -> &CStr {
        // SAFETY: the result points into the argument.
        unsafe { CStr::from_ptr(behind_last_dot(name.as_ptr())) }
    }

    #[test]
    fn the_name_is_behind_the_last_dot() {
        assert_eq!(short(c"str"), c"str");
        assert_eq!(short(c"array.array"), c"array");
        assert_eq!(short(c"a.b.C"), c"C");
        assert_eq!(short(c"trailing."), c"");
        assert_eq!(short(c""), c"");
    }
}
