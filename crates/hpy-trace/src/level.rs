//! How much is done at each call, for all extensions and threads.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Calls are timed, and not only counted.
pub(crate) const TIMING: u8 = 1;
/// A hook is called around each call of the API.
pub(crate) const HOOKS: u8 = 2;
/// Each call that was timed is recorded.
pub(crate) const EVENTS: u8 = 4;
/// The processor has no clock that can be used, so the system's is asked.
pub(crate) const SLOW_CLOCK: u8 = 8;

static LEVEL: AtomicU8 = AtomicU8::new(TIMING);

/// What is done at each call now.
#[inline(always)]
pub(crate) fn level() -> u8 {
    LEVEL.load(Relaxed)
}

pub(crate) fn set(bit: u8, on: bool) {
    if on {
        LEVEL.fetch_or(bit, Relaxed);
    } else {
        LEVEL.fetch_and(!bit, Relaxed);
    }
}

/// Sets whether calls are timed; otherwise they are only counted. They are, at first.
pub fn set_timing(on: bool) {
    set(TIMING, on);
}

/// Whether calls are timed.
pub fn is_timing() -> bool {
    level() & TIMING != 0
}
