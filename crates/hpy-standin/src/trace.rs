//! What `hpy.universal._trace` asks of trace mode.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use hpy_abi::{HPy, HPyContext};
use hpy_trace::{FUNCTION_TABLE, FunctionUse, Moment, Use, What};

use crate::module::WATCH;
use crate::python::Python;

/// The host's context.
static CONTEXT: AtomicPtr<HPyContext> = AtomicPtr::new(ptr::null_mut());

/// `trace_sums()`: the context's member, calls and nanoseconds of each function.
pub(crate) fn sums(py: Python, _args: &[HPy]) -> HPy {
    py.list(FUNCTION_TABLE.iter().zip(hpy_trace::sums()).map(|(function, (calls, duration))| {
        py.tuple([py.str(function.member), py.int(calls), py.int(duration)])
    }))
}

/// `trace_clock()`: ticks of a second, and the nanoseconds of reading it, in thousandths.
pub(crate) fn clock(py: Python, _args: &[HPy]) -> HPy {
    let thousandths = (hpy_trace::reading_time() * 1000.0).round() as u64;
    py.tuple([py.int(hpy_trace::frequency()), py.int(thousandths)])
}

/// `trace_timing(on)`: sets it, unless it is None; whether calls are timed.
pub(crate) fn timing(py: Python, args: &[HPy]) -> HPy {
    let &[on] = args else { return py.type_error(c"trace_timing(on)") };
    if !py.is_none(on) {
        hpy_trace::set_timing(py.is_true(on));
    }
    py.bool(hpy_trace::is_timing())
}

fn numbers(py: Python, calls: Use) -> HPy {
    let Use { calls, errors, total, own } = calls;
    py.tuple([py.int(calls), py.int(errors), py.int(total), py.int(own)])
}

fn function(py: Python, one: &FunctionUse) -> HPy {
    py.tuple([py.str(FUNCTION_TABLE[one.number].name), numbers(py, one.calls)])
}

/// `trace_snapshot()`: the functions of the API, and those of extensions.
pub(crate) fn snapshot(py: Python, _args: &[HPy]) -> HPy {
    let snapshot = hpy_trace::snapshot();
    let entries = snapshot.entries.iter().map(|entry| {
        let opens = entry.functions.iter().filter(|one| FUNCTION_TABLE[one.number].opens);
        let opened = opens.map(|one| one.calls.calls - one.calls.errors).sum();
        let texts = entry.texts.iter().map(|text| {
            let name = FUNCTION_TABLE[text.function].name;
            py.tuple([py.str(name), py.str(&text.text), py.int(text.count)])
        });
        py.tuple([
            py.str(&entry.module),
            py.str(&entry.name),
            py.bool(entry.outside),
            numbers(py, entry.calls),
            py.list(entry.functions.iter().map(|one| function(py, one))),
            py.int(opened),
            py.list(texts),
        ])
    });
    let functions = snapshot.functions.iter().map(|one| function(py, one));
    py.tuple([py.list(functions), py.list(entries)])
}

/// `trace_record(limit)`: begins to record so many calls of each thread.
pub(crate) fn record(py: Python, args: &[HPy]) -> HPy {
    let Some(limit) = args.first().and_then(|&limit| py.number(limit)) else { return HPy::NULL };
    hpy_trace::record_events(limit as usize);
    py.none()
}

/// `trace_recording()`: what was recorded, what found no place, and the limit.
pub(crate) fn recording(py: Python, _args: &[HPy]) -> HPy {
    let recording = hpy_trace::recording();
    let events = recording.events.iter().map(|event| {
        let (module, name) = match &event.what {
            What::Function(number) => (py.none(), FUNCTION_TABLE[*number].name),
            What::Entry(module, name) => (py.str(module), name.as_str()),
        };
        py.tuple([
            module,
            py.str(name),
            py.int(event.thread),
            py.int(event.start),
            py.int(event.duration),
        ])
    });
    py.tuple([py.list(events), py.int(recording.dropped), py.int(recording.limit as u64)])
}

/// `trace_watch(function)`: lets it be called before and after each call of the API, with "enter" or "exit" and the context's member;
/// None ends it. The function must not raise: there may be an exception already, which no function of the API puts aside.
pub(crate) fn watch(py: Python, args: &[HPy]) -> HPy {
    let &[function] = args else { return py.type_error(c"trace_watch(function)") };
    py.store(&WATCH, function);
    CONTEXT.store(py.context(), Ordering::Release);
    hpy_trace::set_hook((!py.is_none(function)).then_some(call));
    py.none()
}

fn call(moment: Moment, member: &'static str) {
    let moment = match (moment, member) {
        // Python cannot be called at these moments, and there is no way to ask.
        (Moment::Exit, "ctx_LeavePythonExecution") => return,
        (Moment::Enter, "ctx_ReenterPythonExecution") => return,
        (Moment::Enter, _) => "enter",
        (Moment::Exit, _) => "exit",
    };
    // SAFETY: extensions call the API attached to the interpreter, but for the two moments above.
    let py = unsafe { Python::new(CONTEXT.load(Ordering::Acquire)) };
    py.tell(&WATCH, &[moment, member]);
}
