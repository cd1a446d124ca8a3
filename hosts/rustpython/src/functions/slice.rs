//! Slices.

use core::ffi::c_int;

use hpy_abi::{HPy, HPyContext};
use num_traits::{Signed, ToPrimitive};
use rustpython_vm::builtins::PySlice;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use crate::handles::object;
use crate::upcall::outside;

/// `HPySlice_New`
pub(crate) fn Slice_New(
    vm: &VirtualMachine,
    start: Option<&PyObject>,
    end: Option<&PyObject>,
    step: Option<&PyObject>,
) -> PyResult {
    let or_none = |part: Option<&PyObject>| part.map_or_else(|| vm.ctx.none(), ToOwned::to_owned);
    let slice =
        PySlice { start: Some(or_none(start)), stop: or_none(end), step: Some(or_none(step)) };
    Ok(vm.new_pyobj(slice))
}

/// `HPySlice_Unpack`
pub(crate) unsafe extern "C" fn ctx_Slice_Unpack(
    _ctx: *mut HPyContext,
    slice: HPy,
    start: *mut isize,
    stop: *mut isize,
    step: *mut isize,
) -> c_int {
    outside(|vm| {
        // SAFETY: the handle is open, and the pointers are places for numbers.
        unsafe {
            let [first, last, by] = unpack(vm, object(slice))?;
            start.write(first);
            stop.write(last);
            step.write(by);
        }
        Ok(())
    })
}

/// Start, stop and step as numbers; what is left out is what the direction makes of it.
fn unpack(vm: &VirtualMachine, slice: &PyObject) -> PyResult<[isize; 3]> {
    let slice = slice
        .downcast_ref::<PySlice>()
        .ok_or_else(|| vm.new_system_error("HPySlice_Unpack: the object is not a slice"))?;
    let number = |part: Option<&PyObject>| match part.filter(|part| !vm.is_none(part)) {
        Some(part) => clamp(vm, part).map(Some),
        None => Ok(None),
    };
    let step = number(slice.step.as_deref())?.unwrap_or(1);
    if step == 0 {
        return Err(vm.new_value_error("slice step cannot be zero"));
    }
    // So that the step can be negated.
    let step = step.max(-isize::MAX);
    let (first, last) = if step < 0 { (isize::MAX, isize::MIN) } else { (0, isize::MAX) };
    let start = number(slice.start.as_deref())?.unwrap_or(first);
    let stop = number(Some(&slice.stop))?.unwrap_or(last);
    Ok([start, stop, step])
}

/// The nearest number that fits.
fn clamp(vm: &VirtualMachine, part: &PyObject) -> PyResult<isize> {
    let index = part.try_index_opt(vm).unwrap_or_else(|| {
        let message = "slice indices must be integers or None or have an __index__ method";
        Err(vm.new_type_error(message))
    })?;
    let index = index.as_bigint();
    let limit = if index.is_negative() { isize::MIN } else { isize::MAX };
    Ok(index.to_isize().unwrap_or(limit))
}
