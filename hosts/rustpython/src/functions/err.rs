//! Exceptions.

use core::ffi::{CStr, c_char};

use hpy_abi::{HPy, HPyContext};
use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef, PyTuple, PyType};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::unicode::{Unicode_DecodeFSDefault, decode};
use crate::error;
use crate::handles::{nullable, object};
use crate::upcall::{outside, text};

/// `HPyErr_Occurred`
pub(crate) fn Err_Occurred(_vm: &VirtualMachine) -> bool {
    error::is_set()
}

/// `HPyErr_ExceptionMatches`: a class, or a tuple of what it takes.
pub(crate) fn Err_ExceptionMatches(_vm: &VirtualMachine, exc: &PyObject) -> bool {
    error::pending().is_some_and(|pending| matches(pending.as_object(), exc))
}

fn matches(exception: &PyObject, wanted: &PyObject) -> bool {
    if let Some(tuple) = wanted.downcast_ref::<PyTuple>() {
        return tuple.as_slice().iter().any(|wanted| matches(exception, wanted));
    }
    wanted.downcast_ref::<PyType>().is_some_and(|class| exception.fast_isinstance(class))
}

/// `HPyErr_NewException`
pub(crate) fn Err_NewException(
    vm: &VirtualMachine,
    utf8_name: &CStr,
    base: Option<&PyObject>,
    dict: Option<&PyObject>,
) -> PyResult {
    Err_NewExceptionWithDoc(vm, utf8_name, None, base, dict)
}

/// `HPyErr_NewExceptionWithDoc`: made as a class statement makes it.
pub(crate) fn Err_NewExceptionWithDoc(
    vm: &VirtualMachine,
    utf8_name: &CStr,
    utf8_doc: Option<&CStr>,
    base: Option<&PyObject>,
    dict: Option<&PyObject>,
) -> PyResult {
    let full = decode(vm, utf8_name)?;
    let (module, name) = full.to_string_lossy().rsplit_once('.').map_or_else(
        || Err(vm.new_system_error("HPyErr_NewException: name must be module.class")),
        |(module, name)| Ok((module.to_owned(), name.to_owned())),
    )?;
    let attributes = dict.map_or_else(|| vm.ctx.new_dict().into(), ToOwned::to_owned);
    if !vm._contains(&attributes, vm.ctx.new_str("__module__").as_object())? {
        attributes.set_item("__module__", vm.ctx.new_str(module).into(), vm)?;
    }
    if let Some(doc) = utf8_doc {
        attributes.set_item("__doc__", decode(vm, doc)?.into(), vm)?;
    }
    let bases = match base {
        Some(bases) if bases.downcastable::<PyTuple>() => bases.to_owned(),
        Some(base) => vm.ctx.new_tuple(vec![base.to_owned()]).into(),
        None => {
            let exception = vm.ctx.exceptions.exception_type.to_owned().into();
            vm.ctx.new_tuple(vec![exception]).into()
        }
    };
    vm.ctx.types.type_type.as_object().call((vm.ctx.new_str(name), bases, attributes), vm)
}

/// `HPyErr_WarnEx`
pub(crate) fn Err_WarnEx(
    vm: &VirtualMachine,
    category: Option<&PyObject>,
    utf8_message: &CStr,
    stack_level: isize,
) -> PyResult<()> {
    let category = match category {
        Some(category) => category
            .to_owned()
            .downcast::<PyType>()
            .map_err(|_| vm.new_type_error("HPyErr_WarnEx: the category must be a class"))?,
        None => vm.ctx.exceptions.runtime_warning.to_owned(),
    };
    let message = decode(vm, utf8_message)?.into();
    rustpython_vm::warn::warn(message, Some(category), stack_level, None, vm)
}

/// `HPyErr_SetFromErrnoWithFilename`
pub(crate) fn Err_SetFromErrnoWithFilename(
    vm: &VirtualMachine,
    h_type: &PyObject,
    filename_fsencoded: Option<&CStr>,
) -> PyResult {
    let name = filename_fsencoded.map(|name| Unicode_DecodeFSDefault(vm, name)).transpose()?;
    Err(from_errno(vm, h_type, name, None))
}

