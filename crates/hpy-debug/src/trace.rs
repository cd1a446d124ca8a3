//! Where something happened: return addresses, captured cheaply and resolved when they are shown.

use std::fmt;
use std::path::PathBuf;

/// Frames of our own that lie above the extension's when a trace is captured.
const OWN: usize = 12;

/// How many frames a trace of the moment has.
const NOW: usize = 16;

/// Return addresses, the innermost first.
#[derive(Clone)]
pub(crate) struct Trace(Box<[usize]>);

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
    /// Captures up to `limit` frames of the extension; nothing for 0.
    #[inline]
    pub fn capture(limit: usize) -> Option<Self> {
        if limit == 0 { None } else { Some(Self::walk(limit)) }
    }

    /// The frames of this moment.
    #[cold]
    pub fn now() -> Self {
        Self::walk(NOW)
    }

    #[cold]
    fn walk(limit: usize) -> Self {
        let wanted = limit.saturating_add(OWN);
        let mut frames = Vec::with_capacity(wanted.min(64));
        backtrace::trace(|frame| {
            frames.push(frame.ip() as usize);
            frames.len() < wanted
        });
        Self(frames.into_boxed_slice())
    }

    /// The frames of the extension's code: those between our wrapper, which it called, and our entry, which called it.
    pub fn frames(&self) -> Vec<Frame> {
        let code = self.0.iter().copied();
        code.skip_while(|&ip| is_own(ip)).take_while(|&ip| !is_own(ip)).flat_map(resolve).collect()
    }
}

/// Whether an address lies in the library that this code is in.
#[cfg(unix)]
fn is_own(ip: usize) -> bool {
    let base = |address: usize| {
        let mut info = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: any address may be asked for; the answer is written to a place of our own.
        unsafe {
            (libc::dladdr(address as *const _, info.as_mut_ptr()) != 0)
                .then(|| info.assume_init().dli_fbase as usize)
        }
    };
    base(ip).is_some_and(|library| base(is_own as *const () as usize) == Some(library))
}

/// Whether an address lies in a function of these crates.
#[cfg(not(unix))]
fn is_own(ip: usize) -> bool {
    let ours = |name: &String| name.contains("hpy_debug") || name.contains("hpy_universal");
    resolve(ip).first().is_some_and(|frame| frame.function.as_ref().is_some_and(ours))
}

/// The function at an address and those that are inlined there, the innermost first.
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
        frames.push(Frame { function: None, file: None, line: None });
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
