//! `HPyGlobal`: variables of the C source whose values belong to a load.
//!
//! The variable holds a number, the same for every load of its library; the load's table holds the
//! value. The unsafe code is sound because tables are used only by threads that are attached to the
//! interpreter, and a reference into a table is never kept while Python code may run.

use std::collections::BTreeMap;
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
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the caller's promise; written only under the lock.
    let global = unsafe { &mut *global };
    if global.is_null() {
        let count = counts.entry(library).or_default();
        *count += 1;
        global._i = *count;
    }
    global._i as usize
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
        let globals = &mut *load.globals.get();
        let place = match globals.get_mut((*global)._i as usize) {
            Some(place) if !(*global).is_null() => place,
            _ => new_place(load, global),
        };
        let new = py(h);
        ffi::Py_XINCREF(new);
        let old = core::mem::replace(place, new);
        // Last, because it may run Python code that uses the table.
        ffi::Py_XDECREF(old);
    }
}

/// The place of a variable that has no number yet, or none in the table of this load.
///
/// # Safety
/// The variable is one of the load's library, and nobody else has a reference into the table.
#[cold]
unsafe fn new_place<'a>(load: &Load, global: *mut HPyGlobal) -> &'a mut *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let index = number(load.library, global);
        let globals = &mut *load.globals.get();
        if index >= globals.len() {
            globals.resize(index + 1, core::ptr::null_mut());
        }
        &mut globals[index]
    }
}

/// `HPyGlobal_Load`: a number that the load's table does not have is a variable with no value. The
/// place with the number 0 stays empty.
pub(crate) unsafe extern "C" fn ctx_Global_Load(ctx: *mut HPyContext, global: HPyGlobal) -> HPy {
    // SAFETY: the extension calls with its own context; a value in the table is alive.
    unsafe {
        let globals = &*Load::of(ctx).globals.get();
        let Some(&value) = globals.get(global._i as usize) else {
            return HPy::NULL;
        };
        ffi::Py_XINCREF(value);
        hpy(value)
    }
}
