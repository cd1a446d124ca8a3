//! Types: their slots, and the numbers that they tell as attributes.

use core::ffi::{CStr, c_char, c_ulong};
use core::ptr;

use pyo3_ffi as ffi;

use super::host;
use super::missing::PyTuple_GET_SIZE;
use super::texts::interned;
use crate::types::find_record;

pub(crate) use host::{
    getter, has_member_type, tp_alloc, tp_base, tp_call, tp_clear, tp_dealloc, tp_finalize,
    tp_free, tp_init, tp_members, tp_new, tp_traverse,
};

/// The flags of a type.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn flags(ty: *mut ffi::PyTypeObject) -> c_ulong {
    // SAFETY: as required.
    unsafe { ffi::PyType_GetFlags(ty) }
}

pub(crate) use host::{tp_basicsize, tp_itemsize, weak_offset};

/// Where instances have their call function; 0 if they have none.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn tp_vectorcall_offset(ty: *mut ffi::PyTypeObject) -> isize {
    // SAFETY: the caller's promise.
    let record = unsafe { find_record(ty) };
    record.map_or(0, |record| record.extra.call_offset as isize)
}

/// What `type` itself says of a type, whatever its metaclass says: a new reference, or null with an exception.
pub(super) unsafe fn attribute(ty: *mut ffi::PyTypeObject, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: `ty` is a type; what is made here is released here.
    unsafe {
        let plain = (&raw mut ffi::PyType_Type).cast();
        let attributes = super::missing::get_attribute(plain, c"__dict__");
        if attributes.is_null() {
            return ptr::null_mut();
        }
        let descriptor = ffi::PyMapping_GetItemString(attributes, name.as_ptr());
        ffi::Py_DECREF(attributes);
        if descriptor.is_null() {
            return ptr::null_mut();
        }
        let object = ty.cast::<ffi::PyObject>();
        let result = super::missing::call_method(descriptor, c"__get__", object);
        ffi::Py_DECREF(descriptor);
        result
    }
}

/// The name of a type, which is never freed.
///
/// # Safety
/// `ty` is a type; the interpreter is attached.
pub(crate) unsafe fn name(ty: *mut ffi::PyTypeObject) -> *const c_char {
    // SAFETY: as required.
    unsafe { text(attribute(ty, c"__name__")).map_or(ptr::null(), CStr::as_ptr) }
}

/// The name of a type with that of its module; only its name if it is a builtin.
///
/// # Safety
/// `ty` is a type; the interpreter is attached.
pub(crate) unsafe fn full_name(ty: *mut ffi::PyTypeObject) -> &'static CStr {
    // SAFETY: as required.
    unsafe {
        let name = text(attribute(ty, c"__qualname__"));
        let module = text(attribute(ty, c"__module__"));
        if name.is_none() || module.is_none() {
            ffi::PyErr_Clear();
        }
        let (Some(name), Some(module)) = (name, module) else { return name.unwrap_or(c"?") };
        if module == c"builtins" {
            return name;
        }
        let both = [module.to_bytes(), b".", name.to_bytes_with_nul()].concat();
        CStr::from_bytes_with_nul(&both).map_or(name, interned)
    }
}

/// The text of a `str`, whose reference it takes; none if there is no object, or with an exception.
unsafe fn text(string: *mut ffi::PyObject) -> Option<&'static CStr> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the text belongs to the object, which is released afterwards.
    unsafe {
        let text = ffi::PyUnicode_AsUTF8AndSize(string, ptr::null_mut());
        let kept = (!text.is_null()).then(|| interned(CStr::from_ptr(text)));
        ffi::Py_DECREF(string);
        kept
    }
}

/// Lets `function` construct the objects of a type: the limited API has no way to, so `type` calls the constructors.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn set_vectorcall(_ty: *mut ffi::PyTypeObject, _: ffi::vectorcallfunc) {}

/// Calls an object through `function`, its call function, with the arguments of a `tp_call`.
///
/// # Safety
/// What CPython gives to a `tp_call`: a tuple, and a dict or null.
pub(crate) unsafe fn call_vectorcall(
    function: ffi::vectorcallfunc,
    object: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the arguments are borrowed from the tuple and the dict, which are alive.
    unsafe {
        let nargs = PyTuple_GET_SIZE(args);
        let count = if kwargs.is_null() { 0 } else { ffi::PyDict_Size(kwargs) };
        let mut all: Vec<_> = (0..nargs).map(|at| ffi::PyTuple_GetItem(args, at)).collect();
        let mut names = ptr::null_mut();
        if count > 0 {
            names = ffi::PyTuple_New(count);
            if names.is_null() {
                return ptr::null_mut();
            }
            let (mut position, mut at) = (0, 0);
            let (mut name, mut value) = (ptr::null_mut(), ptr::null_mut());
            while ffi::PyDict_Next(kwargs, &raw mut position, &raw mut name, &raw mut value) != 0 {
                ffi::PyTuple_SetItem(names, at, crate::handle::new_ref(name));
                all.push(value);
                at += 1;
            }
        }
        let result = function(object, all.as_ptr(), nargs as usize, names);
        ffi::Py_XDECREF(names);
        result
    }
}
