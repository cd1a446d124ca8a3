//! `docs/hosts.md`: what `cargo xtask matrix --write` puts there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::bench::page;

/// `tests/hosts/NAME.toml`: what an interpreter does otherwise, and the tests that show it.
#[derive(Deserialize)]
struct Host {
    defect: Vec<Defect>,
}

#[derive(Deserialize)]
struct Defect {
    what: String,
    /// Why the tests are not even run.
    not_run: Option<String>,
    #[serde(default)]
    tests: Vec<String>,
    /// The same of the published suite.
    #[serde(default)]
    published: Vec<String>,
}

impl Defect {
    fn all(&self) -> Vec<&str> {
        self.tests.iter().chain(&self.published).map(String::as_str).collect()
    }
}

/// Writes the table of the matrix, which `update` makes of the text that is there, and what interpreters do otherwise.
pub fn write(root: &Path, update: impl FnOnce(&str) -> String) -> Result<()> {
    let page = root.join("docs/hosts.md");
    let defects = defects(root)?;
    page::update(&page, "matrix --write", |old| format!("{}{defects}", update(old)))
}

/// Of each interpreter that is listed, a table of what it does otherwise and in which tests that shows.
fn defects(root: &Path) -> Result<String> {
    let mut text = String::new();
    for (name, host) in read(&root.join("tests/hosts"))? {
        let count: usize = host.defect.iter().map(|defect| defect.all().len()).sum();
        writeln!(text, "\n### {name}: {count} tests that cannot pass\n")?;
        writeln!(text, "| what is different | tests |\n|---|---|")?;
        for defect in &host.defect {
            let tests = names(&defect.all()).join(", ");
            let why = defect.not_run.iter().map(|why| format!(" (not run: {why})"));
            writeln!(text, "| {}{} | {tests} |", defect.what, why.collect::<String>())?;
        }
    }
    Ok(text)
}

fn read(folder: &Path) -> Result<BTreeMap<String, Host>> {
    let mut hosts = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().context("a file has a name")?.to_string_lossy();
            let text = fs::read_to_string(&path)?;
            let host =
                toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
            hosts.insert(name.into_owned(), host);
        }
    }
    Ok(hosts)
}

/// The functions of the tests, each once, with how many of them there are.
fn names(tests: &[&str]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for test in tests {
        let function = test.rsplit("::").next().unwrap_or(test);
        *counts.entry(function.split('[').next().unwrap_or(function)).or_default() += 1;
    }
    let show = |(name, count): (&str, usize)| match count {
        1 => format!("`{name}`"),
        count => format!("`{name}` ({count})"),
    };
    counts.into_iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_one_function_are_counted() {
        let tests = ["a.py::test_x[one]", "a.py::test_x[two]", "b.py::test_y[z]"];
        let names = names(&tests);
        assert_eq!(names, ["`test_x` (2)", "`test_y`"]);
    }
}
