//! Running pytest and reading what it reports.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::skips::Skip;

/// One test of the report.
#[derive(Clone)]
pub struct Case {
    /// `classname::name`
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was skipped, or cannot pass.
    pub reason: String,
}

impl Case {
    /// The name of the test's function, without its parameters.
    fn function(&self) -> &str {
        let name = self.name.split('[').next().unwrap_or_default();
        name.rsplit("::").next().unwrap_or(name)
    }
}

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    Skipped,
    /// It failed as was expected of this interpreter.
    Known,
}

/// Runs pytest to its end, which writes `report`; tests that failed are no error.
pub fn run(pytest: &mut Command, report: &Path) -> Result<Vec<Case>> {
    let status = pytest
        .args(["-p", "no:cacheprovider", "--junitxml"])
        .arg(report)
        .stdin(Stdio::null())
        .status()
        .context("cannot start pytest")?;
    // pytest says 1 for failed tests, which the report has; other numbers mean that it did not run.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("pytest did not run to its end: {status}");
    }
    let cases = read(&fs::read_to_string(report).context("pytest wrote no report")?);
    if cases.is_empty() {
        bail!("the report has no test: {}", report.display());
    }
    Ok(cases)
}

/// Lets tests load in `mode` what they would load in universal mode.
pub fn force_mode(pytest: &mut Command, root: &Path, mode: &str) {
    let plugin = ["-p", "forced_mode"];
    pytest.env("PYTHONPATH", root.join("tests")).env("HPY_TEST_MODE", mode).args(plugin);
}

/// How many of the tests ended so.
pub fn count(cases: &[Case], outcome: Outcome) -> usize {
    cases.iter().filter(|case| case.outcome == outcome).count()
}

/// Tests of which none failed.
#[derive(Debug, Default)]
pub struct Passed {
    /// How many ended how, in words.
    pub text: String,
    /// Those that were skipped.
    pub skipped: Vec<Skip>,
}

/// An error that names the failed tests, if there are any.
pub fn passed(cases: &[Case]) -> Result<Passed> {
    let of = |outcome| cases.iter().filter(move |case| case.outcome == outcome);
    let failed = of(Outcome::Failed).map(|case| format!("\n    {}", case.name));
    let failed: Vec<_> = failed.collect();
    if !failed.is_empty() {
        bail!("{} failed:{}", failed.len(), failed.concat());
    }
    let mut text = format!("{} passed", count(cases, Outcome::Passed));
    for (outcome, word) in [(Outcome::Skipped, "skipped"), (Outcome::Known, "cannot")] {
        match count(cases, outcome) {
            0 => {}
            number => text += &format!(", {number} {word}"),
        }
    }
    let skip = |case: &Case| Skip { reason: case.reason.clone(), test: case.function().to_owned() };
    Ok(Passed { text, skipped: of(Outcome::Skipped).map(skip).collect() })
}

/// The test cases of a JUnit report as pytest writes it: one element a test, with a child element unless it passed.
fn read(report: &str) -> Vec<Case> {
    report
        .split("<testcase ")
        .skip(1)
        .map(|element| {
            let body = element.split("</testcase>").next().unwrap_or_default();
            let outcome = if body.contains("<failure") || body.contains("<error") {
                Outcome::Failed
            } else if body.contains("<skipped type=\"pytest.xfail\"") {
                Outcome::Known
            } else if body.contains("<skipped") {
                Outcome::Skipped
            } else {
                Outcome::Passed
            };
            let name =
                format!("{}::{}", attribute(element, "classname"), attribute(element, "name"));
            let reason =
                body.split("<skipped ").nth(1).map(|skipped| attribute(skipped, "message"));
            Case { name, outcome, reason: unescape(reason.unwrap_or_default()) }
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

/// The text of an attribute's value.
fn unescape(value: &str) -> String {
    let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    value.replace("&#10;", " ").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = "<testsuite><testcase classname=\"a.B\" name=\"one\" time=\"1\" />\
            <testcase classname=\"a.B\" name=\"two\"><failure message=\"x\">y</failure></testcase>\
            <testcase classname=\"a.B\" name=\"three[3.9]\"><skipped type=\"pytest.skip\" message=\"for &quot;x&quot; &amp; y\">a</skipped></testcase>\
            <testcase classname=\"a.B\" name=\"four\"><skipped type=\"pytest.xfail\" message=\"\" /></testcase></testsuite>";
        let cases = read(report);
        assert_eq!(cases.len(), 4);
        assert!(cases[0].outcome == Outcome::Passed && cases[0].name == "a.B::one");
        assert!(cases[1].outcome == Outcome::Failed);
        assert!(cases[2].outcome == Outcome::Skipped);
        assert!(cases[3].outcome == Outcome::Known);
        assert_eq!(count(&cases, Outcome::Failed), 1);
        assert_eq!(passed(&cases).unwrap_err().to_string(), "1 failed:\n    a.B::two");
        let passed = passed(&[&cases[..1], &cases[2..]].concat()).unwrap();
        assert_eq!(passed.text, "1 passed, 1 skipped, 1 cannot");
        let skip = Skip { reason: "for \"x\" & y".to_owned(), test: "three".to_owned() };
        assert_eq!(passed.skipped, [skip]);
    }
}
