//! The project's own commands: `cargo xtask --help`.

mod bench;
mod compile;
mod conformance;
mod demo;
mod environment;
mod generate;
mod hosts;
mod matrix;
mod memcheck;
mod model;
mod native;
mod old;
mod ports;
mod pytest;
mod pythons;
mod rustpython;
mod sanitized;
mod shell;
mod skips;
mod table;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The commands of the HPy project", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the generated files from the description in api/
    Generate {
        /// Write nothing; fail if a printed file is stale
        #[arg(long)]
        check: bool,
    },
    /// Build all, compile a real extension once for each ABI, and run it
    Demo {
        #[command(flatten)]
        python: Python,
    },
    /// Measure what things cost, beside plain C API and HPy 0.9.0
    Bench {
        #[command(flatten)]
        python: Python,
        /// Write what came out into docs/performance.md
        #[arg(long)]
        write: bool,
        /// What to measure, by default everything
        #[arg(value_name = "TOPIC")]
        topics: Vec<String>,
    },
    /// Run all tests: the crates', the API's on every ABI, the package's and the examples'
    Test {
        #[command(flatten)]
        python: Python,
        /// Load in this mode what tests load in universal mode, and run those tests only
        #[arg(long)]
        mode: Option<String>,
        /// Handed to pytest
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run the published test suite of hpy 0.9.0 against the wheel built here
    Conformance {
        #[command(flatten)]
        python: Python,
        /// Compile the suite with the headers of hpy 0.9.0: its binaries must work in our runtime
        #[arg(long)]
        old_headers: bool,
        /// Load in this mode what tests load in universal mode, and run those tests only
        #[arg(long, conflicts_with = "old_headers")]
        mode: Option<String>,
        /// Handed to pytest
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run the own tests of published extensions, compiled as hybrid modules
    ///
    /// Fetches the source archives of ciso8601, lru-dict and pyrsistent from the package index,
    /// builds each twice, as its author does and as a hybrid module whose glue is in tests/ports,
    /// and fails if a test passes with the first build and not with the second.
    Ports {
        #[command(flatten)]
        python: Python,
    },
    /// Run the same universal files, and the tests, on every CPython that is here
    ///
    /// Interpreters are looked for on PATH, among those of pyenv, and in HPY_MATRIX_PYTHONS, whose
    /// paths are separated as in PATH.
    Matrix {
        /// An interpreter to use beside those that are found; may be given several times
        #[arg(long = "python", value_name = "PATH")]
        pythons: Vec<PathBuf>,
        /// Look for no other interpreters, in HPY_MATRIX_PYTHONS neither
        #[arg(long)]
        only_these: bool,
        /// Write what came out, and what interpreters do otherwise, into docs/hosts.md; what was not run stays there
        #[arg(long)]
        write: bool,
        /// What to run, instead of all columns
        #[arg(long, value_delimiter = ',')]
        columns: Vec<matrix::Column>,
    },
    /// Build the wheel for interpreters that have HPy themselves, PyPy 7.3 and GraalPy 24.2
    ///
    /// One wheel is for all of them. It is written to target/xtask/native.
    WheelNative {
        /// The profile of cargo
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Build, test or run the host on RustPython, which is a workspace of its own
    Rustpython {
        #[command(subcommand)]
        action: rustpython::Action,
    },
    /// Run the C tests under AddressSanitizer, UndefinedBehaviorSanitizer, Valgrind and ThreadSanitizer
    Memcheck {
        #[command(flatten)]
        python: Python,
        /// What to run, instead of everything
        #[arg(long, value_delimiter = ',')]
        only: Vec<memcheck::Checker>,
        /// A free-threaded CPython that was built with --with-thread-sanitizer
        #[arg(long, value_name = "PATH")]
        tsan_python: Option<PathBuf>,
        /// Repeat each leak check a thousand times instead of ten thousand
        #[arg(long)]
        quick: bool,
    },
}

/// Which interpreter a command works with.
#[derive(clap::Args)]
struct Python {
    /// The interpreter to use, instead of the first python3 there is
    #[arg(long = "python", value_name = "PATH")]
    path: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Generate { check } => generate::run(&root(), check),
        Command::Demo { python } => demo::demo(&root(), python.path.as_deref()),
        Command::Bench { python, write, topics } => {
            bench::bench(&root(), python.path.as_deref(), &topics, write)
        }
        Command::Test { python, mode, arguments } => {
            let python = python.path.as_deref();
            match mode {
                Some(mode) => test::forced(&root(), python, &mode, &arguments),
                None => test::test(&root(), python, &arguments),
            }
        }
        Command::Conformance { python, old_headers, mode, arguments } => {
            let python = python.path.as_deref();
            match mode {
                _ if old_headers => conformance::old_headers(&root(), python, &arguments),
                mode => conformance::conformance(&root(), python, mode.as_deref(), &arguments),
            }
        }
        Command::Ports { python } => ports::ports(&root(), python.path.as_deref()),
        Command::Matrix { pythons, only_these, write, columns } => {
            matrix::matrix(&root(), &pythons, only_these, &columns, write)
        }
        Command::WheelNative { profile } => {
            let wheel =
                native::build_wheel(&root(), &profile, &root().join("target/xtask/native"))?;
            println!("{}", wheel.display());
            Ok(())
        }
        Command::Rustpython { action } => rustpython::rustpython(&root(), &action),
        Command::Memcheck { python, only, tsan_python, quick } => {
            let (python, tsan_python) = (python.path.as_deref(), tsan_python.as_deref());
            memcheck::memcheck(&root(), python, &only, tsan_python, quick)
        }
    }
}

/// The root of the project: the folder above xtask's own.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
