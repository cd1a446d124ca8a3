//! The parameters of `HPyType_FromSpec`: bases and metaclass.

use hpy_abi::*;
use rustpython_vm::builtins::{PyTuple, PyType, PyTypeRef};
use rustpython_vm::{AsObject, PyObject, PyResult, VirtualMachine};

use crate::handles::object;

/// What the parameters say, checked.
pub(crate) struct Params {
    /// The bases; at least one.
    pub(crate) bases: Vec<PyTypeRef>,
    /// The metaclass; `type` by default.
    pub(crate) metaclass: PyTypeRef,
}

/// The entries of a parameter array, ended by kind 0.
unsafe fn entries(params: *const HPyType_SpecParam) -> impl Iterator<Item = HPyType_SpecParam> {
    let mut next = params;
    core::iter::from_fn(move || {
        // SAFETY: null, or an array that goes on until an entry of kind 0.
        let entry = unsafe { next.as_ref() }?;
        next = next.wrapping_add(1);
        (entry.kind != HPyType_SpecParam_End).then_some(*entry)
    })
}

/// Reads the parameters.
///
/// # Safety
/// `params` is null or an array ended by kind 0.
pub(crate) unsafe fn read(
    params: *const HPyType_SpecParam,
    vm: &VirtualMachine,
) -> PyResult<Params> {
    let error = |message: &str| Err(vm.new_type_error(format!("HPyType_FromSpec: {message}")));
    let mut single = Vec::new();
    let mut tuple = None;
    let mut metaclass = None;
    // SAFETY: the caller's promise; the handles are open.
    for entry in unsafe { entries(params) } {
        // SAFETY: as above.
        let object = unsafe { object(entry.object) };
        match entry.kind {
            HPyType_SpecParam_Base => single.push(object.to_owned()),
            HPyType_SpecParam_BasesTuple => {
                let Some(bases) = object.downcast_ref::<PyTuple>() else {
                    return error("HPyType_SpecParam_BasesTuple needs a tuple");
                };
                if tuple.replace(bases.as_slice().to_vec()).is_some() {
                    return error("HPyType_SpecParam_BasesTuple is given more than once");
                }
            }
            HPyType_SpecParam_Metaclass => {
                if metaclass.replace(object).is_some() {
                    return Err(vm.new_value_error(
                        "HPyType_FromSpec: HPyType_SpecParam_Metaclass is given more than once",
                    ));
                }
            }
            HPyType_SpecParam_Kind(other) => {
                return error(&format!("unknown kind {other} of HPyType_SpecParam"));
            }
        }
    }
    if tuple.is_some() && !single.is_empty() {
        return error("give HPyType_SpecParam_Base or HPyType_SpecParam_BasesTuple, not both");
    }
    let mut bases = Vec::new();
    for (at, base) in tuple.unwrap_or(single).into_iter().enumerate() {
        match base.downcast::<PyType>() {
            Ok(base) => bases.push(base),
            Err(_) => return error(&format!("base number {} is not a type", at + 1)),
        }
    }
    if bases.is_empty() {
        bases.push(vm.ctx.types.object_type.to_owned());
    }
    let metaclass = match metaclass {
        Some(metaclass) => check_metaclass(metaclass, vm)?,
        None => inherited_metaclass(&bases, vm),
    };
    Ok(Params { bases, metaclass })
}

/// The most derived metaclass of the bases.
fn inherited_metaclass(bases: &[PyTypeRef], vm: &VirtualMachine) -> PyTypeRef {
    let start = vm.ctx.types.type_type.to_owned();
    bases.iter().fold(start, |best, base| {
        let class = base.as_object().class();
        if class.fast_issubclass(&best) { class.to_owned() } else { best }
    })
}

fn check_metaclass(metaclass: &PyObject, vm: &VirtualMachine) -> PyResult<PyTypeRef> {
    let type_type = vm.ctx.types.type_type;
    let class = metaclass.downcast_ref::<PyType>().filter(|class| class.fast_issubclass(type_type));
    let Some(class) = class else {
        return Err(vm.new_type_error("HPyType_FromSpec: the metaclass must be a subclass of type"));
    };
    let address = |class: &PyType| class.slots.new.load().map(|new| new as usize);
    if address(class) != address(type_type) {
        return Err(vm.new_type_error(
            "HPyType_FromSpec: a metaclass with a constructor (HPy_tp_new) of its own is not \
             supported; use HPy_tp_init",
        ));
    }
    Ok(class.to_owned())
}
