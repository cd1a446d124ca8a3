//! What is said about a finding, and how the program goes on.

use core::ffi::CStr;
use core::fmt::Write;
use std::ffi::CString;
use std::sync::OnceLock;

use hpy_abi::{HPy, HPyContext};

use crate::findings::Class;
use crate::trace::{Frame, Trace};
use crate::view::Handle;
use crate::world::World;

/// The sentence that programs look for which were written for HPy 0.9.
pub(crate) const CLOSED: &str = "Invalid usage of already closed handle";
/// What closing or giving away a constant leads to.
pub(crate) const AS_IF_CLOSED: &str =
    "each later use of the constant would be an \"Invalid usage of already closed handle\"";
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
    /// The extension's frames at this moment, the innermost first.
    pub used: Vec<Frame>,
    /// Where the handle was opened, if handles are traced.
    pub opened: Vec<Frame>,
    /// Where the handle was closed, if handles are traced.
    pub closed: Vec<Frame>,
    /// The handle it is about, if it is one that was given out.
    pub handle: Option<Handle>,
    /// What the object is, if it is safe to look: its `repr`.
    pub object: Option<String>,
}

impl Finding {
    /// A finding that is about no handle.
    pub(crate) fn new(class: &'static Class, place: String, detail: &str) -> Self {
        let used = Trace::now().frames();
        let (opened, closed, handle, object) = (Vec::new(), Vec::new(), None, None);
        Self { class, place, detail: detail.to_owned(), used, opened, closed, handle, object }
    }

    /// A finding about a handle.
    pub(crate) fn of_handle(class: &'static Class, place: String, detail: &str, h: HPy) -> Self {
        let handle = Handle::of(h);
        let frames = |closed: bool| handle.map_or_else(Vec::new, |handle| handle.frames(closed));
        let (opened, closed) = (frames(false), frames(true));
        // SAFETY: findings about handles are made while a function of the API runs, attached to the interpreter.
        let object = handle.and_then(|handle| unsafe { handle.repr() });
        Self { handle, opened, closed, object, ..Self::new(class, place, detail) }
    }

    /// The whole message: what, where, and how to mend it.
    pub fn message(&self) -> String {
        let class = self.class;
        let mut text = format!("{}: {}\n  in {}", class.code, class.title, self.place);
        if !self.detail.is_empty() {
            text += &format!(": {}", self.detail);
        }
        if let Some(object) = &self.object {
            text += &format!("\n  the object: {object}");
        }
        for (title, frames) in
            [("used", &self.used), ("closed", &self.closed), ("opened", &self.opened)]
        {
            list(&mut text, title, frames);
        }
        if self.handle.is_some() && self.opened.is_empty() {
            text += "\n  (HPY_DEBUG_TRACES=16 shows where handles are opened and closed)";
        }
        text + &format!("\n  To mend it: {}\n  More: docs/debug/{}.md", class.advice, class.code)
    }
}

/// Appends where something happened.
pub(crate) fn list(text: &mut String, title: &str, frames: &[Frame]) {
    for (number, frame) in frames.iter().enumerate() {
        let title = if number == 0 { title } else { "  called" };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {title} at {frame}");
    }
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

/// Who is asked how to go on.
pub type Reporter = fn(&Finding) -> Verdict;

static REPORTER: OnceLock<Reporter> = OnceLock::new();

/// Sets who is asked how to go on; without, and where nothing else is possible, the process ends. Only the first call counts.
pub fn set_reporter(reporter: Reporter) {
    // A second reporter would be that of a second copy of the module, which there is none of.
    let _ = REPORTER.set(reporter);
}

/// Reports a finding.
#[cold]
pub(crate) fn report(world: &World, finding: Finding) -> Verdict {
    let verdict = REPORTER.get().map_or(Verdict::Abort, |reporter| reporter(&finding));
    if verdict == Verdict::Abort {
        fatal(world, &finding);
    }
    verdict
}

/// Ends the process with the message of a finding.
#[cold]
pub(crate) fn fatal(world: &World, finding: &Finding) -> ! {
    let inner = world.inner();
    let text = CString::new(finding.message().replace('\0', "\\0")).unwrap_or_default();
    // SAFETY: the wrapped context is valid for ever; this may be called with or without the interpreter.
    unsafe { ((*inner).ctx_FatalError)(inner, text.as_ptr()) };
    std::process::abort()
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
