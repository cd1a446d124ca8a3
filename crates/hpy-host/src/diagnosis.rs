//! What is wrong with a file that cannot be loaded. Only reached when something failed.

use std::path::Path;

use object::{Architecture, BinaryFormat, FileKind, Object};

use crate::Error;

/// Why the system could not open a library.
pub(crate) fn not_opened(name: &str, path: &Path, reason: &libloading::Error) -> Error {
    let (name, path) = (name.to_owned(), path.to_owned());
    let contents = match std::fs::read(&path) {
        Ok(contents) => contents,
        Err(source) => return Error::File { name, path, source },
    };
    match describe(&contents) {
        Contents::Native => Error::Refused { name, path, reason: reason.to_string() },
        Contents::Foreign(found) => Error::Foreign { name, path, found, wanted: this_system() },
    }
}

/// Why a library that could be opened is not what was asked for.
pub(crate) fn missing_symbols(name: &str, path: &Path, missing: String) -> Error {
    let found = std::fs::read(path).map_or_else(|_| vec![], |contents| exports(&contents));
    let found = offered_modules(&found);
    Error::Symbols { name: name.to_owned(), path: path.to_owned(), missing, found }
}

enum Contents {
    /// A library for this system.
    Native,
    /// Something else: what.
    Foreign(String),
}

fn describe(contents: &[u8]) -> Contents {
    let Ok(kind) = FileKind::parse(contents) else {
        return Contents::Foreign(describe_no_binary(contents));
    };
    let Ok(file) = object::File::parse(contents) else {
        return Contents::Foreign(format!("a damaged or unsupported {kind:?} file"));
    };
    let described = system(file.format(), file.architecture());
    if described == this_system() {
        return Contents::Native;
    }
    Contents::Foreign(format!("a library {described}"))
}

fn describe_no_binary(contents: &[u8]) -> String {
    match contents {
        [] => "empty".to_owned(),
        contents if std::str::from_utf8(contents).is_ok() => {
            "a text file, not a library".to_owned()
        }
        _ => "not a library".to_owned(),
    }
}

fn system(format: BinaryFormat, architecture: Architecture) -> String {
    format!("in the format {format:?} for the processor {architecture:?}")
}

/// What this process loads.
fn this_system() -> String {
    let format = if cfg!(windows) {
        BinaryFormat::Pe
    } else if cfg!(target_vendor = "apple") {
        BinaryFormat::MachO
    } else {
        BinaryFormat::Elf
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" if cfg!(target_pointer_width = "32") => Architecture::X86_64_X32,
        "x86_64" => Architecture::X86_64,
        "x86" => Architecture::I386,
        "aarch64" => Architecture::Aarch64,
        "arm" => Architecture::Arm,
        "riscv64" => Architecture::Riscv64,
        "powerpc64" => Architecture::PowerPc64,
        "s390x" => Architecture::S390x,
        "loongarch64" => Architecture::LoongArch64,
        _ => Architecture::Unknown,
    };
    system(format, architecture)
}

/// The names of the symbols that a library exports.
fn exports(contents: &[u8]) -> Vec<String> {
    let Ok(file) = object::File::parse(contents) else {
        return vec![];
    };
    let Ok(exports) = file.exports() else {
        return vec![];
    };
    exports.iter().map(|export| String::from_utf8_lossy(export.name()).into_owned()).collect()
}

fn offered_modules(exports: &[String]) -> String {
    // Mach-O puts an underscore in front of every C symbol.
    let named = |prefix: &str| {
        let strip = |symbol: &String| {
            let symbol = symbol.strip_prefix('_').unwrap_or(symbol);
            symbol.strip_prefix(prefix).map(|module| format!("'{module}'"))
        };
        exports.iter().filter_map(strip).collect::<Vec<_>>().join(", ")
    };
    let (universal, ordinary) = (named("HPyInit_"), named("PyInit_"));
    if !universal.is_empty() {
        return format!(
            "The file has {universal}: load it under that name, or change the name in HPy_MODINIT."
        );
    }
    if !ordinary.is_empty() {
        return format!(
            "The file is an ordinary extension module ({ordinary}): import it without \
             hpy.universal, or rebuild it with -DHPY_ABI_UNIVERSAL."
        );
    }
    "The file has no Python module: build it from a source that uses HPy_MODINIT, with \
     -DHPY_ABI_UNIVERSAL."
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(contents: &[u8]) -> String {
        match describe(contents) {
            Contents::Native => panic!("taken for a library of this system"),
            Contents::Foreign(found) => found,
        }
    }

    #[test]
    fn what_is_no_library_is_told() {
        assert_eq!(foreign(b""), "empty");
        assert_eq!(foreign(b"import sys\n"), "a text file, not a library");
        assert_eq!(foreign(b"\xff\xfe\x00\x01"), "not a library");
        assert!(foreign(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0").starts_with("a damaged"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_for_another_processor_is_told() {
        let mut contents = std::fs::read("/proc/self/exe").expect("the test itself");
        assert!(matches!(describe(&contents), Contents::Native));
        const MACHINE: std::ops::Range<usize> = 18..20;
        const SPARC_V9: [u8; 2] = [43, 0];
        contents[MACHINE].copy_from_slice(&SPARC_V9);
        let found = foreign(&contents);
        assert!(found.contains("Sparc64"), "{found}");
        assert!(!found.contains(&this_system()), "{found}");
    }

    #[test]
    fn other_modules_of_the_library_are_offered() {
        let symbols =
            |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let found = offered_modules(&symbols(&["HPyInit_a", "_HPyInit_b", "PyInit_a", "other"]));
        assert!(found.contains("'a', 'b'"), "{found}");
        let found = offered_modules(&symbols(&["PyInit_c"]));
        assert!(found.contains("ordinary extension module ('c')"), "{found}");
        assert!(offered_modules(&[]).contains("no Python module"));
    }
}
