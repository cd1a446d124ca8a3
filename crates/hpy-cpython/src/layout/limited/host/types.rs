//! What types tell, where the interpreter has functions and attributes for it: their slots, and numbers.

use core::ffi::{CStr, c_void};
use core::mem::transmute;

use hpy_abi::HPyMember_FieldType;
use pyo3_ffi as ffi;

use super::super::types::attribute;

/// Functions that ask for a slot of their name.
macro_rules! slots {
    ($($name:ident: $type:ty = $slot:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`")]
        ///
        /// # Safety
        /// `ty` is a type.
        pub(crate) unsafe fn $name(ty: *mut ffi::PyTypeObject) -> $type {
            // SAFETY: the caller's promise; a slot has the type that its name tells, or is null.
            unsafe { transmute::<*mut c_void, $type>(ffi::PyType_GetSlot(ty, ffi::$slot)) }
        }
    )*};
}

slots! {
    tp_alloc: Option<ffi::allocfunc> = Py_tp_alloc;
    tp_base: *mut ffi::PyTypeObject = Py_tp_base;
    tp_call: Option<ffi::ternaryfunc> = Py_tp_call;
    tp_clear: Option<ffi::inquiry> = Py_tp_clear;
    tp_dealloc: Option<ffi::destructor> = Py_tp_dealloc;
    tp_free: Option<ffi::freefunc> = Py_tp_free;
    tp_init: Option<ffi::initproc> = Py_tp_init;
    tp_members: *mut ffi::PyMemberDef = Py_tp_members;
    tp_new: Option<ffi::newfunc> = Py_tp_new;
    tp_traverse: Option<ffi::traverseproc> = Py_tp_traverse;
}

#[cfg(not(GraalPy))]
slots! {
    tp_finalize: Option<ffi::destructor> = Py_tp_finalize;
}
#[cfg(GraalPy)]
slots! {
    own_tp_finalize: Option<ffi::destructor> = Py_tp_finalize;
}

/// Whether the interpreter has members of this type.
pub(crate) fn has_member_type(_type: HPyMember_FieldType) -> bool {
    true
}

/// The getter that a type's table gets for an attribute, which may have none.
pub(crate) fn getter(own: Option<ffi::getter>) -> Option<ffi::getter> {
    own
}

/// A number that a type tells as an attribute; 0 if it tells none.
unsafe fn number(ty: *mut ffi::PyTypeObject, name: &CStr) -> isize {
    // SAFETY: `ty` is a type, and the interpreter is attached.
    unsafe {
        let value = attribute(ty, name);
        let number = if value.is_null() { -1 } else { ffi::PyLong_AsSsize_t(value) };
        ffi::Py_XDECREF(value);
        if number == -1 {
            ffi::PyErr_Clear();
            return 0;
        }
        number
    }
}

/// `tp_basicsize`
///
/// # Safety
/// `ty` is a type, and the interpreter is attached.
pub(crate) unsafe fn tp_basicsize(ty: *mut ffi::PyTypeObject) -> isize {
    // SAFETY: as required.
    unsafe { number(ty, c"__basicsize__") }
}

/// `tp_itemsize`
///
/// # Safety
/// As above.
pub(crate) unsafe fn tp_itemsize(ty: *mut ffi::PyTypeObject) -> isize {
    // SAFETY: as required.
    unsafe { number(ty, c"__itemsize__") }
}

/// `tp_weaklistoffset`
///
/// # Safety
/// As above.
pub(crate) unsafe fn weak_offset(ty: *mut ffi::PyTypeObject) -> isize {
    // SAFETY: as required.
    unsafe { number(ty, c"__weakrefoffset__") }
}
