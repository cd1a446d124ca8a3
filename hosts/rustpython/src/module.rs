//! Modules from their definitions.
//!
//! The unsafe code is sound because a definition is static data of a library that is never closed, and its functions have the
//! types that their slots say.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext, HPyFunc_INQUIRY, HPyFunc_MOD_CREATE, HPyModuleDef};
use hpy_host::ModulePlan;
use rustpython_vm::builtins::PyModule;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use crate::downcall::{Target, call, returned, status};
use crate::functions::unicode::decode;
use crate::handles::Borrowed;
use crate::lock;
use crate::methods::{Function, Method};
use crate::upcall::nullable_text;

/// Refuses a module with functions of the Python/C API, before anything of it runs.
pub(crate) fn refuse_legacy(
    definition: &HPyModuleDef,
    name: &str,
    vm: &VirtualMachine,
) -> PyResult<()> {
    if definition.legacy_methods.is_null() {
        return Ok(());
    }
    let message = format!(
        "Cannot load the HPy extension module '{name}': it has legacy methods, which are written with the \
         Python/C API, and RustPython has none. Port them to HPy and rebuild the extension \
         (--hpy-abi=universal)."
    );
    Err(vm.new_import_error(message, vm.ctx.new_utf8_str(name).into_wtf8()))
}

/// The module object, or what the create slot makes instead.
///
/// # Safety
/// The context belongs to a load of this definition.
pub(crate) unsafe fn create(
    ctx: *mut HPyContext,
    definition: &HPyModuleDef,
    name: &str,
    spec: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    // SAFETY: the caller's promise.
    unsafe {
        let plan = ModulePlan::read(definition).map_err(|message| vm.new_system_error(message))?;
        if let Some(slot) = plan.create {
            return call_create(ctx, slot, spec, vm);
        }
        let doc = nullable_text(definition.doc).map(|doc| decode(vm, doc)).transpose()?;
        let module = vm.new_module(name, vm.ctx.new_dict(), doc);
        for meth in plan.methods {
            let method = Method::obtain(ctx, meth, vm)?;
            let function = Function::of_module(method, &module, vm);
            module.set_attr(vm.ctx.intern_str(method.name), function, vm)?;
        }
        Ok(module.into())
    }
}

/// # Safety
/// `slot` belongs to the extension that the context was made for.
unsafe fn call_create(
    ctx: *mut HPyContext,
    slot: unsafe extern "C" fn(),
    spec: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    // SAFETY: the caller's promise; functions in this slot have that prototype, and return a new handle.
    let made = unsafe {
        let Some(target) = Target::new(ctx, HPyFunc_MOD_CREATE, Some(slot)) else {
            return Err(vm.new_system_error("HPy_mod_create has no function"));
        };
        lock::enter(vm, || {
            let spec = Borrowed::new(spec);
            returned(vm, call!(target(spec.get() => HPy) -> HPy))
        })?
    };
    if made.downcastable::<PyModule>() {
        return Err(vm.new_system_error(
            "HPy_mod_create slot returned a builtin module object. This is currently not supported.",
        ));
    }
    Ok(made)
}

/// Runs the exec slots in their order, up to the first that fails.
///
/// # Safety
/// The context belongs to a load of this definition that made `module`.
pub(crate) unsafe fn execute(
    ctx: *mut HPyContext,
    definition: &HPyModuleDef,
    module: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    // SAFETY: the caller's promise; functions in this slot have that prototype.
    unsafe {
        let plan = ModulePlan::read(definition).map_err(|message| vm.new_system_error(message))?;
        for slot in plan.exec {
            let Some(target) = Target::new(ctx, HPyFunc_INQUIRY, Some(slot)) else { continue };
            lock::enter(vm, || {
                let module = Borrowed::new(module);
                // Whatever is not 0 is a failure here.
                let result = call!(target(module.get() => HPy) -> c_int);
                status(vm, -c_int::from(result != 0))
            })?;
        }
    }
    Ok(())
}
