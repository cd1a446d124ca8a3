//! What a user may want to be done about a finding.

/// What is done about a finding if no hook is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The process ends with the message.
    Abort,
    /// The message is printed, and the extension goes on.
    Warn,
    /// The function of the API fails with a SystemError.
    Raise,
}

impl Action {
    /// For the message about a name that [`parse`](Self::parse) does not know.
    pub const NAMES: &str = "Use abort, warn or raise.";

    /// The action of this name, as `HPY_DEBUG_ACTION` and `hpy.debug` have it.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "abort" => Some(Self::Abort),
            "warn" => Some(Self::Warn),
            "raise" => Some(Self::Raise),
            _ => None,
        }
    }
}
