//! The places behind handles. They are made when they are needed, stay where they are, and are never freed.
//!
//! So whether a handle is open is seen without a lock: [`open`] compares one number. Everything else is changed and read under the lock of the
//! state, as the key of which [`Handles`](crate::handles::Handles) lends the slots.

use core::alloc::Layout;
use core::cell::{Cell, UnsafeCell};
use core::ptr;
use core::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};
use std::alloc::{alloc_zeroed, handle_alloc_error};

use hpy_abi::HPy;

use crate::handles::{More, Owner};
use crate::world::{Target, World};

/// Where the count of uses begins in a handle; below it are the number of the slot and a bit that is 1.
const SERIAL: u32 = isize::BITS / 2;
/// Where the number begins: if there is room, so that it is how far the slot is from that with the number 0.
const NUMBER: u32 = if isize::BITS == 64 { size_of::<Slot>().trailing_zeros() } else { 1 };
const BELOW: usize = (1 << NUMBER) - 1;
const NUMBER_MASK: usize = (1 << (SERIAL - NUMBER)) - 1;

/// How much the state of a closed slot is below its next handle: it is even, and has the number of another slot.
const CLOSED: isize = (1 << NUMBER) + 1;

/// How far apart places in the order are, so that there is room for the owner.
pub(crate) const PLACE: i64 = 4;

/// What is known about one handle: no more than a line of the processor's cache. Valid when it is all zeros.
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// The handle while it is open; afterwards the next one less [`CLOSED`], which is even and no handle of this slot.
    state: AtomicIsize,
    /// The handle of the wrapped context.
    inner: AtomicIsize,
    /// The author's function that opened it, and its world.
    target: AtomicPtr<Target>,
    /// Its place in the order in which handles were opened, times [`PLACE`], and the owner.
    order: Cell<i64>,
    /// The slot after this one in the list of closed ones.
    pub next: Cell<Option<&'static Self>>,
    /// What few handles have.
    more: UnsafeCell<Option<Box<More>>>,
}

// SAFETY: what is no atomic is used only under the lock of the state.
unsafe impl Sync for Slot {}

/// The slots that are there from the beginning: number 0, which is null's and never open, and number 1, so that the list of closed
/// slots is never empty.
pub(crate) static FIRST: [Slot; 2] = [Slot::new(0), Slot::new(1)];

impl Slot {
    /// A slot that was never opened.
    const fn new(number: usize) -> Self {
        Self {
            state: AtomicIsize::new(closed(first_value(number))),
            inner: AtomicIsize::new(0),
            target: AtomicPtr::new(ptr::null_mut()),
            order: Cell::new(0),
            next: Cell::new(None),
            more: UnsafeCell::new(None),
        }
    }

    /// Opens the next handle of this slot.
    #[inline(always)]
    pub fn open(&self, target: &'static Target, inner: HPy, owner: Owner, order: i64) -> HPy {
        let value = self.state.load(Ordering::Relaxed).wrapping_add(CLOSED);
        self.inner.store(inner._i, Ordering::Relaxed);
        self.target.store(ptr::from_ref(target).cast_mut(), Ordering::Relaxed);
        self.order.set(order + owner as i64);
        self.state.store(value, Ordering::Release);
        HPy { _i: value }
    }

    /// Closes its handle, which is open.
    #[inline(always)]
    pub fn close(&self) {
        self.state.store(closed(self.state.load(Ordering::Relaxed)), Ordering::Relaxed);
    }

    /// Whether its handle is open.
    pub fn is_open(&self) -> bool {
        self.state.load(Ordering::Relaxed) & 1 == 1
    }

    /// Whether `h` is open, and this slot's.
    #[inline(always)]
    pub fn is(&self, h: HPy) -> bool {
        self.state.load(Ordering::Acquire) == h._i
    }

    /// The handle, also after it is closed.
    pub fn value(&self) -> HPy {
        let state = self.state.load(Ordering::Relaxed);
        HPy {
            _i: if self.is_open() {
                state
            } else {
                state.wrapping_add(CLOSED).wrapping_sub(1 << SERIAL)
            },
        }
    }

    /// Its place in the order in which handles were opened, a multiple of [`PLACE`].
    pub fn order(&self) -> i64 {
        self.order.get() & !(PLACE - 1)
    }

    /// Who may close it.
    #[inline(always)]
    pub fn owner(&self) -> Owner {
        match self.order.get() & (PLACE - 1) {
            0 => Owner::Extension,
            1 => Owner::Caller,
            _ => Owner::Context,
        }
    }

    /// The handle of the wrapped context.
    #[inline(always)]
    pub fn inner(&self) -> HPy {
        HPy { _i: self.inner.load(Ordering::Relaxed) }
    }

