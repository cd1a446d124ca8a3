//! Faults on systems where memory is overwritten instead of protected: there are none.

use crate::api::Function;

/// What is known of a copy: nothing.
pub(crate) struct Record;

impl Record {
    pub fn new(
        _start: usize,
        _bytes: &[u8],
        _slot: u32,
        _function: &'static Function,
    ) -> &'static Self {
        &Self
    }

    pub fn close(&self) {}

    pub fn release(&'static self) {}
}

/// Lets faults in memory that extensions got be explained: here such memory has no faults.
pub fn report_faults() {}
