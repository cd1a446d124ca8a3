//! An extension: a library, and one module in it.
//!
//! # Soundness
//!
//! A library that was opened is never closed, because functions, types and static definitions of
//! it may outlive everything that could be counted; so its symbols are valid for ever. That the
//! symbols have the types given here is what the naming convention of the ABI means.

use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPY_ABI_VERSION, HPY_ABI_VERSION_MINOR, HPyContext, HPyModuleDef};

use crate::{Error, diagnosis, interpreter};

/// A version of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// A host offers exactly one.
    pub major: u32,
    /// A host offers this one and all before it.
    pub minor: u32,
}

impl Version {
    /// What this host offers.
    pub const HOST: Self = Self { major: HPY_ABI_VERSION, minor: HPY_ABI_VERSION_MINOR };

    fn is_offered(self) -> bool {
        let offered = 0..=Self::HOST.minor;
        self.major == Self::HOST.major && offered.contains(&self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

type GetVersion = unsafe extern "C" fn() -> u32;
type Init = unsafe extern "C" fn() -> *mut HPyModuleDef;
type InitContext = unsafe extern "C" fn(*mut HPyContext);
type GetSupport = unsafe extern "C" fn() -> u32;
type GetInterpreter = unsafe extern "C" fn() -> *const c_char;

/// What the author declares that a module can do. A module that declares nothing can do none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// Its functions may run in several threads at once (`HPY_MOD_GIL_NOT_USED`).
    pub no_lock: bool,
    /// It may be imported by several interpreters of a process (`HPY_MOD_MULTIPLE_INTERPRETERS`).
    pub interpreters: bool,
}

impl Support {
    /// From the bits that the library gives; those that this release does not know mean nothing.
    fn from_bits(bits: u32) -> Self {
        Self { no_lock: bits & 1 != 0, interpreters: bits & 2 != 0 }
    }
}

/// A universal library that was opened and whose versions were checked.
#[derive(Debug)]
pub struct Extension {
    name: String,
    path: PathBuf,
    library: usize,
    requested: Version,
    init: Init,
    init_context: InitContext,
    support: Support,
}

impl Extension {
    /// Opens a library and finds the module `name` in it; of a dotted name the last part counts.
    /// `running` is the tag of the interpreter, such as `cp311`: a hybrid library is for one only,
    /// which its file name tells before the library is opened, or the library itself.
    ///
    /// # Safety
    /// Opening a library runs its initialisers, and its symbols are taken for what the ABI says
    /// they are: the file must be trusted.
    pub unsafe fn open(name: &str, path: &Path, running: &str) -> Result<Self, Error> {
        check_interpreter(name, path, tag(path).and_then(|tag| tag.interpreter), running)?;
        // SAFETY: the caller's promise.
        let library = unsafe { Library::open(name, path) }?;
        let mut symbols = Symbols { library: &library, module: last_part(name), missing: vec![] };
        let major = symbols.find::<GetVersion>("get_required_hpy_major_version_");
        let minor = symbols.find::<GetVersion>("get_required_hpy_minor_version_");
        let init = symbols.find::<Init>("HPyInit_");
        let init_context = symbols.find::<InitContext>("HPyInitGlobalContext_");
        let missing = symbols.missing.join(", ");
        // Only hybrid libraries have it, and those that were compiled with HPy 0.9 do not.
        let interpreter = symbols.find::<GetInterpreter>("get_required_interpreter_");
        let support = symbols.find::<GetSupport>("get_module_support_");
        let (Some(major), Some(minor), Some(init), Some(init_context)) =
            (major, minor, init, init_context)
        else {
            return Err(diagnosis::missing_symbols(name, path, missing));
        };
        // SAFETY: the ABI gives the functions these types.
        let requested = unsafe { Version { major: major(), minor: minor() } };
        if !requested.is_offered() {
            return Err(Error::Version { name: name.to_owned(), requested });
        }
        // SAFETY: the ABI gives the function this type; its result is a literal.
        let interpreter = interpreter.map(|get| unsafe { CStr::from_ptr(get()) });
        check_interpreter(name, path, interpreter.and_then(|tag| tag.to_str().ok()), running)?;
        // SAFETY: the ABI gives the function this type.
        let support = support.map_or(0, |get| unsafe { get() });
        Ok(Self {
            name: name.to_owned(),
            path: path.to_owned(),
            library: library.identity,
            requested,
            init,
            init_context,
            support: Support::from_bits(support),
        })
    }

    /// Checks that the file's name has the tag of the ABI that the library asks for.
    pub fn check_tag(&self) -> Result<(), Error> {
        let (name, path, requested) = (self.name.clone(), self.path.clone(), self.requested);
        match tag(&self.path).map(|tag| tag.major) {
            Some(tag) if tag == requested.major => Ok(()),
            Some(tag) => Err(Error::WrongTag { name, path, tag, requested }),
            None => Err(Error::NoTag { name, path, requested }),
        }
    }

    /// The module's definition.
    pub fn definition(&self) -> Result<NonNull<HPyModuleDef>, Error> {
        // SAFETY: the ABI gives the function this type, and it does nothing but return an address.
        NonNull::new(unsafe { (self.init)() }).ok_or_else(|| Error::NoDefinition {
            name: self.name.clone(),
            path: self.path.clone(),
            symbol: last_part(&self.name).to_owned(),
        })
    }

    /// Tells the library's trampolines which context to use. Threads that load the same library at once take turns, because it only
    /// writes into a static variable.
    ///
    /// # Safety
    /// The context is never freed.
    pub unsafe fn set_trampoline_context(&self, ctx: *mut HPyContext) {
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the ABI gives the function this type.
        unsafe { (self.init_context)(ctx) };
    }

    /// What the module can do.
    pub fn support(&self) -> Support {
        self.support
    }

    /// The name under which the module was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number that is the same for all modules of one opened library, and for no other library.
    pub fn library(&self) -> usize {
        self.library
    }
}

/// A library that stays open until the process ends.
struct Library {
    open: ManuallyDrop<libloading::Library>,
    identity: usize,
}

impl Library {
    /// # Safety
    /// The file must be trusted: opening it runs code of it.
    unsafe fn open(name: &str, path: &Path) -> Result<Self, Error> {
        // A bare file name would be looked up in the system's library path.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // SAFETY: the caller's promise.
        let raw = unsafe { open_raw(&absolute) };
        let raw = raw.map_err(|error| diagnosis::not_opened(name, path, &error))?;
        // SAFETY: just opened, and not closed by anybody.
        let open = unsafe { os::Library::from_raw(raw) }.into();
        Ok(Self { open: ManuallyDrop::new(open), identity: raw as usize })
    }
}

#[cfg(unix)]
use libloading::os::unix as os;
#[cfg(windows)]
use libloading::os::windows as os;

/// Resolves everything now, so that a library that lacks something is refused here rather than
/// killing the process later.
///
/// # Safety
/// As for opening any library.
#[cfg(unix)]
unsafe fn open_raw(path: &Path) -> Result<*mut c_void, libloading::Error> {
    // SAFETY: the caller's promise.
    let library = unsafe { os::Library::open(Some(path), os::RTLD_NOW | os::RTLD_LOCAL) };
    library.map(os::Library::into_raw)
}

/// # Safety
/// As for opening any library.
#[cfg(windows)]
unsafe fn open_raw(path: &Path) -> Result<isize, libloading::Error> {
    let beside = os::LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | os::LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
    // SAFETY: the caller's promise.
    unsafe { os::Library::load_with_flags(path, beside) }.map(os::Library::into_raw)
}

/// Looks symbols up and remembers which were missing.
struct Symbols<'a> {
    library: &'a Library,
    module: &'a str,
    missing: Vec<String>,
}

impl Symbols<'_> {
    /// The function `<prefix><module>`; `T` is its type.
    fn find<T: Copy>(&mut self, prefix: &str) -> Option<T> {
        let symbol = format!("{prefix}{}", self.module);
        // SAFETY: the ABI says what type a symbol of this name has.
        let found = unsafe { self.library.open.get::<T>(symbol.as_bytes()) };
        match found {
            Ok(function) => Some(*function),
            Err(_) => {
                self.missing.push(symbol);
                None
            }
        }
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Refuses a library for another interpreter than the one that is running.
fn check_interpreter(
    name: &str,
    path: &Path,
    wanted: Option<&str>,
    running: &str,
) -> Result<(), Error> {
    match wanted {
        Some(wanted) if !interpreter::runs_on(wanted, running) => Err(Error::Interpreter {
            name: name.to_owned(),
            path: path.to_owned(),
            wanted: interpreter::describe(wanted),
            running: interpreter::describe(running),
        }),
        _ => Ok(()),
    }
}

/// The ABI tag of a file's name: `hpy0` of `foo.hpy0.so`, `hpy0-cp311` of `foo.hpy0-cp311.so`.
#[derive(Debug, PartialEq, Eq)]
struct Tag<'a> {
    /// The ABI's major version.
    major: u32,
    /// The interpreter that a hybrid library is for.
    interpreter: Option<&'a str>,
}

fn tag(path: &Path) -> Option<Tag<'_>> {
    let file_name = path.file_name()?.to_str()?;
    let after_name = file_name.split('.').skip(1);
    after_name.filter_map(|part| part.strip_prefix("hpy")).find_map(|tag| {
        let (major, interpreter) = match tag.split_once('-') {
            Some((major, interpreter)) => (major, Some(interpreter)),
            None => (tag, None),
        };
        Some(Tag { major: major.parse().ok()?, interpreter })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_the_file_name_only() {
        let tag = |path: &'static str| tag(Path::new(path));
        let universal = |major| Some(Tag { major, interpreter: None });
        let hybrid = |interpreter| Some(Tag { major: 0, interpreter: Some(interpreter) });
        assert_eq!(tag("/a/foo.hpy0.so"), universal(0));
        assert_eq!(tag("foo.hpy0-cp311.so"), hybrid("cp311"));
        assert_eq!(tag("foo.hpy0-pypy39-pp73.so"), hybrid("pypy39-pp73"));
        assert_eq!(tag("foo.hpy999.pyd"), universal(999));
        for none in ["foo.so", "/a.hpy0.d/foo.so", "hpy0.so", "foo.hpy.so", "foo.hpyx.so", "/"] {
            assert_eq!(tag(none), None, "{none}");
        }
        assert_eq!(tag("foo.hpy99999999999.so"), None);
    }

    #[test]
    fn a_library_for_another_interpreter_is_not_opened() {
        let open = |running| {
            // SAFETY: there is no such file.
            let opened = unsafe { Extension::open("foo", Path::new("foo.hpy0-cp310.so"), running) };
            opened.expect_err("there is no such file")
        };
        assert!(matches!(open("cp310"), Error::File { .. }));
        let message = open("cp311").to_string();
        assert!(message.contains("for CPython 3.10, and this is CPython 3.11"), "{message}");
    }

    #[test]
    fn older_minor_versions_are_offered() {
        let offered = |major, minor| Version { major, minor }.is_offered();
        assert!(offered(0, 0));
        assert!(!offered(0, HPY_ABI_VERSION_MINOR + 1));
        assert!(!offered(1, 0));
    }

    #[test]
    fn what_is_not_declared_is_not_supported() {
        let support = |no_lock, interpreters| Support { no_lock, interpreters };
        assert_eq!(Support::from_bits(0), Support::default());
        assert_eq!(Support::from_bits(1), support(true, false));
        assert_eq!(Support::from_bits(2), support(false, true));
        assert_eq!(Support::from_bits(3 | 1 << 20), support(true, true));
    }

    #[test]
    fn the_last_part_of_a_name_counts() {
        assert_eq!(last_part("a.b.c"), "c");
        assert_eq!(last_part("föö"), "föö");
    }
}
