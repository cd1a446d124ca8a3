//! The host on RustPython: the universal context over `rustpython-vm`, and `hpy.universal` for its programs.
//!
//! # What makes the unsafe code sound
//!
//! Every `ctx_…` function is called by an extension through the context, so its arguments are what the description in `api/`
//! promises: the thread is running a function of an extension and holds the host's lock ([`lock`]), handles are open, pointers are valid
//! for the call. Handles are entries of a table ([`handles`]), so one that is closed is found out rather than followed. No function
//! here unwinds into C: Rust ends the process rather than let a panic leave an `extern "C"` function. What leads to an extension's
//! memory stays valid, because libraries are never closed and definitions are never written to.
#![allow(non_snake_case, non_upper_case_globals)] // the names are those of the ABI
#![deny(unsafe_op_in_unsafe_fn)]
#![warn(missing_docs, clippy::undocumented_unsafe_blocks)]

mod debug;
mod downcall;
mod error;
mod functions;
mod generated;
mod global;
mod handles;
mod host;
mod load;
mod lock;
mod methods;
mod module;
mod trace;
mod types;
mod universal;
mod upcall;

pub use debug::end;
pub use load::{Created, create};
pub use universal::install;
