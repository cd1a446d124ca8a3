//! What was stored in which field, and whether the authors' traverse functions show it.
//!
//! A field is known by its address, its owner by the address of its struct: a traverse function gets nothing else. Objects whose fields
//! were used are looked at when the outermost call of their thread and interpreter ends, because in between a struct may be half filled. They are not
//! kept alive until then: an object that ends has its fields emptied by its traverse function, whose entry tells.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use hpy_abi::{HPy, HPyField};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::call::this_thread;
use crate::findings::{FIELD_COPIED, FIELD_FORGOTTEN, FIELD_OF_ANOTHER};
use crate::report::{self, Finding, Verdict};
use crate::state::{Locked, state, while_others_wait};
use crate::trace::Trace;
use crate::types::{Layout, name_of};
use crate::world::World;

/// How many fields are remembered. Of further ones is only checked whether they are visited.
const MOST_STORED: usize = 1 << 18;
/// How many moved fields are remembered.
const MOST_ADRIFT: usize = 1 << 12;
/// How many objects are looked at when a call ends.
const MOST_TOUCHED: usize = 64;
/// How many fields an object may have that is looked at.
const MOST_VISITED: usize = 1 << 12;
/// How often the same is looked at before it is done ever more seldom.
const OFTEN: u32 = 16;

/// Whether objects wait for the end of a thread's outermost call. Written under the lock of the state.
static WAITING: AtomicBool = AtomicBool::new(false);

/// Whether it is worth to look at something again that was looked at `times` before; counts.
pub(crate) fn is_worth(times: &mut u32) -> bool {
    *times = times.saturating_add(1);
    *times <= OFTEN || times.is_power_of_two()
}

/// A field that a visitor was shown, and what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub address: usize,
    pub value: isize,
}

struct Stored {
    owner: usize,
    value: isize,
    /// It is a copy, which was told; the field owns nothing.
    copy: bool,
}

/// An object that is looked at when the call ends.
struct Touched {
    world: &'static World,
    object: HPy,
    layout: Layout,
    thread: usize,
    /// The fields that were stored, and where.
    stores: Vec<(usize, Trace)>,
}

/// What is wrong with a field.
#[derive(Debug)]
enum Problem {
    /// It was stored, and is not visited.
    Forgotten(usize, Trace),
    /// It is visited, and was not stored.
    Copied(Seen),
    /// It was stored through another owner.
    OfAnother(Seen),
}

/// All fields of the process.
pub(crate) struct Fields {
    stored: FxHashMap<usize, Stored>,
    /// How many fields of an owner hold a value.
    held: FxHashMap<(usize, isize), u32>,
    /// Those of them that were moved away without the API, and overwritten where they were; it is not known yet whereto.
    adrift: FxHashMap<(usize, isize), u32>,
    /// How often fields of a type at an offset were looked at.
    looks: FxHashMap<(usize, isize), u32>,
    touched: Vec<Touched>,
    /// Not all fields are remembered.
    full: bool,
}

impl Fields {
    pub const fn new() -> Self {
        Self {
            stored: FxHashMap::with_hasher(FxBuildHasher),
            held: FxHashMap::with_hasher(FxBuildHasher),
            adrift: FxHashMap::with_hasher(FxBuildHasher),
            looks: FxHashMap::with_hasher(FxBuildHasher),
            touched: Vec::new(),
            full: false,
        }
    }

    /// Remembers what is in a field now, after the API has taken `before` out.
    pub fn store(&mut self, owner: usize, before: isize, field: Seen) {
        if before != field.value && self.owner(Seen { value: before, ..field }) == Some(owner) {
            self.take(field.address);
        }
        self.put(owner, field);
    }

    /// Remembers what is in a field now; 0 is nothing. What was there by the table has been moved away without the API.
    fn put(&mut self, owner: usize, field: Seen) {
        if let Some(&Stored { owner: before, value, .. }) = self.stored.get(&field.address) {
            if (before, value) == (owner, field.value) {
                return;
            }
            self.take(field.address);
            self.set_adrift(before, value);
        }
        if field.value == 0 {
            return;
        }
        if self.stored.len() >= MOST_STORED {
            self.full = true;
            return;
        }
        self.stored.insert(field.address, Stored { owner, value: field.value, copy: false });
        *self.held.entry((owner, field.value)).or_default() += 1;
    }

    /// Remembers that an owner still holds a value, but not where.
    #[cold]
    fn set_adrift(&mut self, owner: usize, value: isize) {
        if self.adrift.len() < MOST_ADRIFT {
            *self.adrift.entry((owner, value)).or_default() += 1;
            *self.held.entry((owner, value)).or_default() += 1;
        } else {
            self.full = true;
        }
    }

