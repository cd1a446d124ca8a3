//! `cargo xtask ports`: published extensions, compiled as hybrid modules, pass their own tests.
//!
//! The source archives are taken from the package index at run time and never kept in the project. Each C extension is built twice: as
//! its author builds it, and with the glue in `tests/ports`, which includes the unmodified source and replaces the init function by an
//! HPy module definition. Both run in the same environment, the second also in debug mode, which must find nothing.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::compile::{Abi, compile_all};
use crate::environment::Environment;
use crate::pytest::{self, Case, Outcome, count};
use crate::shell::{output, require_compiler, run, step};

/// What builds the packages and what their tests import.
const REQUIREMENTS: &[&str] = &["pytest>=8", "setuptools>=82", "wheel", "hypothesis>=6,<7"];

/// What setuptools compiles extensions with, as far as it changes what they do.
const FLAGS: &[&str] = &["-O2", "-DNDEBUG"];

/// A published package with a C extension.
struct Port {
    /// As in the names of its source archive, and of our glue in `tests/ports`.
    name: &'static str,
    version: &'static str,
    /// The extension's full name.
    module: &'static str,
    /// Where in the archive the extension's sources are.
    sources: &'static str,
    /// Those that the glue does not include.
    more_sources: &'static [&'static str],
    /// What its `setup.py` defines.
    defines: &'static [&'static str],
    /// Where in the archive the tests are, and which of the files pytest does not find by itself.
    tests: &'static str,
    test_files: &'static [&'static str],
    /// Files in `tests/ports` that the tests import.
    test_modules: &'static [&'static str],
}

const PORTS: &[Port] = &[
    Port {
        name: "ciso8601",
        version: "2.4.1",
        module: "ciso8601",
        sources: "",
        more_sources: &["timezone.c", "isocalendar.c"],
        defines: &["-DCISO8601_VERSION=2.4.1", "-DCISO8601_CACHING_ENABLED=1"],
        tests: "tests",
        test_files: &["tests.py", "test_timezone.py"],
        test_modules: &["generate_test_timestamps.py"],
    },
    Port {
        name: "lru_dict",
        version: "1.4.1",
        module: "lru._lru",
        sources: "src/lru",
        more_sources: &[],
        defines: &[],
        tests: "test",
        test_files: &["."],
        test_modules: &[],
    },
    Port {
        name: "pyrsistent",
        version: "0.20.0",
        module: "pvectorc",
        sources: "",
        more_sources: &[],
        defines: &[],
        tests: "tests",
        test_files: &["."],
        test_modules: &[],
    },
];

/// Builds and tests all packages; fails if a test passes with a package's own build only, or not in debug mode.
pub fn ports(root: &Path, python: Option<&Path>) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    environment.install_hpy()?;
    let mut results = Vec::new();
    for port in PORTS {
        let place = Place::new(root, &environment, port)?;
        results.push(place.compare().with_context(|| format!("port of {}", port.title()))?);
    }
    summarise(&results)
}

impl Port {
    fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// The tests of one package, with both builds, and with the second in debug mode.
struct Compared {
    title: String,
    own: Vec<Case>,
    hybrid: Vec<Case>,
    debug: Vec<Case>,
}

/// Prints the numbers of each package and of all.
fn summarise(results: &[Compared]) -> Result<()> {
    step("compare");
    let mut worse = Vec::new();
    for Compared { title, own, hybrid, debug } in results {
        println!(
            "{title}: own build: {}; hybrid build: {}; in debug mode: {}",
            numbers(own),
            numbers(hybrid),
            numbers(debug)
        );
        worse.extend(only_own(own, hybrid).map(|name| format!("{title}: {name}")));
        worse.extend(only_own(hybrid, debug).map(|name| format!("{title}: {name} (debug mode)")));
    }
    for name in &worse {
        println!("  passes with the build before only: {name}");
    }
    let total =
        |outcome| results.iter().map(|result| count(&result.hybrid, outcome)).sum::<usize>();
    println!("ports: {} passed, {} failed", total(Outcome::Passed), total(Outcome::Failed));
    if !worse.is_empty() {
        bail!("{} tests pass with the build before only; they are listed above", worse.len());
    }
    Ok(())
}

fn numbers(cases: &[Case]) -> String {
    format!(
        "{} passed, {} failed, {} skipped",
        count(cases, Outcome::Passed),
        count(cases, Outcome::Failed),
        count(cases, Outcome::Skipped)
    )
}

/// The tests that pass with the first build and do not with the second.
fn only_own<'a>(own: &'a [Case], hybrid: &[Case]) -> impl Iterator<Item = &'a str> {
    let passed = |cases: &'_ [Case]| {
        let passed = cases.iter().filter(|case| case.outcome == Outcome::Passed);
        passed.map(|case| case.name.clone()).collect::<HashSet<_>>()
    };
    let hybrid = passed(hybrid);
    let own = own.iter().filter(|case| case.outcome == Outcome::Passed);
    own.map(|case| case.name.as_str()).filter(move |name| !hybrid.contains(*name))
}

/// The folder in which one package is built and tested.
struct Place<'a> {
    root: &'a Path,
    environment: &'a Environment,
    port: &'a Port,
    dir: PathBuf,
    archive: PathBuf,
}

impl<'a> Place<'a> {
    /// Empties the folder; fetches the archive unless it is there.
    fn new(root: &'a Path, environment: &'a Environment, port: &'a Port) -> Result<Self> {
        let ports = root.join("target/xtask/ports");
        let dir = ports.join(port.name);
        if dir.exists() {
            fs::remove_dir_all(&dir).context("cannot remove what was built before")?;
        }
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let archive = ports.join(format!("{}-{}.tar.gz", port.name, port.version));
        let place = Self { root, environment, port, dir, archive };
        if !place.archive.exists() {
            place.fetch(&ports)?;
        }
        Ok(place)
    }

