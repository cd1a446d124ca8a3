//! The Python extension module `hpy.universal`: it loads universal extensions on CPython.
//!
//! Panics: PyO3 turns a panic in a function of this module into an exception, and the language
//! aborts the process where one would leave an `extern "C"` function. So none unwinds into C, and
//! the release profile keeps unwinding.

//! # Interpreters
//!
//! The module is imported by several interpreters of a process, each with its own lock perhaps. So it keeps no Python object in
//! static memory, nor uses what of PyO3 does (`intern!`, `PyOnceLock`, classes); and it is defined by hand, because PyO3's own
//! modules refuse a second interpreter. Debug and trace mode work in each; their Python APIs, which are such modules and keep hooks,
//! are the main interpreter's.

mod debug;
mod debug_resources;
mod error;
mod exit;
mod importing;
mod load;
mod threads;
mod trace;

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::ptr;
use std::sync::Once;

use hpy_host::Mode;
use pyo3::ffi;
use pyo3::prelude::*;

const DOC: &core::ffi::CStr = c"Loads extensions that were compiled for HPy's universal ABI.

Importing is done by `import`: a universal library called `foo.so` is imported as it lies on
disk, one called `foo.hpy0.so` through the import hook that the package installs. The functions
here are for loading by hand.";

/// What CPython is told of the module; it writes into it.
struct Definition {
    module: UnsafeCell<ffi::PyModuleDef>,
    slots: UnsafeCell<[ffi::PyModuleDef_Slot; 4]>,
}

// SAFETY: only CPython writes, under its own locks.
unsafe impl Sync for Definition {}

const END: ffi::PyModuleDef_Slot = ffi::PyModuleDef_Slot { slot: 0, value: ptr::null_mut() };

static DEFINITION: Definition = Definition {
    module: UnsafeCell::new(ffi::PyModuleDef {
        m_base: ffi::PyModuleDef_HEAD_INIT,
        m_name: c"universal".as_ptr(),
        m_doc: DOC.as_ptr(),
        m_size: 0,
        m_methods: ptr::null_mut(),
        m_slots: DEFINITION.slots.get().cast(),
        m_traverse: None,
        m_clear: None,
        m_free: None,
    }),
    slots: UnsafeCell::new([
        ffi::PyModuleDef_Slot { slot: ffi::Py_mod_exec, value: execute as *mut c_void },
        END,
        END,
        END,
    ]),
};

/// `Py_mod_multiple_interpreters`, and that each may have its own lock; CPython knows it since 3.12.
const INTERPRETERS: ffi::PyModuleDef_Slot =
    ffi::PyModuleDef_Slot { slot: 3, value: ptr::without_provenance_mut(2) };

/// `Py_mod_gil`, and that the module needs no lock; CPython knows it since 3.13.
const NO_LOCK: ffi::PyModuleDef_Slot =
    ffi::PyModuleDef_Slot { slot: 4, value: ptr::without_provenance_mut(1) };

/// Declares what the module can do, as far as the running interpreter lets a module declare it: the build for the limited API
/// runs on many versions, and what one does not know is an error there.
fn declare() {
    static DECLARED: Once = Once::new();
    DECLARED.call_once(|| {
        let since = |minor, slot| {
            let known = cfg!(not(any(PyPy, GraalPy))) && hpy_cpython::running_minor() >= minor;
            known.then_some(slot)
        };
        let slots = [since(12, INTERPRETERS), since(13, NO_LOCK)];
        for (place, slot) in (1..).zip(slots.into_iter().flatten()) {
            // SAFETY: nobody else knows the table before this has been done once; it ends with an entry that stays.
            unsafe { (*DEFINITION.slots.get())[place] = slot };
        }
    });
}

/// What `import hpy.universal` looks for.
#[unsafe(no_mangle)]
extern "C" fn PyInit_universal() -> *mut ffi::PyObject {
    declare();
    // SAFETY: the definition is complete and lives for ever.
    unsafe { ffi::PyModuleDef_Init(DEFINITION.module.get()) }
}

unsafe extern "C" fn execute(module: *mut ffi::PyObject) -> c_int {
    Python::attach(|py| {
        // SAFETY: CPython hands over the new module.
        let module = unsafe { Bound::from_borrowed_ptr(py, module) };
        match module.cast_into::<PyModule>().map_err(PyErr::from).and_then(|module| fill(&module)) {
            Ok(()) => 0,
            Err(error) => {
                error.restore(py);
                -1
            }
        }
    })
}

fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_function(wrap_pyfunction!(load::get_version, module)?)?;
    module.add_function(wrap_pyfunction!(load::load, module)?)?;
    module.add_function(wrap_pyfunction!(load::load_bootstrap, module)?)?;
    module.add_function(wrap_pyfunction!(load::load_from_spec, module)?)?;
    module.add("MODE_UNIVERSAL", Mode::Universal.number())?;
    module.add("MODE_DEBUG", Mode::Debug.number())?;
    module.add("MODE_TRACE", Mode::Trace.number())?;
    module.add("LoadError", error::make_load_error(py)?)?;
    debug::start()?;
    if in_main_interpreter(py) {
        module.add("_debug", pyo3::wrap_pymodule!(debug::_debug)(py))?;
        module.add("_trace", pyo3::wrap_pymodule!(trace::_trace)(py))?;
    }
    Ok(())
}

/// Whether this is the interpreter that the process began with.
fn in_main_interpreter(_py: Python<'_>) -> bool {
    // SAFETY: the interpreter is attached, as `_py` shows.
    unsafe { hpy_cpython::interpreter_id() == 0 }
}