    /// Forgets what is in a field.
    fn take(&mut self, address: usize) {
        let Some(Stored { owner, value, .. }) = self.stored.remove(&address) else { return };
        decrement(&mut self.held, (owner, value));
    }

    /// The owner through which a field was stored, if what was stored still is in it.
    fn owner(&self, field: Seen) -> Option<usize> {
        let stored = self.stored.get(&field.address)?;
        (stored.value == field.value).then_some(stored.owner)
    }

    /// The object that a field belongs to, if that is known.
    pub fn true_owner(&self, layout: &Layout, field: Seen) -> Option<usize> {
        if layout.has(field.address) {
            return Some(layout.start);
        }
        let around = self.touched.iter().find(|touched| touched.layout.has(field.address));
        // Outside of structs, memory may have been another object's before, and what the object holds moved there.
        let moved = || self.held.contains_key(&(layout.start, field.value));
        around
            .map(|touched| touched.layout.start)
            .or_else(|| self.owner(field).filter(|_| !moved()))
    }

    /// Whether the object may have a field with this value.
    pub fn may_hold(&self, layout: &Layout, value: isize) -> bool {
        self.full || self.held.contains_key(&(layout.start, value))
    }

    /// Whether any object has a field with this value.
    pub fn is_held(&self, value: isize) -> bool {
        self.stored.values().any(|stored| stored.value == value)
    }

    /// Whether it is worth to look at an object of whose fields the one at `address` was stored.
    pub fn is_worth(&mut self, layout: &Layout, address: usize) -> bool {
        let offset = match layout.has(address) {
            true => (address - layout.start) as isize,
            false => isize::MAX,
        };
        is_worth(self.looks.entry((layout.id(), offset)).or_default())
    }

    /// Whether it is worth to look at a new object.
    pub fn is_new_worth(&mut self, layout: &Layout) -> bool {
        is_worth(self.looks.entry((layout.id(), isize::MIN)).or_default())
    }

    /// Lets an object be looked at when the outermost call of this thread ends.
    fn touch(
        &mut self,
        world: &'static World,
        object: HPy,
        layout: Layout,
        store: Option<(usize, Trace)>,
    ) {
        let same = |touched: &&mut Touched| touched.layout.start == layout.start;
        if let Some(touched) = self.touched.iter_mut().find(same) {
            if let Some((address, _)) = store {
                touched.stores.retain(|(before, _)| *before != address);
            }
            touched.stores.extend(store);
        } else if self.touched.len() < MOST_TOUCHED {
            let (thread, stores) = (this_thread(), store.into_iter().collect());
            self.touched.push(Touched { world, object, layout, thread, stores });
            WAITING.store(true, Ordering::Relaxed);
        }
    }

    fn next_touched(&mut self, world: &World, thread: usize) -> Option<Touched> {
        let is_due = |touched: &Touched| touched.thread == thread && touched.world.is_beside(world);
        let at = self.touched.iter().position(is_due)?;
        let next = self.touched.swap_remove(at);
        WAITING.store(!self.touched.is_empty(), Ordering::Relaxed);
        Some(next)
    }

    /// Compares what a traverse function has shown of the struct at `owner` with what was stored. What was moved without the API, as
    /// `realloc` does, is found at its new place and belongs there from now on.
    fn compare(
        &mut self,
        owner: usize,
        seen: &[Seen],
        stores: Vec<(usize, Trace)>,
        is_member: impl Fn(usize) -> bool,
    ) -> Vec<Problem> {
        let is_right = |seen: Seen| self.owner(seen) == Some(owner) || is_member(seen.address);
        let mut strange: Vec<_> = seen.iter().copied().filter(|&seen| !is_right(seen)).collect();
        let is_seen = |address| seen.iter().any(|seen| seen.address == address);
        let is_here = |address: usize| self.stored.get(&address).is_some_and(|s| s.owner == owner);
        let missing: Vec<_> = stores
            .into_iter()
            .filter(|(address, _)| is_here(*address) && !is_seen(*address))
            .collect();
        if strange.is_empty() && missing.is_empty() {
            return Vec::new();
        }
        self.follow(owner, seen, &mut strange);
        let mut problems = Vec::new();
        for (address, trace) in missing {
            if self.stored.get(&address).is_some_and(|stored| stored.owner == owner) {
                problems.push(Problem::Forgotten(address, trace));
            }
        }
        for seen in strange {
            if self.owner(seen).is_some() {
                problems.push(Problem::OfAnother(seen));
            } else if !self.full {
                self.put(owner, seen);
                if let Some(stored) = self.stored.get_mut(&seen.address) {
                    stored.copy = true;
                }
                problems.push(Problem::Copied(seen));
            }
        }
        problems
    }

