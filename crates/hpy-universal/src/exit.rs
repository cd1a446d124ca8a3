//! What debug mode does when the process ends: what is still open is told on standard error.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use hpy_debug::Action;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::debug;

/// Whether leaks are told when the process ends.
static TELL: AtomicBool = AtomicBool::new(true);

/// How the process ends: 0 as it would have, 1 with exit status 1, 2 with SIGABRT.
static FAILURE: AtomicU8 = AtomicU8::new(0);

/// Lets leaks be told when the process ends. Called when the environment asks for debug mode; the first call counts.
///
/// The handler is the last one that runs of those that are registered from now on. When modules are cleared afterwards, there
/// is no Python left that could show objects.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static WATCHED: PyOnceLock<()> = PyOnceLock::new();
    WATCHED.get_or_try_init(py, || -> PyResult<()> {
        let tell = wrap_pyfunction!(tell_leaks, py)?;
        py.import(intern!(py, "atexit"))?.call_method1(intern!(py, "register"), (tell,))?;
        #[cfg(unix)]
        // SAFETY: the function is never unloaded: extension modules of Python are not.
        let _ = unsafe { libc::atexit(fail) };
        Ok(())
    })?;
    Ok(())
}

/// Tell what is still open.
#[pyfunction]
fn tell_leaks(py: Python<'_>) -> PyResult<()> {
    let open =
        || !hpy_debug::open_handles(0).is_empty() || !hpy_debug::open_resources(0).is_empty();
    if TELL.load(Ordering::Relaxed) && open() {
        py.import(intern!(py, "hpy.debug._exit"))?.call_method0(intern!(py, "tell_leaks"))?;
    }
    Ok(())
}

/// Set whether leaks are told when the process ends, if the environment asked for debug mode. They are, by default.
#[pyfunction]
#[pyo3(name = "_report_leaks_at_exit")]
pub(crate) fn report_leaks_at_exit(on: bool) {
    TELL.store(on, Ordering::Relaxed);
}

/// Let the process end as HPY_DEBUG_ACTION wants it after leaks were told: "raise" with exit status 1, "abort" with SIGABRT.
#[pyfunction]
#[pyo3(name = "_end_with_failure")]
pub(crate) fn end_with_failure() {
    let how = match debug::action() {
        None | Some(Action::Warn) => 0,
        Some(Action::Raise) => 1,
        Some(Action::Abort) => 2,
    };
    FAILURE.store(how, Ordering::Relaxed);
}

/// Runs when the interpreter has ended, which no Python code can make fail, and gives the process its status.
#[cfg(unix)]
extern "C" fn fail() {
    let how = FAILURE.load(Ordering::Relaxed);
    if how == 0 {
        return;
    }
    // SAFETY: the process ends; what C code has written reaches its files first.
    unsafe {
        libc::fflush(core::ptr::null_mut());
        if how == 2 {
            libc::abort();
        }
        libc::_exit(1);
    }
}
