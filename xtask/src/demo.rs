//! `cargo xtask demo`: one real extension, compiled once for each ABI, imported and run.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::compile::{Abi, compile};
use crate::environment::Environment;
use crate::rustpython;
use crate::shell::{require_compiler, run, step};

/// What an author who ships an extension compiles it with.
const FLAGS: &[&str] = &["-O2"];

/// Builds hpy, compiles `examples/json`, and runs it on documents.
pub fn demo(root: &Path, python: Option<&Path>) -> Result<()> {
    require_compiler()?;
    let environment = Environment::prepare(root, python)?;
    environment.install_hpy()?;
    step("compile examples/json/hpyjson.c once for each ABI, and the same program in plain C API");
    let out = root.join("target/xtask/demo");
    let mut show = environment.command();
    show.arg("examples/json/demo.py");
    for (option, abi, source) in [
        ("cpython", Abi::CPython, "hpyjson.c"),
        ("universal", Abi::Universal, "hpyjson.c"),
        ("cjson", Abi::Plain, "cjson.c"),
    ] {
        let into = out.join(option);
        compile(&environment, abi, &root.join("examples/json").join(source), &into, FLAGS)?;
        show.arg(format!("--{option}")).arg(into);
    }
    step("import them, compare them with the standard library's json, and time them");
    run(&mut show)?;
    on_both(root, &environment, &out.join("universal"))
}

/// Runs the same universal file on CPython and, if `hpy-rustpython` was built, on RustPython.
fn on_both(root: &Path, environment: &Environment, folder: &Path) -> Result<()> {
    step("import the same universal file on CPython and on RustPython");
    let script = "examples/json/anywhere.py";
    run(environment.command().arg(script).arg(folder))?;
    match rustpython::built(root) {
        Some(program) => run(Command::new(program).current_dir(root).arg(script).arg(folder)),
        None => {
            println!("  RustPython: not built; `cargo xtask rustpython build` takes some minutes");
            Ok(())
        }
    }
}
