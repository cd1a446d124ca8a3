//! The Python API of debug mode: `hpy.universal._debug`.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hpy_debug::findings::{CLASSES, Hook, LEAK};
use hpy_debug::report::{Finding, Host, Verdict, copy_last_message_to, set_host};
use hpy_debug::{Action, Frame};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::in_main_interpreter;

/// What debug mode remembers of handles, and what it does when it finds something. The package hpy.debug is
/// made of it.
#[pymodule(gil_used = false)]
pub(crate) mod _debug {
    #[pymodule_export]
    use super::{
        DebugHandle, copy_last_message, describe, get_closed_handles,
        get_closed_handles_queue_max_size, get_open_handles, get_protected_raw_data_max_size,
        last_finding, new_generation, report_faults, set_action, set_closed_handles_queue_max_size,
        set_handle_stack_trace_limit, set_on_invalid_builder_handle, set_on_invalid_handle,
        set_protected_raw_data_max_size, take_findings,
    };
    #[pymodule_export]
    use crate::debug_resources::{DebugResource, get_open_resources};
    #[pymodule_export]
    use crate::exit::{end_with_failure, report_leaks_at_exit};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.setattr("__name__", "hpy.universal._debug")?;
        let modules = module.py().import("sys")?.getattr("modules")?;
        modules.set_item("hpy.universal._debug", module)
    }
}

/// A handle of an extension, open or closed: a live view, which shows another handle when debug mode uses its memory
/// again.
#[pyclass(frozen, eq, hash, module = "hpy.universal._debug")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct DebugHandle(hpy_debug::Handle);

#[pymethods]
impl DebugHandle {
    /// The object; ValueError if the handle is closed, because the object may be gone.
    #[getter]
    fn obj(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        // SAFETY: the interpreter is attached; the result is a new reference or null.
        let object = unsafe {
            let object = self.0.object();
            object.and_then(|object| Bound::from_owned_ptr_or_opt(py, object.cast()))
        };
        object.map(Bound::unbind).ok_or_else(|| {
            PyValueError::new_err("the handle is closed, and its object may be gone")
        })
    }

    /// A number that no other handle has at the same time.
    #[getter]
    fn id(&self) -> usize {
        self.0.id()
    }

    /// Whether the extension may not use the handle any more.
    #[getter]
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// How many bytes are kept of the texts that the extension got from the handle; -1 if there are none.
    #[getter]
    fn raw_data_size(&self) -> isize {
        self.0.copied().map_or(-1, usize::cast_signed)
    }

    /// The code of the class of findings that it is one of, if it is never closed.
    #[getter]
    fn code(&self) -> &'static str {
        LEAK.code
    }

    /// Where the handle was opened and closed, if that was captured; else an empty text.
    #[getter]
    fn history(&self) -> String {
        self.0.history()
    }

    /// What it is, for messages.
    #[getter]
    fn kind(&self) -> &'static str {
        "handle"
    }

    /// Where the handle was opened: function, file and line of each C frame, the innermost first. What is not known is
    /// None.
    #[getter]
    fn r#where(&self) -> Vec<Location> {
        self.0.frames().into_iter().map(location).collect()
    }

    /// The line of Python code that had called the extension when the handle was opened: function, file and line; None if it
    /// was not captured.
    #[getter]
    fn caller(&self) -> Option<Location> {
        self.0.caller().map(location)
    }

    /// Whether `where` has the lines of the calls; else it has at most the function that Python called.
    #[getter]
    fn is_traced(&self) -> bool {
        self.0.is_traced()
    }

    /// Whether a call of the handle's extension runs, which may still close the handle.
    #[getter]
    fn _may_be_in_use(&self) -> bool {
        self.0.may_be_in_use()
    }

    /// Close the handle in the extension's place. Only for handles that were forgotten.
    fn _force_close(&self) {
        // SAFETY: the interpreter is attached; that the extension does not use the handle, the caller has to know.
        unsafe { self.0.force_close() };
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let what = match self.obj(py) {
            Ok(object) => match object.bind(py).repr() {
                Ok(repr) => format!("for {repr}"),
                Err(_) => "for an object whose repr raises an exception".to_owned(),
            },
            Err(_) => "CLOSED".to_owned(),
        };
        format!("<DebugHandle {:#x} {what}>{}", self.0.id(), self.0.history())
    }
}

