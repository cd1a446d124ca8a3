//! `generated/version.h`: the workspace's version, for C.

use super::Output;
use super::ctypes::NOTICE;

pub fn print() -> Output {
    let version = env!("CARGO_PKG_VERSION");
    let text = format!(
        "// {NOTICE}\n\n\
         #ifndef HPY_GENERATED_VERSION_H\n#define HPY_GENERATED_VERSION_H\n\n\
         /** The release of these headers, for people. */\n\
         #define HPY_VERSION \"{version}\"\n\n\
         #endif /* HPY_GENERATED_VERSION_H */\n"
    );
    Output::new("include/hpy/generated/version.h", text)
}
