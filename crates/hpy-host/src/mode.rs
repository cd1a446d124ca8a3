//! Modes: which context an extension gets.

use crate::Error;

/// Which context an extension gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The host's own context.
    Universal,
    /// A context that wraps the host's and checks every use of a handle.
    Debug,
    /// A context that wraps the host's and counts and times the calls.
    Trace,
    /// The extension talks to debug mode, and that to trace mode.
    DebugTrace,
    /// The extension talks to trace mode, and that to debug mode.
    TraceDebug,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] =
        [Self::Universal, Self::Debug, Self::Trace, Self::DebugTrace, Self::TraceDebug];
    /// Those that have a number, in its order.
    pub const NUMBERED: [Self; 3] = [Self::Universal, Self::Debug, Self::Trace];

    /// Its name in the environment variable `HPY`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Universal => "universal",
            Self::Debug => "debug",
            Self::Trace => "trace",
            Self::DebugTrace => "debug+trace",
            Self::TraceDebug => "trace+debug",
        }
    }

    /// Whether debug mode is part of it.
    pub const fn has_debug(self) -> bool {
        matches!(self, Self::Debug | Self::DebugTrace | Self::TraceDebug)
    }

    /// Whether trace mode is part of it.
    pub const fn has_trace(self) -> bool {
        matches!(self, Self::Trace | Self::DebugTrace | Self::TraceDebug)
    }

    /// Whether it is made of several. That needs thunks.
    pub const fn is_combined(self) -> bool {
        self.has_debug() && self.has_trace()
    }

    /// The value of `hpy.universal.MODE_…`, for those that are numbered.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The mode with this number.
    pub fn from_number(number: i32) -> Result<Self, Error> {
        Self::NUMBERED
            .into_iter()
            .find(|mode| mode.number() == number)
            .ok_or(Error::ModeNumber { number })
    }

    /// The mode that the value of the variable `HPY` asks for a module with this full name.
    ///
    /// The value is either one mode for every module, or pairs `module:mode` separated by commas; a
    /// module that is in no pair is loaded in universal mode. A pair names the module in full
    /// (`package.module`), or by its last part, as HPy 0.9 wanted it. Names of modes are compared
    /// without regard to case, and blanks around names and the `+` in them are ignored.
    pub fn from_environment(value: &str, module: &str) -> Result<Self, Error> {
        if !value.contains(':') {
            return Self::from_name(value, value);
        }
        let mut chosen = Self::Universal;
        for pair in value.split(',') {
            let (name, mode) = pair.split_once(':').ok_or_else(|| invalid(value, pair))?;
            // Each pair is checked, so that a mistyped one is an error whichever module comes
            // first.
            let mode = Self::from_name(value, mode)?;
            if [Some(module), module.rsplit('.').next()].contains(&Some(name.trim())) {
                chosen = mode;
            }
        }
        Ok(chosen)
    }

    fn from_name(value: &str, name: &str) -> Result<Self, Error> {
        let name = name.split('+').map(str::trim).collect::<Vec<_>>().join("+");
        let mode = Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(&name));
        mode.ok_or_else(|| invalid(value, &name))
    }
}

fn invalid(value: &str, part: &str) -> Error {
    Error::ModeName { value: value.to_owned(), part: part.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(value: &str) -> Result<Mode, String> {
        Mode::from_environment(value, "pkg.foo").map_err(|error| error.to_string())
    }

    #[test]
    fn one_mode_for_every_module() {
        assert_eq!(choose("debug"), Ok(Mode::Debug));
        assert_eq!(choose("TRACE"), Ok(Mode::Trace));
        assert_eq!(choose(" Universal "), Ok(Mode::Universal));
        assert_eq!(choose("debug+trace"), Ok(Mode::DebugTrace));
        assert_eq!(choose("Trace + Debug"), Ok(Mode::TraceDebug));
    }

    #[test]
    fn pairs_name_modules_exactly() {
        assert_eq!(choose("pkg.foo:debug"), Ok(Mode::Debug));
        assert_eq!(choose("a:debug, pkg.foo : Trace"), Ok(Mode::Trace));
        assert_eq!(choose("foo:debug,bar:trace"), Ok(Mode::Debug));
        assert_eq!(choose("a:debug,b:trace,foo:debug+trace"), Ok(Mode::DebugTrace));
        for other in ["pkg:debug", "pkg.foobar:debug", "pkg.fo:debug", "x.foo:debug", "oo:debug"] {
            assert_eq!(choose(other), Ok(Mode::Universal), "{other}");
        }
    }

    #[test]
    fn what_is_no_mode_is_an_error_that_lists_the_modes() {
        for value in [
            "",
            " ",
            "deb",
            "debugger",
            "1",
            "a:",
            "a:b",
            "pkg.foo:debug,",
            "a:debug,trace",
            "debug+",
            "debug+debug",
            "debug+universal",
            "debug,trace",
        ] {
            let message = choose(value).expect_err(value);
            assert!(
                message.contains("universal, debug, trace, debug+trace, trace+debug"),
                "{message}"
            );
            assert!(message.contains(&format!("HPY={value:?}")), "{message}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_contract() {
        assert_eq!(Mode::NUMBERED.map(Mode::number), [0, 1, 2]);
        assert_eq!(Mode::from_number(2).ok(), Some(Mode::Trace));
        assert!(Mode::from_number(3).is_err());
        assert!(Mode::from_number(-1).is_err());
    }
}
