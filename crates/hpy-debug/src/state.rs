//! What all debug contexts of the process share, behind one lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::functions::{Builder, Tracker};
use crate::handles::Handles;
use crate::pool::Pool;

/// Everything that changes.
pub(crate) struct State {
    pub handles: Handles,
    pub builders: Pool<Builder>,
    pub trackers: Pool<Tracker>,
}

/// The state, locked. It must not be held while the wrapped context runs, because that can come back here.
#[inline]
pub(crate) fn state() -> MutexGuard<'static, State> {
    static STATE: Mutex<State> =
        Mutex::new(State { handles: Handles::new(), builders: Pool::new(), trackers: Pool::new() });
    // A panic aborts the process, so no thread has left the state half changed.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
