//! Which interpreter this is.

use std::ffi::CStr;

use pyo3_ffi as ffi;

/// The tag of the running interpreter in the names of hybrid extensions: `cp311`; with a `t` at the
/// end, if it is free-threaded.
pub fn interpreter_tag() -> String {
    // SAFETY: a text that lives as long as the interpreter, and may be asked for at any time.
    let version = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    tag(&version, cfg!(Py_GIL_DISABLED))
}

/// The number of the interpreter that the thread is attached to; the main one's is 0. No other gets
/// it, also when this one has ended.
///
/// # Safety
/// The interpreter is attached.
pub unsafe fn interpreter_id() -> i64 {
    // SAFETY: the caller's promise.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) }
}

/// `version` begins with numbers: "3.11.7 (main, …".
fn tag(version: &str, free_threaded: bool) -> String {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut next = || numbers.next().unwrap_or_default();
    let (major, minor) = (next(), next());
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
