//! Debug mode: a context that wraps another one, checks every use of it, and says what is wrong, where, and how to mend it.
//!
//! It knows no interpreter: whatever it needs of Python it asks of the context that it wraps. [`wrap`] makes it; the host asks the
//! result how functions of the extension are to be entered ([`hpy_host::Wrapper`]).
//!
//! - The extension sees handles of this crate ([`handles`]): numbers of slots, so that each use can be checked without following a
//!   pointer that may be wrong.
//! - Each call from Python enters through a function printed from the description (`generated`), which opens handles for the
//!   arguments, gives the extension a context from a ring ([`world`]), and closes what it opened.
//! - Each function of the context is a wrapper, printed from the description or written in `functions`: it checks, calls the wrapped
//!   context, and opens a handle for the result.
//! - What is found is an entry of the table in [`findings`]; [`report`] says it and decides how to go on.
//!
//! To add a class of findings: an entry in `findings.rs`, one call of `report::report` where it is detected, the page in `docs/debug`,
//! and a program that commits the bug in `tests/debug_bugs.py`.
//!
//! # What makes the unsafe code sound
//!
//! The host calls the entries with what their signature says, and extensions call the context's functions from C with what the C
//! compiler let through: handles are checked before use; other pointers are passed on as they came. The context of a call was made
//! here and is never freed; what a forged context leads to cannot be helped. The wrapped context is valid for ever. The one lock
//! ([`state`]) is never held while the wrapped context runs.
#![allow(non_snake_case, non_upper_case_globals)] // the names are those of the ABI

mod action;
mod api;
mod call;
#[cfg(unix)]
mod faults;
#[cfg(not(unix))]
#[path = "no_faults.rs"]
mod faults;
mod fields;
pub mod findings;
mod functions;
mod generated;
mod handles;
mod lock;
mod paint;
mod pool;
mod raw;
pub mod report;
mod resources;
mod slots;
mod state;
mod structs;
mod trace;
mod types;
mod unwind;
mod view;
mod world;

pub use action::Action;
pub use faults::report_faults;
pub use resources::{Resource, open_resources};
pub use trace::{Frame, Place};
pub use view::*;
pub use world::wrap;
