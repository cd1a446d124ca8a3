//! Worlds: what a load of an extension has in trace mode; and targets, its functions.

use core::ffi::c_void;
use core::ptr;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use hpy_abi::{HPyContext, HPyFunc_Signature};
use hpy_host::{Entry, Wrapped, Wrapper};

use crate::api::{Own, Shared};
use crate::clock;
use crate::generated;
use crate::names::Names;
use crate::record::Record;
use crate::thread::{self, Thread};

/// The name of what makes calls of the API outside of all functions of the extension.
pub(crate) const OUTSIDE: &str = "(outside)";

/// What a load of an extension has in trace mode. Never freed, as loads are not.
pub(crate) struct World {
    inner: *mut HPyContext,
    /// The members of every context of this world.
    template: HPyContext,
    module: &'static str,
    pub names: Names,
    targets: Mutex<HashMap<Key, &'static Target>>,
    /// The context that all functions and threads share.
    shared: OnceLock<&'static Record>,
}

/// The number of a signature, and the addresses of function and first argument.
type Key = (u32, usize, usize);

/// A function of the extension, and the world that it is entered in: what a thunk carries.
pub(crate) struct Target {
    pub world: &'static World,
    /// The author's function, or what something else wants to be called in its place.
    pub function: unsafe extern "C" fn(),
    /// What that wants for its first argument; null: a context of ours.
    pub first: *const c_void,
    /// Its place in the list of all targets.
    pub number: usize,
    name: String,
    records: Mutex<Vec<&'static Record>>,
}

// SAFETY: the wrapped context is used by threads that may; all else does not change or is behind locks.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}
// SAFETY: as above; who made the first argument lets every thread use it.
unsafe impl Sync for Target {}
// SAFETY: as above.
unsafe impl Send for Target {}

static TARGETS: Mutex<Vec<&'static Target>> = Mutex::new(Vec::new());

/// Wraps a context: calls that enter through the result are counted and timed.
///
/// # Safety
/// The context is valid and never freed; the interpreter is attached.
pub unsafe fn wrap(wrapped: Wrapped) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise.
    unsafe { World::new(wrapped) }
}

impl World {
    /// # Safety
    /// The context is valid and never freed.
    pub unsafe fn new(wrapped: Wrapped) -> &'static Self {
        clock::start();
        // SAFETY: the caller's promise.
        let inner = unsafe { &*wrapped.context };
        let world: &'static Self = Box::leak(Box::new(Self {
            inner: wrapped.context,
            template: generated::template::<Own>(inner),
            module: wrapped.name,
            names: Names::default(),
            targets: Mutex::default(),
            shared: OnceLock::new(),
        }));
        world.names.note_module(wrapped.definition);
        world.shared.get_or_init(|| {
            let context = generated::template::<Shared>(inner);
            Record::new(
                context,
                thread::this(),
                world.new_target(nothing, ptr::null(), OUTSIDE.to_owned()),
            )
        });
        world
    }

    /// The context that this one wraps.
    #[inline(always)]
    pub fn inner(&self) -> *mut HPyContext {
        self.inner
    }

    /// The entry for what is called in the place of `function`, with what first argument.
    pub fn around(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
        called: Entry,
    ) -> Option<Entry> {
        let target = generated::entry(signature)?;
        let name = || self.names.find(function);
        let first = self.target(signature, called.target, called.first, name);
        Some(Entry { first: ptr::from_ref(first).cast(), target })
    }

    /// What a thunk carries for a function; the same for the same function.
    pub fn target(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
        first: *const c_void,
        name: impl FnOnce() -> String,
    ) -> &'static Target {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (signature.0, function as usize, first as usize);
        targets.entry(key).or_insert_with(|| self.new_target(function, first, name()))
    }

    fn new_target(
        &'static self,
        function: unsafe extern "C" fn(),
        first: *const c_void,
        name: String,
    ) -> &'static Target {
        let mut all = TARGETS.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, records) = (all.len(), Mutex::default());
        let target =
            Box::leak(Box::new(Target { world: self, function, first, number, name, records }));
        all.push(target);
        target
    }
}

/// Stands for the code that calls the API outside of all functions of the extension. Never called.
unsafe extern "C" fn nothing() {}

impl Target {
    /// A record of this function for a thread.
    pub fn new_record(&'static self, thread: &'static Thread) -> &'static Record {
        let record = Record::new(self.world.template.clone(), thread, self);
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        record
    }

    /// The records of all threads.
    pub fn records(&self) -> Vec<&'static Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The module and the name of the function.
    pub fn full_name(&self) -> (&'static str, &str) {
        (self.world.module, &self.name)
    }
}

/// The functions of all worlds.
pub(crate) fn targets() -> Vec<&'static Target> {
    TARGETS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The module and the name of the function with this number.
pub(crate) fn entry_name(number: usize) -> (String, String) {
    let targets = TARGETS.lock().unwrap_or_else(PoisonError::into_inner);
    let (module, name) = targets.get(number).map_or(("", ""), |target| target.full_name());
    (module.to_owned(), name.to_owned())
}

impl Wrapper for World {
    fn context(&'static self) -> *mut HPyContext {
        self.shared.get().map_or(ptr::null_mut(), |shared| shared.context())
    }

    fn entry(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry> {
        self.around(signature, function, Entry { first: ptr::null(), target: function })
    }
}
