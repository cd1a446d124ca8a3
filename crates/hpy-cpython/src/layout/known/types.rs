//! Types: their fields, and what is written into them.

use core::ffi::{CStr, c_char, c_ulong, c_void};
use core::ptr;

use hpy_abi::HPyMember_FieldType;
use pyo3_ffi as ffi;

use crate::layout::clear;
use crate::types::Record;

/// Functions that read the field of their name.
macro_rules! fields {
    ($($name:ident: $type:ty;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`")]
        ///
        /// # Safety
        /// `ty` is a type.
        #[inline(always)]
        pub(crate) unsafe fn $name(ty: *mut ffi::PyTypeObject) -> $type {
            // SAFETY: the caller's promise.
            unsafe { (*ty).$name }
        }
    )*};
}

fields! {
    tp_alloc: Option<ffi::allocfunc>;
    tp_base: *mut ffi::PyTypeObject;
    tp_basicsize: isize;
    tp_call: Option<ffi::ternaryfunc>;
    tp_clear: Option<ffi::inquiry>;
    tp_dealloc: Option<ffi::destructor>;
    tp_finalize: Option<ffi::destructor>;
    tp_free: Option<ffi::freefunc>;
    tp_init: Option<ffi::initproc>;
    tp_itemsize: isize;
    tp_members: *mut ffi::PyMemberDef;
    tp_new: Option<ffi::newfunc>;
    tp_traverse: Option<ffi::traverseproc>;
    tp_vectorcall_offset: isize;
}

/// The flags of a type, read without a call.
///
/// # Safety
/// `ty` is a type.
#[inline(always)]
pub(crate) unsafe fn flags(ty: *mut ffi::PyTypeObject) -> c_ulong {
    // SAFETY: as required.
    unsafe {
        #[cfg(not(Py_GIL_DISABLED))]
        return (*ty).tp_flags;
        #[cfg(Py_GIL_DISABLED)]
        return (*ty).tp_flags.load(core::sync::atomic::Ordering::Relaxed);
    }
}

/// Whether objects of a type can be referenced weakly.
///
/// # Safety
/// `ty` is a type.
#[inline(always)]
pub(crate) unsafe fn has_weak_references(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (*ty).tp_weaklistoffset != 0 }
}

/// The name of a type, which belongs to it: a heap type owns its name as a `str`, other types live for ever.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn name(ty: *mut ffi::PyTypeObject) -> *const c_char {
    // SAFETY: a type, and one with the heap flag has the layout of a heap type.
    unsafe {
        if ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0 {
            return ffi::PyUnicode_AsUTF8((*ty.cast::<ffi::PyHeapTypeObject>()).ht_name);
        }
        behind_last_dot((*ty).tp_name)
    }
}

/// The part of a dotted name behind the last dot.
///
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

/// The name of a type with that of its module, as far as the maker of the type gave it.
///
/// # Safety
/// `ty` is a type; the name is valid as long as it.
pub(crate) unsafe fn full_name<'a>(ty: *mut ffi::PyTypeObject) -> &'a CStr {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr((*ty).tp_name) }
}

/// The size of a builtin's instances without their items.
macro_rules! sizes {
    ($($name:ident = $size:expr;)*) => {$(
        #[doc = concat!("`", stringify!($size), "`")]
        #[inline(always)]
        pub(crate) fn $name() -> usize {
            // SAFETY: the builtin types are static; their sizes never change.
            #[allow(unused_unsafe)]
            unsafe { $size }
        }
    )*};
}

sizes! {
    type_size = size_of::<ffi::PyHeapTypeObject>();
    float_size = size_of::<ffi::PyFloatObject>();
    list_size = size_of::<ffi::PyListObject>();
    long_size = ffi::PyLong_Type.tp_basicsize as usize;
    unicode_size = ffi::PyUnicode_Type.tp_basicsize as usize;
    tuple_size = ffi::PyTuple_Type.tp_basicsize as usize;
    dict_size = ffi::PyDict_Type.tp_basicsize as usize;
}

/// Lets `function` construct the objects of a type.
///
/// # Safety
/// Nobody else uses the type yet.
pub(crate) unsafe fn set_vectorcall(ty: *mut ffi::PyTypeObject, function: ffi::vectorcallfunc) {
    // SAFETY: the caller's promise.
    unsafe { (*ty).tp_vectorcall = Some(function) };
}

/// Calls an object with the arguments of a `tp_call`, through its call function.
///
/// # Safety
/// That of the object, and what CPython gives to a `tp_call`.
pub(crate) unsafe fn call_vectorcall(
    _function: ffi::vectorcallfunc,
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython finds the function where the type says.
    unsafe { ffi::PyVectorcall_Call(object, args, kwargs) }
}

/// What is only in records of the limited API.
#[derive(Default)]
pub(crate) struct Extra {}

/// Nothing: the type itself tells where its objects have a call function and weak references.
pub(crate) unsafe fn note_places(
    _record: &mut Record,
    _base: *mut ffi::PyTypeObject,
    _call: Option<isize>,
    _weak: Option<isize>,
) {
}

/// The member that carries the record: none, because the type itself has a place for it.
pub(crate) fn record_member() -> Option<ffi::PyMemberDef> {
    None
}

/// Nothing: there is no such member.
pub(crate) fn place_record(_members: &mut [ffi::PyMemberDef], _record: *const Record) {}

/// The word of a heap type that holds its record: unused by CPython and zero since 3.0.
///
/// # Safety
/// `ty` is a heap type.
#[inline(always)]
unsafe fn record_word(ty: *mut ffi::PyTypeObject) -> *mut *mut c_void {
    // SAFETY: each heap type is a PyHeapTypeObject.
    unsafe { &raw mut (*ty.cast::<ffi::PyHeapTypeObject>()).as_sequence.was_sq_slice }
}

/// What is where a heap type has its record: that, or null.
///
/// # Safety
/// `ty` is a heap type.
#[inline(always)]
pub(crate) unsafe fn record_place(ty: *mut ffi::PyTypeObject) -> *const c_void {
    // SAFETY: the caller's promise.
    unsafe { *record_word(ty) }
}

/// Ties `record` to the new type `ty`.
///
/// # Safety
/// `ty` is a heap type that nobody else uses yet.
pub(crate) unsafe fn attach_record(ty: *mut ffi::PyTypeObject, record: &'static Record) {
    // SAFETY: the word is ours, see `record_word`.
    unsafe { *record_word(ty) = ptr::from_ref(record).cast_mut().cast() }
}

/// Whether objects of types below this builtin are structs, in which ours has its place.
#[inline]
pub(crate) fn has_structs_below(_builtin: *mut ffi::PyTypeObject) -> bool {
    true
}

/// Whether the `tp_dealloc` of a class that is written in Python runs the finalizer that it inherits.
pub(crate) const SUBCLASSES_FINALIZE: bool = true;

/// Whether the `tp_dealloc` of a type drops an object's reference to its type. That of a heap type does, for every object that it frees.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn dealloc_drops_type(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0 }
}

unsafe extern "C" {
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
    #[cfg(Py_3_13)]
    fn PyObject_ClearManagedDict(object: *mut ffi::PyObject);
}

/// `Py_TPFLAGS_MANAGED_DICT`
#[cfg(Py_3_13)]
const MANAGED_DICT: c_ulong = 1 << 4;

/// Empties the `__dict__` of a dead object, if it has one.
///
/// # Safety
/// The object is still in one piece.
pub(crate) unsafe fn clear_dict(object: *mut ffi::PyObject) {
    // SAFETY: the caller's promise; the place of a dict holds it or null.
    unsafe {
        #[cfg(Py_3_13)]
        if ffi::PyType_HasFeature(ffi::Py_TYPE(object), MANAGED_DICT) != 0 {
            PyObject_ClearManagedDict(object);
            return;
        }
        let dict = _PyObject_GetDictPtr(object);
        if !dict.is_null() {
            clear(dict);
        }
    }
}

/// Whether the interpreter has members of this type.
pub(crate) fn has_member_type(_type: HPyMember_FieldType) -> bool {
    true
}

/// The getter that a type's table gets for an attribute, which may have none.
pub(crate) fn getter(own: Option<ffi::getter>) -> Option<ffi::getter> {
    own
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
