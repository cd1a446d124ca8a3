//! CPython and the runtime compiled with ThreadSanitizer.
//!
//! Where threads wait for each other in code that is not instrumented, the sanitizer does not see it, and reports races that are none. So
//! all of it has to be: CPython, the runtime with every crate below it, and Rust's standard library, which therefore is built from its
//! sources (`-Zbuild-std`, which a stable toolchain allows with `RUSTC_BOOTSTRAP=1`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::environment::version;
use crate::native::copy;
use crate::shell::{cargo, output, run};

/// Fails if `python` is not one that the sanitizer can look at.
pub fn check(python: &Path) -> Result<()> {
    if !version(python)?.ends_with('t') {
        bail!(
            "{} runs with the interpreter lock, which leaves no races to look for",
            python.display()
        );
    }
    let question = "import sysconfig; print(sysconfig.get_config_var('CONFIG_ARGS'))";
    if !output(Command::new(python).args(["-c", question]))?.contains("--with-thread-sanitizer") {
        bail!("{} was not built with --with-thread-sanitizer", python.display());
    }
    Ok(())
}

/// Whether the sources of Rust's standard library are installed.
pub fn has_sources() -> Result<bool> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.lock").exists())
}

/// Builds the runtime for `python`; returns the folder in which that finds the package `hpy`.
pub fn build(root: &Path, python: &Path) -> Result<PathBuf> {
    let folder = root.join("target/xtask/tsan");
    fs::create_dir_all(&folder)?;
    let names = folder.join("names.o");
    run(Command::new("cc")
        .args(["-O2", "-fPIC", "-fvisibility=hidden", "-c", "tests/c/tsan_names.c", "-o"])
        .arg(&names)
        .current_dir(root))?;
    let host = host()?;
    run(cargo(root)
        .args(["rustc", "--quiet", "--locked", "--package", "hpy-universal", "--lib"])
        .args(["-Zbuild-std=std,panic_unwind", "--target", &host, "--target-dir"])
        .arg(&folder)
        .arg("--")
        .arg(format!("-Clink-arg={}", names.display()))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=thread")
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
        .env("PYO3_BUILD_EXTENSION_MODULE", "1")
        .env("PYO3_PYTHON", python))?;
    let packages = folder.join("packages");
    let package = packages.join("hpy");
    copy(&root.join("python/hpy"), &package)?;
    let library = folder.join(host).join("debug/libhpy_universal.so");
    fs::copy(&library, package.join("universal.so"))
        .with_context(|| format!("cannot copy {}", library.display()))?;
    Ok(packages)
}

/// The platform that rustc runs on.
fn host() -> Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    match said.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => bail!("rustc -vV does not say the host"),
    }
}
