//! Threads: where each has its records, and what it is in the middle of.

use core::array;
use core::cell::{Cell, UnsafeCell};
use core::ptr;
use std::sync::{Mutex, PoisonError};

use crate::counter::Counter;
use crate::events::Log;
use crate::generated::FUNCTIONS;
use crate::record::Record;
use crate::world::Target;

/// What a thread has. When it ends, the next new thread takes it over.
pub(crate) struct Thread {
    /// Which thread has it, of all that there have been.
    pub number: Counter,
    /// By the number of the target; null where there is none yet.
    records: UnsafeCell<Vec<*const Record>>,
    /// The record of the call from Python that runs; null if none does.
    pub current: Cell<*const Record>,
    /// Ticks that the calls inside the running one took.
    pub nested: Counter,
    /// How many calls of each function of the API run.
    pub running: [Counter; FUNCTIONS],
    /// Ticks of calls that were inside another one of the same function.
    pub repeated: [Counter; FUNCTIONS],
    /// Whether the hook runs, for which it is not called again.
    pub in_hook: Cell<bool>,
    pub log: Log,
}

// SAFETY: the cells are used by the one thread that has it; the counters may be read by any.
unsafe impl Sync for Thread {}

thread_local! {
    static THIS: Cell<*const Thread> = const { Cell::new(ptr::null()) };
    static LEASE: Lease = const { Lease };
}

static THREADS: Mutex<Threads> =
    Mutex::new(Threads { all: Vec::new(), free: Vec::new(), count: 0 });

struct Threads {
    all: Vec<&'static Thread>,
    free: Vec<&'static Thread>,
    count: u64,
}

/// This thread.
#[inline(always)]
pub(crate) fn this() -> &'static Thread {
    // SAFETY: never freed.
    unsafe { THIS.get().as_ref() }.unwrap_or_else(adopt)
}

#[cold]
fn adopt() -> &'static Thread {
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let thread = threads.free.pop().unwrap_or_else(|| {
        let thread: &'static Thread = Box::leak(Box::new(Thread::new()));
        threads.all.push(thread);
        thread
    });
    threads.count += 1;
    thread.number.set(threads.count);
    drop(threads);
    thread.forget_what_runs();
    THIS.set(thread);
    // A thread that is ending can come by again; then nobody takes over what it has.
    let _ = LEASE.try_with(|_| ());
    thread
}

/// Gives back what the thread has, when it ends.
struct Lease;

impl Drop for Lease {
    fn drop(&mut self) {
        // SAFETY: never freed.
        if let Some(thread) = unsafe { THIS.replace(ptr::null()).as_ref() } {
            THREADS.lock().unwrap_or_else(PoisonError::into_inner).free.push(thread);
        }
    }
}

/// Everything that threads have.
pub(crate) fn all() -> Vec<&'static Thread> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner).all.clone()
}

impl Thread {
    fn new() -> Self {
        Self {
            number: Counter::default(),
            records: UnsafeCell::default(),
            current: Cell::new(ptr::null()),
            nested: Counter::default(),
            running: array::from_fn(|_| Counter::default()),
            repeated: array::from_fn(|_| Counter::default()),
            in_hook: Cell::new(false),
            log: Log::default(),
        }
    }

    /// The record of `target`; only for the thread itself.
    #[inline(always)]
    pub fn record(&'static self, target: &'static Target) -> &'static Record {
        // SAFETY: only this thread uses the list; records are never freed.
        let found = unsafe {
            let records = &*self.records.get();
            records.get(target.number).and_then(|record| record.as_ref())
        };
        found.unwrap_or_else(|| self.new_record(target))
    }

    #[cold]
    fn new_record(&'static self, target: &'static Target) -> &'static Record {
        let record = target.new_record(self);
        // SAFETY: only this thread uses the list.
        let records = unsafe { &mut *self.records.get() };
        if records.len() <= target.number {
            records.resize(target.number + 1, ptr::null());
        }
        records[target.number] = record;
        record
    }

    /// The thread before may have ended in the middle of calls.
    fn forget_what_runs(&self) {
        self.current.set(ptr::null());
        self.nested.set(0);
        self.in_hook.set(false);
        self.running.iter().for_each(|running| running.set(0));
        // SAFETY: only this thread uses the list.
        let records = unsafe { &*self.records.get() };
        for record in records {
            // SAFETY: null, or never freed.
            if let Some(record) = unsafe { record.as_ref() } {
                record.running.set(0);
            }
        }
    }
}
