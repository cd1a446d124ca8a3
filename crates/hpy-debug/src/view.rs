//! What the Python API of debug mode shows and sets.

use core::ffi::c_void;

use hpy_abi::{HPy, HPyContext};

use crate::handles::{Invalid, Owner};
use crate::paint::Paint;
use crate::raw::Snapshot;
use crate::report::list;
use crate::slots::Slot;
use crate::state::{State, state};
use crate::trace::{Frame, Place, Trace};

/// A view of a slot: of the handle that is in it, or was last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    slot: u32,
}

impl Handle {
    /// The slot of a handle that was given out.
    pub(crate) fn of(h: HPy) -> Option<Self> {
        let state = state();
        if let Some(slot) = state.handles.get(h) {
            return Some(Self { slot: slot.number() });
        }
        match state.handles.diagnose(h) {
            Invalid::Closed(slot) => Some(Self { slot }),
            _ => None,
        }
    }

    /// The slot with this number, which was given out.
    pub(crate) fn of_slot(slot: u32) -> Self {
        Self { slot }
    }

    fn look<R>(self, look: impl FnOnce(&Slot) -> R) -> Option<R> {
        state().handles.slot(self.slot).map(look)
    }

    /// The view with this number, if [`id`](Self::id) may have given it.
    pub fn from_id(id: usize) -> Option<Self> {
        let slot = u32::try_from(id >> 1).ok()?;
        (id & 1 == 1).then_some(Self { slot })
    }

    /// A number that no other view has.
    pub fn id(self) -> usize {
        (self.slot as usize) << 1 | 1
    }

    /// Whether the handle is one of the context's constants, which nobody opens.
    pub fn is_constant(self) -> bool {
        self.look(|slot| slot.owner() == Owner::Context).unwrap_or(false)
    }

    /// Whether the handle is not open.
    pub fn is_closed(self) -> bool {
        !self.look(Slot::is_open).unwrap_or(false)
    }

    /// How many bytes of copies the handle keeps, if it has any.
    pub fn copied(self) -> Option<usize> {
        self.look(|slot| {
            let copies = &slot.more()?.copies;
            (!copies.is_empty()).then(|| copies.iter().map(Snapshot::size).sum())
        })?
    }

