//! `cargo xtask matrix`: the same universal files on every CPython that is here, and on other interpreters.
//!
//! The first interpreter compiles each universal library once; all run that very file, and say what its checksum is. The same goes for abi3
//! extensions, with the headers of CPython 3.9. What is compiled for one CPython only, such as the CPython ABI, is compiled and run on each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::compile::{Abi, compile, python_include};
use crate::environment::Environment;
use crate::pytest::{self, Passed};
use crate::pythons::{Interpreter, WANTED, find};
use crate::shell::{output, require_compiler, run, step};
use crate::skips::Skips;
use crate::table::Table;
use crate::{conformance, hosts, old, test};

/// The CPython with whose headers abi3 extensions are compiled.
const OLDEST: &str = "3.9";

/// The universal libraries of the examples and of the test of everything: source, and flags.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("examples/json/hpyjson.c", &["-O2"]),
    ("examples/porting/step3/points.c", &["-O2"]),
    ("tests/c/everything.c", &["-O2"]),
];

/// Tests that are about other ABIs as well, or need virtual environments.
const PACKAGE_TESTS: &[&str] =
    &["test_devel", "test_hybrid", "test_import_hook", "test_trace", "api/test_types_of_both_abis"];

/// Leaves out what only compiles. With the headers of each Python it is among the others; universal mode has none, so that is left to
/// `cargo xtask test`.
const WITHOUT_HEADERS: &str = "--ignore=tests/test_headers.py";
const OTHERS: &str = "not universal and (not abi3 or test_headers)";

/// The number of the mode without another context, as `hpy.universal` has it; 1 is debug mode, 2 trace mode.
const UNIVERSAL: &str = "0";

/// What is run on each interpreter: a column of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Column {
    /// The wheel of the runtime is built and installed
    Wheel,
    /// A module with each kind of definition, precompiled
    Everything,
    /// The tests of the examples, with precompiled universal libraries
    Examples,
    /// The wheel for the limited API, built once: a module with each kind of definition, in each mode, and the examples
    Abi3Wheel,
    /// The tests on the universal ABI, with libraries that the first interpreter compiled
    Universal,
    /// The same tests and libraries over the wheel for the limited API
    UniversalAbi3,
    /// The tests on abi3 extensions, compiled once with the headers of the oldest CPython
    Abi3,
    /// All other tests: the CPython ABI, hybrid modules, debug mode, the package
    Others,
    /// The published suite of hpy 0.9.0
    Published,
}

const COLUMNS: &[Column] = &[
    Column::Wheel,
    Column::Everything,
    Column::Examples,
    Column::Abi3Wheel,
    Column::Universal,
    Column::UniversalAbi3,
    Column::Abi3,
    Column::Others,
    Column::Published,
];

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Wheel => "wheel",
            Self::Everything => "everything",
            Self::Examples => "examples",
            Self::Abi3Wheel => "abi3 wheel",
            Self::Universal => "universal",
            Self::UniversalAbi3 => "universal, abi3 wheel",
            Self::Abi3 => "abi3 extensions",
            Self::Others => "others",
            Self::Published => "published",
        }
    }

    /// Why there is nothing to run in the column on an interpreter, if so.
    fn lacking(self, environment: &Environment) -> Option<&'static str> {
        let is_foreign = environment.is_foreign();
        match self {
            // The interpreter loads what was compiled once; it compiles nothing.
            Self::Others if is_foreign => Some("–"),
            Self::Abi3Wheel | Self::UniversalAbi3 | Self::Abi3 if is_foreign => Some("–"),
            Self::Abi3Wheel | Self::UniversalAbi3 | Self::Abi3
                if environment.is_free_threaded() =>
            {
                Some("takes no abi3")
            }
            Self::Abi3Wheel | Self::UniversalAbi3 if !environment.takes_abi3_wheel() => {
                Some("too old")
            }
            _ => None,
        }
    }
}

/// How a cell ended: what it says, or what went wrong.
type Cell = Result<Passed>;

/// The interpreters that were run, by label, and their cells.
type Rows<'a> = [(&'a str, Vec<(Column, Cell)>)];

