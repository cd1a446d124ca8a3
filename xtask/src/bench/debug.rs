//! Debug mode: the instructions of calls in it, and what traces of handles take.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::Bench;
use super::callgrind::{self, Cell};
use super::place;
use crate::compile::{Abi, compile};
use crate::shell::{output, step};

/// The same for every library that is measured.
const FLAGS: &[&str] = &["-O2", "-g"];

/// Counts the instructions of each call in universal mode and in debug mode, and measures traces.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let calls = table(&calls(bench, "universal", &[])?, &calls(bench, "debug", &["debug"])?)?;
    let traces = traces(bench)?;
    Ok(format!("{calls}\n{traces}\n{}", place::describe(bench, "debug", FLAGS)?))
}

fn calls(bench: &Bench, title: &str, mode: &[&str]) -> Result<Vec<Cell>> {
    let sources = bench.root.join("benches/micro");
    let out = bench.out.join("debug");
    let compile =
        |abi, name: &str| compile(&bench.environment, abi, &sources.join(name), &out, FLAGS);
    let library = compile(Abi::Universal, "hpymicro.c")?;
    let repeat = compile(Abi::Plain, "repeat.c")?;
    let mut arguments = vec![&*library, &*repeat];
    arguments.extend(mode.iter().map(Path::new));
    callgrind::count(bench, &bench.environment, title, &sources.join("measure.py"), &arguments)
}

/// Both modes beside each other, and how many times as much the second takes.
fn table(universal: &[Cell], debug: &[Cell]) -> Result<String> {
    let mut text =
        "| instructions per call | Universal ABI | debug mode | times |\n|---|--:|--:|--:|\n"
            .to_owned();
    for (plain, checked) in universal.iter().zip(debug) {
        let (row, times) = (&plain.row, checked.instructions / plain.instructions);
        let (plain, checked) = (plain.instructions, checked.instructions);
        writeln!(text, "| {row} | {plain:.0} | {checked:.0} | {times:.1} |")?;
    }
    Ok(text)
}

/// The time of a trace, and the memory of many.
fn traces(bench: &Bench) -> Result<String> {
    step("measure traces");
    let sources = bench.root.join("benches/debug");
    let library = compile(
        &bench.environment,
        Abi::Universal,
        &sources.join("traces.c"),
        &bench.out.join("debug"),
        FLAGS,
    )?;
    let measured = |more: &[&str]| {
        let script = sources.join("measure.py");
        let mut command = bench.environment.command();
        output(command.arg(script).arg(&library).args(more))
    };
    let (one_by_one, all_at_once) = (measured(&[])?, measured(&["all"])?);
    let parts = |text: &str| {
        let (time, memory) = text.split_once(' ').context("a time and a memory")?;
        anyhow::Ok((time.to_owned(), memory.to_owned()))
    };
    let ((time, closed), (_, open)) = (parts(&one_by_one)?, parts(&all_at_once)?);
    Ok(format!(
        "| traces of 16 frames | |\n|---|--:|\n\
         | to capture one | {time} µs |\n\
         | memory for 1,000,000 handles, opened and closed one by one | {closed} MB |\n\
         | memory for 1,000,000 handles, all open at once | {open} MB |\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_compared() -> Result<()> {
        let cells = |instructions| [Cell { row: "a call".to_owned(), instructions }];
        let text = table(&cells(100.0), &cells(250.0))?;
        assert!(text.ends_with("| a call | 100 | 250 | 2.5 |\n"), "{text}");
        Ok(())
    }
}
