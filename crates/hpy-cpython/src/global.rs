//! `HPyGlobal`: variables of the C source whose values belong to a load.
//!
//! The variable holds a number, the same for every load of its library; the load's table holds the
//! value. The unsafe code is sound because tables are used only by threads that are attached to the
//! interpreter, one at a time, and no Python code runs meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPy, HPyContext, HPyGlobal, HPyModuleDef};
use hpy_host::null_terminated;
use pyo3_ffi as ffi;

use crate::handle::{hpy, py};
use crate::load::Load;

/// Gives a number to each global that a module names, unless a load before has done it.
///
/// # Safety
/// The definition belongs to `library` and its globals can be written.
pub(crate) unsafe fn register(library: usize, definition: &HPyModuleDef) {
    // SAFETY: the caller's promise.
    for global in unsafe { null_terminated(definition.globals) } {
        // SAFETY: as above.
        unsafe { number(library, global.as_ptr()) };
    }
}

/// The number of a global in the tables of its library's loads. Numbers begin with 1, because a
/// variable is 0 before it has one.
///
/// # Safety
/// The global is a variable of `library`.
unsafe fn number(library: usize, global: *mut HPyGlobal) -> usize {
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

/// The values of a library's globals in one load, by number.
#[derive(Default)]
pub(crate) struct Values {
    #[cfg(Py_GIL_DISABLED)]
    table: Mutex<Vec<*mut ffi::PyObject>>,
    /// The lock of the load's interpreter protects it.
    #[cfg(not(Py_GIL_DISABLED))]
    table: core::cell::UnsafeCell<Vec<*mut ffi::PyObject>>,
}

impl Values {
    /// Shows the table to `use_`, and to nobody else meanwhile.
    ///
    /// # Safety
    /// The load's interpreter is attached, and `use_` runs no Python code.
    #[inline(always)]
    unsafe fn with<R>(&self, use_: impl FnOnce(&mut Vec<*mut ffi::PyObject>) -> R) -> R {
        #[cfg(Py_GIL_DISABLED)]
        return use_(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: the caller's promise.
        #[cfg(not(Py_GIL_DISABLED))]
        return use_(unsafe { &mut *self.table.get() });
    }
}

/// `HPyGlobal_Store`: the variable gets its number here if its module does not name it.
pub(crate) unsafe extern "C" fn ctx_Global_Store(
    ctx: *mut HPyContext,
    global: *mut HPyGlobal,
    h: HPy,
) {
    // SAFETY: the extension calls with its own context, a variable of its own and an open handle.
    unsafe {
        let load = Load::of(ctx);
        let index = number(load.library, global);
        let new = py(h);
        ffi::Py_XINCREF(new);
        let old = load.globals.with(|globals| {
            if index >= globals.len() {
                grow(globals, index);
            }
            core::mem::replace(&mut globals[index], new)
        });
        // Last, because it may run Python code that uses the table.
        ffi::Py_XDECREF(old);
    }
}

/// Makes room for the variable with a number that the table does not have yet.
#[cold]
fn grow(globals: &mut Vec<*mut ffi::PyObject>, index: usize) {
    globals.resize(index + 1, core::ptr::null_mut());
}

/// `HPyGlobal_Load`: a number that the load's table does not have is a variable with no value. The
/// place with the number 0 stays empty.
pub(crate) unsafe extern "C" fn ctx_Global_Load(ctx: *mut HPyContext, global: HPyGlobal) -> HPy {
    // SAFETY: the extension calls with its own context; a value in the table is alive.
    unsafe {
        let value = Load::of(ctx).globals.with(|globals| {
            let value = globals.get(global._i as usize).copied().unwrap_or(core::ptr::null_mut());
            ffi::Py_XINCREF(value);
            value
        });
        hpy(value)
    }
}
