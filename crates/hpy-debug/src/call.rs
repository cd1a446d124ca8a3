//! Calls from Python into the extension: what the printed entries do around the author's function.

use core::cell::Cell;
use core::mem::{MaybeUninit, transmute_copy};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use hpy_abi::{HPy, HPyContext};

use crate::fields;
use crate::findings::{
    ARGUMENT_RETURNED, CLOSED_RETURNED, CONSTANT_RETURNED, Class, FOREIGN_HANDLE, NO_EXCEPTION,
    NOT_A_HANDLE, RESULT_WITH_EXCEPTION,
};
use crate::handles::{Chain, Closing, Invalid, Owner};
use crate::report::{self, Finding};
use crate::slots::Slot;
use crate::state::{State, state};
use crate::world::{Context, Target, World};

/// In [`Context::thread`], whether the call waits for another one, or has left Python.
const WAITS: usize = 1;

/// What is known about a thread.
struct Thread {
    /// Its number; 0 before it is asked for.
    id: AtomicUsize,
    /// The context of the call that it is in; null if it is in none.
    current: AtomicPtr<Context>,
}

/// No thread.
static NOBODY: Thread = Thread::new();

/// The thread whose call began last, or nobody: finding a thread variable takes longer than a look whether it is the same again. Read
/// and written under the lock of the state.
static LATEST: AtomicPtr<Thread> = AtomicPtr::new(ptr::from_ref(&NOBODY).cast_mut());

impl Thread {
    const fn new() -> Self {
        Self { id: AtomicUsize::new(0), current: AtomicPtr::new(ptr::null_mut()) }
    }
}

/// What sees to it that [`LATEST`] is no thread that has ended.
struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        let _state = state();
        if THREAD.with(|thread| ptr::eq(thread, LATEST.load(Ordering::Relaxed))) {
            LATEST.store(ptr::from_ref(&NOBODY).cast_mut(), Ordering::Relaxed);
        }
    }
}

thread_local! {
    static THREAD: Thread = const { Thread::new() };
    static FORGET: Forget = const { Forget };
    /// The kind of function without a context that this thread is in.
    static RESTRICTED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The context of the call that this thread is in.
pub(crate) fn current() -> *const Context {
    THREAD.with(|thread| thread.current.load(Ordering::Relaxed))
}

fn set_current(context: *const Context) {
    THREAD.with(|thread| thread.current.store(context.cast_mut(), Ordering::Relaxed));
}

/// This thread, whose number is `id`. The lock of the state is held.
#[inline(always)]
fn thread(_state: &State, id: usize) -> *const Thread {
    let latest = LATEST.load(Ordering::Relaxed);
    // SAFETY: a thread that ends is no longer the latest, and waits for the lock to say so.
    if unsafe { (*latest).id.load(Ordering::Relaxed) } == id { latest } else { another_thread() }
}

/// This thread, which becomes the latest one, unless it ends.
#[cold]
#[inline(never)]
fn another_thread() -> *const Thread {
    let thread = THREAD.with(ptr::from_ref);
    // SAFETY: the variable is this thread's, and has no destructor.
    unsafe { (*thread).id.store(this_thread(), Ordering::Relaxed) };
    if FORGET.try_with(|_| ()).is_ok() {
        LATEST.store(thread.cast_mut(), Ordering::Relaxed);
    }
    thread
}

/// The author's function that this thread is in; 0 if it is in none.
pub(crate) fn current_function() -> usize {
    // SAFETY: contexts are never freed.
    unsafe { current().as_ref() }.map_or(0, |context| context.target.get().address())
}

/// Where on the stack the call that this thread is in began; where the stack ends, if it is in none.
pub(crate) fn entry_frame() -> usize {
    // SAFETY: contexts are never freed.
    unsafe { current().as_ref() }.map_or(usize::MAX, |context| context.frame.get())
}

/// The world of the call that this thread is in, if it is in one.
pub(crate) fn current_world() -> Option<&'static World> {
    // SAFETY: contexts are never freed.
    unsafe { current().as_ref() }.map(|context| context.world)
}

