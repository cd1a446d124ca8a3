//! `tp_vectorcall` of types that have `HPy_tp_new`: what `type.__call__` does, without a tuple of the arguments.
//!
//! CPython does not inherit the slot, so the called type is always one whose record was made here.

use core::ffi::{c_int, c_void};
use core::mem::transmute;
use core::ptr;

use hpy_abi::{HPy, HPyContext, HPyFunc_INITPROC, HPyFunc_NEWFUNC, HPySlot};
use hpy_abi::{HPy_tp_init, HPy_tp_new};
use hpy_host::Entry;

use super::record::own_record;
use crate::handle::{hpy, new_ref, py};
use crate::layout::{self, ffi};
use crate::load::Load;

/// The author's `HPy_tp_new` and `HPy_tp_init`, and the slots that lead to them.
#[derive(Default)]
pub(crate) struct Constructor {
    new: Option<Entry>,
    init: Option<Entry>,
    /// What the type has as long as nobody assigns to its `__new__` or `__init__`.
    tp_new: Option<ffi::newfunc>,
    tp_init: Option<ffi::initproc>,
}

type New = unsafe extern "C" fn(*const c_void, HPy, *const HPy, isize, HPy) -> HPy;
type Init = unsafe extern "C" fn(*const c_void, HPy, *const HPy, isize, HPy) -> c_int;

impl Constructor {
    /// Finds them among the definitions of a type and CPython's slots for it; nothing if there is no `HPy_tp_new`.
    ///
    /// # Safety
    /// The definitions belong to the load of `ctx`, and the slots are valid for CPython.
    pub(crate) unsafe fn read(
        ctx: *mut HPyContext,
        definitions: &[&HPySlot],
        slots: &[ffi::PyType_Slot],
    ) -> Self {
        let entry = |number, signature| {
            let slot = definitions.iter().find(|slot| slot.slot == number)?;
            // SAFETY: the caller's promise.
            Some(unsafe { Load::of(ctx) }.entry(signature, slot.impl_?))
        };
        let value = |number| {
            let slot = slots.iter().rfind(|slot| slot.slot == number);
            slot.map_or(ptr::null_mut(), |slot| slot.pfunc)
        };
        // SAFETY: the value of a slot is a function of its type, or null.
        unsafe {
            Self {
                new: entry(HPy_tp_new, HPyFunc_NEWFUNC),
                init: entry(HPy_tp_init, HPyFunc_INITPROC),
                tp_new: transmute::<*mut c_void, Option<ffi::newfunc>>(value(ffi::Py_tp_new)),
                tp_init: transmute::<*mut c_void, Option<ffi::initproc>>(value(ffi::Py_tp_init)),
            }
        }
    }

    /// Whether `ty` still makes objects as it did in the beginning.
    unsafe fn is_that_of(&self, ty: *mut ffi::PyTypeObject) -> bool {
        let new = |f: Option<ffi::newfunc>| f.map_or(0, |f| f as usize);
        let initializer = |f: Option<ffi::initproc>| f.map_or(0, |f| f as usize);
        // SAFETY: a type.
        unsafe {
            let init = self.tp_init.or(layout::tp_init(&raw mut ffi::PyBaseObject_Type));
            new(self.tp_new) == new(layout::tp_new(ty))
                && initializer(init) == initializer(layout::tp_init(ty))
        }
    }
}

/// Lets a new type make its objects without a tuple, if it can.
///
/// # Safety
/// `ty` is a type with the record of `constructor`, and nobody else uses it yet.
pub(crate) unsafe fn install(ty: *mut ffi::PyTypeObject, constructor: &Constructor) {
    // SAFETY: as required. A metaclass may do something else when its classes are called.
    unsafe {
        let plain = ffi::Py_TYPE(ty.cast()) == &raw mut ffi::PyType_Type;
        if plain && constructor.new.is_some() && constructor.is_that_of(ty) {
            layout::set_vectorcall(ty, construct);
        }
    }
}

