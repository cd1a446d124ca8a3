//! What the functions of the context do, one file a topic.
//!
//! Names and contracts are those of the description in `api/functions/`; a function is documented there for its callers. Most are safe
//! Rust: `generated/functions.rs` leads to them from C. Those whose names begin with `ctx_` deal in handles or memory, and
//! are called by C as they are. Comments here say what an implementer has to know.

pub(crate) mod bool;
mod builder;
pub(crate) mod bytes;
pub(crate) mod call;
mod capsule;
pub(crate) mod contextvar;
pub(crate) mod dict;
pub(crate) mod err;
pub(crate) mod eval;
mod field;
pub(crate) mod float;
pub(crate) mod handle;
pub(crate) mod import;
pub(crate) mod iter;
pub(crate) mod list;
pub(crate) mod long;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod slice;
mod thread;
mod tracker;
mod trampoline;
pub(crate) mod tuple;
pub(crate) mod r#type;
pub(crate) mod unicode;

pub(crate) use crate::global::*;
pub(crate) use builder::*;
pub(crate) use bytes::*;
pub(crate) use call::*;
pub(crate) use capsule::*;
pub(crate) use contextvar::*;
pub(crate) use err::*;
pub(crate) use field::*;
pub(crate) use handle::*;
pub(crate) use long::*;
pub(crate) use slice::*;
pub(crate) use thread::*;
pub(crate) use tracker::*;
pub(crate) use trampoline::*;
pub(crate) use tuple::*;
pub(crate) use r#type::*;
pub(crate) use unicode::*;
