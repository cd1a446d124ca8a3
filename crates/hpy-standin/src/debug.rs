//! What `hpy.universal._debug` asks of debug mode. The decisions, hooks and classes are its own, in Python.

use core::num::NonZeroU32;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use hpy_abi::{HPy, HPyContext};
use hpy_debug::findings::{CLASSES, Hook, LEAK};
use hpy_debug::report::{Finding, Host, Verdict, set_host};
use hpy_debug::{Frame, Handle, Resource};

use crate::module::DECIDE;
use crate::python::Python;

/// The host's context.
static CONTEXT: AtomicPtr<HPyContext> = AtomicPtr::new(ptr::null_mut());

/// Lets findings go to a Python function, which gets the code, the message, the same for a terminal, and which hook is meant; its
/// result is "go on", "fail" or "abort".
pub(crate) fn start(py: Python, args: &[HPy]) -> HPy {
    let &[decide] = args else { return py.type_error(c"debug_start(decide)") };
    py.store(&DECIDE, decide);
    CONTEXT.store(py.context(), Ordering::Release);
    set_host(Host { decide: self::decide, note_line, line });
    py.none()
}

fn decide(finding: &Finding) -> Verdict {
    let hook = match finding.class.hook {
        Hook::Handle => "handle",
        Hook::Builder => "builder",
        Hook::Soft => "soft",
        Hook::None => return Verdict::Abort,
    };
    // SAFETY: findings with a hook are made while a function of the API runs, attached to the interpreter.
    let py = unsafe { Python::new(CONTEXT.load(Ordering::Acquire)) };
    let texts = [finding.class.code, &finding.message(), &finding.message_for_stderr(), hook];
    match py.ask(&DECIDE, &texts).as_deref() {
        Some("go on") => Verdict::GoOn,
        Some("fail") => Verdict::Fail,
        _ => Verdict::Abort,
    }
}

/// The running line of Python cannot be asked for without running Python.
fn note_line() -> Option<NonZeroU32> {
    None
}

fn line(_: NonZeroU32) -> Option<Frame> {
    None
}

/// `debug_generation()`: begins one.
pub(crate) fn generation(py: Python, _args: &[HPy]) -> HPy {
    py.int(hpy_debug::new_generation())
}

/// `debug_handles(open, generation)`: the numbers of handles.
pub(crate) fn handles(py: Python, args: &[HPy]) -> HPy {
    let &[open, generation] = args else {
        return py.type_error(c"debug_handles(open, generation)");
    };
    let Some(generation) = py.number(generation) else { return HPy::NULL };
    let handles = if py.is_true(open) {
        hpy_debug::open_handles(generation)
    } else {
        hpy_debug::closed_handles(generation)
    };
    py.list(handles.iter().map(|handle| py.int(handle.id() as u64)))
}

fn handle(py: Python, number: HPy) -> Option<Handle> {
    py.number(number).and_then(|number| Handle::from_id(usize::try_from(number).ok()?))
}

/// `debug_handle(number)`: closed, the size of copies or None, history, frames, traced, in use.
pub(crate) fn handle_facts(py: Python, args: &[HPy]) -> HPy {
    let Some(handle) = args.first().and_then(|&number| handle(py, number)) else {
        return py.type_error(c"debug_handle(number)");
    };
    let copied = handle.copied().map_or_else(|| py.none(), |size| py.int(size as u64));
    py.tuple([
        py.bool(handle.is_closed()),
        copied,
        py.str(&handle.history()),
        frames(py, &handle.frames()),
        py.bool(handle.is_traced()),
        py.bool(handle.may_be_in_use()),
        py.str(LEAK.code),
    ])
}

/// `debug_object(number)`: the object in a tuple, or an empty tuple if the handle is closed.
pub(crate) fn object(py: Python, args: &[HPy]) -> HPy {
    let Some(handle) = args.first().and_then(|&number| handle(py, number)) else {
        return py.type_error(c"debug_object(number)");
    };
    // SAFETY: the interpreter is attached.
    match unsafe { handle.duplicate() } {
        Some(object) => py.tuple([object]),
        None => py.tuple([]),
    }
}

/// `debug_close(number)`: closes in the extension's place.
pub(crate) fn close(py: Python, args: &[HPy]) -> HPy {
    let Some(handle) = args.first().and_then(|&number| handle(py, number)) else {
        return py.type_error(c"debug_close(number)");
    };
    // SAFETY: the interpreter is attached; that the extension does not use the handle, the caller has to know.
    unsafe { handle.force_close() };
    py.none()
}

/// `debug_resources(generation)`: kind, code, history, frames, traced, in use, of each.
pub(crate) fn resources(py: Python, args: &[HPy]) -> HPy {
    let Some(generation) = args.first().and_then(|&generation| py.number(generation)) else {
        return HPy::NULL;
    };
    let facts = |one: &Resource| {
        py.tuple([
            py.str(one.kind()),
            py.str(one.class().code),
            py.str(&one.history()),
            frames(py, &one.frames()),
            py.bool(one.is_traced()),
            py.bool(one.may_be_in_use()),
        ])
    };
    py.list(hpy_debug::open_resources(generation).iter().map(facts))
}

/// Function, file and line of each.
fn frames(py: Python, frames: &[Frame]) -> HPy {
    let or_none = |text: Option<&str>| text.map_or_else(|| py.none(), |text| py.str(text));
    py.list(frames.iter().map(|frame| {
        let file = frame.file.as_ref().map(|file| file.to_string_lossy());
        let line = frame.line.map_or_else(|| py.none(), |line| py.int(line.into()));
        py.tuple([or_none(frame.function.as_deref()), or_none(file.as_deref()), line])
    }))
}

/// `debug_limits(closed, copies)`: sets those that are not None; both.
pub(crate) fn limits(py: Python, args: &[HPy]) -> HPy {
    let &[closed, copies] = args else { return py.type_error(c"debug_limits(closed, copies)") };
    if let Some(limit) = py.number_or_none(closed) {
        hpy_debug::set_closed_limit(limit as usize);
    }
    if let Some(limit) = py.number_or_none(copies) {
        hpy_debug::set_copies_limit(limit as usize);
    }
    py.tuple([py.int(hpy_debug::closed_limit() as u64), py.int(hpy_debug::copies_limit() as u64)])
}

/// `debug_traces(limit, every)`
pub(crate) fn traces(py: Python, args: &[HPy]) -> HPy {
    let &[limit, every] = args else { return py.type_error(c"debug_traces(limit, every)") };
    let (Some(limit), Some(every)) = (py.number(limit), py.number(every)) else {
        return HPy::NULL;
    };
    hpy_debug::set_traces(limit as usize, every as u32);
    py.none()
}

/// `debug_faults()`
pub(crate) fn faults(py: Python, _args: &[HPy]) -> HPy {
    hpy_debug::report_faults();
    py.none()
}

/// `debug_classes()`: code, title and advice of each class of findings.
pub(crate) fn classes(py: Python, _args: &[HPy]) -> HPy {
    py.list(
        CLASSES
            .iter()
            .map(|class| py.tuple([py.str(class.code), py.str(class.title), py.str(class.advice)])),
    )
}
