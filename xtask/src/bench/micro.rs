//! Single calls: of Python into an extension, and of the extension into the API.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Bench;
use super::callgrind::{self, Cell};
use super::place;
use super::table::{Column, table};
use crate::compile::{Abi, compile};
use crate::old;
use crate::shell::{run, step};

/// The same for every library that is measured.
const FLAGS: &[&str] = &["-O2", "-g"];

/// Counts the instructions of each call in each build.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let columns = columns(bench)?;
    Ok(format!("{}\n{}", table(&columns)?, place::describe(bench, "micro", FLAGS)?))
}

fn columns(bench: &Bench) -> Result<Vec<Column>> {
    step("compile the functions to measure");
    let sources = bench.root.join("benches/micro");
    let script = sources.join("measure.py");
    let build = |abi, source: &str, folder: &str| {
        let into = bench.out.join(folder);
        compile(&bench.environment, abi, &sources.join(source), &into, FLAGS)
    };
    let repeat = build(Abi::Plain, "repeat.c", "plain")?;
    let mut columns = Vec::new();
    for (title, abi, source, folder) in [
        ("plain C API", Abi::Plain, "cmicro.c", "plain"),
        ("CPython ABI", Abi::CPython, "hpymicro.c", "cpython"),
        ("Universal ABI", Abi::Universal, "hpymicro.c", "universal"),
    ] {
        let libraries = [&*build(abi, source, folder)?, &*repeat];
        let cells = callgrind::count(bench, &bench.environment, title, &script, &libraries)?;
        columns.push(Column { title, cells: Ok(cells) });
    }
    let title = "HPy 0.9.0 universal";
    let cells = count_old(bench, title, &script, &repeat);
    if let Err(reason) = &cells {
        eprintln!("{title}: skipped, {reason:#}");
    }
    columns.push(Column { title, cells });
    Ok(columns)
}

/// The column of the old release, which not every Python can install.
fn count_old(bench: &Bench, title: &str, script: &Path, repeat: &Path) -> Result<Vec<Cell>> {
    let environment = old::environment(bench.root, bench.python)?;
    let base = bench.out.join("old");
    run(environment
        .command()
        .current_dir(bench.root.join("benches/micro"))
        .args(["setup.py", "--quiet", "--hpy-abi=universal", "build", "--build-base"])
        .arg(&base))
    .context("it does not build the functions to measure")?;
    let library = find(&base, "hpymicro.hpy0.so")?;
    callgrind::count(bench, &environment, title, script, &[&library, repeat])
        .context("it does not run")
}

fn find(below: &Path, name: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = find(&path, name) {
                return Ok(found);
            }
        } else if path.ends_with(name) {
            return Ok(path);
        }
    }
    bail!("no {name} below {}", below.display())
}
