//! Builders, trackers and buffers in the Python API of debug mode.

use hpy_debug::Resource;
use pyo3::prelude::*;

use crate::debug::{Location, location};

/// A builder, tracker or buffer of an extension that has not ended.
#[pyclass(frozen, module = "hpy.universal._debug")]
pub(crate) struct DebugResource(Resource);

#[pymethods]
impl DebugResource {
    /// What it is: "builder", "tracker" or "buffer".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// The code of the class of findings that it is one of, if it never ends.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.class().code
    }

    /// Where it was made, as text.
    #[getter]
    fn history(&self) -> String {
        self.0.history()
    }

    /// Where it was made: function, file and line of each C frame, the innermost first. What is not known is None.
    #[getter]
    fn r#where(&self) -> Vec<Location> {
        self.0.frames().into_iter().map(location).collect()
    }

    /// The line of Python code that had called the extension: function, file and line; None if it was not captured.
    #[getter]
    fn caller(&self) -> Option<Location> {
        self.0.caller().map(location)
    }

    /// Whether `where` has the lines of the calls; else it has only the function that Python called.
    #[getter]
    fn is_traced(&self) -> bool {
        self.0.is_traced()
    }

    /// Whether a call of the extension runs, which may still end it.
    #[getter]
    fn _may_be_in_use(&self) -> bool {
        self.0.may_be_in_use()
    }

    fn __repr__(&self) -> String {
        format!("<DebugResource {}>{}", self.0.kind(), self.0.history())
    }
}

/// The builders, trackers and buffers of a generation and those after it that have not ended, in the order in which they were made.
#[pyfunction]
pub(crate) fn get_open_resources(generation: u64) -> Vec<DebugResource> {
    hpy_debug::open_resources(generation).into_iter().map(DebugResource).collect()
}
