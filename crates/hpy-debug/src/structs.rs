//! Which C struct is meant when an object's struct is asked for.
//!
//! `Point_AsStruct` only says which shape the type has. But each place in the code that calls it belongs to a *reader*: the function of
//! that name, if the library tells names, else the place itself. Readers learn whose struct they read: from a type of the reader's name,
//! from the functions of types, which are called with their own objects, from objects that were just made, and else from the first
//! object. What is read later must have one of these types.

use hpy_abi::{HPy, HPyType_BuiltinShape, HPyType_BuiltinShape_Legacy};
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::api::Api;
use crate::call::current_function;
use crate::fields;
use crate::findings::{OTHER_STRUCT, WRONG_SHAPE};
use crate::generated::shape_name;
use crate::report::Verdict;
use crate::state::{State, state};
use crate::trace::{Frame, Trace, is_handed_on};
use crate::types::{Ids, Known, Layout, text};
use crate::unwind::{caller, library};

/// How many new objects are remembered.
const NEW: usize = 16;

/// A place in the code.
enum Site {
    /// It belongs to a reader; how often objects were looked at that were read here.
    Of { reader: usize, looks: u32 },
    /// It is in a function that all readers call: of HPy's headers, where the compiler does not inline, or of another mode. Its caller
    /// counts.
    HandedOn,
}

/// A type whose struct was read.
#[derive(Clone)]
struct Type {
    id: usize,
    name: String,
    size: usize,
    /// Where that was learned.
    from: String,
}

impl Type {
    /// Whether this is the same description; a library that is loaded twice has two types of it.
    fn is(&self, other: &Self) -> bool {
        self.id == other.id || (self.name == other.name && self.size == other.size)
    }
}

/// All places and readers of the process.
pub(crate) struct Structs {
    sites: FxHashMap<usize, Site>,
    /// Whose struct each reader reads.
    readers: Vec<Vec<Type>>,
    /// The readers by what tells them apart.
    by_key: FxHashMap<String, usize>,
    /// Where the structs of the newest objects are.
    new: [usize; NEW],
    next_new: usize,
}

impl Structs {
    pub const fn new() -> Self {
        Self {
            sites: FxHashMap::with_hasher(FxBuildHasher),
            readers: Vec::new(),
            by_key: FxHashMap::with_hasher(FxBuildHasher),
            new: [0; NEW],
            next_new: 0,
        }
    }

    /// Remembers a new object by its struct.
    pub fn made(&mut self, data: usize) {
        self.new[self.next_new] = data;
        self.next_new = (self.next_new + 1) % NEW;
    }

    /// Whether a place is in a function that all readers call, if that is known.
    fn is_handed_on(&self, place: usize) -> Option<bool> {
        self.sites.get(&place).map(|site| matches!(site, Site::HandedOn))
    }

    /// Whose struct is read there.
    fn taught(&mut self, read: &Read<'_>) -> &mut Vec<Type> {
        let number = match self.sites.get(&read.place) {
            Some(Site::Of { reader, .. }) => *reader,
            _ => {
                let next = self.readers.len();
                let reader = *self.by_key.entry(read.key()).or_insert(next);
                if reader == next {
                    self.readers.push(Vec::new());
                }
                self.sites.insert(read.place, Site::Of { reader, looks: 0 });
                reader
            }
        };
        &mut self.readers[number]
    }
}

/// The types of an object that have a struct of one shape.
struct Types {
    ids: Ids,
    /// Whether the object has such a struct.
    fits: bool,
    /// The shape of its nearest type.
    nearest: HPyType_BuiltinShape,
}

impl Types {
    /// # Safety
    /// The handle is an open one of the wrapped context.
    unsafe fn of(api: &Api, object: HPy, shape: HPyType_BuiltinShape) -> Self {
        let (fits, nearest) = (false, HPyType_BuiltinShape_Legacy);
        let mut types = Self { ids: Ids::default(), fits, nearest };
        let (mut levels, mut largest) = (0, 0);
        // SAFETY: the caller's promise; a function of the API is running.
        unsafe {
            api.world().host().levels(object, &mut |level| {
                if levels == 0 {
                    types.nearest = level.shape;
                }
                levels += 1;
                largest = largest.max(level.size);
                types.fits |= level.shape == shape;
                if level.shape == shape && level.size > 0 {
                    types.ids.push(level.id);
                }
            });
        }
        // Below types that add nothing, there may be one of the interpreter's own API.
        types.fits |= shape == HPyType_BuiltinShape_Legacy && largest == 0;
        types
    }
}

