//! Calls from Python into the extension: what the printed entries do around the author's function.

use core::ffi::c_void;
use core::mem::transmute_copy;

use hpy_abi::HPyContext;

use crate::api::is_raised;
use crate::clock::now;
use crate::events;
use crate::level::{EVENTS, TIMING, level};
use crate::record::Record;
use crate::thread;
use crate::world::Target;

impl Target {
    /// What is called, as one of type `F`.
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
    record: &'static Record,
    level: u8,
    start: u64,
    /// The record of the call that this one is in.
    outer: *const Record,
    /// The context that the outer call of the same function wraps.
    outer_inner: *mut HPyContext,
    /// What calls before this one took, in the same call that it is in.
    before: u64,
}

impl Call {
    /// Counts a call and begins to time it; `inner` is the context to wrap.
    #[inline(always)]
    pub fn enter(target: &'static Target, inner: *mut HPyContext) -> Self {
        let thread = thread::this();
        let record = thread.record(target);
        record.entry.calls.add(1);
        let outer = thread.current.replace(record);
        let outer_inner = record.inner.replace(inner);
        let level = level();
        let (mut start, mut before) = (0, 0);
        if level & TIMING != 0 {
            record.running.add(1);
            before = thread.nested.replace(0);
            start = now(level);
        }
        Self { record, level, start, outer, outer_inner, before }
    }

    /// The first argument of what is called.
    #[inline(always)]
    pub fn first(&self) -> *mut c_void {
        self.record.first.get().cast_mut().cast()
    }

    /// Ends the call. If the result is `suspect`, it failed if an exception is set.
    #[inline(always)]
    pub fn leave(self, suspect: bool) {
        let Self { record, level, start, outer, outer_inner, before } = self;
        let thread = record.thread;
        if level & TIMING != 0 {
            let length = now(level).saturating_sub(start);
            record.entry.total.add(length);
            record.entry.own.add(length.saturating_sub(thread.nested.replace(before + length)));
            let running = record.running.get().saturating_sub(1);
            record.running.set(running);
            if running > 0 {
                record.repeated.add(length);
            }
            if level & EVENTS != 0 {
                events::keep_entry(thread, record.target.number, start, length);
            }
        }
        // SAFETY: functions whose results can fail run while the interpreter is attached.
        if suspect && unsafe { is_raised(record.inner.get()) } {
            record.entry.errors.add(1);
        }
        record.inner.set(outer_inner);
        thread.current.set(outer);
    }
}
