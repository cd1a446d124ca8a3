//! Builders, trackers and buffers in the Python API of debug mode.

use std::path::PathBuf;

use hpy_debug::Resource;
use pyo3::prelude::*;

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
    fn r#where(&self) -> Vec<(Option<String>, Option<String>, Option<u32>)> {
        let name = |file: PathBuf| file.to_string_lossy().into_owned();
        let frames = self.0.frames().into_iter();
        frames.map(|frame| (frame.function, frame.file.map(name), frame.line)).collect()
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
