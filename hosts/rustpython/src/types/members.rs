//! Members and attributes: fields of the C struct, and getters and setters.
//!
//! The unsafe code is sound because a member lies inside the struct of its type, and an attribute is looked up only on instances
//! of it, which the interpreter's attribute objects check.

use core::ffi::{
    CStr, c_char, c_int, c_long, c_longlong, c_short, c_uint, c_ulong, c_ulonglong, c_ushort,
    c_void,
};

use hpy_abi::*;
use num_traits::ToPrimitive;
use rustpython_vm::builtins::{PyGetSet, PyStr, PyType};
use rustpython_vm::function::{ItemDoc, PySetterValue};
use rustpython_vm::{AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine};

use super::instance::struct_of;
use crate::downcall::{Target, call, returned, status};
use crate::functions::{long, read, store, take};
use crate::handles::Borrowed;
use crate::lock;
use crate::methods::{Doc, text};

/// Whether the attribute of this class may be used on an object.
fn check(object: &PyObject, class: &Py<PyType>, name: &str, vm: &VirtualMachine) -> PyResult<()> {
    if object.fast_isinstance(class) {
        return Ok(());
    }
    Err(vm.new_type_error(format!(
        "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
        class.name(),
        object.class().name()
    )))
}

/// The attribute for a getter and a setter.
///
/// # Safety
/// The definition is that of a library that stays loaded; the context belongs to a load of it.
pub(super) unsafe fn attribute(
    ctx: *mut HPyContext,
    getset: &'static HPyGetSet,
    class: &Py<PyType>,
    vm: &VirtualMachine,
) -> PyResult<(&'static str, PyObjectRef)> {
    // SAFETY: the caller's promise.
    let (name, doc, getter, setter) = unsafe {
        let Some(name) = text(getset.name) else {
            return Err(vm.new_system_error("HPyGetSet has no name"));
        };
        let getter = Target::new(ctx, HPyFunc_GETTER, getset.getter_impl);
        let setter = Target::new(ctx, HPyFunc_SETTER, getset.setter_impl);
        (name, Doc::read(name, getset.doc), getter, setter)
    };
    // A reference to the class from its own attribute would keep it alive.
    let owner = class.as_object().downgrade(None, vm)?;
    let closure = getset.closure as usize;
    let mut made = PyGetSet::new(name, class, &vm.ctx).with_doc(item_doc(doc));
    let checked = move |object: &PyObject, vm: &VirtualMachine| match owner.upgrade() {
        Some(class) => match class.downcast_ref::<PyType>() {
            Some(class) => check(object, class, name, vm),
            None => Ok(()),
        },
        None => Ok(()),
    };
    if let Some(target) = getter {
        let checked = checked.clone();
        made = made.with_get(move |object: PyObjectRef, vm: &VirtualMachine| -> PyResult {
            checked(&object, vm)?;
            // SAFETY: a getter has this prototype; the object lives longer than the call.
            lock::enter(vm, || unsafe {
                let object = Borrowed::new(&object);
                let closure = closure as *mut c_void;
                returned(vm, call!(target(object.get() => HPy, closure => *mut c_void) -> HPy))
            })
        });
    }
    if let Some(target) = setter {
        made = made.with_set(
            move |object: PyObjectRef, value: PySetterValue, vm: &VirtualMachine| -> PyResult<()> {
                checked(&object, vm)?;
                let value = match value {
                    PySetterValue::Assign(value) => Some(value),
                    PySetterValue::Delete => None,
                };
                // SAFETY: a setter has this prototype; the objects live longer than the call.
                lock::enter(vm, || unsafe {
                    let object = Borrowed::new(&object);
                    let value = Borrowed::new_or_null(value.as_deref());
                    let closure = closure as *mut c_void;
                    let result = call!(target(
                        object.get() => HPy, value.get() => HPy, closure => *mut c_void
                    ) -> c_int);
                    status(vm, result)
                })
            },
        );
    }
    Ok((name, made.into_pyobject(vm)))
}

fn item_doc(doc: Doc) -> ItemDoc {
    ItemDoc { text: doc.text(), ..ItemDoc::NONE }
}

