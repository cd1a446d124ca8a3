//! How long an import takes, and how large a minimal extension is.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::Bench;
use super::build::{OLD, WAYS, compile_old, old_environment};
use super::place;
use crate::environment::Environment;
use crate::shell::{output, run, step};

/// As a released extension is compiled: without symbols for debuggers.
const STRIP: &[&str] = &["strip", "--strip-unneeded"];

/// One way to build the minimal extension.
struct Row {
    title: &'static str,
    size: u64,
    /// the first import in a process, and one when `hpy.universal` is there
    microseconds: [f64; 2],
}

/// Measures sizes and imports.
pub fn measure(bench: &Bench) -> Result<String> {
    step("compile the minimal extension");
    let mut rows = Vec::new();
    for way in WAYS {
        let library = way.compile(bench, "benches/startup", "minimal")?;
        rows.push(row(bench, way.title, &bench.environment, library)?);
    }
    let old = || -> Result<Row> {
        let environment = old_environment(bench)?;
        let library = compile_old(bench, &environment, "benches/startup", "minimal")?;
        row(bench, OLD, &environment, library)
    };
    match old() {
        Ok(old) => rows.push(old),
        Err(reason) => eprintln!("{OLD}: skipped, {reason:#}"),
    }
    let mut text = "| | size, bytes | import, µs | import with `hpy.universal` loaded, µs |\n\
                    |---|--:|--:|--:|\n"
        .to_owned();
    for Row { title, size, microseconds: [first, next] } in rows {
        text += &format!("| {title} | {size} | {first:.0} | {next:.0} |\n");
    }
    Ok(format!("{text}\n{}", place::describe(bench, "startup", super::build::FLAGS)?))
}

fn row(
    bench: &Bench,
    title: &'static str,
    environment: &Environment,
    library: PathBuf,
) -> Result<Row> {
    run(environment.other(STRIP[0]).args(&STRIP[1..]).arg(&library))?;
    let script = bench.root.join("benches/startup/measure.py");
    let listing = output(environment.command().arg(script).arg(&library))?;
    let mut numbers = listing.split_whitespace().map(str::parse);
    let mut next = || numbers.next().unwrap_or(Ok(f64::NAN));
    Ok(Row { title, size: fs::metadata(&library)?.len(), microseconds: [next()?, next()?] })
}
