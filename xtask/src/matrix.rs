//! `cargo xtask matrix`: the same universal files on every CPython that is here, and on other interpreters.
//!
//! The first interpreter compiles each universal library once; all run that very file, and say what its checksum is. What is compiled for
//! one CPython only, such as the CPython ABI, is compiled and run on each.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::compile::{Abi, compile};
use crate::environment::{Environment, version};
use crate::pytest;
use crate::shell::{output, require_compiler, run, step};
use crate::table::Table;
use crate::{conformance, hosts, native, test};

/// The interpreters that should be here, in the order of the table. Other kinds that are found come behind them. The first one
/// compiles.
const WANTED: &[&str] = &[
    "3.11",
    "3.9",
    "3.10",
    "3.12",
    "3.13",
    "3.14",
    "3.15",
    "3.13t",
    "3.14t",
    "3.15t",
    "3.13d",
    "pypy7.3",
    "graalpy24.2",
    "pypy8.0",
    "graalpy25.0",
];

/// The universal libraries of the examples and of the test of everything: source, and flags.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("examples/json/hpyjson.c", &["-O2"]),
    ("examples/porting/step3/points.c", &["-O2"]),
    ("tests/c/everything.c", &["-O2"]),
];

/// Tests that are about other ABIs as well, or need virtual environments.
const PACKAGE_TESTS: &[&str] = &[
    "test_devel",
    "test_hybrid",
    "test_import_hook",
    "test_headers",
    "test_trace",
    "api/test_types_of_both_abis",
];

/// The number of the mode without another context, as `hpy.universal` has it; 1 is debug mode, 2 trace mode.
const UNIVERSAL: &str = "0";

/// Names interpreters, separated as in PATH.
pub const VARIABLE: &str = "HPY_MATRIX_PYTHONS";

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
    Abi3,
    /// The tests on the universal ABI, with libraries that the first interpreter compiled
    Universal,
    /// All other tests: the CPython ABI, hybrid modules, debug mode, the package
    Others,
    /// The published suite of hpy 0.9.0
    Published,
}

const COLUMNS: &[Column] = &[
    Column::Wheel,
    Column::Everything,
    Column::Examples,
    Column::Abi3,
    Column::Universal,
    Column::Others,
    Column::Published,
];

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Wheel => "wheel",
            Self::Everything => "everything",
            Self::Examples => "examples",
            Self::Abi3 => "abi3 wheel",
            Self::Universal => "universal",
            Self::Others => "others",
            Self::Published => "published",
        }
    }
}

/// How a cell ended: what it says, or what went wrong.
type Cell = Result<String>;

/// The interpreters that were run, by label, and their cells.
type Rows<'a> = [(&'a str, Vec<(Column, Cell)>)];

/// Runs the columns, all of them if none is named, on the `pythons` and on those that are found unless `only_these`; writes what came
/// out into `docs/hosts.md` if `write`, where the cells that were not run stay.
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
    let mut matrix = Matrix::new(root)?;
    let mut rows = Vec::new();
    for (label, python) in &found {
        step(&format!("matrix: {label}: {}", python.display()));
        rows.push((label.as_str(), matrix.row(python, columns)));
    }
    if write {
        let update = |old: &str| markdown(&fill(Table::read(old), &rows));
        hosts::write(root, update)?;
    }
    let wanted = if only_these { &[] } else { WANTED };
    let absent = wanted.iter().filter(|wanted| !found.iter().any(|(label, _)| label == *wanted));
    summarise(&rows, &absent.copied().collect::<Vec<_>>())
}

/// The interpreters, by label, in the order of the table.
fn find(given: &[PathBuf], only_these: bool) -> Result<Vec<(String, PathBuf)>> {
    let mut candidates = given.to_vec();
    if !only_these {
        candidates.extend(env::split_paths(&env::var_os(VARIABLE).unwrap_or_default()));
        candidates.extend(on_path());
        candidates.extend(of_pyenv());
    }
    let mut found = BTreeMap::new();
    for python in candidates.iter().filter(|python| !python.as_os_str().is_empty()) {
        match version(python) {
            Ok(version) => {
                let label = version.strip_prefix("cpython").unwrap_or(&version);
                found.entry(label.to_owned()).or_insert_with(|| python.clone());
            }
            Err(error) if given.contains(python) => return Err(error),
            Err(_) => {} // a shim of a version that is not chosen, or no Python
        }
    }
    let place = |label: &str| WANTED.iter().position(|wanted| *wanted == label);
    let mut found: Vec<_> = found.into_iter().filter(|(label, _)| is_supported(label)).collect();
    found.sort_by_key(|(label, _)| place(label).unwrap_or(WANTED.len()));
    if found.is_empty() {
        bail!("no CPython 3.9 or later found: name one with --python PATH, or in {VARIABLE}");
    }
    Ok(found)
}

