//! The handles that extensions see.
//!
//! A handle is a number: that of its slot, and how often the slot was used before. So a handle that was kept too long, one of
//! another mode and a forged one are told from a valid one without following a pointer.
//!
//! Closed handles stay in a list, so that a late use can say what was closed. The list goes through the slots themselves. It is at
//! least as long as the number of closed handles to remember; from what is beyond that, the oldest is used again first.

use std::collections::VecDeque;

use hpy_abi::HPy;

use crate::raw::Snapshot;
use crate::slots::{self, Slot};
use crate::trace::Trace;
use crate::world::Target;

/// Who may close a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Owner {
    /// The extension, and it must.
    Extension = 0,
    /// The caller: it is an argument.
    Caller,
    /// Nobody: it is a constant of the context.
    Context,
}

/// What few handles have: copies of memory, and traces.
#[derive(Default)]
pub(crate) struct More {
    /// Copies of memory that the extension got from the handle.
    pub copies: Vec<Snapshot>,
    pub opened: Option<Trace>,
    pub closed: Option<Trace>,
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

/// The slot of a handle that was opened, to close it without a search.
#[derive(Clone, Copy)]
pub(crate) struct Place(&'static Slot);

/// All handles of the process.
pub(crate) struct Handles {
    /// The list of closed slots, which is never empty.
    oldest: &'static Slot,
    newest: &'static Slot,
    length: usize,
    /// How many of the list are remembered, as long as the limit below was not lowered meanwhile.
    lowered_from: usize,
    /// The closed slots that have more than others, the oldest first.
    rich: VecDeque<&'static Slot>,
    closed_limit: usize,
    /// Slots that wait for a time with more open handles.
    spare: Option<&'static Slot>,
    /// The number of the slot that is made next.
    next: usize,
    /// How many handles were opened, other things made, and generations begun.
    count: u64,
    /// Bytes of copies that closed handles may keep, and do keep.
    pub copies_limit: usize,
    copies_kept: usize,
    /// How many frames are captured when a handle is opened and closed.
    pub trace_limit: usize,
    /// Of how many handles one is traced.
    trace_every: u32,
    /// Chance: handles are opened in patterns, of which counting would always meet the same.
    chance: u32,
}

impl Handles {
    pub const fn new() -> Self {
        Self {
            oldest: &slots::FIRST[1],
            newest: &slots::FIRST[1],
            length: 1,
            lowered_from: 0,
            rich: VecDeque::new(),
            closed_limit: 1024,
            spare: None,
            next: 2,
            count: 0,
            copies_limit: 10 << 20,
            copies_kept: 0,
            trace_limit: 0,
            trace_every: 1,
            chance: 1,
        }
    }

    /// The slot of an open handle.
    #[inline(always)]
    pub fn get(&self, h: HPy) -> Option<&Slot> {
        slots::open(h)
    }

    /// The slot with this number, which was given out.
    pub fn slot(&self, number: u32) -> Option<&Slot> {
        slots::slot(number as usize)
    }

    /// What few handles have, to be changed.
    pub fn more_mut(&mut self, h: HPy) -> Option<&mut More> {
        let slot = slots::open(h)?;
        // SAFETY: all that is lent of slots is lent of `self`.
        Some(unsafe { slot.more_mut() }.get_or_insert_default())
    }

    /// Why `h`, which is not null, is not open.
    #[cold]
    pub fn diagnose(&self, h: HPy) -> Invalid {
        match slots::ever(h) {
            Some((slot, true)) => Invalid::Closed(slot.number()),
            Some((_, false)) => Invalid::Reused,
            None => Invalid::Unknown,
        }
    }

    /// Begins to open handles.
    #[inline(always)]
    pub fn opening(&mut self) -> Opening<'_> {
        Opening { oldest: self.oldest, length: self.length, count: self.count, handles: self }
    }

    /// Begins to close handles.
    #[inline(always)]
    pub fn closing(&mut self) -> Closing<'_> {
        Closing { newest: self.newest, closed: 0, handles: self }
    }

    /// Opens a handle for `inner`; null stays null.
    #[inline(always)]
    pub fn open(&mut self, target: &'static Target, inner: HPy, owner: Owner) -> HPy {
        let mut opening = self.opening();
        let (h, _) = opening.open(target, inner, owner);
        opening.end();
        h
    }

    /// Closes a handle if it is open, whoever owns it. The wrapped one stays the caller's to close.
    pub fn close(&mut self, h: HPy) {
        let mut closing = self.closing();
        closing.close(h);
        closing.end();
    }

