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
use crate::trace::{Trace, Traces};
use crate::world::{Target, World};

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

/// What changes whenever a handle is opened.
#[derive(Clone, Copy)]
struct Front {
    /// The beginning of the list of closed slots, which is never empty.
    oldest: &'static Slot,
    /// The length of the list.
    length: usize,
    /// How many handles were opened, other things made, and generations begun.
    count: u64,
}

impl Front {
    /// Takes the oldest slot out of the list, which is not its only one.
    #[inline(always)]
    fn take_oldest(&mut self) -> &'static Slot {
        let slot = self.oldest;
        self.oldest = after(slot);
        self.length -= 1;
        slot
    }

    #[inline(always)]
    fn count(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

/// All handles of the process.
pub(crate) struct Handles {
    front: Front,
    /// The end of the list.
    newest: &'static Slot,
    /// How many of the list are remembered, as long as the limit below was not lowered meanwhile.
    lowered_from: usize,
    /// The closed slots that have more than others, the oldest first.
    rich: VecDeque<&'static Slot>,
    closed_limit: usize,
    /// The length that the list must have more than for its oldest slot to be used with no more ado: the limit above, or endless if handles
    /// are traced or closed ones are rich.
    plain_limit: usize,
    /// Slots that wait for a time with more open handles.
    spare: Option<&'static Slot>,
    /// The number of the slot that is made next.
    next: usize,
    /// Bytes of copies that closed handles may keep, and do keep.
    pub copies_limit: usize,
    copies_kept: usize,
    /// How many frames are captured when a handle is opened and closed.
    trace_limit: usize,
    /// Of how many handles one is traced.
    trace_every: u32,
    /// Chance: handles are opened in patterns, of which counting would always meet the same.
    chance: u32,
    /// None before the first is captured.
    traces: Option<Traces>,
}

impl Handles {
    pub const fn new() -> Self {
        Self {
            front: Front { oldest: &slots::FIRST[1], length: 1, count: 0 },
            newest: &slots::FIRST[1],
            lowered_from: 0,
            rich: VecDeque::new(),
            closed_limit: 1024,
            plain_limit: 1024,
            spare: None,
            next: 2,
            copies_limit: 10 << 20,
            copies_kept: 0,
            trace_limit: 0,
            trace_every: 1,
            chance: 1,
            traces: None,
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
        Opening { front: self.front, handles: self }
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

    /// Closes a handle of the extension in its world, and gives the wrapped one.
    #[inline(always)]
    pub fn give_away(&mut self, h: HPy, world: &World) -> Option<HPy> {
        let mut closing = self.closing();
        let inner = closing.give_away(h, world);
        closing.end();
        inner
    }

    /// A slot that is not in use.
    fn take(&mut self) -> &'static Slot {
        if self.front.length > self.closed_limit {
            let slot = self.front.take_oldest();
            if slot.more().is_some() {
                // Slots are used again in the order in which they were closed.
                self.rich.pop_front();
                self.forget_more(slot);
            }
            return slot;
        }
        if let Some(slot) = self.spare {
            self.spare = slot.next.get();
            return slot;
        }
        self.next += 1;
        slots::make(self.next - 1)
    }

    /// Opens a handle where there is more to do than to take the oldest slot.
    #[cold]
    #[inline(never)]
    fn open_with_care(
        &mut self,
        front: Front,
        target: &'static Target,
        inner: HPy,
        owner: Owner,
    ) -> (&'static Slot, Front) {
        self.front = front;
        let slot = self.take();
        slot.open(target, inner, owner);
        slot.order.set(self.count());
        if self.trace_limit != 0 && owner != Owner::Context && self.is_sampled() {
            let trace = self.capture();
            // SAFETY: all that is lent of slots is lent of `self`.
            unsafe { slot.more_mut() }.get_or_insert_default().opened = Some(trace);
        }
        self.update_plain_limit();
        (slot, self.front)
    }

    fn update_plain_limit(&mut self) {
        let plain = self.trace_limit == 0 && self.rich.is_empty();
        self.plain_limit = if plain { self.closed_limit } else { usize::MAX };
    }

    /// Captures the frames of this moment, as many as are wanted.
    pub fn capture(&mut self) -> Trace {
        self.traces.get_or_insert_default().capture(self.trace_limit)
    }

    /// How many frames are captured when a handle is opened and closed.
    pub fn trace_limit(&self) -> usize {
        self.trace_limit
    }

    /// Sets how many frames are captured when a handle is opened and closed, and of how many handles one is traced, by chance.
    pub fn set_traces(&mut self, limit: usize, every: u32) {
        (self.trace_limit, self.trace_every) = (limit, every.max(1));
        self.update_plain_limit();
    }

    /// Drops what a closed handle had.
    fn forget_more(&mut self, slot: &'static Slot) {
        // SAFETY: all that is lent of slots is lent of `self`.
        if let Some(more) = unsafe { slot.more_mut() }.take() {
            self.copies_kept -= more.copies.iter().map(Snapshot::size).sum::<usize>();
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

    /// Makes the copies of a handle that is closed now unreadable; those that the budget has no room for go. Captures the trace.
    #[cold]
    #[inline(never)]
    fn closed_rich(&mut self, slot: &'static Slot) {
        // SAFETY: all that is lent of slots is lent of `self`.
        let Some(more) = (unsafe { slot.more_mut() }) else { return };
        if self.trace_limit != 0 && more.opened.is_some() {
            more.closed = Some(self.capture());
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
        self.update_plain_limit();
    }

    /// How many closed handles are remembered.
    pub fn closed_limit(&self) -> usize {
        self.closed_limit
    }

    /// Sets how many closed handles are remembered, at least 1. If there are more, they are used again first.
    pub fn set_closed_limit(&mut self, limit: usize) {
        let remembered = self.remembered();
        while self.front.length > remembered.max(1) {
            let slot = self.front.take_oldest();
            if slot.more().is_some() {
                self.rich.pop_front();
                self.forget_more(slot);
            }
            slot.next.set(self.spare);
            self.spare = Some(slot);
        }
        self.closed_limit = limit.max(1);
        self.lowered_from = remembered;
        self.update_plain_limit();
    }

    /// How many of the list are remembered.
    fn remembered(&self) -> usize {
        // The slot that the list began with may not have been opened yet.
        let unopened = usize::from(self.front.oldest.order.get() == 0);
        (self.front.length - unopened).min(self.closed_limit.max(self.lowered_from))
    }

    /// The next number in the order in which things happen. As the number of a generation, what is opened later is above it.
    #[inline(always)]
    pub fn count(&mut self) -> u64 {
        self.front.count()
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
        let list = core::iter::successors(Some(self.front.oldest), |slot| slot.next.get());
        let list = list
            .take(self.front.length)
            .skip(self.front.length - self.remembered())
            .filter(|slot| slot.order.get() > generation);
        list.map(Slot::number).collect()
    }
}

/// Opens handles, one after the other. What changes with each is in here, and not in memory.
pub(crate) struct Opening<'a> {
    handles: &'a mut Handles,
    front: Front,
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
        if self.front.length <= self.handles.plain_limit {
            // By value, so that the front stays in registers.
            let (slot, front) = self.handles.open_with_care(self.front, target, inner, owner);
            self.front = front;
            return (slot.value(), Some(Place(slot)));
        }
        let slot = self.front.take_oldest();
        slot.order.set(self.front.count());
        (slot.open(target, inner, owner), Some(Place(slot)))
    }

    /// Makes it known.
    #[inline(always)]
    pub fn end(self) {
        self.handles.front = self.front;
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

    /// Closes a handle of the extension in its world, and gives the wrapped one.
    #[inline(always)]
    pub fn give_away(&mut self, h: HPy, world: &World) -> Option<HPy> {
        let slot = slots::open(h)
            .filter(|slot| slot.owner.get() == Owner::Extension && slot.is_of(world))?;
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
        self.handles.front.length += self.closed;
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
        assert_eq!(handles.give_away(first, target.world), Some(wrapped(16)));
        assert_eq!(handles.give_away(first, target.world), None);
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
