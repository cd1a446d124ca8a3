//! What `hpy.universal` needs in native code on interpreters that have HPy themselves, such as PyPy 7.3.
//!
//! It is a universal extension, `hpy._native`, and knows no Python but through the context that the host gives it: so one
//! file serves each such interpreter. The Python half is `python/native/hpy/universal.py`.
//!
//! - [`layout`] looks at the host's context, and puts it right where that is known to help.
//! - [`repairs`] stands in front of functions of the context that do otherwise than the API says.
//! - [`module`] is the extension: its definitions and functions.
//! - [`check`] opens an extension before the host does, for the errors that other hosts of ours give.
//! - [`standin`] opens an extension that is to run in debug or trace mode, and makes a file that the host loads in its place
//!   ([`elf`]): its definitions have thunks where the extension's have functions ([`adapter`]).
//! - [`debug`] and [`trace`] are what the Python half asks of these modes.
//!
//! # What makes the unsafe code sound
//!
//! The host calls the entry points as the ABI says, with its context, which is never freed, while the interpreter is
//! attached. Definitions are static and are never written to.
#![allow(non_snake_case, non_upper_case_globals)] // the names are those of the ABI

mod adapter;
mod check;
mod context;
mod debug;
mod elf;
mod foreign;
mod layout;
mod module;
mod python;
mod repairs;
mod standin;
mod trace;
