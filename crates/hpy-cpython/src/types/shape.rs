//! Shapes: where the C struct of an instance is.

use core::ffi::c_void;

use hpy_abi::*;
use pyo3_ffi as ffi;

use super::record;
use crate::handle::py;
use crate::layout;

/// The alignment of every C struct; objects themselves are aligned to it.
const ALIGN: usize = 16;

/// `size` rounded up to the struct's alignment.
pub(crate) const fn align(size: usize) -> usize {
    size.next_multiple_of(ALIGN)
}

/// Where the struct of `object`'s shape begins.
const OBJECT: usize = align(size_of::<ffi::PyObject>());

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
    let behind_items = |builtin, struct_offset| Layout { builtin, struct_offset, variable: true };
    Some(match shape {
        HPyType_BuiltinShape_Legacy => fixed(&raw mut ffi::PyBaseObject_Type, 0),
        HPyType_BuiltinShape_Object => fixed(&raw mut ffi::PyBaseObject_Type, OBJECT),
        HPyType_BuiltinShape_Type => fixed(&raw mut ffi::PyType_Type, align(layout::type_size())),
        HPyType_BuiltinShape_Long => behind_items(&raw mut ffi::PyLong_Type, layout::long_size()),
        HPyType_BuiltinShape_Float => {
            fixed(&raw mut ffi::PyFloat_Type, align(layout::float_size()))
        }
        HPyType_BuiltinShape_Unicode => {
            fixed(&raw mut ffi::PyUnicode_Type, align(layout::unicode_size()))
        }
        HPyType_BuiltinShape_Tuple => {
            behind_items(&raw mut ffi::PyTuple_Type, layout::tuple_size())
        }
        HPyType_BuiltinShape_List => fixed(&raw mut ffi::PyList_Type, align(layout::list_size())),
        HPyType_BuiltinShape_Dict => fixed(&raw mut ffi::PyDict_Type, align(layout::dict_size())),
        _ => return None,
    })
}

/// Whether the struct lies behind the items of the builtin.
pub(crate) fn is_variable(shape: HPyType_BuiltinShape) -> bool {
    matches!(shape, HPyType_BuiltinShape_Long | HPyType_BuiltinShape_Tuple)
}

/// The struct behind the items of an int or a tuple.
///
/// # Safety
/// The type of `object` was made for that shape, so it reserves the struct, rounded up, behind the items.
unsafe fn behind_items(object: *mut ffi::PyObject, size: usize, items: usize) -> *mut c_void {
    object.wrapping_byte_add(align(size + items)).cast()
}

unsafe fn behind_digits(object: *mut ffi::PyObject) -> *mut c_void {
    // SAFETY: the type of the object was made for that shape.
    unsafe { behind_items(object, layout::long_size(), layout::digits_size(object)) }
}

unsafe fn behind_tuple(object: *mut ffi::PyObject) -> *mut c_void {
    // SAFETY: the type of the object was made for that shape.
    unsafe {
        let items = layout::tuple_length(object) * size_of::<*mut ffi::PyObject>();
        behind_items(object, layout::tuple_size(), items)
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
            HPyType_BuiltinShape_Long => behind_digits(object),
            HPyType_BuiltinShape_Tuple => behind_tuple(object),
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
    ctx_AsStruct_Type = align(layout::type_size());
    ctx_AsStruct_Float = align(layout::float_size());
    ctx_AsStruct_List = align(layout::list_size());
    ctx_AsStruct_Unicode = align(layout::unicode_size());
    ctx_AsStruct_Dict = align(layout::dict_size());
}

/// `_HPy_AsStruct_Long`
pub(crate) unsafe extern "C" fn ctx_AsStruct_Long(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    // SAFETY: the caller vouches for an instance of a type of this shape.
    unsafe { behind_digits(py(h)) }
}

/// `_HPy_AsStruct_Tuple`
pub(crate) unsafe extern "C" fn ctx_AsStruct_Tuple(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    // SAFETY: the caller vouches for an instance of a type of this shape.
    unsafe { behind_tuple(py(h)) }
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
        assert_eq!(OBJECT % ALIGN, 0);
        assert!(OBJECT >= size_of::<ffi::PyObject>());
    }
}
