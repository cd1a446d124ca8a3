//! Running other programs: what is run is printed, and a failure says what failed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Prints the beginning of a step.
pub fn step(what: &str) {
    eprintln!("\x1b[1m==> {what}\x1b[0m");
}

/// Runs a program to its end; its output goes to the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let text = describe(command);
    eprintln!("$ {text}");
    let began = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {text}"))?;
    if !status.success() {
        bail!("{text}: {status}");
    }
    eprintln!("  ({:.1} s)", began.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a program and returns what it printed, without the blanks around it.
pub fn output(command: &mut Command) -> Result<String> {
    let text = describe(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {text}"))?;
    if !output.status.success() {
        bail!("{text}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program can be started at all.
pub fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// `cargo`, started in the root of the project.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Fails unless there is a C compiler.
pub fn require_compiler() -> Result<()> {
    let text = std::env::var("CC").unwrap_or_default();
    let compiler = text.split_whitespace().next().unwrap_or("cc"); // options may follow
    if exists(compiler) {
        return Ok(());
    }
    bail!("no C compiler: `{compiler}` cannot be started; install one, or name one in CC")
}
