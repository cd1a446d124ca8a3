//! Questions about types.

use core::ffi::c_char;

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::builtins::PyType;
use rustpython_vm::{AsObject, PyObject, VirtualMachine};

use crate::handles::{object, text};
use crate::upcall::inside;

/// `HPyType_IsSubtype`
pub(crate) fn Type_IsSubtype(_vm: &VirtualMachine, sub: &PyObject, class: &PyObject) -> bool {
    match (sub.downcast_ref::<PyType>(), class.downcast_ref::<PyType>()) {
        (Some(sub), Some(class)) => sub.fast_issubclass(class.as_object()),
        _ => false,
    }
}

/// `HPyType_GetName`
///
/// The handle keeps the text.
pub(crate) unsafe extern "C" fn ctx_Type_GetName(
    _ctx: *mut HPyContext,
    r#type: HPy,
) -> *const c_char {
    inside(|vm| {
        // SAFETY: the handle is open.
        let class = unsafe { object(r#type) }.downcast_ref::<PyType>();
        let class = class.ok_or_else(|| vm.new_type_error("HPyType_GetName needs a type"))?;
        Ok(text(r#type, class.name().as_bytes()))
    })
}