/// Whether a label such as `3.14t` is that of CPython 3.9 or later, or that of another interpreter.
fn is_supported(label: &str) -> bool {
    if native::is_foreign(label) {
        return true;
    }
    let minor = label.strip_prefix("3.").map(|rest| rest.trim_end_matches(['d', 't']));
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 9)
}

fn on_path() -> impl Iterator<Item = PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    WANTED.iter().flat_map(move |label| {
        let name = format!("python{label}");
        folders.iter().map(|folder| folder.join(&name)).filter(|p| p.exists()).collect::<Vec<_>>()
    })
}

fn of_pyenv() -> Vec<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".pyenv"));
    let Some(root) = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(home) else {
        return Vec::new();
    };
    let Ok(versions) = fs::read_dir(root.join("versions")) else {
        return Vec::new();
    };
    versions.flatten().map(|version| version.path().join("bin/python")).collect()
}

/// What the interpreters share.
struct Matrix<'a> {
    root: &'a Path,
    dir: PathBuf,
    /// The checksums of the libraries, once the first interpreter has made them.
    checksums: Option<String>,
    /// The checksum of the libraries of the tests, likewise.
    tests: Option<String>,
    /// The wheel for the limited API, once the first interpreter that takes it has made it.
    abi3: Option<PathBuf>,
}

impl<'a> Matrix<'a> {
    fn new(root: &'a Path) -> Result<Self> {
        let dir = root.join("target/xtask/matrix");
        if dir.exists() {
            fs::remove_dir_all(&dir).context("cannot remove what was built before")?;
        }
        fs::create_dir_all(&dir)?;
        Ok(Self { root, dir, checksums: None, tests: None, abi3: None })
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
        match column {
            // The interpreter loads what was compiled once; it compiles nothing.
            Column::Others if environment.is_foreign() => Ok("–".to_owned()),
            Column::Wheel => Ok("built".to_owned()),
            Column::Everything => self.everything(environment),
            Column::Examples => self.examples(environment),
            Column::Abi3 => self.abi3(environment),
            Column::Universal => self.universal(environment),
            Column::Others => {
                let mut pytest = self.pytest(environment, "others");
                pytest.args(["tests", "examples", "-k", "not universal"]);
                self.tests(pytest, "others")
            }
            Column::Published => conformance::cell(self.root, environment, &self.dir.join("tests")),
        }
    }

    /// Compiles the libraries, unless that is done; their checksums, as this interpreter reads the files.
    fn libraries(&mut self, environment: &Environment) -> Result<String> {
        if self.checksums.is_none() {
            for (source, flags) in LIBRARIES {
                let source = self.root.join(source);
                compile(environment, Abi::Universal, &source, &self.dir, flags)?;
            }
        }
        let sums = checksum(environment, &self.dir, "*.hpy0.so")?;
        match self.checksums.get_or_insert_with(|| sums.clone()) {
            first if *first == sums => Ok(sums),
            first => bail!("the libraries are not those of the first interpreter: {first}, {sums}"),
        }
    }

    fn everything(&mut self, environment: &Environment) -> Cell {
        let sum = self.libraries(environment)?;
        self.check_everything(environment, UNIVERSAL)?;
        Ok(short(&sum))
    }

    fn check_everything(&self, environment: &Environment, mode: &str) -> Result<()> {
        let library = self.dir.join("everything.hpy0.so");
        let mut check = environment.command();
        run(check.arg("tests/c/check_everything.py").arg(library).args(["universal", mode]))
    }

    fn examples(&mut self, environment: &Environment) -> Cell {
        let sum = self.libraries(environment)?;
        let mut pytest = self.pytest(environment, "examples");
        pytest.args(["examples", "-k", "universal"]);
        Ok(format!("{}, {}", self.tests(pytest, "examples")?, short(&sum)))
    }

    /// The wheel for the limited API, in an environment of its own.
    fn abi3(&mut self, versioned: &Environment) -> Cell {
        if !versioned.takes_abi3() {
            return Ok("–".to_owned());
        }
        let python = versioned.python();
        let environment = Environment::prepare_for(self.root, Some(&python), "-abi3")?;
        environment.require(test::REQUIREMENTS)?;
        if self.abi3.is_none() {
            let wheel = environment.build_abi3_wheel()?;
            audit(&environment, &wheel)?;
            self.abi3 = Some(wheel);
        }
        environment.install(self.abi3.as_deref().context("the wheel was built")?)?;
        self.libraries(&environment)?;
        for mode in [UNIVERSAL, "1", "2"] {
            self.check_everything(&environment, mode)?;
        }
        self.examples(&environment)
    }

