//! The slots behind the handles that extensions see.
//!
//! A handle is a number: the index of its slot, and how often the slot was used before. So a handle that was kept too long, one of
//! another mode and a forged one are told from a valid one without following a pointer.
//!
//! Closed handles stay in a queue, so that a late use can say what was closed; when the queue is full, the oldest is used again.

use hpy_abi::HPy;

use crate::raw::Snapshot;
use crate::trace::Trace;
use crate::world::World;

/// Where the count of uses begins in a handle; below it are the index and a bit that is 1.
const SERIAL: u32 = isize::BITS / 2;
const INDEX_MASK: usize = (1 << (SERIAL - 1)) - 1;

/// No slot: the end of a list.
const NONE: u32 = u32::MAX;

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

/// In which list a slot is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Open,
    Closed,
    /// Neither: a constant, or free.
    None,
}

/// What is known about one handle.
pub(crate) struct Slot {
    /// The handle while it is open, or null.
    live: HPy,
    /// The handle, also after it is closed.
    pub value: HPy,
    /// The handle of the wrapped context.
    pub inner: HPy,
    pub owner: Owner,
    pub world: &'static World,
    /// The generation in which it was opened.
    pub generation: u64,
    /// Copies of memory that the extension got from it.
    pub copies: Vec<Snapshot>,
    pub opened: Option<Trace>,
    pub closed: Option<Trace>,
    list: List,
    older: u32,
    newer: u32,
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

#[derive(Clone, Copy)]
struct Ends {
    oldest: u32,
    newest: u32,
    length: usize,
}

const EMPTY: Ends = Ends { oldest: NONE, newest: NONE, length: 0 };

/// All handles of the process.
pub(crate) struct Handles {
    slots: Vec<Slot>,
    open: Ends,
    closed: Ends,
    free: Vec<u32>,
    pub generation: u64,
    /// How many closed handles are remembered.
    pub closed_limit: usize,
    /// Bytes of copies that closed handles may keep, and do keep.
    pub copies_limit: usize,
    pub copies_kept: usize,
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

impl Handles {
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            open: EMPTY,
            closed: EMPTY,
            free: Vec::new(),
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
    pub fn open(&mut self, world: &'static World, inner: HPy, owner: Owner) -> HPy {
        let index = self.take(world);
        let constant = owner == Owner::Context;
        let opened = if constant { None } else { Trace::capture(self.trace_limit) };
        let generation = self.generation;
        let slot = &mut self.slots[index as usize];
        let next = value(index, serial(slot.value) + 1);
        (slot.value, slot.live, slot.inner) = (next, next, inner);
        (slot.world, slot.owner, slot.generation) = (world, owner, generation);
        (slot.opened, slot.closed) = (opened, None);
        if !constant {
            self.append(index, List::Open);
        }
        next
    }

    /// Closes an open handle, whoever owns it. The wrapped one stays the caller's to close.
    pub fn close(&mut self, h: HPy) {
        let index = index(h) as u32;
        self.remove(index);
        let closed = Trace::capture(self.trace_limit);
        let slot = &mut self.slots[index as usize];
        slot.live = HPy::NULL;
        slot.closed = closed;
        self.protect(index);
        self.append(index, List::Closed);
        // If the limit was lowered, the queue becomes shorter as handles are opened.
        if self.closed.length == self.closed_limit + 1 {
            let oldest = self.forget_oldest();
            self.free.push(oldest);
        }
    }

    /// A slot that is in no list.
    fn take(&mut self, world: &'static World) -> u32 {
        if self.closed.length > 0 && self.closed.length >= self.closed_limit {
            return self.forget_oldest();
        }
        if let Some(index) = self.free.pop() {
            return index;
        }
        let index = self.slots.len() as u32;
        self.slots.push(Slot {
            live: HPy::NULL,
            value: value(index, 0),
            inner: HPy::NULL,
            owner: Owner::Extension,
            world,
            generation: 0,
            copies: Vec::new(),
            opened: None,
            closed: None,
            list: List::None,
            older: NONE,
            newer: NONE,
        });
        index
    }

    /// Takes the oldest closed handle out of the queue.
    fn forget_oldest(&mut self) -> u32 {
        let index = self.closed.oldest;
        self.remove(index);
        let copies = core::mem::take(&mut self.slots[index as usize].copies);
        self.copies_kept -= copies.iter().map(Snapshot::size).sum::<usize>();
        index
    }

    /// Makes the copies of a closed handle unreadable; those that the budget has no room for go.
    fn protect(&mut self, index: u32) {
        for copy in core::mem::take(&mut self.slots[index as usize].copies) {
            if self.copies_kept + copy.size() <= self.copies_limit {
                self.copies_kept += copy.size();
                copy.make_unreadable();
                self.slots[index as usize].copies.push(copy);
            }
        }
    }

    fn ends(&mut self, list: List) -> Option<&mut Ends> {
        match list {
            List::Open => Some(&mut self.open),
            List::Closed => Some(&mut self.closed),
            List::None => None,
        }
    }

    fn append(&mut self, index: u32, list: List) {
        let Some(ends) = self.ends(list) else { return };
        let last = core::mem::replace(&mut ends.newest, index);
        ends.length += 1;
        if last == NONE {
            ends.oldest = index;
        }
        if let Some(last) = self.slots.get_mut(last as usize) {
            last.newer = index;
        }
        let slot = &mut self.slots[index as usize];
        (slot.list, slot.older, slot.newer) = (list, last, NONE);
    }

    fn remove(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let (older, newer) = (slot.older, slot.newer);
        let list = core::mem::replace(&mut slot.list, List::None);
        let Some(ends) = self.ends(list) else { return };
        ends.length -= 1;
        if older == NONE {
            ends.oldest = newer;
        }
        if newer == NONE {
            ends.newest = older;
        }
        if let Some(slot) = self.slots.get_mut(older as usize) {
            slot.newer = newer;
        }
        if let Some(slot) = self.slots.get_mut(newer as usize) {
            slot.older = older;
        }
    }

    /// The slots of open handles since `generation`, in the order in which they were opened.
    pub fn open_since(&self, generation: u64) -> Vec<u32> {
        self.walk(self.open, generation)
    }

    /// The slots of closed handles that were opened since `generation`, in the order in which they were closed.
    pub fn closed_since(&self, generation: u64) -> Vec<u32> {
        self.walk(self.closed, generation)
    }

    fn walk(&self, ends: Ends, generation: u64) -> Vec<u32> {
        let mut found = Vec::new();
        let mut next = ends.oldest;
        while let Some(slot) = self.slots.get(next as usize) {
            if slot.generation >= generation {
                found.push(next);
            }
            next = slot.newer;
        }
        found
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
