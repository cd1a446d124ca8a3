//! Where something happened: return addresses, captured cheaply and resolved when they are shown.

use core::num::NonZeroU32;
use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::call::{current_function, entry_frame};
use crate::report;
#[cfg(unix)]
use crate::unwind::info;
use crate::unwind::{library, walk};

/// How many frames a trace of the moment has.
const NOW: usize = 16;

/// Return addresses, the innermost first.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    frames: Arc<[usize]>,
    /// The author's function that Python called.
    function: usize,
    /// The line of Python code that called it, as the host has noted it.
    line: Option<NonZeroU32>,
}

/// Where something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The extension's frames, the innermost first.
    pub frames: Vec<Frame>,
    /// The line of Python code that called the extension, if it is known.
    pub caller: Option<Frame>,
}

/// One frame of the extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function's name, if the library tells.
    pub function: Option<String>,
    /// The source file, if the library was compiled with debug information.
    pub file: Option<PathBuf>,
    /// The line in that file.
    pub line: Option<u32>,
}

impl Trace {
    /// The frames of this moment.
    #[cold]
    pub fn now() -> Self {
        Self::of(walk(NOW, entry_frame()).into())
    }

    /// No frames but the author's function that Python called.
    pub fn of_call() -> Self {
        Self::of_function(current_function())
    }

    /// No frames but an author's function.
    pub fn of_function(function: usize) -> Self {
        Self { frames: Arc::default(), function, line: None }
    }

    /// Whether it has no frames but that function.
    pub fn is_of_call(&self) -> bool {
        self.frames.is_empty()
    }

    /// These frames of an author's function.
    pub fn of_frames(frames: Arc<[usize]>, function: usize) -> Self {
        Self { frames, function, line: None }
    }

    fn of(frames: Arc<[usize]>) -> Self {
        Self { frames, function: current_function(), line: report::note_line() }
    }

    /// What it tells.
    pub fn place(&self) -> Place {
        Place { frames: self.frames(), caller: self.caller() }
    }

    /// The line of Python code that called the extension, if it is known.
    pub fn caller(&self) -> Option<Frame> {
        self.line.and_then(report::line)
    }

    /// The frames of the extension's code: those between our wrapper, which it called, and our entry, which called it. If a call of
    /// the API is the last thing that a function does, there may be none; then it is the author's function as a whole.
    pub fn frames(&self) -> Vec<Frame> {
        let own = library(Trace::now as *const () as usize);
        let code = self.frames.iter().copied();
        let theirs: Vec<_> = code
            .skip_while(|&ip| library(ip) == own)
            .take_while(|&ip| library(ip) != own)
            .collect();
        let first = theirs.first().map(|&ip| library(ip));
        if self.function != 0 && first != Some(library(self.function)) {
            // The resolver takes addresses for those that a call returns to, which are behind it.
            return resolve(self.function + 1);
        }
        theirs.into_iter().flat_map(resolve).filter(|frame| !frame.is_of_header()).collect()
    }
}

/// Whether a call returns to a function that only hands it on: one of HPy's headers that was not inlined, or one of this library, where
/// another mode is between.
pub(crate) fn is_handed_on(ip: usize) -> bool {
    let is_ours = library(ip) == library(is_handed_on as *const () as usize);
    is_ours
        || resolve(ip).iter().all(|frame| {
            let is_wrapper = |name: &String| name.starts_with("_HPy_");
            frame.is_of_header() || frame.function.as_ref().is_some_and(is_wrapper)
        })
}

/// The traces of handles. Most handles are opened at few places: those with the same frames share them.
#[derive(Default)]
pub(crate) struct Traces {
    known: HashSet<Arc<[usize]>>,
    /// How many are known when those that no handle has are dropped.
    full: usize,
}

impl Traces {
    /// Captures up to `limit` frames of the extension.
    pub fn capture(&mut self, limit: usize) -> Trace {
        let frames = walk(limit, entry_frame());
        if let Some(known) = self.known.get(&*frames) {
            return Trace::of(known.clone());
        }
        if self.known.len() >= self.full {
            self.known.retain(|frames| Arc::strong_count(frames) > 1);
            self.full = (2 * self.known.len()).max(1024);
        }
        let frames: Arc<[usize]> = frames.into();
        self.known.insert(frames.clone());
        Trace::of(frames)
    }
}

impl Frame {
    /// A frame of which nothing is known.
    fn unknown() -> Self {
        Self { function: None, file: None, line: None }
    }

    /// Whether the frame is of a function of HPy's headers that only calls the context.
    fn is_of_header(&self) -> bool {
        let headers = ["generated/functions_universal.h", "universal/functions.h"];
        let is_one = |file: &PathBuf| headers.iter().any(|header| file.ends_with(header));
        self.file.as_ref().is_some_and(is_one)
    }
}

/// The function that a return address is in and those that are inlined there, the innermost first.
///
/// The resolver of the crate backtrace knows only the libraries that were loaded when it was used first.
#[cfg(unix)]
fn resolve(ip: usize) -> Vec<Frame> {
    use addr2line::Loader;
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::ffi::{CStr, OsStr};
    use std::os::unix::ffi::OsStrExt;

    thread_local! {
        static LOADERS: RefCell<HashMap<PathBuf, Option<Loader>>> = RefCell::default();
    }
    // The address is behind the call.
    let address = ip - 1;
    let Some(info) = info(address) else { return vec![Frame::unknown()] };
    // SAFETY: a library that is loaded has a path.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = PathBuf::from(OsStr::from_bytes(path.to_bytes()));
    let offset = (address - info.dli_fbase as usize) as u64;
    LOADERS.with_borrow_mut(|loaders| {
        let loader = loaders.entry(path).or_insert_with_key(|path| Loader::new(path).ok());
        loader.as_ref().map_or_else(|| vec![Frame::unknown()], |loader| look_up(loader, offset))
    })
}

#[cfg(unix)]
fn look_up(loader: &addr2line::Loader, offset: u64) -> Vec<Frame> {
    let address = loader.relative_address_base() + offset;
    let mut frames = Vec::new();
    if let Ok(mut found) = loader.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let location = frame.location.as_ref();
            let function = frame.function.as_ref().and_then(|name| name.raw_name().ok());
            frames.push(Frame {
                function: function.map(|name| name.into_owned()),
                file: location.and_then(|location| location.file).map(Into::into),
                line: location.and_then(|location| location.line),
            });
        }
    }
    if frames.iter().all(|frame| frame.function.is_none()) {
        let function = loader.find_symbol(address).map(ToOwned::to_owned);
        frames = vec![Frame { function, ..frames.pop().unwrap_or_else(Frame::unknown) }];
    }
    frames
}

/// The function that a return address is in and those that are inlined there, the innermost first.
#[cfg(not(unix))]
pub(crate) fn resolve(ip: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(ip as *mut _, |symbol| {
        frames.push(Frame {
            function: symbol.name().map(|name| name.to_string()),
            file: symbol.filename().map(Into::into),
            line: symbol.lineno(),
        });
    });
    if frames.is_empty() {
        frames.push(Frame::unknown());
    }
    frames
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = self.function.as_deref().unwrap_or("(a function with no name)");
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line} in {function}", file.display()),
            (Some(file), None) => write!(f, "{} in {function}", file.display()),
            (None, _) => write!(f, "{function} (compile the extension with -g for its lines)"),
        }
    }
}
