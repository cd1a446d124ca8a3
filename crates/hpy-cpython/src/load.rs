//! Loads: what an extension gets each time it is loaded.
//!
//! Every load has a context of its own, which the thunks of its functions carry. So nothing in the
//! extension's memory says which load is calling, and one library may be loaded several times, under
//! several names, with separate globals.
//!
//! # Soundness
//!
//! Loads are never freed, because functions and types may outlive the module. A load whose module
//! object has died is used again by the next load of the same module under the same name, so that
//! loading a module ten thousand times costs the memory of one. A load belongs to one interpreter of
//! the process: what it refers to is used only by threads that are attached to that one, of which a
//! free-threaded Python runs several at once.
//!
//! No lock of this crate is held while Python code may run or the thread may be detached: another
//! thread would wait for it attached, and a garbage collection for that thread.

use core::cell::UnsafeCell;
use core::mem::replace;
use core::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPyContext, HPyFunc_Signature, HPyModuleDef};
use hpy_host::{Entry, Extension, Mode, Wrap, Wrapped, Wrapper, number_globals, thunk};
use pyo3_ffi as ffi;

use crate::functions::Pool;
use crate::generated::context::template;
use crate::global::Values;
use crate::host::CPython;
use crate::interpreter::interpreter_id;
use crate::layout::Kept;
use crate::module;
use crate::names::Names;

/// One load of one module.
pub(crate) struct Load {
    /// What the extension sees; its `_private` points back to the load.
    context: UnsafeCell<HPyContext>,
    /// Which library the module is in.
    pub library: usize,
    /// What wraps the context, in debug and trace mode.
    wrapper: Option<&'static dyn Wrapper>,
    /// The values of the library's globals, by number.
    pub globals: Values,
    /// The names that its functions have asked for.
    pub names: Names,
    /// Memory for its trackers.
    pub trackers: Pool,
    /// Memory for objects of its types.
    pub kept: Kept,
    identity: Identity,
    use_: Mutex<Use>,
}

/// Whether a load can be used again.
enum Use {
    /// Nothing came out of the last use.
    Free,
    /// Its module is being made, or what was made cannot be referenced weakly.
    Taken,
    /// It made what this weak reference, which the load owns, leads to.
    Module(*mut ffi::PyObject),
}

/// What makes two loads the same, if they are not there at the same time.
#[derive(PartialEq, Eq)]
struct Identity {
    definition: NonNull<HPyModuleDef>,
    name: String,
    mode: Mode,
    /// The interpreters of a process have numbers that are never given again.
    interpreter: i64,
}

// SAFETY: see the module's documentation.
unsafe impl Sync for Load {}

