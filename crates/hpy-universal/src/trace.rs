//! The Python API of trace mode: `hpy.universal._trace`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hpy_trace::{FUNCTION_TABLE, Moment, Use, What};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::in_main_interpreter;

/// What trace mode has counted. The package hpy.trace is made of it.
#[pymodule(gil_used = false)]
pub(crate) mod _trace {
    #[pymodule_export]
    use super::{
        get_call_counts, get_durations, get_frequency, is_timing, reading_time, record_events,
        recording, set_timing, set_trace_functions, snapshot,
    };

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.setattr("__name__", "hpy.universal._trace")?;
        let modules = module.py().import("sys")?.getattr("modules")?;
        modules.set_item("hpy.universal._trace", module)
    }
}

/// How often each function of the API was called by extensions in trace mode: a dictionary with the names of the context's members.
#[pyfunction]
fn get_call_counts(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    by_member(py, hpy_trace::sums().into_iter().map(|(calls, _)| calls))
}

/// How many nanoseconds all calls of each function of the API took: a dictionary with the names of the context's members.
#[pyfunction]
fn get_durations(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    by_member(py, hpy_trace::sums().into_iter().map(|(_, duration)| duration))
}

fn by_member(py: Python<'_>, numbers: impl Iterator<Item = u64>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (function, number) in FUNCTION_TABLE.iter().zip(numbers) {
        dict.set_item(function.member, number)?;
    }
    Ok(dict)
}

/// How many ticks a second has on the clock that times the calls.
#[pyfunction]
fn get_frequency() -> u64 {
    hpy_trace::frequency()
}

/// How many nanoseconds it takes to read that clock, which is done twice for each call.
#[pyfunction]
fn reading_time() -> f64 {
    hpy_trace::reading_time()
}

/// Set whether calls are timed; otherwise they are only counted, which costs less.
#[pyfunction]
fn set_timing(on: bool) {
    hpy_trace::set_timing(on);
}

/// Whether calls are timed.
#[pyfunction]
fn is_timing() -> bool {
    hpy_trace::is_timing()
}

/// Calls, errors, and the nanoseconds in total and without calls inside.
type Numbers = (u64, u64, u64, u64);

/// The name in C and those numbers.
type Function = (&'static str, Numbers);

/// Of one function of an extension: module, name, whether it stands for code outside of all functions, the calls from Python, the
/// functions of the API that it called, how many handles these opened, and the texts given to them.
type Entry = (String, String, bool, Numbers, Vec<Function>, u64, Vec<(&'static str, String, u64)>);

fn numbers(calls: Use) -> Numbers {
    (calls.calls, calls.errors, calls.total, calls.own)
}

fn function(function: hpy_trace::FunctionUse) -> Function {
    (FUNCTION_TABLE[function.number].name, numbers(function.calls))
}

/// All that was counted so far: the functions of the API, and those of the extensions.
#[pyfunction]
fn snapshot() -> (Vec<Function>, Vec<Entry>) {
    let snapshot = hpy_trace::snapshot();
    let entries = snapshot.entries.into_iter().map(|entry| {
        let opens = entry.functions.iter().filter(|one| FUNCTION_TABLE[one.number].opens);
        let opened = opens.map(|one| one.calls.calls - one.calls.errors).sum();
        let texts = entry.texts.into_iter();
        let texts = texts.map(|text| (FUNCTION_TABLE[text.function].name, text.text, text.count));
        let functions = entry.functions.iter().copied().map(function).collect();
        let calls = numbers(entry.calls);
        (entry.module, entry.name, entry.outside, calls, functions, opened, texts.collect())
    });
    (snapshot.functions.into_iter().map(function).collect(), entries.collect())
}

/// Begin to record each call, up to `limit` of each thread, and forget what was recorded before; 0 ends it.
#[pyfunction]
fn record_events(limit: usize) {
    hpy_trace::record_events(limit);
}

/// Of one call: the module and None for the API, the function, the thread, beginning and length in nanoseconds.
type Event = (Option<String>, String, u64, u64, u64);

/// What was recorded: the calls, how many found no place, and how many of a thread have one.
#[pyfunction]
fn recording() -> (Vec<Event>, u64, usize) {
    let recording = hpy_trace::recording();
    let events = recording.events.into_iter().map(|event| {
        let (module, name) = match event.what {
            What::Function(number) => (None, FUNCTION_TABLE[number].name.to_owned()),
            What::Entry(module, name) => (Some(module), name),
        };
        (module, name, event.thread, event.start, event.duration)
    });
    (events.collect(), recording.dropped, recording.limit)
}

/// What to do with a function that is called around each call.
enum Setting {
    /// Leave it as it is.
    Keep,
    /// Call nothing any more.
    Clear,
    /// Call this.
    Call(Py<PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Setting {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self::Clear);
        }
        if !value.is_callable() {
            return Err(PyTypeError::new_err("a trace function must be callable, or None"));
        }
        Ok(Self::Call(value.to_owned().unbind()))
    }
}

/// What is called around each call of the API.
struct Functions {
    enter: Option<Py<PyAny>>,
    exit: Option<Py<PyAny>>,
}

fn functions() -> MutexGuard<'static, Functions> {
    static FUNCTIONS: Mutex<Functions> = Mutex::new(Functions { enter: None, exit: None });
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Set what is called before and after each call of the API, with the name of the context's member. None calls nothing; an argument
/// that is left out leaves the function as it is. Calls that the functions cause are not shown to them.
#[pyfunction]
#[pyo3(
    signature = (on_enter=Setting::Keep, on_exit=Setting::Keep),
    text_signature = "(on_enter=<as it is>, on_exit=<as it is>)"
)]
fn set_trace_functions(on_enter: Setting, on_exit: Setting) {
    // What was there before may run Python code when it goes: not under the lock.
    let mut before = [None, None];
    let mut functions = functions();
    let Functions { enter, exit } = &mut *functions;
    for ((place, new), old) in [(enter, on_enter), (exit, on_exit)].into_iter().zip(&mut before) {
        match new {
            Setting::Keep => {}
            Setting::Clear => *old = place.take(),
            Setting::Call(function) => *old = place.replace(function),
        }
    }
    let any = functions.enter.is_some() || functions.exit.is_some();
    drop(functions);
    hpy_trace::set_hook(any.then_some(call));
}

/// Calls what was set for this moment. An exception in it is told and does not reach the extension.
fn call(moment: Moment, member: &'static str) {
    Python::try_attach(|py| {
        // The functions are objects of the main interpreter, and called for what its modules do.
        if !in_main_interpreter(py) {
            return;
        }
        let function = {
            let functions = functions();
            let function = match moment {
                Moment::Enter => &functions.enter,
                Moment::Exit => &functions.exit,
            };
            function.as_ref().map(|function| function.clone_ref(py))
        };
        let Some(function) = function else { return };
        let pending = PyErr::take(py);
        if let Err(error) = function.call1(py, (member,)) {
            error.write_unraisable(py, Some(function.bind(py)));
        }
        if let Some(pending) = pending {
            pending.restore(py);
        }
    });
}

/// Lets the package read the environment, and write a report when the process ends. Called when the environment asks for trace mode; the
/// first call counts.
pub(crate) fn watch(py: Python<'_>) -> PyResult<()> {
    static WATCHED: PyOnceLock<()> = PyOnceLock::new();
    WATCHED.get_or_try_init(py, || -> PyResult<()> {
        py.import(intern!(py, "hpy.trace._environment"))?.call_method0(intern!(py, "apply"))?;
        Ok(())
    })?;
    Ok(())
}