/// Runs the columns, all of them if none is named, on the `pythons` and on those that are found unless `only_these`; writes what came
/// out into `docs/hosts.md` if `write`, one row after the other; the cells that were not run stay there.
pub fn matrix(
    root: &Path,
    pythons: &[PathBuf],
    only_these: bool,
    columns: &[Column],
    write: bool,
) -> Result<()> {
    require_compiler()?;
    let columns = if columns.is_empty() { COLUMNS } else { columns };
    let found = find(pythons, only_these)?;
    let mut matrix = Matrix::new(root, &found)?;
    let mut rows = Vec::new();
    for (label, python) in &found {
        step(&format!("matrix: {label}: {}", python.display()));
        let row = [(label.as_str(), matrix.row(python, columns))];
        if write {
            hosts::write(root, |old| page(old, &row))?;
        }
        rows.extend(row);
    }
    let wanted = if only_these { &[] } else { WANTED };
    let absent = wanted.iter().filter(|wanted| !found.iter().any(|(label, _)| label == *wanted));
    summarise(&rows, &absent.copied().collect::<Vec<_>>())
}

/// The libraries that the first interpreter found or compiled.
struct First {
    checksum: String,
    /// When it had all of them, in seconds.
    at: f64,
}

/// What the interpreters share.
struct Matrix<'a> {
    root: &'a Path,
    dir: PathBuf,
    /// The interpreters that are run.
    pythons: &'a [Interpreter],
    /// What the first interpreter compiled, by the pattern of the files' names.
    first: BTreeMap<&'static str, First>,
    /// The wheel for the limited API, once the first interpreter that takes it has made it.
    abi3_wheel: Option<PathBuf>,
}

