//! Types: made from a specification, with a C struct behind each instance.
//!
//! An instance of a type below `object` has the struct in its payload ([`instance`]). RustPython fixes the payload of other builtins, so
//! instances of `int`, `list` … have a hidden `__slots__` cell with a companion object that has it; types, as instances of metaclasses,
//! have it in their type data.

mod buffer;
mod call;
mod create;
mod gc;
mod instance;
mod members;
mod params;
mod record;
mod shape;
mod slots;
mod wrappers;

pub(crate) use call::ctx_SetCallFunction;
pub(crate) use create::ctx_Type_FromSpec;
pub(crate) use gc::is_clear;
pub(crate) use instance::{ctx_New, ctx_Type_GenericNew, struct_of};
pub(crate) use record::{Record, find as find_record, own as own_record};
pub(crate) use shape::{
    ctx_AsStruct_Dict, ctx_AsStruct_Float, ctx_AsStruct_Legacy, ctx_AsStruct_List,
    ctx_AsStruct_Long, ctx_AsStruct_Object, ctx_AsStruct_Tuple, ctx_AsStruct_Type,
    ctx_AsStruct_Unicode, ctx_Type_GetBuiltinShape,
};
pub(crate) use wrappers::SlotWrapper;

use rustpython_vm::{PyResult, VirtualMachine};

/// Makes the types of the objects that types are made of; once for a process.
///
/// # Errors
/// What keeps the interpreter from making a class.
pub(crate) fn prepare(vm: &VirtualMachine) -> PyResult<()> {
    instance::prepare(vm)?;
    wrappers::prepare();
    buffer::prepare();
    Ok(())
}
