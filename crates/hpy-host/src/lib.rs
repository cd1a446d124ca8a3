//! What every host of universal libraries shares: opening a library, checking what it asks for,
//! finding and walking its definitions, and the thunks through which Python calls its functions.
//!
//! Nothing here knows an interpreter. The unsafe code is in [`thunk`], whose documentation says what
//! makes it sound.

pub mod thunk;
