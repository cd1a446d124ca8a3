//! Extensions that need the interpreter lock, in a Python that runs without one.

use core::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;

use crate::importing::interned;

/// Lets CPython switch its lock on, as it does for each extension module that does not declare that it needs none. It tells the
/// user, unless the user has decided about the lock.
///
/// CPython does so only where it imports a module; that the library is one, it does not know. So it imports another for it.
pub(crate) fn require_lock(py: Python<'_>, module: &str) -> PyResult<()> {
    // Once decided, it stays so for the whole process.
    static DECIDED: AtomicBool = AtomicBool::new(!cfg!(Py_GIL_DISABLED));
    if DECIDED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let machinery = py.import("importlib.machinery")?;
    let file = py.import("hpy.universal")?.getattr(interned(py, "__file__"))?;
    let name = format!("{module}.{NEEDS_LOCK}");
    let loader = machinery.getattr(interned(py, "ExtensionFileLoader"))?.call1((&name, &file))?;
    let spec = machinery.getattr(interned(py, "ModuleSpec"))?.call1((&name, &loader))?;
    spec.setattr(interned(py, "origin"), file)?;
    loader.call_method1(interned(py, "create_module"), (spec,))?;
    DECIDED.store(true, Ordering::Relaxed);
    Ok(())
}

/// The last part of the module's name.
const NEEDS_LOCK: &str = "_needs_the_lock";

/// A module that does not declare that it needs no lock.
#[cfg(Py_GIL_DISABLED)]
mod module {
    use core::cell::UnsafeCell;
    use core::ptr;

    use pyo3::ffi;

    struct Definition(UnsafeCell<ffi::PyModuleDef>);

    // SAFETY: only CPython writes, under its own locks.
    unsafe impl Sync for Definition {}

    static DEFINITION: Definition = Definition(UnsafeCell::new(ffi::PyModuleDef {
        m_base: ffi::PyModuleDef_HEAD_INIT,
        m_name: c"_needs_the_lock".as_ptr(),
        m_doc: ptr::null(),
        m_size: 0,
        m_methods: ptr::null_mut(),
        m_slots: ptr::null_mut(),
        m_traverse: None,
        m_clear: None,
        m_free: None,
    }));

    #[unsafe(no_mangle)]
    extern "C" fn PyInit__needs_the_lock() -> *mut ffi::PyObject {
        // SAFETY: the definition is complete and lives for ever.
        unsafe { ffi::PyModuleDef_Init(DEFINITION.0.get()) }
    }
}
