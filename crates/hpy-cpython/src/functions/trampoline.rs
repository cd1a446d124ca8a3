//! The way of a call where there are no thunks: Python calls the trampoline that was compiled into
//! the extension, the trampoline packs its arguments into a structure and asks the host to call the
//! author's function.
//!
//! The structures are part of the ABI: the arguments in their order, then the result. Handles in
//! them are object pointers, and so are handles.

use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;

use hpy_abi::*;
use pyo3_ffi as ffi;

use super::capsule;
use crate::handle::py;
use crate::types;

/// `_HPy_CallRealFunctionFromTrampoline`
pub(crate) unsafe extern "C" fn ctx_CallRealFunctionFromTrampoline(
    ctx: *mut HPyContext,
    sig: HPyFunc_Signature,
    func: HPyCFunction,
    args: *mut c_void,
) {
    // SAFETY: the trampoline passes the author's function of this signature, and its structure.
    unsafe {
        match func {
            Some(function) => call(ctx, sig, function, args),
            None => ffi::Py_FatalError(c"a trampoline has no function to call".as_ptr()),
        }
    }
}

/// Calls `function` with the context and the arguments in the structure `args`, and puts the result
/// behind them.
macro_rules! forward {
    ($ctx:ident, $function:ident, $args:ident, ($($name:ident: $type:ty),+)) => {{
        #[repr(C)]
        struct Args {
            $($name: $type,)+
        }
        type Function = unsafe extern "C" fn(*mut HPyContext, $($type),+);
        let args = $args.cast::<Args>();
        transmute::<unsafe extern "C" fn(), Function>($function)($ctx, $((*args).$name),+);
    }};
    ($ctx:ident, $function:ident, $args:ident, ($($name:ident: $type:ty),+) -> $result:ty) => {{
        #[repr(C)]
        struct Args {
            $($name: $type,)+
            result: $result,
        }
        type Function = unsafe extern "C" fn(*mut HPyContext, $($type),+) -> $result;
        let args = $args.cast::<Args>();
        let function = transmute::<unsafe extern "C" fn(), Function>($function);
        (*args).result = function($ctx, $((*args).$name),+);
    }};
}

/// # Safety
/// `function` has the signature `sig`, and `args` is the structure of it.
unsafe fn call(
    ctx: *mut HPyContext,
    sig: HPyFunc_Signature,
    function: unsafe extern "C" fn(),
    args: *mut c_void,
) {
    // SAFETY: the caller's promise; each line says what a signature is in C.
    unsafe {
        match sig {
            HPyFunc_VARARGS => {
                forward!(ctx, function, args, (a: HPy, items: *const HPy, n: usize) -> HPy);
            }
            HPyFunc_KEYWORDS => keywords(ctx, function, args.cast()),
            HPyFunc_INITPROC => tuple_dict::<c_int>(ctx, function, args.cast()),
            HPyFunc_NEWFUNC => tuple_dict::<HPy>(ctx, function, args.cast()),
            HPyFunc_TRAVERSEPROC => traverse(function, args.cast()),
            HPyFunc_CAPSULE_DESTRUCTOR => {
                // Its trampoline has no structure; it passes the capsule.
                capsule::destroy(transmute::<unsafe extern "C" fn(), _>(function), args.cast());
            }
            HPyFunc_NOARGS | HPyFunc_UNARYFUNC | HPyFunc_REPRFUNC | HPyFunc_GETITERFUNC
            | HPyFunc_ITERNEXTFUNC | HPyFunc_MOD_CREATE => {
                forward!(ctx, function, args, (a: HPy) -> HPy);
            }
            HPyFunc_O | HPyFunc_BINARYFUNC | HPyFunc_GETATTROFUNC => {
                forward!(ctx, function, args, (a: HPy, b: HPy) -> HPy);
            }
            HPyFunc_TERNARYFUNC | HPyFunc_DESCRGETFUNC => {
                forward!(ctx, function, args, (a: HPy, b: HPy, c: HPy) -> HPy);
            }
            HPyFunc_RICHCMPFUNC => {
                forward!(ctx, function, args, (a: HPy, b: HPy, op: HPy_RichCmpOp) -> HPy);
            }
            HPyFunc_SSIZEARGFUNC => {
                forward!(ctx, function, args, (a: HPy, i: isize) -> HPy);
            }
            HPyFunc_SSIZESSIZEARGFUNC => {
                forward!(ctx, function, args, (a: HPy, i: isize, j: isize) -> HPy);
            }
            HPyFunc_GETATTRFUNC => {
                forward!(ctx, function, args, (a: HPy, name: *mut c_char) -> HPy);
            }
            HPyFunc_GETTER => {
                forward!(ctx, function, args, (a: HPy, closure: *mut c_void) -> HPy);
            }
            HPyFunc_INQUIRY => forward!(ctx, function, args, (a: HPy) -> c_int),
            HPyFunc_OBJOBJPROC => forward!(ctx, function, args, (a: HPy, b: HPy) -> c_int),
            HPyFunc_OBJOBJARGPROC | HPyFunc_SETATTROFUNC | HPyFunc_DESCRSETFUNC => {
                forward!(ctx, function, args, (a: HPy, b: HPy, c: HPy) -> c_int);
            }
            HPyFunc_SSIZEOBJARGPROC => {
                forward!(ctx, function, args, (a: HPy, i: isize, b: HPy) -> c_int);
            }
            HPyFunc_SSIZESSIZEOBJARGPROC => {
                forward!(ctx, function, args, (a: HPy, i: isize, j: isize, b: HPy) -> c_int);
            }
            HPyFunc_SETATTRFUNC => {
                forward!(ctx, function, args, (a: HPy, name: *mut c_char, b: HPy) -> c_int);
            }
            HPyFunc_SETTER => {
                forward!(ctx, function, args, (a: HPy, b: HPy, closure: *mut c_void) -> c_int);
            }
            HPyFunc_GETBUFFERPROC => {
                type View = *mut HPy_buffer;
                forward!(ctx, function, args, (a: HPy, view: View, flags: c_int) -> c_int);
            }
            HPyFunc_LENFUNC | HPyFunc_HASHFUNC => forward!(ctx, function, args, (a: HPy) -> isize),
            HPyFunc_RELEASEBUFFERPROC => {
                forward!(ctx, function, args, (a: HPy, view: *mut HPy_buffer));
            }
            HPyFunc_FREEFUNC => forward!(ctx, function, args, (memory: *mut c_void)),
            HPyFunc_DESTRUCTOR => forward!(ctx, function, args, (a: HPy)),
            // HPyFunc_DESTROYFUNC and HPyFunc_VECTORCALLFUNC have no trampoline.
            _ => ffi::Py_FatalError(c"a trampoline asks for an unknown HPyFunc_Signature".as_ptr()),
        }
    }
}

