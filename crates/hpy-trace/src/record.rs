//! Records: what one thread counts of one function of an extension, and the context that the function gets.

use core::cell::Cell;
use core::ptr;

use hpy_abi::HPyContext;

use crate::counter::Counter;
use crate::generated::FUNCTIONS;
use crate::texts::Texts;
use crate::thread::Thread;
use crate::world::Target;

/// Calls of one function.
#[derive(Default)]
pub(crate) struct Row {
    pub calls: Counter,
    pub errors: Counter,
    /// Ticks from the beginnings to the ends.
    pub total: Counter,
    /// The same without the calls inside.
    pub own: Counter,
}

/// What one thread counts of one function of an extension. Only that thread writes.
#[repr(C)]
pub(crate) struct Record {
    /// First, so that a pointer to the context is one to the record.
    context: HPyContext,
    /// The context that is wrapped. Debug mode gives another to each call.
    pub inner: Cell<*mut HPyContext>,
    pub thread: &'static Thread,
    pub target: &'static Target,
    /// What the author's function gets for its context.
    pub first: Cell<*const HPyContext>,
    /// The calls from Python.
    pub entry: Row,
    /// How many of them run.
    pub running: Counter,
    /// The part of `entry.total` that was inside another call of the same function.
    pub repeated: Counter,
    /// The calls of the API that were made in them.
    pub rows: [Row; FUNCTIONS],
    pub texts: Texts,
}

// SAFETY: the cells belong to the thread; all else may be read by any.
unsafe impl Sync for Record {}

impl Record {
    pub fn new(
        context: HPyContext,
        thread: &'static Thread,
        target: &'static Target,
    ) -> &'static Self {
        let record: &'static Self = Box::leak(Box::new(Self {
            context,
            inner: Cell::new(target.world.inner()),
            thread,
            target,
            first: Cell::new(ptr::null()),
            entry: Row::default(),
            running: Counter::default(),
            repeated: Counter::default(),
            rows: core::array::from_fn(|_| Row::default()),
            texts: Texts::default(),
        }));
        let own = ptr::from_ref(record).cast();
        record.first.set(if target.first.is_null() { own } else { target.first.cast() });
        record
    }

    /// The context as extensions get it.
    pub fn context(&'static self) -> *mut HPyContext {
        ptr::from_ref(self).cast_mut().cast()
    }
}
