//! The slots behind the handles that extensions see.
//!
//! A handle is a number: the index of its slot, and how often the slot was used before. So a handle that was kept too long, one of
//! another mode and a forged one are told from a valid one without following a pointer.
//!
//! Closed handles stay in a queue, so that a late use can say what was closed; when the queue is full, the oldest is used again.

use std::collections::VecDeque;

use hpy_abi::HPy;

use crate::raw::Snapshot;
use crate::trace::Trace;
use crate::world::World;

/// Where the count of uses begins in a handle; below it are the index and a bit that is 1.
const SERIAL: u32 = isize::BITS / 2;
const INDEX_MASK: usize = (1 << (SERIAL - 1)) - 1;

/// Who may close a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The extension, and it must.
    Extension,
    /// The caller: it is an argument.
    Caller,
    /// Nobody: it is a constant of the context.
    Context,
}

/// What is known about one handle.
pub(crate) struct Slot {
    /// The handle while it is open, or null.
    live: HPy,
    /// The handle, also after it is closed.
    pub value: HPy,
    /// The handle of the wrapped context.
    pub inner: HPy,
    pub world: &'static World,
    /// The generation in which it was opened.
    pub generation: u64,
    /// How many handles were opened before it.
    number: u64,
    /// What few handles have.
    more: Option<Box<More>>,
    pub owner: Owner,
}

/// What few handles have: copies of memory, and traces.
#[derive(Default)]
pub(crate) struct More {
    /// Copies of memory that the extension got from the handle.
    pub copies: Vec<Snapshot>,
    pub opened: Option<Trace>,
    pub closed: Option<Trace>,
}

impl Slot {
    /// Whether the handle is open.
    pub fn is_open(&self) -> bool {
        !self.live.is_null()
    }

    /// Its index.
    pub fn index(&self) -> u32 {
        index(self.value) as u32
    }

    /// What few handles have, if this one has any of it.
    pub fn more(&self) -> Option<&More> {
        self.more.as_deref()
    }

