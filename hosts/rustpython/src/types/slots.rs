//! Slots: from the interpreter's slot functions to those of the author.
//!
//! RustPython's slots are bare functions. Each of ours is for one slot of HPy, and finds the author's function through the record of the
//! object's type.
//!
//! The unsafe code is sound because the author's function has the prototype of its slot's signature, and objects live longer than
//! the call that they are arguments of.

use core::ffi::c_int;

use hpy_abi::*;
use rustpython_vm::builtins::descriptor::SlotFunc;
use rustpython_vm::builtins::{PyStr, PyStrRef, PyTypeRef};
use rustpython_vm::function::{Either, FuncArgs, PyComparisonValue};
use rustpython_vm::protocol::{PyMapping, PyNumber, PySequence};
use rustpython_vm::types::{PyComparisonOp, PyTypeSlots};
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::instance::{self, Instance};
use super::{buffer, call as call_protocol, record};
use crate::downcall::{Target, call, checked, returned, status};
use crate::handles::{Array, Borrowed};
use crate::lock;

/// The author's function for a slot of an object.
#[inline]
pub(super) fn target(object: &PyObject, slot: u32) -> Option<Target> {
    if let Some(instance) = object.downcast_ref::<Instance>()
        && let Some(target) = instance.own.record.slot(slot)
    {
        return Some(target);
    }
    find(object, slot)
}

/// The same where the type that the struct is of does not have it.
#[cold]
fn find(object: &PyObject, slot: u32) -> Option<Target> {
    let classes = object.class().mro_collect();
    classes.iter().find_map(|class| record::own(class)?.slot(slot))
}

#[cold]
fn missing(vm: &VirtualMachine, object: &PyObject) -> rustpython_vm::builtins::PyBaseExceptionRef {
    vm.new_type_error(format!("'{}' object does not support this", object.class().name()))
}

#[inline]
fn needed(vm: &VirtualMachine, object: &PyObject, slot: u32) -> PyResult<Target> {
    target(object, slot).ok_or_else(|| missing(vm, object))
}

#[inline]
fn call1(target: Target, a: &PyObject, vm: &VirtualMachine) -> PyResult {
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let a = Borrowed::new(a);
        returned(vm, call!(target(a.get() => HPy) -> HPy))
    })
}

#[inline]
fn call2(target: Target, a: &PyObject, b: &PyObject, vm: &VirtualMachine) -> PyResult {
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (a, b) = (Borrowed::new(a), Borrowed::new(b));
        returned(vm, call!(target(a.get() => HPy, b.get() => HPy) -> HPy))
    })
}

fn call3(
    target: Target,
    a: &PyObject,
    b: Option<&PyObject>,
    c: Option<&PyObject>,
    vm: &VirtualMachine,
) -> PyResult {
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (a, b, c) = (Borrowed::new(a), Borrowed::new_or_null(b), Borrowed::new_or_null(c));
        returned(vm, call!(target(a.get() => HPy, b.get() => HPy, c.get() => HPy) -> HPy))
    })
}

