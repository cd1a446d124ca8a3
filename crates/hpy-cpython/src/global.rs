//! `HPyGlobal`: variables of the C source whose values belong to a load.
//!
//! The variable holds a number ([`hpy_host::global_number`]); the load's table holds the value. The unsafe code is sound because tables are used only by threads that are attached to the
//! interpreter, one at a time, and no Python code runs meanwhile.

use core::sync::atomic::{AtomicIsize, Ordering};
#[cfg(Py_GIL_DISABLED)]
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPy, HPyContext, HPyGlobal};
use hpy_host::global_number;
use pyo3_ffi as ffi;

use crate::handle::{hpy, py};
use crate::load::Load;

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
        let new = py(h);
        ffi::Py_XINCREF(new);
        // Number 0 is that of no variable: this one has not got one yet.
        let index = AtomicIsize::from_ptr(&raw mut (*global)._i).load(Ordering::Relaxed) as usize;
        let old = load.globals.with(|globals| match globals.get_mut(index) {
            Some(value) if index != 0 => Some(core::mem::replace(value, new)),
            _ => None,
        });
        match old {
            // Last, because it may run Python code that uses the table.
            Some(old) => ffi::Py_XDECREF(old),
            None => store_first(load, global, new),
        }
    }
}

/// Stores the first value of a variable in a load; the reference goes to the table.
///
/// # Safety
/// As for [`ctx_Global_Store`].
#[cold]
#[inline(never)]
unsafe fn store_first(load: &Load, global: *mut HPyGlobal, new: *mut ffi::PyObject) {
    // SAFETY: the caller's promise.
    let old = unsafe {
        let index = global_number(load.library, global);
        load.globals.with(|globals| {
            if index >= globals.len() {
                globals.resize(index + 1, core::ptr::null_mut());
            }
            core::mem::replace(&mut globals[index], new)
        })
    };
    // SAFETY: the table's reference. Another thread may have stored a value meanwhile.
    unsafe { ffi::Py_XDECREF(old) };
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
