//! Modules from their definitions.
//!
//! The unsafe code is sound because a definition is static data of a library that is never closed,
//! and its functions have the types that their slots say.

use core::ffi::{c_int, c_void};
use core::mem::transmute;

use hpy_abi::{HPy, HPyContext, HPyFunc_INQUIRY, HPyFunc_MOD_CREATE, HPyModuleDef};
use hpy_host::ModulePlan;

use crate::error::Failure;
use crate::handle::{hpy, py};
use crate::layout::ffi;
use crate::load::Load;
use crate::methods::{intern_methods, method_def};

type CreateSlot = unsafe extern "C" fn(first: *const c_void, spec: HPy) -> HPy;
type ExecSlot = unsafe extern "C" fn(first: *const c_void, module: HPy) -> c_int;

/// The module object, or what the create slot makes instead. The caller owns it.
///
/// # Safety
/// The interpreter is attached; the context belongs to a load of this definition.
pub(crate) unsafe fn create(
    ctx: *mut HPyContext,
    definition: &HPyModuleDef,
    name: &str,
    spec: *mut ffi::PyObject,
) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: the caller's promise.
    unsafe {
        let plan = ModulePlan::read(definition).map_err(Failure::System)?;
        if let Some(slot) = plan.create {
            return call_create(ctx, slot, spec);
        }
        let methods: Result<_, _> = plan.methods.iter().map(|meth| method_def(ctx, meth)).collect();
        new_module(definition, methods?, name)
    }
}

/// Runs the exec slots in their order, up to the first that fails.
///
/// # Safety
/// The interpreter is attached; the context belongs to a load of this definition that made `module`.
pub(crate) unsafe fn execute(
    ctx: *mut HPyContext,
    definition: &HPyModuleDef,
    module: *mut ffi::PyObject,
) -> Result<(), Failure> {
    // SAFETY: the caller's promise; functions in this slot have that prototype.
    unsafe {
        for slot in ModulePlan::read(definition).map_err(Failure::System)?.exec {
            let entry = Load::of(ctx).entry(HPyFunc_INQUIRY, slot);
            let call = transmute::<unsafe extern "C" fn(), ExecSlot>(entry.target);
            let status = call(entry.first, hpy(module));
            // An exception counts even if the slot forgets to say that it failed.
            if status != 0 || !ffi::PyErr_Occurred().is_null() {
                return Err(failed("HPy_mod_exec"));
            }
        }
    }
    Ok(())
}

/// # Safety
/// The interpreter is attached; `slot` belongs to the extension that the context was made for.
unsafe fn call_create(
    ctx: *mut HPyContext,
    slot: unsafe extern "C" fn(),
    spec: *mut ffi::PyObject,
) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: the caller's promise; functions in this slot have that prototype, and return a new handle.
    unsafe {
        let entry = Load::of(ctx).entry(HPyFunc_MOD_CREATE, slot);
        let call = transmute::<unsafe extern "C" fn(), CreateSlot>(entry.target);
        let made = py(call(entry.first, hpy(spec)));
        let failure = if made.is_null() || !ffi::PyErr_Occurred().is_null() {
            failed("HPy_mod_create")
        } else if ffi::PyModule_Check(made) != 0 {
            Failure::System(
                "HPy_mod_create slot returned a builtin module object. This is currently not \
                 supported."
                    .to_owned(),
            )
        } else {
            return Ok(made);
        };
        ffi::Py_XDECREF(made);
        Err(failure)
    }
}

/// What a slot left behind that failed: its exception, or ours if it set none.
///
/// # Safety
/// The interpreter is attached.
unsafe fn failed(slot: &str) -> Failure {
    // SAFETY: the caller's promise.
    if !unsafe { ffi::PyErr_Occurred() }.is_null() {
        return Failure::Raised;
    }
    Failure::System(format!(
        "{slot} slot failed without an exception: call an HPyErr_… function before it returns"
    ))
}

/// # Safety
/// The interpreter is attached; the functions in `methods` can be called with a module.
unsafe fn new_module(
    definition: &HPyModuleDef,
    methods: Vec<ffi::PyMethodDef>,
    name: &str,
) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: the caller's promise. Method tables, interned or static in the extension, live for ever.
    unsafe {
        let name = ffi::PyUnicode_FromStringAndSize(name.as_ptr().cast(), name.len() as isize);
        if name.is_null() {
            return Err(Failure::Raised);
        }
        let module = ffi::PyModule_NewObject(name);
        ffi::Py_DECREF(name);
        if module.is_null() {
            return Err(Failure::Raised);
        }
        let legacy = definition.legacy_methods.cast::<ffi::PyMethodDef>();
        let filled = add_functions(module, intern_methods(methods))
            && add_functions(module, legacy)
            && (definition.doc.is_null()
                || ffi::PyModule_SetDocString(module, definition.doc) == 0);
        if !filled {
            ffi::Py_DECREF(module);
            return Err(Failure::Raised);
        }
        Ok(module)
    }
}

/// # Safety
/// `table` is null or a method table that lives for ever.
unsafe fn add_functions(module: *mut ffi::PyObject, table: *mut ffi::PyMethodDef) -> bool {
    // SAFETY: the caller's promise.
    table.is_null() || unsafe { ffi::PyModule_AddFunctions(module, table) } == 0
}
