//! The Python API of debug mode: `hpy.universal._debug`.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use hpy_debug::findings::Hook;
use hpy_debug::report::{Finding, Host, Verdict, set_host};
use hpy_debug::{Action, Frame};
use parking_lot::Mutex;
use rustpython_vm::builtins::PyCode;
use rustpython_vm::vm::thread::try_with_current_vm;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyRef, PyResult, VirtualMachine};

use crate::{error, lock};

#[rustpython_vm::pymodule(name = "hpy.universal._debug")]
pub(crate) mod _debug {
    use core::ptr::NonNull;

    use hpy_debug::Frame;
    use hpy_debug::findings::{CLASSES, LEAK};
    use rustpython_vm::builtins::PyTupleRef;
    use rustpython_vm::function::{OptionalArg, PyComparisonValue};
    use rustpython_vm::types::{Comparable, Hashable, PyComparisonOp, Representable};
    use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

    use super::{Action, callable, settings};
    use crate::lock;

    /// A handle of an extension, open or closed: a live view.
    #[pyattr]
    #[pyclass(name = "DebugHandle", module = "hpy.universal._debug")]
    #[derive(PyPayload)]
    struct DebugHandle(hpy_debug::Handle);

    impl core::fmt::Debug for DebugHandle {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            write!(f, "DebugHandle {:#x}", self.0.id())
        }
    }

    impl DebugHandle {
        fn object(&self, vm: &VirtualMachine) -> Option<PyObjectRef> {
            // SAFETY: the lock is held; the result is a new reference or null.
            lock::enter(vm, || unsafe {
                let object = NonNull::new(self.0.object()?.cast::<PyObject>())?;
                Some(PyObjectRef::from_raw(object))
            })
        }
    }

    #[pyclass(with(Comparable, Hashable, Representable), flags(DISALLOW_INSTANTIATION))]
    impl DebugHandle {
        #[pygetset]
        fn obj(this: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            this.object(vm).ok_or_else(|| {
                vm.new_value_error("the handle is closed, and its object may be gone")
            })
        }

        #[pygetset]
        fn id(this: &Py<Self>) -> usize {
            this.0.id()
        }

        #[pygetset]
        fn is_closed(this: &Py<Self>) -> bool {
            this.0.is_closed()
        }

        #[pygetset]
        fn raw_data_size(this: &Py<Self>) -> isize {
            this.0.copied().map_or(-1, usize::cast_signed)
        }

        #[pygetset]
        fn code(_this: &Py<Self>) -> &'static str {
            LEAK.code
        }

        #[pygetset]
        fn history(this: &Py<Self>) -> String {
            this.0.history()
        }

        #[pygetset]
        fn kind(_this: &Py<Self>) -> &'static str {
            "handle"
        }

        #[pygetset(name = "where")]
        fn where_(this: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let frames = this.0.frames().into_iter().map(|frame| location(frame, vm).into());
            Ok(vm.ctx.new_list(frames.collect()).into())
        }

        #[pygetset]
        fn caller(this: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            this.0.caller().map_or_else(|| vm.ctx.none(), |frame| location(frame, vm).into())
        }

        #[pygetset]
        fn is_traced(this: &Py<Self>) -> bool {
            this.0.is_traced()
        }

        #[pygetset]
        fn _may_be_in_use(this: &Py<Self>) -> bool {
            this.0.may_be_in_use()
        }

        /// Close the handle in the extension's place. Only for handles that were forgotten.
        #[pymethod]
        fn _force_close(this: &Py<Self>, vm: &VirtualMachine) {
            // SAFETY: the lock is held; that the extension does not use the handle, the caller has to know.
            lock::enter(vm, || unsafe { this.0.force_close() });
        }
    }

    impl Comparable for DebugHandle {
        fn cmp(
            this: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            _vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            op.eq_only(|| {
                Ok(match other.downcast_ref::<Self>() {
                    Some(other) => (this.0 == other.0).into(),
                    None => PyComparisonValue::NotImplemented,
                })
            })
        }
    }

    impl Hashable for DebugHandle {
        fn hash(this: &Py<Self>, _vm: &VirtualMachine) -> PyResult<i64> {
            Ok(this.0.id() as i64 >> 3)
        }
    }

    impl Representable for DebugHandle {
        fn repr_str(this: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
            let what = match this.object(vm) {
                Some(object) => match object.repr(vm) {
                    Ok(repr) => format!("for {}", repr.to_string_lossy()),
                    Err(_) => "for an object whose repr raises an exception".to_owned(),
                },
                None => "CLOSED".to_owned(),
            };
            Ok(format!("<DebugHandle {:#x} {what}>{}", this.0.id(), this.0.history()))
        }
    }

    /// Function, file and line; what is not known is None.
    fn location(frame: Frame, vm: &VirtualMachine) -> PyTupleRef {
        let text = |text: Option<String>| {
            text.map_or_else(|| vm.ctx.none(), |text| vm.ctx.new_str(text).into())
        };
        let file = frame.file.map(|file| file.to_string_lossy().into_owned());
        let line = frame.line.map_or_else(|| vm.ctx.none(), |line| vm.ctx.new_int(line).into());
        vm.ctx.new_tuple(vec![text(frame.function), text(file), line])
    }

    /// A builder, tracker or buffer of an extension that has not ended.
    #[pyattr]
    #[pyclass(name = "DebugResource", module = "hpy.universal._debug")]
    #[derive(PyPayload)]
    struct DebugResource(hpy_debug::Resource);

    impl core::fmt::Debug for DebugResource {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            write!(f, "DebugResource {}", self.0.kind())
        }
    }

    impl Representable for DebugResource {
        fn repr_str(this: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!("<DebugResource {}>{}", this.0.kind(), this.0.history()))
        }
    }

    #[pyclass(with(Representable), flags(DISALLOW_INSTANTIATION))]
    impl DebugResource {
        #[pygetset]
        fn kind(this: &Py<Self>) -> &'static str {
            this.0.kind()
        }

        #[pygetset]
        fn code(this: &Py<Self>) -> &'static str {
            this.0.class().code
        }

        #[pygetset]
        fn history(this: &Py<Self>) -> String {
            this.0.history()
        }

        #[pygetset(name = "where")]
        fn where_(this: &Py<Self>, vm: &VirtualMachine) -> PyResult {
            let frames = this.0.frames().into_iter().map(|frame| location(frame, vm).into());
            Ok(vm.ctx.new_list(frames.collect()).into())
        }

        #[pygetset]
        fn caller(this: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
            this.0.caller().map_or_else(|| vm.ctx.none(), |frame| location(frame, vm).into())
        }

        #[pygetset]
        fn is_traced(this: &Py<Self>) -> bool {
            this.0.is_traced()
        }

        #[pygetset]
        fn _may_be_in_use(this: &Py<Self>) -> bool {
            this.0.may_be_in_use()
        }
    }

    /// The builders, trackers and buffers of a generation and those after it that have not ended.
    #[pyfunction]
    fn get_open_resources(generation: u64, vm: &VirtualMachine) -> PyResult {
        let open = lock::enter(vm, || hpy_debug::open_resources(generation)).into_iter();
        let objects = open.map(|resource| DebugResource(resource).into_pyobject(vm));
        Ok(vm.ctx.new_list(objects.collect()).into())
    }

    /// Let the message of a finding that ends the process go to this file descriptor, too. None ends it.
    #[pyfunction]
    fn _copy_last_message(descriptor: Option<i32>) {
        hpy_debug::report::copy_last_message_to(descriptor.map(|descriptor| {
            use std::os::fd::FromRawFd;
            // SAFETY: the caller gives the descriptor away.
            unsafe { std::fs::File::from_raw_fd(descriptor) }
        }));
    }

    /// Set whether leaks are told when the process ends, if the environment asked for debug mode.
    #[pyfunction]
    fn _report_leaks_at_exit(on: bool) {
        settings().tell_leaks = on;
    }

    /// Tell what is still open; registered with `atexit`.
    #[pyfunction]
    fn _tell_leaks(vm: &VirtualMachine) -> PyResult<()> {
        let open = lock::enter(vm, || {
            !hpy_debug::open_handles(0).is_empty() || !hpy_debug::open_resources(0).is_empty()
        });
        if settings().tell_leaks && open {
            vm.import("hpy.debug._exit", 0)?;
            let modules = vm.sys_module.get_attr("modules", vm)?;
            let exit = modules.get_item("hpy.debug._exit", vm)?;
            vm.call_method(&exit, "tell_leaks", ())?;
        }
        Ok(())
    }

    /// Let the process end as HPY_DEBUG_ACTION wants it after leaks were told.
    #[pyfunction]
    fn _end_with_failure() {
        let action = settings().action;
        settings().failure = action.filter(|action| *action != Action::Warn);
    }

    fn handles(handles: Vec<hpy_debug::Handle>, vm: &VirtualMachine) -> PyResult {
        let objects = handles.into_iter().map(|handle| DebugHandle(handle).into_pyobject(vm));
        Ok(vm.ctx.new_list(objects.collect()).into())
    }

    /// Begin a generation and return its number: handles that are opened from now on belong to it.
    #[pyfunction]
    fn new_generation() -> u64 {
        hpy_debug::new_generation()
    }

    /// The open handles of a generation and those after it, in the order in which they were opened.
    #[pyfunction]
    fn get_open_handles(generation: u64, vm: &VirtualMachine) -> PyResult {
        handles(lock::enter(vm, || hpy_debug::open_handles(generation)), vm)
    }

    /// The closed handles of a generation and those after it that are remembered.
    #[pyfunction]
    fn get_closed_handles(generation: OptionalArg<u64>, vm: &VirtualMachine) -> PyResult {
        let generation = generation.unwrap_or(0);
        handles(lock::enter(vm, || hpy_debug::closed_handles(generation)), vm)
    }

    fn not_negative(number: isize, vm: &VirtualMachine) -> PyResult<usize> {
        usize::try_from(number).map_err(|_| vm.new_value_error("the number must not be negative"))
    }

    /// How many closed handles are remembered.
    #[pyfunction]
    fn get_closed_handles_queue_max_size() -> usize {
        hpy_debug::closed_limit()
    }

    /// Set how many closed handles are remembered.
    #[pyfunction]
    fn set_closed_handles_queue_max_size(size: isize, vm: &VirtualMachine) -> PyResult<()> {
        hpy_debug::set_closed_limit(not_negative(size, vm)?);
        Ok(())
    }

    /// How many bytes of texts closed handles keep, so that reading one is caught.
    #[pyfunction]
    fn get_protected_raw_data_max_size() -> usize {
        hpy_debug::copies_limit()
    }

    /// Set how many bytes of texts closed handles keep.
    #[pyfunction]
    fn set_protected_raw_data_max_size(size: isize, vm: &VirtualMachine) -> PyResult<()> {
        hpy_debug::set_copies_limit(not_negative(size, vm)?);
        Ok(())
    }

    /// Set how many C frames are captured when a handle is opened or closed; None or 0 captures nothing.
    #[pyfunction]
    fn set_handle_stack_trace_limit(
        limit: Option<isize>,
        every: OptionalArg<u32>,
        vm: &VirtualMachine,
    ) -> PyResult<()> {
        let every = every.unwrap_or(1);
        if every == 0 {
            return Err(vm.new_value_error("every must be 1 or more"));
        }
        hpy_debug::set_traces(not_negative(limit.unwrap_or(0), vm)?, every);
        Ok(())
    }

    /// From now on, say what is wrong when a fault ends the process.
    #[pyfunction]
    fn _report_faults() {
        hpy_debug::report_faults();
    }

    /// Set what is called for each invalid use of a handle, instead of ending the process; None ends the process again.
    #[pyfunction]
    fn set_on_invalid_handle(hook: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let new = callable(hook, vm)?;
        let before = core::mem::replace(&mut settings().on_handle, new);
        drop(before);
        Ok(())
    }

    /// Set what is called for each use of a builder that has ended; None ends the process again.
    #[pyfunction]
    fn set_on_invalid_builder_handle(hook: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let new = callable(hook, vm)?;
        let before = core::mem::replace(&mut settings().on_builder, new);
        drop(before);
        Ok(())
    }

    /// What was found last: its code and the whole message; None if nothing was found yet.
    #[pyfunction]
    fn last_finding(vm: &VirtualMachine) -> PyObjectRef {
        let last = settings().last.as_ref().map(|finding| (finding.class.code, finding.message()));
        last.map_or_else(|| vm.ctx.none(), |last| vm.new_tuple(last).into())
    }

    /// The findings since the last call, the oldest first: the message of each, and whether it is only a warning.
    #[pyfunction]
    fn _take_findings(vm: &VirtualMachine) -> PyObjectRef {
        let findings = core::mem::take(&mut settings().untold);
        let told = findings.iter().map(|finding| {
            let soft = finding.class.hook == hpy_debug::findings::Hook::Soft;
            vm.new_tuple((finding.message(), soft)).into()
        });
        vm.ctx.new_list(told.collect()).into()
    }

    /// Set what is done about a finding if no hook is set: "abort", "warn" or "raise".
    #[pyfunction]
    fn set_action(action: rustpython_vm::builtins::PyStrRef, vm: &VirtualMachine) -> PyResult<()> {
        let name = action.to_string_lossy();
        let action = Action::parse(&name).ok_or_else(|| {
            vm.new_value_error(format!("Unknown action {name:?}. {}", Action::NAMES))
        })?;
        settings().action = Some(action);
        Ok(())
    }

    /// The title of a class of findings, and how to mend it, by its code; None if there is no such class.
    #[pyfunction]
    fn _describe(code: rustpython_vm::builtins::PyStrRef, vm: &VirtualMachine) -> PyObjectRef {
        let code = code.to_string_lossy();
        match CLASSES.iter().find(|class| class.code == code) {
            Some(class) => vm.new_tuple((class.title, class.advice)).into(),
            None => vm.ctx.none(),
        }
    }
}