    /// Takes those fields out of `strange` that were moved there from where they are not any more.
    fn follow(&mut self, owner: usize, seen: &[Seen], strange: &mut Vec<Seen>) {
        let visited: FxHashMap<_, _> = seen.iter().map(|seen| (seen.address, seen.value)).collect();
        let mut gone: FxHashMap<isize, Vec<usize>> = FxHashMap::default();
        for (address, stored) in &self.stored {
            if stored.owner == owner && visited.get(address) != Some(&stored.value) {
                gone.entry(stored.value).or_default().push(*address);
            }
        }
        let mut moved = Vec::new();
        strange.retain(|&seen| {
            if let Some(before) = gone.get_mut(&seen.value).and_then(Vec::pop) {
                moved.push((Some(before), seen));
                return false;
            }
            if decrement(&mut self.adrift, (owner, seen.value)) {
                decrement(&mut self.held, (owner, seen.value));
                moved.push((None, seen));
                return false;
            }
            true
        });
        moved.iter().filter_map(|&(before, _)| before).for_each(|before| self.take(before));
        moved.iter().for_each(|&(_, seen)| self.put(owner, seen));
    }

    /// Those of the fields that own nothing.
    fn copies(&self, seen: &[Seen]) -> Vec<usize> {
        let is_copy =
            |seen: &&Seen| self.owner(**seen).is_some() && self.stored[&seen.address].copy;
        seen.iter().filter(is_copy).map(|seen| seen.address).collect()
    }

    /// Forgets an object whose fields are emptied.
    fn forget(&mut self, owner: usize, seen: &[Seen]) {
        self.touched.retain(|touched| touched.layout.start != owner);
        WAITING.store(!self.touched.is_empty(), Ordering::Relaxed);
        for seen in seen {
            if self.owner(*seen) == Some(owner) {
                self.take(seen.address);
            }
        }
        let held = &mut self.held;
        self.adrift.retain(|&(other, value), count| {
            if other == owner {
                (0..*count).for_each(|_| _ = decrement(held, (owner, value)));
            }
            other != owner
        });
    }
}

/// Counts one less; whether there was one.
fn decrement(counts: &mut FxHashMap<(usize, isize), u32>, key: (usize, isize)) -> bool {
    let Some(count) = counts.get_mut(&key) else { return false };
    *count -= 1;
    if *count == 0 {
        counts.remove(&key);
    }
    true
}

/// Lets an object be looked at when the outermost call of this thread ends, if everything can be known of it. `store` is a field that was
/// stored, and where.
pub(crate) fn touch(
    world: &'static World,
    object: HPy,
    layout: Layout,
    store: Option<(usize, Trace)>,
) {
    if layout.is_checkable() {
        // SAFETY: a function of the API runs, which was given the handle or gives it.
        let object = unsafe { world.host().lasting(object) };
        state().fields.touch(world, object, layout, store);
    }
}

/// Whether [`look_at_touched`] has something to do.
#[inline(always)]
pub(crate) fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed)
}

/// Looks at the objects whose fields were used in the outermost call of this thread in the interpreter of `world`; the call ends.
///
/// # Safety
/// That interpreter is attached.
#[cold]
pub(crate) unsafe fn look_at_touched(world: &World) {
    loop {
        let mut locked = state();
        let Some(touched) = locked.fields.next_touched(world, this_thread()) else { return };
        // SAFETY: the object is alive, or `forget` would have taken it out; until the next report no code runs that could end it.
        unsafe { look_at(touched, locked) };
    }
}

/// Looks at an object, unless its fields may change meanwhile.
unsafe fn look_at(touched: Touched, locked: Locked) {
    let Touched { world, object, layout, stores, .. } = touched;
    // SAFETY: the caller's promise; fields in the struct of a living object can be read.
    let (problems, name) = unsafe {
        let (mut guard, Some(seen)) = visited(world, object, locked) else { return };
        let state = &mut *guard;
        for (address, _) in &stores {
            // Whoever overwrites a field does not forget to visit it.
            let address = *address;
            if layout.has(address) && *(address as *const isize) == 0 {
                state.fields.take(address);
            }
        }
        let types = &state.types;
        let is_member = |address| types.has_member(&layout, address);
        let problems = state.fields.compare(layout.start, &seen, stores, is_member);
        if problems.is_empty() {
            return;
        }
        (problems, name_of(world, object))
    };
    for problem in problems {
        // SAFETY: the interpreter is attached.
        unsafe { tell(world, &name, layout.start, layout.size, problem) };
    }
}

