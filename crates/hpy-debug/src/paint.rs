//! Colour in what is said, where a terminal shows it.

use std::borrow::Cow;
use std::env;
use std::io::{IsTerminal, stderr};

/// The parts of a message that are told apart by colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// What was found.
    Title,
    /// Where it was found.
    Place,
    /// A line of source code.
    Source,
    /// How to mend it.
    Advice,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Title => "1;31",
            Self::Place => "1",
            Self::Source => "36",
            Self::Advice => "32",
        }
    }
}

/// Whether texts are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// No colour.
    pub const PLAIN: Self = Self { on: false };

    /// Colour if standard error is a terminal. `NO_COLOR` and `FORCE_COLOR`, where they are set, decide instead, the first before
    /// the second, as in Python's own messages.
    pub fn of_stderr() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = || env::var_os("TERM").is_some_and(|term| term == "dumb");
        let on = !set("NO_COLOR") && (set("FORCE_COLOR") || !dumb() && stderr().is_terminal());
        Self { on }
    }

    /// The text in the colour of the style.
    pub fn paint(self, style: Style, text: &str) -> Cow<'_, str> {
        match self.on {
            true => format!("\x1b[{}m{text}\x1b[0m", style.code()).into(),
            false => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_put_around_the_text() {
        assert_eq!(Paint::PLAIN.paint(Style::Title, "x"), "x");
        assert_eq!(Paint { on: true }.paint(Style::Title, "x"), "\x1b[1;31mx\x1b[0m");
    }
}
