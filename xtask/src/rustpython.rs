//! `cargo xtask rustpython`: the host on RustPython, a workspace of its own below `hosts/rustpython`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::compile::compiler;
use crate::conformance;
use crate::environment::Environment;
use crate::pytest::{self, Outcome, count};
use crate::shell::{cargo, require_compiler, run, step};

/// What is done with the host.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Build `hpy-rustpython`; the first time that takes several minutes
    Build {
        /// With all optimisations
        #[arg(long)]
        release: bool,
    },
    /// Run universal extensions in it: each kind of definition, and what must not leak
    Test {
        /// With all optimisations
        #[arg(long)]
        release: bool,
    },
    /// Measure what calls take, with all optimisations
    Bench,
    /// Run the universal and debug tests in it: those of the API here, and the published suite of hpy 0.9.0
    Suites {
        /// With all optimisations
        #[arg(long)]
        release: bool,
    },
    /// Run it
    Run {
        /// With all optimisations
        #[arg(long)]
        release: bool,
        /// What it is given: a script and its arguments, `-m` or `-c`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Does it.
pub fn rustpython(root: &Path, action: &Action) -> Result<()> {
    match action {
        Action::Build { release } => build(root, *release).map(drop),
        Action::Test { release } => test(root, *release),
        Action::Suites { release } => suites(root, *release),
        Action::Bench => bench(root),
        Action::Run { release, arguments } => {
            let program = build(root, *release)?;
            run(Command::new(program).args(arguments))
        }
    }
}

/// What the tests import there: packages of Python alone.
const REQUIREMENTS: &[&str] = &["pytest>=8", "filelock"];

/// Our tests that need no other ABI, no other Python and no second interpreter.
const TESTS: &[&str] = &[
    "tests/api",
    "tests/test_argparse.py",
    "tests/test_buildvalue.py",
    "tests/test_debug_bugs.py::test_a_hook_is_called_instead",
    "tests/test_format.py",
    "tests/test_helpers.py",
    "tests/test_structseq.py",
    "tests/test_threads.py",
];

/// Runs both suites; what RustPython cannot pass is expected to fail, as `tests/hosts` has it.
fn suites(root: &Path, release: bool) -> Result<()> {
    require_compiler()?;
    let program = build(root, release)?;
    let environment = Environment::prepare(root, None)?;
    let published = conformance::fetch(root, &environment)?;
    let packages = packages(root, &environment)?;
    let path = std::env::join_paths([packages, root.join("python"), root.join("tests")])?;
    let pytest = |folder: &Path| {
        let mut pytest = Command::new(&program);
        pytest
            .current_dir(folder)
            .env("PYTHONPATH", &path)
            .env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            // What pytest writes into asserts goes through RustPython's `ast`, which loses lone surrogates.
            .args(["-m", "pytest", "--assert=plain", "-q", "--tb=short"]);
        pytest
    };
    let mut own = pytest(root);
    // ThreadSanitizer sees neither the host's lock nor how the collector stops the threads, which are not compiled for it: it takes
    // a traverse function that reads a new struct for a race with the allocator that made it in another thread.
    let selected = "(universal or debug) and not cpython and not hybrid and not sanitizer";
    own.args(TESTS).args(["-k", selected]);
    let own = suite("our suite", &mut own, &target(root).join("tests.xml"));
    let mut theirs = pytest(&published);
    theirs.args(["-p", "published_on_host", "--rootdir=.", "test", "--ignore=test/hpy_devel"]);
    theirs.args(["-k", "(universal or debug or trace) and not hybrid"]);
    own.and(suite("the published suite", &mut theirs, &target(root).join("published.xml")))
}

/// The folder with what the tests import, which any Python's pip can fill.
fn packages(root: &Path, environment: &Environment) -> Result<PathBuf> {
    let folder = target(root).join("packages");
    if !folder.exists() {
        step("install pytest for RustPython");
        let mut pip = environment.command();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        // It has its name when all is in it: the folder may outlive a command that was ended.
        let unfinished = folder.with_extension("unfinished");
        run(pip.args(["--upgrade", "--target"]).arg(&unfinished).args(REQUIREMENTS))?;
        fs::rename(&unfinished, &folder).context("cannot put pytest into its folder")?;
    }
    Ok(folder)
}

/// Runs the tests of one suite and says how many passed; fails if one failed that was not expected to.
fn suite(title: &str, pytest: &mut Command, report: &Path) -> Result<()> {
    step(&format!("run {title} on RustPython"));
    let cases = pytest::run(pytest, report)?;
    let number = |outcome| count(&cases, outcome);
    println!(
        "rustpython: {title}: {} passed, {} cannot, {} failed, {} skipped",
        number(Outcome::Passed),
        number(Outcome::Known),
        number(Outcome::Failed),
        number(Outcome::Skipped)
    );
    match number(Outcome::Failed) {
        0 => Ok(()),
        failed => bail!("{failed} of {title} failed on RustPython"),
    }
}

/// Builds the program; returns where it is.
///
/// The versions of some crates that RustPython asks for are declared for a newer compiler than they need, which cargo must be told.
pub fn build(root: &Path, release: bool) -> Result<PathBuf> {
    step("build hpy-rustpython");
    let mut build = cargo(&root.join("hosts/rustpython"));
    // What the environment says of the profile is meant for the other crates; here it would compile all again.
    build.env_remove("CARGO_PROFILE_DEV_DEBUG");
    build
        .args(["build", "--locked", "--ignore-rust-version"])
        .arg("--target-dir")
        .arg(target(root));
    if release {
        build.arg("--release");
    }
    run(&mut build)?;
    Ok(program(root, release))
}

/// The program, if it was built: with all optimisations, or else without.
pub fn built(root: &Path) -> Option<PathBuf> {
    [true, false].map(|release| program(root, release)).into_iter().find(|path| path.exists())
}

fn program(root: &Path, release: bool) -> PathBuf {
    let profile = if release { "release" } else { "debug" };
    let name = format!("hpy-rustpython{}", std::env::consts::EXE_SUFFIX);
    target(root).join(profile).join(name)
}

/// Where it is built: `HPY_RUSTPYTHON_TARGET_DIR`, or a folder below the project's own.
fn target(root: &Path) -> PathBuf {
    let given = std::env::var_os("HPY_RUSTPYTHON_TARGET_DIR");
    given.map_or_else(|| root.join("target/rustpython"), PathBuf::from)
}

/// The universal libraries that are run: source, and flags.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("examples/json/hpyjson.c", &["-O2"]),
    ("examples/porting/step3/points.c", &["-O2"]),
    ("tests/c/everything.c", &["-O2"]),
];

