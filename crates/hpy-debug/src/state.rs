//! What all debug contexts of the process share, behind one lock.

use parking_lot::lock_api::{Mutex, MutexGuard};

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::fields::Fields;
use crate::functions::Buffers;
use crate::handles::Handles;
use crate::lock::Lock;
use crate::resources::Resources;
use crate::structs::Structs;
use crate::types::Types;

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
}

/// The state, locked. It must not be held while the wrapped context runs, because that can come back here.
#[inline(always)]
pub(crate) fn state() -> MutexGuard<'static, Lock, State> {
    static STATE: Mutex<Lock, State> = Mutex::new(State {
        handles: Handles::new(),
        resources: Resources::new(),
        buffers: None,
        types: Types::new(),
        structs: Structs::new(),
        fields: Fields::new(),
        globals: FxHashSet::with_hasher(FxBuildHasher),
    });
    STATE.lock()
}
