//! The file that stands in for an extension: a shared library with its four entry points, and nothing else.
//!
//! A host looks for symbols that have the module's name in them, so each stand-in is a file of its own. It is for this process only:
//! the entry point of the definition returns an address in this process's memory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

/// As large as the largest page there is.
const PAGE: usize = 0x1_0000;
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SEGMENTS: usize = 4;
const SYMBOL: usize = 24;
const READ: u32 = 4;
const WRITE: u32 = 2;
const EXECUTE: u32 = 1;

/// Machine code of this processor: the number in ELF, and two functions.
struct Machine {
    number: u16,
    /// Returns 0.
    zero: &'static [u8],
    /// Returns the eight bytes behind `before`.
    before: &'static [u8],
    after: &'static [u8],
}

#[cfg(target_arch = "x86_64")]
const MACHINE: Machine = Machine {
    number: 62,
    zero: &[0x31, 0xc0, 0xc3], // xor eax, eax; ret
    before: &[0x48, 0xb8],     // mov rax, …
    after: &[0xc3],            // ret
};

#[cfg(target_arch = "aarch64")]
const MACHINE: Machine = Machine {
    number: 183,
    zero: &[0x00, 0x00, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6], // mov w0, 0; ret
    before: &[0x40, 0x00, 0x00, 0x58, 0xc0, 0x03, 0x5f, 0xd6], // ldr x0, 8; ret
    after: &[],
};

/// Writes the file into a new folder; the caller removes it when the host has opened the file.
pub(crate) fn write(module: &str, definition: usize) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("hpy-{}-{number}", process::id()));
    make_private(&folder)?;
    let path = folder.join(format!("{module}.hpy0.so"));
    fs::write(&path, library(module, definition))?;
    Ok(path)
}

/// Makes a folder that is new and in which nobody else may write.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// The contents of the file.
fn library(module: &str, definition: usize) -> Vec<u8> {
    let mut code = Vec::new();
    let zero = append(&mut code, &[MACHINE.zero]);
    let address = definition.to_le_bytes();
    let get = append(&mut code, &[MACHINE.before, &address, MACHINE.after]);
    let symbols = [
        ("get_required_hpy_major_version_", zero),
        ("get_required_hpy_minor_version_", zero),
        ("HPyInitGlobalContext_", zero),
        ("HPyInit_", get),
    ];

    let mut names = vec![0];
    let mut table = vec![0; SYMBOL];
    let hash_at = HEADER + SEGMENTS * SEGMENT + (symbols.len() + 1) * SYMBOL;
    let hash_size = (2 + 1 + symbols.len() + 1) * size_of::<u32>();
    let names_at = hash_at + hash_size;
    let names_size = 1 + symbols.iter().map(|(s, _)| s.len() + module.len() + 1).sum::<usize>();
    let code_at = (names_at + names_size).next_multiple_of(16);
    for (prefix, offset) in symbols {
        const FUNCTION: u8 = 1 << 4 | 2; // global, a function
        const SECTION: u16 = 1; // any but 0, which means undefined
        push32(&mut table, names.len() as u32);
        table.extend([FUNCTION, 0]);
        table.extend(SECTION.to_le_bytes());
        push64(&mut table, code_at + offset);
        push64(&mut table, code.len() - offset);
        names.extend(prefix.bytes().chain(module.bytes()).chain([0]));
    }

    let dynamic = dynamic(hash_at, names_at, HEADER + SEGMENTS * SEGMENT, names_size);
    let mut file = header();
    segment(&mut file, 1, READ | EXECUTE, 0, code_at + code.len(), PAGE);
    segment(&mut file, 1, READ | WRITE, PAGE, dynamic.len(), PAGE);
    segment(&mut file, 2, READ | WRITE, PAGE, dynamic.len(), 8);
    segment(&mut file, 0x6474_e551, READ | WRITE, 0, 0, 16); // the stack, which runs no code
    file.extend(table);
    file.extend(hash(symbols.len() as u32));
    file.extend(names);
    file.resize(code_at, 0);
    file.extend(code);
    file.resize(PAGE, 0);
    file.extend(dynamic);
    file
}

/// Appends a function at an address that functions may have; its place.
fn append(code: &mut Vec<u8>, parts: &[&[u8]]) -> usize {
    code.resize(code.len().next_multiple_of(16), 0);
    let at = code.len();
    code.extend(parts.concat());
    at
}

/// A table of one bucket: the symbols are few.
fn hash(count: u32) -> Vec<u8> {
    let mut table = Vec::new();
    let chain = (1..=count).map(|symbol| if symbol == count { 0 } else { symbol + 1 });
    let words = [1, count + 1, 1, 0].into_iter().chain(chain);
    words.for_each(|word| push32(&mut table, word));
    table
}

/// What the loader reads.
fn dynamic(hash: usize, names: usize, table: usize, names_size: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    for (tag, value) in [(4, hash), (5, names), (6, table), (10, names_size), (11, SYMBOL), (0, 0)]
    {
        push64(&mut entries, tag);
        push64(&mut entries, value);
    }
    entries
}

fn header() -> Vec<u8> {
    let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend(3_u16.to_le_bytes()); // a shared library
    header.extend(MACHINE.number.to_le_bytes());
    push32(&mut header, 1);
    push64(&mut header, 0);
    push64(&mut header, HEADER);
    push64(&mut header, 0);
    push32(&mut header, 0);
    for half in [HEADER, SEGMENT, SEGMENTS, 64, 0, 0] {
        header.extend((half as u16).to_le_bytes());
    }
    header
}

fn segment(file: &mut Vec<u8>, kind: u32, flags: u32, at: usize, size: usize, align: usize) {
    push32(file, kind);
    push32(file, flags);
    for value in [at, at, at, size, size, align] {
        push64(file, value);
    }
}

fn push32(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend(value.to_le_bytes());
}

fn push64(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend((value as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpy_host::Extension;

    #[test]
    fn the_file_is_an_extension_of_that_name() -> Result<(), Box<dyn std::error::Error>> {
        let definition = Box::leak(Box::new(0_usize));
        let address = std::ptr::from_ref(definition) as usize;
        for module in ["foo", "a_longer_name_of_a_module"] {
            let path = write(module, address)?;
            // SAFETY: the file was just made here.
            let extension = unsafe { Extension::open(module, &path, "") }?;
            extension.check_tag()?;
            assert_eq!(extension.definition()?.as_ptr() as usize, address);
            fs::remove_dir_all(path.parent().expect("a file in a folder"))?;
        }
        Ok(())
    }
}