/// The fields that the traverse functions of an object show; `None` if there are too many, or if other threads are in extensions, which
/// may be changing them. Others wait where several run at once, until the lock that is returned is free.
///
/// # Safety
/// The interpreter is attached, and the handle open.
unsafe fn visited(world: &World, object: HPy, locked: Locked) -> (Locked, Option<Vec<Seen>>) {
    let visit = || {
        let mut seen = Vec::new();
        let arg = (&raw mut seen).cast();
        // SAFETY: the caller's promise; the visitor gets what it needs.
        let result = unsafe { world.host().traverse(object, collect_some, arg) };
        (result == 0).then_some(seen)
    };
    if !world.host().runs_threads_at_once() {
        drop(locked);
        let seen = visit();
        return (state(), seen);
    }
    if locked.worlds.iter().any(|world| world.is_running_elsewhere(&locked)) {
        return (locked, None);
    }
    while_others_wait(locked, visit)
}

/// Collects a field that is not empty, up to a number of them.
unsafe extern "C" fn collect_some(field: *mut HPyField, arg: *mut c_void) -> c_int {
    // SAFETY: as below.
    unsafe {
        collect(field, arg);
        c_int::from((*arg.cast::<Vec<Seen>>()).len() > MOST_VISITED)
    }
}

/// Collects a field that is not empty.
unsafe extern "C" fn collect(field: *mut HPyField, arg: *mut c_void) -> c_int {
    // SAFETY: the author shows a field; the argument is the one given with this visitor.
    unsafe {
        let seen = Seen { address: field as usize, value: (*field)._i };
        if seen.value != 0 {
            (*arg.cast::<Vec<Seen>>()).push(seen);
        }
    }
    0
}

/// Looks at a struct whose fields are going to be emptied, and forgets it.
///
/// # Safety
/// The interpreter is attached; `show` runs the author's traverse function `function` on the struct.
pub(crate) unsafe fn empties(
    world: &'static World,
    owner: usize,
    function: usize,
    show: impl Fn(hpy_abi::HPyFunc_visitproc, *mut c_void),
) {
    let mut seen: Vec<Seen> = Vec::new();
    show(collect, (&raw mut seen).cast());
    let (problems, copies, name, size) = {
        let mut guard = state();
        let state = &mut *guard;
        let types = &state.types;
        // Where another mode is between, it is not known which function this is.
        let is_known = types.definer(function).is_some();
        let is_member = |address: usize| {
            !is_known || types.definer_has_member(function, address.wrapping_sub(owner))
        };
        let problems = state.fields.compare(owner, &seen, Vec::new(), is_member);
        let copies = state.fields.copies(&seen);
        state.fields.forget(owner, &seen);
        if problems.is_empty() && copies.is_empty() {
            return;
        }
        let known = types.definer(function);
        let (name, size) = known.map_or(("an object", 0), |known| (&*known.name, known.size));
        (problems, copies, name.to_owned(), size)
    };
    for address in copies {
        // SAFETY: the field was just shown. What it does not own must not be released.
        unsafe { *(address as *mut HPyField) = HPyField::NULL };
    }
    for problem in problems {
        // SAFETY: the interpreter is attached.
        unsafe { tell(world, &name, owner, size, problem) };
    }
}

