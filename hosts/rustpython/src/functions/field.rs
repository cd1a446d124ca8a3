//! Fields: references that live in the C struct of an object. A field is the address of the object, or 0.

use core::ptr::{self, NonNull};

use hpy_abi::{HPy, HPyContext, HPyField};
use rustpython_vm::{PyObject, PyObjectRef};

use crate::handles::{self, nullable};
use crate::lock;

/// The object in a field.
///
/// # Safety
/// The field holds null or a reference, and does so while the result is used.
pub(crate) unsafe fn read<'a>(field: HPyField) -> Option<&'a PyObject> {
    // SAFETY: the caller's promise.
    unsafe { (field._i as *const PyObject).as_ref() }
}

/// Empties a field; its reference is the caller's.
///
/// # Safety
/// The field holds null or a reference.
pub(crate) unsafe fn take(field: *mut HPyField) -> Option<PyObjectRef> {
    // SAFETY: the caller's promise.
    unsafe {
        let before = ptr::replace(field, HPyField::NULL);
        NonNull::new(before._i as *mut PyObject).map(|object| PyObjectRef::from_raw(object))
    }
}

/// Puts an object into a field, and gives what was in it.
///
/// # Safety
/// The field holds null or a reference.
pub(crate) unsafe fn store(field: *mut HPyField, object: Option<&PyObject>) -> Option<PyObjectRef> {
    // SAFETY: the caller's promise.
    unsafe {
        let before = take(field);
        if let Some(object) = object {
            (*field)._i = object.to_owned().into_raw().as_ptr() as isize;
        }
        before
    }
}

/// `HPyField_Store`
pub(crate) unsafe extern "C" fn ctx_Field_Store(
    _ctx: *mut HPyContext,
    _target_object: HPy,
    target_field: *mut HPyField,
    h: HPy,
) {
    // SAFETY: the handle is open or null, and the field holds null or a reference.
    let before = unsafe { store(target_field, nullable(h)) };
    // Last, because it can run code that reads the field.
    if before.is_some() {
        lock::outside(|_| drop(before));
    }
}

/// `HPyField_Load`
pub(crate) unsafe extern "C" fn ctx_Field_Load(
    _ctx: *mut HPyContext,
    _source_object: HPy,
    source_field: HPyField,
) -> HPy {
    // SAFETY: the field holds null or a reference.
    handles::new_or_null(unsafe { read(source_field) }.map(ToOwned::to_owned))
}