/// A function, its file, and a line.
pub(crate) type Location = (Option<String>, Option<OsString>, Option<u32>);

pub(crate) fn location(frame: Frame) -> Location {
    (frame.function, frame.file.map(PathBuf::into_os_string), frame.line)
}

/// Begin a generation and return its number: handles that are opened from now on belong to it.
#[pyfunction]
fn new_generation() -> u64 {
    hpy_debug::new_generation()
}

/// The open handles of a generation and those after it, in the order in which they were opened.
#[pyfunction]
fn get_open_handles(generation: u64) -> Vec<DebugHandle> {
    hpy_debug::open_handles(generation).into_iter().map(DebugHandle).collect()
}

/// The closed handles of a generation and those after it that are remembered, the first that was closed first.
#[pyfunction]
#[pyo3(signature = (generation=0))]
fn get_closed_handles(generation: u64) -> Vec<DebugHandle> {
    hpy_debug::closed_handles(generation).into_iter().map(DebugHandle).collect()
}

/// How many closed handles are remembered.
#[pyfunction]
fn get_closed_handles_queue_max_size() -> usize {
    hpy_debug::closed_limit()
}

/// Set how many closed handles are remembered; a late use of one that is forgotten is found, too, but not what it
/// was.
#[pyfunction]
fn set_closed_handles_queue_max_size(size: isize) -> PyResult<()> {
    hpy_debug::set_closed_limit(not_negative(size)?);
    Ok(())
}

/// How many bytes of texts closed handles keep, so that reading one is caught.
#[pyfunction]
fn get_protected_raw_data_max_size() -> usize {
    hpy_debug::copies_limit()
}

/// Set how many bytes of texts closed handles keep.
#[pyfunction]
fn set_protected_raw_data_max_size(size: isize) -> PyResult<()> {
    hpy_debug::set_copies_limit(not_negative(size)?);
    Ok(())
}

/// Set how many C frames are captured when a handle is opened or closed; None or 0 captures nothing. Of `every`
/// handles one is traced, by chance.
#[pyfunction]
#[pyo3(signature = (limit, every=1))]
fn set_handle_stack_trace_limit(limit: Option<isize>, every: u32) -> PyResult<()> {
    if every == 0 {
        return Err(PyValueError::new_err("every must be 1 or more"));
    }
    hpy_debug::set_traces(not_negative(limit.unwrap_or(0))?, every);
    Ok(())
}

fn not_negative(number: isize) -> PyResult<usize> {
    usize::try_from(number).map_err(|_| PyValueError::new_err("the number must not be negative"))
}

/// From now on, say what is wrong when a fault ends the process because memory that an extension got from a handle is read too late
/// or written to. Where the environment asks for debug mode, it is so from the beginning.
#[pyfunction]
#[pyo3(name = "_report_faults")]
fn report_faults() {
    hpy_debug::report_faults();
}

/// Set what is called, without arguments, for each invalid use of a handle, instead of ending the process; None
/// ends the process again. The extension goes on afterwards, which may crash. last_finding() says what it was.
#[pyfunction]
#[pyo3(signature = (hook))]
fn set_on_invalid_handle(hook: &Bound<'_, PyAny>) -> PyResult<()> {
    let new = callable(hook)?;
    // What was there before may run Python code when it goes: not under the lock.
    let before = std::mem::replace(&mut settings().on_handle, new);
    drop(before);
    Ok(())
}

/// Set what is called, without arguments, for each use of a builder that has ended, instead of ending the process;
/// None ends the process again.
#[pyfunction]
#[pyo3(signature = (hook))]
fn set_on_invalid_builder_handle(hook: &Bound<'_, PyAny>) -> PyResult<()> {
    let new = callable(hook)?;
    let before = std::mem::replace(&mut settings().on_builder, new);
    drop(before);
    Ok(())
}