/// Compiles the libraries; returns where they are.
fn extensions(root: &Path) -> Result<PathBuf> {
    let folder = target(root).join("extensions");
    fs::create_dir_all(&folder).context("cannot make a folder for the extensions")?;
    step("compile the extensions");
    for (source, flags) in LIBRARIES {
        compile(root, &root.join(source), &folder, flags)?;
    }
    Ok(folder)
}

fn bench(root: &Path) -> Result<()> {
    require_compiler()?;
    let (program, folder) = (build(root, true)?, extensions(root)?);
    let script = "hosts/rustpython/tests/measure.py";
    run(Command::new(program).current_dir(root).arg(script).arg(folder))
}

fn test(root: &Path, release: bool) -> Result<()> {
    require_compiler()?;
    let program = build(root, release)?;
    let folder = extensions(root)?;
    let script = |name: &str| {
        let mut command = Command::new(&program);
        command.current_dir(root).arg(name);
        command
    };
    step("use each kind of definition");
    let everything = folder.join("everything.hpy0.so");
    run(script("tests/c/check_everything.py").arg(everything).arg("universal"))?;
    step("import the examples, and look for leaks");
    run(script("hosts/rustpython/tests/check_leaks.py").arg(&folder))?;
    step("show what RustPython itself does otherwise");
    run(&mut script("hosts/rustpython/tests/check_otherwise.py"))
}

/// Compiles a universal library; no Python is needed.
fn compile(root: &Path, source: &Path, into: &Path, flags: &[&str]) -> Result<()> {
    let name = source.file_stem().context("a C source has a name")?.to_string_lossy();
    let mut command = compiler();
    command.args(flags).args(["-shared", "-fPIC", "-fvisibility=hidden", "-DHPY_ABI_UNIVERSAL"]);
    command.arg("-I").arg(root.join("include")).arg(source);
    run(command.arg("-o").arg(into.join(format!("{name}.hpy0.so"))))
}
