//! Shapes: where the C struct of an instance is.

use core::ffi::c_void;

use hpy_abi::*;
use pyo3_ffi as ffi;

use super::record;
use crate::handle::py;

/// The alignment of every C struct; objects themselves are aligned to it.
const ALIGN: usize = 16;

/// `size` rounded up to the struct's alignment.
pub(crate) const fn align(size: usize) -> usize {
    size.next_multiple_of(ALIGN)
}

/// Where the struct of the shapes with a fixed place begins.
const OBJECT: usize = align(size_of::<ffi::PyObject>());
const TYPE: usize = align(size_of::<ffi::PyHeapTypeObject>());
const FLOAT: usize = align(size_of::<ffi::PyFloatObject>());
const LIST: usize = align(size_of::<ffi::PyListObject>());

/// A shape as the runtime sees it.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// The builtin type that the struct extends.
    pub builtin: *mut ffi::PyTypeObject,
    /// Where the struct is; for variable-sized builtins, where the items begin.
    pub struct_offset: usize,
    /// The struct lies behind the items.
    pub variable: bool,
}

/// The layout of `shape`; `None` for a number that is no shape.
pub(crate) fn layout(shape: HPyType_BuiltinShape) -> Option<Layout> {
    let fixed = |builtin, struct_offset| Layout { builtin, struct_offset, variable: false };
    // SAFETY: the builtin types are static; their sizes never change.
    let basicsize = |ty: *mut ffi::PyTypeObject| unsafe { (*ty).tp_basicsize as usize };
    let behind_items =
        |builtin| Layout { builtin, struct_offset: basicsize(builtin), variable: true };
    Some(match shape {
        HPyType_BuiltinShape_Legacy => fixed(&raw mut ffi::PyBaseObject_Type, 0),
        HPyType_BuiltinShape_Object => fixed(&raw mut ffi::PyBaseObject_Type, OBJECT),
        HPyType_BuiltinShape_Type => fixed(&raw mut ffi::PyType_Type, TYPE),
        HPyType_BuiltinShape_Long => behind_items(&raw mut ffi::PyLong_Type),
        HPyType_BuiltinShape_Float => fixed(&raw mut ffi::PyFloat_Type, FLOAT),
        HPyType_BuiltinShape_Unicode => {
            fixed(&raw mut ffi::PyUnicode_Type, align(basicsize(&raw mut ffi::PyUnicode_Type)))
        }
        HPyType_BuiltinShape_Tuple => behind_items(&raw mut ffi::PyTuple_Type),
        HPyType_BuiltinShape_List => fixed(&raw mut ffi::PyList_Type, LIST),
        HPyType_BuiltinShape_Dict => {
            fixed(&raw mut ffi::PyDict_Type, align(basicsize(&raw mut ffi::PyDict_Type)))
        }
        _ => return None,
    })
}

/// The number of items of an int or a tuple.
///
/// # Safety
/// `object` is an instance of `int` or `tuple`, as `shape` says.
unsafe fn items(object: *mut ffi::PyObject, shape: HPyType_BuiltinShape) -> usize {
    #[cfg(Py_3_12)]
    if shape == HPyType_BuiltinShape_Long {
        // The digit count is above the three tag bits of the first word behind the header.
        // SAFETY: the object is an int, which begins with the header and the tag.
        let tag = unsafe { *object.cast::<ffi::PyObject>().add(1).cast::<usize>() };
        return tag >> 3;
    }
    let _ = shape;
    // SAFETY: both are variable-sized objects; the size of a negative int is negative.
    unsafe { ffi::Py_SIZE(object).unsigned_abs() }
}

/// The struct of an instance of a variable-sized shape.
///
/// # Safety
/// `object` is an instance of `builtin`, whose type was made for `shape`.
unsafe fn behind_items(
    object: *mut ffi::PyObject,
    shape: HPyType_BuiltinShape,
    builtin: *mut ffi::PyTypeObject,
) -> *mut c_void {
    // SAFETY: the type reserves the struct, rounded up, behind the items.
    unsafe {
        let item = (*builtin).tp_itemsize as usize;
        let end = (*builtin).tp_basicsize as usize + item * items(object, shape);
        object.byte_add(align(end)).cast()
    }
}

/// The struct of `object`, of whose type `record` is the nearest.
///
/// # Safety
/// As said.
pub(crate) unsafe fn struct_of(object: *mut ffi::PyObject, record: &record::Record) -> *mut c_void {
    // SAFETY: the record tells where its type reserves the struct.
    unsafe {
        match record.shape {
            HPyType_BuiltinShape_Long => {
                behind_items(object, record.shape, &raw mut ffi::PyLong_Type)
            }
            HPyType_BuiltinShape_Tuple => {
                behind_items(object, record.shape, &raw mut ffi::PyTuple_Type)
            }
            _ => object.byte_add(record.struct_offset).cast(),
        }
    }
}

/// The functions that give the struct of a fixed place.
macro_rules! fixed {
    ($($name:ident = $offset:expr;)*) => {$(
        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        pub(crate) unsafe extern "C" fn $name(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            // SAFETY: the caller vouches for an instance of a type of this shape.
            unsafe { py(h).byte_add($offset).cast() }
        }
    )*};
}

fixed! {
    ctx_AsStruct_Legacy = 0;
    ctx_AsStruct_Object = OBJECT;
    ctx_AsStruct_Type = TYPE;
    ctx_AsStruct_Float = FLOAT;
    ctx_AsStruct_List = LIST;
    ctx_AsStruct_Unicode = align(ffi::PyUnicode_Type.tp_basicsize as usize);
    ctx_AsStruct_Dict = align(ffi::PyDict_Type.tp_basicsize as usize);
}

/// `_HPy_AsStruct_Long`
pub(crate) unsafe extern "C" fn ctx_AsStruct_Long(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    // SAFETY: the caller vouches for an instance of a type of this shape.
    unsafe { behind_items(py(h), HPyType_BuiltinShape_Long, &raw mut ffi::PyLong_Type) }
}

/// `_HPy_AsStruct_Tuple`
pub(crate) unsafe extern "C" fn ctx_AsStruct_Tuple(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    // SAFETY: the caller vouches for an instance of a type of this shape.
    unsafe { behind_items(py(h), HPyType_BuiltinShape_Tuple, &raw mut ffi::PyTuple_Type) }
}

/// `_HPyType_GetBuiltinShape`: Legacy for a type that HPy did not make.
pub(crate) unsafe extern "C" fn ctx_Type_GetBuiltinShape(
    _ctx: *mut HPyContext,
    h_type: HPy,
) -> HPyType_BuiltinShape {
    // SAFETY: the caller vouches for a type.
    let record = unsafe { record::find(py(h_type).cast()) };
    record.map_or(HPyType_BuiltinShape_Legacy, |record| record.shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structs_are_aligned() {
        for offset in [OBJECT, TYPE, FLOAT, LIST] {
            assert_eq!(offset % ALIGN, 0);
        }
        assert!(OBJECT >= size_of::<ffi::PyObject>());
    }
}
