//! Copies of the host's context.

use core::mem::{offset_of, transmute};

use hpy_abi::HPyContext;

const WORD: usize = size_of::<usize>();
/// So many words are in the context of every host.
const COMMON: usize = offset_of!(HPyContext, h_DictType) / WORD;
const WORDS: usize = size_of::<HPyContext>() / WORD;

/// A copy of what every host has. In the place of a newer function is one that ends the process: no extension asks for it, because that
/// would want a higher minor version.
///
/// # Safety
/// A host's context.
pub(crate) unsafe fn copy(host: *const HPyContext) -> HPyContext {
    let mut words = [missing as unsafe extern "C" fn() -> ! as usize; WORDS];
    // SAFETY: each host has so many.
    unsafe { words.as_mut_ptr().copy_from_nonoverlapping(host.cast(), COMMON) };
    words[COMMON] = 0; // the handle of `dict`
    // SAFETY: each word that is a function has a function's address.
    unsafe { transmute::<[usize; WORDS], HPyContext>(words) }
}

/// In the place of what the host does not have.
unsafe extern "C" fn missing() -> ! {
    eprintln!("HPy: an extension calls a function that this interpreter does not have");
    std::process::abort()
}
