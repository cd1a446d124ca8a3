//! Compiling C sources to an extension, with the one command that a user would type.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::Environment;
use crate::shell::{exists, output, run};

/// What an extension is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Abi {
    /// Python/C API, no HPy
    Plain,
    /// HPy's CPython ABI
    CPython,
    /// HPy's Universal ABI
    Universal,
    /// HPy's Hybrid ABI
    Hybrid,
}

impl Abi {
    /// What the file's name ends with, for the environment's Python.
    pub fn suffix(self, environment: &Environment) -> Result<String> {
        match self {
            Self::Plain | Self::CPython => Ok(".so".to_owned()),
            Self::Universal => Ok(".hpy0.so".to_owned()),
            Self::Hybrid => {
                let question = "from hpy.devel.abitag import get_hpy_ext_suffix as suffix; \
                    print(suffix('hybrid'))";
                output(environment.command().args(["-c", question]))
            }
        }
    }

    fn define(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::CPython => Some("-DHPY_ABI_CPYTHON"),
            Self::Universal => Some("-DHPY_ABI_UNIVERSAL"),
            Self::Hybrid => Some("-DHPY_ABI_HYBRID"),
        }
    }
}

/// Compiles `source` into the folder `into` with additional `flags`; returns the library's path.
pub fn compile(
    environment: &Environment,
    abi: Abi,
    source: &Path,
    into: &Path,
    flags: &[&str],
) -> Result<PathBuf> {
    let name = source.file_stem().context("a C source has a name")?.to_string_lossy();
    let library = into.join(format!("{name}{}", abi.suffix(environment)?));
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    compile_all(environment, abi, &[source], &library, flags)?;
    Ok(library)
}

/// Compiles `sources` to one `library`, with additional `flags`.
pub fn compile_all(
    environment: &Environment,
    abi: Abi,
    sources: &[impl AsRef<OsStr>],
    library: &Path,
    flags: &[&str],
) -> Result<()> {
    let mut command = compiler();
    command.args(flags).args(["-shared", "-fPIC", "-fvisibility=hidden"]);
    if cfg!(target_os = "macos") {
        command.args(["-undefined", "dynamic_lookup"]);
    }
    if let Some(define) = abi.define() {
        command.arg(define).arg("-I").arg(hpy_include(environment)?);
    }
    if abi != Abi::Universal {
        command.arg("-I").arg(python_include(&mut environment.command())?);
    }
    run(command.args(sources).arg("-o").arg(library))
}

/// Puts ccache in front of the compilers that the program starts, if it is installed: the published suite compiles most sources
/// several times. It keeps what it made below `target/`, unless `CCACHE_DIR` names another place.
pub fn with_ccache(root: &Path, command: &mut Command) {
    if !exists("ccache") {
        return;
    }
    for (variable, default) in [("CC", "cc"), ("CXX", "c++")] {
        let compiler = env::var(variable).unwrap_or_default();
        let compiler = if compiler.is_empty() { default } else { &compiler };
        if !compiler.starts_with("ccache") {
            command.env(variable, format!("ccache {compiler}"));
        }
    }
    if env::var_os("CCACHE_DIR").is_none() {
        command.env("CCACHE_DIR", root.join("target/xtask/ccache"));
    }
    // Each test has a folder of its own, which only debug information would name.
    command.env("CCACHE_NOHASHDIR", "1");
}

/// The C compiler: `CC`, which may have options, or `cc`.
pub fn compiler() -> Command {
    let text = env::var("CC").unwrap_or_default();
    let mut words = text.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words);
    command
}

fn hpy_include(environment: &Environment) -> Result<String> {
    output(environment.command().args(["-m", "hpy", "include"]))
}

/// Where `Python.h` of the interpreter is that the command starts.
pub fn python_include(python: &mut Command) -> Result<String> {
    let question = "import sysconfig; print(sysconfig.get_path('include'))";
    let include = output(python.args(["-c", question]))?;
    if !Path::new(&include).join("Python.h").exists() {
        bail!(
            "no Python.h in {include}: install this Python's development files \
             (python3-dev, python3-devel), or name another Python with --python PATH"
        );
    }
    Ok(include)
}
