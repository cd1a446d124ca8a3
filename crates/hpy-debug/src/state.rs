//! What all debug contexts of the process share, behind one lock.

use core::mem;

use parking_lot::lock_api::{Mutex, MutexGuard};

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::fields::Fields;
use crate::functions::Buffers;
use crate::handles::Handles;
use crate::lock::Lock;
use crate::resources::Resources;
use crate::structs::Structs;
use crate::types::Types;
use crate::world::World;

/// Everything that changes.
pub(crate) struct State {
    pub handles: Handles,
    pub resources: Resources,
    /// None before the first type that exports buffers.
    pub buffers: Option<Buffers>,
    pub types: Types,
    pub structs: Structs,
    pub fields: Fields,
    /// The addresses of the globals that modules name.
    pub globals: FxHashSet<usize>,
    pub worlds: Vec<&'static World>,
}

/// The state while this thread has its lock.
pub(crate) type Locked = MutexGuard<'static, Lock, State>;

static STATE: Mutex<Lock, State> = Mutex::new(State {
    handles: Handles::new(),
    resources: Resources::new(),
    buffers: None,
    types: Types::new(),
    structs: Structs::new(),
    fields: Fields::new(),
    globals: FxHashSet::with_hasher(FxBuildHasher),
    worlds: Vec::new(),
});

/// The state, locked. It must not be held while the wrapped context runs, because that can come back here.
#[inline(always)]
pub(crate) fn state() -> Locked {
    STATE.lock()
}

/// Runs code of an author while other threads wait for the lock. Only if that code does what it must not, so that it is reported, may
/// they have had it in between.
pub(crate) fn while_others_wait<R>(locked: Locked, run: impl FnOnce() -> R) -> (Locked, R) {
    mem::forget(locked);
    // SAFETY: the lock is this thread's, as the value that is forgotten shows.
    unsafe { STATE.raw().lend() };
    let result = run();
    // SAFETY: there is no such value, because it was forgotten; and who takes the lock back has it.
    let back = unsafe { STATE.raw().take_back().then(|| STATE.make_guard_unchecked()) };
    (back.unwrap_or_else(state), result)
}
