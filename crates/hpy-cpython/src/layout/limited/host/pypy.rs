//! PyPy, whose own objects are not C structs. It makes one for an object that C code sees, and keeps it as long as C code has a
//! reference.
//!
//! Its types are structs with CPython's fields, which its headers publish; `PyType_GetSlot` tells those of some types only.

use core::ffi::{CStr, c_char, c_int, c_void};
use std::ffi::CString;

use hpy_abi::{HPyMember_FieldType, HPyMember_NONE};
use pyo3_ffi as ffi;

/// Functions that read the field of their name.
macro_rules! fields {
    ($($name:ident: $type:ty = $field:ident;)*) => {$(
        #[doc = concat!("`", stringify!($field), "`")]
        ///
        /// # Safety
        /// `ty` is a type.
        pub(crate) unsafe fn $name(ty: *mut ffi::PyTypeObject) -> $type {
            // SAFETY: the caller's promise.
            unsafe { (*ty).$field }
        }
    )*};
}

fields! {
    tp_alloc: Option<ffi::allocfunc> = tp_alloc;
    tp_base: *mut ffi::PyTypeObject = tp_base;
    tp_basicsize: isize = tp_basicsize;
    tp_call: Option<ffi::ternaryfunc> = tp_call;
    tp_clear: Option<ffi::inquiry> = tp_clear;
    tp_dealloc: Option<ffi::destructor> = tp_dealloc;
    tp_finalize: Option<ffi::destructor> = tp_finalize;
    tp_free: Option<ffi::freefunc> = tp_free;
    tp_init: Option<ffi::initproc> = tp_init;
    tp_itemsize: isize = tp_itemsize;
    tp_members: *mut ffi::PyMemberDef = tp_members;
    tp_new: Option<ffi::newfunc> = tp_new;
    tp_traverse: Option<ffi::traverseproc> = tp_traverse;
    weak_offset: isize = tp_weaklistoffset;
}

/// Whether the interpreter has members of this type: PyPy has all but the one that is always None.
pub(crate) fn has_member_type(r#type: HPyMember_FieldType) -> bool {
    r#type != HPyMember_NONE
}

/// The getter that a type's table gets for an attribute, which may have none. Without one, PyPy ends the process where the attribute is read.
pub(crate) fn getter(own: Option<ffi::getter>) -> Option<ffi::getter> {
    own.or(Some(unreadable))
}

/// The getter of an attribute that is only written.
unsafe extern "C" fn unreadable(
    _object: *mut ffi::PyObject,
    _closure: *mut c_void,
) -> *mut ffi::PyObject {
    let message = c"the attribute can be written, but not read";
    // SAFETY: the interpreter is attached.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_AttributeError, message.as_ptr()) };
    core::ptr::null_mut()
}

/// Whether objects of types below this builtin are structs, in which ours has its place.
pub(crate) fn has_structs_below(_builtin: *mut ffi::PyTypeObject) -> bool {
    true
}

/// Whether the `tp_dealloc` of a class that is written in Python runs the finalizer that it inherits.
pub(crate) const SUBCLASSES_FINALIZE: bool = true;

/// Whether the `tp_dealloc` of a type drops an object's reference to its type: that of every builtin does, too.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn dealloc_drops_type(_ty: *mut ffi::PyTypeObject) -> bool {
    true
}

/// Runs no finalizer: PyPy has run it before it lets the object die.
///
/// # Safety
/// The object is dead, and in one piece.
pub(crate) unsafe fn finalize(_object: *mut ffi::PyObject) -> c_int {
    0
}

/// How many references there are to an object, where C code can see that.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn references(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: the caller's promise.
    Some(unsafe { ffi::Py_REFCNT(object) } as isize)
}

/// The name that PyPy exports a function of the C API under.
pub(crate) fn exported(name: &CStr) -> CString {
    let text = name.to_string_lossy();
    let (before, rest) = text.split_once("Py").unwrap_or((&text, ""));
    CString::new(format!("{before}PyPy{rest}")).unwrap_or_default()
}

/// A new reference to the `str` of a name; null with an exception. `PyUnicode_InternFromString` takes the text for Latin-1.
///
/// # Safety
/// `text` is a C string, and the interpreter is attached.
pub(crate) unsafe fn new_name(text: *const c_char) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe { ffi::PyUnicode_FromString(text) }
}

/// The code that the thread runs, as a new reference, and the line in it.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn running_place() -> Option<(*mut ffi::PyCodeObject, c_int)> {
    /// What a frame begins with in PyPy's headers.
    #[repr(C)]
    struct Frame {
        header: ffi::PyObject,
        back: *mut c_void,
        code: *mut ffi::PyCodeObject,
    }
    // SAFETY: the frame is borrowed from the thread, and runs.
    unsafe {
        let frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return None;
        }
        let code = (*frame.cast::<Frame>()).code;
        ffi::Py_XINCREF(code.cast());
        (!code.is_null()).then(|| (code, ffi::PyFrame_GetLineNumber(frame)))
    }
}

/// Whether an object is an iterator. PyPy's own function finds a `__next__` of the type's type, too.
///
/// # Safety
/// The object is alive.
#[allow(non_snake_case)]
pub(crate) unsafe fn PyIter_Check(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { c_int::from((*ffi::Py_TYPE(object)).tp_iternext.is_some()) }
}

/// Its C API makes no types of a metaclass.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn of_metaclass(
    _metaclass: *mut ffi::PyTypeObject,
    _spec: &mut ffi::PyType_Spec,
    _bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let message = c"HPyType_FromSpec: PyPy's C API makes no type with a metaclass";
    // SAFETY: as required.
    unsafe { ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr()) };
    core::ptr::null_mut()
}
