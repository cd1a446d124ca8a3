//! Types: made from a specification, with a C struct behind each instance. `docs/architecture.md` has the design.

mod call;
pub(crate) mod construct;
mod create;
mod dealloc;
mod gc;
mod instance;
mod members;
mod params;
mod plan;
mod python_class;
mod record;
mod shape;
mod slots;
mod spec;

pub(crate) use call::ctx_SetCallFunction;
pub(crate) use create::ctx_Type_FromSpec;
pub(crate) use dealloc::dealloc;
pub(crate) use gc::{is_clear, traverse_struct};
pub(crate) use instance::{ctx_New, ctx_Type_GenericNew};
pub(crate) use record::{Record, find as find_record, own_record};
pub(crate) use shape::{
    ctx_AsStruct_Dict, ctx_AsStruct_Float, ctx_AsStruct_Legacy, ctx_AsStruct_List,
    ctx_AsStruct_Long, ctx_AsStruct_Object, ctx_AsStruct_Tuple, ctx_AsStruct_Type,
    ctx_AsStruct_Unicode, ctx_Type_GetBuiltinShape, struct_of,
};
pub(crate) use slots::{Finalizer, call_finalizer};
