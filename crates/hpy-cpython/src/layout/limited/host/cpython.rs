//! CPython, whose limited API this side was written for.

use core::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ffi::CString;
use std::sync::OnceLock;
use std::vec::Drain;

use pyo3_ffi as ffi;

use super::super::lookup::lookups;
use super::types::{tp_basicsize, tp_itemsize};
use crate::interpreter::running_minor;
use crate::layout::clear;

lookups! {
    // Not limited; since 3.13.
    clear_managed_dict: "PyObject_ClearManagedDict" = fn(*mut ffi::PyObject);
    // Where there is no managed dict, or not yet.
    dict_place: "_PyObject_GetDictPtr" = fn(*mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// `Py_TPFLAGS_MANAGED_DICT`
const MANAGED_DICT: c_ulong = 1 << 4;

/// Empties the `__dict__` of a dead object, if it has one.
///
/// # Safety
/// The object is still in one piece.
pub(crate) unsafe fn clear_dict(object: *mut ffi::PyObject) {
    // SAFETY: the caller's promise; the place of a dict holds it or null.
    unsafe {
        if let Some(function) = clear_managed_dict()
            && ffi::PyType_GetFlags(ffi::Py_TYPE(object)) & MANAGED_DICT != 0
        {
            function(object);
        } else if let Some(function) = dict_place() {
            let dict = function(object);
            if !dict.is_null() {
                clear(dict);
            }
        }
    }
}

/// Whether objects of types below this builtin are structs, in which ours has its place.
pub(crate) fn has_structs_below(_builtin: *mut ffi::PyTypeObject) -> bool {
    true
}

/// Whether the `tp_dealloc` of a class that is written in Python runs the finalizer that it inherits.
pub(crate) const SUBCLASSES_FINALIZE: bool = true;

/// Whether the `tp_dealloc` of a type drops an object's reference to its type. That of a heap type does, for every object that it frees.
///
/// # Safety
/// `ty` is a type.
pub(crate) unsafe fn dealloc_drops_type(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0 }
}

lookups! {
    // Limited since 3.15, and there since 3.4.
    finalizer: "PyObject_CallFinalizerFromDealloc" = fn(*mut ffi::PyObject) -> c_int;
}

/// Runs the finalizer of a dead object; -1 if the object lives on. Where the function is not found, finalizers are not run.
///
/// # Safety
/// The object is dead, and in one piece.
pub(crate) unsafe fn finalize(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: the caller's promise.
    finalizer().map_or(0, |function| unsafe { function(object) })
}

/// A list of items, whose references it takes over; null with an exception.
///
/// # Safety
/// The interpreter is attached, and the items are owned.
pub(crate) unsafe fn list_of(items: Drain<'_, *mut ffi::PyObject>) -> *mut ffi::PyObject {
    // SAFETY: as required; the list has a place for each.
    unsafe {
        let list = ffi::PyList_New(items.len() as isize);
        for (index, item) in items.enumerate() {
            if list.is_null() {
                ffi::Py_DECREF(item);
            } else {
                ffi::PyList_SetItem(list, index as isize, item);
            }
        }
        list
    }
}

/// How many references there are to an object, where C code can see that.
///
/// # Safety
/// The object is alive.
pub(crate) unsafe fn references(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: the caller's promise.
    Some(unsafe { ffi::Py_REFCNT(object) } as isize)
}

/// The name that a function of the C API is exported under.
pub(crate) fn exported(name: &CStr) -> CString {
    name.to_owned()
}

/// A new reference to the `str` of a name, the one that the interpreter's caches look for; null with an exception.
///
/// # Safety
/// `text` is a C string, and the interpreter is attached.
pub(crate) unsafe fn new_name(text: *const c_char) -> *mut ffi::PyObject {
    // SAFETY: as required.
    unsafe { ffi::PyUnicode_InternFromString(text) }
}

/// Whether two references are to one object.
///
/// # Safety
/// The objects are alive, or null.
pub(crate) unsafe fn is(first: *mut ffi::PyObject, second: *mut ffi::PyObject) -> bool {
    first == second
}

/// The state of the thread, which is attached.
pub(crate) unsafe fn thread_state() -> usize {
    // SAFETY: it may be asked at any time.
    unsafe { ffi::PyGILState_GetThisThreadState() as usize }
}

/// The number of the interpreter, see [`crate::interpreter_id`].
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn interpreter_id() -> i64 {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) }
}

/// The code that the thread runs, as a new reference, and the line in it.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn running_place() -> Option<(*mut ffi::PyCodeObject, c_int)> {
    // SAFETY: the frame is borrowed from the thread, and runs. CPython 3.11 may allocate one, and no garbage collection must start.
    unsafe {
        let was_on = ffi::PyGC_Disable() != 0;
        let frame = ffi::PyEval_GetFrame();
        if was_on {
            ffi::PyGC_Enable();
        }
        (!frame.is_null()).then(|| (ffi::PyFrame_GetCode(frame), ffi::PyFrame_GetLineNumber(frame)))
    }
}