/// Whether the place in the code may read the struct of this object; if not, an exception is set.
///
/// # Safety
/// The handle is open, and `wrapped` is its wrapped one.
#[inline]
pub(crate) unsafe fn may_read(
    api: &Api,
    h: HPy,
    wrapped: HPy,
    shape: HPyType_BuiltinShape,
    place: usize,
) -> bool {
    if !api.world().host().knows_types() {
        return true;
    }
    // SAFETY: the caller's promise.
    let types = unsafe { Types::of(api, wrapped, shape) };
    if !types.fits {
        return refuse(api, h, &types, shape);
    }
    if place == 0 || types.ids.is_empty() {
        return true;
    }
    let (known, worth) = {
        let structs = &mut state().structs;
        match structs.sites.get_mut(&place) {
            Some(Site::Of { reader, looks }) => {
                let taught = &structs.readers[*reader];
                let known = taught.iter().any(|one| types.ids.contains(&one.id));
                (known, known && fields::is_worth(looks))
            }
            _ => (false, false),
        }
    };
    // SAFETY: the caller's promise.
    unsafe {
        if !known {
            return learn(api, h, wrapped, shape, place);
        }
        if worth {
            fields::touch(api.world(), wrapped, Layout::of(api.world(), wrapped), None);
        }
    }
    true
}

/// Reports that an object has no struct of this shape.
#[cold]
fn refuse(api: &Api, h: HPy, types: &Types, shape: HPyType_BuiltinShape) -> bool {
    let function = api.function();
    let detail = format!(
        "Invalid usage of {}: the object's type has the shape {}, not {}",
        function.name,
        shape_name(types.nearest),
        shape_name(shape)
    );
    api.find(&WRONG_SHAPE, &function.handles[0], h, &detail);
    api.failed(&WRONG_SHAPE).is_some()
}

/// The same for a type that the place did not read before.
#[cold]
unsafe fn learn(
    api: &Api,
    h: HPy,
    wrapped: HPy,
    shape: HPyType_BuiltinShape,
    place: usize,
) -> bool {
    let known = state().structs.is_handed_on(place);
    if known.unwrap_or_else(|| is_handed_on(place)) {
        state().structs.sites.insert(place, Site::HandedOn);
        // SAFETY: the caller's promise.
        return caller(place)
            .is_none_or(|caller| unsafe { may_read(api, h, wrapped, shape, caller) });
    }
    let frames = Trace::now().frames();
    let from = frames.iter().find(|frame| reader_name(frame).is_none());
    let from = from.map_or_else(String::new, ToString::to_string);
    // SAFETY: the caller's promise.
    let (types, data) = unsafe {
        (describe(api, wrapped, shape, &from), api.world().host().data(wrapped) as usize)
    };
    let read = Read {
        place,
        shape,
        data,
        library: library(place),
        reader: frames.first().and_then(reader_name),
        frame: frames.first(),
    };
    let checked = check(&mut state(), &types, &read);
    let Err((reader, taught)) = checked else {
        // SAFETY: the caller's promise.
        unsafe { fields::touch(api.world(), wrapped, Layout::of(api.world(), wrapped), None) };
        return true;
    };
    let detail = format!(
        "the object is a {}, but {reader} reads the struct of {}, {}",
        types[0].name, taught.name, taught.from
    );
    let function = api.function();
    let verdict = api.find(&OTHER_STRUCT, &function.handles[0], h, &detail);
    verdict == Verdict::GoOn || api.failed(&OTHER_STRUCT).is_some()
}

/// The types that have their struct in an object.
unsafe fn describe(api: &Api, object: HPy, shape: HPyType_BuiltinShape, from: &str) -> Vec<Type> {
    let mut types = Vec::new();
    // SAFETY: the caller's promise; a function of the API is running.
    unsafe {
        api.world().host().levels(object, &mut |level| {
            if level.shape == shape && level.size > 0 {
                types.push(Type {
                    id: level.id,
                    name: text(level.name),
                    size: level.size,
                    from: format!("as at {from}"),
                });
            }
        });
    }
    types
}

