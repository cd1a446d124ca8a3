//! The release that this project must stay compatible with, in an environment of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::environment::Environment;

/// hpy 0.9.0 with the newest setuptools that its build integration works with: it imports `pkg_resources`.
const REQUIREMENTS: &[&str] = &["hpy==0.9.0", "setuptools<81", "wheel"];

/// The last CPython 3 that it works on: on later ones it installs, and crashes.
const LAST: u32 = 12;

/// An environment with hpy 0.9.0; an error where that does not work.
pub fn environment(root: &Path, python: Option<&Path>) -> Result<Environment> {
    let environment = Environment::prepare_for(root, python, "-hpy0.9.0")?;
    ensure!(
        environment.minor().is_some_and(|minor| minor <= LAST),
        "hpy 0.9.0 works up to 3.{LAST}"
    );
    environment.require(REQUIREMENTS).context("hpy 0.9.0 does not install")?;
    Ok(environment)
}

/// Tells tests where hpy 0.9.0 is; where it does not work, those that need it are skipped.
pub fn offer(root: &Path, python: Option<&Path>, pytest: &mut Command) {
    match environment(root, python) {
        Ok(old) => {
            pytest.env("HPY_OLD_PYTHON", old.python());
        }
        Err(error) => eprintln!("tests with hpy 0.9.0 are skipped: {error:#}"),
    }
}
