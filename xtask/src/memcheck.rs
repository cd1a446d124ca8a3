//! `cargo xtask memcheck`: the C tests with many repetitions, and under AddressSanitizer, UndefinedBehaviorSanitizer and Valgrind.
//!
//! Only extensions are instrumented; the interpreter and the runtime are not, but as they allocate through the same functions, a use
//! of freed or foreign memory is found on both sides.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::environment::Environment;
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

/// Runs the checkers that are there; names those that are not.
pub fn memcheck(root: &Path, python: Option<&Path>) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.require(REQUIREMENTS)?;
    environment.install_hpy()?;
    repeat(&environment)?;
    sanitize(&environment)?;
    if !exists("valgrind") {
        println!("memcheck: Valgrind skipped: there is no program `valgrind`");
        return Ok(());
    }
    valgrind(&environment)
}

/// Every leak check of the tests with ten thousand rounds.
fn repeat(environment: &Environment) -> Result<()> {
    step("references after ten thousand rounds of everything");
    run(environment
        .command()
        .args(["-m", "pytest", "-q", "--numprocesses=auto", "-p", "no:cacheprovider", "-k", ONCE])
        .args(SANITIZED)
        .env("HPY_TEST_ROUNDS", "10000"))
}

/// The interpreter is not linked with the sanitizer's runtime, so that is loaded before it.
fn sanitize(environment: &Environment) -> Result<()> {
    step("AddressSanitizer and UndefinedBehaviorSanitizer");
    let runtime = output(Command::new("gcc").arg("-print-file-name=libasan.so"))?;
    if !Path::new(&runtime).is_absolute() {
        bail!("gcc has no AddressSanitizer runtime (libasan.so); install it");
    }
    run(environment
        .command()
        .args(["-m", "pytest", "-q", "--numprocesses=auto", "-p", "no:cacheprovider", "-k", ONCE])
        .args(SANITIZED)
        .env("CC", "gcc")
        .env("CXX", "g++")
        .env("LD_PRELOAD", runtime)
        .env("PYTHONMALLOC", "malloc")
        .env("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1")
        .env("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
        .env(
            "HPY_TEST_CFLAGS",
            "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer",
        ))
}

/// An error that Valgrind reports fails the command.
fn valgrind(environment: &Environment) -> Result<()> {
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
