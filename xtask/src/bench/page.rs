//! The printed texts in pages of `docs`: each has the lines between its two markers, which name the command.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Puts `text` between the two markers of `cargo xtask COMMAND`.
pub fn insert(page: &Path, command: &str, text: &str) -> Result<()> {
    let old =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let marker = |which| format!("<!-- {which}: cargo xtask {command} -->");
    let (begin, end) = (marker("begin"), marker("end"));
    let parts =
        old.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let Some((head, tail)) = parts else {
        bail!("{} has not the two lines {begin} and {end}", page.display());
    };
    fs::write(page, format!("{head}{begin}\n\n{text}\n{end}{tail}"))
        .with_context(|| format!("cannot write {}", page.display()))
}