/// A number that is negative for an exception: `lenfunc`, `inquiry`.
fn count<T: Copy + PartialOrd + Default>(
    target: Target,
    object: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<T> {
    // SAFETY: see the module's documentation; `T` is the result of the slot.
    lock::enter(vm, || unsafe {
        let object = Borrowed::new(object);
        checked(vm, call!(target(object.get() => HPy) -> T))
    })
}

fn unary<const SLOT: u32>(number: PyNumber<'_>, vm: &VirtualMachine) -> PyResult {
    call1(needed(vm, number.obj, SLOT)?, number.obj, vm)
}

fn boolean<const SLOT: u32>(number: PyNumber<'_>, vm: &VirtualMachine) -> PyResult<bool> {
    count::<c_int>(needed(vm, number.obj, SLOT)?, number.obj, vm).map(|value| value != 0)
}

fn binary<const SLOT: u32>(a: &PyObject, b: &PyObject, vm: &VirtualMachine) -> PyResult {
    match target(a, SLOT) {
        Some(target) => call2(target, a, b, vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}

/// The operation of the right operand's type. The operands stay in their order.
fn binary_right<const SLOT: u32>(a: &PyObject, b: &PyObject, vm: &VirtualMachine) -> PyResult {
    match target(b, SLOT) {
        Some(target) => call2(target, a, b, vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}

fn ternary<const SLOT: u32>(
    a: &PyObject,
    b: &PyObject,
    c: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    match target(a, SLOT) {
        Some(target) => call3(target, a, Some(b), Some(c), vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}

fn ternary_right<const SLOT: u32>(
    a: &PyObject,
    b: &PyObject,
    c: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    match target(b, SLOT) {
        Some(target) => call3(target, a, Some(b), Some(c), vm),
        None => Ok(vm.ctx.not_implemented()),
    }
}

fn sequence_length<const SLOT: u32>(
    sequence: PySequence<'_>,
    vm: &VirtualMachine,
) -> PyResult<usize> {
    count::<isize>(needed(vm, sequence.obj, SLOT)?, sequence.obj, vm).map(|length| length as usize)
}

fn mapping_length<const SLOT: u32>(mapping: PyMapping<'_>, vm: &VirtualMachine) -> PyResult<usize> {
    count::<isize>(needed(vm, mapping.obj, SLOT)?, mapping.obj, vm).map(|length| length as usize)
}

fn concat<const SLOT: u32>(
    sequence: PySequence<'_>,
    other: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    call2(needed(vm, sequence.obj, SLOT)?, sequence.obj, other, vm)
}

/// The index of an item. As in the Python/C API, a negative one counts from the end of what has a length.
fn index(sequence: PySequence<'_>, index: isize, vm: &VirtualMachine) -> PyResult<isize> {
    match target(sequence.obj, HPy_sq_length.0).filter(|_| index < 0) {
        Some(target) => Ok(index + count::<isize>(target, sequence.obj, vm)?),
        None => Ok(index),
    }
}

fn item<const SLOT: u32>(sequence: PySequence<'_>, at: isize, vm: &VirtualMachine) -> PyResult {
    indexed::<SLOT>(sequence, index(sequence, at, vm)?, vm)
}

/// `repeat` and `item`: an object and a number.
fn indexed<const SLOT: u32>(
    sequence: PySequence<'_>,
    index: isize,
    vm: &VirtualMachine,
) -> PyResult {
    let target = needed(vm, sequence.obj, SLOT)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let object = Borrowed::new(sequence.obj);
        returned(vm, call!(target(object.get() => HPy, index => isize) -> HPy))
    })
}

fn ass_item<const SLOT: u32>(
    sequence: PySequence<'_>,
    at: isize,
    value: Option<PyObjectRef>,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let target = needed(vm, sequence.obj, SLOT)?;
    let index = index(sequence, at, vm)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let object = Borrowed::new(sequence.obj);
        let value = Borrowed::new_or_null(value.as_deref());
        let result =
            call!(target(object.get() => HPy, index => isize, value.get() => HPy) -> c_int);
        status(vm, result)
    })
}

fn contains<const SLOT: u32>(
    sequence: PySequence<'_>,
    item: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<bool> {
    let target = needed(vm, sequence.obj, SLOT)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (object, item) = (Borrowed::new(sequence.obj), Borrowed::new(item));
        checked(vm, call!(target(object.get() => HPy, item.get() => HPy) -> c_int))
    })
    .map(|found| found != 0)
}

fn subscript<const SLOT: u32>(
    mapping: PyMapping<'_>,
    key: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    call2(needed(vm, mapping.obj, SLOT)?, mapping.obj, key, vm)
}

fn ass_subscript<const SLOT: u32>(
    mapping: PyMapping<'_>,
    key: &PyObject,
    value: Option<PyObjectRef>,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let target = needed(vm, mapping.obj, SLOT)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (object, key) = (Borrowed::new(mapping.obj), Borrowed::new(key));
        let value = Borrowed::new_or_null(value.as_deref());
        let result =
            call!(target(object.get() => HPy, key.get() => HPy, value.get() => HPy) -> c_int);
        status(vm, result)
    })
}

/// `repr` and `str`.
fn text<const SLOT: u32>(object: &PyObject, vm: &VirtualMachine) -> PyResult<PyStrRef> {
    let text = call1(needed(vm, object, SLOT)?, object, vm)?;
    text.downcast::<PyStr>().map_err(|other| {
        let name = if SLOT == HPy_tp_repr.0 { "__repr__" } else { "__str__" };
        vm.new_type_error(format!("{name} returned non-string (type {})", other.class().name()))
    })
}

