//! Loads: what an extension gets each time it is loaded, with a context of its own.
//!
//! # Soundness
//!
//! Loads are never freed, because functions and types may outlive the module. A load whose module has died is used again by the next
//! load of the same module under the same name, so that loading a module ten thousand times costs the memory of one.

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

use hpy_abi::{HPy, HPyContext, HPyFunc_Signature, HPyModuleDef};
use hpy_host::{Entry, Extension, Mode, Wrap, Wrapped, Wrapper, number_globals};
use parking_lot::Mutex;
use rustpython_vm::builtins::PyWeak;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine};

use crate::functions::Capsule;
use crate::generated::context::template;
use crate::global::Values;
use crate::host::RustPython;
use crate::{handles, lock, module};

/// One load of one module.
pub(crate) struct Load {
    /// What the extension sees; its `_private` points back to the load.
    context: UnsafeCell<HPyContext>,
    /// Which library the module is in.
    pub(crate) library: usize,
    /// What wraps the context, in debug and trace mode.
    wrapper: Option<&'static dyn Wrapper>,
    /// The values of the library's globals, by number.
    pub(crate) globals: Values,
    identity: Identity,
    use_: Mutex<Use>,
}

/// Whether a load can be used again.
enum Use {
    /// Nothing came out of the last use.
    Free,
    /// Its module is being made, or what was made cannot be referenced weakly.
    Taken,
    /// It made what this leads to.
    Module(PyRef<PyWeak>),
}

/// What makes two loads the same, if they are not there at the same time.
#[derive(PartialEq, Eq)]
struct Identity {
    definition: NonNull<HPyModuleDef>,
    name: String,
    mode: Mode,
}

// SAFETY: the context is used by threads that hold the host's lock; definitions are never written to.
unsafe impl Sync for Load {}

static LOADS: Mutex<Vec<&'static Load>> = Mutex::new(Vec::new());

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
    fn obtain(
        vm: &VirtualMachine,
        library: usize,
        identity: Identity,
        wrap: Option<Wrap>,
    ) -> &'static Self {
        let mut loads = LOADS.lock();
        let found = loads.iter().copied().find(|load| load.identity == identity && load.take());
        found.unwrap_or_else(|| {
            let load = Self::new(vm, library, identity, wrap);
            loads.push(load);
            load
        })
    }

    fn new(
        vm: &VirtualMachine,
        library: usize,
        identity: Identity,
        wrap: Option<Wrap>,
    ) -> &'static Self {
        let load = Box::leak(Box::new(Self {
            context: UnsafeCell::new(template(|name| constant(vm, name))),
            library,
            wrapper: None,
            globals: Values::default(),
            identity,
            use_: Mutex::new(Use::Taken),
        }));
        let private = ptr::from_mut(load).cast();
        load.context.get_mut()._private = private;
        // SAFETY: the context is complete, and never freed; nor is the definition.
        load.wrapper = wrap.map(|wrap| unsafe {
            let definition = load.identity.definition.as_ref();
            let name = load.identity.name.as_str();
            wrap(Wrapped { context: load.context.get(), definition, name, host: &RustPython })
        });
        load
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

    /// Takes the load if nothing uses it.
    fn take(&self) -> bool {
        let mut use_ = self.use_.lock();
        let free = match &*use_ {
            Use::Free => true,
            Use::Taken => false,
            Use::Module(module) => module.upgrade().is_none(),
        };
        if free {
            *use_ = Use::Taken;
        }
        free
    }

    /// Remembers what the load made.
    fn made(&self, module: &PyObject, vm: &VirtualMachine) {
        // Not every object can be referenced weakly.
        if let Ok(reference) = module.downgrade(None, vm) {
            *self.use_.lock() = Use::Module(reference);
        }
    }
}

/// The handle of what Python calls by this name; it stays open for ever.
fn constant(vm: &VirtualMachine, name: &str) -> HPy {
    let object: PyObjectRef = match name {
        "builtins.__dict__" => vm.builtins.dict().into(),
        "PyCapsule" => Capsule::type_object().to_owned().into(),
        "None" => vm.ctx.none(),
        "True" => vm.ctx.new_bool(true).into(),
        "False" => vm.ctx.new_bool(false).into(),
        name => vm
            .builtins
            .get_attr(vm.ctx.intern_str(name), vm)
            .unwrap_or_else(|_| crate::error::fatal(&format!("this Python has no builtin {name}"))),
    };
    handles::new(object)
}

/// A module that was made and whose exec slots have not run yet.
pub struct Created {
    load: &'static Load,
    definition: &'static HPyModuleDef,
    module: PyObjectRef,
}

/// Makes the module of an extension: a load, its context, which `wrap` may wrap in another, the module object with its functions. If
/// the extension makes the object itself, its create slot is called with `spec`.
///
/// # Errors
/// What the definition has that cannot be, and what a create slot raises.
///
/// # Safety
/// `definition` is the one of `extension`.
pub unsafe fn create(
    extension: &Extension,
    definition: NonNull<HPyModuleDef>,
    mode: Mode,
    wrap: Option<Wrap>,
    name: &str,
    spec: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<Created> {
    // SAFETY: libraries are never closed, so their definitions live for ever.
    let definition_ref: &'static HPyModuleDef = unsafe { definition.as_ref() };
    module::refuse_legacy(definition_ref, name, vm)?;
    let identity = Identity { definition, name: name.to_owned(), mode };
    let load = lock::enter(vm, || Load::obtain(vm, extension.library(), identity, wrap));
    // SAFETY: a load and its context are never freed.
    let made = unsafe {
        number_globals(load.library, definition_ref);
        module::create(load.context.get(), definition_ref, name, spec, vm)
    };
    match made {
        Ok(module) => {
            load.made(&module, vm);
            Ok(Created { load, definition: definition_ref, module })
        }
        Err(exception) => {
            *load.use_.lock() = Use::Free;
            Err(exception)
        }
    }
}

impl Created {
    /// The module, or what the create slot returned instead.
    pub fn module(&self) -> &PyObject {
        self.module.as_object()
    }

    /// Runs the exec slots in their order, up to the first that fails.
    ///
    /// # Errors
    /// What an exec slot raises.
    pub fn execute(&self, vm: &VirtualMachine) -> PyResult<()> {
        // SAFETY: the context is never freed.
        unsafe { module::execute(self.load.context.get(), self.definition, &self.module, vm) }
    }
}