impl<'a> Matrix<'a> {
    /// The libraries of the tests may be those of an earlier run: they are kept by their content.
    fn new(root: &'a Path, pythons: &'a [Interpreter]) -> Result<Self> {
        let dir = root.join("target/xtask/matrix");
        for old in fs::read_dir(&dir).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if old.is_file() {
                fs::remove_file(old).context("cannot remove what was built before")?;
            }
        }
        fs::create_dir_all(&dir)?;
        Ok(Self { root, dir, pythons, first: BTreeMap::new(), abi3_wheel: None })
    }

    /// The cells of one interpreter. Without a wheel there is nothing to run the others with.
    fn row(&mut self, python: &Path, columns: &[Column]) -> Vec<(Column, Cell)> {
        let environment = match self.prepare(python) {
            Ok(environment) => environment,
            Err(error) => return vec![(Column::Wheel, Err(error))],
        };
        let cell = |column: &Column| {
            let cell = self.cell(&environment, *column);
            if let Err(error) = &cell {
                eprintln!("matrix: {}: {error:#}", column.title());
            }
            (*column, cell)
        };
        columns.iter().map(cell).collect()
    }

    /// Its environment is not that of the other commands, which may run at the same time with another wheel.
    fn prepare(&self, python: &Path) -> Result<Environment> {
        let environment = Environment::prepare_for(self.root, Some(python), "-matrix")?;
        environment.require(test::requirements(&environment))?;
        environment.install_hpy_for_tests()?;
        Ok(environment)
    }

    fn cell(&mut self, environment: &Environment, column: Column) -> Cell {
        if let Some(reason) = column.lacking(environment) {
            return Ok(says(reason));
        }
        match column {
            Column::Wheel => Ok(says("built")),
            Column::Everything => self.everything(environment),
            Column::Examples => self.examples(environment),
            Column::Abi3Wheel => self.abi3_wheel(environment),
            Column::Universal => self.universal(environment),
            Column::UniversalAbi3 => {
                let environment = self.over_abi3(environment)?;
                self.universal(&environment)
            }
            Column::Abi3 => self.abi3(environment),
            Column::Others => {
                self.libraries(environment)?;
                let mut pytest = self.pytest(environment, "others");
                pytest.args(["tests", "examples", "-k", OTHERS]);
                old::offer(self.root, Some(&environment.python()), &mut pytest);
                self.tests(&mut pytest, "others")
            }
            Column::Published => {
                conformance::cell(self.root, environment, &self.cache("published"))
            }
        }
    }

    /// Where the libraries of the tests in some column are kept.
    fn cache(&self, name: &str) -> PathBuf {
        self.dir.join("tests").join(name)
    }

    /// The checksum of the libraries that the first interpreter had, as this one reads the files; an error if it is another one. A few
    /// more may have been compiled since, for tests that the first one skips: their number stands behind it.
    fn same(
        &mut self,
        environment: &Environment,
        folder: &Path,
        pattern: &'static str,
    ) -> Result<String> {
        let until = self.first.get(pattern).map_or(f64::INFINITY, |first| first.at);
        let (checksum, old, new) = checksum(environment, folder, pattern, until)?;
        let first = self.first.entry(pattern).or_insert_with(|| First {
            checksum: checksum.clone(),
            at: seconds(SystemTime::now()),
        });
        if first.checksum != checksum || new * 10 > old {
            bail!("the libraries are not those of the first interpreter: {new} were compiled anew");
        }
        Ok(match new {
            0 => short(&checksum),
            new => format!("{} + {new}", short(&checksum)),
        })
    }

    /// Compiles the libraries, unless that is done; their checksum.
    fn libraries(&mut self, environment: &Environment) -> Result<String> {
        const PATTERN: &str = "*.hpy0.so";
        if !self.first.contains_key(PATTERN) {
            for (source, flags) in LIBRARIES {
                let source = self.root.join(source);
                compile(environment, Abi::Universal, &source, &self.dir, flags)?;
            }
        }
        self.same(environment, &self.dir.clone(), PATTERN)
    }

    fn everything(&mut self, environment: &Environment) -> Cell {
        let sum = self.libraries(environment)?;
        self.check_everything(environment, UNIVERSAL)?;
        Ok(says(&sum))
    }

    fn check_everything(&self, environment: &Environment, mode: &str) -> Result<()> {
        let library = self.dir.join("everything.hpy0.so");
        let mut check = environment.command();
        run(check.arg("tests/c/check_everything.py").arg(library).args(["universal", mode]))
    }

    fn examples(&mut self, environment: &Environment) -> Cell {
        let sum = self.libraries(environment)?;
        let mut pytest = self.pytest(environment, "examples");
        pytest.args(["-p", "hosts", "examples", "-k", "universal"]);
        pytest.env("PYTHONPATH", environment.python_path(&self.root.join("tests")));
        Ok(with_sum(self.tests(&mut pytest, "examples")?, &sum))
    }

    fn abi3_wheel(&mut self, versioned: &Environment) -> Cell {
        let environment = self.over_abi3(versioned)?;
        self.libraries(&environment)?;
        for mode in [UNIVERSAL, "1", "2"] {
            self.check_everything(&environment, mode)?;
        }
        self.examples(&environment)
    }

    /// An environment of the same interpreter, with the wheel for the limited API.
    fn over_abi3(&mut self, versioned: &Environment) -> Result<Environment> {
        let python = versioned.python();
        let environment = Environment::prepare_for(self.root, Some(&python), "-abi3")?;
        environment.require(test::REQUIREMENTS)?;
        if self.abi3_wheel.is_none() {
            let wheel = environment.build_abi3_wheel()?;
            audit(&environment, &wheel)?;
            self.abi3_wheel = Some(wheel);
        }
        environment.install(self.abi3_wheel.as_deref().context("the wheel was built")?)?;
        Ok(environment)
    }

    fn universal(&mut self, environment: &Environment) -> Cell {
        let mut pytest = self.pytest(environment, "universal");
        pytest.args(["tests", "-k", "universal", WITHOUT_HEADERS]);
        if environment.is_foreign() {
            pytest.args(PACKAGE_TESTS.iter().map(|file| format!("--ignore=tests/{file}.py")));
        }
        self.kept(environment, &mut pytest, "universal", "*/universal/*/*.hpy0.so")
    }

    fn abi3(&mut self, environment: &Environment) -> Cell {
        let oldest = self.oldest_headers()?;
        let mut pytest = self.pytest(environment, "abi3");
        pytest.args(["tests", "examples", "-k", "abi3 and not universal", WITHOUT_HEADERS]);
        pytest.env("HPY_TEST_ABI3_INCLUDE", oldest);
        self.kept(environment, &mut pytest, "abi3", "*/abi3/*/*.abi3.so")
    }

    /// Where `Python.h` of the oldest CPython is, which need not be one of those that are run.
    fn oldest_headers(&self) -> Result<String> {
        let here = find(&[], false).unwrap_or_default();
        let mut all = self.pythons.iter().chain(&here);
        let oldest = all.find(|(label, _)| label == OLDEST);
        let (_, python) = oldest.with_context(|| format!("there is no CPython {OLDEST} here"))?;
        python_include(&mut Command::new(python))
    }

    /// The libraries are kept by their source: an interpreter that finds all of them compiles none.
    fn kept(
        &mut self,
        environment: &Environment,
        pytest: &mut Command,
        name: &str,
        pattern: &'static str,
    ) -> Cell {
        let passed = self.tests(pytest, name)?;
        let sum = self.same(environment, &self.cache(name), pattern)?;
        Ok(with_sum(passed, &sum))
    }

    fn pytest(&self, environment: &Environment, report: &str) -> Command {
        let mut pytest = environment.command();
        pytest
            .args(["-m", "pytest", "--numprocesses=auto", "-q", "--tb=short"])
            .arg("--max-worker-restart=100")
            .env("HPY_EXAMPLES", &self.dir)
            .env("HPY_TEST_CACHE", self.cache(report));
        eprintln!("matrix: {report}");
        pytest
    }

    fn tests(&self, pytest: &mut Command, report: &str) -> Cell {
        pytest::passed(&pytest::run(pytest, &self.dir.join(format!("{report}.xml")))?)
    }
}

