//! Attributes, items, comparison, texts.

use core::ffi::{CStr, c_int};

use rustpython_vm::builtins::{PyInt, PyList, PySlice, PyStr, PyTuple, PyType};
use rustpython_vm::types::PyComparisonOp;
use rustpython_vm::{AsObject, Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::unicode::decode;

/// `HPy_Length`
pub(crate) fn Length(vm: &VirtualMachine, h: &PyObject) -> PyResult<isize> {
    h.length(vm).map(|length| length as isize)
}

/// `HPy_IsTrue`
pub(crate) fn IsTrue(vm: &VirtualMachine, h: &PyObject) -> PyResult<bool> {
    h.to_owned().is_true(vm)
}

/// The name of an attribute.
fn name<'a>(vm: &VirtualMachine, name: &'a PyObject) -> PyResult<&'a Py<PyStr>> {
    name.downcast_ref::<PyStr>().ok_or_else(|| {
        let class = name.class().name().to_string();
        vm.new_type_error(format!("attribute name must be string, not '{class}'"))
    })
}

/// `HPy_GetAttr`
pub(crate) fn GetAttr(vm: &VirtualMachine, obj: &PyObject, key: &PyObject) -> PyResult {
    obj.get_attr(name(vm, key)?, vm)
}

/// `HPy_GetAttr_s`
pub(crate) fn GetAttr_s(vm: &VirtualMachine, obj: &PyObject, utf8_name: &CStr) -> PyResult {
    obj.get_attr(&decode(vm, utf8_name)?, vm)
}

/// `HPy_HasAttr`
///
/// No exception says why an attribute cannot be read.
pub(crate) fn HasAttr(vm: &VirtualMachine, obj: &PyObject, key: &PyObject) -> bool {
    name(vm, key).is_ok_and(|key| obj.get_attr(key, vm).is_ok())
}

/// `HPy_HasAttr_s`
pub(crate) fn HasAttr_s(vm: &VirtualMachine, obj: &PyObject, utf8_name: &CStr) -> bool {
    decode(vm, utf8_name).is_ok_and(|key| obj.get_attr(&key, vm).is_ok())
}

fn set_attribute(
    vm: &VirtualMachine,
    obj: &PyObject,
    key: &Py<PyStr>,
    value: Option<&PyObject>,
) -> PyResult<()> {
    match value {
        Some(value) => obj.set_attr(key, value.to_owned(), vm),
        None => obj.del_attr(key, vm),
    }
}

/// `HPy_SetAttr`
pub(crate) fn SetAttr(
    vm: &VirtualMachine,
    obj: &PyObject,
    key: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    set_attribute(vm, obj, name(vm, key)?, value)
}

/// `HPy_SetAttr_s`
pub(crate) fn SetAttr_s(
    vm: &VirtualMachine,
    obj: &PyObject,
    utf8_name: &CStr,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let key = decode(vm, utf8_name)?;
    set_attribute(vm, obj, &key, value)
}

/// `HPy_GetItem`
pub(crate) fn GetItem(vm: &VirtualMachine, obj: &PyObject, key: &PyObject) -> PyResult {
    obj.get_item(key, vm)
}

/// `HPy_GetItem_i`
///
/// `obj[i]`, whatever `obj` is. Lists and tuples with an index inside are served without making an `int`.
pub(crate) fn GetItem_i(vm: &VirtualMachine, obj: &PyObject, idx: isize) -> PyResult {
    if let Ok(index) = usize::try_from(idx) {
        if let Some(list) = obj.downcast_ref_if_exact::<PyList>(vm)
            && let Some(item) = list.borrow_vec().get(index)
        {
            return Ok(item.clone());
        }
        if let Some(tuple) = obj.downcast_ref_if_exact::<PyTuple>(vm)
            && let Some(item) = tuple.as_slice().get(index)
        {
            return Ok(item.clone());
        }
    }
    obj.get_item(vm.ctx.new_int(idx).as_object(), vm)
}

/// `HPy_GetItem_s`
pub(crate) fn GetItem_s(vm: &VirtualMachine, obj: &PyObject, utf8_key: &CStr) -> PyResult {
    obj.get_item(decode(vm, utf8_key)?.as_object(), vm)
}

/// `HPy_Contains`
pub(crate) fn Contains(
    vm: &VirtualMachine,
    container: &PyObject,
    key: &PyObject,
) -> PyResult<bool> {
    vm._contains(container, key)
}

/// `HPy_SetItem`
pub(crate) fn SetItem(
    vm: &VirtualMachine,
    obj: &PyObject,
    key: &PyObject,
    value: &PyObject,
) -> PyResult<()> {
    obj.set_item(key, value.to_owned(), vm)
}

/// `HPy_SetItem_i`
pub(crate) fn SetItem_i(
    vm: &VirtualMachine,
    obj: &PyObject,
    idx: isize,
    value: &PyObject,
) -> PyResult<()> {
    obj.set_item(vm.ctx.new_int(idx).as_object(), value.to_owned(), vm)
}

