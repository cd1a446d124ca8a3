//! The release that this project must stay compatible with, in an environment of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::environment::Environment;

/// hpy 0.9.0 with the newest setuptools that its build integration works with: it imports `pkg_resources`.
const REQUIREMENTS: &[&str] = &["hpy==0.9.0", "setuptools<81", "wheel"];

/// An environment with hpy 0.9.0; an error where that does not install, as on CPython 3.13 and later.
pub fn environment(root: &Path, python: Option<&Path>) -> Result<Environment> {
    let environment = Environment::prepare_for(root, python, "-hpy0.9.0")?;
    environment.require(REQUIREMENTS).context("hpy 0.9.0 does not install")?;
    Ok(environment)
}

/// Tells tests where hpy 0.9.0 is; where it does not install, those that need it are skipped.
pub fn offer(root: &Path, python: Option<&Path>, pytest: &mut Command) {
    match environment(root, python) {
        Ok(old) => {
            pytest.env("HPY_OLD_PYTHON", old.python());
        }
        Err(error) => eprintln!("tests with hpy 0.9.0 are skipped: {error:#}"),
    }
}
