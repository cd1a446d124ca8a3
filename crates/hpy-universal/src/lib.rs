//! hpy-universal
