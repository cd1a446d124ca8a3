//! Functions of the context whose wrapper does not follow from the description: what is not a handle there, or more than one.

mod array;
mod buffer;
mod builder;
mod capsule;
mod field;
mod global;
mod handle;
mod memory;
mod structs;
mod thread;
mod tracker;
mod trampoline;
mod types;

pub(crate) use array::*;
pub(crate) use buffer::*;
pub(crate) use builder::*;
pub(crate) use capsule::*;
pub(crate) use field::*;
pub(crate) use global::*;
pub(crate) use handle::*;
pub(crate) use memory::*;
pub(crate) use structs::*;
pub(crate) use thread::*;
pub(crate) use tracker::*;
pub(crate) use trampoline::*;
pub(crate) use types::*;
