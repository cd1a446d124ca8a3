//! The attributes that the import system gives to modules.
//!
//! They are set before the exec slots run, as for any other module, because exec slots may use them.

use std::path::Path;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;

/// Sets what the spec knows. Objects that a create slot made may refuse attributes.
pub(crate) fn set(module: &Bound<'_, PyAny>, spec: &Bound<'_, PyAny>, file: &Path) -> PyResult<()> {
    set_unless_refused(module, "__file__", file)?;
    set_unless_refused(module, "__spec__", spec)?;
    for (attribute, source) in [("__loader__", "loader"), ("__package__", "parent")] {
        if let Some(value) = spec.getattr_opt(source)? {
            set_unless_refused(module, attribute, value)?;
        }
    }
    Ok(())
}

/// Sets one attribute of an object that may refuse it.
pub(crate) fn set_unless_refused<'py>(
    object: &Bound<'py, PyAny>,
    attribute: &str,
    value: impl IntoPyObject<'py>,
) -> PyResult<()> {
    match object.setattr(attribute, value) {
        Err(error) if !error.is_instance_of::<PyAttributeError>(object.py()) => Err(error),
        _ => Ok(()),
    }
}
