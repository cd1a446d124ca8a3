//! `float`.

use rustpython_vm::builtins::PyFloat;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

/// `HPyFloat_FromDouble`
pub(crate) fn Float_FromDouble(vm: &VirtualMachine, v: f64) -> PyResult<PyObjectRef> {
    Ok(vm.ctx.new_float(v).into())
}

/// `HPyFloat_AsDouble`
pub(crate) fn Float_AsDouble(vm: &VirtualMachine, h: &PyObject) -> PyResult<f64> {
    match h.downcast_ref::<PyFloat>() {
        Some(float) => Ok(float.to_f64()),
        None => h.try_float(vm).map(|float| float.to_f64()),
    }
}