    /// Closes a handle of the extension, and gives the wrapped one.
    #[inline(always)]
    pub fn give_away(&mut self, h: HPy) -> Option<HPy> {
        let mut closing = self.closing();
        let inner = closing.give_away(h);
        closing.end();
        inner
    }

    /// A slot that is not in use, where the list has none to spare.
    #[cold]
    #[inline(never)]
    fn another(&mut self) -> &'static Slot {
        if let Some(slot) = self.spare {
            self.spare = slot.next.get();
            return slot;
        }
        self.next += 1;
        slots::make(self.next - 1)
    }

    /// Drops what a closed handle had.
    fn forget_more(&mut self, slot: &'static Slot) {
        // SAFETY: all that is lent of slots is lent of `self`.
        if let Some(more) = unsafe { slot.more_mut() }.take() {
            self.copies_kept -= more.copies.iter().map(Snapshot::size).sum::<usize>();
        }
    }

    /// What is to do when a handle is opened that is traced, or whose slot still has what the handle before it had.
    #[cold]
    #[inline(never)]
    fn opened_rich(&mut self, slot: &'static Slot) {
        if slot.more().is_some() {
            // Slots are used again in the order in which they were closed.
            self.rich.pop_front();
            self.forget_more(slot);
        }
        if self.trace_limit != 0 && slot.owner.get() != Owner::Context && self.is_sampled() {
            let trace = Trace::capture(self.trace_limit);
            // SAFETY: all that is lent of slots is lent of `self`.
            unsafe { slot.more_mut() }.get_or_insert_default().opened = Some(trace);
        }
    }

    /// Whether the next handle is one of those that are traced.
    fn is_sampled(&mut self) -> bool {
        // Marsaglia's xorshift: every number but 0, in an order that looks like none.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        self.chance.is_multiple_of(self.trace_every)
    }

    /// Sets how many frames are captured when a handle is opened and closed, and of how many handles one is traced, by chance.
    pub fn set_traces(&mut self, limit: usize, every: u32) {
        (self.trace_limit, self.trace_every) = (limit, every.max(1));
    }

    /// Makes the copies of a handle that is closed now unreadable; those that the budget has no room for go. Captures the trace.
    #[cold]
    #[inline(never)]
    fn closed_rich(&mut self, slot: &'static Slot) {
        // SAFETY: all that is lent of slots is lent of `self`.
        let Some(more) = (unsafe { slot.more_mut() }) else { return };
        if self.trace_limit != 0 && more.opened.is_some() {
            more.closed = Some(Trace::capture(self.trace_limit));
        }
        more.copies.retain(|copy| {
            let kept = self.copies_kept + copy.size() <= self.copies_limit;
            if kept {
                self.copies_kept += copy.size();
                copy.make_unreadable();
            }
            kept
        });
        self.rich.push_back(slot);
        while self.rich.len() > self.closed_limit.max(self.lowered_from)
            && let Some(oldest) = self.rich.pop_front()
        {
            self.forget_more(oldest);
        }
    }

    /// How many closed handles are remembered.
    pub fn closed_limit(&self) -> usize {
        self.closed_limit
    }

    /// Sets how many closed handles are remembered, at least 1. If there are more, they are used again first.
    pub fn set_closed_limit(&mut self, limit: usize) {
        let remembered = self.remembered();
        while self.length > remembered {
            let slot = self.oldest;
            if slot.more().is_some() {
                self.rich.pop_front();
                self.forget_more(slot);
            }
            self.oldest = after(slot);
            self.length -= 1;
            slot.next.set(self.spare);
            self.spare = Some(slot);
        }
        self.closed_limit = limit.max(1);
        self.lowered_from = remembered;
    }

    /// How many of the list are remembered.
    fn remembered(&self) -> usize {
        self.length.min(self.closed_limit.max(self.lowered_from))
    }

    /// The next number in the order in which things happen. As the number of a generation, what is opened later is above it.
    #[inline(always)]
    pub fn count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// The slots of open handles since `generation`, in the order in which they were opened.
    pub fn open_since(&self, generation: u64) -> Vec<u32> {
        let is_meant = |slot: &&Slot| {
            slot.is_open() && slot.owner.get() != Owner::Context && slot.order.get() > generation
        };
        let mut found: Vec<_> = (1..self.next).filter_map(slots::slot).filter(is_meant).collect();
        found.sort_by_key(|slot| slot.order.get());
        found.into_iter().map(Slot::number).collect()
    }

    /// The slots of closed handles that were opened since `generation`, in the order in which they were closed.
    pub fn closed_since(&self, generation: u64) -> Vec<u32> {
        let list = core::iter::successors(Some(self.oldest), |slot| slot.next.get());
        let list = list
            .take(self.length)
            .skip(self.length - self.remembered())
            .filter(|slot| slot.order.get() > generation);
        list.map(Slot::number).collect()
    }
}

