//! `cargo xtask bench hosts`: the same code for the C API and for HPy on interpreters that have HPy themselves.

use std::env;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::compile::{Abi, compile};
use crate::environment::{Environment, version};
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

/// Measures on each such interpreter that the variable names.
pub fn measure(bench: &Bench) -> Result<String> {
    let paths = env::var_os(VARIABLE).unwrap_or_default();
    let mut text = String::new();
    for python in env::split_paths(&paths) {
        match version(&python) {
            Ok(version) if native::is_native(&version) => {
                text += &one(bench, &python, &version)?;
            }
            _ => {}
        }
    }
    if text.is_empty() {
        bail!("name PyPy 7.3 or GraalPy 24.2 in {VARIABLE}");
    }
    Ok(text)
}

fn one(bench: &Bench, python: &Path, version: &str) -> Result<String> {
    step(&format!("measure on {version}"));
    let environment = Environment::prepare(bench.root, Some(python))?;
    environment.install_hpy_for_tests()?; // calls do not go through what it has in native code
    let out = bench.out.join("hosts").join(version);
    let mut command = environment.command();
    command.arg("benches/hosts/measure.py");
    for (source, abi) in SOURCES {
        let source = bench.root.join(source);
        command.arg(compile(&environment, *abi, &source, &out, &["-O2"])?);
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