/// Code that reads a struct for the first time, or that of a new type.
struct Read<'a> {
    place: usize,
    library: Option<usize>,
    /// The innermost frame of the extension.
    frame: Option<&'a Frame>,
    /// The function in that frame if `HPyType_HELPERS` made it.
    reader: Option<&'a str>,
    shape: HPyType_BuiltinShape,
    /// Where the struct is.
    data: usize,
}

impl Read<'_> {
    /// What tells the reader from others. Files may have functions of one name, and libraries may have files of one name.
    fn key(&self) -> String {
        match (self.reader, self.frame) {
            (Some(name), Some(frame)) => {
                format!("{name} {:?} {:?} {:?}", self.library, frame.file, frame.line)
            }
            _ => format!("{:#x}", self.place),
        }
    }

    /// Whether the reader is called like a type of its library.
    fn is_named_like(&self, known: &Known) -> bool {
        self.reader.is_some_and(|reader| {
            known.library.is_some()
                && known.library == self.library
                && known.shape == self.shape
                && is_named(reader, &known.name)
        })
    }
}

/// Whether an object with these types may be read; else the reader's name and what it reads. Teaches the reader.
fn check(state: &mut State, types: &[Type], read: &Read<'_>) -> Result<(), (String, Type)> {
    let ids: Vec<usize> = types.iter().map(|one| one.id).collect();
    let is_new = state.structs.new.contains(&read.data);
    let function = current_function();
    // What is in no library is a thunk of another mode; whose function it calls is not known.
    let is_own = state.types.define(&ids, function) || library(function).is_none();
    let taught = state.structs.taught(read);
    if taught.is_empty() {
        let named = state.types.iter().filter(|(_, known)| read.is_named_like(known));
        taught.extend(named.map(|(id, known)| {
            let (name, from) = (known.name.clone(), "which has that name".to_owned());
            Type { id, name, size: known.size, from }
        }));
    }
    // The most basic type made the struct; those above it only add to it.
    let owner = &types[types.len() - 1];
    let same = types.iter().find(|one| taught.iter().any(|other| one.is(other)));
    match (same, taught.first()) {
        (Some(same), _) if taught.iter().any(|one| one.id == same.id) => {}
        (Some(same), _) => taught.push(same.clone()),
        (None, None) => taught.push(owner.clone()),
        (None, Some(first)) => {
            let fits = types[0].size >= first.size;
            if !(is_new || is_own) || !fits {
                return Err((read.reader.unwrap_or("this place").to_owned(), first.clone()));
            }
            taught.push(owner.clone());
        }
    }
    Ok(())
}

/// The name of the frame's function if `HPyType_HELPERS` made it.
fn reader_name(frame: &Frame) -> Option<&str> {
    // Compilers add to the names of functions that they specialise.
    let name = frame.function.as_deref()?.split('.').next()?;
    (name.ends_with("_AsStruct") && !name.starts_with("_HPy")).then_some(name)
}

/// Whether the reader `reader` is called like the type `name`.
fn is_named(reader: &str, name: &str) -> bool {
    let plain = |name: &str| {
        let name = name.to_lowercase().replace('_', "");
        let endings = ["object", "type", "struct"];
        let stripped = endings.iter().find_map(|ending| name.strip_suffix(ending));
        stripped.filter(|rest| !rest.is_empty()).unwrap_or(&name).to_owned()
    };
    let name = name.rsplit('.').next().unwrap_or(name);
    plain(reader.trim_end_matches("_AsStruct")) == plain(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_called_like_their_types() {
        for (reader, name) in [
            ("Point_AsStruct", "geometry.Point"),
            ("PointObject_AsStruct", "Point"),
            ("point_object_AsStruct", "a.b.Point"),
            ("Type_AsStruct", "Type"),
        ] {
            assert!(is_named(reader, name), "{reader} {name}");
        }
        assert!(!is_named("Point_AsStruct", "geometry.Vector"));
        assert!(!is_named("Point_AsStruct", "Point.Vector"));
    }
}
