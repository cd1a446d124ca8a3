//! What is said about a finding, and how the program goes on.

use core::ffi::CStr;
use core::fmt::Write;
use core::num::NonZeroU32;
use std::ffi::CString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};

use hpy_abi::{HPy, HPyContext};

use crate::findings::Class;
use crate::paint::{Paint, Style};
use crate::trace::{Frame, Place, Trace};
use crate::view::Handle;
use crate::world::World;

/// The sentence that programs look for which were written for HPy 0.9.
pub(crate) const CLOSED: &str = "Invalid usage of already closed handle";
/// What closing or giving away a constant leads to.
pub(crate) const AS_IF_CLOSED: &str =
    "each later use of the constant would be an \"Invalid usage of already closed handle\"";
/// What is wrong with a handle that another module got.
pub(crate) const ANOTHER_MODULE: &str =
    "it was opened by another module, or another load of this one";
/// Who closes arguments.
pub(crate) const CALLER_CLOSES: &str = "the caller closes its arguments itself";

/// A bug that was found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of bug it is.
    pub class: &'static Class,
    /// The function of the API and its argument, or the like.
    pub place: String,
    /// What there is to say beyond the class; may be empty.
    pub detail: String,
    /// Where it was found.
    pub used: Place,
    /// Where the handle was opened, if handles are traced.
    pub opened: Place,
    /// Where the handle was closed, if handles are traced.
    pub closed: Place,
    /// The handle it is about, if it is one that was given out.
    pub handle: Option<Handle>,
    /// What the object is, if it is safe to look: its `repr`.
    pub object: Option<String>,
}

impl Finding {
    /// A finding that is about no handle.
    pub(crate) fn new(class: &'static Class, place: String, detail: &str) -> Self {
        let used = Trace::now().place();
        let (opened, closed, handle, object) = (Place::default(), Place::default(), None, None);
        Self { class, place, detail: detail.to_owned(), used, opened, closed, handle, object }
    }

    /// A finding about a handle.
    pub(crate) fn of_handle(class: &'static Class, place: String, detail: &str, h: HPy) -> Self {
        let handle = Handle::of(h);
        let (opened, closed) = handle.map(Handle::opened_and_closed).unwrap_or_default();
        // SAFETY: findings about handles are made while a function of the API runs, attached to the interpreter.
        let object = handle.and_then(|handle| unsafe { handle.repr() });
        Self { handle, opened, closed, object, ..Self::new(class, place, detail) }
    }

    /// The whole message: what, where, and how to mend it.
    pub fn message(&self) -> String {
        self.text(Paint::PLAIN)
    }

    /// The message for standard error: in colour, if that is a terminal.
    pub fn message_for_stderr(&self) -> String {
        self.text(Paint::of_stderr())
    }

    fn text(&self, paint: Paint) -> String {
        let class = self.class;
        let title = format!("{}: {}", class.code, class.title);
        let mut text = paint.paint(Style::Title, &title).into_owned();
        text += &format!("\n  in {}", paint.paint(Style::Place, &self.place));
        if !self.detail.is_empty() {
            text += &format!(": {}", self.detail);
        }
        if let Some(object) = &self.object {
            text += &format!("\n  the object: {object}");
        }
        list(&mut text, paint, "used at", &self.used);
        for (title, place) in [("closed at", &self.closed), ("opened at", &self.opened)] {
            // Mostly that was in the same call.
            let caller =
                place.caller.clone().filter(|caller| Some(caller) != self.used.caller.as_ref());
            list(&mut text, paint, title, &Place { frames: place.frames.clone(), caller });
        }
        let is_opened = self.handle.is_some_and(|handle| !handle.is_constant());
        if is_opened && self.opened.frames.is_empty() {
            text += "\n  (HPY_DEBUG_TRACES=16 shows where handles are opened and closed)";
        }
        let advice = paint.paint(Style::Advice, class.advice);
        text + &format!("\n  To mend it: {advice}\n  More: docs/debug/{}.md", class.code)
    }
}

/// Appends where something happened, with the lines of source code that can be read.
pub(crate) fn list(text: &mut String, paint: Paint, title: &str, place: &Place) {
    let frames = place.frames.iter().enumerate();
    let titled =
        frames.map(|(number, frame)| (if number == 0 { title } else { "  called at" }, frame));
    for (title, frame) in titled.chain(place.caller.iter().map(|caller| ("  called from", caller)))
    {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {title} {frame}");
        if let Some((number, line)) = frame.line.zip(source(frame)) {
            let _ = write!(text, "\n{number:8} | {}", paint.paint(Style::Source, &line));
        }
    }
}

