//! Types whose type is not `type`.

use pyo3_ffi as ffi;

/// `PyType_FromSpecWithBases` for a type of a metaclass that is not `type`.
///
/// # Safety
/// `spec` is valid for the C API, `bases` a tuple or null, `metaclass` a subclass of `type` with `type`'s constructor.
#[cfg(Py_3_12)]
pub(crate) unsafe fn of_metaclass(
    metaclass: *mut ffi::PyTypeObject,
    spec: &mut ffi::PyType_Spec,
    bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as required; no module is associated.
    unsafe { ffi::PyType_FromMetaclass(metaclass, core::ptr::null_mut(), spec, bases) }
}

/// Before 3.12, CPython allocates each such type as an instance of `type` and sizes it by `PyType_Type.tp_basicsize`. That number is the
/// metaclass's for the time of the call, so that the struct of the metaclass and the member table behind it have their place.
///
/// # Safety
/// As above.
#[cfg(not(Py_3_12))]
pub(crate) unsafe fn of_metaclass(
    metaclass: *mut ffi::PyTypeObject,
    spec: &mut ffi::PyType_Spec,
    bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the lock is held, the collector is off and no Python code runs, so nobody sees `type` with another size.
    unsafe {
        let plain = &raw mut ffi::PyType_Type;
        let size = (*plain).tp_basicsize;
        let collecting = collector::disable();
        (*plain).tp_basicsize = (*metaclass).tp_basicsize;
        let ty = ffi::PyType_FromSpecWithBases(spec, bases);
        (*plain).tp_basicsize = size;
        if !ty.is_null() {
            ffi::Py_INCREF(metaclass.cast());
            (*ty).ob_type = metaclass;
        }
        collector::restore(collecting);
        ty
    }
}

/// The garbage collector's switch.
#[cfg(all(not(Py_3_12), Py_3_10))]
mod collector {
    use pyo3_ffi as ffi;

    /// Switches the collector off; returns what it was.
    pub(super) unsafe fn disable() -> bool {
        // SAFETY: the interpreter is attached.
        unsafe { ffi::PyGC_Disable() != 0 }
    }

    /// Switches the collector on again if it was.
    pub(super) unsafe fn restore(was_on: bool) {
        if was_on {
            // SAFETY: the interpreter is attached.
            unsafe { ffi::PyGC_Enable() };
        }
    }
}

/// CPython 3.9 has no function for it; its collector starts only at an allocation of a collected object after the 700th, and the
/// module `gc` switches it.
#[cfg(not(Py_3_10))]
mod collector {
    use pyo3_ffi as ffi;

    unsafe fn call(function: &core::ffi::CStr) -> bool {
        // SAFETY: the interpreter is attached; an error is not the caller's.
        unsafe {
            let gc = ffi::PyImport_ImportModule(c"gc".as_ptr());
            if gc.is_null() {
                ffi::PyErr_Clear();
                return false;
            }
            let result = ffi::PyObject_CallMethod(gc, function.as_ptr(), core::ptr::null());
            let truth = !result.is_null() && ffi::PyObject_IsTrue(result) == 1;
            ffi::PyErr_Clear();
            ffi::Py_XDECREF(result);
            ffi::Py_DECREF(gc);
            truth
        }
    }

    /// Switches the collector off; returns what it was.
    pub(super) unsafe fn disable() -> bool {
        // SAFETY: as `call`.
        unsafe {
            let was_on = call(c"isenabled");
            call(c"disable");
            was_on
        }
    }

    /// Switches the collector on again if it was.
    pub(super) unsafe fn restore(was_on: bool) {
        if was_on {
            // SAFETY: as `call`.
            unsafe { call(c"enable") };
        }
    }
}