/// Opens handles, one after the other. What changes with each is in here, and not in memory.
pub(crate) struct Opening<'a> {
    handles: &'a mut Handles,
    oldest: &'static Slot,
    length: usize,
    count: u64,
}

impl Opening<'_> {
    /// Opens a handle for `inner`; null stays null.
    #[inline(always)]
    pub fn open(
        &mut self,
        target: &'static Target,
        inner: HPy,
        owner: Owner,
    ) -> (HPy, Option<Place>) {
        if inner.is_null() {
            return (inner, None);
        }
        let slot = self.take();
        let h = slot.open(target, inner, owner);
        self.count += 1;
        slot.order.set(self.count);
        if self.handles.trace_limit != 0 || slot.more().is_some() {
            self.handles.opened_rich(slot);
        }
        (h, Some(Place(slot)))
    }

    #[inline(always)]
    fn take(&mut self) -> &'static Slot {
        if self.length <= self.handles.closed_limit {
            return self.handles.another();
        }
        let slot = self.oldest;
        self.oldest = after(slot);
        self.length -= 1;
        slot
    }

    /// Makes it known.
    #[inline(always)]
    pub fn end(self) {
        self.handles.oldest = self.oldest;
        self.handles.length = self.length;
        self.handles.count = self.count;
    }
}

/// Closes handles, one after the other.
pub(crate) struct Closing<'a> {
    handles: &'a mut Handles,
    newest: &'static Slot,
    closed: usize,
}

impl Closing<'_> {
    /// Closes a handle if it is open, whoever owns it.
    #[inline(always)]
    pub fn close(&mut self, h: HPy) {
        if let Some(slot) = slots::open(h) {
            self.append(h, slot);
        }
    }

    /// The same, where its place is known.
    #[inline(always)]
    pub fn close_at(&mut self, h: HPy, Place(slot): Place) {
        if slot.is(h) {
            self.append(h, slot);
        }
    }

    /// Closes a handle of the extension, and gives the wrapped one.
    #[inline(always)]
    pub fn give_away(&mut self, h: HPy) -> Option<HPy> {
        let slot = slots::open(h).filter(|slot| slot.owner.get() == Owner::Extension)?;
        self.append(h, slot);
        Some(slot.inner())
    }

    #[inline(always)]
    fn append(&mut self, h: HPy, slot: &'static Slot) {
        slot.close(h);
        if slot.more().is_some() {
            self.handles.closed_rich(slot);
        }
        self.newest.next.set(Some(slot));
        self.newest = slot;
        self.closed += 1;
    }

    /// Makes it known.
    #[inline(always)]
    pub fn end(self) {
        self.handles.newest = self.newest;
        self.handles.length += self.closed;
    }
}

/// The slot after one that is in the list and not its last.
#[inline(always)]
fn after(slot: &Slot) -> &'static Slot {
    let next = slot.next.get();
    debug_assert!(next.is_some());
    // SAFETY: each slot in the list but the last was given its next one.
    unsafe { next.unwrap_unchecked() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::tests::target;

    fn wrapped(value: isize) -> HPy {
        HPy { _i: value }
    }

    #[test]
    fn handles_are_told_from_each_other_when_a_slot_is_used_again() {
        let target = target();
        let mut handles = Handles::new();
        handles.set_closed_limit(2);
        let first = handles.open(target, wrapped(16), Owner::Extension);
        let generation = handles.count();
        let second = handles.open(target, wrapped(32), Owner::Extension);
        assert_eq!(handles.get(first).map(Slot::inner), Some(wrapped(16)));
        assert_eq!(handles.open_since(0).len(), 2);
        assert_eq!(handles.open_since(generation).len(), 1);
        assert_eq!(handles.give_away(first), Some(wrapped(16)));
        assert_eq!(handles.give_away(first), None);
        assert!(matches!(handles.diagnose(first), Invalid::Closed(_)));
        handles.close(second);
        assert_eq!(handles.closed_since(0).len(), 2);
        // The slot that is not remembered, then that of the first handle.
        let third = handles.open(target, wrapped(48), Owner::Extension);
        handles.close(third);
        let fourth = handles.open(target, wrapped(64), Owner::Extension);
        assert_eq!(handles.diagnose(first), Invalid::Reused);
        assert!(matches!(handles.diagnose(second), Invalid::Closed(_)));
        assert_eq!(handles.get(fourth).map(Slot::inner), Some(wrapped(64)));
    }
}
