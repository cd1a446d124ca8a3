//! Compiling source text.

use core::ffi::{c_char, c_int};

use hpy_abi::{
    HPy, HPy_SourceKind, HPy_SourceKind_Expr, HPy_SourceKind_File, HPy_SourceKind_Single,
    HPyContext,
};

use crate::error::raise;
use crate::handle::hpy;
use crate::layout::ffi;

/// `HPy_Compile_s`
pub(crate) unsafe extern "C" fn ctx_Compile_s(
    _ctx: *mut HPyContext,
    utf8_source: *const c_char,
    utf8_filename: *const c_char,
    kind: HPy_SourceKind,
) -> HPy {
    // SAFETY: the interpreter is attached and both texts are C strings.
    unsafe {
        let Some(start) = start_of(kind) else {
            let message = "HPy_Compile_s: the kind of source must be HPy_SourceKind_Expr, \
                           HPy_SourceKind_File or HPy_SourceKind_Single";
            raise(ffi::PyExc_SystemError, message);
            return HPy::NULL;
        };
        hpy(ffi::Py_CompileString(utf8_source, utf8_filename, start))
    }
}

/// The grammar's start symbol for a kind of source.
fn start_of(kind: HPy_SourceKind) -> Option<c_int> {
    match kind {
        HPy_SourceKind_Expr => Some(ffi::Py_eval_input),
        HPy_SourceKind_File => Some(ffi::Py_file_input),
        HPy_SourceKind_Single => Some(ffi::Py_single_input),
        _ => None,
    }
}