/// Reports what is wrong with a field when no function of the API runs that could fail.
unsafe fn tell(world: &World, name: &str, start: usize, size: usize, problem: Problem) {
    let place = |address: usize| match address.checked_sub(start) {
        Some(offset) if offset < size => format!("the field at offset {offset} of its struct"),
        _ => "a field outside of its struct".to_owned(),
    };
    let (class, detail, trace) = match problem {
        Problem::Forgotten(address, trace) => (
            &FIELD_FORGOTTEN,
            format!("{} was stored, but is not visited", place(address)),
            Some(trace),
        ),
        Problem::Copied(seen) => (
            &FIELD_COPIED,
            format!("{} holds what was not stored in it", place(seen.address)),
            None,
        ),
        Problem::OfAnother(seen) => (
            &FIELD_OF_ANOTHER,
            format!("{} was stored through another owner", place(seen.address)),
            None,
        ),
    };
    let mut finding = Finding::new(class, format!("HPy_tp_traverse of {name}"), &detail);
    if let Some(trace) = trace {
        finding.used = trace.place();
    }
    if report::report(world, finding) == Verdict::Fail {
        // SAFETY: the interpreter is attached.
        unsafe { report::unraisable(world.inner(), class) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: usize = 0x1000;
    const OTHER: usize = 0x2000;

    fn field(address: usize, value: isize) -> Seen {
        Seen { address, value }
    }

    fn fields(stored: &[(usize, Seen)]) -> Fields {
        let mut fields = Fields::new();
        for &(owner, field) in stored {
            fields.put(owner, field);
        }
        fields
    }

    fn compare(fields: &mut Fields, seen: &[Seen]) -> Vec<Problem> {
        let stores = fields.stored.keys().map(|&address| (address, Trace::now())).collect();
        fields.compare(OWNER, seen, stores, |_| false)
    }

    #[test]
    fn what_is_stored_and_visited_is_right() {
        let (a, b) = (field(0x1008, 7), field(0x1010, 7));
        let mut fields = fields(&[(OWNER, a), (OWNER, b), (OTHER, field(0x2008, 7))]);
        assert!(compare(&mut fields, &[b, a]).is_empty());
        assert_eq!(fields.held[&(OWNER, 7)], 2);
        fields.store(OWNER, 7, field(0x1008, 0));
        fields.store(OWNER, 7, field(0x1010, 0));
        assert_eq!(fields.stored.len(), 1);
        assert!(!fields.held.contains_key(&(OWNER, 7)));
    }

    #[test]
    fn what_is_not_visited_is_forgotten() {
        let (a, b) = (field(0x1008, 7), field(0x1010, 8));
        let problems = compare(&mut fields(&[(OWNER, a), (OWNER, b)]), &[a]);
        assert!(matches!(problems[..], [Problem::Forgotten(0x1010, _)]), "{problems:?}");
    }

    #[test]
    fn what_is_visited_twice_was_copied() {
        let (a, copy) = (field(0x1008, 7), field(0x1010, 7));
        let problems = compare(&mut fields(&[(OWNER, a)]), &[a, copy]);
        assert!(matches!(problems[..], [Problem::Copied(found)] if found == copy), "{problems:?}");
    }

    #[test]
    fn what_is_visited_elsewhere_was_moved() {
        let (before, after) = (field(0x5008, 7), field(0x6008, 7));
        let mut fields = fields(&[(OWNER, before)]);
        assert!(compare(&mut fields, &[after]).is_empty());
        assert_eq!(fields.owner(after), Some(OWNER));
        assert_eq!(fields.owner(before), None);
    }

    #[test]
    fn what_was_moved_and_overwritten_is_known() {
        let (before, after) = (field(0x1008, 7), field(0x1010, 7));
        let mut fields = fields(&[(OWNER, before)]);
        let other = field(before.address, 8);
        fields.store(OWNER, 0, other);
        assert_eq!(fields.held[&(OWNER, 7)], 1);
        assert!(compare(&mut fields, &[other, after]).is_empty());
        assert!(fields.adrift.is_empty());
        assert_eq!(fields.held[&(OWNER, 7)], 1);
        fields.store(OWNER, 0, field(after.address, 9));
        fields.forget(OWNER, &[other, field(after.address, 9)]);
        assert!(fields.adrift.is_empty() && fields.held.is_empty() && fields.stored.is_empty());
    }

    #[test]
    fn what_was_moved_stays_held_when_its_memory_is_used_again() {
        let before = field(0x5008, 7);
        let mut fields = fields(&[(OWNER, before)]);
        fields.store(OTHER, 0, field(before.address, 9));
        assert_eq!((fields.held[&(OWNER, 7)], fields.held[&(OTHER, 9)]), (1, 1));
        assert!(compare(&mut fields, &[field(0x6008, 7)]).is_empty());
        assert_eq!(fields.held[&(OWNER, 7)], 1);
        fields.forget(OWNER, &[field(0x6008, 7)]);
        assert!(!fields.held.contains_key(&(OWNER, 7)));
    }

    #[test]
    fn what_is_another_owners_is_told() {
        let theirs = field(0x5008, 7);
        let problems = compare(&mut fields(&[(OTHER, theirs)]), &[theirs]);
        assert!(matches!(problems[..], [Problem::OfAnother(found)] if found == theirs));
    }

    #[test]
    fn the_same_is_looked_at_ever_more_seldom() {
        let mut times = 0;
        let looks = (0..1000).filter(|_| is_worth(&mut times)).count();
        assert_eq!(looks, 16 + 5);
    }
}
