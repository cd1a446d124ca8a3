//! Single calls: of Python into an extension, and of the extension into the API.

use anyhow::{Context, Result};

use super::Bench;
use super::build::{FLAGS, OLD, WAYS, compile_old, old_environment, repeat};
use super::callgrind::{self, Cell};
use super::place;
use super::table::{Column, table};
use crate::shell::step;

const FOLDER: &str = "benches/micro";

/// Counts the instructions of each call in each build.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let columns = columns(bench)?;
    Ok(format!("{}\n{}", table(&columns)?, place::describe(bench, "micro", FLAGS)?))
}

fn columns(bench: &Bench) -> Result<Vec<Column>> {
    step("compile the functions to measure");
    let script = bench.root.join(FOLDER).join("measure.py");
    let repeat = repeat(bench)?;
    let mut columns = Vec::new();
    for way in WAYS {
        let arguments = [&*way.compile(bench, FOLDER, "micro")?, &*repeat];
        let cells = callgrind::count(bench, &bench.environment, way.title, &script, &arguments)?;
        columns.push(Column { title: way.title, cells: Ok(cells) });
    }
    let count_old = || -> Result<Vec<Cell>> {
        let environment = old_environment(bench)?;
        let arguments = [&*compile_old(bench, &environment, FOLDER, "micro")?, &*repeat];
        callgrind::count(bench, &environment, OLD, &script, &arguments).context("it does not run")
    };
    let cells = count_old();
    if let Err(reason) = &cells {
        eprintln!("{OLD}: skipped, {reason:#}");
    }
    columns.push(Column { title: OLD, cells });
    Ok(columns)
}
