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
use crate::slots::{self, PLACE, Slot};
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

/// Open handles of arguments, the slot of each of which leads to the next one. Nobody closes them but the end of the call.
pub(crate) struct Chain {
    /// None of them if there are none.
    first: &'static Slot,
    length: usize,
}

impl Chain {
    /// That of no arguments.
    pub const EMPTY: Self = Self { first: &slots::FIRST[0], length: 0 };
}

/// More slots than there can be.
const ENDLESS: i64 = 1 << 40;

/// What changes whenever a handle is opened.
#[derive(Clone, Copy)]
struct Front {
    /// The beginning of the list of closed slots, which is never empty.
    oldest: &'static Slot,
    /// How many handles were opened, other things made, and generations begun, times [`PLACE`].
    count: i64,
}

impl Front {
    /// Takes the oldest slot out of the list, which is not its only one.
    #[inline(always)]
    fn take_oldest(&mut self) -> &'static Slot {
        let slot = self.oldest;
        self.oldest = after(slot);
        slot
    }

    /// Opens a handle in the oldest slot, which is ready.
    #[inline(always)]
    fn open(&mut self, target: &'static Target, inner: HPy, owner: Owner) -> HPy {
        let slot = self.take_oldest();
        self.count += PLACE;
        slot.open(target, inner, owner, self.count)
    }
}

/// All handles of the process.
pub(crate) struct Handles {
    front: Front,
    /// What the count may become by taking slots with no more ado.
    until: i64,
    /// The end of the list.
    newest: &'static Slot,
    /// How many of the list are remembered, as long as the limit below was not lowered meanwhile.
    lowered_from: usize,
    /// The closed slots that have more than others, the oldest first.
    rich: VecDeque<&'static Slot>,
    closed_limit: usize,
    /// How much longer the list is than what is ready: the limit above, or endless if handles are traced or closed ones are rich.
    held: i64,
    /// How many slots of open handles have more than others.
    rich_open: usize,
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
            front: Front { oldest: &slots::FIRST[1], count: 0 },
            until: -1023 * PLACE, // one slot is there, and 1024 are held
            newest: &slots::FIRST[1],
            lowered_from: 0,
            rich: VecDeque::new(),
            closed_limit: 1024,
            held: 1024,
            rich_open: 0,
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
        let more = unsafe { slot.more_mut() };
        self.rich_open += usize::from(more.is_none());
        Some(more.get_or_insert_default())
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

