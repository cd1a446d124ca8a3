//! Whole programs: each in every build, one after the other in turns, so that all meet the same machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Bench;
use super::build::{FLAGS, OLD, WAYS, compile_old, old_environment, repeat};
use super::callgrind;
use super::place;
use super::plot::{self, Group};
use crate::environment::Environment;
use crate::shell::{output, step};

/// Where a program is, and its name.
const SOURCES: &[(&str, &str)] = &[
    ("examples/json", "json"),
    ("benches/programs", "array"),
    ("benches/programs", "solver"),
    ("benches/programs", "parser"),
];

/// How often each build is timed.
const ROUNDS: usize = 11;

const SCRIPT: &str = "benches/programs/run.py";

const PLOT: &str = "docs/performance-programs.svg";

/// The row of a timed run that is no program.
const MEMORY: &str = "peak memory";

/// One build of all programs that it can build.
struct Build {
    title: &'static str,
    environment: Environment,
    libraries: Vec<PathBuf>,
    instructions: BTreeMap<String, f64>,
    /// What each timed run told.
    runs: Vec<BTreeMap<String, f64>>,
}

/// Counts instructions and measures time and memory.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let (mut builds, missing) = builds(bench)?;
    let script = bench.root.join(SCRIPT);
    let repeat = repeat(bench)?;
    let mut programs = Vec::new();
    for build in &mut builds {
        let mut arguments = vec![Path::new("count")];
        arguments.extend(build.libraries.iter().map(PathBuf::as_path));
        arguments.push(&repeat);
        let cells = callgrind::count(bench, &build.environment, build.title, &script, &arguments)?;
        if programs.is_empty() {
            programs = cells.iter().map(|cell| cell.row.clone()).collect();
        }
        build.instructions = cells.into_iter().map(|cell| (cell.row, cell.instructions)).collect();
    }
    step("time the programs");
    for _ in 0..ROUNDS {
        for build in &mut builds {
            let run = time(build, &script)?;
            build.runs.push(run);
        }
    }
    let groups = groups(&builds, &programs);
    let titles: Vec<_> = builds.iter().map(|build| build.title).collect();
    fs::write(bench.root.join(PLOT), plot::bars(&titles, &groups))
        .with_context(|| format!("cannot write {PLOT}"))?;
    let place = place::describe(bench, "programs", FLAGS)?;
    Ok(format!("{}\n{missing}\n{place}", tables(&builds, &programs)?))
}

/// The builds, and the names of what the old release does not build.
fn builds(bench: &Bench) -> Result<(Vec<Build>, String)> {
    step("compile the programs");
    let mut builds = Vec::new();
    let mut missing = String::new();
    let new = |title, environment, libraries| Build {
        title,
        environment,
        libraries,
        instructions: BTreeMap::new(),
        runs: Vec::new(),
    };
    for way in WAYS {
        let libraries: Result<_> =
            SOURCES.iter().map(|(folder, name)| way.compile(bench, folder, name)).collect();
        let environment = Environment::prepare(bench.root, bench.python)?;
        builds.push(new(way.title, environment, libraries?));
    }
    match old_environment(bench) {
        Ok(environment) => {
            let mut libraries = Vec::new();
            for (folder, name) in SOURCES {
                let library = compile_old(bench, &environment, folder, name)
                    .and_then(|library| try_out(bench, &environment, library));
                match library {
                    Ok(library) => libraries.push(library),
                    Err(_) => writeln!(missing, "{OLD} does not run `{folder}/hpy{name}.c`.")?,
                }
            }
            builds.push(new(OLD, environment, libraries));
        }
        Err(reason) => writeln!(missing, "{OLD}: skipped, {reason:#}")?,
    }
    Ok((builds, missing))
}

/// Not everything that the old release compiles runs with it.
fn try_out(bench: &Bench, environment: &Environment, library: PathBuf) -> Result<PathBuf> {
    output(environment.command().arg(bench.root.join(SCRIPT)).arg("time").arg(&library))?;
    Ok(library)
}

fn time(build: &Build, script: &Path) -> Result<BTreeMap<String, f64>> {
    let mut command = build.environment.command();
    command.arg(script).arg("time").args(&build.libraries).env("PYTHONHASHSEED", "0");
    let listing = output(&mut command)?;
    let line = |line: &str| {
        let (name, number) = line.split_once('\t')?;
        Some((name.to_owned(), number.parse().ok()?))
    };
    listing
        .lines()
        .map(|text| line(text).with_context(|| format!("unexpected line {text:?}")))
        .collect()
}