/// The attribute for a member.
///
/// # Safety
/// The definition is that of a library that stays loaded.
pub(super) unsafe fn member(
    member: &'static HPyMember,
    class: &Py<PyType>,
    vm: &VirtualMachine,
) -> PyResult<(&'static str, PyObjectRef)> {
    // SAFETY: the caller's promise.
    let (name, doc) = unsafe {
        let Some(name) = text(member.name) else {
            return Err(vm.new_system_error("HPyMember has no name"));
        };
        (name, Doc::read(name, member.doc))
    };
    let (kind, offset) = (member.type_, member.offset);
    let mut made = PyGetSet::new(name, class, &vm.ctx).with_doc(item_doc(doc)).with_get(
        move |object: PyObjectRef, vm: &VirtualMachine| -> PyResult {
            // SAFETY: see the module's documentation.
            unsafe { get(place(&object, offset, name, vm)?, kind, name, &object, vm) }
        },
    );
    let is_text = matches!(kind, HPyMember_STRING | HPyMember_STRING_INPLACE);
    if member.readonly == 0 {
        made = made.with_set(
            move |object: PyObjectRef, value: PySetterValue, vm: &VirtualMachine| -> PyResult<()> {
                if is_text {
                    return Err(vm.new_type_error("readonly attribute"));
                }
                // SAFETY: see the module's documentation.
                unsafe { set(place(&object, offset, name, vm)?, kind, name, value, &object, vm) }
            },
        );
    }
    Ok((name, made.into_pyobject(vm)))
}

/// Where a member of an object is.
fn place(
    object: &PyObject,
    offset: isize,
    name: &str,
    vm: &VirtualMachine,
) -> PyResult<*mut c_void> {
    let data = struct_of(object);
    if data.is_null() {
        return Err(vm.new_type_error(format!(
            "descriptor '{name}' doesn't apply to a '{}' object",
            object.class().name()
        )));
    }
    Ok(data.wrapping_byte_offset(offset))
}

/// # Safety
/// There is a value of that type.
unsafe fn get(
    place: *mut c_void,
    kind: HPyMember_FieldType,
    name: &str,
    object: &PyObject,
    vm: &VirtualMachine,
) -> PyResult {
    macro_rules! int {
        ($ctype:ty) => {
            vm.ctx.new_int(place.cast::<$ctype>().read_unaligned()).into()
        };
    }
    let string = |start: *const c_char| -> PyResult {
        if start.is_null() {
            return Ok(vm.ctx.none());
        }
        // SAFETY: the author's text.
        let text = unsafe { CStr::from_ptr(start) };
        crate::functions::unicode::decode(vm, text).map(PyObjectRef::from)
    };
    // SAFETY: the caller's promise.
    unsafe {
        Ok(match kind {
            HPyMember_SHORT => int!(c_short),
            HPyMember_INT => int!(c_int),
            HPyMember_LONG => int!(c_long),
            HPyMember_USHORT => int!(c_ushort),
            HPyMember_UINT => int!(c_uint),
            HPyMember_ULONG => int!(c_ulong),
            HPyMember_BYTE => int!(i8),
            HPyMember_UBYTE => int!(u8),
            HPyMember_LONGLONG => int!(c_longlong),
            HPyMember_ULONGLONG => int!(c_ulonglong),
            HPyMember_HPYSSIZET => int!(isize),
            HPyMember_BOOL => vm.ctx.new_bool(place.cast::<u8>().read() != 0).into(),
            HPyMember_FLOAT => {
                vm.ctx.new_float(f64::from(place.cast::<f32>().read_unaligned())).into()
            }
            HPyMember_DOUBLE => vm.ctx.new_float(place.cast::<f64>().read_unaligned()).into(),
            HPyMember_CHAR => {
                let character = char::from(place.cast::<u8>().read());
                vm.ctx.new_str(character.to_string()).into()
            }
            HPyMember_STRING => string(place.cast::<*const c_char>().read_unaligned())?,
            HPyMember_STRING_INPLACE => string(place.cast::<c_char>())?,
            HPyMember_NONE => vm.ctx.none(),
            HPyMember_OBJECT => read(place.cast::<HPyField>().read())
                .map_or_else(|| vm.ctx.none(), ToOwned::to_owned),
            HPyMember_OBJECT_EX => match read(place.cast::<HPyField>().read()) {
                Some(value) => value.to_owned(),
                None => {
                    return Err(vm.new_attribute_error(format!(
                        "'{}' object has no attribute '{name}'",
                        object.class().name()
                    )));
                }
            },
            _ => return Err(vm.new_system_error("bad memberdescr type")),
        })
    }
}