/// `HPy_SetItem_s`
pub(crate) fn SetItem_s(
    vm: &VirtualMachine,
    obj: &PyObject,
    utf8_key: &CStr,
    value: &PyObject,
) -> PyResult<()> {
    obj.set_item(decode(vm, utf8_key)?.as_object(), value.to_owned(), vm)
}

/// `HPy_DelItem`
pub(crate) fn DelItem(vm: &VirtualMachine, obj: &PyObject, key: &PyObject) -> PyResult<()> {
    obj.del_item(key, vm)
}

/// `HPy_DelItem_i`
pub(crate) fn DelItem_i(vm: &VirtualMachine, obj: &PyObject, idx: isize) -> PyResult<()> {
    obj.del_item(vm.ctx.new_int(idx).as_object(), vm)
}

/// `HPy_DelItem_s`
pub(crate) fn DelItem_s(vm: &VirtualMachine, obj: &PyObject, utf8_key: &CStr) -> PyResult<()> {
    obj.del_item(decode(vm, utf8_key)?.as_object(), vm)
}

/// `obj[start:end]` as a key. As in the Python/C API, a negative index counts from the end of what has a length.
fn slice_of(vm: &VirtualMachine, start: isize, end: isize) -> PyObjectRef {
    let slice = PySlice {
        start: Some(vm.ctx.new_int(start).into()),
        stop: vm.ctx.new_int(end).into(),
        step: None,
    };
    vm.new_pyobj(slice)
}

/// `HPy_GetSlice`
pub(crate) fn GetSlice(vm: &VirtualMachine, obj: &PyObject, start: isize, end: isize) -> PyResult {
    obj.get_item(&*slice_of(vm, start, end), vm)
}

/// `HPy_SetSlice`
pub(crate) fn SetSlice(
    vm: &VirtualMachine,
    obj: &PyObject,
    start: isize,
    end: isize,
    value: &PyObject,
) -> PyResult<()> {
    obj.set_item(&*slice_of(vm, start, end), value.to_owned(), vm)
}

/// `HPy_DelSlice`
pub(crate) fn DelSlice(
    vm: &VirtualMachine,
    obj: &PyObject,
    start: isize,
    end: isize,
) -> PyResult<()> {
    obj.del_item(&*slice_of(vm, start, end), vm)
}

/// `HPy_Type`
pub(crate) fn Type(_vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    Ok(obj.class().to_owned().into())
}

/// `HPy_TypeCheck`
pub(crate) fn TypeCheck(_vm: &VirtualMachine, obj: &PyObject, class: &PyObject) -> bool {
    class.downcast_ref::<PyType>().is_some_and(|class| obj.fast_isinstance(class))
}

/// `HPy_Repr`
pub(crate) fn Repr(vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    obj.repr(vm).map(PyObjectRef::from)
}

/// `HPy_Str`
pub(crate) fn Str(vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    obj.str(vm).map(PyObjectRef::from)
}

/// `HPy_ASCII`
pub(crate) fn ASCII(vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    obj.ascii(vm).map(PyObjectRef::from)
}

/// `HPy_Bytes`
///
/// Unlike Python's `bytes`, it makes no zeros of an `int`.
pub(crate) fn Bytes(vm: &VirtualMachine, obj: &PyObject) -> PyResult {
    if obj.downcastable::<PyInt>() && !obj.has_attr("__bytes__", vm)? {
        let class = obj.class().name().to_string();
        return Err(vm.new_type_error(format!("cannot convert '{class}' object to bytes")));
    }
    obj.to_owned().bytes(vm)
}

fn operator(vm: &VirtualMachine, op: c_int) -> PyResult<PyComparisonOp> {
    Ok(match op {
        0 => PyComparisonOp::Lt,
        1 => PyComparisonOp::Le,
        2 => PyComparisonOp::Eq,
        3 => PyComparisonOp::Ne,
        4 => PyComparisonOp::Gt,
        5 => PyComparisonOp::Ge,
        _ => {
            return Err(vm.new_system_error("the operator must be one of HPy_LT to HPy_GE"));
        }
    })
}

/// `HPy_RichCompare`
pub(crate) fn RichCompare(vm: &VirtualMachine, v: &PyObject, w: &PyObject, op: c_int) -> PyResult {
    v.rich_compare(w, operator(vm, op)?, vm)
}

/// `HPy_RichCompareBool`
pub(crate) fn RichCompareBool(
    vm: &VirtualMachine,
    v: &PyObject,
    w: &PyObject,
    op: c_int,
) -> PyResult<bool> {
    v.rich_compare_bool(w, operator(vm, op)?, vm)
}

/// `HPy_Hash`
pub(crate) fn Hash(vm: &VirtualMachine, obj: &PyObject) -> PyResult<isize> {
    obj.hash(vm).map(|hash| hash as isize)
}
