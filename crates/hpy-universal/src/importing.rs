//! What the import system gives to modules before they are executed: attributes, and a place in
//! `sys.modules`. Extensions are executed while they are loaded, earlier than that, so it is done here.

use std::path::Path;

use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A name that is asked for: the same object as in Python code, because CPython's caches keep the names of lookups.
pub(crate) fn interned<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    PyString::intern(py, text)
}

/// A module's spec, or what only looks like one.
pub(crate) struct Spec<'a, 'py> {
    spec: &'a Bound<'py, PyAny>,
    /// Whether it is a `ModuleSpec`: asked once, for it takes a twentieth of a load.
    is_real: bool,
}

impl<'a, 'py> Spec<'a, 'py> {
    /// Looks at a spec.
    pub(crate) fn new(spec: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let py = spec.py();
        let class = py.import("importlib.machinery")?.getattr(interned(py, "ModuleSpec"))?;
        Ok(Self { spec, is_real: spec.is_instance(&class)? })
    }

    /// The import system makes other threads wait for a module whose spec says this.
    fn mark_initializing(&self, value: bool) -> PyResult<()> {
        if self.is_real {
            self.spec.setattr(interned(self.spec.py(), "_initializing"), value)?;
        }
        Ok(())
    }
}

/// Sets what the file and the spec say. A spec that only looks like one is not kept, because
/// `repr(module)` relies on what it finds in `__spec__`.
pub(crate) fn set(module: &Bound<'_, PyAny>, spec: &Spec<'_, '_>, file: &Path) -> PyResult<()> {
    let py = module.py();
    set_unless_refused(module, interned(py, "__file__"), file.as_os_str())?;
    if spec.is_real {
        set_unless_refused(module, interned(py, "__spec__"), spec.spec)?;
        let loader = spec.spec.getattr(interned(py, "loader"))?;
        set_unless_refused(module, interned(py, "__loader__"), loader)?;
        let parent = spec.spec.getattr(interned(py, "parent"))?;
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
    spec: &Spec<'_, '_>,
    name: &str,
    execute: impl FnOnce() -> PyResult<()>,
) -> PyResult<()> {
    let py = module.py();
    let modules = modules(py)?;
    if modules.contains(name)? {
        return execute();
    }
    spec.mark_initializing(true)?;
    modules.set_item(name, module)?;
    let result = execute();
    if modules.call_method1(interned(py, "get"), (name,))?.is(module) {
        modules.del_item(name)?;
    }
    spec.mark_initializing(false)?;
    result
}

/// `sys.modules`, without importing `sys`.
fn modules(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the interpreter is attached, as `py` shows; the reference is borrowed from `sys`.
    let modules = unsafe {
        let modules = ffi::PySys_GetObject(c"modules".as_ptr());
        Bound::from_borrowed_ptr_or_opt(py, modules)
    };
    modules
        .ok_or_else(|| PyRuntimeError::new_err("sys.modules is lost: it cannot be imported into"))
}
