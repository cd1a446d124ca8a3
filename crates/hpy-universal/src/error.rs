//! The host's errors as Python exceptions.

use hpy_host::Error;
use pyo3::exceptions::{PyImportError, PyNotImplementedError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::importing::interned;

/// Makes the class of what is raised when a library cannot be loaded. It is an ImportError, because that
/// is what callers of `import` expect, and a RuntimeError, because HPy 0.9 raised that.
pub(crate) fn make_load_error(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let bases = (py.get_type::<PyImportError>(), py.get_type::<PyRuntimeError>());
    let body = PyDict::new(py);
    body.set_item("__module__", "hpy.universal")?;
    body.set_item(
        "__doc__",
        "A file cannot be loaded as a universal extension; `name` and `path` say which.",
    )?;
    py.get_type::<PyType>().call1(("LoadError", bases, body))
}

/// The exception for an error while the module `name` was loaded.
pub(crate) fn to_python(py: Python<'_>, name: &str, error: &Error) -> PyErr {
    let message = error.to_string();
    match error {
        Error::ModeName { .. } | Error::ModeNumber { .. } => PyValueError::new_err(message),
        Error::ModesApart { .. } => PyNotImplementedError::new_err(message),
        _ => new_load_error(py, name, error, message).unwrap_or_else(|failure| failure),
    }
}

fn new_load_error(py: Python<'_>, name: &str, error: &Error, message: String) -> PyResult<PyErr> {
    let keywords = PyDict::new(py);
    keywords.set_item("name", name)?;
    keywords.set_item("path", error.path().map(std::path::Path::as_os_str))?;
    // Each interpreter of the process has its own.
    let class = py.import("hpy.universal")?.getattr(interned(py, "LoadError"))?;
    let exception = class.call((message,), Some(&keywords))?;
    // Notes exist since Python 3.11; texts that have advice are fixed, so before there is none.
    if let Some(advice) = error.advice()
        && exception.hasattr("add_note")?
    {
        exception.call_method1(interned(py, "add_note"), (advice,))?;
    }
    Ok(PyErr::from_value(exception))
}
