//! The extension `_native`.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::transmute;
use core::ptr;

use hpy_abi::*;

use crate::python::{Python, arguments};
use crate::{check, debug, layout, repairs, trace};

/// What the host only reads.
#[repr(transparent)]
struct Fixed<T>(T);

// SAFETY: nobody writes to it.
unsafe impl<T> Sync for Fixed<T> {}

/// A variable that holds an object; the host writes to it.
#[repr(transparent)]
pub(crate) struct Global(UnsafeCell<HPyGlobal>);

// SAFETY: it is used through the context only, which wants the interpreter attached.
unsafe impl Sync for Global {}

impl Global {
    const fn new() -> Self {
        Self(UnsafeCell::new(HPyGlobal::NULL))
    }

    pub fn get(&self) -> *mut HPyGlobal {
        self.0.get()
    }
}

/// What decides about findings.
pub(crate) static DECIDE: Global = Global::new();

/// What is called around each call of the API.
pub(crate) static WATCH: Global = Global::new();

/// A function of the module: the context, the module, arguments.
type Function = unsafe extern "C" fn(*mut HPyContext, HPy, *const HPy, usize) -> HPy;

const fn function(name: &'static CStr, function: Function) -> HPyDef {
    let meth = HPyMeth {
        name: name.as_ptr(),
        // SAFETY: a function; its signature says what it is.
        impl_: Some(unsafe { transmute::<Function, unsafe extern "C" fn()>(function) }),
        cpy_trampoline: None,
        signature: HPyFunc_VARARGS,
        doc: ptr::null(),
    };
    HPyDef { kind: HPyDef_Kind_Meth, def: HPyDef_Union { meth } }
}

/// Defines the functions of the module: the name in Python, and what it calls.
macro_rules! functions {
    ($($name:literal => $function:path,)*) => {
        static FUNCTIONS: Fixed<[HPyDef; [$($name),*].len()]> = Fixed([$({
            unsafe extern "C" fn call(ctx: *mut HPyContext, _: HPy, args: *const HPy, count: usize) -> HPy {
                // SAFETY: the host calls as the signature says.
                unsafe { $function(Python::new(ctx), arguments(args, count)) }
            }
            function($name, call)
        }),*]);
    };
}

functions! {
    c"layout" => layout::layout,
    c"repair" => repairs::repair,
    c"check" => check::check,
    c"mode" => check::mode,
    c"version" => check::version,
    c"stand_in" => check::stand_in,
    c"debug_start" => debug::start,
    c"debug_generation" => debug::generation,
    c"debug_handles" => debug::handles,
    c"debug_handle" => debug::handle_facts,
    c"debug_object" => debug::object,
    c"debug_close" => debug::close,
    c"debug_resources" => debug::resources,
    c"debug_limits" => debug::limits,
    c"debug_traces" => debug::traces,
    c"debug_faults" => debug::faults,
    c"debug_classes" => debug::classes,
    c"trace_sums" => trace::sums,
    c"trace_clock" => trace::clock,
    c"trace_timing" => trace::timing,
    c"trace_snapshot" => trace::snapshot,
    c"trace_record" => trace::record,
    c"trace_recording" => trace::recording,
    c"trace_watch" => trace::watch,
}

const COUNT: usize = FUNCTIONS.0.len();

static DEFINES: Fixed<[*mut HPyDef; COUNT + 1]> = {
    let mut defines = [ptr::null_mut(); COUNT + 1];
    let mut at = 0;
    while at < COUNT {
        defines[at] = ptr::from_ref(&FUNCTIONS.0[at]).cast_mut();
        at += 1;
    }
    Fixed(defines)
};

static GLOBALS: Fixed<[*mut HPyGlobal; 3]> =
    Fixed([DECIDE.0.get(), WATCH.0.get(), ptr::null_mut()]);

static MODULE: Fixed<HPyModuleDef> = Fixed(HPyModuleDef {
    doc: c"What hpy.universal has in native code.".as_ptr(),
    size: 0,
    legacy_methods: ptr::null_mut(),
    defines: ptr::from_ref(&DEFINES.0).cast(),
    globals: ptr::from_ref(&GLOBALS.0).cast(),
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
