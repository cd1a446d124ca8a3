//! Members: fields of the C struct as Python attributes.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

use hpy_abi::*;
use pyo3_ffi as ffi;

use super::{record, shape};
use crate::handle::new_ref;

/// The name by which a struct tells where weak references are.
pub(crate) const WEAKLIST_OFFSET: &core::ffi::CStr = c"__weaklistoffset__";

/// The C API's definition of a member whose struct begins `struct_offset` bytes into the object.
pub(crate) fn member_def(member: &HPyMember, struct_offset: usize) -> ffi::PyMemberDef {
    ffi::PyMemberDef {
        name: member.name,
        type_code: member.type_.0 as c_int,
        offset: struct_offset as isize + member.offset,
        flags: if member.readonly != 0 { ffi::Py_READONLY } else { 0 },
        doc: member.doc,
    }
}

/// The end of an array of members.
pub(crate) const END: ffi::PyMemberDef =
    ffi::PyMemberDef { name: ptr::null(), type_code: 0, offset: 0, flags: 0, doc: ptr::null() };

/// A member of a struct whose place depends on the object, or of a type that the interpreter has no members of: an attribute with
/// getter and setter.
/// The definition is kept for ever, as the record of the type is.
pub(crate) fn getset_def(member: &HPyMember) -> ffi::PyGetSetDef {
    let definition = Box::leak(Box::new(member_def(member, 0)));
    ffi::PyGetSetDef {
        name: member.name,
        get: Some(get),
        set: Some(set),
        doc: member.doc,
        closure: ptr::from_mut(definition).cast(),
    }
}

/// The definition behind `closure` with its offset counted from the object: CPython looks there for the type's name when it says that
/// a member has no value.
unsafe fn in_object(object: *mut ffi::PyObject, closure: *mut c_void) -> ffi::PyMemberDef {
    // SAFETY: CPython calls the accessors with instances of the type only, which has a record; the closure is a definition.
    unsafe {
        let mut definition = *closure.cast::<ffi::PyMemberDef>();
        if let Some(record) = record::find(ffi::Py_TYPE(object)) {
            definition.offset += shape::struct_of(object, record).byte_offset_from(object);
        }
        definition
    }
}

unsafe extern "C" fn get(object: *mut ffi::PyObject, closure: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: the definition tells where the member is in the object.
    unsafe {
        let mut definition = in_object(object, closure);
        if definition.type_code == HPyMember_NONE.0 as c_int {
            return new_ref(ffi::Py_None());
        }
        ffi::PyMember_GetOne(object.cast::<c_char>(), &raw mut definition)
    }
}

unsafe extern "C" fn set(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    closure: *mut c_void,
) -> c_int {
    // SAFETY: the definition tells where the member is in the object.
    unsafe {
        let mut definition = in_object(object, closure);
        ffi::PyMember_SetOne(object.cast::<c_char>(), &raw mut definition, value)
    }
}

/// The offsets of the members that hold references.
pub(crate) fn object_offsets(members: &[&HPyMember]) -> Vec<isize> {
    members
        .iter()
        .filter(|m| matches!(m.type_, HPyMember_OBJECT | HPyMember_OBJECT_EX))
        .map(|m| m.offset)
        .collect()
}
