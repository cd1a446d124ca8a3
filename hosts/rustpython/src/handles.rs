//! Handles: entries of a table.
//!
//! A handle is the number of a slot and how often that slot was used, so a handle that was closed is told from the next one in the same
//! slot. No reference count is visible to C: a slot owns one reference, except those for the arguments of a running call,
//! which borrow the caller's.
//!
//! # Soundness
//!
//! Slots stay where they are: the table grows by blocks that are never freed. Slots are taken and given back only by the thread that
//! holds the host's lock. A slot is read without the lock only through a handle of the reading thread, which keeps the slot as it is.

use core::ffi::c_char;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use hpy_abi::HPy;
use rustpython_vm::{PyObject, PyObjectRef};

use crate::error::fatal;

/// How many slots there are in a block.
const BLOCK: usize = 1024;
/// How many blocks there can be: 64 million handles.
const BLOCKS: usize = 1 << 16;

static TABLE: [AtomicPtr<Slot>; BLOCKS] = [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS];

struct Slot {
    /// Null while the slot is free.
    object: *mut PyObject,
    /// What C was given of the object's text; freed with the handle.
    text: Option<Box<Text>>,
    /// How often the slot was used; never 0.
    generation: u32,
    /// The next free slot.
    next: u32,
}

/// A text with a 0 behind it.
type Text = Vec<u8>;

/// No slot.
const NONE: u32 = u32::MAX;

struct Free {
    first: core::cell::UnsafeCell<u32>,
    used: core::cell::UnsafeCell<usize>,
}

// SAFETY: see the module's documentation.
unsafe impl Sync for Free {}

static FREE: Free =
    Free { first: core::cell::UnsafeCell::new(NONE), used: core::cell::UnsafeCell::new(0) };

/// The handle's parts: slot and generation.
#[inline(always)]
fn parts(h: HPy) -> (usize, u32) {
    let word = h._i as u64;
    (word as u32 as usize, (word >> 32) as u32)
}

/// The slot with a number, if there is one.
#[inline(always)]
fn slot_at(number: usize) -> Option<NonNull<Slot>> {
    let block = TABLE.get(number / BLOCK)?.load(Ordering::Relaxed);
    // SAFETY: blocks have that many slots.
    NonNull::new(block).map(|block| unsafe { block.add(number % BLOCK) })
}

/// The slot of an open handle.
#[inline(always)]
fn slot(h: HPy) -> NonNull<Slot> {
    let (number, generation) = parts(h);
    match slot_at(number) {
        // SAFETY: slots live for ever.
        Some(slot) if unsafe { (*slot.as_ptr()).generation } == generation => slot,
        _ => invalid(h),
    }
}

#[cold]
#[inline(never)]
fn invalid(h: HPy) -> ! {
    if h.is_null() {
        fatal("an HPy extension used HPy_NULL where a handle is needed; HPY=debug says where");
    }
    fatal("an HPy extension used a handle that is closed, or is none; HPY=debug says where")
}

/// Puts an object into a slot.
#[inline(always)]
fn open(object: *mut PyObject) -> HPy {
    // SAFETY: this thread holds the lock.
    unsafe {
        let first = FREE.first.get();
        if *first == NONE {
            grow();
        }
        let number = *first;
        let block = TABLE[number as usize / BLOCK].load(Ordering::Relaxed);
        let slot = block.add(number as usize % BLOCK);
        *first = (*slot).next;
        (*slot).object = object;
        HPy { _i: ((u64::from((*slot).generation) << 32) | u64::from(number)) as isize }
    }
}

/// Takes the object out of a slot, which is free then.
#[inline(always)]
fn close_slot(h: HPy) -> *mut PyObject {
    let slot = slot(h).as_ptr();
    // SAFETY: this thread holds the lock, and the slot is that of an open handle.
    unsafe {
        let object = ptr::replace(&raw mut (*slot).object, ptr::null_mut());
        if (*slot).text.is_some() {
            (*slot).text = None;
        }
        // 0 is left out: the first handle would be null; and what is larger: handles are positive.
        let next = (*slot).generation + 1;
        (*slot).generation = if next > i32::MAX as u32 { 1 } else { next };
        (*slot).next = *FREE.first.get();
        *FREE.first.get() = parts(h).0 as u32;
        object
    }
}

/// Adds a block.
#[cold]
#[inline(never)]
unsafe fn grow() {
    // SAFETY: this thread holds the lock.
    unsafe {
        let used = FREE.used.get();
        if *used == BLOCKS {
            fatal(
                "an HPy extension has 64 million handles open; HPY=debug says which are never closed",
            );
        }
        let start = (*used * BLOCK) as u32;
        let slots: Vec<Slot> = (1..=BLOCK as u32)
            .map(|next| Slot {
                object: ptr::null_mut(),
                text: None,
                generation: 1,
                next: if next == BLOCK as u32 { NONE } else { start + next },
            })
            .collect();
        TABLE[*used].store(Box::leak(slots.into_boxed_slice()).as_mut_ptr(), Ordering::Release);
        *FREE.first.get() = start;
        *used += 1;
    }
}

