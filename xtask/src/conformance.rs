//! `cargo xtask conformance`: the published test suite of hpy 0.9.0, run against the wheel built here.
//!
//! The suite is taken from the package index at run time and never kept in the project. Its `test/` folder is used unmodified; beside
//! it stands a project whose build backend hands out our wheel, because the suite installs its parent folder with pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::compile::with_ccache;
use crate::environment::Environment;
use crate::old;
use crate::pytest::{self, Case, Outcome, Passed, count};
use crate::shell::{require_compiler, run, step};
use crate::skips::Skip;

/// The suite, and what its fixtures import.
const RELEASE: &str = "hpy==0.9.0";
const REQUIREMENTS: &[&str] =
    &["pytest>=8", "pytest-xdist>=3", "filelock", "py", "setuptools>=82", "wheel"];

/// What the suite needs beside hpy 0.9.0 itself.
const OLD_REQUIREMENTS: &[&str] = &["pytest>=8", "pytest-xdist>=3", "filelock", "py"];

/// Tests that cannot pass, each with the defect of 0.9.0 or of the test that it asserts.
const KNOWN: &[(&str, &str)] = &[(
    "TestHPyField::test_tp_traverse[",
    "asserts that an instance does not visit its type, so that cycles through the type are never collected",
)];

/// A build backend that hands out a wheel made before.
const BACKEND: &str = r#"
import pathlib
import shutil

WHEEL = pathlib.Path(__file__).parent / "wheel"


def build_wheel(directory, config_settings=None, metadata_directory=None):
    wheel = next(WHEEL.glob("*.whl"))
    shutil.copy(wheel, directory)
    return wheel.name
"#;

const PYPROJECT: &str = r#"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"#;

/// Runs the suite, compiled with our headers; `arguments` go to pytest. With `mode`, only what loads universal extensions, which are
/// loaded in that mode instead.
pub fn conformance(
    root: &Path,
    python: Option<&Path>,
    mode: Option<&str>,
    arguments: &[String],
) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    let wheel = environment.install_hpy()?;
    let suite = fetch(root, &environment)?;
    offer_wheel(&suite, &wheel)?;
    step("run the published suite");
    let report = suite.join("report.xml");
    let mut pytest = environment.command();
    pytest.args(["-m", "pytest", "test"]);
    if let Some(mode) = mode {
        pytest::force_mode(&mut pytest, root, mode);
        // One test asserts that the context's name is that of universal mode.
        let selected = "universal and not hybrid and not test_ctx_name";
        pytest.args(["--ignore=test/hpy_devel", "-k", selected]);
    }
    with_ccache(root, &mut pytest);
    pytest.args(arguments);
    let title = mode.map_or("conformance".to_owned(), |mode| format!("conformance, {mode} mode"));
    summarise(&title, &run_suite(&mut pytest, &suite, &report)?)
}

/// The suite as a cell of the matrix, in an environment in which our wheel is installed. Its extensions are compiled without
/// distutils, and kept in `cache`, so that a universal one is compiled for the first interpreter only.
pub fn cell(root: &Path, environment: &Environment, cache: &Path) -> Result<Passed> {
    environment.require(REQUIREMENTS)?;
    let suite = fetch(root, environment)?;
    let run = |name: &str, add: &dyn Fn(&mut Command)| {
        let mut pytest = environment.command();
        pytest.args(["-m", "pytest"]);
        add(&mut pytest);
        run_suite(&mut pytest, &suite, &suite.join(format!("report-{name}.xml")))
    };
    let mut cases = run("matrix", &|pytest| {
        pytest.env("PYTHONPATH", environment.python_path(&root.join("tests")));
        pytest.env("HPY_TEST_CACHE", cache);
        pytest.args(["-p", "published_on_host", "test", "--ignore=test/hpy_devel"]);
        if environment.is_foreign() {
            pytest.args(["-k", "(universal or debug or trace) and not hybrid"]);
        }
    })?;
    let builds = !environment.is_foreign() && environment.makes_environments();
    if builds {
        offer_wheel(&suite, &environment.wheel()?)?;
        cases.extend(run("matrix-devel", &|pytest| {
            with_ccache(root, pytest);
            pytest.arg("test/hpy_devel");
        })?);
    }
    for case in cases.iter_mut().filter(|case| case.outcome == Outcome::Failed) {
        if reason(&case.name).is_some() {
            case.outcome = Outcome::Known;
        }
    }
    let mut passed = pytest::passed(&cases)?;
    if !builds && !environment.is_foreign() {
        passed.skipped.push(Skip {
            reason:
                "this Python makes no virtual environments with pip, in which packages are built"
                    .to_owned(),
            test: "test/hpy_devel".to_owned(),
        });
    }
    Ok(passed)
}

