//! What the import system gives to modules before they are executed: attributes, and a place in
//! `sys.modules`. Extensions are executed while they are loaded, earlier than that, so it is done here.

use std::path::Path;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A name that is asked for: the same object as in Python code, because CPython's caches keep the names of lookups.
pub(crate) fn interned<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    PyString::intern(py, text)
}

/// Sets what the file and the spec say. A spec that only looks like one is not kept, because
/// `repr(module)` relies on what it finds in `__spec__`.
pub(crate) fn set(module: &Bound<'_, PyAny>, spec: &Bound<'_, PyAny>, file: &Path) -> PyResult<()> {
    let py = module.py();
    set_unless_refused(module, interned(py, "__file__"), file.as_os_str())?;
    if is_module_spec(spec)? {
        set_unless_refused(module, interned(py, "__spec__"), spec)?;
        let loader = spec.getattr(interned(py, "loader"))?;
        set_unless_refused(module, interned(py, "__loader__"), loader)?;
        let parent = spec.getattr(interned(py, "parent"))?;
        set_unless_refused(module, interned(py, "__package__"), parent)?;
    }
    Ok(())
}

/// Sets one attribute of an object that may refuse it: a create slot can make any object.
pub(crate) fn set_unless_refused<'py>(
    object: &Bound<'py, PyAny>,
    attribute: Bound<'py, PyString>,
    value: impl IntoPyObject<'py>,
) -> PyResult<()> {
    match object.setattr(attribute, value) {
        Err(error) if !error.is_instance_of::<PyAttributeError>(object.py()) => Err(error),
        _ => Ok(()),
    }
}

/// Calls `execute` while the module stands in `sys.modules`, unless something else has its name there.
/// So what the exec slots import may import the module, and other threads wait until it is complete.
pub(crate) fn while_imported(
    module: &Bound<'_, PyAny>,
    spec: &Bound<'_, PyAny>,
    name: &str,
    execute: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    let py = module.py();
    let modules = py.import("sys")?.getattr(interned(py, "modules"))?;
    if modules.contains(name)? {
        return execute();
    }
    mark_initializing(spec, true)?;
    modules.set_item(name, module)?;
    let result = execute();
    if modules.call_method1(interned(py, "get"), (name,))?.is(module) {
        modules.del_item(name)?;
    }
    mark_initializing(spec, false)?;
    result
}

/// The import system makes other threads wait for a module whose spec says this.
fn mark_initializing(spec: &Bound<'_, PyAny>, value: bool) -> PyResult<()> {
    if is_module_spec(spec)? {
        spec.setattr(interned(spec.py(), "_initializing"), value)?;
    }
    Ok(())
}

fn is_module_spec(spec: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = spec.py();
    let class = py.import("importlib.machinery")?.getattr(interned(py, "ModuleSpec"))?;
    spec.is_instance(&class)
}