/// The number of the line of a place.
///
/// # Safety
/// The place is what [`running_place`] gave.
pub(crate) unsafe fn line_number(_code: *mut ffi::PyCodeObject, place: c_int) -> c_int {
    place
}

/// `PyType_FromSpecWithBases` for a metaclass, without `PyType_FromMetaclass`: CPython 3.10 and 3.11, which will not change any more.
///
/// They allocate each such type as an instance of `type` and size it by `PyType_Type.tp_basicsize`. That number is the metaclass's for
/// the time of the call, so that the struct of the metaclass and the member table behind it have their place.
///
/// # Safety
/// As for [`super::super::of_metaclass`].
pub(crate) unsafe fn of_metaclass(
    metaclass: *mut ffi::PyTypeObject,
    spec: &mut ffi::PyType_Spec,
    bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    /// Behind the header of a variable-sized object and the name.
    const BASICSIZE: usize = size_of::<ffi::PyVarObject>() + size_of::<usize>();
    if running_minor() > 11 {
        let message = c"this Python has no PyType_FromMetaclass, so a type cannot have a metaclass";
        // SAFETY: the interpreter is attached.
        unsafe { ffi::PyErr_SetString(ffi::PyExc_SystemError, message.as_ptr()) };
        return core::ptr::null_mut();
    }
    // SAFETY: the lock is held, the collector is off and no Python code runs, so nobody sees `type` with another size. In these
    // versions the number is at that place.
    unsafe {
        let wanted = tp_basicsize(metaclass);
        let size = (&raw mut ffi::PyType_Type).byte_add(BASICSIZE).cast::<isize>();
        let usual = size.read();
        let collecting = ffi::PyGC_Disable() != 0;
        size.write(wanted);
        let ty = ffi::PyType_FromSpecWithBases(spec, bases);
        size.write(usual);
        if !ty.is_null() {
            ffi::Py_INCREF(metaclass.cast());
            (*ty).ob_type = metaclass;
        }
        if collecting {
            ffi::PyGC_Enable();
        }
        ty
    }
}

lookups! {
    // Limited since 3.14.
    as_bytes: "PyLong_AsNativeBytes" = fn(*mut ffi::PyObject, *mut c_void, isize, c_int) -> isize;
}

/// How many bytes the digits of an `int` take.
///
/// Up to 3.13, which will not change any more, their number is read where it is; later it follows from the value. In any case no
/// Python code runs, and a dead object may be asked.
///
/// # Safety
/// The object is an instance of `int`, or its type has the layout of one and no digits.
pub(crate) unsafe fn digits_size(object: *mut ffi::PyObject) -> usize {
    // SAFETY: the caller's promise. Before 3.12 the number of digits is the object's size, negative for a negative int; in 3.12 and
    // 3.13 it is above three bits in the word at its place.
    unsafe {
        let word = || *object.cast::<isize>().add(2);
        let digits = match running_minor() {
            ..=11 => word().unsigned_abs(),
            12 | 13 => word() as usize >> 3,
            _ if ffi::PyLong_Check(object) == 0 => 0,
            _ => bits(object).div_ceil(if digit_size() == 2 { 15 } else { 30 }),
        };
        digits * digit_size()
    }
}

/// The size of a digit. There are those of 15 bits and those of 30.
fn digit_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    // SAFETY: `int` is a type; its first object of a type made here is seen by an attached thread.
    *SIZE.get_or_init(|| unsafe { tp_itemsize(&raw mut ffi::PyLong_Type) } as usize)
}

/// The number of bits of an int's absolute value.
unsafe fn bits(object: *mut ffi::PyObject) -> usize {
    /// Native order of bytes, signed.
    const USUAL: c_int = -1;
    // SAFETY: the object is an int; no more is written than there is room for.
    unsafe {
        let Some(read) = as_bytes() else { return 0 };
        let mut few = [0_u8; 64];
        let size = read(object, few.as_mut_ptr().cast(), few.len() as isize, USUAL) as usize;
        if size <= few.len() {
            return bit_length(&mut few);
        }
        let mut many = vec![0_u8; size];
        read(object, many.as_mut_ptr().cast(), size as isize, USUAL);
        bit_length(&mut many)
    }
}

/// The number of bits of the absolute value of a signed number.
fn bit_length(number: &mut [u8]) -> usize {
    if cfg!(target_endian = "big") {
        number.reverse();
    }
    if number.last().is_some_and(|last| last & 0x80 != 0) {
        let mut carry = true;
        for byte in number.iter_mut() {
            (*byte, carry) = (!*byte).overflowing_add(carry.into());
        }
    }
    let top = number.iter().rposition(|byte| *byte != 0);
    top.map_or(0, |at| 8 * at + 8 - number[at].leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::bit_length;

    #[test]
    fn bits_are_those_of_the_absolute_value() {
        for (number, bits) in [(0, 0), (1, 1), (-1, 1), (255, 8), (-256, 9), (1 << 30, 31)] {
            assert_eq!(bit_length(&mut i64::to_ne_bytes(number)), bits, "{number}");
        }
        assert_eq!(bit_length(&mut i64::MIN.to_ne_bytes()), 64);
    }
}
