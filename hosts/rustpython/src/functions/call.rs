//! Calling Python objects.

use core::slice;

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::builtins::{PyDict, PyStr, PyTuple, PyTupleRef};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::tuple::objects;
use crate::handles::{nullable, object};
use crate::upcall::outside;

/// `HPyCallable_Check`
pub(crate) fn Callable_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    h.is_callable()
}

/// `HPy_CallTupleDict`
pub(crate) fn CallTupleDict(
    vm: &VirtualMachine,
    callable: &PyObject,
    args: Option<&PyObject>,
    kw: Option<&PyObject>,
) -> PyResult {
    let args = match args {
        Some(args) => args.downcast_ref::<PyTuple>().map(|args| args.as_slice().to_vec()),
        None => Some(Vec::new()),
    };
    let args = args
        .ok_or_else(|| vm.new_type_error("HPy_CallTupleDict: args must be a tuple or HPy_NULL"))?;
    let mut keywords = KwArgs::default();
    if let Some(kw) = kw {
        let kw = kw
            .downcast_ref::<PyDict>()
            .ok_or_else(|| vm.new_type_error("HPy_CallTupleDict: kw must be a dict or HPy_NULL"))?;
        let mut items = Vec::new();
        for (key, value) in kw.items_vec() {
            let key = key
                .downcast_ref::<PyStr>()
                .ok_or_else(|| vm.new_type_error("keywords must be strings"))?;
            items.push((key.to_string_lossy().into_owned(), value));
        }
        keywords = items.into_iter().collect();
    }
    callable.call(FuncArgs::new(args, keywords), vm)
}

/// The names of keyword arguments.
fn names(vm: &VirtualMachine, kwnames: Option<&PyObject>, caller: &str) -> PyResult<Names> {
    let Some(kwnames) = kwnames else { return Ok(Names(None)) };
    let tuple = kwnames
        .to_owned()
        .downcast::<PyTuple>()
        .map_err(|_| vm.new_type_error(format!("{caller}: kwnames must be a tuple or HPy_NULL")))?;
    Ok(Names((!tuple.as_slice().is_empty()).then_some(tuple)))
}

struct Names(Option<PyTupleRef>);

impl Names {
    fn get(&self) -> Option<&[PyObjectRef]> {
        self.0.as_ref().map(|names| names.as_slice())
    }

    fn count(&self) -> usize {
        self.get().map_or(0, <[_]>::len)
    }
}

/// `HPy_Call`
pub(crate) unsafe extern "C" fn ctx_Call(
    _ctx: *mut HPyContext,
    callable: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    outside(|vm| {
        // SAFETY: the handles are open; there are `nargs` in the array and one more for each name.
        let (callable, names, args) = unsafe {
            let names = names(vm, nullable(kwnames), "HPy_Call")?;
            let args = objects(args, nargs + names.count());
            (object(callable), names, args)
        };
        callable.vectorcall(args, nargs, names.get(), vm)
    })
}

/// `HPy_CallMethod`
pub(crate) unsafe extern "C" fn ctx_CallMethod(
    _ctx: *mut HPyContext,
    name: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    outside(|vm| {
        if nargs == 0 {
            let message = "HPy_CallMethod: args[0] must be the receiver, but nargs is 0";
            return Err(vm.new_type_error(message));
        }
        // SAFETY: as for a call; there is a receiver.
        let (receiver, name, names, args) = unsafe {
            let names = names(vm, nullable(kwnames), "HPy_CallMethod")?;
            let args = slice::from_raw_parts(args, nargs + names.count());
            (object(args[0]), object(name), names, &args[1..])
        };
        let name = name.downcast_ref::<PyStr>().ok_or_else(|| {
            vm.new_type_error("HPy_CallMethod: the name of the method must be a str")
        })?;
        let method = receiver.get_attr(name, vm)?;
        // SAFETY: as above.
        let args = unsafe { objects(args.as_ptr(), args.len()) };
        method.vectorcall(args, nargs - 1, names.get(), vm)
    })
}
