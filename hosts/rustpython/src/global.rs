//! `HPyGlobal`: variables of the C source whose values belong to a load.
//!
//! The variable holds a number ([`hpy_host::global_number`]); the load's table holds the value.

use hpy_abi::{HPy, HPyContext, HPyGlobal};
use hpy_host::global_number;
use parking_lot::Mutex;
use rustpython_vm::PyObjectRef;

use crate::handles::{self, nullable};
use crate::load::Load;
use crate::lock;

/// The values of a library's globals in one load, by number.
#[derive(Default)]
pub(crate) struct Values(Mutex<Vec<Option<PyObjectRef>>>);

impl Values {
    fn store(&self, index: usize, value: Option<PyObjectRef>) -> Option<PyObjectRef> {
        let mut values = self.0.lock();
        if index >= values.len() {
            values.resize(index + 1, None);
        }
        core::mem::replace(&mut values[index], value)
    }

    fn load(&self, index: usize) -> Option<PyObjectRef> {
        self.0.lock().get(index).cloned().flatten()
    }
}

/// `HPyGlobal_Store`: the variable gets its number here if its module does not name it.
pub(crate) unsafe extern "C" fn ctx_Global_Store(
    ctx: *mut HPyContext,
    global: *mut HPyGlobal,
    h: HPy,
) {
    // SAFETY: the extension calls with its own context, a variable of its own and an open handle or null.
    let before = unsafe {
        let load = Load::of(ctx);
        let value = nullable(h).map(ToOwned::to_owned);
        load.globals.store(global_number(load.library, global), value)
    };
    // Last, because it may run Python code that uses the table.
    if before.is_some() {
        lock::outside(|_| drop(before));
    }
}

/// `HPyGlobal_Load`: a number that the load's table does not have is a variable with no value.
pub(crate) unsafe extern "C" fn ctx_Global_Load(ctx: *mut HPyContext, global: HPyGlobal) -> HPy {
    // SAFETY: the extension calls with its own context.
    handles::new_or_null(unsafe { Load::of(ctx) }.globals.load(global._i as usize))
}
