//! Which interpreter this is.

use std::borrow::Cow;
use std::ffi::CStr;
use std::sync::OnceLock;

use crate::layout::{self, ffi};

/// The tag of the running interpreter in the names of hybrid extensions: `cp311`; with a `t` at the
/// end, if it is free-threaded.
pub fn interpreter_tag() -> String {
    tag(&version(), cfg!(Py_GIL_DISABLED))
}

/// The second number of the running Python's version.
pub fn running_minor() -> u32 {
    static MINOR: OnceLock<u32> = OnceLock::new();
    *MINOR.get_or_init(|| numbers(&version()).1.parse().unwrap_or_default())
}

fn version() -> Cow<'static, str> {
    // SAFETY: a text that lives as long as the interpreter, and may be asked for at any time.
    unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy()
}

/// The number of the interpreter that the thread is attached to; the main one's is 0. No other gets
/// it, also when this one has ended.
///
/// # Safety
/// The interpreter is attached.
pub unsafe fn interpreter_id() -> i64 {
    // SAFETY: the caller's promise.
    unsafe { layout::interpreter_id() }
}

/// The first two numbers of a version: "3.11.7 (main, …".
fn numbers(version: &str) -> (&str, &str) {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().unwrap_or_default();
    (next(), next())
}

fn tag(version: &str, free_threaded: bool) -> String {
    let (major, minor) = numbers(version);
    format!("cp{major}{minor}{}", if free_threaded { "t" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn a_tag_is_made_from_the_version() {
        assert_eq!(tag("3.11.7 (main, Dec  4 2023, 18:10:11) [GCC 12.2.0]", false), "cp311");
        assert_eq!(tag("3.9.0+", false), "cp39");
        assert_eq!(tag("3.13.0rc1 experimental free-threading build", true), "cp313t");
        assert_eq!(tag("3.15.0a1", false), "cp315");
    }
}
