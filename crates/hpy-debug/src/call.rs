//! Calls from Python into the extension: what the printed entries do around the author's function.

use core::cell::Cell;
use core::mem::transmute_copy;
use core::ptr;

use hpy_abi::{HPy, HPyContext};

use crate::findings::{ARGUMENT_RETURNED, CLOSED_RETURNED, CONSTANT_RETURNED, Class, NOT_A_HANDLE};
use crate::handles::{Invalid, Owner};
use crate::report::{self, Finding};
use crate::state::{State, state};
use crate::world::{Context, Target, World};

thread_local! {
    /// The context of the call that this thread is in; null if it is in none.
    static CURRENT: Cell<*const Context> = const { Cell::new(ptr::null()) };
    /// The kind of function without a context that this thread is in.
    static RESTRICTED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The context of the call that this thread is in.
#[inline(always)]
pub(crate) fn current() -> *const Context {
    CURRENT.get()
}

/// The author's function that this thread is in; 0 if it is in none.
pub(crate) fn current_function() -> usize {
    // SAFETY: contexts are never freed.
    unsafe { current().as_ref() }.map_or(0, |context| context.function.get())
}

/// The world of the call that this thread is in, if it is in one.
pub(crate) fn current_world() -> Option<&'static World> {
    // SAFETY: contexts are never freed.
    unsafe { current().as_ref() }.map(|context| context.world)
}

/// Says which call this thread is in, after code ran that may have been in others.
#[inline(always)]
pub(crate) fn set_current(context: *const Context) {
    CURRENT.set(context);
}

/// A number that no other living thread has.
#[inline(always)]
pub(crate) fn this_thread() -> usize {
    CURRENT.with(|current| ptr::from_ref(current) as usize)
}

/// The kind of function without a context that this thread is in.
pub(crate) fn restricted() -> Option<&'static str> {
    RESTRICTED.get()
}

impl Target {
    /// The author's function as one of type `F`.
    ///
    /// # Safety
    /// `F` is the type of the function.
    #[inline(always)]
    pub unsafe fn function<F>(&self) -> F {
        const { assert!(size_of::<F>() == size_of::<unsafe extern "C" fn()>()) };
        // SAFETY: the caller's promise; function pointers are of one size.
        unsafe { transmute_copy(&self.function) }
    }
}

/// A call that runs.
pub(crate) struct Call {
    context: &'static Context,
    outer: *const Context,
}

impl Call {
    /// Begins a call: a context for it, and handles for its arguments; null stays null.
    #[inline]
    pub fn enter<const N: usize>(target: &Target, arguments: [HPy; N]) -> (Self, [HPy; N]) {
        let world = target.world;
        let mut state = state();
        let context = world.take_context(&mut state);
        context.thread.set(this_thread());
        context.function.set(target.function as usize);
        let outer = CURRENT.replace(context);
        let arguments = arguments
            .map(|h| if h.is_null() { h } else { state.handles.open(world, h, Owner::Caller) });
        (Self { context, outer }, arguments)
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
    #[inline]
    pub fn leave(self, arguments: &[&[HPy]]) {
        self.end(&mut state(), arguments);
    }

    /// Ends the call, takes over what the author's function returned, and gives the wrapped handle.
    ///
    /// # Safety
    /// The interpreter is attached.
    #[inline]
    pub unsafe fn leave_with(self, arguments: &[&[HPy]], h: HPy) -> HPy {
        let mut state = state();
        let mut result = HPy::NULL;
        if !h.is_null() {
            match state.handles.get(h) {
                Some(slot) if slot.owner == Owner::Extension => {
                    result = slot.inner;
                    state.handles.close(h);
                }
                _ => {
                    drop(state);
                    // SAFETY: the caller's promise.
                    result = unsafe { self.wrong_result(h) };
                    state = crate::state::state();
                }
            }
        }
        self.end(&mut state, arguments);
        result
    }

    /// Takes over a handle that the author's function gives away, and gives the wrapped one.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn take_over(&self, h: HPy) -> HPy {
        let mut state = state();
        match state.handles.get(h) {
            Some(slot) if slot.owner == Owner::Extension => {
                let inner = slot.inner;
                state.handles.close(h);
                inner
            }
            _ if h.is_null() => h,
            _ => {
                drop(state);
                // SAFETY: the caller's promise.
                unsafe { self.wrong_result(h) }
            }
        }
    }

    #[inline]
    fn end(self, state: &mut State, arguments: &[&[HPy]]) {
        for &h in arguments.iter().copied().flatten() {
            // The extension cannot have closed it: that is found, and not done.
            state.handles.close(h);
        }
        self.context.busy.set(false);
        set_current(self.outer);
    }

    /// A result that is not the function's to give away.
    #[cold]
    unsafe fn wrong_result(&self, h: HPy) -> HPy {
        let found = state().handles.get(h).map(|slot| (slot.owner, slot.inner));
        let inner = self.world().inner();
        // SAFETY: the handle is open, so the wrapped one is; or an exception is set instead.
        unsafe {
            if let Some((owner, wrapped)) = found {
                let (class, detail) = match owner {
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
    #[inline]
    pub unsafe fn open(call: &Call, items: *const HPy, length: usize) -> Self {
        let mut arguments = Self { few: [HPy::NULL; FEW], many: Vec::new(), length };
        if items.is_null() || length == 0 {
            arguments.length = 0;
            return arguments;
        }
        // SAFETY: the caller's promise.
        let items = unsafe { core::slice::from_raw_parts(items, length) };
        if length > FEW {
            arguments.many.resize(length, HPy::NULL);
        }
        let mut state = state();
        for (place, &h) in arguments.places().iter_mut().zip(items) {
            if !h.is_null() {
                *place = state.handles.open(call.world(), h, Owner::Caller);
            }
        }
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
        let restricted = Self { outer: current(), before: RESTRICTED.replace(Some(kind)) };
        set_current(ptr::null());
        restricted
    }
}

impl Drop for Restricted {
    fn drop(&mut self) {
        set_current(self.outer);
        RESTRICTED.set(self.before);
    }
}