fn callable(hook: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    if hook.is_none() {
        return Ok(None);
    }
    if !hook.is_callable() {
        return Err(PyTypeError::new_err("the hook must be callable, or None"));
    }
    Ok(Some(hook.clone().unbind()))
}

/// What was found last: its code and the whole message; None if nothing was found yet.
#[pyfunction]
fn last_finding() -> Option<(&'static str, String)> {
    settings().last.as_ref().map(|finding| (finding.class.code, finding.message()))
}

/// The findings since the last call, the oldest first: the message of each, and whether it is only a warning. Those
/// that a hook was called for are not among them. The last 100 are kept.
#[pyfunction]
#[pyo3(name = "_take_findings")]
fn take_findings() -> Vec<(String, bool)> {
    let findings = std::mem::take(&mut settings().untold);
    let is_soft = |finding: &Finding| finding.class.hook == Hook::Soft;
    findings.iter().map(|finding| (finding.message(), is_soft(finding))).collect()
}

/// Set what is done about a finding if no hook is set: "abort", "warn" or "raise", as in the environment variable
/// HPY_DEBUG_ACTION.
#[pyfunction]
fn set_action(action: &str) -> PyResult<()> {
    let action = Action::parse(action).ok_or_else(|| {
        PyValueError::new_err(format!("Unknown action {action:?}. {}", Action::NAMES))
    })?;
    settings().action = Some(action);
    Ok(())
}

/// Let the message of a finding that ends the process go to this file descriptor, too: for programs that have put
/// standard error elsewhere. The descriptor belongs to debug mode then. None ends it.
#[pyfunction]
#[pyo3(name = "_copy_last_message")]
fn copy_last_message(descriptor: Option<i32>) {
    #[cfg(unix)]
    copy_last_message_to(descriptor.map(|descriptor| {
        use std::os::fd::FromRawFd;
        // SAFETY: the caller gives the descriptor away.
        unsafe { std::fs::File::from_raw_fd(descriptor) }
    }));
    #[cfg(not(unix))]
    let _ = (descriptor, copy_last_message_to);
}

/// The title of a class of findings, and how to mend it, by its code; None if there is no such class.
#[pyfunction]
#[pyo3(name = "_describe")]
fn describe(code: &str) -> Option<(&'static str, &'static str)> {
    let class = CLASSES.iter().find(|class| class.code == code)?;
    Some((class.title, class.advice))
}

/// The action that was asked for, if one was.
pub(crate) fn action() -> Option<Action> {
    settings().action
}

/// What Python code has set, and what it may ask for.
struct Settings {
    on_handle: Option<Py<PyAny>>,
    on_builder: Option<Py<PyAny>>,
    /// The environment variable `HPY_DEBUG_ACTION`, or what was set since.
    action: Option<Action>,
    last: Option<Finding>,
    untold: VecDeque<Finding>,
}

/// How many findings are kept until they are asked for.
const UNTOLD: usize = 100;

fn settings() -> MutexGuard<'static, Settings> {
    static SETTINGS: Mutex<Settings> = Mutex::new(Settings {
        on_handle: None,
        on_builder: None,
        action: None,
        last: None,
        untold: VecDeque::new(),
    });
    SETTINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the environment, and lets findings come here. Only the first call that succeeds counts.
pub(crate) fn start() -> PyResult<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if *started {
        return Ok(());
    }
    let invalid = |name: &str, value: &str, advice: &str| {
        PyValueError::new_err(format!("Invalid environment variable {name}={value:?}. {advice}"))
    };
    if let Some(name) = variable("HPY_DEBUG_ACTION") {
        let action =
            Action::parse(&name).ok_or_else(|| invalid("HPY_DEBUG_ACTION", &name, Action::NAMES));
        settings().action = Some(action?);
    }
    if let Some(traces) = variable("HPY_DEBUG_TRACES") {
        const ADVICE: &str = "Use the number of C frames to capture for each handle (16), \
            the same for one handle in so many (16/100), or 0.";
        let (limit, every) =
            parse_traces(&traces).ok_or_else(|| invalid("HPY_DEBUG_TRACES", &traces, ADVICE))?;
        hpy_debug::set_traces(limit, every);
    }
    let mode = variable("HPY").is_some_and(|mode| mode.to_lowercase().contains("debug"));
    if mode || ["HPY_DEBUG_ACTION", "HPY_DEBUG_TRACES"].iter().any(|name| variable(name).is_some())
    {
        hpy_debug::report_faults();
    }
    set_host(Host { decide, note_line: hpy_cpython::note_line, line });
    *started = true;
    Ok(())
}

