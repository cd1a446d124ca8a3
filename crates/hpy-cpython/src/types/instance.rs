//! Making instances.

use core::ffi::c_void;
use core::ptr;

use hpy_abi::*;
use pyo3_ffi as ffi;

use super::record::Record;
use super::{call, record, shape};
use crate::error::raise;
use crate::handle::{hpy, py};
use crate::layout;

/// `_HPy_New`: a new instance whose struct is all zeros.
///
/// Short for the types that most are: made here, with objects whose memory is kept, where there is some.
pub(crate) unsafe extern "C" fn ctx_New(
    _ctx: *mut HPyContext,
    h_type: HPy,
    data: *mut *mut c_void,
) -> HPy {
    let ty = py(h_type).cast::<ffi::PyTypeObject>();
    // SAFETY: the caller hands over an open handle and a place for the address of the struct.
    unsafe {
        if ffi::PyType_Check(ty.cast()) != 0
            && let Some(record) = record::own_record(ty)
            && let Some(memory) = record.memory()
            && let Some(object) = memory.take()
        {
            call::set_default(object, ty, Some(record));
            *data = object.byte_add(record.struct_offset).cast();
            return hpy(memory.revive(object, ty));
        }
        new_of_any(ty, data)
    }
}

/// Whether the struct follows the header of an `object`.
fn is_plain(shape: HPyType_BuiltinShape) -> bool {
    matches!(shape, HPyType_BuiltinShape_Object | HPyType_BuiltinShape_Legacy)
}

#[inline(never)]
unsafe fn new_of_any(ty: *mut ffi::PyTypeObject, data: *mut *mut c_void) -> HPy {
    // SAFETY: as for `ctx_New`.
    unsafe {
        if ffi::PyType_Check(ty.cast()) == 0 {
            raise(ffi::PyExc_TypeError, "HPy_New needs a type as its first argument");
            return HPy::NULL;
        }
        let record = record::find(ty);
        let object = allocate(ty, record);
        if object.is_null() {
            return HPy::NULL;
        }
        call::set_default(object, ty, record);
        *data = record.map_or(object.cast(), |record| shape::struct_of(object, record));
        hpy(object)
    }
}

/// Memory for an instance; a builtin that the type extends is made valid by its own constructor.
unsafe fn allocate(ty: *mut ffi::PyTypeObject, record: Option<&Record>) -> *mut ffi::PyObject {
    // SAFETY: `ty` is a type; allocation fills with zeros and takes a reference to the type.
    unsafe {
        if let Some(record) = record
            && let Some(new) = builtin_constructor(ty, record.shape)
        {
            let no_arguments = ffi::PyTuple_New(0);
            if no_arguments.is_null() {
                return ptr::null_mut();
            }
            let object = new(ty, no_arguments, ptr::null_mut());
            ffi::Py_DECREF(no_arguments);
            return object;
        }
        match layout::tp_alloc(ty) {
            Some(alloc) => alloc(ty, 0),
            None => ffi::PyType_GenericAlloc(ty, 0),
        }
    }
}

/// The constructor of the builtin that `ty` extends; none for types that only have its layout, and for those of `object`.
unsafe fn builtin_constructor(
    ty: *mut ffi::PyTypeObject,
    shape: HPyType_BuiltinShape,
) -> Option<ffi::newfunc> {
    if is_plain(shape) {
        return None;
    }
    let builtin = shape::layout(shape)?.builtin;
    // SAFETY: both are types.
    unsafe { if ffi::PyType_IsSubtype(ty, builtin) != 0 { layout::tp_new(builtin) } else { None } }
}

/// `HPyType_GenericNew`: what a type without a constructor of its own does.
pub(crate) unsafe extern "C" fn ctx_Type_GenericNew(
    ctx: *mut HPyContext,
    type_: HPy,
    _args: *const HPy,
    _nargs: isize,
    _kw: HPy,
) -> HPy {
    let mut data = ptr::null_mut();
    // SAFETY: the caller's type, and a place of our own.
    unsafe { ctx_New(ctx, type_, &raw mut data) }
}
