//! The fields of CPython's structs, as the headers of the version have them that the runtime is compiled for.

pub(crate) mod builder;
mod frames;
mod keep;
mod metaclass;
mod numbers;
mod objects;
mod short;
mod threads;
mod types;

pub(crate) use frames::*;
pub(crate) use keep::*;
pub(crate) use metaclass::of_metaclass;
pub(crate) use numbers::*;
pub(crate) use objects::*;
pub(crate) use short::*;
pub(crate) use threads::*;
pub(crate) use types::*;

pub(crate) use pyo3_ffi as ffi;