impl Load {
    /// The load behind a context.
    ///
    /// # Safety
    /// The context was made here.
    #[inline(always)]
    pub(crate) unsafe fn of(ctx: *mut HPyContext) -> &'static Self {
        // SAFETY: `_private` of our contexts points to their load, which is never freed.
        unsafe { &*(*ctx)._private.cast::<Self>() }
    }

    /// Finds a load that can be used again, or makes a new one.
    ///
    /// # Safety
    /// The interpreter is attached.
    unsafe fn obtain(library: usize, identity: Identity, wrap: Option<Wrap>) -> &'static Self {
        static LOADS: Mutex<Vec<&'static Load>> = Mutex::new(Vec::new());
        let loads = || LOADS.lock().unwrap_or_else(PoisonError::into_inner);
        let candidates: Vec<_> =
            loads().iter().copied().filter(|load| load.can_be(&identity)).collect();
        // SAFETY: the caller's promise; these are loads of this interpreter.
        let found = candidates.into_iter().find(|load| unsafe { load.take() });
        found.unwrap_or_else(|| {
            // SAFETY: the caller's promise.
            let load = unsafe { Self::new(library, identity, wrap) };
            loads().push(load);
            load
        })
    }

    /// # Safety
    /// The interpreter is attached.
    unsafe fn new(library: usize, identity: Identity, wrap: Option<Wrap>) -> &'static Self {
        let load = Box::leak(Box::new(Self {
            // SAFETY: the caller's promise.
            context: UnsafeCell::new(unsafe { template() }),
            library,
            wrapper: None,
            globals: Values::default(),
            names: Names::new(),
            trackers: Pool::new(),
            kept: Kept::new(),
            identity,
            use_: Mutex::new(Use::Taken),
        }));
        let private = ptr::from_mut(load).cast();
        load.context.get_mut()._private = private;
        // SAFETY: the context is complete, and never freed; nor is the definition.
        load.wrapper = wrap.map(|wrap| unsafe {
            let definition = load.identity.definition.as_ref();
            let name = load.identity.name.as_str();
            wrap(Wrapped { context: load.context.get(), definition, name, host: &CPython })
        });
        load
    }

    /// What the extension's trampolines use.
    fn trampoline_context(&self) -> *mut HPyContext {
        self.wrapper.map_or(self.context.get(), |wrapper| wrapper.context())
    }

    /// How a function of the extension that gets a context is entered.
    pub(crate) fn entry(
        &self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Entry {
        let direct = Entry { first: self.context.get().cast(), target: function };
        self.wrapped_entry(signature, function).unwrap_or(direct)
    }

    /// How a function is entered if something wraps the context and wants to know of it.
    pub(crate) fn wrapped_entry(
        &self,
        signature: HPyFunc_Signature,
        function: unsafe extern "C" fn(),
    ) -> Option<Entry> {
        self.wrapper?.entry(signature, function)
    }

    /// Whether this load can be the next one of `identity`. Without thunks a library knows only one
    /// context, and all loads of a module in one mode have to share it.
    fn can_be(&self, identity: &Identity) -> bool {
        if thunk::available() {
            return self.identity == *identity;
        }
        let Identity { definition, mode, interpreter, .. } = identity;
        self.identity.definition == *definition
            && self.identity.mode == *mode
            && self.identity.interpreter == *interpreter
    }

    /// Takes the load if nothing uses it.
    ///
    /// # Safety
    /// The load's interpreter is attached.
    unsafe fn take(&self) -> bool {
        // Meanwhile others find it taken.
        match self.replace_use(Use::Taken) {
            Use::Free => true,
            Use::Taken => !thunk::available(),
            Use::Module(reference) => {
                let mut module = ptr::null_mut();
                // SAFETY: the load owns the weak reference; the new one to the module is released.
                unsafe {
                    ffi::compat::PyWeakref_GetRef(reference, &mut module);
                    if module.is_null() {
                        ffi::Py_DECREF(reference);
                        return true;
                    }
                    self.replace_use(Use::Module(reference));
                    ffi::Py_DECREF(module);
                }
                !thunk::available()
            }
        }
    }

    fn replace_use(&self, new: Use) -> Use {
        replace(&mut *self.use_.lock().unwrap_or_else(PoisonError::into_inner), new)
    }

    /// Remembers what the load made.
    ///
    /// # Safety
    /// The interpreter is attached and `module` is an object.
    unsafe fn made(&self, module: *mut ffi::PyObject) {
        // SAFETY: the caller's promise.
        let reference = unsafe { ffi::PyWeakref_NewRef(module, ptr::null_mut()) };
        if reference.is_null() {
            // SAFETY: the caller's promise. Not every object can be referenced weakly.
            unsafe { ffi::PyErr_Clear() };
        } else {
            let before = self.replace_use(Use::Module(reference));
            if let Use::Module(before) = before {
                // SAFETY: the load owned it; without thunks modules share a load.
                unsafe { ffi::Py_DECREF(before) };
            }
        }
    }
}

/// A module that was made and whose exec slots have not run yet.
pub struct Created {
    load: &'static Load,
    definition: &'static HPyModuleDef,
    module: *mut ffi::PyObject,
}

/// Makes the module of an extension: a load, its context, which `wrap` may wrap in another, the module
/// object with its functions. If the extension makes the object itself, its create slot is called.
///
/// # Errors
/// An error means that a Python exception is set.
///
/// # Safety
/// The interpreter is attached; `definition` is the one of `extension`; `spec` is an object, and
/// `name` the full name of the module.
pub unsafe fn create(
    extension: &Extension,
    definition: NonNull<HPyModuleDef>,
    mode: Mode,
    wrap: Option<Wrap>,
    name: &str,
    spec: *mut ffi::PyObject,
) -> Result<Created, Raised> {
    // SAFETY: the caller's promise.
    let interpreter = unsafe { interpreter_id() };
    let identity = Identity { definition, name: name.to_owned(), mode, interpreter };
    // SAFETY: the caller's promise. Libraries are never closed, so their definitions live for ever;
    // a load and its context are never freed either.
    unsafe {
        let load = Load::obtain(extension.library(), identity, wrap);
        let ctx = load.context.get();
        let definition = definition.as_ref();
        extension.set_trampoline_context(load.trampoline_context());
        number_globals(load.library, definition);
        let module = module::create(ctx, definition, name, spec).map_err(|failure| {
            load.replace_use(Use::Free);
            failure.set();
            Raised
        })?;
        load.made(module);
        Ok(Created { load, definition, module })
    }
}

/// A Python exception is set.
#[derive(Debug)]
pub struct Raised;

impl Created {
    /// The module, or what the create slot returned instead. A new reference in all, for the caller
    /// to release.
    pub fn module(&self) -> *mut ffi::PyObject {
        self.module
    }

    /// Runs the exec slots in their order, up to the first that fails.
    ///
    /// # Errors
    /// An error means that a Python exception is set.
    ///
    /// # Safety
    /// The interpreter is attached and the module is still alive.
    pub unsafe fn execute(&self) -> Result<(), Raised> {
        // SAFETY: the caller's promise; the context is never freed.
        let done =
            unsafe { module::execute(self.load.context.get(), self.definition, self.module) };
        done.map_err(|failure| {
            // SAFETY: the caller's promise.
            unsafe { failure.set() };
            Raised
        })
    }
}
