//! What interpreters do differently: one file each, with the same names; `emulated` is for two.

#[cfg(any(PyPy, GraalPy))]
pub(super) mod checked;
#[cfg(not(any(PyPy, GraalPy)))]
mod cpython;
#[cfg(any(PyPy, GraalPy))]
mod emulated;
#[cfg(GraalPy)]
mod graalpy;
#[cfg(PyPy)]
mod pypy;
#[cfg(not(PyPy))]
mod types;

#[cfg(not(any(PyPy, GraalPy)))]
pub(crate) use cpython::*;
#[cfg(any(PyPy, GraalPy))]
pub(crate) use emulated::*;
#[cfg(GraalPy)]
pub(crate) use graalpy::*;
#[cfg(PyPy)]
pub(crate) use pypy::*;
#[cfg(not(PyPy))]
pub(crate) use types::*;
