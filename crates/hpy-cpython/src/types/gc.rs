//! Garbage collection: `tp_traverse` and `tp_clear` of every HPy type, made from the author's traverse functions.

use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{HPyField, HPyFunc_traverseproc, HPyFunc_visitproc};
use pyo3_ffi as ffi;

use super::record::{self, LEGACY_TRAVERSE, Record, own_record};
use super::{python_class, shape};
use crate::layout;

/// A visitor of CPython with its argument.
struct Visit {
    visit: ffi::visitproc,
    arg: *mut c_void,
}

/// Hands the object in a field to CPython's visitor.
unsafe extern "C" fn visit_field(field: *mut HPyField, arg: *mut c_void) -> c_int {
    // SAFETY: `arg` is the `Visit` of the `traverse` that is running; a field holds an object or null.
    unsafe {
        let visit = &*arg.cast::<Visit>();
        match (*field)._i {
            0 => 0,
            object => (visit.visit)(object as *mut ffi::PyObject, visit.arg),
        }
    }
}

/// Empties a field and releases its object.
unsafe extern "C" fn clear_field(field: *mut HPyField, _arg: *mut c_void) -> c_int {
    // SAFETY: a field holds an object that it owns, or null; it is empty before foreign code can run.
    unsafe {
        let object = ptr::replace(field, HPyField::NULL)._i as *mut ffi::PyObject;
        ffi::Py_XDECREF(object);
    }
    0
}

/// Whether `visit` empties the fields that it is shown.
pub(crate) fn is_clear(visit: HPyFunc_visitproc) -> bool {
    core::ptr::fn_addr_eq(visit, clear_field as HPyFunc_visitproc)
}

/// Whether `ty` has this module's `tp_traverse`, its own or inherited.
unsafe fn is_ours(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: a type of a living object.
    unsafe { layout::tp_traverse(ty).is_some_and(|f| f as usize == traverse as *const () as usize) }
}

/// The records of an instance's hierarchy, from the type that has our `tp_traverse`. Classes written in Python are passed over: their
/// functions would start at the object's type again and come back to us. What comes then, at the latest `object`, is the base, which
/// may be a type of ours with legacy functions.
struct Levels {
    next: *mut ffi::PyTypeObject,
}

impl Levels {
    /// # Safety
    /// `object` is an instance of one of our types.
    unsafe fn of(object: *mut ffi::PyObject) -> Self {
        // SAFETY: the walk ends at `object` at the latest.
        unsafe {
            let mut next = ffi::Py_TYPE(object);
            while !is_ours(next) && !layout::tp_base(next).is_null() {
                next = layout::tp_base(next);
            }
            Self { next }
        }
    }

    /// The base below the levels that are HPy's.
    fn base(&self) -> *mut ffi::PyTypeObject {
        let mut rest = Self { next: self.next };
        while rest.next().is_some() {}
        rest.next
    }
}

impl Iterator for Levels {
    type Item = &'static Record;

    fn next(&mut self) -> Option<&'static Record> {
        // SAFETY: each is a type of a living object; only `object` has no base, and it ends the walk.
        unsafe {
            loop {
                let record =
                    own_record(self.next).filter(|record| record.flags & LEGACY_TRAVERSE == 0);
                let passed_over = python_class::has_dealloc(self.next) || is_ours(self.next);
                if record.is_none() && !passed_over {
                    return None;
                }
                self.next = layout::tp_base(self.next);
                if record.is_some() {
                    return record;
                }
            }
        }
    }
}

/// `tp_traverse` of every HPy type that is collected.
pub(crate) unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: CPython hands over a living object of one of our types and its own visitor.
    unsafe {
        let levels = Levels::of(object);
        let base = levels.base();
        let base_traverse = layout::tp_traverse(base);
        // Instances refer to their type; the traverse of a heap type visits it for us.
        let heap = ffi::PyType_HasFeature(base, ffi::Py_TPFLAGS_HEAPTYPE) != 0;
        if !heap || base_traverse.is_none() {
            let result = visit(ffi::Py_TYPE(object).cast(), arg);
            if result != 0 {
                return result;
            }
        }
        let fields = Visit { visit, arg };
        for record in levels {
            if record.has_fields() {
                let data = shape::struct_of(object, record);
                let arg = ptr::from_ref(&fields).cast_mut().cast();
                let result = record.visit_fields(data, visit_field, arg);
                if result != 0 {
                    return result;
                }
            }
        }
        base_traverse.map_or(0, |traverse| traverse(object, visit, arg))
    }
}

/// Runs `author` on the struct of `object` with CPython's visitor: what a trampoline of the traverse signature asks for.
///
/// # Safety
/// `author` is the traverse function of the object's type; `visit` takes `arg`.
pub(crate) unsafe fn traverse_struct(
    object: *mut ffi::PyObject,
    author: HPyFunc_traverseproc,
    visit: ffi::visitproc,
    arg: *mut c_void,
) -> c_int {
    let fields = Visit { visit, arg };
    // SAFETY: as required; the visitor is used during the call only.
    unsafe {
        let data = record::find(ffi::Py_TYPE(object))
            .map_or(object.cast(), |record| shape::struct_of(object, record));
        author(data, visit_field, ptr::from_ref(&fields).cast_mut().cast())
    }
}

/// `tp_clear` of every HPy type that is collected.
pub(crate) unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: CPython hands over a living object of one of our types.
    unsafe {
        let levels = Levels::of(object);
        let base = levels.base();
        for record in levels {
            clear_fields(object, record);
        }
        layout::tp_clear(base).map_or(0, |clear| clear(object))
    }
}

/// Releases the fields of the object's struct that `record` describes.
///
/// # Safety
/// `record` is one of the records of the type of `object`.
pub(crate) unsafe fn clear_fields(object: *mut ffi::PyObject, record: &Record) {
    // SAFETY: the record's struct is in the object.
    unsafe { clear_struct(shape::struct_of(object, record), record) }
}

/// Releases the fields of a struct.
///
/// # Safety
/// It is one that `record` describes.
#[inline(always)]
pub(crate) unsafe fn clear_struct(data: *mut c_void, record: &Record) {
    // SAFETY: as required; the visitor takes no argument.
    unsafe { record.visit_fields(data, clear_field, ptr::null_mut()) };
}
