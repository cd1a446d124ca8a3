//! What a context around the host's asks of the host beyond the API.

use std::ffi::{c_char, c_int, c_void};

use hpy_abi::{HPy, HPyContext, HPyFunc_visitproc, HPyModuleDef, HPyType_BuiltinShape};

use crate::Wrapper;

/// A host, for those who look closer at objects than extensions may. Its methods take handles of the host's own contexts.
pub trait Host: Sync {
    /// What names the thread's attachment to an interpreter: the same number during a call unless the thread has let go of the
    /// interpreter, or has gone over to another one. It is cheap, may be asked in any thread, and is 0 if there is none; where it is
    /// not, [`is_attached`](Self::is_attached) knows.
    fn attachment(&self) -> unsafe extern "C" fn() -> usize;

    /// Whether this thread may use the interpreter.
    fn is_attached(&self) -> bool;

    /// The number of the interpreter that this thread uses: no other of the process ever gets it.
    ///
    /// # Safety
    /// The thread is attached.
    unsafe fn interpreter(&self) -> usize;

    /// Whether it can say what is asked about types and structs below. If not, whoever asks must do without.
    fn knows_types(&self) -> bool {
        true
    }

    /// A handle to the same object that the methods here take as long as the object lives, even if `object` is closed. No
    /// function of the API takes it.
    ///
    /// # Safety
    /// The interpreter is attached and the handle open.
    unsafe fn lasting(&self, object: HPy) -> HPy;

    /// Whether its functions take a closed handle as long as the object lives. If not, debug mode lets a function fail that was given
    /// one, also where a hook wants to go on.
    fn finds_closed(&self) -> bool {
        true
    }

    /// Shows the types behind `object` that HPy made, from its own type to the most basic.
    ///
    /// # Safety
    /// The interpreter is attached and the handle open.
    unsafe fn levels(&self, object: HPy, show: &mut dyn FnMut(&Level));

    /// The identity of `class`, as [`Level::id`] has it; `None` if HPy did not make it.
    ///
    /// # Safety
    /// The interpreter is attached; the handle is open and to a type.
    unsafe fn identity(&self, class: HPy) -> Option<usize>;

    /// The C struct of `object`; null if no type of HPy's is behind it.
    ///
    /// # Safety
    /// The interpreter is attached and the handle open.
    unsafe fn data(&self, object: HPy) -> *mut c_void;

    /// Runs the authors' traverse functions of all levels on `object`, up to the first result that is not 0.
    ///
    /// # Safety
    /// The interpreter is attached, `object` is an open handle, and `visit` takes `arg`.
    unsafe fn traverse(&self, object: HPy, visit: HPyFunc_visitproc, arg: *mut c_void) -> c_int;

    /// Whether several threads may run extensions at the same time. If so, debug mode runs authors' traverse functions only while it
    /// keeps other threads out of all extensions that it knows.
    fn runs_threads_at_once(&self) -> bool {
        false
    }

    /// Whether `visit` is the host's function that empties the fields it is shown.
    fn empties(&self, visit: HPyFunc_visitproc) -> bool;
}

/// A type that HPy made, as part of an object.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// A number that stays the type's, and that of types made again from the same description in the same load.
    pub id: usize,
    /// The full name, `module.Type`, a C string; valid while the object lives.
    pub name: *const c_char,
    /// Which builtin's layout the struct extends.
    pub shape: HPyType_BuiltinShape,
    /// The size of the struct, with that of the types below.
    pub size: usize,
    /// Who knows the fields in it.
    pub fields: Fields,
}

/// Who shows the fields of a struct to a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fields {
    /// Nobody.
    None,
    /// The host, which knows the members that hold objects.
    Members,
    /// The author's traverse function.
    Traverse,
    /// Code of the interpreter's own API.
    Unknown,
}

/// What is wrapped.
#[derive(Clone, Copy)]
pub struct Wrapped {
    /// The context of a load; never freed.
    pub context: *mut HPyContext,
    /// The definition of the module that is loaded.
    pub definition: &'static HPyModuleDef,
    /// The full name of the module.
    pub name: &'static str,
    /// Whose context it is.
    pub host: &'static dyn Host,
}

/// Makes what wraps the context of a load.
///
/// # Safety
/// The context is valid, and the interpreter attached.
pub type Wrap = unsafe fn(Wrapped) -> &'static dyn Wrapper;