/// The line of source code of a frame, without the space around it, if the file is there.
fn source(frame: &Frame) -> Option<String> {
    let before = frame.line?.checked_sub(1)? as usize;
    let file = BufReader::new(File::open(frame.file.as_ref()?).ok()?);
    let line = file.split(b'\n').nth(before)?.ok()?;
    let line = String::from_utf8_lossy(&line).trim().to_owned();
    // A function as a whole is at its brace.
    line.contains(char::is_alphanumeric).then_some(line)
}

/// How to go on after a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As if nothing had been found, as far as that is possible.
    GoOn,
    /// The function of the API fails with an exception.
    Fail,
    /// The process ends.
    Abort,
}

/// What the interpreter's side knows.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Decides how to go on, in the thread of the finding.
    pub decide: fn(&Finding) -> Verdict,
    /// Notes the line of Python code that the thread runs, if it is attached to the interpreter. It is called under the lock of the
    /// state, so it must run no Python code.
    pub note_line: fn() -> Option<NonZeroU32>,
    /// What was noted, if it is known and the thread is attached.
    pub line: fn(NonZeroU32) -> Option<Frame>,
}

static HOST: OnceLock<Host> = OnceLock::new();

/// Sets who knows the interpreter; without, the process ends at every finding. Only the first call counts.
pub fn set_host(host: Host) {
    // A second host would be that of a second copy of the module, which there is none of.
    let _ = HOST.set(host);
}

/// Notes the line of Python code that this thread runs.
pub(crate) fn note_line() -> Option<NonZeroU32> {
    (HOST.get()?.note_line)()
}

/// The line of Python code that was noted.
pub(crate) fn line(number: NonZeroU32) -> Option<Frame> {
    (HOST.get()?.line)(number)
}

/// Where the last message goes, too.
static COPY: Mutex<Option<File>> = Mutex::new(None);

/// Sets a file that gets a copy of the message which ends the process: for programs that have put standard error elsewhere, where
/// nobody would see it.
pub fn copy_last_message_to(file: Option<File>) {
    *COPY.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// Reports a finding.
#[cold]
pub(crate) fn report(world: &World, finding: Finding) -> Verdict {
    let verdict = HOST.get().map_or(Verdict::Abort, |host| (host.decide)(&finding));
    if verdict == Verdict::Abort {
        fatal(world, &finding);
    }
    verdict
}

/// Ends the process with the message of a finding.
#[cold]
pub(crate) fn fatal(world: &World, finding: &Finding) -> ! {
    let inner = world.inner();
    let text = finding.message_for_stderr().replace('\0', "\\0");
    if let Some(copy) = &mut *COPY.lock().unwrap_or_else(PoisonError::into_inner) {
        // There is nobody left who could be told that it failed.
        let _ = writeln!(copy, "\n{text}");
    }
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: the wrapped context is valid for ever; this may be called with or without the interpreter.
    unsafe { ((*inner).ctx_FatalError)(inner, text.as_ptr()) };
    std::process::abort()
}

/// Shows the exception of a finding that no function can fail with.
///
/// # Safety
/// The interpreter is attached.
#[cold]
pub(crate) unsafe fn unraisable(inner: *mut HPyContext, class: &Class) {
    // SAFETY: the wrapped context is valid for ever, and the interpreter is attached. An exception that is pending stays.
    unsafe {
        if ((*inner).ctx_Err_Occurred)(inner) == 0 {
            raise(inner, class);
            ((*inner).ctx_Err_WriteUnraisable)(inner, (*inner).h_None);
        }
    }
}

/// Sets the exception for a function that fails because of a finding.
///
/// # Safety
/// The interpreter is attached.
#[cold]
pub(crate) unsafe fn raise(inner: *mut HPyContext, class: &Class) {
    let text = CString::new(format!("{}: {}", class.code, class.title)).unwrap_or_default();
    let text: &CStr = &text;
    // SAFETY: the wrapped context is valid for ever, and the interpreter is attached. What was raised before says more.
    unsafe {
        if ((*inner).ctx_Err_Occurred)(inner) == 0 {
            ((*inner).ctx_Err_SetString)(inner, (*inner).h_SystemError, text.as_ptr());
        }
    }
}