/// The exception that says what `errno` means.
fn from_errno(
    vm: &VirtualMachine,
    class: &PyObject,
    filename: Option<PyObjectRef>,
    second: Option<PyObjectRef>,
) -> PyBaseExceptionRef {
    let error = std::io::Error::last_os_error();
    let errno = error.raw_os_error().unwrap_or(0);
    let mut args =
        vec![PyObjectRef::from(vm.ctx.new_int(errno)), vm.ctx.new_str(strerror(&error)).into()];
    if let Some(filename) = filename {
        args.push(filename);
        if let Some(second) = second {
            args.extend([vm.ctx.new_int(0).into(), second]);
        }
    }
    if error.kind() == std::io::ErrorKind::Interrupted
        && let Err(exception) = vm.check_signals()
    {
        return exception;
    }
    match class.call(FuncArgs::from(args), vm) {
        Ok(made) => make(vm, made.class().to_owned().as_object(), made),
        Err(exception) => exception,
    }
}

/// The system's message, without the number that Rust puts behind it.
fn strerror(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// The exception that `class` makes of `value`: the value itself if it is one of the class, or one with the value as its argument, a
/// tuple as its arguments, none for `None`. If it cannot be made, what is raised then.
fn make(vm: &VirtualMachine, class: &PyObject, value: PyObjectRef) -> PyBaseExceptionRef {
    let exception = vm.ctx.exceptions.base_exception_type;
    let wanted = class.downcast_ref::<PyType>().filter(|class| class.fast_issubclass(exception));
    let Some(class) = wanted else {
        let repr = class.repr(vm);
        let name = repr.as_ref().map_or("an object".into(), |repr| repr.to_string_lossy());
        let message = format!("exception {name} is not a subclass of BaseException");
        return vm.new_system_error(message);
    };
    let value = match value.downcast::<PyBaseException>() {
        Ok(exception) if exception.fast_isinstance(class) => return exception,
        Ok(exception) => exception.into(),
        Err(value) => value,
    };
    let args = match value.downcast_ref::<PyTuple>() {
        Some(tuple) => tuple.as_slice().to_vec(),
        None if vm.is_none(&value) => Vec::new(),
        None => vec![value],
    };
    vm.invoke_exception(class, args).unwrap_or_else(|exception| exception)
}

/// `HPyErr_SetString`
pub(crate) unsafe extern "C" fn ctx_Err_SetString(
    _ctx: *mut HPyContext,
    h_type: HPy,
    utf8_message: *const c_char,
) {
    outside(|vm| {
        // SAFETY: the handle is open, the message a C string.
        let (class, message) = unsafe { (object(h_type), text(utf8_message)) };
        Err::<(), _>(make(vm, class, decode(vm, message)?.into()))
    });
}

/// `HPyErr_SetObject`
pub(crate) unsafe extern "C" fn ctx_Err_SetObject(
    _ctx: *mut HPyContext,
    h_type: HPy,
    h_value: HPy,
) {
    outside(|vm| {
        // SAFETY: the handles are open; the value may be null.
        let (class, value) = unsafe { (object(h_type), nullable(h_value)) };
        let value = value.map_or_else(|| vm.ctx.none(), ToOwned::to_owned);
        Err::<(), _>(make(vm, class, value))
    });
}

/// `HPyErr_SetFromErrnoWithFilenameObjects`
pub(crate) unsafe extern "C" fn ctx_Err_SetFromErrnoWithFilenameObjects(
    _ctx: *mut HPyContext,
    h_type: HPy,
    filename1: HPy,
    filename2: HPy,
) {
    outside(|vm| {
        // SAFETY: the handles are open; the names may be null.
        let (class, first, second) =
            unsafe { (object(h_type), nullable(filename1), nullable(filename2)) };
        let owned = |name: Option<&PyObject>| name.map(ToOwned::to_owned);
        Err::<(), _>(from_errno(vm, class, owned(first), owned(second)))
    });
}

/// `HPyErr_NoMemory`
pub(crate) unsafe extern "C" fn ctx_Err_NoMemory(_ctx: *mut HPyContext) {
    outside(|vm| Err::<(), _>(vm.no_memory_error()));
}

/// `HPyErr_Clear`
pub(crate) unsafe extern "C" fn ctx_Err_Clear(_ctx: *mut HPyContext) {
    drop(error::take());
}

/// `HPyErr_WriteUnraisable`
pub(crate) unsafe extern "C" fn ctx_Err_WriteUnraisable(_ctx: *mut HPyContext, obj: HPy) {
    let Some(exception) = error::take() else { return };
    outside(|vm| {
        // SAFETY: the handle is open or null.
        let object = unsafe { nullable(obj) };
        let object = object.map_or_else(|| vm.ctx.none(), ToOwned::to_owned);
        vm.run_unraisable(exception, None, object);
        Ok(())
    });
}

/// `HPy_FatalError`
pub(crate) unsafe extern "C" fn ctx_FatalError(_ctx: *mut HPyContext, message: *const c_char) {
    // SAFETY: a C string.
    error::fatal(&unsafe { text(message) }.to_string_lossy())
}