/// The structure of `HPyFunc_KEYWORDS`.
#[repr(C)]
struct Keywords {
    object: HPy,
    args: *const HPy,
    nargsf: usize,
    kwnames: HPy,
    result: HPy,
}

/// Takes the vectorcall flag off the number of arguments.
///
/// # Safety
/// As for [`call`].
unsafe fn keywords(ctx: *mut HPyContext, function: unsafe extern "C" fn(), args: *mut Keywords) {
    type Function = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, usize, HPy) -> HPy;
    // SAFETY: the caller's promise.
    unsafe {
        let function = transmute::<unsafe extern "C" fn(), Function>(function);
        let Keywords { object, args: items, nargsf, kwnames, .. } = *args;
        let nargs = nargsf & !ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
        (*args).result = function(ctx, object, items, nargs, kwnames);
    }
}

/// The structure of `HPyFunc_INITPROC` and `HPyFunc_NEWFUNC`: a tuple, and a dict or null.
#[repr(C)]
struct TupleDict<T> {
    object: HPy,
    args: HPy,
    kw: HPy,
    result: T,
}

/// Hands over the items of the tuple.
///
/// # Safety
/// As for [`call`]; `T` is what `function` returns.
unsafe fn tuple_dict<T>(
    ctx: *mut HPyContext,
    function: unsafe extern "C" fn(),
    args: *mut TupleDict<T>,
) {
    type Function<T> = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, isize, HPy) -> T;
    // SAFETY: the caller's promise; an array of object pointers is one of handles.
    unsafe {
        let function = transmute::<unsafe extern "C" fn(), Function<T>>(function);
        let tuple = py((*args).args);
        let items = (&raw const (*tuple.cast::<ffi::PyTupleObject>()).ob_item).cast();
        let nargs = ffi::PyTuple_GET_SIZE(tuple);
        let result = function(ctx, (*args).object, items, nargs, (*args).kw);
        (&raw mut (*args).result).write(result);
    }
}

/// The structure of `HPyFunc_TRAVERSEPROC`.
#[repr(C)]
struct Traverse {
    object: HPy,
    visit: ffi::visitproc,
    arg: *mut c_void,
    result: c_int,
}

/// Hands over the object's struct, and a visitor of fields in place of one of objects.
///
/// # Safety
/// As for [`call`].
unsafe fn traverse(function: unsafe extern "C" fn(), args: *mut Traverse) {
    // SAFETY: the caller's promise.
    unsafe {
        let author = transmute::<unsafe extern "C" fn(), HPyFunc_traverseproc>(function);
        (*args).result =
            types::traverse_struct(py((*args).object), author, (*args).visit, (*args).arg);
    }
}