/// The number of frames, and of how many handles one is traced: `16/100`, or `16` for every handle.
fn parse_traces(text: &str) -> Option<(usize, u32)> {
    let (limit, every) = text.split_once('/').unwrap_or((text, "1"));
    let every = every.trim().parse().ok().filter(|&every| every > 0)?;
    Some((limit.trim().parse().ok()?, every))
}

/// An environment variable that is set, and not to nothing.
fn variable(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|v| !v.is_empty())
}

/// Decides how to go on after a finding.
fn decide(finding: &Finding) -> Verdict {
    let decide = |py: Python<'_>| {
        let mut settings = settings();
        settings.last = Some(finding.clone());
        let (hook, default) = match finding.class.hook {
            Hook::Handle => (settings.on_handle.as_ref(), Action::Abort),
            Hook::Builder => (settings.on_builder.as_ref(), Action::Abort),
            Hook::Soft => (settings.on_handle.as_ref(), Action::Warn),
            Hook::None => return Verdict::Abort,
        };
        // Hooks are objects of the main interpreter.
        if let Some(hook) = hook.filter(|_| in_main_interpreter(py)) {
            let hook = hook.clone_ref(py);
            drop(settings);
            call(hook.bind(py));
            return Verdict::GoOn;
        }
        if settings.untold.len() == UNTOLD {
            settings.untold.pop_front();
        }
        settings.untold.push_back(finding.clone());
        let action = settings.action.unwrap_or(default);
        drop(settings);
        match action {
            Action::Warn => {
                eprintln!("{}", finding.message_for_stderr());
                Verdict::GoOn
            }
            Action::Raise => Verdict::Fail,
            Action::Abort => Verdict::Abort,
        }
    };
    // When the interpreter ends, there is nobody left to ask.
    Python::try_attach(decide).unwrap_or(Verdict::Abort)
}

/// The line of Python code that was noted under a number.
fn line(number: NonZeroU32) -> Option<Frame> {
    // A thread that is not attached must not wait for it: the thread that is may wait for this one.
    if !hpy_cpython::is_attached() {
        return None;
    }
    // SAFETY: the interpreter is attached.
    let line = unsafe { hpy_cpython::line(number) }?;
    Python::try_attach(|py| {
        let pending = PyErr::take(py);
        // SAFETY: the code object is valid for ever, and the interpreter is attached.
        let (code, number) =
            unsafe { (Bound::from_borrowed_ptr(py, line.code().cast()), line.number()) };
        let frame = frame(&code, number);
        if let Some(pending) = pending {
            pending.restore(py);
        }
        frame.ok()
    })?
}

fn frame(code: &Bound<'_, PyAny>, line: i32) -> PyResult<Frame> {
    // The name with that of the class is there since Python 3.11.
    let name = code.getattr("co_qualname").or_else(|_| code.getattr("co_name"))?;
    Ok(Frame {
        function: Some(name.extract()?),
        file: Some(code.getattr("co_filename")?.extract()?),
        line: u32::try_from(line).ok(),
    })
}

/// Calls a hook. The extension does not expect an exception at this place.
fn call(hook: &Bound<'_, PyAny>) {
    let py = hook.py();
    let pending = PyErr::take(py);
    if let Err(error) = hook.call0() {
        error.write_unraisable(py, Some(hook));
    }
    if let Some(pending) = pending {
        pending.restore(py);
    }
}