/// An even number that no other living thread has, and never 0. Where it is one instruction, the address of what the system
/// keeps of the thread; else the system's number, where it is cheaper than the address of a thread variable.
#[inline(always)]
pub(crate) fn this_thread() -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64"))]
    {
        let thread;
        // SAFETY: the platform's interface for ELF says that the address is there in every thread, for programs to read.
        unsafe {
            core::arch::asm!(
                "mov {}, fs:[0]", out(reg) thread, options(pure, readonly, nostack, preserves_flags)
            );
        }
        thread
    }
    #[cfg(all(target_os = "linux", target_arch = "aarch64", target_pointer_width = "64"))]
    {
        let thread;
        // SAFETY: every thread may read the register, which has the address.
        unsafe {
            core::arch::asm!(
                "mrs {}, tpidr_el0", out(reg) thread, options(pure, nomem, nostack, preserves_flags)
            );
        }
        thread
    }
    #[cfg(all(
        unix,
        not(all(
            target_os = "linux",
            target_pointer_width = "64",
            any(target_arch = "x86_64", target_arch = "aarch64")
        ))
    ))]
    // SAFETY: every thread may ask for its own.
    unsafe {
        libc::pthread_self() as usize
    }
    #[cfg(not(unix))]
    THREAD.with(|thread| ptr::from_ref(thread) as usize)
}

/// The kind of function without a context that this thread is in.
pub(crate) fn restricted() -> Option<&'static str> {
    RESTRICTED.get()
}

impl Context {
    /// Whether the API may be called with this context here and now.
    #[inline(always)]
    pub fn is_active(&self) -> bool {
        self.thread.load(Ordering::Relaxed) == this_thread()
    }

    /// Whether a call that has not returned has it.
    #[inline(always)]
    pub fn is_busy(&self) -> bool {
        self.thread.load(Ordering::Relaxed) != 0
    }

    /// Whether its call is in this thread, if it has one.
    pub fn is_here(&self) -> bool {
        self.thread.load(Ordering::Relaxed) & !WAITS == this_thread()
    }

    /// This thread is in the call of this context, after code ran that may have been in others and not have come back.
    #[inline(always)]
    pub fn come_back(&self) {
        if self.thread.load(Ordering::Relaxed) & WAITS != 0 {
            self.activate();
        }
    }

    /// This thread is in the call of this context.
    #[cold]
    pub fn activate(&self) {
        self.thread.store(this_thread(), Ordering::Relaxed);
        set_current(self);
    }

    /// This thread leaves the call of this context for a time.
    pub fn deactivate(&self) {
        self.thread.store(this_thread() | WAITS, Ordering::Relaxed);
        set_current(ptr::null());
    }
}

/// A call of this thread stops, because one inside it begins.
#[inline(always)]
fn pause(outer: *const Context, thread: usize) {
    // SAFETY: null, or a context; those are never freed.
    if let Some(outer) = unsafe { outer.as_ref() } {
        outer.thread.store(thread | WAITS, Ordering::Relaxed);
    }
}

/// A call of this thread goes on, if it is not over: greenlets end calls in any order.
#[inline(always)]
fn resume(outer: *const Context) {
    // SAFETY: null, or a context; those are never freed.
    if let Some(outer) = unsafe { outer.as_ref() }
        && outer.thread.load(Ordering::Relaxed) == this_thread() | WAITS
    {
        outer.thread.store(this_thread(), Ordering::Relaxed);
    }
}

impl Target {
    /// The author's function as one of type `F`.
    ///
    /// # Safety
    /// There is one, and `F` is its type.
    #[inline(always)]
    pub unsafe fn function<F>(&self) -> F {
        const { assert!(size_of::<F>() == size_of::<unsafe extern "C" fn()>()) };
        // SAFETY: the caller's promise; function pointers are of one size.
        unsafe { transmute_copy(&self.function) }
    }

