//! `cargo xtask test`: all tests of the project.

use std::path::Path;

use anyhow::Result;

use crate::environment::Environment;
use crate::generate;
use crate::old;
use crate::pytest;
use crate::shell::{cargo, require_compiler, run, step};

/// What the Python tests need from the package index.
pub const REQUIREMENTS: &[&str] = &[
    "pip>=25.1",
    "pytest>=8",
    "pytest-xdist>=3",
    "setuptools>=82",
    "wheel",
    "build",
    "tomli; python_version < '3.11'",
    // Looks for symbols outside of the limited API.
    "abi3audit>=0.0.26; python_version >= '3.10'",
];

/// What they need where they load universal libraries only.
const NATIVE_REQUIREMENTS: &[&str] = &["pytest>=8", "pytest-xdist>=3", "setuptools>=82"];

/// What the Python tests need in an environment.
pub fn requirements(environment: &Environment) -> &'static [&'static str] {
    if environment.is_foreign() { NATIVE_REQUIREMENTS } else { REQUIREMENTS }
}

/// Runs the Rust tests, builds and installs the wheel, and runs the Python tests; `arguments` go to pytest.
pub fn test(root: &Path, python: Option<&Path>, arguments: &[String]) -> Result<()> {
    require_compiler()?;
    step("compare the printed files with the description");
    generate::run(root, true)?;
    step("test the Rust crates");
    run(cargo(root).args(["test", "--workspace", "--quiet"]))?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    environment.install_hpy()?;
    let mut pytest = environment.command();
    old::offer(root, python, &mut pytest);
    step("test the API, the package and the examples");
    run(pytest
        .args(["-m", "pytest", "--numprocesses=auto", "-q", "-rs", "tests", "examples"])
        .args(arguments))
}

/// Runs the tests that load universal extensions, which are loaded in `mode` instead; `arguments` go to pytest.
pub fn forced(root: &Path, python: Option<&Path>, mode: &str, arguments: &[String]) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    environment.install_hpy()?;
    step(&format!("test the API in {mode} mode"));
    let mut pytest = environment.command();
    pytest.args(["-m", "pytest", "--numprocesses=auto", "-q"]);
    pytest::force_mode(&mut pytest, root, mode);
    run(pytest.args(["-k", "universal", "tests/api"]).args(arguments))
}