fn hash(object: &PyObject, vm: &VirtualMachine) -> PyResult<rustpython_vm::common::hash::PyHash> {
    let target = needed(vm, object, HPy_tp_hash.0)?;
    // SAFETY: see the module's documentation.
    let hash = lock::enter(vm, || unsafe {
        let object = Borrowed::new(object);
        let hash = call!(target(object.get() => HPy) -> isize);
        // -1 without an exception is a hash: `hash()` makes another number of it.
        crate::error::take().map_or(Ok(hash), Err)
    })?;
    Ok(hash as rustpython_vm::common::hash::PyHash)
}

fn richcompare(
    object: &PyObject,
    other: &PyObject,
    op: PyComparisonOp,
    vm: &VirtualMachine,
) -> PyResult<Either<PyObjectRef, PyComparisonValue>> {
    let Some(target) = target(object, HPy_tp_richcompare.0) else {
        return Ok(Either::B(PyComparisonValue::NotImplemented));
    };
    let op = match op {
        PyComparisonOp::Lt => HPy_LT,
        PyComparisonOp::Le => HPy_LE,
        PyComparisonOp::Eq => HPy_EQ,
        PyComparisonOp::Ne => HPy_NE,
        PyComparisonOp::Gt => HPy_GT,
        PyComparisonOp::Ge => HPy_GE,
    };
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (object, other) = (Borrowed::new(object), Borrowed::new(other));
        returned(
            vm,
            call!(target(object.get() => HPy, other.get() => HPy, op => HPy_RichCmpOp) -> HPy),
        )
    })
    .map(Either::A)
}

fn descr_get(
    descriptor: &PyObject,
    object: Option<&PyObject>,
    class: Option<&PyObject>,
    vm: &VirtualMachine,
) -> PyResult {
    call3(needed(vm, descriptor, HPy_tp_descr_get.0)?, descriptor, object, class, vm)
}

/// The keywords of a call as a `dict`; none if there are none.
fn keyword_dict(
    args: &mut FuncArgs,
    vm: &VirtualMachine,
) -> PyResult<Option<rustpython_vm::builtins::PyDictRef>> {
    if args.kwargs.is_empty() {
        return Ok(None);
    }
    let dict = vm.ctx.new_dict();
    for (name, value) in core::mem::take(&mut args.kwargs) {
        dict.set_item(vm.ctx.new_str(name).as_object(), value, vm)?;
    }
    Ok(Some(dict))
}

fn init(object: &PyObject, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    let target = needed(vm, object, HPy_tp_init.0)?;
    let kw = keyword_dict(&mut args, vm)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (object, n) = (Borrowed::new(object), args.args.len() as isize);
        let args = Array::new(&args.args);
        let kw = Borrowed::new_or_null(kw.as_ref().map(|kw| kw.as_object()));
        let result = call!(target(
            object.get() => HPy, args.as_ptr() => *const HPy, n => isize, kw.get() => HPy
        ) -> c_int);
        status(vm, result)
    })
}

/// `tp_new` of types that have a constructor of the author's.
fn new(class: PyTypeRef, mut args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    let target = record::find(&class).and_then(|record| record.slot(HPy_tp_new.0));
    let Some(target) = target else { return Err(missing(vm, class.as_object())) };
    let kw = keyword_dict(&mut args, vm)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let (class, n) = (Borrowed::new(class.as_object()), args.args.len() as isize);
        let args = Array::new(&args.args);
        let kw = Borrowed::new_or_null(kw.as_ref().map(|kw| kw.as_object()));
        returned(
            vm,
            call!(target(
                class.get() => HPy, args.as_ptr() => *const HPy, n => isize, kw.get() => HPy
            ) -> HPy),
        )
    })
}

/// `tp_new` of the others, as `object` has it: arguments are for `__init__`.
fn default_new(class: PyTypeRef, args: FuncArgs, vm: &VirtualMachine) -> PyResult {
    if !args.is_empty() {
        let address = |slots: &PyTypeSlots| slots.init.load().map(|init| init as usize);
        if address(class.slots()) == address(vm.ctx.types.object_type.slots()) {
            return Err(vm.new_type_error(format!("{}() takes no arguments", class.name())));
        }
    }
    instance::allocate(class, vm)
}