    /// Where the author's function is; 0 if there is none.
    pub fn address(&self) -> usize {
        self.function.map_or(0, |function| function as usize)
    }
}

/// A call that runs, with the handles of its arguments.
pub(crate) struct Call {
    context: &'static Context,
    outer: *const Context,
    /// A call ends in the thread that it began in.
    thread: *const Thread,
    /// Those by themselves, and those of the array.
    arguments: [Chain; 2],
}

impl Call {
    /// Begins a call: a context for it, and handles for its arguments. If there may be `NULLS`, they stay null.
    #[inline(always)]
    pub fn enter<const NULLS: bool, const N: usize>(
        target: &'static Target,
        arguments: [HPy; N],
    ) -> (Self, [HPy; N]) {
        let attached = target.world.attachment();
        let mut state = state();
        let mut call = Self::begin(&state, target, attached);
        let (handles, opened) = state.handles.open_all::<NULLS, N>(target, arguments);
        call.arguments[0] = opened;
        (call, handles)
    }

    /// The same for a function that also gets an array of `length` arguments.
    ///
    /// # Safety
    /// There are as many, unless the pointer is null.
    #[inline(always)]
    pub unsafe fn enter_with<const NULLS: bool, const N: usize>(
        target: &'static Target,
        arguments: [HPy; N],
        items: *const HPy,
        length: usize,
    ) -> (Self, [HPy; N], Arguments) {
        let attached = target.world.attachment();
        let mut state = state();
        let mut call = Self::begin(&state, target, attached);
        let (handles, opened) = state.handles.open_all::<NULLS, N>(target, arguments);
        // SAFETY: the caller's promise.
        let (items, more) = unsafe { Arguments::open(&mut state, target, items, length) };
        call.arguments = [opened, more];
        (call, handles, items)
    }

    #[inline(always)]
    fn begin(state: &State, target: &'static Target, attached: usize) -> Self {
        let context = target.world.take_context(target, state);
        let id = this_thread();
        let thread = thread(state, id);
        // SAFETY: the variable is this thread's, and has no destructor.
        let current = unsafe { &(*thread).current };
        let outer = current.load(Ordering::Relaxed);
        current.store(ptr::from_ref(context).cast_mut(), Ordering::Relaxed);
        pause(outer, id);
        context.thread.store(id, Ordering::Relaxed);
        context.target.set(target);
        context.attached.set(attached);
        let here = MaybeUninit::<u8>::uninit();
        context.frame.set(here.as_ptr() as usize);
        Self { context, outer, thread, arguments: [Chain::EMPTY, Chain::EMPTY] }
    }

    /// What the author's function gets.
    #[inline(always)]
    pub fn context(&self) -> *mut HPyContext {
        ptr::from_ref(self.context).cast_mut().cast()
    }