/// The quotients of instructions, for the plot.
fn groups(builds: &[Build], programs: &[String]) -> Vec<Group> {
    let group = |program: &String| Group {
        title: program.clone(),
        values: builds.iter().map(|build| instruction_ratio(build, &builds[0], program)).collect(),
    };
    programs.iter().map(group).collect()
}

fn instruction_ratio(build: &Build, plain: &Build, program: &str) -> Option<f64> {
    Some(build.instructions.get(program)? / plain.instructions.get(program)?)
}

/// How many times as long as plain C API in the same round: lower quartile, median, upper quartile.
fn time_ratio(build: &Build, plain: &Build, program: &str) -> Option<[f64; 3]> {
    let rounds = build.runs.iter().zip(&plain.runs);
    let mut ratios: Vec<f64> = rounds
        .map(|(run, plain)| Some(run.get(program)? / plain.get(program)?))
        .collect::<Option<_>>()?;
    ratios.sort_by(f64::total_cmp);
    let at = |quarter: usize| ratios[(ratios.len() - 1) * quarter / 4];
    Some([at(1), at(2), at(3)])
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<f64> = values.map(f64::ln).collect();
    let count = logarithms.len() as f64;
    (count > 0.0).then(|| (logarithms.iter().sum::<f64>() / count).exp())
}

fn tables(builds: &[Build], programs: &[String]) -> Result<String> {
    let plain = &builds[0];
    let others = &builds[1..];
    let titles: Vec<_> = others.iter().map(|build| build.title).collect();
    let cell = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
    let head = |first: &str, own: &str| {
        let line = "--:|".repeat(titles.len() + 1);
        format!("| {first} | {own} | {} |\n|---|{line}\n", titles.join(" | "))
    };
    let mut text = head("instructions, plain C API = 1", "plain C API, thousands");
    for program in programs {
        let own = plain.instructions[program] / 1000.0;
        let cells: Vec<_> =
            others.iter().map(|build| cell(instruction_ratio(build, plain, program))).collect();
        writeln!(text, "| {program} | {own:.0} | {} |", cells.join(" | "))?;
    }
    let mean = |ratio: &dyn Fn(&Build, &String) -> Option<f64>| {
        let means = others.iter().map(|build| {
            cell(geometric_mean(programs.iter().filter_map(|program| ratio(build, program))))
        });
        means.collect::<Vec<_>>().join(" | ")
    };
    let of_instructions = mean(&|build, program| instruction_ratio(build, plain, program));
    writeln!(text, "| geometric mean | | {of_instructions} |\n")?;
    text += &head("time, plain C API = 1 (quartiles)", "plain C API, µs");
    for program in programs {
        let mut own: Vec<_> = plain.runs.iter().map(|run| run[program] * 1e6).collect();
        own.sort_by(f64::total_cmp);
        let cells: Vec<_> = others
            .iter()
            .map(|build| match time_ratio(build, plain, program) {
                Some([low, middle, high]) => format!("{middle:.2} ({low:.2}–{high:.2})"),
                None => "–".to_owned(),
            })
            .collect();
        writeln!(text, "| {program} | {:.1} | {} |", own[own.len() / 2], cells.join(" | "))?;
    }
    let of_time = mean(&|build, program| time_ratio(build, plain, program).map(|[_, m, _]| m));
    writeln!(text, "| geometric mean | | {of_time} |\n")?;
    writeln!(
        text,
        "| {MEMORY}, MB | {} |",
        builds.iter().map(|b| b.title).collect::<Vec<_>>().join(" | ")
    )?;
    writeln!(text, "|---|{}", "--:|".repeat(builds.len()))?;
    let memory: Vec<_> = builds
        .iter()
        .map(|build| {
            let peaks = build.runs.iter().filter_map(|run| run.get(MEMORY));
            peaks
                .copied()
                .reduce(f64::min)
                .map_or("–".to_owned(), |kb| format!("{:.1}", kb / 1024.0))
        })
        .collect();
    writeln!(text, "| all programs in one process | {} |", memory.join(" | "))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_of_inverses_is_one() {
        let mean = geometric_mean([2.0, 0.5].into_iter());
        assert!(mean.is_some_and(|mean| (mean - 1.0).abs() < 1e-12));
        assert_eq!(geometric_mean([].into_iter()), None);
    }
}
