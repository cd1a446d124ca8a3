//! Calls from Python into the extension: what the printed entries do around the author's function.

use core::cell::Cell;
use core::mem::transmute_copy;
use core::ptr;
use core::sync::atomic::Ordering;

use hpy_abi::{HPy, HPyContext};

use crate::fields;
use crate::findings::{
    ARGUMENT_RETURNED, CLOSED_RETURNED, CONSTANT_RETURNED, Class, FOREIGN_HANDLE, NO_EXCEPTION,
    NOT_A_HANDLE, RESULT_WITH_EXCEPTION,
};
use crate::handles::{Closing, Invalid, Owner, Place};
use crate::report::{self, Finding};
use crate::slots::Slot;
use crate::state::{State, state};
use crate::world::{Context, Target, World};

/// In [`Context::thread`], whether the call waits for another one, or has left Python.
const WAITS: usize = 1;

thread_local! {
    /// The context of the call that this thread is in; null if it is in none.
    static CURRENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    /// The kind of function without a context that this thread is in.
    static RESTRICTED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The context of the call that this thread is in.
pub(crate) fn current() -> *const Context {
    CURRENT.get()
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

/// An even number that no other living thread has, and never 0. The system's, where it is cheaper than the address of a thread variable.
#[inline(always)]
pub(crate) fn this_thread() -> usize {
    #[cfg(unix)]
    // SAFETY: every thread may ask for its own.
    return unsafe { libc::pthread_self() } as usize;
    #[cfg(not(unix))]
    return CURRENT.with(|current| ptr::from_ref(current) as usize);
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
        CURRENT.set(self);
    }

    /// This thread leaves the call of this context for a time.
    pub fn deactivate(&self) {
        self.thread.store(this_thread() | WAITS, Ordering::Relaxed);
        CURRENT.set(ptr::null());
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
fn resume(outer: *const Context, thread: usize) {
    // SAFETY: null, or a context; those are never freed.
    if let Some(outer) = unsafe { outer.as_ref() }
        && outer.thread.load(Ordering::Relaxed) == thread | WAITS
    {
        outer.thread.store(thread, Ordering::Relaxed);
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

/// A call that runs, with the handles of `N` arguments.
pub(crate) struct Call<const N: usize> {
    context: &'static Context,
    outer: *const Context,
    /// The thread's variable; a call ends in the thread that it began in.
    current: *const Cell<*const Context>,
    handles: [HPy; N],
    places: [Option<Place>; N],
}

impl<const N: usize> Call<N> {
    /// Begins a call: a context for it, and handles for its arguments; null stays null.
    #[inline(always)]
    pub fn enter(target: &'static Target, arguments: [HPy; N]) -> (Self, [HPy; N]) {
        Self::begin(&mut state(), target, arguments)
    }

    /// The same for a function that also gets an array of `length` arguments.
    ///
    /// # Safety
    /// There are as many, unless the pointer is null.
    #[inline(always)]
    pub unsafe fn enter_with(
        target: &'static Target,
        arguments: [HPy; N],
        items: *const HPy,
        length: usize,
    ) -> (Self, [HPy; N], Arguments) {
        let mut state = state();
        let (call, handles) = Self::begin(&mut state, target, arguments);
        // SAFETY: the caller's promise.
        let items = unsafe { Arguments::open(&mut state, target, items, length) };
        (call, handles, items)
    }

    #[inline(always)]
    fn begin(state: &mut State, target: &'static Target, arguments: [HPy; N]) -> (Self, [HPy; N]) {
        let context = target.world.take_context(target, state);
        let current = CURRENT.with(ptr::from_ref);
        // SAFETY: the variable is this thread's, and has no destructor.
        let outer = unsafe { (*current).replace(context) };
        let thread = this_thread();
        pause(outer, thread);
        context.thread.store(thread, Ordering::Relaxed);
        context.target.set(target);
        context.note_attachment();
        let here = 0_u8;
        context.frame.set(ptr::from_ref(&here) as usize);
        context.failed.set(None);
        let (mut handles, mut places) = (arguments, [None; N]);
        let mut opening = state.handles.opening();
        for at in 0..N {
            (handles[at], places[at]) = opening.open(target, arguments[at], Owner::Caller);
        }
        opening.end();
        (Self { context, outer, current, handles, places }, handles)
    }

    /// What the author's function gets.
    #[inline(always)]
    pub fn context(&self) -> *mut HPyContext {
        ptr::from_ref(self.context).cast_mut().cast()
    }

    pub fn world(&self) -> &'static World {
        self.context.world
    }

    /// Ends the call: closes the handles of its arguments, and of the array of `items`.
    #[inline(always)]
    pub fn leave(self, items: &[HPy]) {
        self.look_at_fields();
        self.context.excepted.set(false);
        self.end(state().handles.closing(), items);
    }

    /// Ends the call, takes over what the author's function returned, and gives the wrapped handle. Null without an exception is a
    /// failure unless the function is `SILENT`.
    ///
    /// # Safety
    /// The interpreter is attached.
    #[inline(always)]
    pub unsafe fn leave_with<const SILENT: bool>(self, items: &[HPy], h: HPy) -> HPy {
        self.look_at_fields();
        if self.context.failed.get().is_some() && !h.is_null() {
            self.look_for_exception(h);
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
            self.leave(items);
            return result;
        };
        self.end(closing, items);
        given
    }

    /// Ends the call of a function that returned a number, perhaps one that says that it failed.
    #[inline(always)]
    pub fn leave_with_number<const SILENT: bool>(self, items: &[HPy], is_failure: bool) {
        if is_failure {
            if !SILENT {
                self.look_for_no_exception("-1");
            }
        } else if self.context.failed.get().is_some() {
            self.look_for_exception(HPy::NULL);
        }
        self.leave(items);
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

    /// Looks at the fields that were used, if this is the outermost call.
    #[inline(always)]
    fn look_at_fields(&self) {
        if self.outer.is_null() && fields::is_waiting() {
            // SAFETY: the author's function has returned as it was called, attached.
            unsafe { fields::look_at_touched() };
        }
    }

    #[inline(always)]
    fn end(self, mut closing: Closing<'_>, items: &[HPy]) {
        // The extension cannot have closed them: that is found, and not done.
        for at in 0..N {
            if let Some(place) = self.places[at] {
                closing.close_at(self.handles[at], place);
            }
        }
        items.iter().for_each(|&h| closing.close(h));
        let context = self.context;
        resume(self.outer, context.thread.load(Ordering::Relaxed));
        context.thread.store(0, Ordering::Relaxed);
        // Under the lock until here, so that the context is not taken before.
        closing.end();
        // SAFETY: the call ends in the thread that it began in.
        unsafe { (*self.current).set(self.outer) };
    }

    /// A result that is not the function's to give away.
    #[cold]
    unsafe fn wrong_result(&self, h: HPy) -> HPy {
        let owner = |slot: &Slot| (slot.owner.get(), slot.inner(), slot.is_of(self.world()));
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
    ) -> Self {
        let length = if items.is_null() { 0 } else { length };
        let mut arguments = Self { few: [HPy::NULL; FEW], many: Vec::new(), length };
        if length == 0 {
            return arguments;
        }
        // SAFETY: the caller's promise.
        let items = unsafe { core::slice::from_raw_parts(items, length) };
        if length > FEW {
            arguments.many.resize(length, HPy::NULL);
        }
        let mut opening = state.handles.opening();
        for (place, &h) in arguments.places().iter_mut().zip(items) {
            *place = opening.open(target, h, Owner::Caller).0;
        }
        opening.end();
        arguments
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
        let outer = CURRENT.replace(ptr::null());
        pause(outer, this_thread());
        Self { outer, before: RESTRICTED.replace(Some(kind)) }
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
        resume(self.outer, this_thread());
        RESTRICTED.set(self.before);
    }
}
