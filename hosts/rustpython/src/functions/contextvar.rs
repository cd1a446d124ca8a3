//! Context variables: those of the module `contextvars`.

use core::ffi::CStr;

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::unicode::decode;
use crate::handles::{self, nullable, object};
use crate::upcall::outside;

/// `HPyContextVar_New`
pub(crate) fn ContextVar_New(
    vm: &VirtualMachine,
    name: &CStr,
    default_value: Option<&PyObject>,
) -> PyResult {
    let class = vm.import("contextvars", 0)?.get_attr("ContextVar", vm)?;
    let default = default_value.map(|value| ("default".to_owned(), value.to_owned()));
    let args =
        FuncArgs::new(vec![decode(vm, name)?.into()], default.into_iter().collect::<KwArgs>());
    class.call(args, vm)
}

fn check(vm: &VirtualMachine, variable: &PyObject) -> PyResult<()> {
    let class = vm.import("contextvars", 0)?.get_attr("ContextVar", vm)?;
    if variable.class().is(&class) {
        return Ok(());
    }
    Err(vm.new_type_error("an instance of ContextVar was expected"))
}

/// `HPyContextVar_Set`
pub(crate) fn ContextVar_Set(
    vm: &VirtualMachine,
    context_var: &PyObject,
    value: &PyObject,
) -> PyResult {
    check(vm, context_var)?;
    vm.call_method(context_var, "set", (value.to_owned(),))
}

/// The variable's value, or else `default`, or else the variable's own default, or none.
fn get(
    vm: &VirtualMachine,
    variable: &PyObject,
    default: Option<&PyObject>,
) -> PyResult<Option<PyObjectRef>> {
    check(vm, variable)?;
    let args = default.map(ToOwned::to_owned).into_iter().collect::<Vec<_>>();
    match vm.call_method(variable, "get", FuncArgs::from(args)) {
        Ok(value) => Ok(Some(value)),
        Err(exception) if exception.fast_isinstance(vm.ctx.exceptions.lookup_error) => Ok(None),
        Err(exception) => Err(exception),
    }
}

/// `HPyContextVar_Get`
pub(crate) unsafe extern "C" fn ctx_ContextVar_Get(
    _ctx: *mut HPyContext,
    context_var: HPy,
    default_value: HPy,
    result: *mut HPy,
) -> i32 {
    // SAFETY: the result is a place for a handle.
    unsafe { result.write(HPy::NULL) };
    let mut found = None;
    let status = outside(|vm| {
        // SAFETY: the handles are open; the default may be null.
        let (variable, default) = unsafe { (object(context_var), nullable(default_value)) };
        found = get(vm, variable, default)?;
        Ok(())
    });
    // SAFETY: as above; the lock is held again.
    unsafe { result.write(handles::new_or_null(found)) };
    status
}
