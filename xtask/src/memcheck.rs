//! `cargo xtask memcheck`: the C tests with many repetitions, and under AddressSanitizer, UndefinedBehaviorSanitizer and Valgrind; and
//! several threads under ThreadSanitizer.
//!
//! For the first ones only extensions are instrumented; the interpreter and the runtime are not, but as they allocate through the same
//! functions, a use of freed or foreign memory is found on both sides. For threads all is: see [`sanitized`].

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::environment::Environment;
use crate::sanitized;
use crate::shell::{exists, output, require_compiler, run, step};
use crate::test::REQUIREMENTS;

/// Tests that run C code of the headers or the runtime; the others build packages and start processes.
const SANITIZED: &[&str] = &[
    "tests/api",
    "tests/test_argparse.py",
    "tests/test_buildvalue.py",
    "tests/test_format.py",
    "tests/test_structseq.py",
    "tests/test_helpers.py",
    "examples/porting",
];

/// What Valgrind runs: types, slots, and what owns references. It is some thirty times slower than the machine, so it does not run
/// everything, and each leak check makes three rounds.
const VALGRIND: &[&str] = &[
    "tests/api/test_type.py",
    "tests/api/test_slots.py",
    "tests/api/test_field.py",
    "tests/api/test_global.py",
    "tests/api/test_tracker.py",
    "tests/api/test_builder.py",
    "tests/api/test_capsule.py",
];

/// What the libraries do is the same in debug mode, which takes its time to look at it; and abi3 shares nearly all of its code with
/// the CPython ABI. With both, the checkers would take too long.
const ONCE: &str = "not debug and not abi3";

/// As above, and without tests that make hundreds of thousands of objects.
const SHORT: &str = "not debug and not abi3 and not ten_thousand and not deep_chain";

const SANITIZERS: &[&str] = &[
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
    "-shared-libasan",
    "-fno-omit-frame-pointer",
    "-O0",
    "-g1",
    "-Wno-unused-function", // clang says so of inline functions, too
];

/// How often a leak check calls its function under AddressSanitizer, which looks at each access: what is wrong with memory shows in
/// the first calls, and leaks are counted by the first checker.
const SANITIZED_ROUNDS: &str = "20";

/// A part of the command.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Checker {
    /// Every leak check with many rounds
    References,
    /// AddressSanitizer and UndefinedBehaviorSanitizer
    Address,
    /// Valgrind
    Valgrind,
    /// ThreadSanitizer, in a free-threaded Python
    Threads,
}

const CHECKERS: &[Checker] =
    &[Checker::References, Checker::Address, Checker::Valgrind, Checker::Threads];

/// Runs the checkers that are there, or of those only some; names those that are not. `quick` makes a tenth of the repetitions: more
/// than that finds what grows, but not with each call.
pub fn memcheck(
    root: &Path,
    python: Option<&Path>,
    only: &[Checker],
    tsan_python: Option<&Path>,
    quick: bool,
) -> Result<()> {
    require_compiler()?;
    let checkers = if only.is_empty() { CHECKERS } else { only };
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    if checkers != [Checker::Threads] {
        environment.install_hpy()?;
        if checkers.contains(&Checker::References) {
            repeat(&environment, if quick { 1_000 } else { 10_000 })?;
        }
        if checkers.contains(&Checker::Address) {
            sanitize(&environment)?;
        }
        if checkers.contains(&Checker::Valgrind) {
            valgrind(&environment)?;
        }
    }
    if checkers.contains(&Checker::Threads) {
        threads(root, &environment, tsan_python)?;
    }
    Ok(())
}

/// Every leak check of the tests with many rounds.
fn repeat(environment: &Environment, rounds: u32) -> Result<()> {
    step(&format!("references after {rounds} rounds of everything"));
    run(environment
        .command()
        .args(["-m", "pytest", "-q", "--numprocesses=auto", "-p", "no:cacheprovider", "-k", ONCE])
        .args(SANITIZED)
        .env("HPY_TEST_ROUNDS", rounds.to_string()))
}

/// The interpreter is not linked with the sanitizers' runtime, so that is loaded before it. With clang, which compiles the headers'
/// code in a fifth of the time that gcc takes for it: without optimisation it leaves out functions that nobody calls.
fn sanitize(environment: &Environment) -> Result<()> {
    step("AddressSanitizer and UndefinedBehaviorSanitizer");
    let library = format!("-print-file-name=libclang_rt.asan-{}.so", std::env::consts::ARCH);
    let runtime = output(Command::new("clang").arg(library))?;
    if !Path::new(&runtime).is_absolute() {
        bail!("clang has no AddressSanitizer runtime ({runtime}); install it");
    }
    run(environment
        .command()
        .args(["-m", "pytest", "-q", "--numprocesses=auto", "-p", "no:cacheprovider", "-k", ONCE])
        .args(SANITIZED)
        .env("CC", "clang")
        .env("CXX", "clang++")
        .env("LD_PRELOAD", runtime)
        .env("PYTHONMALLOC", "malloc")
        .env("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1")
        .env("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        .env("HPY_TEST_CFLAGS", SANITIZERS.join(" "))
        .env("HPY_TEST_ROUNDS", SANITIZED_ROUNDS))
}

/// An error that Valgrind reports fails the command.
fn valgrind(environment: &Environment) -> Result<()> {
    if !exists("valgrind") {
        println!("memcheck: Valgrind skipped: there is no program `valgrind`");
        return Ok(());
    }
    step("Valgrind");
    run(environment
        .other("valgrind")
        .args(["--quiet", "--error-exitcode=99", "--suppressions=tests/valgrind.supp"])
        .arg(environment.python())
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", SHORT])
        .args(VALGRIND)
        .env("PYTHONMALLOC", "malloc")
        .env("HPY_TEST_ROUNDS", "3"))
}

/// Threads that hammer one module: without a race in our code, and with one that must be found.
fn threads(root: &Path, environment: &Environment, python: Option<&Path>) -> Result<()> {
    let Some(python) = python else {
        println!(
            "memcheck: ThreadSanitizer skipped: no CPython named with --tsan-python (free-threaded, built with \
             --with-thread-sanitizer)"
        );
        return Ok(());
    };
    step("ThreadSanitizer");
    sanitized::check(python)?;
    let mut pytest = environment.command();
    pytest
        .args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/test_threads.py"])
        .args(["-k", "sanitizer"])
        .env("HPY_TEST_TSAN_PYTHON", python);
    if sanitized::has_sources()? {
        pytest.env("HPY_TEST_TSAN_PACKAGES", sanitized::build(root, python)?);
    } else {
        println!(
            "memcheck: ThreadSanitizer skipped for the runtime: the sources of Rust's standard library are not installed \
             (rustup component add rust-src)"
        );
    }
    run(&mut pytest)
}