    fn fetch(&self, into: &Path) -> Result<()> {
        step(&format!("fetch {}", self.port.title()));
        let release = format!("{}=={}", self.port.name, self.port.version);
        run(self
            .environment
            .command()
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--no-build-isolation", "--no-binary", ":all:", &release, "--dest"])
            .arg(into))
        .with_context(|| format!("cannot fetch {release}: pip needs a package index"))
    }

    /// Runs the package's tests with both builds.
    fn compare(&self) -> Result<Compared> {
        let sources = self.unpack()?;
        let own = self.build_own()?;
        let hybrid = self.build_hybrid(&sources, &own)?;
        let tests = self.copy_tests(&sources)?;
        Ok(Compared {
            title: self.port.title(),
            own: self.test(&tests, "own", &own, &[])?,
            hybrid: self.test(&tests, "hybrid", &hybrid, &[])?,
            debug: self.test(&tests, "debug", &hybrid, &["--hpy-debug"])?,
        })
    }

    fn unpack(&self) -> Result<PathBuf> {
        let unpack = "import shutil, sys; shutil.unpack_archive(sys.argv[1], sys.argv[2])";
        run(self.python().args(["-c", unpack]).arg(&self.archive).arg(&self.dir))?;
        Ok(self.dir.join(format!("{}-{}", self.port.name, self.port.version)))
    }

    /// Installs the package as its author builds it.
    fn build_own(&self) -> Result<PathBuf> {
        step(&format!("build {} as its author does", self.port.title()));
        let own = self.dir.join("own");
        run(self
            .python()
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--no-build-isolation", "--no-cache-dir", "--target"])
            .arg(&own)
            .arg(&self.archive))?;
        Ok(own)
    }

    /// Copies the package and replaces its extension.
    fn build_hybrid(&self, sources: &Path, own: &Path) -> Result<PathBuf> {
        step(&format!("build {} as a hybrid module", self.port.title()));
        let hybrid = self.dir.join("hybrid");
        self.copy_tree(own, &hybrid)?;
        let extension = self.extension(own)?;
        let extension = extension.strip_prefix(own).with_context(|| {
            format!("{} was imported from {}", self.port.module, extension.display())
        })?;
        let replaced = hybrid.join(extension);
        fs::remove_file(&replaced)?;
        let name = self.port.module.rsplit('.').next().unwrap_or(self.port.module);
        let library =
            replaced.with_file_name(format!("{name}{}", Abi::Hybrid.suffix(self.environment)?));
        self.compile(&sources.join(self.port.sources), &library)?;
        let imported = self.extension(&hybrid)?;
        if imported != library {
            bail!("the import took {} instead of {}", imported.display(), library.display());
        }
        Ok(hybrid)
    }

    fn compile(&self, sources: &Path, library: &Path) -> Result<()> {
        let glue = self.root.join("tests/ports").join(format!("{}.c", self.port.name));
        let mut all = vec![glue];
        all.extend(self.port.more_sources.iter().map(|source| sources.join(source)));
        let include = format!("-I{}", sources.display());
        let flags = [FLAGS, self.port.defines, &[&include]].concat();
        compile_all(self.environment, Abi::Hybrid, &all, library, &flags)
    }

    /// The file from which a build's extension is imported.
    fn extension(&self, build: &Path) -> Result<PathBuf> {
        let question =
            "import importlib, sys; print(importlib.import_module(sys.argv[1]).__file__)";
        let mut python = self.python();
        python.env("PYTHONPATH", build).args(["-c", question, self.port.module]);
        let file = output(&mut python)
            .with_context(|| format!("{} cannot be imported", self.port.module))?;
        Ok(file.into())
    }

    /// Copies the tests to where no source of the package is beside them.
    fn copy_tests(&self, sources: &Path) -> Result<PathBuf> {
        let tests = self.dir.join("tests");
        self.copy_tree(&sources.join(self.port.tests), &tests)?;
        // What pytest is to do is said here, not in a folder above.
        fs::write(tests.join("pytest.ini"), "[pytest]\n")?;
        for module in self.port.test_modules {
            fs::copy(self.root.join("tests/ports").join(module), tests.join(module))?;
        }
        Ok(tests)
    }

    fn test(&self, tests: &Path, title: &str, build: &Path, options: &[&str]) -> Result<Vec<Case>> {
        step(&format!("test {}, {title} build", self.port.title()));
        let mut pytest = self.python();
        pytest.current_dir(tests).env("PYTHONPATH", build).args(["-m", "pytest", "-q"]);
        let report = self.dir.join(format!("report-{title}.xml"));
        pytest::run(pytest.args(["--tb=short"]).args(options).args(self.port.test_files), &report)
    }

    fn copy_tree(&self, from: &Path, to: &Path) -> Result<()> {
        let copy = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])";
        run(self.python().args(["-c", copy]).arg(from).arg(to))
    }

    fn python(&self) -> Command {
        self.environment.command()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, outcome: Outcome) -> Case {
        Case { name: name.to_owned(), outcome, reason: String::new() }
    }

    #[test]
    fn what_passes_with_the_own_build_only_is_found() {
        use Outcome::{Failed, Passed, Skipped};
        let own = ["a", "b", "c", "d"].map(|name| case(name, Passed));
        let own = own.into_iter().chain([case("e", Failed)]).collect::<Vec<_>>();
        let hybrid = [case("a", Passed), case("b", Failed), case("c", Skipped), case("e", Failed)];
        assert_eq!(only_own(&own, &hybrid).collect::<Vec<_>>(), ["b", "c", "d"]);
        assert_eq!(only_own(&own, &own).count(), 0);
    }
}
