//! The interpreters of the matrix: which are wanted, and which are here.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::environment::version;
use crate::native;

/// The interpreters that should be here, in the order of the table. Other kinds that are found come behind them. The first one
/// compiles.
pub const WANTED: &[&str] = &[
    "3.11",
    "3.9",
    "3.10",
    "3.12",
    "3.13",
    "3.14",
    "3.15",
    "3.13t",
    "3.14t",
    "3.15t",
    "3.13d",
    "pypy7.3",
    "graalpy24.2",
    "pypy8.0",
    "graalpy25.0",
];

/// Names interpreters, separated as in PATH.
pub const VARIABLE: &str = "HPY_MATRIX_PYTHONS";

/// An interpreter's label, and where it is.
pub type Interpreter = (String, PathBuf);

/// The interpreters, in the order of the table.
pub fn find(given: &[PathBuf], only_these: bool) -> Result<Vec<Interpreter>> {
    let mut candidates = given.to_vec();
    if !only_these {
        candidates.extend(env::split_paths(&env::var_os(VARIABLE).unwrap_or_default()));
        candidates.extend(on_path());
        candidates.extend(of_pyenv());
    }
    let mut found = BTreeMap::new();
    for python in candidates.iter().filter(|python| !python.as_os_str().is_empty()) {
        match version(python) {
            Ok(version) => {
                let label = version.strip_prefix("cpython").unwrap_or(&version);
                found.entry(label.to_owned()).or_insert_with(|| python.clone());
            }
            Err(error) if given.contains(python) => return Err(error),
            Err(_) => {} // a shim of a version that is not chosen, or no Python
        }
    }
    let place = |label: &str| WANTED.iter().position(|wanted| *wanted == label);
    let mut found: Vec<_> = found.into_iter().filter(|(label, _)| is_supported(label)).collect();
    found.sort_by_key(|(label, _)| place(label).unwrap_or(WANTED.len()));
    if found.is_empty() {
        bail!("no CPython 3.9 or later found: name one with --python PATH, or in {VARIABLE}");
    }
    Ok(found)
}

/// Whether a label such as `3.14t` is that of CPython 3.9 or later, or that of another interpreter.
fn is_supported(label: &str) -> bool {
    if native::is_foreign(label) {
        return true;
    }
    let minor = label.strip_prefix("3.").map(|rest| rest.trim_end_matches(['d', 't']));
    minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor >= 9)
}

fn on_path() -> impl Iterator<Item = PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    WANTED.iter().flat_map(move |label| {
        let name = format!("python{label}");
        folders.iter().map(|folder| folder.join(&name)).filter(|p| p.exists()).collect::<Vec<_>>()
    })
}

fn of_pyenv() -> Vec<PathBuf> {
    let home = || env::home_dir().map(|home| home.join(".pyenv"));
    let Some(root) = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(home) else {
        return Vec::new();
    };
    let Ok(versions) = fs::read_dir(root.join("versions")) else {
        return Vec::new();
    };
    versions.flatten().map(|version| version.path().join("bin/python")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_versions_from_3_9_on() {
        for label in ["3.9", "3.15", "3.14t", "3.13d", "3.14td", "pypy8.0"] {
            assert!(is_supported(label), "{label}");
        }
        for label in ["2.7", "3.8", "3.6d", "3.x", "jython2.7", ""] {
            assert!(!is_supported(label), "{label}");
        }
    }
}