    /// A new reference to the object of the host, if the handle is open.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn object(self) -> Option<*mut c_void> {
        self.look_inside(|inner, h| {
            // SAFETY: the interpreter is attached, and the handle open.
            unsafe { ((*inner).ctx_AsPyObject)(inner, h) }.cast()
        })
    }

    /// A new handle of the wrapped context for the object, if the handle is open.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn duplicate(self) -> Option<HPy> {
        // SAFETY: the interpreter is attached, and the handle open.
        self.look_inside(|inner, h| unsafe { ((*inner).ctx_Dup)(inner, h) })
    }

    /// Looks at the wrapped handle with its context, under the lock of the state, so that nobody closes it meanwhile: what `look`
    /// calls must run no code that comes back here. None if the handle is not open, or another interpreter's, whose objects are
    /// not to be touched. The interpreter is attached.
    fn look_inside<R>(self, look: impl FnOnce(*mut HPyContext, HPy) -> R) -> Option<R> {
        self.look(|slot| {
            let is_ours = slot.is_open() && !slot.world().is_elsewhere();
            is_ours.then(|| look(slot.world().inner(), slot.inner()))
        })?
    }

    /// The `repr` of the object, shortened, if the handle is open and no exception is pending or comes of it.
    ///
    /// # Safety
    /// The interpreter is attached.
    pub unsafe fn repr(self) -> Option<String> {
        let (inner, h) = self.look_inside(|inner, h| {
            // SAFETY: the interpreter is attached, and the handle open.
            (inner, unsafe { ((*inner).ctx_Dup)(inner, h) })
        })?;
        // SAFETY: the handle is ours; the text is copied before its object is released.
        unsafe {
            let api = &*inner;
            if (api.ctx_Err_Occurred)(inner) != 0 {
                (api.ctx_Close)(inner, h);
                return None;
            }
            let repr = (api.ctx_Repr)(inner, h);
            (api.ctx_Close)(inner, h);
            let mut length = 0;
            let text = match repr.is_null() {
                true => core::ptr::null(),
                false => (api.ctx_Unicode_AsUTF8AndSize)(inner, repr, &raw mut length),
            };
            let copy = (!text.is_null()).then(|| {
                let bytes = core::slice::from_raw_parts(text.cast::<u8>(), length.unsigned_abs());
                shorten(&String::from_utf8_lossy(bytes))
            });
            (api.ctx_Close)(inner, repr);
            (api.ctx_Err_Clear)(inner);
            copy
        }
    }

    /// Closes the handle in the extension's place.
    ///
    /// # Safety
    /// The interpreter is attached, and the extension does not use the handle any more.
    pub unsafe fn force_close(self) {
        let mut state = state();
        let Some(slot) = state.handles.slot(self.slot) else { return };
        if !slot.is_open() || slot.world().is_elsewhere() {
            return;
        }
        let (h, inner, wrapped) = (slot.value(), slot.world().inner(), slot.inner());
        let owner = slot.owner();
        state.handles.close(h);
        drop(state);
        if owner == Owner::Extension {
            // SAFETY: the handle was open and the extension's.
            unsafe { ((*inner).ctx_Close)(inner, wrapped) };
        }
    }

    /// The extension's frames that opened the handle, the innermost first. If they were not captured, it is the function that Python
    /// called.
    pub fn frames(self) -> Vec<Frame> {
        let trace = self.opened().unwrap_or_else(|| {
            Trace::of_function(self.look(|slot| slot.target().address()).unwrap_or(0))
        });
        trace.frames()
    }

    /// The line of Python code that called the extension then, if it was captured.
    pub fn caller(self) -> Option<Frame> {
        self.opened()?.caller()
    }

    // Resolving takes long, and is not done under the lock.
    fn opened(self) -> Option<Trace> {
        self.look(|slot| slot.more()?.opened.clone())?
    }

    /// Whether the lines of the calls are known.
    pub fn is_traced(self) -> bool {
        self.look(|slot| slot.more().is_some_and(|more| more.opened.is_some())).unwrap_or(false)
    }

    /// Whether the handle belongs to an extension in which a call has not returned yet, which may close it.
    pub fn may_be_in_use(self) -> bool {
        let mut state = state();
        let world = state.handles.slot(self.slot).map(Slot::world);
        world.is_some_and(|world| world.is_running(&mut state))
    }

    /// Where the handle was opened and closed, if that was captured.
    pub(crate) fn opened_and_closed(self) -> (Place, Place) {
        let closed = self.look(|slot| slot.more()?.closed.clone()).flatten();
        let place = |trace: Option<Trace>| trace.map(|trace| trace.place()).unwrap_or_default();
        (place(self.opened()), place(closed))
    }

    /// Where the handle was opened and closed, as lines of text; empty if that was not captured.
    pub fn history(self) -> String {
        let mut text = String::new();
        let (opened, closed) = self.opened_and_closed();
        list(&mut text, Paint::PLAIN, "opened at", &opened);
        list(&mut text, Paint::PLAIN, "closed at", &closed);
        text
    }
}

/// The beginning of a text that may be long.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Begins a generation of handles and returns its number.
pub fn new_generation() -> u64 {
    state().handles.count()
}

/// Views of those slots whose handles are of the interpreter that the thread is attached to.
fn views(state: &State, slots: Vec<u32>) -> Vec<Handle> {
    let is_ours =
        |slot: &u32| state.handles.slot(*slot).is_some_and(|slot| !slot.world().is_elsewhere());
    slots.into_iter().filter(is_ours).map(|slot| Handle { slot }).collect()
}

/// The open handles of a generation and those after it that this interpreter's modules have, in the order in which they were opened.
/// The interpreter is attached.
pub fn open_handles(generation: u64) -> Vec<Handle> {
    let state = state();
    views(&state, state.handles.open_since(generation))
}

/// The closed handles of a generation and those after it that are remembered, in the order in which they were closed; those of this
/// interpreter, which is attached.
pub fn closed_handles(generation: u64) -> Vec<Handle> {
    let state = state();
    views(&state, state.handles.closed_since(generation))
}

/// How many closed handles are remembered.
pub fn closed_limit() -> usize {
    state().handles.closed_limit()
}

/// Sets how many closed handles are remembered. If there are more, they are used again first.
pub fn set_closed_limit(limit: usize) {
    state().handles.set_closed_limit(limit);
}

/// How many bytes of copies closed handles may keep, so that using one is a fault.
pub fn copies_limit() -> usize {
    state().handles.copies_limit
}

/// Sets how many bytes of copies closed handles may keep.
pub fn set_copies_limit(limit: usize) {
    state().handles.copies_limit = limit;
}

/// Sets how many frames are captured when a handle is opened or closed, 0 for none; and of how many handles one is traced, by chance.
pub fn set_traces(limit: usize, every: u32) {
    state().handles.set_traces(limit, every);
}
