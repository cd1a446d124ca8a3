//! `HPyGlobal`: variables of the C source whose values belong to a load.
//!
//! The variable holds a number ([`hpy_host::global_number`]); the load's table holds the value. The unsafe code is sound because tables are used only by threads that are attached to the
//! interpreter, one at a time, and no Python code runs meanwhile.

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
        let index = global_number(load.library, global);
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
