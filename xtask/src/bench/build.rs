//! What is measured, compiled: each source for each way of writing extensions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::compile::{Abi, compile};
use crate::environment::Environment;
use crate::old;
use crate::shell::run;

/// The same for every library that is measured.
pub const FLAGS: &[&str] = &["-O2", "-g"];

/// A way to build an extension.
#[derive(Clone, Copy)]
pub struct Way {
    pub title: &'static str,
    abi: Abi,
    /// What the names of the sources begin with.
    prefix: &'static str,
    folder: &'static str,
}

/// The ways of this project, beside the Python/C API, which comes first.
pub const WAYS: &[Way] = &[
    Way { title: "plain C API", abi: Abi::Plain, prefix: "c", folder: "plain" },
    Way { title: "CPython ABI", abi: Abi::CPython, prefix: "hpy", folder: "cpython" },
    Way { title: "Universal ABI", abi: Abi::Universal, prefix: "hpy", folder: "universal" },
];

/// The way of the release before.
pub const OLD: &str = "HPy 0.9.0 universal";

impl Way {
    /// Compiles `PREFIXname.c` in `folder`.
    pub fn compile(self, bench: &Bench, folder: &str, name: &str) -> Result<PathBuf> {
        let source = bench.root.join(folder).join(format!("{}{name}.c", self.prefix));
        compile(&bench.environment, self.abi, &source, &bench.out.join(self.folder), FLAGS)
    }
}

/// The loop in C that calls what is counted.
pub fn repeat(bench: &Bench) -> Result<PathBuf> {
    let source = bench.root.join("benches/micro/repeat.c");
    compile(&bench.environment, Abi::Plain, &source, &bench.out.join("plain"), FLAGS)
}

/// The environment of the old release, which not every Python can install.
pub fn old_environment(bench: &Bench) -> Result<Environment> {
    old::environment(bench.root, bench.python)
}

/// Builds `hpyNAME.c` in `folder` with the old release.
pub fn compile_old(
    bench: &Bench,
    environment: &Environment,
    folder: &str,
    name: &str,
) -> Result<PathBuf> {
    let source = bench.root.join(folder).join(format!("hpy{name}.c"));
    let base = bench.out.join("old").join(name);
    run(environment
        .command()
        .current_dir(bench.root.join("benches"))
        .env("HPY_BENCH_SOURCE", source)
        .args(["setup.py", "--quiet", "--hpy-abi=universal", "build", "--build-base"])
        .arg(&base))
    .with_context(|| format!("it does not build hpy{name}.c"))?;
    find(&base, &format!("hpy{name}.hpy0.so"))
}

fn find(below: &Path, name: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = find(&path, name) {
                return Ok(found);
            }
        } else if path.ends_with(name) {
            return Ok(path);
        }
    }
    bail!("no {name} below {}", below.display())
}
