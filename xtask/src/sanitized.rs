//! A CPython that was compiled with ThreadSanitizer.
//!
//! Where threads wait for each other in code that is not instrumented, the sanitizer does not see it, and reports races that are none: so
//! CPython has to be. The runtime was tried and is not looked at: it can be compiled so, but its locks wait in Rust's standard library,
//! which cannot without its sources, and each wait for one is reported.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::environment::{Environment, version};
use crate::shell::{output, run};

/// A command that runs `python`, to which pytest is known. There is no virtual environment: pip, run with the sanitizer, would take
/// minutes for it.
pub fn command(root: &Path, python: &Path) -> Result<Command> {
    check(python)?;
    let packages = root.join("target/xtask/tsan/packages");
    if !packages.join("pytest").exists() {
        let helper = Environment::prepare_for(root, None, "-pip")?;
        helper.require(&["pip>=25.1"])?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pytest>=8"];
        run(helper.command().args(pip).arg("--target").arg(&packages))?;
    }
    let mut command = Command::new(python);
    command.current_dir(root).env("PYTHONPATH", packages);
    Ok(command)
}

/// Fails if `python` is not one that the sanitizer can look at.
fn check(python: &Path) -> Result<()> {
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