/// # Safety
/// There is a place for a value of that type.
unsafe fn set(
    place: *mut c_void,
    kind: HPyMember_FieldType,
    name: &str,
    value: PySetterValue,
    object: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let value = match value {
            PySetterValue::Assign(value) => value,
            PySetterValue::Delete => return delete(place.cast(), kind, name, object, vm),
        };
        macro_rules! int {
            ($ctype:ty) => {
                place.cast::<$ctype>().write_unaligned(long::Long_AsInt64_t(vm, &value)? as $ctype)
            };
        }
        macro_rules! unsigned {
            ($ctype:ty) => {
                place.cast::<$ctype>().write_unaligned(unsigned(&value, vm)? as $ctype)
            };
        }
        match kind {
            HPyMember_SHORT => int!(c_short),
            HPyMember_INT => int!(c_int),
            HPyMember_LONG => int!(c_long),
            HPyMember_BYTE => int!(i8),
            HPyMember_LONGLONG => int!(c_longlong),
            HPyMember_HPYSSIZET => int!(isize),
            HPyMember_USHORT => unsigned!(c_ushort),
            HPyMember_UINT => unsigned!(c_uint),
            HPyMember_ULONG => unsigned!(c_ulong),
            HPyMember_UBYTE => unsigned!(u8),
            HPyMember_ULONGLONG => unsigned!(c_ulonglong),
            HPyMember_BOOL => {
                if !value.class().is(vm.ctx.types.bool_type) {
                    return Err(vm.new_type_error("attribute value type must be bool"));
                }
                place.cast::<u8>().write(u8::from(value.try_to_bool(vm)?));
            }
            HPyMember_FLOAT => {
                let value = crate::functions::float::Float_AsDouble(vm, &value)?;
                place.cast::<f32>().write_unaligned(value as f32);
            }
            HPyMember_DOUBLE => {
                let value = crate::functions::float::Float_AsDouble(vm, &value)?;
                place.cast::<f64>().write_unaligned(value);
            }
            HPyMember_CHAR => {
                let text = value.downcast_ref::<PyStr>().map(|text| text.as_bytes());
                let Some(&[character]) = text else {
                    return Err(vm.new_type_error("bad argument type for built-in operation"));
                };
                place.cast::<u8>().write(character);
            }
            HPyMember_OBJECT | HPyMember_OBJECT_EX => {
                drop(store(place.cast::<HPyField>(), Some(&value)));
            }
            HPyMember_NONE => return Err(vm.new_type_error("readonly attribute")),
            _ => return Err(vm.new_system_error("bad memberdescr type")),
        }
        Ok(())
    }
}

/// As the Python/C API has it: negative numbers are taken for what their bits say.
fn unsigned(value: &PyObject, vm: &VirtualMachine) -> PyResult<u64> {
    let index = value.try_index(vm)?;
    let int = index.as_bigint();
    int.to_u64()
        .or_else(|| int.to_i64().map(|value| value as u64))
        .ok_or_else(|| vm.new_overflow_error("Python int too large to convert to C unsigned long"))
}

/// # Safety
/// There is a field, if the member is an object.
unsafe fn delete(
    place: *mut HPyField,
    kind: HPyMember_FieldType,
    name: &str,
    object: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<()> {
    match kind {
        // SAFETY: the caller's promise.
        HPyMember_OBJECT => drop(unsafe { take(place) }),
        HPyMember_OBJECT_EX => {
            // SAFETY: the caller's promise.
            if unsafe { take(place) }.is_none() {
                return Err(vm.new_attribute_error(format!(
                    "'{}' object has no attribute '{name}'",
                    object.class().name()
                )));
            }
        }
        _ => return Err(vm.new_type_error("can't delete numeric/char attribute")),
    }
    Ok(())
}
