//! What every host of universal libraries shares: opening a library, checking what it asks for,
//! finding and walking its definitions, and the thunks through which Python calls its functions.
//!
//! Nothing here knows an interpreter. Each module says what makes its unsafe code sound.
#![allow(non_upper_case_globals)] // the ABI's names

mod builder;
mod definitions;
mod diagnosis;
mod error;
mod extension;
mod globals;
mod host;
mod interpreter;
mod mode;
mod module;
pub mod thunk;
mod types;
mod wrapper;

pub use builder::builder_fault;
pub use definitions::{Definition, definitions, null_terminated};
pub use error::Error;
pub use extension::{Extension, Support, Version};
pub use globals::{global_number, number_globals};
pub use host::{Fields, Host, Level, Wrap, Wrapped};
pub use mode::Mode;
pub use module::ModulePlan;
pub use types::{TypeDefinitions, VECTORCALL_OFFSET};
pub use wrapper::{Entry, Wrapper, gets_context};
