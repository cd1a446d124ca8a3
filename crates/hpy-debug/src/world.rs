//! Worlds: what a load of an extension has in debug mode; and the contexts that its calls get.
//!
//! Each call from Python gets another context from a ring, so that one that was kept is recognised. The context of the running call
//! of a thread is in a thread variable; a function of the API compares it with the one that it is called with, which finds a context
//! that is too old, of an outer call, or of another thread, with one comparison.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPy, HPyContext, HPyFunc_Signature};
use hpy_host::{Entry, Wrapped, Wrapper};

use crate::generated;
use crate::handles::Owner;
use crate::state::{State, state};

/// How many contexts take turns.
const RING: usize = 16;

/// A context as extensions get it, with what is known about it behind it.
#[repr(C)]
pub(crate) struct Context {
    api: HPyContext,
    pub world: &'static World,
    /// Whether a call that has not returned has it.
    pub busy: Cell<bool>,
    /// Whether that call has left Python.
    pub left: Cell<bool>,
    /// The thread of that call.
    pub thread: Cell<usize>,
    /// The author's function that was called.
    pub function: Cell<usize>,
}

impl Context {
    fn new(api: HPyContext, world: &'static World) -> &'static Self {
        let (busy, left) = (Cell::new(false), Cell::new(false));
        let (thread, function) = (Cell::new(0), Cell::new(0));
        Box::leak(Box::new(Self { api, world, busy, left, thread, function }))
    }
}

/// What a load of an extension has in debug mode. Never freed, as loads are not.
pub(crate) struct World {
    inner: *mut HPyContext,
    /// The members of every context of this world.
    template: UnsafeCell<Option<HPyContext>>,
    ring: UnsafeCell<Ring>,
    /// What the trampolines of the extension get where there are no thunks.
    home: Cell<*mut HPyContext>,
    targets: Mutex<HashMap<(u32, usize), &'static Target>>,
}

#[derive(Default)]
struct Ring {
    contexts: Vec<&'static Context>,
    next: usize,
}

/// A function of the extension, and the world that it is entered in: what a thunk carries.
pub(crate) struct Target {
    pub world: &'static World,
    pub function: unsafe extern "C" fn(),
}

// SAFETY: the template and `home` are written before the world is shared; the ring is used only under the lock of the state; the
// wrapped context is used by threads that may.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}
// SAFETY: function pointers and a world may be used by every thread.
unsafe impl Sync for Target {}

/// Wraps a context: calls that enter through the result are checked.
///
/// # Safety
/// The context is valid and never freed; the interpreter is attached.
pub unsafe fn wrap(wrapped: Wrapped) -> &'static dyn Wrapper {
    let inner = wrapped.context;
    let world: &'static World = Box::leak(Box::new(World {
        inner,
        template: UnsafeCell::new(None),
        ring: UnsafeCell::default(),
        home: Cell::new(ptr::null_mut()),
        targets: Mutex::default(),
    }));
    // SAFETY: the wrapped context is valid, the caller says; nobody else knows the world yet.
    unsafe {
        let mut state = state();
        let wrapped = &*inner;
        let template = generated::template(wrapped, |h: HPy| {
            if h.is_null() { h } else { state.handles.open(world, h, Owner::Context) }
        });
        *world.template.get() = Some(template);
        world.home.set(ptr::from_ref(world.new_context()).cast_mut().cast());
    }
    world
}

impl World {
    /// The context that this one wraps.
    #[inline(always)]
    pub fn inner(&self) -> *mut HPyContext {
        self.inner
    }

    /// A context for a call, which gives it back by [`Context::busy`].
    #[inline]
    pub fn take_context(&'static self, _state: &mut State) -> &'static Context {
        // SAFETY: the ring is used only under the lock of the state, which is held.
        let ring = unsafe { &mut *self.ring.get() };
        // Calls inside each other, or in several threads, may need more.
        let length = ring.contexts.len();
        for _ in 0..length {
            let context = ring.contexts[ring.next];
            ring.next = if ring.next + 1 == length { 0 } else { ring.next + 1 };
            if !context.busy.replace(true) {
                return context;
            }
        }
        for _ in 0..RING {
            ring.contexts.push(self.new_context());
        }
        ring.next = length + 1;
        ring.contexts[length].busy.set(true);
        ring.contexts[length]
    }

    /// Whether a call has not returned yet.
    pub fn is_running(&self, _state: &mut State) -> bool {
        // SAFETY: the ring is used only under the lock of the state, which is held.
        let ring = unsafe { &*self.ring.get() };
        ring.contexts.iter().any(|context| context.busy.get())
    }

    fn new_context(&'static self) -> &'static Context {
        // SAFETY: the template is not written once the world is shared.
        let template = unsafe { (*self.template.get()).clone() };
        Context::new(template.expect("written when the world was made"), self)
    }

    /// What a thunk carries for `function`; the same for the same function.
    pub fn target(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> &'static Target {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (signature.0, function as usize);
        targets.entry(key).or_insert_with(|| Box::leak(Box::new(Target { world: self, function })))
    }
}

impl Wrapper for World {
    fn context(&'static self) -> *mut HPyContext {
        self.home.get()
    }

    fn entry(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry> {
        let target = generated::entry(signature)?;
        let first: *const c_void = ptr::from_ref(self.target(signature, function)).cast();
        Some(Entry { first, target })
    }
}
