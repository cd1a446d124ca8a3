//! Trace mode: what it adds to each call, in instructions and in time.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::Bench;
use super::build::{FLAGS, WAYS, repeat};
use super::callgrind::{self, Cell};
use super::place;
use super::table::{Column, table};
use crate::shell::{output, step};

const FOLDER: &str = "benches/micro";

/// Counts the instructions in universal mode and in trace mode, and measures the time of calls of the API.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let universal = WAYS.last().context("there are ways to build")?;
    let library = universal.compile(bench, FOLDER, "micro")?;
    let column = |title, mode: &str| -> Result<Column> {
        Ok(Column { title, cells: Ok(calls(bench, title, &library, mode)?) })
    };
    let columns = [
        column("Universal ABI", "universal")?,
        column("trace mode, only counting", "counts")?,
        column("trace mode", "trace")?,
    ];
    let times = times(bench, &library)?;
    Ok(format!("{times}\n{}\n{}", table(&columns)?, place::describe(bench, "trace", FLAGS)?))
}

fn calls(bench: &Bench, title: &str, library: &Path, mode: &str) -> Result<Vec<Cell>> {
    let script = bench.root.join(FOLDER).join("measure.py");
    let arguments = [library, &*repeat(bench)?, Path::new(mode)];
    callgrind::count(bench, &bench.environment, title, &script, &arguments)
}

/// The time of one call of the API, in the three ways.
fn times(bench: &Bench, library: &Path) -> Result<String> {
    step("measure times");
    let script = bench.root.join("benches/trace/measure.py");
    time_table(&output(bench.environment.command().arg(script).arg(library))?)
}

/// Rows of a name and three times, separated by tabs, as a table that says what trace mode adds.
fn time_table(rows: &str) -> Result<String> {
    let mut text = "| nanoseconds per call of the API | Universal ABI | only counting | timing | counting adds | timing adds |\n\
                    |---|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for row in rows.lines() {
        let mut cells = row.split('\t');
        let name = cells.next().unwrap_or_default();
        let times = cells.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [plain, counting, timing] = times[..] else {
            anyhow::bail!("unexpected line {row:?}");
        };
        writeln!(
            text,
            "| {name} | {plain:.1} | {counting:.1} | {timing:.1} | {:.1} | {:.1} |",
            counting - plain,
            timing - plain
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_said() -> Result<()> {
        let text = time_table("Is\t2.0\t3.5\t22.0\n")?;
        assert!(text.ends_with("| Is | 2.0 | 3.5 | 22.0 | 1.5 | 20.0 |\n"), "{text}");
        assert!(time_table("Is\t2.0\n").is_err());
        Ok(())
    }
}
