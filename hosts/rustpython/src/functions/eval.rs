//! Compiling source text, and running code.

use core::ffi::CStr;

use hpy_abi::{HPy_SourceKind, HPy_SourceKind_Expr, HPy_SourceKind_File, HPy_SourceKind_Single};
use rustpython_vm::builtins::{PyCode, PyDict};
use rustpython_vm::compiler::Mode;
use rustpython_vm::function::ArgMapping;
use rustpython_vm::scope::Scope;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, TryFromObject, VirtualMachine};

/// `HPy_Compile_s`
pub(crate) fn Compile_s(
    vm: &VirtualMachine,
    utf8_source: &CStr,
    utf8_filename: &CStr,
    kind: HPy_SourceKind,
) -> PyResult {
    let mode = match kind {
        HPy_SourceKind_Expr => Mode::Eval,
        HPy_SourceKind_File => Mode::Exec,
        HPy_SourceKind_Single => Mode::Single,
        _ => {
            return Err(vm.new_system_error(
                "HPy_Compile_s: the kind of source must be HPy_SourceKind_Expr, \
                 HPy_SourceKind_File or HPy_SourceKind_Single",
            ));
        }
    };
    let source = utf8_source.to_str().map_err(|error| {
        let message = format!("the source is not UTF-8: {error}");
        vm.new_exception_msg(vm.ctx.exceptions.syntax_error.to_owned(), message.into())
    })?;
    let filename = utf8_filename.to_string_lossy().into_owned();
    let code = vm.compile(source, mode, filename);
    code.map(PyObjectRef::from).map_err(|error| error.into_pyexception(vm, Some(source)))
}

/// `HPy_EvalCode`
pub(crate) fn EvalCode(
    vm: &VirtualMachine,
    code: &PyObject,
    globals: &PyObject,
    locals: Option<&PyObject>,
) -> PyResult {
    let code = code
        .to_owned()
        .downcast::<PyCode>()
        .map_err(|_| vm.new_system_error("HPy_EvalCode: the object is no code"))?;
    let globals = globals
        .to_owned()
        .downcast::<PyDict>()
        .map_err(|_| vm.new_system_error("HPy_EvalCode: the globals must be a dict"))?;
    let locals = locals.unwrap_or(globals.as_ref());
    let locals = ArgMapping::try_from_object(vm, locals.to_owned())?;
    vm.run_code_obj(code, Scope::new(Some(locals), globals))
}
