//! `cargo xtask bench hosts` and `bench emulated`: the same code for the C API and for HPy on interpreters that have HPy themselves,
//! and on those over whose C API our runtime works.

use std::env;
use std::fmt::Write;

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::compile::{Abi, compile};
use crate::environment::{Environment, JAVA_OPTIONS, version};
use crate::native;
use crate::pythons::VARIABLE;
use crate::shell::{output, step};

/// Sources and what they are written for, in the order that `measure.py` wants.
const SOURCES: &[(&str, Abi)] = &[
    ("benches/micro/cmicro.c", Abi::Plain),
    ("benches/micro/hpymicro.c", Abi::Universal),
    ("examples/json/cjson.c", Abi::Plain),
    ("examples/json/hpyjson.c", Abi::Universal),
];

/// Measures on each interpreter with HPy that the variable names.
pub fn measure(bench: &Bench) -> Result<String> {
    each(bench, native::is_native, "PyPy 7.3 or GraalPy 24.2")
}

/// The same for interpreters that have only a C API.
pub fn emulated(bench: &Bench) -> Result<String> {
    let is_emulated = |version: &str| native::is_foreign(version) && !native::is_native(version);
    each(bench, is_emulated, "PyPy 8.0 or GraalPy 25")
}

/// Measures on each interpreter of a kind.
fn each(bench: &Bench, wanted: impl Fn(&str) -> bool, kind: &str) -> Result<String> {
    let paths = env::var_os(VARIABLE).unwrap_or_default();
    let mut text = String::new();
    for python in env::split_paths(&paths) {
        match version(&python) {
            Ok(version) if wanted(&version) => {
                let environment = Environment::prepare(bench.root, Some(&python))?;
                environment.install_hpy()?;
                text += &one(bench, &environment, &version)?;
            }
            _ => {}
        }
    }
    if text.is_empty() {
        bail!("name {kind} in {VARIABLE}");
    }
    Ok(text)
}

fn one(bench: &Bench, environment: &Environment, version: &str) -> Result<String> {
    step(&format!("measure on {version}"));
    let out = bench.out.join("hosts").join(version);
    let mut command = environment.command();
    command.env_remove(JAVA_OPTIONS).arg("benches/hosts/measure.py");
    for (source, abi) in SOURCES {
        let source = bench.root.join(source);
        command.arg(compile(environment, *abi, &source, &out, &["-O2"])?);
    }
    let rows = output(&mut command)?;
    let mut table = format!("| {version}, ns | C API | HPy | HPy / C API |\n|---|--:|--:|--:|\n");
    for row in rows.lines() {
        let fields: Vec<_> = row.split('\t').collect();
        let &[name, c, hpy] = &fields[..] else { bail!("measure.py printed {row:?}") };
        let number = |text: &str| text.parse::<f64>().context("measure.py prints numbers");
        let (c, hpy) = (number(c)?, number(hpy)?);
        writeln!(table, "| {name} | {c:.0} | {hpy:.0} | {:.2} |", hpy / c)?;
    }
    Ok(table + "\n")
}
