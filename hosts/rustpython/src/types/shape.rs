//! Shapes: which builtin a C struct extends.

use core::ffi::c_void;

use hpy_abi::*;
use rustpython_vm::builtins::PyType;
use rustpython_vm::{Py, VirtualMachine};

use super::instance::struct_of;
use super::record;
use crate::handles::object;

/// The builtin of a shape; `None` for a number that is no shape.
pub(crate) fn builtin(
    shape: HPyType_BuiltinShape,
    vm: &VirtualMachine,
) -> Option<&'static Py<PyType>> {
    let types = &vm.ctx.types;
    Some(match shape {
        HPyType_BuiltinShape_Legacy | HPyType_BuiltinShape_Object => types.object_type,
        HPyType_BuiltinShape_Type => types.type_type,
        HPyType_BuiltinShape_Long => types.int_type,
        HPyType_BuiltinShape_Float => types.float_type,
        HPyType_BuiltinShape_Unicode => types.str_type,
        HPyType_BuiltinShape_Tuple => types.tuple_type,
        HPyType_BuiltinShape_List => types.list_type,
        HPyType_BuiltinShape_Dict => types.dict_type,
        _ => return None,
    })
}

/// The functions that give the struct, whatever the shape is: where it is follows from the object.
macro_rules! as_struct {
    ($($name:ident)*) => {$(
        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        pub(crate) unsafe extern "C" fn $name(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            // SAFETY: the handle is open.
            struct_of(unsafe { object(h) })
        }
    )*};
}

as_struct! {
    ctx_AsStruct_Legacy
    ctx_AsStruct_Object
    ctx_AsStruct_Type
    ctx_AsStruct_Long
    ctx_AsStruct_Float
    ctx_AsStruct_Unicode
    ctx_AsStruct_Tuple
    ctx_AsStruct_List
    ctx_AsStruct_Dict
}

/// `_HPyType_GetBuiltinShape`: Legacy for a type that HPy did not make.
pub(crate) unsafe extern "C" fn ctx_Type_GetBuiltinShape(
    _ctx: *mut HPyContext,
    h_type: HPy,
) -> HPyType_BuiltinShape {
    // SAFETY: the handle is open.
    let class = unsafe { object(h_type) }.downcast_ref::<PyType>();
    class.and_then(record::find).map_or(HPyType_BuiltinShape_Legacy, |record| record.shape)
}