/// What Python code has set, and what it may ask for.
struct Settings {
    on_handle: Option<PyObjectRef>,
    on_builder: Option<PyObjectRef>,
    /// The environment variable `HPY_DEBUG_ACTION`, or what was set since.
    action: Option<Action>,
    last: Option<Finding>,
    untold: VecDeque<Finding>,
    /// Whether leaks are told when the process ends.
    tell_leaks: bool,
    /// How the process is to end, if not as it would have.
    failure: Option<Action>,
}

/// How many findings are kept until they are asked for.
const UNTOLD: usize = 100;

static SETTINGS: Mutex<Settings> = Mutex::new(Settings {
    on_handle: None,
    on_builder: None,
    action: None,
    last: None,
    untold: VecDeque::new(),
    tell_leaks: true,
    failure: None,
});

/// Ends the process as `HPY_DEBUG_ACTION` wants it, if leaks were told: "raise" with exit status 1, "abort" with SIGABRT.
pub fn end() {
    match settings().failure {
        None | Some(Action::Warn) => {}
        Some(Action::Raise) => std::process::exit(1),
        Some(Action::Abort) => std::process::abort(),
    }
}

fn settings() -> parking_lot::MutexGuard<'static, Settings> {
    SETTINGS.lock()
}

fn callable(hook: PyObjectRef, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
    if vm.is_none(&hook) {
        return Ok(None);
    }
    if !hook.is_callable() {
        return Err(vm.new_type_error("the hook must be callable, or None"));
    }
    Ok(Some(hook))
}