/// How many slots are taken.
pub(crate) fn count() -> usize {
    // SAFETY: this thread holds the lock.
    unsafe {
        let mut free = 0;
        let mut next = *FREE.first.get();
        while let Some(slot) = slot_at(next as usize).filter(|_| next != NONE) {
            free += 1;
            next = (*slot.as_ptr()).next;
        }
        *FREE.used.get() * BLOCK - free
    }
}

/// A new handle, which takes over the reference.
#[inline(always)]
pub(crate) fn new(object: impl Into<PyObjectRef>) -> HPy {
    open(object.into().into_raw().as_ptr())
}

/// A new handle, or the null one.
pub(crate) fn new_or_null(object: Option<PyObjectRef>) -> HPy {
    object.map_or(HPy::NULL, new)
}

/// Closes the handle; its reference is the caller's.
#[inline(always)]
pub(crate) fn take(h: HPy) -> PyObjectRef {
    // SAFETY: an open handle's slot owns a reference to a living object.
    unsafe { PyObjectRef::from_raw(NonNull::new_unchecked(close_slot(h))) }
}

/// The object behind an open handle.
///
/// # Safety
/// The handle stays open while the result is used.
#[inline(always)]
pub(crate) unsafe fn object<'a>(h: HPy) -> &'a PyObject {
    // SAFETY: the slot of an open handle has an object.
    unsafe { &*(*slot(h).as_ptr()).object }
}

/// The object of a handle, as a negative number: not a handle of the table, and good as long as the object lives.
///
/// # Safety
/// The handle is open.
pub(crate) unsafe fn lasting(h: HPy) -> HPy {
    // SAFETY: the caller's promise.
    HPy { _i: -(ptr::from_ref(unsafe { object(h) }) as isize) }
}

/// The object behind an open handle, or one that [`lasting`] gave.
///
/// # Safety
/// As for [`object`], or the object lives while the result is used.
pub(crate) unsafe fn alive<'a>(h: HPy) -> &'a PyObject {
    // SAFETY: the caller's promise.
    unsafe { if h._i < 0 { &*((-h._i) as *const PyObject) } else { object(h) } }
}

/// The object behind an open handle, or none behind the null handle.
///
/// # Safety
/// As for [`object`].
#[inline(always)]
pub(crate) unsafe fn nullable<'a>(h: HPy) -> Option<&'a PyObject> {
    // SAFETY: the caller's promise.
    (!h.is_null()).then(|| unsafe { object(h) })
}

/// A copy of `bytes` with a 0 behind it, which lives as long as the handle is open. A handle has one.
pub(crate) fn text(h: HPy, bytes: &[u8]) -> *const c_char {
    let slot = slot(h).as_ptr();
    // SAFETY: this thread holds the lock, and the slot is that of an open handle.
    let text = unsafe { &mut (*slot).text };
    let text = text.get_or_insert_with(|| {
        let mut copy = Vec::with_capacity(bytes.len() + 1);
        copy.extend_from_slice(bytes);
        copy.push(0);
        Box::new(copy)
    });
    text.as_ptr().cast()
}

/// A handle for the time of a call, to an object that the caller keeps alive.
pub(crate) struct Borrowed(HPy);

impl Borrowed {
    /// # Safety
    /// The object lives longer than this.
    #[inline(always)]
    pub(crate) unsafe fn new(object: &PyObject) -> Self {
        Self(open(ptr::from_ref(object).cast_mut()))
    }

    /// # Safety
    /// As for [`new`](Self::new).
    #[inline(always)]
    pub(crate) unsafe fn new_or_null(object: Option<&PyObject>) -> Self {
        // SAFETY: the caller's promise.
        object.map_or(Self(HPy::NULL), |object| unsafe { Self::new(object) })
    }

    /// The handle.
    #[inline(always)]
    pub(crate) fn get(&self) -> HPy {
        self.0
    }
}

impl Drop for Borrowed {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.0.is_null() {
            close_slot(self.0);
        }
    }
}

/// Handles for the time of a call, in a row.
pub(crate) struct Array {
    handles: smallvec::SmallVec<[HPy; 8]>,
}

impl Array {
    /// # Safety
    /// The objects live longer than this.
    #[inline(always)]
    pub(crate) unsafe fn new(objects: &[PyObjectRef]) -> Self {
        let handles =
            objects.iter().map(|object| open(ptr::from_ref::<PyObject>(object).cast_mut()));
        Self { handles: handles.collect() }
    }
}

impl Deref for Array {
    type Target = [HPy];

    fn deref(&self) -> &[HPy] {
        &self.handles
    }
}

impl Drop for Array {
    #[inline(always)]
    fn drop(&mut self) {
        for &h in &self.handles {
            close_slot(h);
        }
    }
}