    pub fn world(&self) -> &'static World {
        self.context.world
    }

    /// Ends the call: closes the handles of its arguments.
    #[inline(always)]
    pub fn leave(self) {
        self.look_at_fields();
        self.context.excepted.set(false);
        self.context.failed.set(None);
        self.end(state().handles.closing());
    }

    /// Ends the call, takes over what the author's function returned, and gives the wrapped handle. Null without an exception is a
    /// failure unless the function is `SILENT`.
    ///
    /// # Safety
    /// The interpreter is attached.
    #[inline(always)]
    pub unsafe fn leave_with<const SILENT: bool>(self, h: HPy) -> HPy {
        self.look_at_fields();
        if self.context.failed.get().is_some() {
            self.has_failed_and_returns(h);
        }
        let mut state = state();
        let mut closing = state.handles.closing();
        let Some(given) = closing.give_away(h, self.world()) else {
            drop(state);
            if h.is_null() && !SILENT {
                self.look_for_no_exception("HPy_NULL");
            }
            // SAFETY: the caller's promise.
            let result = if h.is_null() { h } else { unsafe { self.wrong_result(h) } };
            self.leave();
            return result;
        };
        self.end(closing);
        given
    }

    /// Ends the call of a function that returned a number, perhaps one that says that it failed.
    #[inline(always)]
    pub fn leave_with_number<const SILENT: bool>(self, is_failure: bool) {
        if is_failure {
            if !SILENT {
                self.look_for_no_exception("-1");
            }
        } else if self.context.failed.get().is_some() {
            self.look_for_exception(HPy::NULL);
        }
        self.leave();
    }

    /// The function cannot fail, and may be called while an exception is set. If so, exceptions are not looked at in this call.
    pub fn allow_an_exception(&self) {
        let inner = self.world().inner();
        // SAFETY: Python calls the extension, so the interpreter is attached.
        self.context.excepted.set(unsafe { ((*inner).ctx_Err_Occurred)(inner) } != 0);
    }

    /// Reports a result that says that the function failed, if no exception is set. Sets one.
    #[cold]
    fn look_for_no_exception(&self, result: &str) {
        let inner = self.world().inner();
        // SAFETY: the author's function has returned, so the interpreter is attached.
        unsafe {
            if ((*inner).ctx_Err_Occurred)(inner) == 0 {
                self.report(&NO_EXCEPTION, HPy::NULL, &format!("it is {result}"));
                report::raise(inner, &NO_EXCEPTION);
            }
        }
    }

    /// The function returns a handle, or null, after the API has failed.
    #[cold]
    fn has_failed_and_returns(&self, h: HPy) {
        if !h.is_null() {
            self.look_for_exception(h);
        }
        self.context.failed.set(None);
    }

    /// Reports a result that says that the function did not fail, if an exception is set.
    #[cold]
    fn look_for_exception(&self, h: HPy) {
        let Some(failed) = self.context.failed.take() else { return };
        let inner = self.world().inner();
        // SAFETY: the author's function has returned, so the interpreter is attached.
        if unsafe { ((*inner).ctx_Err_Occurred)(inner) } != 0 {
            let detail = format!("{} has set the exception", failed.name);
            self.report(&RESULT_WITH_EXCEPTION, h, &detail);
        }
    }

    /// Takes over a handle that the author's function gives away, and gives the wrapped one.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn take_over(&self, h: HPy) -> HPy {
        let taken = state().handles.give_away(h, self.world());
        match taken {
            Some(inner) => inner,
            None if h.is_null() => h,
            // SAFETY: the caller's promise.
            None => unsafe { self.wrong_result(h) },
        }
    }

    /// Looks at the fields that were used, if this is the outermost call of its interpreter.
    #[inline(always)]
    fn look_at_fields(&self) {
        if fields::is_waiting() {
            self.look_at_touched();
        }
    }

    #[cold]
    #[inline(never)]
    fn look_at_touched(&self) {
        // SAFETY: contexts are never freed.
        let outer = unsafe { self.outer.as_ref() };
        if outer.is_none_or(|outer| !outer.world.is_beside(self.world())) {
            // SAFETY: the author's function has returned as it was called, attached.
            unsafe { fields::look_at_touched(self.world()) };
        }
    }

    #[inline(always)]
    fn end(self, mut closing: Closing<'_>) {
        for chain in self.arguments {
            closing.close_all(chain);
        }
        let context = self.context;
        resume(self.outer);
        context.thread.store(0, Ordering::Relaxed);
        // SAFETY: the call ends in the thread that it began in.
        unsafe { (*self.thread).current.store(self.outer.cast_mut(), Ordering::Relaxed) };
        // Under the lock until here, so that the context is not taken before.
        closing.end();
    }

    /// A result that is not the function's to give away.
    #[cold]
    unsafe fn wrong_result(&self, h: HPy) -> HPy {
        let owner = |slot: &Slot| (slot.owner(), slot.inner(), slot.is_of(self.world()));
        let found = state().handles.get(h).map(owner);
        let inner = self.world().inner();
        // SAFETY: the handle is open, so the wrapped one is; or an exception is set instead.
        unsafe {
            if let Some((owner, wrapped, is_own)) = found {
                let (class, detail) = match owner {
                    _ if !is_own => (&FOREIGN_HANDLE, report::ANOTHER_MODULE),
                    Owner::Context => (&CONSTANT_RETURNED, report::AS_IF_CLOSED),
                    _ => (&ARGUMENT_RETURNED, report::CALLER_CLOSES),
                };
                self.report(class, h, detail);
                return ((*inner).ctx_Dup)(inner, wrapped);
            }
            let class = match state().handles.diagnose(h) {
                Invalid::Unknown => &NOT_A_HANDLE,
                _ => &CLOSED_RETURNED,
            };
            self.report(class, h, report::CLOSED);
            report::raise(inner, class);
        }
        HPy::NULL
    }

    fn report(&self, class: &'static Class, h: HPy, detail: &str) {
        let place = "the result of the function".to_owned();
        report::report(self.world(), Finding::of_handle(class, place, detail, h));
    }
}

