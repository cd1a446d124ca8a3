//! Operators.

use rustpython_vm::protocol::PyNumber;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine, identifier};

use crate::types::SlotWrapper;

macro_rules! binary {
    ($($name:ident = $operator:ident;)*) => {$(
        #[doc = concat!("`HPy_", stringify!($name), "`")]
        pub(crate) fn $name(vm: &VirtualMachine, h1: &PyObject, h2: &PyObject) -> PyResult {
            vm.$operator(h1, h2)
        }
    )*};
}

binary! {
    Add = _add;
    Subtract = _sub;
    Multiply = _mul;
    MatrixMultiply = _matmul;
    FloorDivide = _floordiv;
    TrueDivide = _truediv;
    Remainder = _mod;
    Divmod = _divmod;
    Lshift = _lshift;
    Rshift = _rshift;
    And = _and;
    Xor = _xor;
    Or = _or;
    InPlaceAdd = _iadd;
    InPlaceSubtract = _isub;
    InPlaceMultiply = _imul;
    InPlaceMatrixMultiply = _imatmul;
    InPlaceFloorDivide = _ifloordiv;
    InPlaceTrueDivide = _itruediv;
    InPlaceRemainder = _imod;
    InPlaceLshift = _ilshift;
    InPlaceRshift = _irshift;
    InPlaceAnd = _iand;
    InPlaceXor = _ixor;
    InPlaceOr = _ior;
}

macro_rules! unary {
    ($($name:ident = $operator:ident;)*) => {$(
        #[doc = concat!("`HPy_", stringify!($name), "`")]
        pub(crate) fn $name(vm: &VirtualMachine, h1: &PyObject) -> PyResult {
            vm.$operator(h1)
        }
    )*};
}

unary! {
    Negative = _neg;
    Positive = _pos;
    Absolute = _abs;
    Invert = _invert;
}

/// `HPy_Power`
pub(crate) fn Power(vm: &VirtualMachine, h1: &PyObject, h2: &PyObject, h3: &PyObject) -> PyResult {
    vm._pow(h1, h2, h3)
}

/// `HPy_InPlacePower`
///
/// A method in Python gets no third argument, as on CPython; `**=` has none.
pub(crate) fn InPlacePower(
    vm: &VirtualMachine,
    h1: &PyObject,
    h2: &PyObject,
    h3: &PyObject,
) -> PyResult {
    let name = identifier!(vm, __ipow__);
    if !vm.is_none(h3) && h1.class().get_attr(name).is_some_and(|method| !is_native(vm, &method)) {
        let result = vm.call_special_method(h1, name, (h2.to_owned(),))?;
        if !result.is(&vm.ctx.not_implemented) {
            return Ok(result);
        }
        return vm._pow(h1, h2, h3);
    }
    vm._ipow(h1, h2, h3)
}

/// Whether a type's attribute is the function of a slot: RustPython's, or an extension's.
fn is_native(vm: &VirtualMachine, attribute: &PyObject) -> bool {
    attribute.class().is(vm.ctx.types.wrapper_descriptor_type)
        || attribute.downcast_ref::<SlotWrapper>().is_some()
}

/// `HPyNumber_Check`
pub(crate) fn Number_Check(_vm: &VirtualMachine, h: &PyObject) -> bool {
    PyNumber::check(h)
}

/// `HPy_Index`
pub(crate) fn Index(vm: &VirtualMachine, h1: &PyObject) -> PyResult {
    h1.try_index(vm).map(PyObjectRef::from)
}

/// `HPy_Long`
///
/// Python's `int` itself: it knows what texts and buffers spell.
pub(crate) fn Long(vm: &VirtualMachine, h1: &PyObject) -> PyResult {
    vm.ctx.types.int_type.as_object().call((h1.to_owned(),), vm)
}

/// `HPy_Float`
pub(crate) fn Float(vm: &VirtualMachine, h1: &PyObject) -> PyResult {
    vm.ctx.types.float_type.as_object().call((h1.to_owned(),), vm)
}
