//! hpy-host
