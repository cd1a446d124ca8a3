//! Recordings: each call by itself, for a time line. What does not fit is counted and not kept.

use core::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{nanoseconds, origin};
use crate::counter::Counter;
use crate::level::{self, EVENTS};
use crate::thread::Thread;
use crate::world;

/// A call of the API, or of a function of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A function of the context, by its number.
    Function(usize),
    /// A function of an extension: its module and its name.
    Entry(String, String),
}

/// A call that was recorded.
#[derive(Clone, Debug)]
pub struct Event {
    /// What was called.
    pub what: What,
    /// Which thread called.
    pub thread: u64,
    /// When, in nanoseconds since trace mode began.
    pub start: u64,
    /// How long it took, in nanoseconds.
    pub duration: u64,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The calls of each thread, in the order of their ends.
    pub events: Vec<Event>,
    /// How many calls found no place.
    pub dropped: u64,
    /// How many calls of a thread are kept; 0 if nothing is recorded.
    pub limit: usize,
}

/// A call as it is kept: which, beginning, length.
type Raw = (u32, u64, u64);

/// The bit of the first number that says: the number of a target, and not of a function.
const ENTRY: u32 = 1 << 31;

/// The calls of one thread in one recording.
pub(crate) struct Buffer {
    session: usize,
    thread: u64,
    places: Box<[UnsafeCell<Raw>]>,
    /// How many are filled. They are not written again.
    filled: AtomicUsize,
    dropped: Counter,
}

// SAFETY: a place is written once, by the one thread that has the buffer, before `filled` says that it may be read.
unsafe impl Sync for Buffer {}
// SAFETY: it holds numbers.
unsafe impl Send for Buffer {}

/// The running recording.
struct Session {
    number: usize,
    limit: usize,
    buffers: Vec<Arc<Buffer>>,
}

static SESSION: Mutex<Session> = Mutex::new(Session { number: 0, limit: 0, buffers: Vec::new() });
/// The number in `SESSION`, to be read without the lock.
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Where a thread writes.
#[derive(Default)]
pub(crate) struct Log(UnsafeCell<Option<Arc<Buffer>>>);

fn session() -> MutexGuard<'static, Session> {
    SESSION.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a recording of up to `limit` calls of each thread, and forgets the one before; 0 ends it.
pub fn record_events(limit: usize) {
    let mut session = session();
    session.number += 1;
    session.limit = limit;
    session.buffers.clear();
    NUMBER.store(session.number, Ordering::Relaxed);
    level::set(EVENTS, limit > 0);
}

/// What was recorded so far.
pub fn recording() -> Recording {
    let (buffers, limit) = {
        let session = session();
        (session.buffers.clone(), session.limit)
    };
    let mut recording = Recording { limit, ..Recording::default() };
    for buffer in buffers {
        recording.dropped += buffer.dropped.get();
        let filled = buffer.filled.load(Ordering::Acquire);
        for place in &buffer.places[..filled] {
            // SAFETY: it was written before it was counted, and is not written again.
            let (number, start, length) = unsafe { *place.get() };
            recording.events.push(Event {
                what: what(number),
                thread: buffer.thread,
                start: nanoseconds(start.saturating_sub(origin())),
                duration: nanoseconds(length),
            });
        }
    }
    recording
}

fn what(number: u32) -> What {
    if number & ENTRY == 0 {
        return What::Function(number as usize);
    }
    let (module, name) = world::entry_name((number & !ENTRY) as usize);
    What::Entry(module, name)
}

/// Keeps a call of a function of the API.
#[cold]
pub(crate) fn keep_function(thread: &Thread, function: usize, start: u64, length: u64) {
    keep(thread, function as u32, start, length);
}

/// Keeps a call of a function of an extension.
#[cold]
pub(crate) fn keep_entry(thread: &Thread, target: usize, start: u64, length: u64) {
    keep(thread, target as u32 | ENTRY, start, length);
}

fn keep(thread: &Thread, number: u32, start: u64, length: u64) {
    // SAFETY: only the thread uses its own log.
    let log = unsafe { &mut *thread.log.0.get() };
    let current = NUMBER.load(Ordering::Relaxed);
    let buffer = match log {
        Some(buffer) if buffer.session == current => buffer,
        _ => log.insert(new_buffer(thread.number.get())),
    };
    let at = buffer.filled.load(Ordering::Relaxed);
    let Some(place) = buffer.places.get(at) else {
        buffer.dropped.add(1);
        return;
    };
    // SAFETY: nobody reads it before it is counted.
    unsafe { *place.get() = (number, start, length) };
    buffer.filled.store(at + 1, Ordering::Release);
}

fn new_buffer(thread: u64) -> Arc<Buffer> {
    let mut session = session();
    let places = (0..session.limit).map(|_| UnsafeCell::default()).collect();
    let (filled, dropped) = (AtomicUsize::default(), Counter::default());
    let buffer = Arc::new(Buffer { session: session.number, thread, places, filled, dropped });
    session.buffers.push(Arc::clone(&buffer));
    buffer
}
