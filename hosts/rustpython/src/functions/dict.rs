//! `dict`.

use rustpython_vm::builtins::PyDict;
use rustpython_vm::{Py, PyObject, PyPayload, PyResult, VirtualMachine};

fn dict<'a>(vm: &VirtualMachine, h: Option<&'a PyObject>) -> PyResult<&'a Py<PyDict>> {
    h.and_then(|h| h.downcast_ref::<PyDict>())
        .ok_or_else(|| vm.new_system_error("a dict is needed here; the object is none"))
}

/// `HPyDict_Check`
pub(crate) fn Dict_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.downcastable::<PyDict>()
}

/// `HPyDict_New`
pub(crate) fn Dict_New(vm: &VirtualMachine) -> PyResult {
    Ok(vm.ctx.new_dict().into())
}

/// `HPyDict_Keys`
pub(crate) fn Dict_Keys(vm: &VirtualMachine, h: Option<&PyObject>) -> PyResult {
    Ok(vm.ctx.new_list(dict(vm, h)?.keys_vec()).into())
}

/// `HPyDict_Copy`
pub(crate) fn Dict_Copy(vm: &VirtualMachine, h: Option<&PyObject>) -> PyResult {
    Ok(dict(vm, h)?.copy().into_pyobject(vm))
}