    /// The libraries are kept by their source: an interpreter that finds all of them compiles none.
    fn universal(&mut self, environment: &Environment) -> Cell {
        let mut pytest = self.pytest(environment, "universal");
        pytest.args(["tests", "-k", "universal"]);
        if environment.is_foreign() {
            pytest.args(PACKAGE_TESTS.iter().map(|file| format!("--ignore=tests/{file}.py")));
        }
        let text = self.tests(pytest, "universal")?;
        let sum = checksum(environment, &self.dir.join("tests"), "*/universal/*/*.hpy0.so")?;
        match self.tests.get_or_insert_with(|| sum.clone()) {
            first if *first == sum => Ok(format!("{text}, {}", short(&sum))),
            _ => bail!("{text}, but some libraries were compiled anew"),
        }
    }

    fn pytest(&self, environment: &Environment, report: &str) -> Command {
        let mut pytest = environment.command();
        pytest
            .args(["-m", "pytest", "--numprocesses=auto", "-q", "--tb=short"])
            .arg("--max-worker-restart=100")
            .env("HPY_EXAMPLES", &self.dir)
            .env("HPY_TEST_CACHE", self.dir.join("tests"))
            // Of a free-threaded Python, what runs without the lock is tested.
            .env("PYTHON_GIL", "0");
        if !environment.is_free_threaded() {
            pytest.env_remove("PYTHON_GIL");
        }
        eprintln!("matrix: {report}");
        pytest
    }

    fn tests(&self, mut pytest: Command, report: &str) -> Cell {
        let cases = pytest::run(&mut pytest, &self.dir.join(format!("{report}.xml")))?;
        pytest::passed(&cases)
    }
}

/// Fails if a library in the wheel uses what the limited API of its tag does not have.
fn audit(environment: &Environment, wheel: &Path) -> Result<()> {
    run(environment.command().args(["-m", "abi3audit", "--strict", "--summary"]).arg(wheel))
}

/// One checksum over the names and contents of files.
fn checksum(environment: &Environment, folder: &Path, pattern: &str) -> Result<String> {
    let question = "import hashlib, pathlib, sys\n\
        folder = pathlib.Path(sys.argv[1])\n\
        lines = [hashlib.sha256(f.read_bytes()).hexdigest() + str(f.relative_to(folder))\n\
        \x20        for f in sorted(folder.glob(sys.argv[2]))]\n\
        print(hashlib.sha256('\\n'.join(lines).encode()).hexdigest())";
    output(environment.command().args(["-c", question]).arg(folder).arg(pattern))
}

/// As much of a checksum as tells one file from another.
fn short(sum: &str) -> String {
    format!("sha256 {}", &sum[..12.min(sum.len())])
}

/// Puts the cells into a table.
fn fill(mut table: Table, rows: &Rows) -> Table {
    for (label, cells) in rows {
        for (column, cell) in cells {
            let text = cell.as_ref().map_or("FAILED", String::as_str);
            table.set(label, column.title(), text);
        }
    }
    table
}

fn markdown(table: &Table) -> String {
    let titles: Vec<_> = COLUMNS.iter().map(|column| column.title()).collect();
    table.markdown(&titles, WANTED)
}

/// Prints the table and the closing line; fails if a cell did.
fn summarise(rows: &Rows, absent: &[&str]) -> Result<()> {
    print!("{}", markdown(&fill(Table::default(), rows)));
    let mut failures = Vec::new();
    for (row, cells) in rows {
        for (column, cell) in cells {
            if let Err(error) = cell {
                failures.push(format!("{row}, {}: {error:#}", column.title()));
            }
        }
    }
    let cells = rows.iter().flat_map(|(_, cells)| cells);
    let passed = cells.filter(|(_, cell)| cell.is_ok()).count();
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
    fn labels_are_versions_from_3_9_on() {
        for label in ["3.9", "3.15", "3.14t", "3.13d", "3.14td", "pypy8.0"] {
            assert!(is_supported(label), "{label}");
        }
        for label in ["2.7", "3.8", "3.6d", "3.x", "jython2.7", ""] {
            assert!(!is_supported(label), "{label}");
        }
    }

    #[test]
    fn a_failed_cell_fails_the_matrix() {
        let cells = |cell| vec![("3.11", vec![(Column::Wheel, cell)])];
        assert!(summarise(&cells(Ok("built".to_owned())), &["3.9"]).is_ok());
        let failed = Err(anyhow::anyhow!("no compiler"));
        assert!(summarise(&cells(failed), &[]).is_err());
    }
}
