//! `cargo xtask conformance`: the published test suite of hpy 0.9.0, run against the wheel built here.
//!
//! The suite is taken from the package index at run time and never kept in the project. Its `test/` folder is used unmodified; beside
//! it stands a project whose build backend hands out our wheel, because the suite installs its parent folder with pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::environment::Environment;
use crate::old;
use crate::shell::{require_compiler, run, step};

/// The suite, and what its fixtures import.
const RELEASE: &str = "hpy==0.9.0";
const REQUIREMENTS: &[&str] =
    &["pytest>=8", "pytest-xdist>=3", "filelock", "py", "setuptools>=82", "wheel"];

/// What the suite needs beside hpy 0.9.0 itself.
const OLD_REQUIREMENTS: &[&str] = &["pytest>=8", "pytest-xdist>=3", "filelock", "py"];

/// Tests and parameters that need a mode which this release does not have.
const MODES: [&str; 4] = ["--ignore=test/debug", "--ignore=test/trace", "-k", "not debug"];

/// Tests that cannot pass, each with the defect of 0.9.0 or of the test that it asserts.
const KNOWN: &[(&str, &str)] = &[
    (
        "TestHPyField::test_tp_traverse[",
        "asserts that an instance does not visit its type, so that cycles through the type are never collected",
    ),
    (
        "test_support::test_source_dump",
        "runs a test in debug mode, which this release does not have",
    ),
];

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

/// Runs the suite, compiled with our headers; `arguments` go to pytest.
pub fn conformance(root: &Path, python: Option<&Path>, arguments: &[String]) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    let wheel = environment.install_hpy()?;
    let suite = fetch(root, &environment)?;
    offer_wheel(&suite, &wheel)?;
    step("run the published suite");
    let report = suite.join("report.xml");
    let mut pytest = environment.command();
    run_suite(pytest.args(["-m", "pytest", "test"]).args(MODES).args(arguments), &suite, &report)?;
    summarise("conformance", &report)
}

/// Runs the suite's universal tests, compiled with the headers of hpy 0.9.0, in our runtime.
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
    pytest
        .env("PYTHONPATH", mixed)
        .args(["-m", "pytest", "test", "--ignore=test/hpy_devel"])
        .args(&MODES[..2])
        .args(["-k", "universal and not hybrid and not debug"])
        .args(arguments);
    run_suite(&mut pytest, &suite, &report)?;
    summarise("conformance, old headers", &report)
}

/// Runs pytest in the suite's folder; failed tests are in the report.
fn run_suite(pytest: &mut Command, suite: &Path, report: &Path) -> Result<()> {
    let status = pytest
        .current_dir(suite)
        .args(["--numprocesses=auto", "-q", "--tb=short", "-p", "no:cacheprovider", "--junitxml"])
        .arg(report)
        .stdin(Stdio::null())
        .status()
        .context("cannot start pytest")?;
    // pytest says 1 for failed tests, which the report has; other numbers mean that it did not run.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("pytest did not run to its end: {status}");
    }
    Ok(())
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
    run(new.command().args(["-c", copy]).arg(&package).args(["debug", "universal"]))?;
    Ok(mixed)
}

/// Downloads the suite's source archive and unpacks its tests.
fn fetch(root: &Path, environment: &Environment) -> Result<PathBuf> {
    let suite = root.join("target/xtask/conformance");
    if suite.join("test").exists() {
        return Ok(suite);
    }
    step("fetch the published suite");
    fs::create_dir_all(&suite)?;
    run(environment
        .command()
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--no-binary", ":all:", RELEASE, "--dest"])
        .arg(&suite))?;
    let unpack = "import sys, tarfile, glob\n\
        archive = tarfile.open(glob.glob(sys.argv[1] + '/hpy-*.tar.gz')[0])\n\
        for member in archive.getmembers():\n\
        \x20   top, _, rest = member.name.partition('/')\n\
        \x20   if rest.startswith('test/'):\n\
        \x20       member.name = rest\n\
        \x20       archive.extract(member, sys.argv[1])\n";
    run(environment.command().args(["-c", unpack]).arg(&suite))?;
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

/// One test of the report.
struct Case {
    name: String,
    outcome: Outcome,
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// Prints the closing line and the names of what failed; fails if anything did that is not known.
fn summarise(title: &str, report: &Path) -> Result<()> {
    let cases = cases(&fs::read_to_string(report).context("pytest wrote no report")?);
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let failed: Vec<_> = cases.iter().filter(|case| case.outcome == Outcome::Failed).collect();
    println!(
        "{title}: {} passed, {} failed, {} skipped",
        count(Outcome::Passed),
        failed.len(),
        count(Outcome::Skipped)
    );
    let reason = |name: &str| KNOWN.iter().find(|(known, _)| name.contains(known)).map(|k| k.1);
    for case in &failed {
        match reason(&case.name) {
            Some(reason) => println!("  {} (known: {reason})", case.name),
            None => println!("  {}", case.name),
        }
    }
    if cases.is_empty() {
        bail!("the report has no test");
    }
    if failed.iter().any(|case| reason(&case.name).is_none()) {
        bail!("the published suite does not pass");
    }
    Ok(())
}

/// The test cases of a JUnit report as pytest writes it: one element a test, with a child element unless it passed.
fn cases(report: &str) -> Vec<Case> {
    report
        .split("<testcase ")
        .skip(1)
        .map(|element| {
            let body = element.split("</testcase>").next().unwrap_or_default();
            let outcome = if body.contains("<failure") || body.contains("<error") {
                Outcome::Failed
            } else if body.contains("<skipped") {
                Outcome::Skipped
            } else {
                Outcome::Passed
            };
            let name =
                format!("{}::{}", attribute(element, "classname"), attribute(element, "name"));
            Case { name, outcome }
        })
        .collect()
}

/// The value of an attribute; `element` begins with the first one.
fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let start = format!("{name}=\"");
    let at = element.match_indices(&start).map(|(at, _)| at);
    let mut at = at.filter(|at| *at == 0 || element.as_bytes()[at - 1] == b' ');
    let value = at.next().map_or("", |at| &element[at + start.len()..]);
    value.split('"').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = "<testsuite><testcase classname=\"a.B\" name=\"one\" time=\"1\" />\
            <testcase classname=\"a.B\" name=\"two\"><failure message=\"x\">y</failure></testcase>\
            <testcase classname=\"a.B\" name=\"three\"><skipped /></testcase></testsuite>";
        let cases = cases(report);
        assert_eq!(cases.len(), 3);
        assert!(cases[0].outcome == Outcome::Passed && cases[0].name == "a.B::one");
        assert!(cases[1].outcome == Outcome::Failed);
        assert!(cases[2].outcome == Outcome::Skipped);
    }
}