/// How many arguments have a place without memory being allocated.
const FEW: usize = 8;

/// Handles for an array of arguments.
pub(crate) struct Arguments {
    few: [HPy; FEW],
    many: Vec<HPy>,
    length: usize,
}

impl Arguments {
    /// Opens handles for `length` wrapped ones; null stays null.
    ///
    /// # Safety
    /// There are as many, unless the pointer is null.
    #[inline(always)]
    unsafe fn open(
        state: &mut State,
        target: &'static Target,
        items: *const HPy,
        length: usize,
    ) -> (Self, Chain) {
        let length = if items.is_null() { 0 } else { length };
        let mut arguments = Self { few: [HPy::NULL; FEW], many: Vec::new(), length };
        if length == 0 {
            return (arguments, Chain::EMPTY);
        }
        // SAFETY: the caller's promise.
        let items = unsafe { core::slice::from_raw_parts(items, length) };
        if length > FEW {
            arguments.many.resize(length, HPy::NULL);
        }
        let places = arguments.places();
        places.copy_from_slice(items);
        let chain = state.handles.open_slice(target, places);
        (arguments, chain)
    }

    fn places(&mut self) -> &mut [HPy] {
        if self.many.is_empty() { &mut self.few[..self.length] } else { &mut self.many }
    }

    /// The handles.
    pub fn handles(&self) -> &[HPy] {
        if self.many.is_empty() { &self.few[..self.length] } else { &self.many }
    }

    /// The handles as C wants them; valid while this value does not move.
    pub fn as_ptr(&self) -> *const HPy {
        self.handles().as_ptr()
    }
}

/// The number of keyword arguments.
///
/// # Safety
/// Null, or a handle of the wrapped context to a tuple.
pub(crate) unsafe fn count(world: &World, kwnames: HPy) -> usize {
    if kwnames.is_null() {
        return 0;
    }
    let inner = world.inner();
    // SAFETY: the caller's promise.
    unsafe { ((*inner).ctx_Length)(inner, kwnames) }.max(0).unsigned_abs()
}

/// While this lives, the thread is in a function that gets no context, and must not use one.
pub(crate) struct Restricted {
    outer: *const Context,
    before: Option<&'static str>,
}

impl Restricted {
    pub fn enter(kind: &'static str) -> Self {
        let outer = current();
        set_current(ptr::null());
        pause(outer, this_thread());
        Self { outer, before: RESTRICTED.replace(Some(kind)) }
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        set_current(self.outer);
        resume(self.outer);
        RESTRICTED.set(self.before);
    }
}
