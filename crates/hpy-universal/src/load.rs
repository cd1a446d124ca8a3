//! The functions of `hpy.universal`.

use std::path::{Path, PathBuf};

use hpy_abi::HPyModuleDef;
use hpy_host::{Error, Extension, Mode, Wrap, Wrapped, Wrapper, thunk};
use pyo3::prelude::*;

use crate::error::to_python;
use crate::importing::interned;
use crate::{exit, importing, in_main_interpreter, threads, trace};

/// Load a universal extension and return its module.
///
/// `name` is the module's name; its last part is the name given to HPy_MODINIT. `path` is the
/// library, whose file name must carry the ABI tag (`foo.hpy0.so`). `spec` describes the module: its
/// attribute `name` becomes the module's `__name__`, and a create slot gets it. It may be None, which
/// importlib gives for the file where extensions end with something else than `.so`; then `name` is
/// the module's.
/// `mode` is one of the MODE_… constants; -1 means that `debug` decides.
///
/// The module does not stay in `sys.modules`. Each call makes a module of its own, with globals
/// of its own.
///
/// Raises LoadError if the file is not a universal extension for this interpreter.
#[pyfunction]
#[pyo3(
    signature = (name, path, spec, debug=false, mode=-1),
    text_signature = "(name, path, spec, debug=False, mode=-1)"
)]
pub(crate) fn load<'py>(
    name: &str,
    path: PathBuf,
    spec: &Bound<'py, PyAny>,
    debug: bool,
    mode: i32,
) -> PyResult<Bound<'py, PyAny>> {
    let mode = match mode {
        -1 if debug => Ok(Mode::Debug),
        -1 => Ok(Mode::Universal),
        number => Mode::from_number(number),
    };
    let described: Option<String> = match spec.is_none() {
        true => None,
        false => Some(spec.getattr(interned(spec.py(), "name"))?.extract()?),
    };
    let request = Request {
        symbol: name,
        name: described.as_deref().unwrap_or(name),
        path: &path,
        tagged: true,
        mode: mode.map_err(|error| to_python(spec.py(), name, &error))?,
    };
    request.load(spec)
}

/// Load a universal extension on behalf of a generated Python stub.
///
/// `name` is the name given to HPy_MODINIT, `ext_name` the full name of the module. `env` is a mapping
/// in which `HPY` chooses the mode, and `HPY_LOG` asks for a line about each load.
#[pyfunction]
#[pyo3(name = "_load_bootstrap")]
#[pyo3(signature = (name, ext_name, package, file, loader, spec, env))]
pub(crate) fn load_bootstrap<'py>(
    name: &str,
    ext_name: &str,
    package: &Bound<'py, PyAny>,
    file: PathBuf,
    loader: &Bound<'py, PyAny>,
    spec: &Bound<'py, PyAny>,
    env: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // The spec is the stub's, and should lead to the library.
    let py = spec.py();
    importing::set_unless_refused(spec, interned(py, "origin"), file.as_os_str())?;
    let mode = Settings { env }.mode(ext_name)?;
    let request = Request { symbol: name, name: ext_name, path: &file, tagged: true, mode };
    let module = request.load(spec)?;
    importing::set_unless_refused(&module, interned(py, "__package__"), package)?;
    importing::set_unless_refused(&module, interned(py, "__loader__"), loader)?;
    Ok(module)
}

/// Load the universal extension that a module spec describes.
///
/// This is what a library's own `PyInit_…` calls, and what the import hook uses. The file may have
/// any name. The environment variables `HPY` and `HPY_LOG` count.
#[pyfunction]
#[pyo3(name = "_load_from_spec")]
pub(crate) fn load_from_spec<'py>(spec: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = spec.py();
    let name: String = spec.getattr(interned(py, "name"))?.extract()?;
    let path: PathBuf = spec.getattr(interned(py, "origin"))?.extract()?;
    let env = py.import("os")?.getattr(interned(py, "environ"))?;
    let mode = Settings { env: &env }.mode(&name)?;
    Request { symbol: &name, name: &name, path: &path, tagged: false, mode }.load(spec)
}

/// The release and the source revision of this module.
#[pyfunction]
pub(crate) fn get_version() -> (&'static str, &'static str) {
    (env!("CARGO_PKG_VERSION"), option_env!("HPY_GIT_REVISION").unwrap_or(""))
}

/// What the environment says.
struct Settings<'a, 'py> {
    env: &'a Bound<'py, PyAny>,
}

