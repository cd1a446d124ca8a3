//! The same calls through other tools that make extensions, from the package index.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Bench;
use super::build::{FLAGS, WAYS, repeat};
use super::callgrind;
use super::place;
use super::table::{Column, table};
use crate::compile::{Abi, compile, python_include};
use crate::environment::Environment;
use crate::shell::{cargo, output, run, step};

const FOLDER: &str = "benches/rivals";

/// Another tool: its name, what it needs from the index, and what builds the module `rival`.
struct Rival {
    title: &'static str,
    requirements: &'static [&'static str],
    build: fn(&Site) -> Result<PathBuf>,
}

const RIVALS: &[Rival] = &[
    Rival { title: "nanobind", requirements: &["nanobind==2.9.2"], build: nanobind },
    Rival { title: "PyO3", requirements: &[], build: pyo3 },
    Rival { title: "Cython", requirements: &["cython==3.1.4"], build: cython },
    Rival { title: "pybind11", requirements: &["pybind11==3.0.1"], build: pybind11 },
    Rival { title: "cffi", requirements: &["cffi==2.0.0", "setuptools<81"], build: cffi },
];

/// Where a rival is built.
struct Site<'a> {
    root: &'a Path,
    environment: &'a Environment,
    sources: PathBuf,
    out: PathBuf,
}

/// Counts the instructions of the calls in each build.
pub fn measure(bench: &Bench) -> Result<String> {
    callgrind::require()?;
    let script = bench.root.join(FOLDER).join("measure.py");
    let repeat = repeat(bench)?;
    let mut columns = Vec::new();
    for way in WAYS {
        let arguments = [&*way.compile(bench, "benches/micro", "micro")?, &*repeat];
        let cells = callgrind::count(bench, &bench.environment, way.title, &script, &arguments)?;
        columns.push(Column { title: way.title, cells: Ok(cells) });
    }
    let environment = Environment::prepare_for(bench.root, bench.python, "-rivals")?;
    for rival in RIVALS {
        let build = || {
            let library = rival.build(bench, &environment)?;
            callgrind::count(bench, &environment, rival.title, &script, &[&library, &repeat])
        };
        let cells = build();
        if let Err(reason) = &cells {
            eprintln!("{}: skipped, {reason:#}", rival.title);
        }
        columns.push(Column { title: rival.title, cells });
    }
    Ok(format!("{}\n{}", table(&columns)?, place::describe(bench, "rivals", FLAGS)?))
}

impl Rival {
    fn build(&self, bench: &Bench, environment: &Environment) -> Result<PathBuf> {
        environment.require(self.requirements)?;
        step(&format!("build with {}", self.title));
        let out = bench.out.join(self.title);
        fs::create_dir_all(&out)?;
        let sources = bench.root.join(FOLDER);
        (self.build)(&Site { root: bench.root, environment, sources, out })
    }
}

impl Site<'_> {
    /// What a line of Python prints in the rival's environment.
    fn ask(&self, line: &str) -> Result<String> {
        output(self.environment.command().args(["-c", line]))
    }

    /// Compiles C++ to the module.
    fn compile_cpp(&self, folders: &[&Path], sources: &[&Path], flags: &[&str]) -> Result<PathBuf> {
        let library = self.out.join("rival.so");
        let mut command = Command::new("c++");
        command.args(FLAGS).args(flags);
        command.args(["-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-DNDEBUG"]);
        command.arg("-I").arg(python_include(&mut self.environment.command())?);
        for folder in folders {
            command.arg("-I").arg(folder);
        }
        run(command.args(sources).arg("-o").arg(&library))?;
        Ok(library)
    }
}

fn pybind11(site: &Site) -> Result<PathBuf> {
    let include = site.ask("import pybind11; print(pybind11.get_include())")?;
    site.compile_cpp(&[Path::new(&include)], &[&site.sources.join("rival_pybind11.cpp")], &[])
}

fn nanobind(site: &Site) -> Result<PathBuf> {
    let package = site.ask("import nanobind; print(nanobind.__path__[0])")?;
    let package = Path::new(&package);
    let folders = [&*package.join("include"), &*package.join("ext/robin_map/include")];
    let sources =
        [&*site.sources.join("rival_nanobind.cpp"), &*package.join("src/nb_combined.cpp")];
    site.compile_cpp(&folders, &sources, &["-fno-strict-aliasing"])
}

fn cython(site: &Site) -> Result<PathBuf> {
    let source = site.out.join("rival.c");
    let mut command = site.environment.command();
    command.args(["-m", "cython"]).arg(site.sources.join("rival.pyx"));
    run(command.arg("-o").arg(&source))?;
    compile(site.environment, Abi::Plain, &source, &site.out, FLAGS)
}

fn cffi(site: &Site) -> Result<PathBuf> {
    run(site.environment.command().arg(site.sources.join("rival_cffi.py")).arg(&site.out))?;
    for entry in fs::read_dir(&site.out)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "so") {
            return Ok(path);
        }
    }
    bail!("cffi made no library in {}", site.out.display())
}

fn pyo3(site: &Site) -> Result<PathBuf> {
    let manifest = site.sources.join("pyo3/Cargo.toml");
    let target = site.out.join("target");
    run(cargo(site.root)
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .env("PYO3_PYTHON", site.environment.python())
        .env("PYO3_BUILD_EXTENSION_MODULE", "1"))?;
    let library = site.out.join("rival.so");
    let built = target.join("release/librival.so");
    fs::copy(&built, &library).with_context(|| format!("no {}", built.display()))?;
    Ok(library)
}
