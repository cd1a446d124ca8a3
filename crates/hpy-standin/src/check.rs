//! Opening an extension before the host does: what is wrong with it is said in the words of our other hosts.

use std::path::Path;

use hpy_abi::HPy;
use hpy_host::{Error, Extension, Mode};

use crate::python::Python;

/// Opens the library; a tuple of (class, message, path or None, advice or None) if that is not possible, else None.
pub(crate) fn check(py: Python, name: &str, path: &str, running: &str, is_tagged: bool) -> HPy {
    match open(name, Path::new(path), running, is_tagged) {
        Ok(_) => py.none(),
        Err(error) => describe(py, &error),
    }
}

/// A tuple of the name of the mode that a value of `HPY` chooses for a module; or of what is wrong, as above.
pub(crate) fn choose_mode(py: Python, value: &str, name: &str) -> HPy {
    match Mode::from_environment(value, name) {
        Ok(mode) => py.tuple([py.str(mode.name())]),
        Err(error) => describe(py, &error),
    }
}

fn open(name: &str, path: &Path, running: &str, is_tagged: bool) -> Result<Extension, Error> {
    // SAFETY: the user asked for the file, as trusted as any other extension that is imported.
    let extension = unsafe { Extension::open(name, path, running) }?;
    if is_tagged {
        extension.check_tag()?;
    }
    extension.definition()?;
    Ok(extension)
}

fn describe(py: Python, error: &Error) -> HPy {
    let class = match error {
        Error::ModeName { .. } | Error::ModeNumber { .. } => "ValueError",
        Error::ModesApart { .. } | Error::ModeInterpreter { .. } => "NotImplementedError",
        _ => "LoadError",
    };
    let or_none = |text: Option<String>| text.map_or_else(|| py.none(), |text| py.str(&text));
    let path = error.path().map(|path| path.to_string_lossy().into_owned());
    let items = [py.str(class), py.str(&error.to_string()), or_none(path), or_none(error.advice())];
    py.tuple(items)
}
