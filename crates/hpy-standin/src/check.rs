//! What `hpy.universal` asks about an extension before the host opens it: what is wrong with it is said in the words of our other
//! hosts.

use std::path::Path;
use std::ptr::NonNull;

use hpy_abi::{HPy, HPyModuleDef};
use hpy_host::{Error, Extension, Mode, ModulePlan};

use crate::python::Python;
use crate::standin::{Request, stand_in as make};

/// `check(name, path, running, tagged)`: None, or what is wrong with the library.
pub(crate) fn check(py: Python, args: &[HPy]) -> HPy {
    let &[name, path, running, tagged] = args else {
        return py.type_error(c"check(name, path, running, tagged)");
    };
    let texts = (py.text(name), py.text(path), py.text(running));
    let (Some(name), Some(path), Some(running)) = texts else { return HPy::NULL };
    match open(&name, Path::new(&path), &running, py.is_true(tagged)) {
        // SAFETY: the definition is static, in a library that is never closed.
        Ok(definition) => match unsafe { ModulePlan::read(definition.as_ref()) } {
            Ok(_) => py.none(),
            Err(message) => {
                py.tuple([py.str("SystemError"), py.str(&message), py.none(), py.none()])
            }
        },
        Err(error) => describe(py, &error),
    }
}

fn open(
    name: &str,
    path: &Path,
    running: &str,
    is_tagged: bool,
) -> Result<NonNull<HPyModuleDef>, Error> {
    // SAFETY: the user asked for the file, as trusted as any other extension that is imported.
    let extension = unsafe { Extension::open(name, path, running) }?;
    if is_tagged {
        extension.check_tag()?;
    }
    extension.definition()
}

/// `stand_in(symbol, name, path, running, mode)`: the path of a file to be loaded in the extension's place, or what is wrong.
pub(crate) fn stand_in(py: Python, args: &[HPy]) -> HPy {
    let &[symbol, name, path, running, mode] = args else {
        return py.type_error(c"stand_in(symbol, name, path, running, mode)");
    };
    let texts = (py.text(symbol), py.text(name), py.text(path), py.text(running), py.text(mode));
    let (Some(symbol), Some(name), Some(path), Some(running), Some(mode)) = texts else {
        return HPy::NULL;
    };
    let made = Mode::from_environment(&mode, "").and_then(|mode| {
        let (symbol, name, path, running) = (&*symbol, &*name, Path::new(&path), &*running);
        // SAFETY: the context is the host's own, as it is in every call of this module.
        unsafe { make(py.context(), &Request { symbol, name, path, running, mode }) }
    });
    match made {
        Ok(path) => py.str(&path.to_string_lossy()),
        Err(error) => describe(py, &error),
    }
}

/// `mode(value, name)`: the name of the mode that a value of `HPY` chooses for a module, or what is wrong.
pub(crate) fn mode(py: Python, args: &[HPy]) -> HPy {
    let &[value, name] = args else { return py.type_error(c"mode(value, name)") };
    let (Some(value), Some(name)) = (py.text(value), py.text(name)) else { return HPy::NULL };
    match Mode::from_environment(&value, &name) {
        Ok(mode) => py.str(mode.name()),
        Err(error) => describe(py, &error),
    }
}

/// `version()`: the release and the source revision.
pub(crate) fn version(py: Python, _args: &[HPy]) -> HPy {
    let revision = option_env!("HPY_GIT_REVISION").unwrap_or("");
    py.tuple([py.str(env!("CARGO_PKG_VERSION")), py.str(revision)])
}

/// What is wrong: a tuple of class, message, path or None, advice or None.
fn describe(py: Python, error: &Error) -> HPy {
    let class = match error {
        Error::ModeName { .. } | Error::ModeNumber { .. } => "ValueError",
        Error::ModesApart { .. } => "NotImplementedError",
        _ => "LoadError",
    };
    let or_none = |text: Option<String>| text.map_or_else(|| py.none(), |text| py.str(&text));
    let path = error.path().map(|path| path.to_string_lossy().into_owned());
    let items = [py.str(class), py.str(&error.to_string()), or_none(path), or_none(error.advice())];
    py.tuple(items)
}
