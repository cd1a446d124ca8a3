//! The extension `_native`.

use core::ffi::{CStr, c_void};
use core::mem::transmute;
use core::ptr;

use hpy_abi::*;

use crate::check::{check, choose_mode};
use crate::layout::examine;
use crate::python::{Python, arguments};

/// A definition, which is not written to.
#[repr(transparent)]
struct Fixed<T>(T);

// SAFETY: nobody writes to it.
unsafe impl<T> Sync for Fixed<T> {}

/// A function of the module: the context, the module, arguments.
type Function = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, usize) -> HPy;

const fn function(name: &'static CStr, function: Function, doc: &'static CStr) -> Fixed<HPyDef> {
    Fixed(HPyDef {
        kind: HPyDef_Kind_Meth,
        def: HPyDef_Union {
            meth: HPyMeth {
                name: name.as_ptr(),
                // SAFETY: a function; its signature says what it is.
                impl_: Some(unsafe { transmute::<Function, unsafe extern "C" fn()>(function) }),
                cpy_trampoline: None,
                signature: HPyFunc_VARARGS,
                doc: doc.as_ptr(),
            },
        },
    })
}

static LAYOUT: Fixed<HPyDef> = function(
    c"layout",
    layout,
    c"layout(repair): what the layout of the host's context is; repairs one that can be.",
);
static CHECK: Fixed<HPyDef> = function(
    c"check",
    check_extension,
    c"check(name, path, running, tagged): None, or what is wrong with an extension.",
);

static MODE: Fixed<HPyDef> = function(
    c"mode",
    mode,
    c"mode(value, name): in a tuple, the mode that a value of HPY chooses for a module, or what is wrong with it.",
);
static VERSION: Fixed<HPyDef> =
    function(c"version", version, c"version(): the release and the source revision.");

static DEFINES: Fixed<[*mut HPyDef; 5]> = Fixed([
    ptr::from_ref(&LAYOUT.0).cast_mut(),
    ptr::from_ref(&CHECK.0).cast_mut(),
    ptr::from_ref(&MODE.0).cast_mut(),
    ptr::from_ref(&VERSION.0).cast_mut(),
    ptr::null_mut(),
]);

static MODULE: Fixed<HPyModuleDef> = Fixed(HPyModuleDef {
    doc: c"What hpy.universal has in native code.".as_ptr(),
    size: 0,
    legacy_methods: ptr::null_mut::<c_void>(),
    defines: ptr::from_ref(&DEFINES.0).cast(),
    globals: ptr::null(),
});

#[unsafe(no_mangle)]
extern "C" fn get_required_hpy_major_version__native() -> u32 {
    HPY_ABI_VERSION
}

#[unsafe(no_mangle)]
extern "C" fn get_required_hpy_minor_version__native() -> u32 {
    0
}

#[unsafe(no_mangle)]
extern "C" fn HPyInitGlobalContext__native(_ctx: *mut HPyContext) {
    // For trampolines, of which there are none. GraalPy does not call it.
}

#[unsafe(no_mangle)]
extern "C" fn HPyInit__native() -> *mut HPyModuleDef {
    ptr::from_ref(&MODULE.0).cast_mut()
}

unsafe extern "C" fn layout(
    ctx: *mut HPyContext,
    _module: HPy,
    args: *const HPy,
    count: usize,
) -> HPy {
    // SAFETY: the host calls as the signature says.
    let (py, args) = unsafe { (Python::new(ctx), arguments(args, count)) };
    let &[repair] = args else { return py.type_error(c"layout(repair)") };
    // SAFETY: the context is the host's own, as it is in every call.
    let layout = unsafe { examine(ctx, py.is_true(repair)) };
    py.c_str(layout.name())
}

unsafe extern "C" fn check_extension(
    ctx: *mut HPyContext,
    _module: HPy,
    args: *const HPy,
    count: usize,
) -> HPy {
    // SAFETY: the host calls as the signature says.
    let (py, args) = unsafe { (Python::new(ctx), arguments(args, count)) };
    let &[name, path, running, tagged] = args else {
        return py.type_error(c"check(name, path, running, tagged)");
    };
    match (py.text(name), py.text(path), py.text(running)) {
        (Some(name), Some(path), Some(running)) => {
            check(py, &name, &path, &running, py.is_true(tagged))
        }
        _ => HPy::NULL,
    }
}

unsafe extern "C" fn mode(
    ctx: *mut HPyContext,
    _module: HPy,
    args: *const HPy,
    count: usize,
) -> HPy {
    // SAFETY: the host calls as the signature says.
    let (py, args) = unsafe { (Python::new(ctx), arguments(args, count)) };
    let &[value, name] = args else { return py.type_error(c"mode(value, name)") };
    match (py.text(value), py.text(name)) {
        (Some(value), Some(name)) => choose_mode(py, &value, &name),
        _ => HPy::NULL,
    }
}

unsafe extern "C" fn version(
    ctx: *mut HPyContext,
    _module: HPy,
    _args: *const HPy,
    _count: usize,
) -> HPy {
    // SAFETY: the host calls as the signature says.
    let py = unsafe { Python::new(ctx) };
    let revision = option_env!("HPY_GIT_REVISION").unwrap_or("");
    py.tuple([py.str(env!("CARGO_PKG_VERSION")), py.str(revision)])
}