    /// The same, to be changed.
    pub fn more_mut(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// Why a handle is not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It was closed; the slot still is its own.
    Closed(u32),
    /// It was closed so long ago that its slot belongs to another handle.
    Reused,
    /// It was never given out.
    Unknown,
}

/// All handles of the process.
pub(crate) struct Handles {
    slots: Vec<Slot>,
    /// Closed handles, the oldest first.
    closed: VecDeque<u32>,
    /// Slots that are neither open nor remembered.
    free: Vec<u32>,
    /// How many handles were opened.
    count: u64,
    pub generation: u64,
    /// How many closed handles are remembered.
    pub closed_limit: usize,
    /// Bytes of copies that closed handles may keep, and do keep.
    pub copies_limit: usize,
    copies_kept: usize,
    /// How many frames are captured when a handle is opened and closed.
    pub trace_limit: usize,
}

fn index(h: HPy) -> usize {
    (h._i as usize >> 1) & INDEX_MASK
}

fn serial(h: HPy) -> usize {
    h._i as usize >> SERIAL
}

fn value(index: u32, serial: usize) -> HPy {
    HPy { _i: (serial << SERIAL | (index as usize) << 1 | 1) as isize }
}

/// The handle of the same slot after this one.
fn next(h: HPy) -> HPy {
    HPy { _i: h._i.wrapping_add(1 << SERIAL) }
}

impl Handles {
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            closed: VecDeque::new(),
            free: Vec::new(),
            count: 0,
            generation: 0,
            closed_limit: 1024,
            copies_limit: 10 << 20,
            copies_kept: 0,
            trace_limit: 0,
        }
    }

    /// The slot with this index, open or not.
    pub fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)
    }

    /// The slot of an open handle.
    #[inline]
    pub fn get(&mut self, h: HPy) -> Option<&mut Slot> {
        self.slots.get_mut(index(h)).filter(|slot| slot.live == h && !h.is_null())
    }

    /// The wrapped handle of an open one.
    #[inline]
    pub fn inner(&self, h: HPy) -> Option<HPy> {
        match self.slots.get(index(h)) {
            Some(slot) if slot.live == h && !h.is_null() => Some(slot.inner),
            _ => None,
        }
    }

    /// Why `h`, which is not null, is not open.
    #[cold]
    pub fn diagnose(&self, h: HPy) -> Invalid {
        match self.slots.get(index(h)) {
            Some(slot) if slot.value == h => Invalid::Closed(index(h) as u32),
            Some(slot) if h._i & 1 == 1 && (1..serial(slot.value)).contains(&serial(h)) => {
                Invalid::Reused
            }
            _ => Invalid::Unknown,
        }
    }

    /// Opens a handle for `inner`, which is not null.
    #[inline]
    pub fn open(&mut self, world: &'static World, inner: HPy, owner: Owner) -> HPy {
        let index = self.take(world);
        self.count += 1;
        let slot = &mut self.slots[index as usize];
        let value = next(slot.value);
        (slot.value, slot.live, slot.inner) = (value, value, inner);
        (slot.world, slot.owner) = (world, owner);
        (slot.generation, slot.number) = (self.generation, self.count);
        if self.trace_limit != 0 && owner != Owner::Context {
            slot.more_mut().opened = Some(Trace::capture(self.trace_limit));
        }
        value
    }

    /// Closes a handle if it is open, whoever owns it. The wrapped one stays the caller's to close.
    #[inline]
    pub fn close(&mut self, h: HPy) {
        let traced = self.trace_limit != 0;
        let Some(slot) = self.get(h) else { return };
        slot.live = HPy::NULL;
        if traced || slot.more.is_some() {
            self.keep_more(index(h));
        }
        self.closed.push_back(index(h) as u32);
        // If the limit was lowered, the queue becomes shorter as handles are opened.
        if self.closed.len() == self.closed_limit + 1
            && let Some(oldest) = self.forget_oldest()
        {
            self.free.push(oldest);
        }
    }

    /// A slot that is not in use.
    #[inline]
    fn take(&mut self, world: &'static World) -> u32 {
        if self.closed.len() >= self.closed_limit
            && let Some(oldest) = self.forget_oldest()
        {
            return oldest;
        }
        self.free.pop().unwrap_or_else(|| self.grow(world))
    }

    #[cold]
    fn grow(&mut self, world: &'static World) -> u32 {
        let index = self.slots.len() as u32;
        self.slots.push(Slot {
            live: HPy::NULL,
            value: value(index, 0),
            inner: HPy::NULL,
            world,
            generation: 0,
            number: 0,
            more: None,
            owner: Owner::Extension,
        });
        index
    }

    /// Takes the oldest closed handle out of the queue.
    #[inline]
    fn forget_oldest(&mut self) -> Option<u32> {
        let index = self.closed.pop_front()?;
        if self.slots[index as usize].more.is_some() {
            self.forget_more(index as usize);
        }
        Some(index)
    }

    #[cold]
    fn forget_more(&mut self, index: usize) {
        if let Some(more) = self.slots[index].more.take() {
            self.copies_kept -= more.copies.iter().map(Snapshot::size).sum::<usize>();
        }
    }

    /// Makes the copies of a handle that is closed now unreadable; those that the budget has no room for go. Captures the trace.
    #[cold]
    fn keep_more(&mut self, index: usize) {
        let trace = self.trace_limit;
        let more = self.slots[index].more_mut();
        if trace != 0 {
            more.closed = Some(Trace::capture(trace));
        }
        more.copies.retain(|copy| {
            let kept = self.copies_kept + copy.size() <= self.copies_limit;
            if kept {
                self.copies_kept += copy.size();
                copy.make_unreadable();
            }
            kept
        });
    }

    /// The slots of open handles since `generation`, in the order in which they were opened.
    pub fn open_since(&self, generation: u64) -> Vec<u32> {
        let is_meant = |slot: &&Slot| {
            slot.is_open() && slot.owner != Owner::Context && slot.generation >= generation
        };
        let mut found: Vec<&Slot> = self.slots.iter().filter(is_meant).collect();
        found.sort_by_key(|slot| slot.number);
        found.into_iter().map(Slot::index).collect()
    }

    /// The slots of closed handles that were opened since `generation`, in the order in which they were closed.
    pub fn closed_since(&self, generation: u64) -> Vec<u32> {
        let since = |&index: &u32| self.slots[index as usize].generation >= generation;
        self.closed.iter().copied().filter(since).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_tells_its_slot_and_how_often_it_was_used() {
        let h = value(5, 7);
        assert_eq!((index(h), serial(h)), (5, 7));
        assert_eq!(h._i & 1, 1);
        assert_eq!(next(h), value(5, 8));
    }

    #[test]
    fn what_was_never_given_out_is_unknown() {
        let handles = Handles::new();
        for value in [1, 2, 0x7fff_dead_bee0, -1] {
            assert_eq!(handles.diagnose(HPy { _i: value }), Invalid::Unknown);
            assert_eq!(handles.inner(HPy { _i: value }), None);
        }
    }
}
