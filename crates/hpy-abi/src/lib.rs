//! The hpy0 ABI as Rust types: what a universal binary and a host agree on, and nothing else.
//!
//! Layout and names are those of the C headers in `include/`; the context, the slots and the signatures are printed
//! from the description in `api/`. Sizes and offsets are asserted at compile time on 64-bit targets, where the
//! numbers of the ABI were taken.
//!
//! There is no unsafe code here: function pointers are only declared.
#![no_std]
#![allow(non_camel_case_types, non_upper_case_globals, non_snake_case)]

mod defs;
mod generated;
mod handles;
mod types;

pub use defs::*;
pub use generated::*;
pub use handles::*;
pub use types::*;

/// The major version of the ABI; a library asks for it through `get_required_hpy_major_version_<name>`.
pub const HPY_ABI_VERSION: u32 = 0;
/// The minor version of the ABI that this host offers.
pub const HPY_ABI_VERSION_MINOR: u32 = 0;
/// The tag in the file name of a universal library: `foo.hpy0.so`.
pub const HPY_ABI_TAG: &str = "hpy0";
