//! Functions of the context that are more than one call of the Python/C API, one file a topic.
//!
//! Names, types and contracts are those of the description in `api/functions/`; a function is
//! documented there for its callers. Comments here say what an implementer has to know.

mod bytes;
mod call;
mod capsule;
mod contextvar;
mod dict;
mod err;
mod eval;
mod field;
mod float;
mod handle;
mod list;
mod long;
mod object;
mod thread;
mod tracker;
mod trampoline;
mod tuple;
mod type_query;
mod unicode;

pub(crate) use crate::layout::builder::*;
pub(crate) use bytes::*;
pub(crate) use call::*;
pub(crate) use capsule::*;
pub(crate) use contextvar::*;
pub(crate) use dict::*;
pub(crate) use err::*;
pub(crate) use eval::*;
pub(crate) use field::*;
pub(crate) use float::*;
pub(crate) use handle::*;
pub(crate) use list::*;
pub(crate) use long::*;
pub(crate) use object::*;
pub(crate) use thread::*;
pub(crate) use tracker::*;
pub(crate) use trampoline::*;
pub(crate) use tuple::*;
pub(crate) use type_query::*;
pub(crate) use unicode::*;
