//! The call protocol: instances that are called through a function of their own, or their type's.

use core::ffi::c_int;

use hpy_abi::*;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::instance::{Struct, with_struct};
use super::record;
use crate::downcall::Target;
use crate::handles::object;
use crate::methods::{flattened, keywords};
use crate::upcall::inside;

/// What an instance is called through.
fn target(callable: &PyObject, vm: &VirtualMachine) -> PyResult<Target> {
    let own = |own: &Struct| {
        let Some((offset, ctx)) = own.record.call_place else {
            return own.call.get().or(own.record.call);
        };
        // SAFETY: the author keeps a `HPyCallFunction` there, all zeros or valid; the context is that of the type.
        unsafe {
            let place = own.data().byte_offset(offset).cast::<HPyCallFunction>();
            Target::new(ctx as *mut HPyContext, HPyFunc_KEYWORDS, (*place).impl_)
        }
    };
    let own = with_struct(callable, own).flatten();
    let target = own.or_else(|| record::find(callable.class())?.call);
    target.ok_or_else(|| {
        vm.new_type_error(format!("'{}' object is not callable", callable.class().name()))
    })
}

/// `tp_call`
pub(super) fn call(callable: &PyObject, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let target = target(callable, vm)?;
    let (args, nargs, names) = flattened(args, vm);
    // SAFETY: call functions have this signature.
    unsafe { keywords(target, callable, &args, nargs, &names, vm) }
}

/// The same for arguments as the interpreter has them.
pub(super) fn vectorcall(
    callable: &PyObject,
    args: Vec<PyObjectRef>,
    nargs: usize,
    kwnames: Option<&[PyObjectRef]>,
    vm: &VirtualMachine,
) -> PyResult {
    let target = target(callable, vm)?;
    // SAFETY: call functions have this signature.
    unsafe { keywords(target, callable, &args, nargs, kwnames.unwrap_or_default(), vm) }
}

/// `HPy_SetCallFunction`
pub(crate) unsafe extern "C" fn ctx_SetCallFunction(
    ctx: *mut HPyContext,
    h: HPy,
    func: *mut HPyCallFunction,
) -> c_int {
    inside(|vm| {
        // SAFETY: the handle is open, and the definition valid.
        let (callable, author) = unsafe { (object(h), (*func).impl_) };
        let can = record::find(callable.class()).is_some_and(|record| record.callable);
        if !can {
            let name = callable.class().name().to_string();
            return Err(vm.new_type_error(format!(
                "HPy_SetCallFunction: '{name}' objects have no call function; define HPy_tp_call"
            )));
        }
        // SAFETY: the extension's own context.
        let target = unsafe { Target::new(ctx, HPyFunc_KEYWORDS, author) };
        with_struct(callable, |own| match own.record.call_place {
            // SAFETY: the author keeps a `HPyCallFunction` there.
            Some((offset, _)) => unsafe {
                own.data().byte_offset(offset).cast::<HPyCallFunction>().copy_from(func, 1);
            },
            None => own.call.set(target),
        });
        Ok(())
    })
}
