//! `cargo xtask demo`: one real extension, compiled once for each ABI, imported and run.

use std::path::Path;

use anyhow::Result;

use crate::compile::{Abi, compile};
use crate::environment::Environment;
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
    run(&mut show)
}