/// `tp_vectorcall`
unsafe extern "C" fn construct(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let ty = class.cast::<ffi::PyTypeObject>();
    // SAFETY: CPython calls a type of ours with as many arguments as it says.
    unsafe {
        let nargs = ffi::PyVectorcall_NARGS(nargsf);
        let constructor = own_record(ty).map(|record| &record.constructor);
        if names.is_null()
            && let Some(constructor) = constructor
            && constructor.is_that_of(ty)
            && let Some(new) = constructor.new
        {
            let author = transmute::<unsafe extern "C" fn(), New>(new.target);
            let object = py(author(new.first, hpy(class), args.cast(), nargs, HPy::NULL));
            if object.is_null() || constructor.init.is_none() && ffi::Py_TYPE(object) == ty {
                return object;
            }
            return initialize(constructor, ty, object, args, nargs);
        }
        call_type(class, args, nargs, names)
    }
}

/// What comes after `tp_new`: its result gets the arguments, too, if it is an instance of the type.
unsafe fn initialize(
    constructor: &Constructor,
    ty: *mut ffi::PyTypeObject,
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargs: isize,
) -> *mut ffi::PyObject {
    // SAFETY: as for `construct`; the object is ours.
    unsafe {
        let own = ffi::Py_TYPE(object);
        let status = match constructor.init {
            Some(init) if own == ty => {
                let author = transmute::<unsafe extern "C" fn(), Init>(init.target);
                author(init.first, hpy(object), args.cast(), nargs, HPy::NULL)
            }
            _ if ffi::PyType_IsSubtype(own, ty) != 0 => initialize_other(object, args, nargs),
            _ => 0,
        };
        if status < 0 {
            ffi::Py_DECREF(object);
            return ptr::null_mut();
        }
        object
    }
}

/// Calls the `tp_init` of an object whose type is another than the one that was called.
#[cold]
unsafe fn initialize_other(
    object: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargs: isize,
) -> c_int {
    // SAFETY: as for `construct`.
    unsafe {
        let Some(init) = layout::tp_init(ffi::Py_TYPE(object)) else { return 0 };
        let tuple = tuple(args, nargs);
        if tuple.is_null() {
            return -1;
        }
        let status = init(object, tuple, ptr::null_mut());
        ffi::Py_DECREF(tuple);
        status
    }
}

/// `type.__call__`, for keywords and for types whose `__new__` or `__init__` was replaced.
#[cold]
unsafe fn call_type(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargs: isize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for `construct`; behind the arguments there is a value for each name.
    unsafe {
        let Some(call) = layout::tp_call(&raw mut ffi::PyType_Type) else { return ptr::null_mut() };
        let tuple = tuple(args, nargs);
        let mut result = ptr::null_mut();
        if !tuple.is_null() {
            let keywords = keywords(args.offset(nargs), names);
            if names.is_null() || !keywords.is_null() {
                result = call(class, tuple, keywords);
            }
            ffi::Py_XDECREF(keywords);
            ffi::Py_DECREF(tuple);
        }
        result
    }
}

/// The arguments in a new tuple, or null with an exception.
unsafe fn tuple(args: *const *mut ffi::PyObject, nargs: isize) -> *mut ffi::PyObject {
    // SAFETY: there are as many arguments, and the tuple has a place for each.
    unsafe {
        let tuple = ffi::PyTuple_New(nargs);
        if !tuple.is_null() {
            for index in 0..nargs {
                ffi::PyTuple_SetItem(tuple, index, new_ref(*args.offset(index)));
            }
        }
        tuple
    }
}

/// The keyword arguments in a new dict; null if there are none, or with an exception.
///
/// # Safety
/// The names are a tuple of as many as there are values, or null.
pub(crate) unsafe fn keywords(
    values: *const *mut ffi::PyObject,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the names are a tuple, or null; there is a value for each.
    unsafe {
        if names.is_null() {
            return ptr::null_mut();
        }
        let dict = ffi::PyDict_New();
        for index in 0..ffi::PyTuple_Size(names) {
            let name = ffi::PyTuple_GetItem(names, index);
            if dict.is_null() || ffi::PyDict_SetItem(dict, name, *values.offset(index)) < 0 {
                ffi::Py_XDECREF(dict);
                return ptr::null_mut();
            }
        }
        dict
    }
}

// SAFETY: a constructor is not changed after its type's plan is made; its pointers are to code and to what lives for ever.
unsafe impl Sync for Constructor {}
// SAFETY: as above.
unsafe impl Send for Constructor {}