    /// The author's function that opened the handle, and its world.
    #[inline(always)]
    pub fn target(&self) -> &'static Target {
        // SAFETY: slots are lent when they have been opened; targets are never freed.
        unsafe { &*self.target.load(Ordering::Relaxed) }
    }

    /// The world in which it was opened.
    #[inline(always)]
    pub fn world(&self) -> &'static World {
        self.target().world
    }

    /// Whether it was opened in this world.
    #[inline(always)]
    pub fn is_of(&self, world: &World) -> bool {
        ptr::eq(self.world(), world)
    }

    /// Its number.
    pub fn number(&self) -> u32 {
        number(self.value()) as u32
    }

    /// What few handles have, if this one has any of it.
    #[inline(always)]
    pub fn more(&self) -> Option<&More> {
        // SAFETY: the lock of the state is held; what is changed is not lent at the same time.
        unsafe { (*self.more.get()).as_deref() }
    }

    /// The same, to be changed.
    ///
    /// # Safety
    /// Nothing of it is lent.
    #[expect(clippy::mut_from_ref, reason = "the lock and the caller see to it that there is one")]
    pub unsafe fn more_mut(&self) -> &mut Option<Box<More>> {
        // SAFETY: the lock of the state is held; the caller promises the rest.
        unsafe { &mut *self.more.get() }
    }
}

/// Slots by number: an array for each highest bit of a number, twice as long as the one before; see [`index`]. The pointers are to
/// where the slot with the number 0 would be.
static ARRAYS: [AtomicPtr<Slot>; SERIAL as usize] = {
    let mut arrays = [const { AtomicPtr::new(ptr::null_mut()) }; SERIAL as usize];
    arrays[index(0)] = AtomicPtr::new(FIRST.as_ptr().cast_mut());
    arrays[index(1)] = AtomicPtr::new(FIRST.as_ptr().cast_mut());
    arrays
};

/// Which array the slot is in: the highest bit of the number where it is in a handle, so that it need not be moved.
#[inline(always)]
const fn index(number: usize) -> usize {
    (number << NUMBER | BELOW).ilog2() as usize
}

const fn first_value(number: usize) -> isize {
    (number << NUMBER | 1) as isize
}

/// What a slot has after its handle `value` is closed.
#[inline(always)]
const fn closed(value: isize) -> isize {
    value.wrapping_add((1 << SERIAL) - CLOSED)
}

fn number(h: HPy) -> usize {
    (h._i as usize >> NUMBER) & NUMBER_MASK
}

fn serial(h: HPy) -> usize {
    h._i as usize >> SERIAL
}

/// The slot with this number; none if there is no memory for it yet. It may be one that was never opened.
#[inline(always)]
pub(crate) fn slot(number: usize) -> Option<&'static Slot> {
    let array = ARRAYS[index(number)].load(Ordering::Acquire);
    if array.is_null() {
        return None;
    }
    // SAFETY: the array is as long as its highest bit says, and never freed.
    Some(unsafe { &*array.wrapping_add(number) })
}

/// The slot of an open handle. What is no atomic in it may be used only under the lock of the state.
#[inline(always)]
pub(crate) fn open(h: HPy) -> Option<&'static Slot> {
    // The number is not moved: where there is room for that, it is how far the slot is from number 0.
    const SCALE: usize = size_of::<Slot>() >> NUMBER;
    let low = h._i as usize & ((1 << SERIAL) - 1) | BELOW;
    let array = ARRAYS[low.ilog2() as usize].load(Ordering::Acquire);
    if array.is_null() {
        return None;
    }
    let slot = array.wrapping_byte_add(low * SCALE).wrapping_byte_sub(BELOW * SCALE);
    // SAFETY: as in [`slot`].
    let slot = unsafe { &*slot };
    slot.is(h).then_some(slot)
}

/// The slot that `h` has or had, if `h` ever was a handle; and whether it is the last one of the slot.
pub(crate) fn ever(h: HPy) -> Option<(&'static Slot, bool)> {
    let slot = slot(number(h))?;
    let last = slot.value();
    let was_given_out = h._i & 1 == 1 && (1..=serial(last)).contains(&serial(h));
    was_given_out.then_some((slot, last._i == h._i))
}

/// Makes the slot with this number, which is the next after all there are.
#[cold]
pub(crate) fn make(number: usize) -> &'static Slot {
    assert!(number < NUMBER_MASK, "as many handles are open as there are numbers for them");
    if number.is_power_of_two() {
        let array = array(number).wrapping_sub(number);
        ARRAYS[index(number)].store(array, Ordering::Release);
    }
    let slot = slot(number).expect("its array was made with its first slot");
    slot.state.store(closed(first_value(number)), Ordering::Relaxed);
    slot
}

/// An array of slots. Its memory is not touched before it is used.
fn array(length: usize) -> *mut Slot {
    let layout = Layout::array::<Slot>(length).expect("there is memory for the numbers before it");
    // SAFETY: the layout is not empty; zeros are valid slots.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory.cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_a_line_of_the_cache() {
        assert_eq!(size_of::<Slot>(), 64);
    }

    #[test]
    fn what_was_never_given_out_is_no_handle() {
        for value in [1, 2, 0x7fff_dead_bee0, -1] {
            assert!(open(HPy { _i: value }).is_none());
            assert!(ever(HPy { _i: value }).is_none());
        }
    }
}
