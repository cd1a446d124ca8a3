//! `cargo xtask bench`: how many instructions a call takes, counted by Valgrind.
//!
//! Instructions, not time: the counts are the same on a busy machine and on an idle one. Each
//! function is run N and 2N times, and the difference divided by N, so that what is done once does
//! not count. The caller is a loop in C, the same for every column.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::compile::{Abi, compile, compiler};
use crate::environment::Environment;
use crate::old;
use crate::shell::{exists, output, require_compiler, run, step};

/// The same for every library that is measured.
const FLAGS: &[&str] = &["-O2", "-g"];

/// The C function within which instructions are counted.
const COUNTED: &str = "hpy_bench_repeat";

const BEGIN: &str = "<!-- begin: cargo xtask bench --write -->";
const END: &str = "<!-- end: cargo xtask bench --write -->";

/// One column of the table.
struct Column {
    title: &'static str,
    cells: Result<Vec<Cell>>,
}

struct Cell {
    row: String,
    instructions: f64,
}

/// Counts, prints the table, and writes it into `docs/performance.md` if `write`.
pub fn bench(root: &Path, python: Option<&Path>, write: bool) -> Result<()> {
    require_compiler()?;
    if !exists("valgrind") {
        bail!("no valgrind, which counts the instructions: install it, or run this on Linux");
    }
    let environment = Environment::prepare(root, python)?;
    environment.install_hpy()?;
    let bench = Bench { root, out: root.join("target/xtask/bench"), python };
    let columns = bench.columns(&environment)?;
    let text = format!("{}\n{}", table(&columns)?, bench.conditions(&environment)?);
    println!("\n{text}");
    if write {
        insert(&root.join("docs/performance.md"), &text)?;
    }
    Ok(())
}

struct Bench<'a> {
    root: &'a Path,
    out: PathBuf,
    python: Option<&'a Path>,
}

impl Bench<'_> {
    fn columns(&self, environment: &Environment) -> Result<Vec<Column>> {
        step("compile the functions to measure");
        let sources = self.root.join("benches/micro");
        let build = |abi, source: &str, folder: &str| {
            compile(environment, abi, &sources.join(source), &self.out.join(folder), FLAGS)
        };
        let repeat = build(Abi::Plain, "repeat.c", "plain")?;
        let mut columns = Vec::new();
        for (title, abi, source, folder) in [
            ("plain C API", Abi::Plain, "cmicro.c", "plain"),
            ("CPython ABI", Abi::CPython, "hpymicro.c", "cpython"),
            ("Universal ABI", Abi::Universal, "hpymicro.c", "universal"),
        ] {
            let library = build(abi, source, folder)?;
            let cells = Ok(self.count(environment, title, &library, &repeat)?);
            columns.push(Column { title, cells });
        }
        let title = "HPy 0.9.0 universal";
        let cells = self.count_old(title, &repeat);
        if let Err(reason) = &cells {
            eprintln!("{title}: skipped, {reason:#}");
        }
        columns.push(Column { title, cells });
        Ok(columns)
    }

    /// The column of the old release, which not every Python can install.
    fn count_old(&self, title: &str, repeat: &Path) -> Result<Vec<Cell>> {
        let environment = old::environment(self.root, self.python)?;
        let base = self.out.join("old");
        run(environment
            .command()
            .current_dir(self.root.join("benches/micro"))
            .args(["setup.py", "--quiet", "--hpy-abi=universal", "build", "--build-base"])
            .arg(&base))
        .context("it does not build the functions to measure")?;
        let library = find(&base, "hpymicro.hpy0.so")?;
        self.count(&environment, title, &library, repeat).context("it does not run")
    }

    /// Runs all functions of one library under callgrind.
    fn count(
        &self,
        environment: &Environment,
        title: &str,
        library: &Path,
        repeat: &Path,
    ) -> Result<Vec<Cell>> {
        step(&format!("count: {title}"));
        let reports = self.out.join("reports");
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
                .arg(self.root.join("benches/micro/measure.py"))
                .args([library, repeat])
                .env("PYTHONHASHSEED", "0"),
        )?;
        listing.lines().enumerate().map(|(i, line)| cell(&reports, i, line)).collect()
    }

    /// What the figures hold for.
    fn conditions(&self, environment: &Environment) -> Result<String> {
        let question = "import datetime, platform; print(datetime.date.today(), \
                        platform.python_implementation(), platform.python_version(), \
                        platform.system(), platform.machine())";
        let place = output(environment.command().args(["-c", question]))?;
        let (date, rest) = place.split_once(' ').context("Python tells the date first")?;
        let compiler = output(compiler().arg("--version"))?;
        let compiler = compiler.lines().next().unwrap_or_default();
        let valgrind = output(Command::new("valgrind").arg("--version"))?;
        Ok(format!(
            "`cargo xtask bench --write`, {date}: {rest}; {compiler}, {}; {valgrind}; {}.\n",
            FLAGS.join(" "),
            processor()
        ))
    }
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or("unknown processor").to_owned()
}

/// The cell of the `i`th line `N<tab>ROW` of the listing, which has two reports: N calls and 2N.
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

/// The columns as a Markdown table; a column that is missing is named below it, with the reason.
fn table(columns: &[Column]) -> Result<String> {
    let (mut shown, mut missing) = (Vec::new(), String::new());
    for column in columns {
        match &column.cells {
            Ok(cells) => shown.push((column.title, cells)),
            Err(reason) => writeln!(missing, "\n{}: skipped, {reason}", column.title)?,
        }
    }
    let (_, first) = shown.first().context("nothing was measured")?;
    let titles: Vec<_> = shown.iter().map(|(title, _)| *title).collect();
    let mut text = format!("| instructions per call | {} |\n", titles.join(" | "));
    writeln!(text, "|---|{}", "--:|".repeat(titles.len()))?;
    for (i, cell) in first.iter().enumerate() {
        let numbers: Vec<_> =
            shown.iter().map(|(_, cells)| format!("{:.0}", cells[i].instructions)).collect();
        writeln!(text, "| {} | {} |", cell.row, numbers.join(" | "))?;
    }
    Ok(text + &missing)
}

/// Puts `text` between the two markers of a page.
fn insert(page: &Path, text: &str) -> Result<()> {
    let old =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let parts =
        old.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let Some((head, tail)) = parts else {
        bail!("{} has not the two lines {BEGIN} and {END}", page.display());
    };
    fs::write(page, format!("{head}{BEGIN}\n\n{text}\n{END}{tail}"))
        .with_context(|| format!("cannot write {}", page.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, instructions: f64) -> Column {
        Column { title, cells: Ok(vec![Cell { row: "a call".to_owned(), instructions }]) }
    }

    #[test]
    fn a_missing_column_is_named() -> Result<()> {
        let missing = Column { title: "old", cells: Err(anyhow::anyhow!("it does not install")) };
        let text = table(&[column("one", 10.0), column("two", 20.4), missing])?;
        assert_eq!(
            text,
            "| instructions per call | one | two |\n|---|--:|--:|\n| a call | 10 | 20 |\n\
             \nold: skipped, it does not install\n"
        );
        Ok(())
    }
}
