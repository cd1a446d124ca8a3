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
        let n = usize::try_from(n)
            .map_err(|_| vm.new_system_error("HPyTuple_FromArray: the length is negative"))?;
        let mut objects = Vec::new();
        objects.try_reserve_exact(n).map_err(|_| vm.no_memory_error())?;
        // SAFETY: there are `n` open handles.
        objects.extend((0..n).map(|at| unsafe { object(*items.add(at)).to_owned() }));
        Ok(PyObjectRef::from(vm.ctx.new_tuple(objects)))
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
