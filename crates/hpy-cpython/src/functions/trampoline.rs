//! The way of a call where there are no thunks: Python calls the trampoline that was compiled into
//! the extension, the trampoline packs its arguments into a structure and asks the host to call the
//! author's function.
//!
//! The structures are part of the ABI: the arguments in their order, then the result. Handles in
//! them are object pointers, and so are handles.

use core::ffi::{c_char, c_int, c_void};
use core::mem::transmute;

use super::capsule;
use crate::handle::py;
use crate::layout::{self, ffi};
use crate::types;
use hpy_abi::*;

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
                capsule::destroy(
                    transmute::<unsafe extern "C" fn(), HPyFunc_Capsule_Destructor>(function),
                    args.cast(),
                );
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
            HPyFunc_DESTRUCTOR => {
                let author = transmute::<unsafe extern "C" fn(), types::Finalizer>(function);
                types::call_finalizer(ctx, author, py(*args.cast::<HPy>()));
            }
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
    // SAFETY: the caller's promise; the arguments are a tuple.
    unsafe {
        let function = transmute::<unsafe extern "C" fn(), Function<T>>(function);
        let result = layout::with_items(py((*args).args), |items, nargs| {
            function(ctx, (*args).object, items, nargs, (*args).kw)
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::zeroed;

    type Words = [isize; 5];

    /// Calls `function` with a structure that begins with `words`, and gives what it is then.
    fn called<F: Copy>(sig: HPyFunc_Signature, function: F, words: &[isize]) -> Words {
        const { assert!(size_of::<F>() == size_of::<HPyCFunction>()) };
        let mut structure = Words::default();
        structure[..words.len()].copy_from_slice(words);
        // SAFETY: each test passes a function of the signature and the arguments in their places.
        unsafe {
            let function = core::mem::transmute_copy::<F, HPyCFunction>(&function);
            let args = (&raw mut structure).cast();
            ctx_CallRealFunctionFromTrampoline(CONTEXT, sig, function, args);
        }
        structure
    }

    const CONTEXT: *mut HPyContext = 0x1000 as *mut HPyContext;

    /// Functions of a signature whose result shows each argument: the digits of a number.
    macro_rules! digits {
        ($($sig:ident: ($($arg:ident: $type:ty),+) -> $result:ty;)*) => {$({
            extern "C" fn function(ctx: *mut HPyContext, $($arg: $type),+) -> $result {
                assert_eq!(ctx, CONTEXT);
                let mut number = 0;
                $(number = 10 * number + $arg.word();)+
                <$result>::from_word(number)
            }
            let count = [$(stringify!($arg)),+].len();
            let pointer: extern "C" fn(*mut HPyContext, $($type),+) -> $result = function;
            let words = called($sig, pointer, &[1, 2, 3, 4][..count]);
            assert_eq!(words[count], [1, 12, 123, 1234][count - 1], stringify!($sig));
        })*};
    }

    trait Word {
        fn word(self) -> isize;
        fn from_word(word: isize) -> Self;
    }

    macro_rules! word {
        ($($type:ty: $value:ident => $word:expr, $from:expr;)*) => {$(
            impl Word for $type {
                fn word(self) -> isize {
                    let $value = self;
                    $word
                }
                fn from_word($value: isize) -> Self {
                    $from
                }
            }
        )*};
    }

    word! {
        HPy: value => value._i, HPy { _i: value };
        isize: value => value, value;
        usize: value => value as isize, value as usize;
        c_int: value => value as isize, value as c_int;
        HPy_RichCmpOp: value => value.0 as isize, HPy_RichCmpOp(value as u32);
        *mut c_void: value => value as isize, value as *mut c_void;
        *mut c_char: value => value as isize, value as *mut c_char;
        *const HPy: value => value as isize, value as *const HPy;
    }

    #[test]
    fn every_argument_finds_its_place() {
        digits! {
            HPyFunc_VARARGS: (a: HPy, b: *const HPy, c: usize) -> HPy;
            HPyFunc_NOARGS: (a: HPy) -> HPy;
            HPyFunc_O: (a: HPy, b: HPy) -> HPy;
            HPyFunc_UNARYFUNC: (a: HPy) -> HPy;
            HPyFunc_BINARYFUNC: (a: HPy, b: HPy) -> HPy;
            HPyFunc_TERNARYFUNC: (a: HPy, b: HPy, c: HPy) -> HPy;
            HPyFunc_INQUIRY: (a: HPy) -> c_int;
            HPyFunc_LENFUNC: (a: HPy) -> isize;
            HPyFunc_SSIZEARGFUNC: (a: HPy, b: isize) -> HPy;
            HPyFunc_SSIZESSIZEARGFUNC: (a: HPy, b: isize, c: isize) -> HPy;
            HPyFunc_SSIZEOBJARGPROC: (a: HPy, b: isize, c: HPy) -> c_int;
            HPyFunc_SSIZESSIZEOBJARGPROC: (a: HPy, b: isize, c: isize, d: HPy) -> c_int;
            HPyFunc_OBJOBJARGPROC: (a: HPy, b: HPy, c: HPy) -> c_int;
            HPyFunc_GETATTRFUNC: (a: HPy, b: *mut c_char) -> HPy;
            HPyFunc_GETATTROFUNC: (a: HPy, b: HPy) -> HPy;
            HPyFunc_SETATTRFUNC: (a: HPy, b: *mut c_char, c: HPy) -> c_int;
            HPyFunc_SETATTROFUNC: (a: HPy, b: HPy, c: HPy) -> c_int;
            HPyFunc_REPRFUNC: (a: HPy) -> HPy;
            HPyFunc_HASHFUNC: (a: HPy) -> isize;
            HPyFunc_RICHCMPFUNC: (a: HPy, b: HPy, c: HPy_RichCmpOp) -> HPy;
            HPyFunc_GETITERFUNC: (a: HPy) -> HPy;
            HPyFunc_ITERNEXTFUNC: (a: HPy) -> HPy;
            HPyFunc_DESCRGETFUNC: (a: HPy, b: HPy, c: HPy) -> HPy;
            HPyFunc_DESCRSETFUNC: (a: HPy, b: HPy, c: HPy) -> c_int;
            HPyFunc_GETTER: (a: HPy, b: *mut c_void) -> HPy;
            HPyFunc_SETTER: (a: HPy, b: HPy, c: *mut c_void) -> c_int;
            HPyFunc_OBJOBJPROC: (a: HPy, b: HPy) -> c_int;
            HPyFunc_MOD_CREATE: (a: HPy) -> HPy;
        }
    }

    #[test]
    fn functions_without_a_result_are_called() {
        extern "C" fn release(_: *mut HPyContext, a: HPy, view: *mut HPy_buffer) {
            // SAFETY: the test passes an address that may be written.
            unsafe { view.cast::<isize>().write(a._i) };
        }
        let mut seen = 0_isize;
        let view = &raw mut seen as isize;
        let release: extern "C" fn(_, _, _) = release;
        called(HPyFunc_RELEASEBUFFERPROC, release, &[7, view]);
        assert_eq!(seen, 7);

        extern "C" fn free(_: *mut HPyContext, memory: *mut c_void) {
            // SAFETY: as above.
            unsafe { *memory.cast::<isize>() += 1 };
        }
        let free: extern "C" fn(_, _) = free;
        called(HPyFunc_FREEFUNC, free, &[view]);
        assert_eq!(seen, 8);
    }

    #[test]
    #[cfg(all(target_pointer_width = "64", target_endian = "little"))]
    fn a_buffer_result_shares_its_word_with_the_flags() {
        extern "C" fn get(_: *mut HPyContext, a: HPy, _: *mut HPy_buffer, flags: c_int) -> c_int {
            10 * a._i as c_int + flags
        }
        let get: extern "C" fn(_, _, _, _) -> _ = get;
        let words = called(HPyFunc_GETBUFFERPROC, get, &[1, 2, 3]);
        assert_eq!(words[2], 13 << 32 | 3);
    }

    #[test]
    fn the_vectorcall_flag_is_taken_off() {
        extern "C" fn keywords(
            _: *mut HPyContext,
            a: HPy,
            args: *const HPy,
            nargs: usize,
            kwnames: HPy,
        ) -> HPy {
            HPy::from_word(1000 * a._i + 100 * args as isize + 10 * nargs.word() + kwnames._i)
        }
        let keywords: extern "C" fn(_, _, _, _, _) -> _ = keywords;
        let nargsf = (3 | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET) as isize;
        assert_eq!(called(HPyFunc_KEYWORDS, keywords, &[1, 2, nargsf, 4])[4], 1234);
    }

    #[test]
    fn tuples_are_spread() {
        extern "C" fn new(_: *mut HPyContext, a: HPy, args: *const HPy, n: isize, kw: HPy) -> HPy {
            // SAFETY: the tuple has an item.
            let item = unsafe { *args };
            HPy::from_word(1000 * a._i + 100 * item._i + 10 * n + kw._i)
        }
        extern "C" fn init(
            ctx: *mut HPyContext,
            a: HPy,
            args: *const HPy,
            n: isize,
            kw: HPy,
        ) -> c_int {
            new(ctx, a, args, n, kw)._i as c_int
        }
        // SAFETY: only the size and the item are read.
        let mut tuple: ffi::PyTupleObject = unsafe { zeroed() };
        tuple.ob_base.ob_size = 1;
        tuple.ob_item[0] = core::ptr::without_provenance_mut(5);
        let words = [3, &raw mut tuple as isize, 4];
        let new: extern "C" fn(_, _, _, _, _) -> _ = new;
        let init: extern "C" fn(_, _, _, _, _) -> _ = init;
        assert_eq!(called(HPyFunc_NEWFUNC, new, &words)[3], 3514);
        assert_eq!(called(HPyFunc_INITPROC, init, &words)[3], 3514);
    }
}
