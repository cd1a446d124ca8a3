//! Where something was measured: interpreter, compiler, processor.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use crate::compile::compiler;
use crate::shell::output;

/// One line of text: what the figures of `topic` hold for, if `flags` were given to the C compiler.
pub fn describe(bench: &Bench, topic: &str, flags: &[&str]) -> Result<String> {
    let question = "import datetime, platform; print(datetime.date.today(), \
                    platform.python_implementation(), platform.python_version(), \
                    platform.system(), platform.machine())";
    let place = output(bench.environment.command().args(["-c", question]))?;
    let (date, rest) = place.split_once(' ').context("Python tells the date first")?;
    let compiler = output(compiler().arg("--version"))?;
    let compiler = compiler.lines().next().unwrap_or_default();
    Ok(format!(
        "`cargo xtask bench {topic} --write`, {date}: {rest}; {compiler}, {}; {}; {}.\n",
        flags.join(" "),
        output(Command::new("valgrind").arg("--version"))?,
        processor()
    ))
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("model name"));
    let name = name.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or("unknown processor").to_owned()
}
