//! `bool`.

use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

/// `HPyBool_FromBool`
pub(crate) fn Bool_FromBool(vm: &VirtualMachine, v: bool) -> PyResult<PyObjectRef> {
    Ok(vm.ctx.new_bool(v).into())
}