/// Reads the environment, and lets findings come here.
///
/// # Errors
/// A variable that cannot be understood.
pub(crate) fn start(vm: &VirtualMachine) -> PyResult<()> {
    let invalid = |name: &str, value: &str, advice: &str| {
        let message = format!("Invalid environment variable {name}={value:?}. {advice}");
        vm.new_value_error(message)
    };
    if let Some(name) = variable("HPY_DEBUG_ACTION") {
        let action = Action::parse(&name)
            .ok_or_else(|| invalid("HPY_DEBUG_ACTION", &name, Action::NAMES))?;
        settings().action = Some(action);
    }
    if let Some(traces) = variable("HPY_DEBUG_TRACES") {
        const ADVICE: &str = "Use the number of C frames to capture for each handle (16), \
            the same for one handle in so many (16/100), or 0.";
        let (limit, every) =
            parse_traces(&traces).ok_or_else(|| invalid("HPY_DEBUG_TRACES", &traces, ADVICE))?;
        hpy_debug::set_traces(limit, every);
    }
    let mode = variable("HPY").is_some_and(|mode| mode.to_lowercase().contains("debug"));
    let asked = ["HPY_DEBUG_ACTION", "HPY_DEBUG_TRACES"].map(variable);
    if mode || asked.iter().any(Option::is_some) {
        hpy_debug::report_faults();
    }
    set_host(Host { decide, note_line, line });
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
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Decides how to go on after a finding.
fn decide(finding: &Finding) -> Verdict {
    let mut settings = settings();
    settings.last = Some(finding.clone());
    let (hook, default) = match finding.class.hook {
        Hook::Handle => (settings.on_handle.clone(), Action::Abort),
        Hook::Builder => (settings.on_builder.clone(), Action::Abort),
        Hook::Soft => (settings.on_handle.clone(), Action::Warn),
        Hook::None => return Verdict::Abort,
    };
    if let Some(hook) = hook {
        drop(settings);
        call(&hook);
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
}

/// Calls a hook. The extension does not expect an exception at this place.
fn call(hook: &PyObject) {
    let pending = error::take();
    lock::outside(|vm| {
        if let Err(exception) = hook.call((), vm) {
            vm.run_unraisable(exception, None, hook.to_owned());
        }
    });
    if let Some(pending) = pending {
        error::set(pending);
    }
}

/// The lines that were noted: code and line; and their numbers, by the address of the code and the line.
#[derive(Default)]
struct Lines {
    all: Vec<(PyRef<PyCode>, u32)>,
    numbers: BTreeMap<(usize, u32), NonZeroU32>,
}

static LINES: Mutex<Lines> = Mutex::new(Lines { all: Vec::new(), numbers: BTreeMap::new() });

/// How many lines are noted. Their code is never freed; a program that makes code without end must not fill the memory with it.
const MOST: usize = 1 << 16;

/// Notes the line of Python code that this thread runs, if it runs any.
fn note_line() -> Option<NonZeroU32> {
    let (code, line) = try_with_current_vm(|vm| {
        let frame = vm.current_frame()?;
        let line = u32::try_from(frame.lineno()).ok()?;
        Some((frame.iframe().code().to_owned(), line))
    })??;
    let mut lines = LINES.lock();
    let key = (code.get_id(), line);
    if let Some(&number) = lines.numbers.get(&key) {
        return Some(number);
    }
    if lines.all.len() == MOST {
        return None;
    }
    lines.all.push((code, line));
    let number = NonZeroU32::new(lines.all.len() as u32)?;
    lines.numbers.insert(key, number);
    Some(number)
}

/// The line of Python code that was noted under a number.
fn line(number: NonZeroU32) -> Option<Frame> {
    let lines = LINES.lock();
    let (code, line) = lines.all.get(number.get() as usize - 1)?;
    Some(Frame {
        function: Some(code.obj_name.as_str().to_owned()),
        file: Some(code.source_path().as_str().into()),
        line: Some(*line),
    })
}
