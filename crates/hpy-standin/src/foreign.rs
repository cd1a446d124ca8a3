//! A host of which nothing is known but its context.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPy, HPyFunc_visitproc};
use hpy_host::{Host, Level};

/// What cannot be asked is off: the checks of structs and fields, of the thread's attachment, and of the interpreter.
pub(crate) struct Foreign;

/// Each thread that calls is attached.
unsafe extern "C" fn attachment() -> usize {
    1
}

impl Host for Foreign {
    fn attachment(&self) -> unsafe extern "C" fn() -> usize {
        attachment
    }

    fn is_attached(&self) -> bool {
        true
    }

    unsafe fn interpreter(&self) -> usize {
        1
    }

    fn knows_types(&self) -> bool {
        false
    }

    unsafe fn lasting(&self, object: HPy) -> HPy {
        object
    }

    unsafe fn levels(&self, _object: HPy, _show: &mut dyn FnMut(&Level)) {}

    unsafe fn identity(&self, _class: HPy) -> Option<usize> {
        None
    }

    unsafe fn data(&self, _object: HPy) -> *mut c_void {
        ptr::null_mut()
    }

    unsafe fn traverse(&self, _object: HPy, _visit: HPyFunc_visitproc, _arg: *mut c_void) -> c_int {
        0
    }

    fn empties(&self, _visit: HPyFunc_visitproc) -> bool {
        false
    }
}
