//! Operators.

use rustpython_vm::protocol::PyNumber;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

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
pub(crate) fn InPlacePower(
    vm: &VirtualMachine,
    h1: &PyObject,
    h2: &PyObject,
    h3: &PyObject,
) -> PyResult {
    vm._ipow(h1, h2, h3)
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