/// Runs the suite's universal, debug and trace tests, compiled with the headers of hpy 0.9.0, in our runtime.
pub fn old_headers(root: &Path, python: Option<&Path>, arguments: &[String]) -> Result<()> {
    require_compiler()?;
    let new = Environment::prepare(root, python)?;
    new.require(REQUIREMENTS)?;
    new.install_hpy()?;
    let suite = fetch(root, &new)?;
    let old = old::environment(root, python)?;
    old.require(OLD_REQUIREMENTS)?;
    let mixed = mix(root, &new, &old)?;
    step("run the published suite, compiled with the headers of hpy 0.9.0");
    let report = suite.join("report-old-headers.xml");
    let mut pytest = old.command();
    with_ccache(root, &mut pytest);
    pytest
        .env("PYTHONPATH", mixed)
        .args(["-m", "pytest", "test", "--ignore=test/hpy_devel"])
        .args(["-k", "(universal or debug or trace) and not hybrid"])
        .args(arguments);
    summarise("conformance, old headers", &run_suite(&mut pytest, &suite, &report)?)
}

/// Runs pytest in the suite's folder.
fn run_suite(pytest: &mut Command, suite: &Path, report: &Path) -> Result<Vec<Case>> {
    // The names of tests begin there, whether the folder is a project or not.
    pytest.current_dir(suite).args(["--rootdir", "."]);
    pytest::run(pytest.args(["--numprocesses=auto", "-q", "--tb=short"]), report)
}

/// A package `hpy` with the build integration of 0.9.0 and our runtime.
fn mix(root: &Path, new: &Environment, old: &Environment) -> Result<PathBuf> {
    let mixed = root.join("target/xtask/mixed");
    let package = mixed.join("hpy");
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    fs::create_dir_all(&package)?;
    // Not a namespace package: it must hide the one that is installed.
    fs::write(package.join("__init__.py"), "")?;
    let copy = "import importlib, os, shutil, sys\n\
        for name in sys.argv[2:]:\n\
        \x20   file = importlib.import_module('hpy.' + name).__file__\n\
        \x20   if os.path.basename(file) == '__init__.py':\n\
        \x20       shutil.copytree(os.path.dirname(file), os.path.join(sys.argv[1], name))\n\
        \x20   else:\n\
        \x20       shutil.copy(file, sys.argv[1])\n";
    run(old.command().args(["-c", copy]).arg(&package).arg("devel"))?;
    run(new.command().args(["-c", copy]).arg(&package).args(["debug", "trace", "universal"]))?;
    Ok(mixed)
}

/// Downloads the suite's source archive and unpacks its tests.
pub fn fetch(root: &Path, environment: &Environment) -> Result<PathBuf> {
    let suite = root.join("target/xtask/conformance");
    if suite.join("test").exists() {
        return Ok(suite);
    }
    step("fetch the published suite");
    // Another command may do so at the same time: the folder gets its name when all is in it.
    let folder = suite.with_extension(std::process::id().to_string());
    fs::create_dir_all(&folder)?;
    run(environment
        .pip("download")?
        .args(["--no-deps", "--no-binary", ":all:", RELEASE, "--dest"])
        .arg(&folder))?;
    let unpack = "import sys, tarfile, glob\n\
        archive = tarfile.open(glob.glob(sys.argv[1] + '/hpy-*.tar.gz')[0])\n\
        for member in archive.getmembers():\n\
        \x20   top, _, rest = member.name.partition('/')\n\
        \x20   if rest.startswith('test/'):\n\
        \x20       member.name = rest\n\
        \x20       archive.extract(member, sys.argv[1])\n";
    run(environment.command().args(["-c", unpack]).arg(&folder))?;
    fs::create_dir_all(&suite)?;
    if fs::rename(folder.join("test"), suite.join("test")).is_err() {
        ensure!(suite.join("test").exists(), "cannot put the published suite into its folder");
    }
    fs::remove_dir_all(&folder)?;
    Ok(suite)
}

/// Makes the suite's folder a project that pip installs as our wheel.
fn offer_wheel(suite: &Path, wheel: &Path) -> Result<()> {
    let dir = suite.join("wheel");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    fs::copy(wheel, dir.join(wheel.file_name().context("the wheel has a name")?))?;
    fs::write(suite.join("backend.py"), BACKEND)?;
    fs::write(suite.join("pyproject.toml"), PYPROJECT)?;
    Ok(())
}

/// Why a test that failed cannot pass.
fn reason(name: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| name.contains(known)).map(|(_, reason)| *reason)
}

/// Prints the closing line and the names of what failed; fails if anything did that is not known.
fn summarise(title: &str, cases: &[Case]) -> Result<()> {
    let failed: Vec<_> = cases.iter().filter(|case| case.outcome == Outcome::Failed).collect();
    println!(
        "{title}: {} passed, {} failed, {} skipped",
        count(cases, Outcome::Passed),
        failed.len(),
        count(cases, Outcome::Skipped)
    );
    for case in &failed {
        match reason(&case.name) {
            Some(reason) => println!("  {} (known: {reason})", case.name),
            None => println!("  {}", case.name),
        }
    }
    if failed.iter().any(|case| reason(&case.name).is_none()) {
        bail!("the published suite does not pass");
    }
    Ok(())
}
