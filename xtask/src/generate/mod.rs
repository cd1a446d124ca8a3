//! `cargo xtask generate`: prints everything that follows from the description in `api/`.
//!
//! A new output is one new printer: a function from the description to a text, named in [`outputs`].

mod abi_rust;
mod context_header;
mod cpython_header;
mod cpython_rust;
mod ctypes;
mod debug_rust;
mod docs;
mod enums_header;
mod functions_header;
mod prototypes_header;
mod rustpython_rust;
mod trace_rust;
mod version_header;
mod wrapping_rust;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::model::Api;

/// A printed file: where it goes and what it says.
pub struct Output {
    /// Relative to the root of the project.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Output {
    /// A file at `path`, relative to the root.
    pub fn new(path: impl Into<String>, text: String) -> Self {
        Self { path: path.into(), text }
    }
}

/// All printed files.
fn outputs(api: &Api) -> Result<Vec<Output>> {
    let mut outputs = Vec::new();
    outputs.extend(context_header::print(api));
    outputs.extend(cpython_header::print(api));
    outputs.extend(enums_header::print(api));
    outputs.extend(functions_header::print(api));
    outputs.extend(prototypes_header::print(api));
    outputs.push(version_header::print());
    outputs.extend(abi_rust::print(api));
    outputs.extend(cpython_rust::print(api));
    outputs.extend(rustpython_rust::print(api));
    outputs.extend(debug_rust::print(api));
    outputs.extend(trace_rust::print(api));
    outputs.extend(docs::print(api));
    for output in &mut outputs {
        if output.path.ends_with(".rs") {
            output.text = rustfmt(&output.text).with_context(|| format!("in {}", output.path))?;
        }
    }
    Ok(outputs)
}

/// Writes the printed files below `root`; with `check`, only compares and fails when one is stale.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let api = Api::read(&root.join("api"))?;
    let mut stale = Vec::new();
    for output in outputs(&api)? {
        let path = root.join(&output.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == output.text) {
            continue;
        }
        if check {
            stale.push(output.path);
            continue;
        }
        let dir = path.parent().context("a printed file has a folder")?;
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        fs::write(&path, output.text).with_context(|| format!("cannot write {}", output.path))?;
        println!("wrote {}", output.path);
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `cargo xtask generate` and commit", stale.join(", "));
    }
    Ok(())
}

fn rustfmt(source: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt: install it with `rustup component add rustfmt`")?;
    child.stdin.take().context("rustfmt has no standard input")?.write_all(source.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused a printed file");
    }
    Ok(String::from_utf8(output.stdout)?)
}