impl Settings<'_, '_> {
    /// The mode for a module; tells the user about it who asked to be told.
    fn mode(&self, name: &str) -> PyResult<Mode> {
        let py = self.env.py();
        let mode = match self.get("HPY")? {
            Some(value) => {
                let mode = Mode::from_environment(&value, name);
                mode.map_err(|error| to_python(py, name, &error))?
            }
            None => Mode::Universal,
        };
        if mode.has_debug() {
            exit::watch(py)?;
        }
        // The report is the main interpreter's, and tells of all.
        if mode.has_trace() && in_main_interpreter(py) {
            trace::watch(py)?;
        }
        if self.get("HPY_LOG")?.is_some() {
            let context = match mode {
                Mode::Universal => String::new(),
                wrapping => format!(" with a {} context", wrapping.name()),
            };
            let line = format!("Loading '{name}' in HPy universal mode{context}");
            py.import("builtins")?.call_method1(interned(py, "print"), (line,))?;
        }
        Ok(mode)
    }

    fn get(&self, variable: &str) -> PyResult<Option<String>> {
        self.env.call_method1(interned(self.env.py(), "get"), (variable,))?.extract()
    }
}

/// What is to be loaded.
struct Request<'a> {
    /// The last part is the name given to HPy_MODINIT.
    symbol: &'a str,
    /// The module's name.
    name: &'a str,
    path: &'a Path,
    /// Whether the file's name must carry the ABI tag.
    tagged: bool,
    mode: Mode,
}

impl Request<'_> {
    fn load<'py>(&self, spec: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = spec.py();
        let (extension, definition) =
            self.open(&running_tag(py)?).map_err(|error| to_python(py, self.symbol, &error))?;
        if !in_main_interpreter(py) {
            self.check_interpreter(&extension)
                .map_err(|error| to_python(py, self.symbol, &error))?;
        }
        if !extension.support().no_lock {
            threads::require_lock(py, self.name)?;
        }
        let raised = |_| PyErr::fetch(py);
        let wrap: Option<Wrap> = match self.mode {
            Mode::Universal => None,
            Mode::Debug => Some(hpy_debug::wrap),
            Mode::Trace => Some(hpy_trace::wrap),
            Mode::DebugTrace => Some(debug_above_trace),
            Mode::TraceDebug => Some(trace_above_debug),
        };
        let (mode, name) = (self.mode, self.name);
        // SAFETY: the interpreter is attached, as `py` shows; the definition is the extension's.
        let created =
            unsafe { hpy_cpython::create(&extension, definition, mode, wrap, name, spec.as_ptr()) };
        let created = created.map_err(raised)?;
        // SAFETY: a new reference that is ours now.
        let module = unsafe { Bound::from_owned_ptr(py, created.module()) };
        let spec = importing::Spec::new(spec)?;
        importing::set(&module, &spec, self.path)?;
        // SAFETY: the interpreter is attached, and the module is alive.
        let execute = || unsafe { created.execute() }.map_err(raised);
        importing::while_imported(&module, &spec, self.name, execute)?;
        Ok(module)
    }

    fn open(&self, running: &str) -> Result<(Extension, std::ptr::NonNull<HPyModuleDef>), Error> {
        if self.mode.is_combined() && !thunk::available() {
            return Err(Error::ModesApart { name: self.name.to_owned(), mode: self.mode.name() });
        }
        // SAFETY: the user asked for the file, as trusted as any other extension that is imported.
        let extension = unsafe { Extension::open(self.symbol, self.path, running) }?;
        if self.tagged {
            extension.check_tag()?;
        }
        let definition = extension.definition()?;
        Ok((extension, definition))
    }

    /// What an interpreter that is not the main one refuses.
    fn check_interpreter(&self, extension: &Extension) -> Result<(), Error> {
        if extension.support().interpreters {
            return Ok(());
        }
        Err(Error::OneInterpreter { name: self.name.to_owned(), path: self.path.to_owned() })
    }
}

/// The tag of the running interpreter in the names of hybrid extensions.
fn running_tag(py: Python<'_>) -> PyResult<String> {
    if cfg!(not(any(PyPy, GraalPy))) {
        return Ok(hpy_cpython::interpreter_tag());
    }
    let machinery = py.import("importlib.machinery")?;
    let suffix = machinery.getattr(interned(py, "EXTENSION_SUFFIXES"))?.get_item(0)?;
    let parts = py.import("hpy._abi")?.call_method1(interned(py, "parse_ext_suffix"), (suffix,))?;
    parts.get_item(0)?.extract()
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
