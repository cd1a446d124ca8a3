//! Worlds: what a load of an extension has in debug mode; and the contexts that its calls get.
//!
//! Each call from Python gets another context from a ring, so that one that was kept is recognised. The context of the running call
//! of a thread is in a thread variable; a function of the API compares it with the one that it is called with, which finds a context
//! that is too old, of an outer call, or of another thread, with one comparison.

use core::cell::{Cell, UnsafeCell};
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPy, HPyContext, HPyFunc_Signature};
use hpy_host::{Entry, Host, Wrapped, Wrapper, null_terminated};

use crate::api::Function;
use crate::generated;
use crate::handles::Owner;
use crate::state::{State, state};

/// How many contexts take turns.
const RING: usize = 16;

/// A context as extensions get it, with what is known about it behind it.
#[repr(C)]
pub(crate) struct Context {
    api: HPyContext,
    /// The wrapped context.
    pub inner: *mut HPyContext,
    pub world: &'static World,
    /// The thread of the call, as long as the API may be called; that number plus 1, while the call waits for another one or has left
    /// Python; 0 if no call has the context.
    pub thread: AtomicUsize,
    /// The author's function that was called.
    pub target: Cell<&'static Target>,
    /// What says how this thread is attached to the interpreter, and what it said when the call began.
    attachment: unsafe extern "C" fn() -> usize,
    pub attached: Cell<usize>,
    /// Where on the stack the call began.
    pub frame: Cell<usize>,
    /// The context that the call after this one gets.
    next: Cell<Option<&'static Self>>,
    /// Whether that call has left Python.
    pub left: AtomicBool,
    /// The last function of the API that failed in that call.
    pub failed: Cell<Option<&'static Function>>,
    /// Whether an exception was set when that call began, so that those are not looked at.
    pub excepted: Cell<bool>,
}

/// What a load of an extension has in debug mode. Never freed, as loads are not.
pub(crate) struct World {
    inner: *mut HPyContext,
    host: &'static dyn Host,
    /// The interpreter in which it was made.
    interpreter: usize,
    /// The members of every context of this world.
    template: UnsafeCell<Option<HPyContext>>,
    /// The context in the ring that the next call gets if no other call has it.
    next: Cell<Option<&'static Context>>,
    attachment: unsafe extern "C" fn() -> usize,
    /// What the trampolines of the extension get where there are no thunks.
    home: Cell<*mut HPyContext>,
    targets: Mutex<HashMap<(u32, usize), &'static Target>>,
}

/// A function of the extension, and the world that it is entered in: what a thunk carries. The world itself has one with no function.
pub(crate) struct Target {
    pub world: &'static World,
    pub function: Option<unsafe extern "C" fn()>,
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
        host: wrapped.host,
        // SAFETY: the caller's promise.
        interpreter: unsafe { wrapped.host.interpreter() },
        template: UnsafeCell::new(None),
        next: Cell::new(None),
        attachment: wrapped.host.attachment(),
        home: Cell::new(ptr::null_mut()),
        targets: Mutex::default(),
    }));
    // SAFETY: the wrapped context is valid, the caller says; nobody else knows the world yet.
    unsafe {
        let own = world.leak_target(None);
        let mut state = state();
        let globals = null_terminated(wrapped.definition.globals);
        state.globals.extend(globals.map(|global| global.as_ptr() as usize));
        let wrapped = &*inner;
        let template =
            generated::template(wrapped, |h: HPy| state.handles.open(own, h, Owner::Context));
        *world.template.get() = Some(template);
        state.worlds.push(world);
        world.home.set(ptr::from_ref(world.new_context(own)).cast_mut().cast());
    }
    world
}

impl Context {
    /// Whether the thread is attached as it was when the call began.
    #[inline(always)]
    pub fn is_attached(&self) -> bool {
        // SAFETY: it may be asked at any time.
        let attached = unsafe { (self.attachment)() };
        attached == self.attached.get()
    }
}

impl World {
    /// The context that this one wraps.
    #[inline(always)]
    pub fn inner(&self) -> *mut HPyContext {
        self.inner
    }

    /// Whether this thread uses another interpreter than the one in which the world was made. It is attached.
    pub fn is_elsewhere(&self) -> bool {
        // SAFETY: the thread is attached.
        unsafe { self.host.interpreter() != self.interpreter }
    }

