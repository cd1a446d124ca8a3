//! The Python extension module `hpy.universal`: it loads universal extensions on CPython.
//!
//! Panics: PyO3 turns a panic in a function of this module into an exception, and the language
//! aborts the process where one would leave an `extern "C"` function. So none unwinds into C, and
//! the release profile keeps unwinding.

mod debug;
mod debug_resources;
mod error;
mod exit;
mod importing;
mod load;
mod trace;

use pyo3::prelude::*;

/// Loads extensions that were compiled for HPy's universal ABI.
///
/// Importing is done by `import`: a universal library called `foo.so` is imported as it lies on
/// disk, one called `foo.hpy0.so` through the import hook that the package installs. The functions
/// here are for loading by hand.
// The tables of a load are protected by the interpreter lock alone.
#[pymodule(gil_used = true)]
mod universal {
    #[pymodule_export]
    use crate::debug::_debug;
    #[pymodule_export]
    use crate::load::{get_version, load, load_bootstrap, load_from_spec};
    #[pymodule_export]
    use crate::trace::_trace;

    #[pymodule_export]
    const MODE_UNIVERSAL: i32 = hpy_host::Mode::Universal.number();
    #[pymodule_export]
    const MODE_DEBUG: i32 = hpy_host::Mode::Debug.number();
    #[pymodule_export]
    const MODE_TRACE: i32 = hpy_host::Mode::Trace.number();

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.setattr("__name__", "hpy.universal")?;
        module.add("LoadError", crate::error::load_error(module.py())?)
    }
}
