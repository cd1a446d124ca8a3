//! Calls of the API: what the wrappers do around the function of the wrapped context.

use core::ffi::c_char;

use hpy_abi::{HPyContext, HPyType_Spec};

use crate::clock::now;
use crate::events;
use crate::hooks::{self, Moment};
use crate::level::{EVENTS, HOOKS, TIMING, level};
use crate::record::Record;
use crate::thread;

/// What is known of a function of the context.
#[derive(Debug)]
pub struct Info {
    /// The member of the context, `ctx_Add`.
    pub member: &'static str,
    /// The name in C, `HPy_Add`.
    pub name: &'static str,
    /// Whether it gives a new handle, which the caller closes.
    pub opens: bool,
}

/// What a wrapper knows of its function.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// Its place in the table of functions.
    pub number: usize,
    /// Whether it may run Python code, and so other functions of the API.
    pub nests: bool,
}

/// Where a wrapper finds the record that it counts in, and the context that it calls.
pub(crate) trait Place {
    /// # Safety
    /// The context was made for this kind of place.
    unsafe fn find(ctx: *mut HPyContext) -> (&'static Record, *mut HPyContext);
}

/// The context is that of a record: nothing needs to be looked for.
pub(crate) struct Own;

impl Place for Own {
    #[inline(always)]
    unsafe fn find(ctx: *mut HPyContext) -> (&'static Record, *mut HPyContext) {
        // SAFETY: contexts are the first field of their record, which is never freed.
        let record = unsafe { &*ctx.cast_const().cast::<Record>() };
        (record, record.inner.get())
    }
}

/// One context for all functions and threads of a load: for what wraps this one, and for trampolines.
pub(crate) struct Shared;

impl Place for Shared {
    #[inline(always)]
    unsafe fn find(ctx: *mut HPyContext) -> (&'static Record, *mut HPyContext) {
        // SAFETY: as above.
        let shared = unsafe { &*ctx.cast_const().cast::<Record>() };
        let thread = thread::this();
        // SAFETY: records are never freed.
        let current = unsafe { thread.current.get().as_ref() };
        (current.unwrap_or_else(|| thread.record(shared.target)), shared.inner.get())
    }
}

/// A call of the API that runs.
pub(crate) struct Api {
    record: &'static Record,
    inner: *mut HPyContext,
    function: Function,
    level: u8,
    start: u64,
    /// What calls before this one took, in the same call that it is in.
    before: u64,
}

impl Api {
    /// Counts a call and begins to time it.
    ///
    /// # Safety
    /// The context was made by this crate, for `P`.
    #[inline(always)]
    pub unsafe fn begin<P: Place>(ctx: *mut HPyContext, function: Function) -> Self {
        // SAFETY: the caller's promise.
        let (record, inner) = unsafe { P::find(ctx) };
        record.rows[function.number].calls.add(1);
        let level = level();
        let (mut start, mut before) = (0, 0);
        if level & HOOKS != 0 {
            hooks::call(record.thread, Moment::Enter, function.number);
        }
        if level & TIMING != 0 {
            if function.nests {
                before = record.thread.nested.replace(0);
                record.thread.running[function.number].add(1);
            }
            start = now(level);
        }
        Self { record, inner, function, level, start, before }
    }

    /// The wrapped context.
    #[inline(always)]
    pub fn inner(&self) -> *mut HPyContext {
        self.inner
    }

    /// Remembers a text that the function makes an object of.
    ///
    /// # Safety
    /// It is a C string, or null.
    #[inline(always)]
    pub unsafe fn note_text(&self, text: *const c_char) {
        if !text.is_null() {
            // SAFETY: the caller's promise.
            unsafe { self.record.texts.count(self.function.number, text) };
        }
    }

    /// Remembers the names of a type's functions.
    ///
    /// # Safety
    /// A specification, or null.
    pub unsafe fn note_type(&self, spec: *const HPyType_Spec) {
        // SAFETY: the caller's promise.
        if let Some(spec) = unsafe { spec.as_ref() } {
            // SAFETY: as above.
            unsafe { self.record.target.world.names.note_type(spec) };
        }
    }

    /// Ends the call.
    #[inline(always)]
    pub fn end(self) {
        if self.level != 0 {
            self.end_timing();
        }
    }

    /// Ends a call that failed if `failed`.
    #[inline(always)]
    pub fn end_or_fail(self, failed: bool) {
        if failed {
            self.record.rows[self.function.number].errors.add(1);
        }
        self.end();
    }

    /// Ends a call that failed if an exception is set. It may only be asked if the result is `suspect`.
    #[inline(always)]
    pub fn end_or_raise(self, suspect: bool) {
        // SAFETY: the function needs the interpreter, so the thread is attached.
        let failed = suspect && unsafe { is_raised(self.inner) };
        self.end_or_fail(failed);
    }

    #[inline(always)]
    fn end_timing(self) {
        let Self { record, function: Function { number, nests }, level, start, before, .. } = self;
        let (thread, row) = (record.thread, &record.rows[number]);
        if level & TIMING != 0 {
            let length = now(level).saturating_sub(start);
            row.total.add(length);
            if nests {
                row.own.add(length.saturating_sub(thread.nested.replace(before + length)));
                let running = thread.running[number].get().saturating_sub(1);
                thread.running[number].set(running);
                if running > 0 {
                    thread.repeated[number].add(length);
                }
            } else {
                row.own.add(length);
                thread.nested.add(length);
            }
            if level & EVENTS != 0 {
                events::keep_function(thread, number, start, length);
            }
        }
        if level & HOOKS != 0 {
            hooks::call(thread, Moment::Exit, number);
        }
    }
}

/// Whether an exception is set.
///
/// # Safety
/// The interpreter is attached, and the context a wrapped one.
#[cold]
pub(crate) unsafe fn is_raised(inner: *mut HPyContext) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ((*inner).ctx_Err_Occurred)(inner) != 0 }
}
