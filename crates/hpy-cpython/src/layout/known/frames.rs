//! Where the running thread is in its Python code.

use core::ffi::c_int;

use pyo3_ffi as ffi;
#[cfg(Py_3_11)]
use pyo3_ffi::PyFrame_GetLasti as place;
#[cfg(not(Py_3_11))]
use pyo3_ffi::PyFrame_GetLineNumber as place;

/// The code that the thread runs, as a new reference, and the place in it: since 3.11 one from which the line is worked out, which
/// takes a thousand instructions; before, the line.
///
/// # Safety
/// The interpreter is attached.
pub(crate) unsafe fn running_place() -> Option<(*mut ffi::PyCodeObject, c_int)> {
    // SAFETY: the frame is borrowed from the thread, and runs.
    unsafe {
        let frame = without_collection(|| ffi::PyEval_GetFrame());
        (!frame.is_null()).then(|| (ffi::PyFrame_GetCode(frame), place(frame)))
    }
}

/// The number of the line of a place.
///
/// # Safety
/// The interpreter is attached; the place is one in that code.
pub(crate) unsafe fn line_number(code: *mut ffi::PyCodeObject, place: c_int) -> c_int {
    let _ = code;
    #[cfg(Py_3_11)]
    // SAFETY: the caller's promise.
    return unsafe { ffi::PyCode_Addr2Line(code, place) };
    #[cfg(not(Py_3_11))]
    place
}

/// Calls `function`, which may allocate, while no garbage collection starts: it would run destructors. Before 3.12 allocating starts
/// one at once, and up to 3.10 frames are objects already.
///
/// # Safety
/// The interpreter is attached.
unsafe fn without_collection<R>(function: impl FnOnce() -> R) -> R {
    #[cfg(all(Py_3_11, not(Py_3_12)))]
    {
        // SAFETY: the caller's promise.
        let was_on = unsafe { ffi::PyGC_Disable() } != 0;
        let result = function();
        if was_on {
            // SAFETY: as above.
            unsafe { ffi::PyGC_Enable() };
        }
        result
    }
    #[cfg(not(all(Py_3_11, not(Py_3_12))))]
    function()
}
