//! Where something happened: return addresses, captured cheaply and resolved when they are shown.

use core::num::NonZeroU32;
use std::fmt;
use std::path::PathBuf;

use crate::call::current_function;
use crate::report;

/// Frames of our own that lie above the extension's when a trace is captured.
const OWN: usize = 12;

/// How many frames a trace of the moment has.
const NOW: usize = 16;

/// Return addresses, the innermost first.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    frames: Box<[usize]>,
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
        Self::capture(NOW)
    }

    /// No frames but the author's function that Python called.
    pub fn of_call() -> Self {
        Self::of_function(current_function())
    }

    /// No frames but an author's function.
    pub fn of_function(function: usize) -> Self {
        Self { frames: Box::default(), function, line: None }
    }

    /// Whether it has no frames but that function.
    pub fn is_of_call(&self) -> bool {
        self.frames.is_empty()
    }

    /// Captures up to `limit` frames of the extension.
    #[cold]
    pub fn capture(limit: usize) -> Self {
        let wanted = limit.saturating_add(OWN);
        let mut frames = Vec::with_capacity(wanted.min(64));
        backtrace::trace(|frame| {
            frames.push(frame.ip() as usize);
            frames.len() < wanted
        });
        let (function, line) = (current_function(), report::note_line());
        Self { frames: frames.into_boxed_slice(), function, line }
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
        let own = library(Trace::capture as *const () as usize);
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

/// The address to which the function returns that the call at `ip` returns to; `None` if that is unknown.
#[cold]
pub(crate) fn caller(ip: usize) -> Option<usize> {
    let (mut is_next, mut found) = (false, None);
    backtrace::trace(|frame| {
        let address = frame.ip() as usize;
        if is_next {
            found = Some(address);
            return false;
        }
        is_next = address == ip;
        true
    });
    found
}

/// Whether a call returns to one of the functions of HPy's headers that only call the context, and that was not inlined.
pub(crate) fn is_in_header(ip: usize) -> bool {
    resolve(ip).iter().all(|frame| {
        let is_wrapper = |name: &String| name.starts_with("_HPy_");
        frame.is_of_header() || frame.function.as_ref().is_some_and(is_wrapper)
    })
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

/// Which library an address lies in, as the address of its beginning.
#[cfg(unix)]
pub(crate) fn library(address: usize) -> Option<usize> {
    info(address).map(|info| info.dli_fbase as usize)
}

#[cfg(unix)]
fn info(address: usize) -> Option<libc::Dl_info> {
    let mut info = core::mem::MaybeUninit::zeroed();
    // SAFETY: any address may be asked for; the answer is written to a place of our own.
    unsafe {
        let known = libc::dladdr(address as *const _, info.as_mut_ptr()) != 0;
        known.then(|| info.assume_init())
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

/// Which library an address lies in: here only whether it is this one.
#[cfg(not(unix))]
pub(crate) fn library(address: usize) -> Option<usize> {
    let ours = |name: &String| name.contains("hpy_debug") || name.contains("hpy_universal");
    let own = resolve(address).first().and_then(|frame| frame.function.as_ref().map(ours));
    Some(usize::from(own.unwrap_or(false)))
}

/// The function that a return address is in and those that are inlined there, the innermost first.
#[cfg(not(unix))]
fn resolve(ip: usize) -> Vec<Frame> {
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
