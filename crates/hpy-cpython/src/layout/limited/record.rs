//! Where a type has its record: it is the documentation of a hidden first entry in `tp_members`. CPython copies the entry into the
//! type, `PyType_GetSlot` gives it back, and a Python subclass does not inherit it. So do C libraries for the limited API, and both
//! find the records of each other.

use core::ffi::{CStr, c_int, c_void};
use core::ptr;

use hpy_abi::HPyMember_NONE;
use pyo3_ffi as ffi;

use super::types;
use crate::types::{Record, own_record};

/// The name of the entry; the same in `include/hpy/cpython/`.
const NAME: &CStr = c"__hpy_record__";

/// Flag of a record: objects can have weak references.
const WEAK_REFERENCES: i32 = 8;

/// What is only in records of the limited API.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Extra {
    /// Where objects have their call function; 0 if they have none.
    pub call_offset: usize,
}

/// Notes in the record of a new type where its objects have a call function and weak references, if the type has places of its own;
/// else they are where those of `base` are.
///
/// # Safety
/// `base` is a type, and the interpreter is attached.
pub(crate) unsafe fn note_places(
    record: &mut Record,
    base: *mut ffi::PyTypeObject,
    call: Option<isize>,
    weak: Option<isize>,
) {
    // SAFETY: as required.
    unsafe {
        let call = call.unwrap_or_else(|| types::tp_vectorcall_offset(base));
        record.extra.call_offset = call as usize;
        if weak.unwrap_or_else(|| types::weak_offset(base)) != 0 {
            record.flags |= WEAK_REFERENCES;
        }
    }
}

/// The entry without its record, which is not at its place yet.
pub(crate) fn record_member() -> Option<ffi::PyMemberDef> {
    Some(ffi::PyMemberDef {
        name: NAME.as_ptr(),
        type_code: HPyMember_NONE.0 as c_int,
        offset: 0,
        flags: ffi::Py_READONLY,
        doc: ptr::null(),
    })
}

/// Completes the entry, the first of `members`.
pub(crate) fn place_record(members: &mut [ffi::PyMemberDef], record: *const Record) {
    members[0].doc = record.cast();
}

/// What is where a heap type has its record: that, or null.
///
/// # Safety
/// `ty` is a heap type.
pub(crate) unsafe fn record_place(ty: *mut ffi::PyTypeObject) -> *const c_void {
    // SAFETY: members are ended by one without a name.
    unsafe {
        let first = types::tp_members(ty);
        if first.is_null() || (*first).name.is_null() || CStr::from_ptr((*first).name) != NAME {
            return ptr::null();
        }
        (*first).doc.cast()
    }
}

/// Takes the attribute that was made of the entry out of the new type `ty`. It stays where a type refuses that.
///
/// # Safety
/// `ty` is a type that nobody else uses yet.
pub(crate) unsafe fn attach_record(ty: *mut ffi::PyTypeObject, _record: &'static Record) {
    // SAFETY: as required.
    unsafe {
        if ffi::PyObject_SetAttrString(ty.cast(), NAME.as_ptr(), ptr::null_mut()) < 0 {
            ffi::PyErr_Clear();
        }
    }
}

/// Whether objects of a type that HPy made can be referenced weakly.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn has_weak_references(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { own_record(ty) }.is_some_and(|record| record.flags & WEAK_REFERENCES != 0)
}
