//! `tuple`.

use core::slice;

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::builtins::PyTuple;
use rustpython_vm::{PyObject, PyObjectRef, VirtualMachine};

use crate::handles::object;
use crate::upcall::inside;

/// `HPyTuple_Check`
pub(crate) fn Tuple_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.downcastable::<PyTuple>()
}

/// `HPyTuple_FromArray`
pub(crate) unsafe extern "C" fn ctx_Tuple_FromArray(
    _ctx: *mut HPyContext,
    items: *const HPy,
    n: isize,
) -> HPy {
    inside(|vm| {
        // SAFETY: there are `n` open handles.
        let items = unsafe { objects(items, n as usize) };
        Ok(PyObjectRef::from(vm.ctx.new_tuple(items)))
    })
}

/// New references to the objects behind an array of handles.
///
/// # Safety
/// There are `n` open handles; the pointer may be null if there are none.
pub(super) unsafe fn objects(handles: *const HPy, n: usize) -> Vec<PyObjectRef> {
    if n == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(handles, n).iter().map(|&h| object(h).to_owned()).collect() }
}
