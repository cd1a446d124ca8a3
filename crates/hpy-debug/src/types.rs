//! The types that extensions made in debug mode, and what the host says of the objects behind handles.

use core::ffi::c_char;
use core::ops::Deref;
use core::ptr;
use std::ffi::CStr;

use hpy_abi::{HPy, HPyMember_OBJECT, HPyMember_OBJECT_EX, HPyType_BuiltinShape, HPyType_Spec};
use hpy_host::{Definition, Fields, definitions, thunk};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::state::state;
use crate::unwind::library;
use crate::world::World;

/// What the description of a type says.
pub(crate) struct Known {
    pub name: String,
    pub shape: HPyType_BuiltinShape,
    pub size: usize,
    /// Which library the description is in, if it is a constant.
    pub library: Option<usize>,
    /// The offsets of the members that hold objects, which the host fills without the API.
    pub members: Vec<isize>,
}

/// The types of all worlds.
pub(crate) struct Types {
    known: FxHashMap<usize, Known>,
    /// Which types an author's function is part of.
    definers: FxHashMap<usize, Vec<usize>>,
}

impl Types {
    pub const fn new() -> Self {
        Self {
            known: FxHashMap::with_hasher(FxBuildHasher),
            definers: FxHashMap::with_hasher(FxBuildHasher),
        }
    }

    /// All of them, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Known)> {
        self.known.iter().map(|(&id, known)| (id, known))
    }

    /// Whether one of `types` has the author's function.
    pub fn define(&self, types: &[usize], function: usize) -> bool {
        let definers = self.definers.get(&function);
        definers.is_some_and(|definers| types.iter().any(|id| definers.contains(id)))
    }

    /// A type that has the author's function.
    pub fn definer(&self, function: usize) -> Option<&Known> {
        self.known.get(self.definers.get(&function)?.first()?)
    }

    /// Whether `address` is that of a member that holds an object.
    pub fn has_member(&self, layout: &Layout, address: usize) -> bool {
        layout.has(address) && self.members(&layout.types).any(|at| layout.start + at == address)
    }

    /// Whether an object has members that hold objects.
    pub fn have_members(&self, layout: &Layout) -> bool {
        self.members(&layout.types).next().is_some()
    }

    /// Whether a type that has the author's function has a member at this offset that holds an object.
    pub fn definer_has_member(&self, function: usize, offset: usize) -> bool {
        let definers = self.definers.get(&function).map_or(&[][..], Vec::as_slice);
        self.members(definers).any(|at| at == offset)
    }

    fn members(&self, types: &[usize]) -> impl Iterator<Item = usize> {
        let known = types.iter().filter_map(|id| self.known.get(id));
        known.flat_map(|known| &known.members).map(|&offset| offset.unsigned_abs())
    }
}

/// Remembers what the description of a new type says.
///
/// # Safety
/// The type was made of the description, by the world's host; `class` is an open handle of it.
pub(crate) unsafe fn learn(world: &World, spec: *const HPyType_Spec, class: HPy) {
    // SAFETY: the caller's promise; definitions live as long as their library.
    let (id, spec) = unsafe {
        let Some(id) = world.host().identity(class) else { return };
        (id, &*spec)
    };
    if state().types.known.contains_key(&id) {
        return;
    }
    // SAFETY: as above; the name is a C string.
    let (name, definitions) = unsafe { (text(spec.name), definitions(spec.defines)) };
    let mut members = Vec::new();
    let mut functions = Vec::new();
    for definition in definitions {
        match definition {
            Definition::Slot(slot) => functions.push(slot.impl_),
            Definition::Meth(method) => functions.push(method.impl_),
            Definition::GetSet(getset) => {
                functions.extend([getset.getter_impl, getset.setter_impl])
            }
            Definition::Member(member) => {
                if matches!(member.type_, HPyMember_OBJECT | HPyMember_OBJECT_EX) {
                    members.push(member.offset);
                }
            }
            Definition::Unknown(_) => {}
        }
    }
    let known = Known {
        name,
        shape: spec.builtin_shape,
        size: spec.basicsize.max(0).unsigned_abs() as usize,
        library: library(ptr::from_ref(spec) as usize),
        members,
    };
    let mut state = state();
    let types = &mut state.types;
    types.known.insert(id, known);
    for function in functions.into_iter().flatten() {
        types.definers.entry(function as usize).or_default().push(id);
    }
}

/// How many types behind an object are looked at.
const DEEPEST: usize = 8;

/// The numbers of the types behind an object.
#[derive(Default)]
pub(crate) struct Ids {
    ids: [usize; DEEPEST],
    count: usize,
}

impl Ids {
    /// Adds a type, unless there are too many.
    pub fn push(&mut self, id: usize) {
        if let Some(place) = self.ids.get_mut(self.count) {
            *place = id;
            self.count += 1;
        }
    }
}

impl Deref for Ids {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.ids[..self.count]
    }
}

/// A C string as text.
///
/// # Safety
/// It is one.
pub(crate) unsafe fn text(name: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

/// What an object's types say of its struct.
pub(crate) struct Layout {
    /// Where the struct is.
    pub start: usize,
    /// Its size.
    pub size: usize,
    /// Its types, from the object's own to the most basic.
    pub types: Ids,
    /// Who knows its fields. That is one of those who do: the one of whom least is known.
    pub fields: Fields,
    /// Whether every type with fields was made in debug mode, so that each way to its fields leads through here.
    pub complete: bool,
}

impl Layout {
    /// Looks at an object.
    ///
    /// # Safety
    /// The interpreter is attached; the handle is an open one of the wrapped context.
    pub unsafe fn of(world: &World, object: HPy) -> Self {
        let host = world.host();
        let fields = if host.knows_types() { Fields::None } else { Fields::Unknown };
        let mut layout = Self { start: 0, size: 0, types: Ids::default(), fields, complete: true };
        let mut with_fields = Ids::default();
        // SAFETY: the caller's promise.
        unsafe {
            host.levels(object, &mut |level| {
                layout.types.push(level.id);
                layout.size = layout.size.max(level.size);
                layout.fields = layout.fields.max(level.fields);
                if level.fields != Fields::None {
                    with_fields.push(level.id);
                }
            });
            layout.start = host.data(object) as usize;
        }
        // Without thunks, the host calls the author's traverse functions directly.
        layout.complete = layout.fields == Fields::None
            || thunk::available() && {
                let state = state();
                layout.types.len() < DEEPEST
                    && with_fields.iter().all(|id| state.types.known.contains_key(id))
            };
        layout
    }

    /// Whether all is known that is stored in its fields, and seen when they are emptied.
    pub fn is_checkable(&self) -> bool {
        self.fields == Fields::Traverse && self.complete
    }

    /// The number of the nearest type.
    pub fn id(&self) -> usize {
        self.types.first().copied().unwrap_or(0)
    }

    /// Whether an address is in the struct.
    pub fn has(&self, address: usize) -> bool {
        (self.start..self.start + self.size).contains(&address)
    }
}

/// The name of the nearest type of HPy's behind an object; empty if there is none.
///
/// # Safety
/// As for [`Layout::of`].
pub(crate) unsafe fn name_of(world: &World, object: HPy) -> String {
    let mut name = String::new();
    // SAFETY: the caller's promise.
    unsafe {
        world.host().levels(object, &mut |level| {
            if name.is_empty() {
                name = text(level.name);
            }
        });
    }
    name
}