    /// Begins to close handles.
    #[inline(always)]
    pub fn closing(&mut self) -> Closing<'_> {
        Closing { newest: self.newest, closed: 0, handles: self }
    }

    /// Opens a handle for `inner`; null stays null.
    #[inline(always)]
    pub fn open(&mut self, target: &'static Target, inner: HPy, owner: Owner) -> HPy {
        if inner.is_null() {
            return inner;
        }
        if !self.has_ready(1) {
            return self.open_with_care(target, inner, owner).value();
        }
        let mut front = self.front;
        let h = front.open(target, inner, owner);
        self.front = front;
        h
    }

    /// Opens handles for arguments. If there may be `NULLS`, they stay null.
    #[inline(always)]
    pub fn open_all<const NULLS: bool, const N: usize>(
        &mut self,
        target: &'static Target,
        arguments: [HPy; N],
    ) -> ([HPy; N], Chain) {
        let (handles, chain) = if !self.has_ready(N) {
            let mut places = arguments;
            let chain = self.open_slice_with_care(target, &mut places);
            // One by one, so that the others stay in registers.
            (core::array::from_fn(|at| places[at]), chain)
        } else {
            // By value, so that it stays in registers.
            let mut front = self.front;
            let first = front.oldest;
            let mut length = 0;
            let handles = arguments.map(|inner| {
                if NULLS && inner.is_null() {
                    return inner;
                }
                length += 1;
                front.open(target, inner, Owner::Caller)
            });
            self.front = front;
            (handles, Chain { first, length })
        };
        // The compiler then knows it.
        let length = if NULLS { chain.length } else { N };
        (handles, Chain { length, ..chain })
    }

    /// Opens handles for arguments, and puts them in their places; null stays null.
    #[inline(always)]
    pub fn open_slice(&mut self, target: &'static Target, arguments: &mut [HPy]) -> Chain {
        let length = arguments.len();
        if !self.has_ready(length) || arguments.iter().any(|h| h.is_null()) {
            return self.open_slice_with_care(target, arguments);
        }
        let mut front = self.front;
        let first = front.oldest;
        for h in arguments {
            *h = front.open(target, *h, Owner::Caller);
        }
        self.front = front;
        Chain { first, length }
    }

    #[cold]
    #[inline(never)]
    fn open_slice_with_care(&mut self, target: &'static Target, arguments: &mut [HPy]) -> Chain {
        let mut chain = Chain::EMPTY;
        let mut last: Option<&Slot> = None;
        for h in arguments.iter_mut().filter(|h| !h.is_null()) {
            let slot = self.open_with_care(target, *h, Owner::Caller);
            *h = slot.value();
            match last.replace(slot) {
                Some(last) => last.next.set(Some(slot)),
                None => chain.first = slot,
            }
            chain.length += 1;
        }
        chain
    }

    /// Closes a handle if it is open and no argument. The wrapped one stays the caller's to close.
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

    /// Whether so many slots may be taken with no more ado.
    #[inline(always)]
    fn has_ready(&self, slots: usize) -> bool {
        self.front.count + slots as i64 * PLACE <= self.until
    }

    /// The next place in the order, without a slot that is taken.
    fn next_place(&mut self) -> i64 {
        self.until += PLACE;
        self.front.count += PLACE;
        self.front.count
    }

    fn take_oldest(&mut self) -> &'static Slot {
        self.until -= PLACE;
        self.front.take_oldest()
    }

    /// A slot that is not in use.
    fn take(&mut self) -> &'static Slot {
        if self.length() > self.closed_limit {
            let slot = self.take_oldest();
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
        target: &'static Target,
        inner: HPy,
        owner: Owner,
    ) -> &'static Slot {
        let slot = self.take();
        let order = self.next_place();
        slot.open(target, inner, owner, order);
        if self.trace_limit != 0 && owner != Owner::Context && self.is_sampled() {
            let trace = self.capture();
            // SAFETY: all that is lent of slots is lent of `self`.
            unsafe { slot.more_mut() }.get_or_insert_default().opened = Some(trace);
            self.rich_open += 1;
        }
        self.update_ready();
        slot
    }

    fn update_ready(&mut self) {
        let plain = self.trace_limit == 0 && self.rich.is_empty();
        let length = self.length();
        self.held = if plain { self.closed_limit as i64 } else { ENDLESS };
        self.until = self.front.count + (length as i64 - self.held) * PLACE;
    }

    /// The length of the list.
    fn length(&self) -> usize {
        ((self.until - self.front.count) / PLACE + self.held) as usize
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
        self.update_ready();
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
        self.rich_open -= 1;
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
        self.update_ready();
    }

    /// Does what there is to do for those of as many slots, behind the newest one, that have more than others.
    #[cold]
    #[inline(never)]
    fn look_for_rich(&mut self, closed: usize) {
        let closed =
            core::iter::successors(self.newest.next.get(), |slot| slot.next.get()).take(closed);
        for slot in closed.filter(|slot| slot.more().is_some()) {
            self.closed_rich(slot);
        }
    }

    /// How many closed handles are remembered.
    pub fn closed_limit(&self) -> usize {
        self.closed_limit
    }

    /// Sets how many closed handles are remembered, at least 1. If there are more, they are used again first.
    pub fn set_closed_limit(&mut self, limit: usize) {
        let remembered = self.remembered();
        while self.length() > remembered.max(1) {
            let slot = self.take_oldest();
            if slot.more().is_some() {
                self.rich.pop_front();
                self.forget_more(slot);
            }
            slot.next.set(self.spare);
            self.spare = Some(slot);
        }
        self.closed_limit = limit.max(1);
        self.lowered_from = remembered;
        self.update_ready();
    }

    /// How many of the list are remembered.
    fn remembered(&self) -> usize {
        // The slot that the list began with may not have been opened yet.
        let unopened = usize::from(self.front.oldest.order() == 0);
        (self.length() - unopened).min(self.closed_limit.max(self.lowered_from))
    }

    /// The next number in the order in which things happen. As the number of a generation, what is opened later is above it.
    #[inline(always)]
    pub fn count(&mut self) -> u64 {
        (self.next_place() / PLACE) as u64
    }

    /// The slots of open handles since `generation`, in the order in which they were opened.
    pub fn open_since(&self, generation: u64) -> Vec<u32> {
        let is_meant = |slot: &&Slot| {
            slot.is_open()
                && slot.owner() != Owner::Context
                && slot.order() > generation as i64 * PLACE
        };
        let mut found: Vec<_> = (1..self.next).filter_map(slots::slot).filter(is_meant).collect();
        found.sort_by_key(|slot| slot.order());
        found.into_iter().map(Slot::number).collect()
    }

    /// The slots of closed handles that were opened since `generation`, in the order in which they were closed.
    pub fn closed_since(&self, generation: u64) -> Vec<u32> {
        let list = core::iter::successors(Some(self.front.oldest), |slot| slot.next.get());
        let list = list
            .take(self.length())
            .skip(self.length() - self.remembered())
            .filter(|slot| slot.order() > generation as i64 * PLACE);
        list.map(Slot::number).collect()
    }
}

/// Closes handles, one after the other.
pub(crate) struct Closing<'a> {
    handles: &'a mut Handles,
    newest: &'static Slot,
    closed: usize,
}

impl Closing<'_> {
    /// Closes a handle if it is open and no argument.
    #[inline(always)]
    pub fn close(&mut self, h: HPy) {
        if let Some(slot) = slots::open(h).filter(|slot| slot.owner() != Owner::Caller) {
            self.append(slot);
        }
    }

    /// Closes the handles of arguments.
    #[inline(always)]
    pub fn close_all(&mut self, Chain { first, length }: Chain) {
        if length == 0 {
            return;
        }
        self.newest.next.set(Some(first));
        self.newest = first;
        first.close();
        for _ in 1..length {
            self.newest = after(self.newest);
            self.newest.close();
        }
        self.closed += length;
    }

    /// Closes a handle of the extension in its world, and gives the wrapped one.
    #[inline(always)]
    pub fn give_away(&mut self, h: HPy, world: &World) -> Option<HPy> {
        let slot =
            slots::open(h).filter(|slot| slot.owner() == Owner::Extension && slot.is_of(world))?;
        self.append(slot);
        Some(slot.inner())
    }

    #[inline(always)]
    fn append(&mut self, slot: &'static Slot) {
        slot.close();
        self.newest.next.set(Some(slot));
        self.newest = slot;
        self.closed += 1;
    }

    /// Makes it known.
    #[inline(always)]
    pub fn end(self) {
        if self.handles.rich_open != 0 {
            self.handles.look_for_rich(self.closed);
        }
        self.handles.newest = self.newest;
        self.handles.until += self.closed as i64 * PLACE;
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
