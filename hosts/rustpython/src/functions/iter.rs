//! Iteration.

use rustpython_vm::protocol::{PyIter, PyIterReturn};
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

/// `HPy_GetIter`
pub(crate) fn GetIter(vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    obj.get_iter(vm).map(PyObjectRef::from)
}

/// `HPyIter_Next`: null without an exception is the end.
pub(crate) fn Iter_Next(vm: &VirtualMachine, obj: &PyObject) -> PyResult<Option<PyObjectRef>> {
    if !PyIter::check(obj) {
        let class = obj.class().name().to_string();
        return Err(vm.new_type_error(format!("'{class}' object is not an iterator")));
    }
    match PyIter::new(obj.to_owned()).next(vm)? {
        PyIterReturn::Return(item) => Ok(Some(item)),
        PyIterReturn::StopIteration(_) => Ok(None),
    }
}

/// `HPyIter_Check`
pub(crate) fn Iter_Check(_vm: &VirtualMachine, obj: &PyObject) -> bool {
    PyIter::check(obj)
}
