//! The one interpreter that a hybrid extension is for, as the tag that file names carry: `cp311`.

/// Whether an extension for `wanted` runs on `running`. Debug builds (`cp311d`) and release builds
/// load each other's extensions.
pub(crate) fn runs_on(wanted: &str, running: &str) -> bool {
    release(wanted) == release(running)
}

fn release(tag: &str) -> &str {
    tag.strip_suffix('d').unwrap_or(tag)
}

/// The interpreter in words.
pub(crate) fn describe(tag: &str) -> String {
    if tag == "rustpython" {
        return "RustPython".to_owned();
    }
    cpython(tag).unwrap_or_else(|| format!("the interpreter with the ABI tag '{tag}'"))
}

fn cpython(tag: &str) -> Option<String> {
    let version = release(tag).strip_prefix("cp")?;
    let (kind, version) = match version.strip_suffix('t') {
        Some(version) => ("free-threaded ", version),
        None => ("", version),
    };
    let (major, minor) = version.split_at_checked(1)?;
    minor.parse::<u32>().ok()?;
    Some(format!("{kind}CPython {major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_runs_its_own_extensions() {
        assert!(runs_on("cp311", "cp311"));
        assert!(runs_on("cp311d", "cp311"));
        assert!(runs_on("cp311", "cp311d"));
        assert!(!runs_on("cp310", "cp311"));
        assert!(!runs_on("cp313", "cp313t"));
        assert!(!runs_on("pypy39-pp73", "cp39"));
    }

    #[test]
    fn tags_are_put_into_words() {
        assert_eq!(describe("cp39"), "CPython 3.9");
        assert_eq!(describe("cp311d"), "CPython 3.11");
        assert_eq!(describe("cp313t"), "free-threaded CPython 3.13");
        assert_eq!(describe("rustpython"), "RustPython");
        for tag in ["pypy39-pp73", "cp", "cp3", "cp3x", "cpé1"] {
            assert!(describe(tag).contains(&format!("'{tag}'")));
        }
    }
}
