//! `bytes`.

use core::ffi::{CStr, c_char};
use core::slice;

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::builtins::PyBytes;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::handles::{object, text};
use crate::upcall::inside;

/// No object can be larger.
const LONGEST: usize = isize::MAX as usize - 64;

fn bytes<'a>(vm: &VirtualMachine, h: &'a PyObject) -> PyResult<&'a Py<PyBytes>> {
    h.downcast_ref::<PyBytes>().ok_or_else(|| {
        let class = h.class().name().to_string();
        vm.new_type_error(format!("expected bytes, {class} found"))
    })
}

/// `HPyBytes_Check`
pub(crate) fn Bytes_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.downcastable::<PyBytes>()
}

/// `HPyBytes_Size`
pub(crate) fn Bytes_Size(vm: &VirtualMachine, h: &PyObject) -> PyResult<isize> {
    bytes(vm, h).map(|bytes| bytes.as_bytes().len() as isize)
}

/// `HPyBytes_GET_SIZE`
pub(crate) fn Bytes_GET_SIZE(vm: &VirtualMachine, h: &PyObject) -> PyResult<isize> {
    Bytes_Size(vm, h)
}

/// `HPyBytes_FromString`
pub(crate) fn Bytes_FromString(vm: &VirtualMachine, bytes: &CStr) -> PyResult {
    Ok(vm.ctx.new_bytes(bytes.to_bytes().to_vec()).into())
}

/// `HPyBytes_AsString`
///
/// RustPython keeps no 0 behind the bytes, so the handle keeps a copy.
pub(crate) unsafe extern "C" fn ctx_Bytes_AsString(_ctx: *mut HPyContext, h: HPy) -> *const c_char {
    // SAFETY: the handle is open.
    inside(|vm| Ok(text(h, bytes(vm, unsafe { object(h) })?.as_bytes())))
}

/// `HPyBytes_AS_STRING`
pub(crate) unsafe extern "C" fn ctx_Bytes_AS_STRING(ctx: *mut HPyContext, h: HPy) -> *const c_char {
    // SAFETY: as for the function that checks.
    unsafe { ctx_Bytes_AsString(ctx, h) }
}

/// `HPyBytes_FromStringAndSize`
pub(crate) unsafe extern "C" fn ctx_Bytes_FromStringAndSize(
    _ctx: *mut HPyContext,
    bytes: *const c_char,
    len: isize,
) -> HPy {
    inside(|vm| {
        if bytes.is_null() {
            let message = "NULL char * passed to HPyBytes_FromStringAndSize";
            return Err(vm.new_value_error(message));
        }
        let len = usize::try_from(len).map_err(|_| {
            vm.new_system_error("Negative size passed to HPyBytes_FromStringAndSize")
        })?;
        if len > LONGEST {
            return Err(vm.new_overflow_error("byte string is too large"));
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(len).map_err(|_| vm.no_memory_error())?;
        // SAFETY: the pointer leads to that many bytes.
        copy.extend_from_slice(unsafe { slice::from_raw_parts(bytes.cast::<u8>(), len) });
        Ok(PyObjectRef::from(vm.ctx.new_bytes(copy)))
    })
}