    /// Whether both were made in the same interpreter.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.interpreter == other.interpreter
    }

    /// The host of that context.
    pub fn host(&self) -> &'static dyn Host {
        self.host
    }

    /// What says how this thread is attached to the interpreter.
    #[inline(always)]
    pub fn attachment(&self) -> usize {
        // SAFETY: it may be asked at any time.
        unsafe { (self.attachment)() }
    }

    /// A context for a call, which gives it back by [`Context::thread`]. Each call gets another one, until all had their turn. The lock of
    /// the state is held.
    #[inline(always)]
    pub fn take_context(
        &'static self,
        target: &'static Target,
        _state: &State,
    ) -> &'static Context {
        let context = match self.next.get() {
            Some(context) if !context.is_busy() => context,
            _ => self.seek_context(target),
        };
        self.next.set(context.next.get());
        context
    }

    /// The ring, from the next context on.
    fn ring(&self) -> impl Iterator<Item = &'static Context> {
        let first = self.next.get();
        let after = move |context: &&'static Context| {
            context.next.get().filter(|&next| !first.is_some_and(|first| ptr::eq(first, next)))
        };
        core::iter::successors(first, after)
    }

    /// Whether a call has not returned yet.
    pub fn is_running(&self, _state: &mut State) -> bool {
        self.ring().any(Context::is_busy)
    }

    /// Whether another thread is in a call that has not returned yet.
    pub fn is_running_elsewhere(&self, _state: &State) -> bool {
        self.ring().any(|context| context.is_busy() && !context.is_here())
    }

    /// The next context that no call has. Puts more into the ring if few are left: calls inside each other, or in several threads, have the
    /// others.
    #[cold]
    #[inline(never)]
    fn seek_context(&'static self, target: &'static Target) -> &'static Context {
        let mut free = self.ring().filter(|context| !context.is_busy());
        if let Some(context) = free.next()
            && free.count() >= RING / 2
        {
            return context;
        }
        let first = self.new_context(target);
        let mut end = first;
        for _ in 1..RING {
            let context = self.new_context(target);
            end.next.set(Some(context));
            end = context;
        }
        match self.next.get() {
            Some(busy) => end.next.set(busy.next.replace(Some(first))),
            None => end.next.set(Some(first)),
        }
        first
    }

    fn new_context(&'static self, target: &'static Target) -> &'static Context {
        // SAFETY: the template is not written once the world is shared.
        let template = unsafe { (*self.template.get()).clone() };
        Box::leak(Box::new(Context {
            api: template.expect("written when the world was made"),
            inner: self.inner,
            world: self,
            thread: AtomicUsize::new(0),
            target: Cell::new(target),
            attachment: self.attachment,
            attached: Cell::new(0),
            frame: Cell::new(usize::MAX),
            next: Cell::new(None),
            left: AtomicBool::new(false),
            failed: Cell::new(None),
            excepted: Cell::new(false),
        }))
    }

    fn leak_target(&'static self, function: Option<unsafe extern "C" fn()>) -> &'static Target {
        Box::leak(Box::new(Target { world: self, function }))
    }

    /// What a thunk carries for `function`; the same for the same function.
    pub fn target(
        &'static self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> &'static Target {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (signature.0, function as usize);
        targets.entry(key).or_insert_with(|| self.leak_target(Some(function)))
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use core::ffi::c_int;
    use hpy_abi::HPyFunc_visitproc;
    use hpy_host::Level;

    /// A host that knows no types.
    struct NoHost;

    unsafe extern "C" fn attachment() -> usize {
        1
    }

    impl Host for NoHost {
        fn attachment(&self) -> unsafe extern "C" fn() -> usize {
            attachment
        }
        fn is_attached(&self) -> bool {
            true
        }
        unsafe fn interpreter(&self) -> usize {
            0
        }
        unsafe fn lasting(&self, object: HPy) -> HPy {
            object
        }
        unsafe fn levels(&self, _: HPy, _: &mut dyn FnMut(&Level)) {}
        unsafe fn identity(&self, _: HPy) -> Option<usize> {
            None
        }
        unsafe fn data(&self, _: HPy) -> *mut c_void {
            ptr::null_mut()
        }
        unsafe fn traverse(&self, _: HPy, _: HPyFunc_visitproc, _: *mut c_void) -> c_int {
            0
        }
        fn empties(&self, _: HPyFunc_visitproc) -> bool {
            false
        }
    }

    /// A target in a world that wraps nothing.
    pub(crate) fn target() -> &'static Target {
        let (template, next) = (UnsafeCell::new(None), Cell::new(None));
        let (inner, home) = (ptr::null_mut(), Cell::new(ptr::null_mut()));
        let host = &NoHost;
        let world = World {
            inner,
            host,
            interpreter: 0,
            template,
            next,
            attachment,
            home,
            targets: Mutex::default(),
        };
        Box::leak(Box::new(world)).leak_target(None)
    }

    #[test]
    fn a_function_has_one_target() {
        unsafe extern "C" fn function() {}
        let world = target().world;
        let one = world.target(HPyFunc_Signature(0), function);
        assert!(ptr::eq(one, world.target(HPyFunc_Signature(0), function)));
        assert!(!ptr::eq(one, world.target(HPyFunc_Signature(1), function)));
    }
}
