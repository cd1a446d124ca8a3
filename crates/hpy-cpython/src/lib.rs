//! The host on CPython: the universal context over the Python/C API.
//!
//! # What makes the unsafe code sound
//!
//! Every `ctx_…` function is called by an extension through the context, so its arguments are what the description in
//! `api/` promises: the interpreter is attached to the thread, handles are open, pointers are valid for the call. A handle
//! is the object's address ([`handle`]), so it may be passed to the C API as it is. No function here unwinds into C: what
//! can panic is not used in them, and Rust aborts the process rather than let a panic leave an `extern "C"` function.
//! Memory that CPython keeps pointers to (method tables, type records) is interned and never freed.
#![allow(non_snake_case, non_upper_case_globals)] // the names are those of the ABI

mod caller;
mod error;
mod functions;
mod generated;
mod global;
mod handle;
mod host;
mod interpreter;
mod layout;
mod load;
mod methods;
mod module;
mod names;
mod types;

pub use caller::{Line, line, note_line};
pub use interpreter::{interpreter_id, interpreter_tag, running_minor};
pub use layout::is_attached;
pub use load::*;
