//! The printed texts in pages of `docs`: each has the lines between its two markers, which name the command.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Puts `text` between the two markers of `cargo xtask COMMAND`.
pub fn insert(page: &Path, command: &str, text: &str) -> Result<()> {
    update(page, command, |_| text.to_owned())
}

/// Puts what `change` makes of the text between the two markers of `cargo xtask COMMAND` in its place.
pub fn update(page: &Path, command: &str, change: impl FnOnce(&str) -> String) -> Result<()> {
    let all =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let marker = |which| format!("<!-- {which}: cargo xtask {command} -->");
    let (begin, end) = (marker("begin"), marker("end"));
    let parts = all.split_once(&begin).and_then(|(head, rest)| {
        let (old, tail) = rest.split_once(&end)?;
        Some((head, old, tail))
    });
    let Some((head, old, tail)) = parts else {
        bail!("{} has not the two lines {begin} and {end}", page.display());
    };
    let new = change(old);
    fs::write(page, format!("{head}{begin}\n\n{new}\n{end}{tail}"))
        .with_context(|| format!("cannot write {}", page.display()))
}
