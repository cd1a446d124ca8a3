//! The module `hpy.universal` of this Python, and the way from `import` to it.

use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use hpy_abi::HPyModuleDef;
use hpy_host::{Error, Extension, Mode, Wrap, Wrapped, Wrapper};
use rustpython_vm::builtins::{PyBaseExceptionRef, PyModule, PyModuleDef};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::scope::Scope;
use rustpython_vm::{PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine};

use crate::functions::Capsule;
use crate::functions::import::Import_ImportModule;
use crate::{debug, load, methods, trace, types};

/// The part in Python: attributes of modules, the finder.
const IMPORTING: &str = include_str!("importing.py");

/// What hybrid extensions call the interpreter that they are for. None is for this one.
const TAG: &str = "rustpython";

/// Makes `hpy.universal` and lets `import` find extensions.
///
/// # Errors
/// What keeps the interpreter from making a class or running the finder's source.
pub fn install(vm: &VirtualMachine) -> PyResult<()> {
    methods::prepare();
    types::prepare(vm)?;
    Capsule::prepare();
    let module = native_module(native::module_def(&vm.ctx), vm)?;
    debug::start(vm)?;
    module.set_attr("_debug", native_module(debug::_debug::module_def(&vm.ctx), vm)?, vm)?;
    module.set_attr("_trace", native_module(trace::_trace::module_def(&vm.ctx), vm)?, vm)?;
    let globals = vm.ctx.new_dict();
    globals.set_item("__name__", vm.ctx.new_str("hpy.universal").into(), vm)?;
    globals.set_item("universal", module.into(), vm)?;
    vm.run_string(Scope::with_builtins(None, globals, vm), IMPORTING, "<hpy.universal>")?;
    Ok(())
}

fn native_module(
    definition: &'static PyModuleDef,
    vm: &VirtualMachine,
) -> PyResult<PyRef<PyModule>> {
    let module = definition.create_module(vm)?;
    definition.exec_module(vm, &module)?;
    Ok(module)
}

#[rustpython_vm::pymodule(name = "hpy.universal")]
mod native {
    use super::*;
    use rustpython_vm::builtins::PyStrRef;
    use rustpython_vm::function::OptionalArg;

    #[pyattr]
    const MODE_UNIVERSAL: i32 = Mode::Universal.number();
    #[pyattr]
    const MODE_DEBUG: i32 = Mode::Debug.number();
    #[pyattr]
    const MODE_TRACE: i32 = Mode::Trace.number();

    /// The release and the source revision of this module.
    #[pyfunction]
    fn get_version() -> (&'static str, &'static str) {
        (env!("CARGO_PKG_VERSION"), option_env!("HPY_GIT_REVISION").unwrap_or(""))
    }

    #[derive(rustpython_vm::FromArgs)]
    struct LoadArgs {
        #[pyarg(any)]
        name: PyStrRef,
        #[pyarg(any)]
        path: PyObjectRef,
        #[pyarg(any)]
        spec: PyObjectRef,
        #[pyarg(any, default = false)]
        debug: bool,
        #[pyarg(any, default = -1)]
        mode: i32,
    }

    /// Load a universal extension and return its module.
    #[pyfunction]
    fn load(args: LoadArgs, vm: &VirtualMachine) -> PyResult {
        let symbol = args.name.to_string_lossy().into_owned();
        let mode = match args.mode {
            -1 if args.debug => Ok(Mode::Debug),
            -1 => Ok(Mode::Universal),
            number => Mode::from_number(number),
        };
        let name = text_of(&args.spec, "name", vm)?;
        let mode = mode.map_err(|error| to_python(vm, &symbol, &error))?;
        let path = path_of(args.path, vm)?;
        Request { symbol, name, path, tagged: true, mode }.load(&args.spec, vm)
    }

    /// Load the universal extension that a module spec describes. The file may have any name.
    #[pyfunction]
    fn _load_from_spec(spec: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let name = text_of(&spec, "name", vm)?;
        let path = path_of(spec.get_attr("origin", vm)?, vm)?;
        let mode = mode_from_environment(&name, None, vm)?;
        Request { symbol: name.clone(), name, path, tagged: false, mode }.load(&spec, vm)
    }

    /// Load a universal extension on behalf of a generated Python stub.
    #[pyfunction]
    #[expect(clippy::too_many_arguments, reason = "the stubs' own")]
    fn _load_bootstrap(
        name: PyStrRef,
        ext_name: PyStrRef,
        package: PyObjectRef,
        file: PyObjectRef,
        loader: PyObjectRef,
        spec: PyObjectRef,
        env: OptionalArg<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let symbol = name.to_string_lossy().into_owned();
        let name = ext_name.to_string_lossy().into_owned();
        spec.set_attr("origin", file.clone(), vm)?;
        let mode = mode_from_environment(&name, env.into_option(), vm)?;
        let request = Request { symbol, name, path: path_of(file, vm)?, tagged: true, mode };
        let module = request.load(&spec, vm)?;
        module.set_attr("__package__", package, vm)?;
        module.set_attr("__loader__", loader, vm)?;
        Ok(module)
    }

    /// How many handles are open, those of the contexts' constants included.
    #[pyfunction]
    fn _open_handles(vm: &VirtualMachine) -> usize {
        crate::lock::enter(vm, crate::handles::count)
    }
}

fn text_of(object: &PyObject, attribute: &'static str, vm: &VirtualMachine) -> PyResult<String> {
    Ok(object.get_attr(attribute, vm)?.str(vm)?.to_string_lossy().into_owned())
}

