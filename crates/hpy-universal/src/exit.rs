//! What debug mode does when an interpreter ends, and with the main one the process: what is still open is told on standard error.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use hpy_debug::{Action, Frame};
use pyo3::prelude::*;

use crate::importing::interned;
use crate::{debug, in_main_interpreter};

/// Whether leaks are told when the process ends.
static TELL: AtomicBool = AtomicBool::new(true);

/// How the process ends: 0 as it would have, 1 with exit status 1, 2 with SIGABRT.
static FAILURE: AtomicU8 = AtomicU8::new(0);

/// Lets leaks be told when the interpreter ends. Called when the environment asks for debug mode; the first call in each interpreter
/// counts.
///
/// The handler is the last one that runs of those that are registered from now on. When modules are cleared afterwards, there
/// is no Python left that could show objects.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static WATCHED: Mutex<BTreeSet<i64>> = Mutex::new(BTreeSet::new());
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    #[cfg(unix)]
    if watched.is_empty() {
        // SAFETY: the function is never unloaded: extension modules of Python are not.
        let _ = unsafe { libc::atexit(fail) };
    }
    let is_first = watched.insert(interpreter(py));
    drop(watched);
    if is_first {
        let tell = wrap_pyfunction!(tell_leaks, py)?;
        py.import("atexit")?.call_method1(interned(py, "register"), (tell,))?;
    }
    Ok(())
}

/// Tell what is still open.
#[pyfunction]
fn tell_leaks(py: Python<'_>) -> PyResult<()> {
    if !TELL.load(Ordering::Relaxed) {
        return Ok(());
    }
    let (handles, resources) = (hpy_debug::open_handles(0), hpy_debug::open_resources(0));
    if handles.is_empty() && resources.is_empty() {
        return Ok(());
    }
    if in_main_interpreter(py) {
        py.import("hpy.debug._exit")?.call_method0(interned(py, "tell_leaks"))?;
        return Ok(());
    }
    // The package hpy.debug, which groups what is open, is the main interpreter's.
    eprintln!(
        "HPy debug mode, when interpreter {} ended: {} handles and {} other things are still open:",
        interpreter(py),
        handles.len(),
        resources.len()
    );
    for handle in handles.iter().take(SHOWN) {
        // SAFETY: the interpreter is attached.
        let object = unsafe { handle.repr() }.unwrap_or_else(|| "an object".to_owned());
        eprintln!("  handle for {object}{}", opened(handle.frames()));
    }
    for resource in resources.iter().take(SHOWN) {
        eprintln!("  {}{}", resource.kind(), opened(resource.frames()));
    }
    end_with_failure();
    Ok(())
}

/// How many of each are shown.
const SHOWN: usize = 20;

/// Where something was opened, if that is known.
fn opened(frames: Vec<Frame>) -> String {
    frames.first().map_or_else(String::new, |frame| format!(", opened at {frame}"))
}

fn interpreter(_py: Python<'_>) -> i64 {
    // SAFETY: the interpreter is attached, as `_py` shows.
    unsafe { hpy_cpython::interpreter_id() }
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
