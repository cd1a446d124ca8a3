//! Handles themselves: duplicate, close, compare, convert, show.

use std::io::Write;

use hpy_abi::{HPy, HPyContext, cpy_PyObject};
use rustpython_vm::{AsObject, PyObject, VirtualMachine};

use crate::handles::{self, nullable, object};
use crate::lock;

/// `HPy_Dup`
pub(crate) unsafe extern "C" fn ctx_Dup(_ctx: *mut HPyContext, h: HPy) -> HPy {
    // SAFETY: the handle is open or null.
    unsafe { nullable(h) }.map_or(HPy::NULL, |object| handles::new(object.to_owned()))
}

/// `HPy_Close`
pub(crate) unsafe extern "C" fn ctx_Close(_ctx: *mut HPyContext, h: HPy) {
    if h.is_null() {
        return;
    }
    let object = handles::take(h);
    if object.strong_count() > 1 {
        drop(object);
    } else {
        // What it takes along may be Python code.
        lock::outside(|_| drop(object));
    }
}

/// `HPy_Is`
pub(crate) fn Is(_vm: &VirtualMachine, obj: Option<&PyObject>, other: Option<&PyObject>) -> bool {
    match (obj, other) {
        (Some(obj), Some(other)) => obj.is(other),
        (obj, other) => obj.is_none() && other.is_none(),
    }
}

/// `HPy_FromPyObject`
///
/// No extension has such an object here, because there is no Python/C API: it is RustPython's own, for who looks closer than extensions may.
pub(crate) unsafe extern "C" fn ctx_FromPyObject(
    _ctx: *mut HPyContext,
    obj: *mut cpy_PyObject,
) -> HPy {
    // SAFETY: null or an object that the caller has a reference to.
    let object = unsafe { obj.cast::<PyObject>().as_ref() };
    handles::new_or_null(object.map(ToOwned::to_owned))
}

/// `HPy_AsPyObject`
pub(crate) unsafe extern "C" fn ctx_AsPyObject(_ctx: *mut HPyContext, h: HPy) -> *mut cpy_PyObject {
    // SAFETY: the handle is open or null.
    let object = unsafe { nullable(h) };
    object.map_or(core::ptr::null_mut(), |object| object.to_owned().into_raw().as_ptr().cast())
}

/// `_HPy_Dump`
///
/// Meant for debuggers, so it leaves the current exception alone.
pub(crate) unsafe extern "C" fn ctx_Dump(_ctx: *mut HPyContext, h: HPy) {
    if h.is_null() {
        print("HPy_NULL\n");
        return;
    }
    // SAFETY: the handle is open.
    let object = unsafe { object(h) };
    lock::outside(|vm| {
        let repr = object.repr(vm);
        print(&format!(
            "object address  : {:p}\n\
             object refcount : {}\n\
             object type     : {:p}\n\
             object type name: {}\n\
             object repr     : {}\n",
            object,
            object.strong_count(),
            object.class(),
            object.class().name(),
            repr.as_ref().map_or("(its repr raises an exception)".into(), |r| r.to_string_lossy()),
        ));
    });
}

fn print(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