fn path_of(path: PyObjectRef, vm: &VirtualMachine) -> PyResult<PathBuf> {
    let path = vm.import("os", 0)?.get_attr("fspath", vm)?.call((path,), vm)?;
    Ok(PathBuf::from(path.str(vm)?.to_string_lossy().into_owned()))
}

/// The mode that the environment asks for; says so if it is to.
fn mode_from_environment(
    name: &str,
    environment: Option<PyObjectRef>,
    vm: &VirtualMachine,
) -> PyResult<Mode> {
    let environment = match environment {
        Some(environment) => environment,
        None => vm.import("os", 0)?.get_attr("environ", vm)?,
    };
    let get = |variable: &str| -> PyResult<Option<String>> {
        let value = vm.call_method(&environment, "get", (vm.ctx.new_str(variable),))?;
        if vm.is_none(&value) {
            return Ok(None);
        }
        Ok(Some(value.str(vm)?.to_string_lossy().into_owned()))
    };
    let mode = match get("HPY")? {
        Some(value) => {
            Mode::from_environment(&value, name).map_err(|error| to_python(vm, name, &error))?
        }
        None => Mode::Universal,
    };
    if mode.has_debug() || mode.has_trace() {
        own_module(vm)?.get_attr("_watch", vm)?.call((mode.has_debug(), mode.has_trace()), vm)?;
    }
    if get("HPY_LOG")?.is_some() {
        let context = match mode {
            Mode::Universal => String::new(),
            wrapping => format!(" with a {} context", wrapping.name()),
        };
        let line = format!("Loading '{name}' in HPy universal mode{context}");
        vm.print((vm.ctx.new_str(line),))?;
    }
    Ok(mode)
}

/// `hpy.universal` itself.
fn own_module(vm: &VirtualMachine) -> PyResult {
    Import_ImportModule(vm, c"hpy.universal")
}

/// What is to be loaded.
struct Request {
    /// The last part is the name given to HPy_MODINIT.
    symbol: String,
    /// The module's name.
    name: String,
    path: PathBuf,
    /// Whether the file's name must carry the ABI tag.
    tagged: bool,
    mode: Mode,
}

impl Request {
    fn load(&self, spec: &PyObject, vm: &VirtualMachine) -> PyResult {
        let (extension, definition) =
            self.open().map_err(|error| to_python(vm, &self.symbol, &error))?;
        let wrap: Option<Wrap> = match self.mode {
            Mode::Universal => None,
            Mode::Debug => Some(hpy_debug::wrap),
            Mode::Trace => Some(hpy_trace::wrap),
            Mode::DebugTrace => Some(debug_above_trace),
            Mode::TraceDebug => Some(trace_above_debug),
        };
        // SAFETY: the definition is the extension's.
        let created =
            unsafe { load::create(&extension, definition, self.mode, wrap, &self.name, spec, vm) }?;
        let module = created.module().to_owned();
        let importing = own_module(vm)?;
        let path = vm.ctx.new_str(self.path.to_string_lossy().into_owned());
        let begin = importing.get_attr("_begin", vm)?;
        let entered = begin.call((module.clone(), spec.to_owned(), path), vm)?;
        let result = created.execute(vm);
        importing.get_attr("_end", vm)?.call((module.clone(), spec.to_owned(), entered), vm)?;
        result.map(|()| module)
    }

    fn open(&self) -> Result<(Extension, NonNull<HPyModuleDef>), Error> {
        // SAFETY: the user asked for the file, as trusted as any other code that is imported.
        let extension = unsafe { Extension::open(&self.symbol, &self.path, TAG) }?;
        if self.tagged {
            extension.check_tag()?;
        }
        let definition = extension.definition()?;
        Ok((extension, definition))
    }
}

/// # Safety
/// As for every wrap; there are thunks.
unsafe fn debug_above_trace(wrapped: Wrapped) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise.
    unsafe { hpy_trace::wrap_below(wrapped, hpy_debug::wrap) }
}

/// # Safety
/// As for every wrap; there are thunks.
unsafe fn trace_above_debug(wrapped: Wrapped) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise.
    unsafe { hpy_trace::wrap_above(wrapped, hpy_debug::wrap) }
}

/// The exception for an error while the module `name` was loaded.
fn to_python(vm: &VirtualMachine, name: &str, error: &Error) -> PyBaseExceptionRef {
    let message = error.to_string();
    match error {
        Error::ModeName { .. } | Error::ModeNumber { .. } => vm.new_value_error(message),
        Error::ModesApart { .. } => vm.new_not_implemented_error(message),
        _ => load_error(vm, name, error, message).unwrap_or_else(|failure| failure),
    }
}

fn load_error(
    vm: &VirtualMachine,
    name: &str,
    error: &Error,
    message: String,
) -> PyResult<PyBaseExceptionRef> {
    let class = own_module(vm)?.get_attr("LoadError", vm)?;
    let path = error.path().map(Path::to_string_lossy);
    let path = path.map_or_else(|| vm.ctx.none(), |path| vm.ctx.new_str(path.into_owned()).into());
    let keywords = [("name".to_owned(), vm.ctx.new_str(name).into()), ("path".to_owned(), path)];
    let keywords: KwArgs = keywords.into_iter().collect();
    let exception =
        class.call(FuncArgs::new(vec![vm.ctx.new_str(message).into()], keywords), vm)?;
    if let Some(advice) = error.advice() {
        vm.call_method(&exception, "add_note", (vm.ctx.new_str(advice),))?;
    }
    exception.downcast().map_err(|_| vm.new_type_error("LoadError is no exception"))
}
