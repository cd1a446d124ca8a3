//! Standing in for an extension, so that it runs in debug or trace mode on a host that knows neither.

use std::path::{Path, PathBuf};

use hpy_abi::{HPyContext, HPyModuleDef};
use hpy_host::{Error, Extension, Mode, Wrapped, Wrapper, thunk};

use crate::adapter::Adapter;
use crate::elf;
use crate::foreign::Foreign;

/// What is wanted.
pub(crate) struct Request<'a> {
    /// The last part is the name in the symbols.
    pub symbol: &'a str,
    /// The full name of the module.
    pub name: &'a str,
    pub path: &'a Path,
    /// The tag of the interpreter.
    pub running: &'a str,
    pub mode: Mode,
}

/// Opens the extension, and writes a file which the host is to load in its place.
///
/// # Safety
/// The context is the host's, which is never freed; the interpreter is attached.
pub(crate) unsafe fn stand_in(host: *mut HPyContext, request: &Request) -> Result<PathBuf, Error> {
    let Request { symbol, name, path, running, mode } = *request;
    if !thunk::available() {
        return Err(Error::ModesApart { name: name.to_owned(), mode: mode.name() });
    }
    // SAFETY: the user asked for the file, as trusted as any other extension that is imported.
    let extension = unsafe { Extension::open(symbol, path, running) }?;
    let definition = extension.definition()?;
    // SAFETY: the definition is static, in a library that is never closed.
    let definition: &'static HPyModuleDef = unsafe { definition.as_ref() };
    // SAFETY: the caller's promise.
    let adapter = unsafe { Adapter::new(host) };
    let wrapped = Wrapped {
        context: adapter.context(),
        definition,
        name: name.to_owned().leak(),
        host: &Foreign,
    };
    // SAFETY: the adapter is a context that is never freed, and the interpreter is attached.
    let wrapper = unsafe { wrap(mode, wrapped) };
    adapter.set_wrapper(wrapper);
    // SAFETY: contexts of wrappers are never freed.
    unsafe { extension.set_trampoline_context(wrapper.context()) };
    let entered = HPyModuleDef {
        // SAFETY: as the definition.
        defines: unsafe { adapter.definitions(definition.defines) },
        ..*definition
    };
    let entered: &'static HPyModuleDef = Box::leak(Box::new(entered));
    let module = symbol.rsplit('.').next().unwrap_or(symbol);
    elf::write(module, std::ptr::from_ref(entered) as usize).map_err(|source| Error::File {
        name: name.to_owned(),
        path: std::env::temp_dir(),
        source,
    })
}

/// # Safety
/// As for every wrap; there are thunks.
unsafe fn wrap(mode: Mode, wrapped: Wrapped) -> &'static dyn Wrapper {
    // SAFETY: the caller's promise.
    unsafe {
        match mode {
            Mode::Universal | Mode::Debug => hpy_debug::wrap(wrapped),
            Mode::Trace => hpy_trace::wrap(wrapped),
            Mode::DebugTrace => hpy_trace::wrap_below(wrapped, hpy_debug::wrap),
            Mode::TraceDebug => hpy_trace::wrap_above(wrapped, hpy_debug::wrap),
        }
    }
}
