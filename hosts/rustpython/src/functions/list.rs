//! `list`.

use rustpython_vm::builtins::PyList;
use rustpython_vm::{Py, PyObject, PyResult, VirtualMachine};

fn list<'a>(vm: &VirtualMachine, h: &'a PyObject) -> PyResult<&'a Py<PyList>> {
    h.downcast_ref::<PyList>()
        .ok_or_else(|| vm.new_system_error("a list is needed here; the object is none"))
}

/// `HPyList_Check`
pub(crate) fn List_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.downcastable::<PyList>()
}

/// `HPyList_New`
///
/// An item that is not set yet is `None`: RustPython has no lists with empty places.
pub(crate) fn List_New(vm: &VirtualMachine, len: isize) -> PyResult {
    let len = usize::try_from(len)
        .map_err(|_| vm.new_system_error("HPyList_New: the length is negative"))?;
    let mut items = Vec::new();
    items.try_reserve_exact(len).map_err(|_| vm.no_memory_error())?;
    items.resize(len, vm.ctx.none());
    Ok(vm.ctx.new_list(items).into())
}

/// `HPyList_Append`
pub(crate) fn List_Append(
    vm: &VirtualMachine,
    h_list: &PyObject,
    h_item: &PyObject,
) -> PyResult<()> {
    list(vm, h_list)?.borrow_vec_mut().push(h_item.to_owned());
    Ok(())
}

/// `HPyList_Insert`
pub(crate) fn List_Insert(
    vm: &VirtualMachine,
    h_list: &PyObject,
    index: isize,
    h_item: &PyObject,
) -> PyResult<()> {
    let mut items = list(vm, h_list)?.borrow_vec_mut();
    let length = items.len() as isize;
    let index = if index < 0 { (index + length).max(0) } else { index.min(length) };
    items.insert(index as usize, h_item.to_owned());
    Ok(())
}
