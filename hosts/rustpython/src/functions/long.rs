//! Conversions between C integers and `int`.
//!
//! Which objects are accepted follows the Python/C API: the signed and the masking conversions take anything with `__index__`, the
//! unsigned ones only `int`.

use core::ffi::c_void;
use std::borrow::Cow;

use hpy_abi::{HPy, HPyContext};
use num_traits::{PrimInt, ToPrimitive};
use rustpython_vm::builtins::PyInt;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::handles::object;
use crate::upcall::inside;

macro_rules! from {
    ($($name:ident: $number:ty;)*) => {$(
        #[doc = concat!("`HPy", stringify!($name), "`")]
        pub(crate) fn $name(vm: &VirtualMachine, value: $number) -> PyResult<PyObjectRef> {
            Ok(vm.ctx.new_int(value).into())
        }
    )*};
}

from! {
    Long_FromInt32_t: i32;
    Long_FromUInt32_t: u32;
    Long_FromInt64_t: i64;
    Long_FromUInt64_t: u64;
    Long_FromSize_t: usize;
    Long_FromSsize_t: isize;
}

/// The `int` that `object` is, or that its `__index__` gives.
fn index<'a>(vm: &VirtualMachine, object: &'a PyObject) -> PyResult<Int<'a>> {
    match object.downcast_ref::<PyInt>() {
        Some(int) => Ok(Cow::Borrowed(int)),
        None => object.try_index(vm).map(Cow::Owned),
    }
}

type Int<'a> = Cow<'a, Py<PyInt>>;

/// The `int` that `object` is.
fn int<'a>(vm: &VirtualMachine, object: &'a PyObject) -> PyResult<&'a Py<PyInt>> {
    object.downcast_ref::<PyInt>().ok_or_else(|| vm.new_type_error("an integer is required"))
}

fn fit<T: PrimInt>(vm: &VirtualMachine, value: Option<T>, ctype: &str) -> PyResult<T> {
    value.ok_or_else(|| {
        vm.new_overflow_error(format!("the int does not fit into the C type {ctype}"))
    })
}

/// `HPyLong_AsInt32_t`
pub(crate) fn Long_AsInt32_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<i32> {
    fit(vm, index(vm, h)?.as_bigint().to_i32(), "int32_t")
}

/// `HPyLong_AsInt64_t`
pub(crate) fn Long_AsInt64_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<i64> {
    fit(vm, index(vm, h)?.as_bigint().to_i64(), "int64_t")
}

/// `HPyLong_AsSsize_t`
pub(crate) fn Long_AsSsize_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<isize> {
    fit(vm, int(vm, h)?.as_bigint().to_isize(), "ssize_t")
}

/// `HPyLong_AsUInt32_t`
pub(crate) fn Long_AsUInt32_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<u32> {
    fit(vm, int(vm, h)?.as_bigint().to_u32(), "uint32_t")
}

/// `HPyLong_AsUInt64_t`
pub(crate) fn Long_AsUInt64_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<u64> {
    fit(vm, int(vm, h)?.as_bigint().to_u64(), "uint64_t")
}

/// `HPyLong_AsSize_t`
pub(crate) fn Long_AsSize_t(vm: &VirtualMachine, h: &PyObject) -> PyResult<usize> {
    fit(vm, int(vm, h)?.as_bigint().to_usize(), "size_t")
}

/// `HPyLong_AsUInt32_tMask`
pub(crate) fn Long_AsUInt32_tMask(vm: &VirtualMachine, h: &PyObject) -> PyResult<u32> {
    Ok(index(vm, h)?.as_u32_mask())
}

/// `HPyLong_AsUInt64_tMask`
pub(crate) fn Long_AsUInt64_tMask(vm: &VirtualMachine, h: &PyObject) -> PyResult<u64> {
    Ok(index(vm, h)?.as_u64_mask())
}

/// `HPyLong_AsDouble`
pub(crate) fn Long_AsDouble(vm: &VirtualMachine, h: &PyObject) -> PyResult<f64> {
    let value = int(vm, h)?.as_bigint().to_f64().filter(|value| value.is_finite());
    value.ok_or_else(|| vm.new_overflow_error("int too large to convert to float"))
}

/// `HPyLong_AsVoidPtr`
pub(crate) unsafe extern "C" fn ctx_Long_AsVoidPtr(_ctx: *mut HPyContext, h: HPy) -> *mut c_void {
    inside(|vm| {
        // SAFETY: the handle is open.
        let int = int(vm, unsafe { object(h) })?.as_bigint();
        let address = int.to_usize().or_else(|| int.to_isize().map(|value| value as usize));
        fit(vm, address, "void *").map(|address| address as *mut c_void)
    })
}