/// Calls the author's finalizer; the interpreter reports what it raises.
fn finalize(object: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let target = needed(vm, object, HPy_tp_finalize.0)?;
    // SAFETY: see the module's documentation.
    lock::enter(vm, || unsafe {
        let handle = Borrowed::new(object);
        call!(target(handle.get() => HPy) -> ());
        crate::error::take().map_or(Ok(()), Err)
    })
}

/// An attribute that a slot becomes.
pub(super) type Attribute = (&'static str, SlotFunc);

/// Puts our function for `slot` into `slots`, if there are any; the attributes that go with it. `None`: not a slot of a type.
pub(super) fn wire(slot: HPySlot_Slot, slots: Option<&PyTypeSlots>) -> Option<Vec<Attribute>> {
    macro_rules! put {
        ($($path:ident).+ = $function:expr) => {
            if let Some(slots) = slots {
                slots.$($path).+.store(Some($function));
            }
        };
    }
    macro_rules! number {
        ($slot:ident, $left:ident $right:ident, $name:literal $reflected:literal) => {{
            put!(as_number.$left = binary::<{ $slot.0 }>);
            put!(as_number.$right = binary_right::<{ $slot.0 }>);
            vec![
                ($name, SlotFunc::NumBinary(binary::<{ $slot.0 }>)),
                ($reflected, SlotFunc::NumBinaryRight(binary_right::<{ $slot.0 }>)),
            ]
        }};
        ($slot:ident, $place:ident, $name:literal) => {{
            put!(as_number.$place = binary::<{ $slot.0 }>);
            vec![($name, SlotFunc::NumBinary(binary::<{ $slot.0 }>))]
        }};
    }
    macro_rules! unary {
        ($slot:ident, $place:ident, $name:literal) => {{
            put!(as_number.$place = unary::<{ $slot.0 }>);
            vec![($name, SlotFunc::NumUnary(unary::<{ $slot.0 }>))]
        }};
    }
    Some(match slot {
        HPy_nb_add => number!(HPy_nb_add, add right_add, "__add__" "__radd__"),
        HPy_nb_subtract => number!(HPy_nb_subtract, subtract right_subtract, "__sub__" "__rsub__"),
        HPy_nb_multiply => number!(HPy_nb_multiply, multiply right_multiply, "__mul__" "__rmul__"),
        HPy_nb_remainder => {
            number!(HPy_nb_remainder, remainder right_remainder, "__mod__" "__rmod__")
        }
        HPy_nb_divmod => number!(HPy_nb_divmod, divmod right_divmod, "__divmod__" "__rdivmod__"),
        HPy_nb_lshift => number!(HPy_nb_lshift, lshift right_lshift, "__lshift__" "__rlshift__"),
        HPy_nb_rshift => number!(HPy_nb_rshift, rshift right_rshift, "__rshift__" "__rrshift__"),
        HPy_nb_and => number!(HPy_nb_and, and right_and, "__and__" "__rand__"),
        HPy_nb_xor => number!(HPy_nb_xor, xor right_xor, "__xor__" "__rxor__"),
        HPy_nb_or => number!(HPy_nb_or, or right_or, "__or__" "__ror__"),
        HPy_nb_floor_divide => number!(
            HPy_nb_floor_divide, floor_divide right_floor_divide, "__floordiv__" "__rfloordiv__"
        ),
        HPy_nb_true_divide => number!(
            HPy_nb_true_divide, true_divide right_true_divide, "__truediv__" "__rtruediv__"
        ),
        HPy_nb_matrix_multiply => number!(
            HPy_nb_matrix_multiply, matrix_multiply right_matrix_multiply, "__matmul__" "__rmatmul__"
        ),
        HPy_nb_inplace_add => number!(HPy_nb_inplace_add, inplace_add, "__iadd__"),
        HPy_nb_inplace_subtract => number!(HPy_nb_inplace_subtract, inplace_subtract, "__isub__"),
        HPy_nb_inplace_multiply => number!(HPy_nb_inplace_multiply, inplace_multiply, "__imul__"),
        HPy_nb_inplace_remainder => {
            number!(HPy_nb_inplace_remainder, inplace_remainder, "__imod__")
        }
        HPy_nb_inplace_lshift => number!(HPy_nb_inplace_lshift, inplace_lshift, "__ilshift__"),
        HPy_nb_inplace_rshift => number!(HPy_nb_inplace_rshift, inplace_rshift, "__irshift__"),
        HPy_nb_inplace_and => number!(HPy_nb_inplace_and, inplace_and, "__iand__"),
        HPy_nb_inplace_xor => number!(HPy_nb_inplace_xor, inplace_xor, "__ixor__"),
        HPy_nb_inplace_or => number!(HPy_nb_inplace_or, inplace_or, "__ior__"),
        HPy_nb_inplace_floor_divide => {
            number!(HPy_nb_inplace_floor_divide, inplace_floor_divide, "__ifloordiv__")
        }
        HPy_nb_inplace_true_divide => {
            number!(HPy_nb_inplace_true_divide, inplace_true_divide, "__itruediv__")
        }
        HPy_nb_inplace_matrix_multiply => {
            number!(HPy_nb_inplace_matrix_multiply, inplace_matrix_multiply, "__imatmul__")
        }
        HPy_nb_power => {
            put!(as_number.power = ternary::<{ HPy_nb_power.0 }>);
            put!(as_number.right_power = ternary_right::<{ HPy_nb_power.0 }>);
            vec![
                ("__pow__", SlotFunc::NumTernary(ternary::<{ HPy_nb_power.0 }>)),
                ("__rpow__", SlotFunc::NumTernaryRight(ternary_right::<{ HPy_nb_power.0 }>)),
            ]
        }
        HPy_nb_inplace_power => {
            put!(as_number.inplace_power = ternary::<{ HPy_nb_inplace_power.0 }>);
            vec![("__ipow__", SlotFunc::NumTernary(ternary::<{ HPy_nb_inplace_power.0 }>))]
        }
        HPy_nb_negative => unary!(HPy_nb_negative, negative, "__neg__"),
        HPy_nb_positive => unary!(HPy_nb_positive, positive, "__pos__"),
        HPy_nb_absolute => unary!(HPy_nb_absolute, absolute, "__abs__"),
        HPy_nb_invert => unary!(HPy_nb_invert, invert, "__invert__"),
        HPy_nb_int => unary!(HPy_nb_int, int, "__int__"),
        HPy_nb_float => unary!(HPy_nb_float, float, "__float__"),
        HPy_nb_index => unary!(HPy_nb_index, index, "__index__"),
        HPy_nb_bool => {
            put!(as_number.boolean = boolean::<{ HPy_nb_bool.0 }>);
            vec![("__bool__", SlotFunc::NumBoolean(boolean::<{ HPy_nb_bool.0 }>))]
        }
        HPy_mp_length => {
            put!(as_mapping.length = mapping_length::<{ HPy_mp_length.0 }>);
            vec![("__len__", SlotFunc::MapLength(mapping_length::<{ HPy_mp_length.0 }>))]
        }
        HPy_mp_subscript => {
            put!(as_mapping.subscript = subscript::<{ HPy_mp_subscript.0 }>);
            vec![("__getitem__", SlotFunc::MapSubscript(subscript::<{ HPy_mp_subscript.0 }>))]
        }
        HPy_mp_ass_subscript => {
            put!(as_mapping.ass_subscript = ass_subscript::<{ HPy_mp_ass_subscript.0 }>);
            let function = ass_subscript::<{ HPy_mp_ass_subscript.0 }>;
            vec![
                ("__setitem__", SlotFunc::MapSetSubscript(function)),
                ("__delitem__", SlotFunc::MapDelSubscript(function)),
            ]
        }
        HPy_sq_length => {
            put!(as_sequence.length = sequence_length::<{ HPy_sq_length.0 }>);
            vec![("__len__", SlotFunc::SeqLength(sequence_length::<{ HPy_sq_length.0 }>))]
        }
        HPy_sq_concat => {
            put!(as_sequence.concat = concat::<{ HPy_sq_concat.0 }>);
            vec![("__add__", SlotFunc::SeqConcat(concat::<{ HPy_sq_concat.0 }>))]
        }
        HPy_sq_repeat => {
            put!(as_sequence.repeat = indexed::<{ HPy_sq_repeat.0 }>);
            let function = indexed::<{ HPy_sq_repeat.0 }>;
            vec![
                ("__mul__", SlotFunc::SeqRepeat(function)),
                ("__rmul__", SlotFunc::SeqRepeat(function)),
            ]
        }
        HPy_sq_item => {
            put!(as_sequence.item = item::<{ HPy_sq_item.0 }>);
            vec![("__getitem__", SlotFunc::SeqItem(item::<{ HPy_sq_item.0 }>))]
        }
        HPy_sq_ass_item => {
            put!(as_sequence.ass_item = ass_item::<{ HPy_sq_ass_item.0 }>);
            let function = ass_item::<{ HPy_sq_ass_item.0 }>;
            vec![
                ("__setitem__", SlotFunc::SeqSetItem(function)),
                ("__delitem__", SlotFunc::SeqDelItem(function)),
            ]
        }
        HPy_sq_contains => {
            put!(as_sequence.contains = contains::<{ HPy_sq_contains.0 }>);
            vec![("__contains__", SlotFunc::SeqContains(contains::<{ HPy_sq_contains.0 }>))]
        }
        HPy_sq_inplace_concat => {
            put!(as_sequence.inplace_concat = concat::<{ HPy_sq_inplace_concat.0 }>);
            vec![("__iadd__", SlotFunc::SeqConcat(concat::<{ HPy_sq_inplace_concat.0 }>))]
        }
        HPy_sq_inplace_repeat => {
            put!(as_sequence.inplace_repeat = indexed::<{ HPy_sq_inplace_repeat.0 }>);
            vec![("__imul__", SlotFunc::SeqRepeat(indexed::<{ HPy_sq_inplace_repeat.0 }>))]
        }
        HPy_tp_repr => {
            put!(repr = text::<{ HPy_tp_repr.0 }>);
            vec![("__repr__", SlotFunc::Repr(text::<{ HPy_tp_repr.0 }>))]
        }
        HPy_tp_str => {
            put!(str = text::<{ HPy_tp_str.0 }>);
            vec![("__str__", SlotFunc::Str(text::<{ HPy_tp_str.0 }>))]
        }
        HPy_tp_hash => {
            put!(hash = hash);
            vec![("__hash__", SlotFunc::Hash(hash))]
        }
        HPy_tp_richcompare => {
            put!(richcompare = richcompare);
            let function = |op| SlotFunc::RichCompare(richcompare, op);
            vec![
                ("__lt__", function(PyComparisonOp::Lt)),
                ("__le__", function(PyComparisonOp::Le)),
                ("__eq__", function(PyComparisonOp::Eq)),
                ("__ne__", function(PyComparisonOp::Ne)),
                ("__gt__", function(PyComparisonOp::Gt)),
                ("__ge__", function(PyComparisonOp::Ge)),
            ]
        }
        HPy_tp_call => {
            put!(call = call_protocol::call);
            put!(vectorcall = call_protocol::vectorcall);
            vec![("__call__", SlotFunc::Call(call_protocol::call))]
        }
        HPy_tp_descr_get => {
            put!(descr_get = descr_get);
            vec![("__get__", SlotFunc::DescrGet(descr_get))]
        }
        HPy_tp_init => {
            put!(init = init);
            vec![("__init__", SlotFunc::Init(init))]
        }
        HPy_tp_finalize => {
            put!(del = finalize);
            vec![("__del__", SlotFunc::Del(finalize))]
        }
        HPy_bf_getbuffer => {
            put!(as_buffer = buffer::as_buffer);
            vec![("__buffer__", SlotFunc::GetBuffer(buffer::as_buffer))]
        }
        // They have no attribute.
        HPy_bf_releasebuffer | HPy_tp_new | HPy_tp_traverse | HPy_tp_destroy => Vec::new(),
        _ => return None,
    })
}

/// Puts in the constructor: the author's, or that of types that have none.
pub(super) fn wire_new(slots: &PyTypeSlots, of_author: bool) {
    slots.new.store(Some(if of_author { new } else { default_new }));
}

/// The rank by which slots go when two have the same attribute, as in the Python/C API: of numbers, of mappings, of sequences.
pub(super) fn rank(slot: HPySlot_Slot) -> u8 {
    match slot {
        HPy_sq_length
        | HPy_sq_concat
        | HPy_sq_repeat
        | HPy_sq_item
        | HPy_sq_ass_item
        | HPy_sq_contains
        | HPy_sq_inplace_concat
        | HPy_sq_inplace_repeat => 2,
        HPy_mp_length | HPy_mp_subscript | HPy_mp_ass_subscript => 1,
        _ => 0,
    }
}
