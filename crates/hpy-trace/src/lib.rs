//! Trace mode: a context that wraps another one, and counts and times what crosses the boundary: the calls that an extension makes of
//! the API, and the calls that Python makes of the extension.
//!
//! It knows no interpreter. [`wrap`] makes it; [`wrap_below`] and [`wrap_above`] combine it with another wrapper. What was counted is
//! read with [`snapshot`].
//!
//! - Each call from Python enters through a function printed from the description (`generated`). It finds the record of the author's
//!   function for this thread ([`record`]), and gives the author the context in it.
//! - Each function of the context is a wrapper, printed from the description: it finds its counters behind the context that it is called
//!   with, calls the wrapped function, and adds the time.
//! - Only the thread whose record it is writes to it, and anybody may read: so there are no locks on the way of a call, and no
//!   read-modify-write instructions. Reading adds the records of all threads up.
//! - When a thread ends, the next new one goes on with its records, so they are as many as there are threads at the same time.
//! - Handles are those of the wrapped context.
//!
//! # What makes the unsafe code sound
//!
//! The host calls the entries with what their signature says, and extensions call the context's functions from C with what the C compiler
//! let through; both is passed on as it came. Contexts, records, targets and worlds are never freed. The wrapped context is valid for ever.
#![allow(non_snake_case, non_upper_case_globals)] // the names are those of the ABI

mod api;
mod call;
mod clock;
mod compose;
mod counter;
mod events;
mod functions;
mod generated;
mod hooks;
mod level;
mod names;
mod record;
mod texts;
mod thread;
mod view;
mod world;

pub use api::Info;
pub use clock::{frequency, reading_time};
pub use compose::{wrap_above, wrap_below};
pub use events::{Event, Recording, What, record_events, recording};
pub use generated::{FUNCTION_TABLE, FUNCTIONS};
pub use hooks::{Hook, Moment, set_hook};
pub use level::{is_timing, set_timing};
pub use view::{EntryUse, FunctionUse, Snapshot, TextUse, Use, snapshot, sums};
pub use world::wrap;
