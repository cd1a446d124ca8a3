//! Counting instructions with Valgrind.
//!
//! Instructions, not time: the counts are the same on a busy machine and on an idle one. Each
//! function is run N and 2N times, and the difference divided by N, so that what is done once does
//! not count. The caller is a loop in C, the same for every library.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::environment::Environment;
use crate::shell::{exists, output, step};

/// The C function within which instructions are counted, in `benches/micro/repeat.c`.
const COUNTED: &str = "hpy_bench_repeat";

/// One measured function.
pub struct Cell {
    pub row: String,
    pub instructions: f64,
}

/// Fails unless there is Valgrind.
pub fn require() -> Result<()> {
    if !exists("valgrind") {
        bail!("no valgrind, which counts the instructions: install it, or run this on Linux");
    }
    Ok(())
}

/// Counts what `script` runs with `arguments`. It prints a line `N<tab>ROW` for each
/// function, after two rounds of the loop in `repeat.c`: N calls and 2N.
pub fn count(
    bench: &Bench,
    environment: &Environment,
    title: &str,
    script: &Path,
    arguments: &[&Path],
) -> Result<Vec<Cell>> {
    step(&format!("count: {title}"));
    let reports = bench.out.join("reports");
    if reports.exists() {
        fs::remove_dir_all(&reports)?;
    }
    fs::create_dir_all(&reports)?;
    let listing = output(
        environment
            .other("valgrind")
            .args(["--quiet", "--tool=callgrind"])
            .arg(format!("--callgrind-out-file={}", reports.join("report").display()))
            .arg(format!("--toggle-collect={COUNTED}"))
            .arg(format!("--dump-after={COUNTED}"))
            .arg(environment.python())
            .arg(script)
            .args(arguments)
            .env("PYTHONHASHSEED", "0"),
    )?;
    listing.lines().enumerate().map(|(i, line)| cell(&reports, i, line)).collect()
}

/// The cell of the `i`th line of the listing.
fn cell(reports: &Path, i: usize, line: &str) -> Result<Cell> {
    let (times, row) =
        line.split_once('\t').with_context(|| format!("unexpected line {line:?}"))?;
    let times: f64 = times.parse().with_context(|| format!("unexpected number {times:?}"))?;
    let once = total(&reports.join(format!("report.{}", 2 * i + 1)))?;
    let twice = total(&reports.join(format!("report.{}", 2 * i + 2)))?;
    Ok(Cell { row: row.to_owned(), instructions: (twice - once) / times })
}

/// The instructions that one report of callgrind tells of.
fn total(report: &Path) -> Result<f64> {
    let text = fs::read_to_string(report)
        .with_context(|| format!("callgrind wrote no {}", report.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let number = line.and_then(|number| number.trim().parse().ok());
    number.with_context(|| format!("{} has no totals", report.display()))
}
