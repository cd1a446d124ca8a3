//! The one error type: what was asked, what is here, what to do.

use std::path::PathBuf;

use crate::extension::Version;

/// Why an extension could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': {source}. Check the path, or \
         build the extension first."
    )]
    File {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },

    /// The file is no library, or one for another system.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': the file is {found}, but this \
         Python loads libraries {wanted}. Rebuild the extension on this system, or install the package that \
         was built for it."
    )]
    Foreign {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the file is.
        found: String,
        /// What this process can load.
        wanted: String,
    },

    /// The system's loader refuses a library that looks right.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': the system's loader says: \
         {reason}. Install the libraries it needs, or rebuild it so that it needs nothing but HPy."
    )]
    Refused {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the loader says.
        reason: String,
    },

    /// The library is hybrid, and for another interpreter.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': it is a hybrid extension for \
         {wanted}, and this is {running}. Install the package that was built for {running}, or \
         rebuild the extension with it (--hpy-abi=hybrid); once no Python/C API is left in it, \
         one universal build (--hpy-abi=universal) is for every Python."
    )]
    Interpreter {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// The interpreter that the library is for, in words.
        wanted: String,
        /// The interpreter that is running, in words.
        running: String,
    },

    /// The module does not say that more than one interpreter may import it.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': this is not the main interpreter of \
         the process, and the module does not declare that several interpreters may import it. Import it in \
         the main one; if its C variables can be shared, define HPY_MOD_MULTIPLE_INTERPRETERS before \
         hpy.h is included, and rebuild it."
    )]
    OneInterpreter {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
    },

    /// There is no HPy module with this name in the library.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': is this an HPy universal \
         extension called '{name}'? It lacks the symbols {missing}. {found}"
    )]
    Symbols {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// The symbols that were looked for in vain.
        missing: String,
        /// What modules there are instead, and what to do.
        found: String,
    },

    /// The library asks for an ABI that is not this host's.
    #[error(
        "HPy extension module '{name}' requires unsupported version of the HPy runtime. \
         Requested version: {requested}. Current HPy version: {}.",
        Version::HOST
    )]
    Version {
        /// The module.
        name: String,
        /// What it asks for.
        requested: Version,
    },

    /// The file's name has no ABI tag.
    #[error(
        "HPy extension module '{name}' at path '{path}': could not find HPy ABI tag encoded in the \
         filename. The extension claims to be compiled with HPy ABI version: {requested}."
    )]
    NoTag {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the library asks for.
        requested: Version,
    },

    /// The ABI tag in the file's name is not that of the library.
    #[error(
        "HPy extension module '{name}' at path '{path}': mismatch between the HPy ABI tag encoded \
         in the filename and the major version requested by the HPy extension itself. \
         Major version tag parsed from filename: {tag}. Requested version: {requested}."
    )]
    WrongTag {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// The tag's number.
        tag: u32,
        /// What the library asks for.
        requested: Version,
    },

    /// The library's entry point gives no definition.
    #[error(
        "Cannot load the HPy extension module '{name}' from '{path}': HPyInit_{symbol}() returned \
         NULL instead of a module definition. Let HPy_MODINIT write that function."
    )]
    NoDefinition {
        /// The module.
        name: String,
        /// The file.
        path: PathBuf,
        /// The name in the symbol.
        symbol: String,
    },

    /// The variable `HPY` cannot be understood.
    #[error(
        "Invalid environment variable HPY={value:?}: {part:?} is no HPy mode. Use one of universal, \
         debug, trace, debug+trace, trace+debug, or MODULE:MODE pairs separated by commas."
    )]
    ModeName {
        /// The whole value.
        value: String,
        /// The part that is wrong.
        part: String,
    },

    /// No mode has this number.
    #[error(
        "{number} is no HPy mode. Use hpy.universal.MODE_UNIVERSAL (0), MODE_DEBUG (1) or \
         MODE_TRACE (2)."
    )]
    ModeNumber {
        /// The number.
        number: i32,
    },

    /// Modes can be combined, but not in this process.
    #[error(
        "Cannot load the HPy extension module '{name}' in {mode} mode: modes can be combined only where \
         HPy can make thunks, which this processor or system does not allow, or HPY_NO_THUNKS=1 \
         forbids. Use one of debug, trace."
    )]
    ModesApart {
        /// The module.
        name: String,
        /// The mode's name.
        mode: &'static str,
    },
}

impl Error {
    /// What to do, for the errors whose text is fixed because programs compare it.
    pub fn advice(&self) -> Option<String> {
        let rename = |major: u32| format!("Name the file NAME.hpy{major}.so, as the build does.");
        match self {
            Self::Version { .. } => Some(format!(
                "This is hpy {}. Install a version of hpy that offers the requested version, or \
                 rebuild the extension with this one's headers.",
                env!("CARGO_PKG_VERSION")
            )),
            Self::NoTag { requested, .. } | Self::WrongTag { requested, .. } => {
                Some(rename(requested.major))
            }
            _ => None,
        }
    }

    /// The file that the error is about.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::File { path, .. }
            | Self::Foreign { path, .. }
            | Self::Refused { path, .. }
            | Self::Interpreter { path, .. }
            | Self::Symbols { path, .. }
            | Self::NoTag { path, .. }
            | Self::WrongTag { path, .. }
            | Self::OneInterpreter { path, .. }
            | Self::NoDefinition { path, .. } => Some(path),
            _ => None,
        }
    }
}
