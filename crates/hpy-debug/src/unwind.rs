//! Walking the stack.
//!
//! By the tables of the unwinder, which hold for every function, whatever it was compiled with. Frame pointers would be read faster, but
//! extensions are compiled without; there the register has any value, and following it is not safe. What makes it cheap is to stop where
//! the extension's frames end: at the entry through which Python called it.

#[cfg(target_os = "linux")]
use core::ffi::{c_int, c_void};
use core::ops::Range;
#[cfg(target_os = "linux")]
use core::slice;
use std::sync::OnceLock;

#[cfg(not(unix))]
use crate::trace::resolve;

/// Frames of our own that lie above the extension's, at most.
const OWN: usize = 16;

/// Up to `limit` return addresses in frames that lie below `end` on the stack, the innermost first. Where the system tells which are
/// this library's, those are left out with which it begins, and it ends where they come again.
pub(crate) fn walk(limit: usize, end: usize) -> Vec<usize> {
    static OWN_CODE: OnceLock<Range<usize>> = OnceLock::new();
    let own = OWN_CODE.get_or_init(own_code);
    let mut frames = Vec::with_capacity(limit.min(64));
    let mut left = limit.saturating_add(OWN);
    backtrace::trace(|frame| {
        let address = frame.ip() as usize;
        left -= 1;
        if frame.sp() as usize > end {
            return false;
        }
        if own.contains(&address) {
            return frames.is_empty() && left > 0;
        }
        frames.push(address);
        frames.len() < limit && left > 0
    });
    frames
}

/// Up to `limit` return addresses in frames that lie below `end` on the stack, the innermost first, whosever they are.
pub(crate) fn all(limit: usize, end: usize) -> Vec<usize> {
    let mut frames = Vec::with_capacity(limit);
    backtrace::trace(|frame| {
        frames.push(frame.ip() as usize);
        frames.len() < limit && (frame.sp() as usize) <= end
    });
    frames
}

/// The address to which the function returns that the call at `ip` returns to; `None` if that is unknown.
#[cold]
pub(crate) fn caller(ip: usize) -> Option<usize> {
    let (mut is_next, mut found) = (false, None);
    backtrace::trace(|frame| {
        let address = frame.ip() as usize;
        if is_next {
            found = Some(address);
            return false;
        }
        is_next = address == ip;
        true
    });
    found
}

/// Where the code of this library is; empty if the system does not tell.
#[cfg(target_os = "linux")]
fn own_code() -> Range<usize> {
    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _size: usize,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: the system passes what it knows of a library, and what it was called with.
        let (info, found) = unsafe { (&*info, &mut *found.cast::<Range<usize>>()) };
        // SAFETY: there are as many headers.
        let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let mut code =
            headers.iter().filter(|header| header.p_flags & libc::PF_X != 0).map(|header| {
                let start = (info.dlpi_addr + header.p_vaddr) as usize;
                start..start + header.p_memsz as usize
            });
        match code.find(|code| code.contains(&(own_code as *const () as usize))) {
            Some(code) => {
                *found = code;
                1
            }
            None => 0,
        }
    }
    let mut found = 0..0;
    // SAFETY: the function takes a pointer to a range.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
}

/// Where the code of this library is; empty if the system does not tell.
#[cfg(not(target_os = "linux"))]
fn own_code() -> Range<usize> {
    0..0
}

/// Which library an address lies in, as the address of its beginning.
#[cfg(unix)]
pub(crate) fn library(address: usize) -> Option<usize> {
    info(address).map(|info| info.dli_fbase as usize)
}

#[cfg(unix)]
pub(crate) fn info(address: usize) -> Option<libc::Dl_info> {
    let mut info = core::mem::MaybeUninit::zeroed();
    // SAFETY: any address may be asked for; the answer is written to a place of our own.
    unsafe {
        let known = libc::dladdr(address as *const _, info.as_mut_ptr()) != 0;
        known.then(|| info.assume_init())
    }
}

/// Which library an address lies in: here only whether it is this one.
#[cfg(not(unix))]
pub(crate) fn library(address: usize) -> Option<usize> {
    let ours = |name: &String| name.contains("hpy_debug") || name.contains("hpy_universal");
    let own = resolve(address).first().and_then(|frame| frame.function.as_ref().map(ours));
    Some(usize::from(own.unwrap_or(false)))
}
