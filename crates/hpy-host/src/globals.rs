//! The numbers of `HPyGlobal` variables.
//!
//! A variable of the C source holds a number, the same for every load of its library; what the number stands for is in a table of
//! the load, which is the host's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPyGlobal, HPyModuleDef};

use crate::null_terminated;

/// Gives a number to each global that a module names, unless a load before has done it.
///
/// # Safety
/// The definition belongs to `library` and its globals can be written.
pub unsafe fn number_globals(library: usize, definition: &HPyModuleDef) {
    // SAFETY: the caller's promise.
    for global in unsafe { null_terminated(definition.globals) } {
        // SAFETY: as above.
        unsafe { global_number(library, global.as_ptr()) };
    }
}

/// The number of a global in the tables of its library's loads. Numbers begin with 1, because a
/// variable is 0 before it has one.
///
/// # Safety
/// The global is a variable of `library`.
pub unsafe fn global_number(library: usize, global: *mut HPyGlobal) -> usize {
    static COUNTS: Mutex<BTreeMap<usize, isize>> = Mutex::new(BTreeMap::new());
    // SAFETY: the caller's promise; the variable is an integer, written only here.
    let variable = unsafe { AtomicIsize::from_ptr(&raw mut (*global)._i) };
    let known = variable.load(Ordering::Acquire);
    if known != 0 {
        return known as usize;
    }
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut index = variable.load(Ordering::Relaxed);
    if index == 0 {
        let count = counts.entry(library).or_default();
        *count += 1;
        index = *count;
        variable.store(index, Ordering::Release);
    }
    index as usize
}