/// Fails if a library in the wheel uses what the limited API of its tag does not have.
fn audit(environment: &Environment, wheel: &Path) -> Result<()> {
    run(environment.command().args(["-m", "abi3audit", "--strict", "--summary"]).arg(wheel))
}

/// One checksum over the names and contents of the files that are not younger than `until`; how many those are, and how many others.
fn checksum(
    environment: &Environment,
    folder: &Path,
    pattern: &str,
    until: f64,
) -> Result<(String, usize, usize)> {
    let question = "import hashlib, pathlib, sys\n\
        folder = pathlib.Path(sys.argv[1])\n\
        files = sorted(folder.glob(sys.argv[2]))\n\
        old = [f for f in files if f.stat().st_mtime <= float(sys.argv[3])]\n\
        lines = [hashlib.sha256(f.read_bytes()).hexdigest() + str(f.relative_to(folder)) for f in old]\n\
        print(hashlib.sha256('\\n'.join(lines).encode()).hexdigest(), len(old), len(files) - len(old))";
    let mut python = environment.command();
    let answer =
        output(python.args(["-c", question]).arg(folder).args([pattern, &until.to_string()]))?;
    let words: Vec<_> = answer.split(' ').collect();
    let [checksum, old, new] = words.as_slice() else {
        bail!("no checksum: {answer}");
    };
    Ok(((*checksum).to_owned(), old.parse()?, new.parse()?))
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// A cell that is no tests.
fn says(text: &str) -> Passed {
    Passed { text: text.to_owned(), ..Passed::default() }
}

fn with_sum(passed: Passed, sum: &str) -> Passed {
    Passed { text: format!("{}, {sum}", passed.text), ..passed }
}

/// As much of a checksum as tells one file from another.
fn short(sum: &str) -> String {
    format!("sha256 {}", &sum[..12.min(sum.len())])
}

/// The two tables in a page, in which the cells that were run are replaced.
fn page(old: &str, rows: &Rows) -> String {
    let mut skips = Skips::read(old);
    for (label, column, cell) in all(rows) {
        if let Ok(passed) = cell {
            skips.set(label, column.title(), &passed.skipped);
        }
    }
    let table = markdown(&fill(Table::read(old), rows));
    format!("{table}\n### What is skipped\n\n{}", skips.markdown(&titles(), WANTED))
}

/// Puts the cells into a table.
fn fill(mut table: Table, rows: &Rows) -> Table {
    for (label, column, cell) in all(rows) {
        table.set(label, column.title(), cell.as_ref().map_or("FAILED", |passed| &passed.text));
    }
    table
}

fn markdown(table: &Table) -> String {
    table.markdown(&titles(), WANTED)
}

fn titles() -> Vec<&'static str> {
    COLUMNS.iter().map(|column| column.title()).collect()
}

/// The cells of all rows.
fn all<'a>(rows: &'a Rows) -> impl Iterator<Item = (&'a str, Column, &'a Cell)> {
    let cells = |(label, cells): &'a (&'a str, Vec<(Column, Cell)>)| {
        cells.iter().map(move |(column, cell)| (*label, *column, cell))
    };
    rows.iter().flat_map(cells)
}

/// Prints the table and the closing line; fails if a cell did.
fn summarise(rows: &Rows, absent: &[&str]) -> Result<()> {
    print!("{}", markdown(&fill(Table::default(), rows)));
    let mut failures = Vec::new();
    for (label, column, cell) in all(rows) {
        if let Err(error) = cell {
            failures.push(format!("{label}, {}: {error:#}", column.title()));
        }
    }
    let passed = all(rows).count() - failures.len();
    for failure in &failures {
        println!("failed: {failure}");
    }
    if !absent.is_empty() {
        println!("absent: {}", absent.join(", "));
    }
    println!("matrix: {passed} cells passed, {} failed, {} absent", failures.len(), absent.len());
    if !failures.is_empty() {
        bail!("cells of the matrix failed; they are listed above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_cell_fails_the_matrix() {
        let cells = |cell| vec![("3.11", vec![(Column::Wheel, cell)])];
        assert!(summarise(&cells(Ok(says("built"))), &["3.9"]).is_ok());
        let failed = Err(anyhow::anyhow!("no compiler"));
        assert!(summarise(&cells(failed), &[]).is_err());
    }
}
