//! The places behind handles. They are made when they are needed, stay where they are, and are never freed.
//!
//! So whether a handle is open is seen without a lock: [`inner`] compares one number. Everything else is changed and read under the lock of the
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
const NUMBER_MASK: usize = (1 << (SERIAL - 1)) - 1;

/// What is known about one handle: no more than a line of the processor's cache. Valid when it is all zeros.
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// The handle while it is open; afterwards the complement of it, which is even and no handle of this slot.
    state: AtomicIsize,
    /// The handle of the wrapped context.
    inner: AtomicIsize,
    /// The author's function that opened it, and its world.
    target: AtomicPtr<Target>,
    /// Its place in the order in which handles were opened.
    pub order: Cell<u64>,
    /// The slot after this one in the list of closed ones.
    pub next: Cell<Option<&'static Self>>,
    /// What few handles have.
    more: UnsafeCell<Option<Box<More>>>,
    pub owner: Cell<Owner>,
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
            state: AtomicIsize::new(!first_value(number)),
            inner: AtomicIsize::new(0),
            target: AtomicPtr::new(ptr::null_mut()),
            order: Cell::new(0),
            next: Cell::new(None),
            more: UnsafeCell::new(None),
            owner: Cell::new(Owner::Extension),
        }
    }

    /// Opens the next handle of this slot.
    #[inline(always)]
    pub fn open(&self, target: &'static Target, inner: HPy, owner: Owner) -> HPy {
        let value = (!self.state.load(Ordering::Relaxed)).wrapping_add(1 << SERIAL);
        self.inner.store(inner._i, Ordering::Relaxed);
        self.target.store(ptr::from_ref(target).cast_mut(), Ordering::Relaxed);
        self.owner.set(owner);
        self.state.store(value, Ordering::Release);
        HPy { _i: value }
    }

    /// Closes its handle, which is open.
    #[inline(always)]
    pub fn close(&self, h: HPy) {
        self.state.store(!h._i, Ordering::Relaxed);
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
        HPy { _i: if self.is_open() { state } else { !state } }
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

/// Slots by number: an array for each highest bit of a number, twice as long as the one before. The pointers are to where the slot
/// with the number 0 would be.
static ARRAYS: [AtomicPtr<Slot>; u32::BITS as usize] = {
    let mut arrays = [const { AtomicPtr::new(ptr::null_mut()) }; u32::BITS as usize];
    arrays[0] = AtomicPtr::new(FIRST.as_ptr().cast_mut());
    arrays
};

const fn first_value(number: usize) -> isize {
    (number << 1 | 1) as isize
}

fn number(h: HPy) -> usize {
    (h._i as usize >> 1) & NUMBER_MASK
}

fn serial(h: HPy) -> usize {
    h._i as usize >> SERIAL
}

/// The slot with this number; none if there is no memory for it yet. It may be one that was never opened.
#[inline(always)]
pub(crate) fn slot(number: usize) -> Option<&'static Slot> {
    let array = ARRAYS[(number | 1).ilog2() as usize].load(Ordering::Acquire);
    if array.is_null() {
        return None;
    }
    // SAFETY: the array is as long as its highest bit says, and never freed.
    Some(unsafe { &*array.wrapping_add(number) })
}

/// The slot of an open handle. What is no atomic in it may be used only under the lock of the state.
#[inline(always)]
pub(crate) fn open(h: HPy) -> Option<&'static Slot> {
    let number = number(h);
    let array = ARRAYS[(number | 1).ilog2() as usize].load(Ordering::Acquire);
    if array.is_null() {
        return None;
    }
    let slot = array.wrapping_add(number);
    // SAFETY: as in [`slot`].
    unsafe { (*slot).is(h).then(|| &*slot) }
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
        ARRAYS[number.ilog2() as usize].store(array, Ordering::Release);
    }
    let slot = slot(number).expect("its array was made with its first slot");
    slot.state.store(!first_value(number), Ordering::Relaxed);
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
