//! Names that extensions give as C strings, as `str` objects.
//!
//! An extension asks for the same few names again and again, mostly with literals. So a name is made
//! once, interned as the names in Python code are, which CPython's attribute caches rely on, and
//! found again by the address of its text. The text is compared as well: what is at an address may
//! change.

#[cfg(not(Py_GIL_DISABLED))]
use core::cell::UnsafeCell;
#[cfg(not(Py_GIL_DISABLED))]
use core::ffi::CStr;
use core::ffi::c_char;
#[cfg(not(Py_GIL_DISABLED))]
use core::ptr;

use crate::layout::ffi;

#[cfg(not(Py_GIL_DISABLED))]
use crate::layout;

/// A `str` that is not released before the end of a call.
pub(crate) struct Name(*mut ffi::PyObject);

impl Name {
    /// The object; null with an exception if there is none.
    pub(crate) fn object(&self) -> *mut ffi::PyObject {
        self.0
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // SAFETY: the name owns its object, and the interpreter is attached as in `get`.
        unsafe { ffi::Py_XDECREF(self.0) };
    }
}

/// The names that a load has asked for.
pub(crate) struct Names {
    #[cfg(not(Py_GIL_DISABLED))]
    table: UnsafeCell<[Place; 256]>,
}

impl Names {
    /// No names yet.
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            table: UnsafeCell::new([EMPTY; 256]),
        }
    }

    /// The name that the C string `text` spells in UTF-8.
    ///
    /// # Safety
    /// The interpreter of the load is attached.
    #[cfg(not(Py_GIL_DISABLED))]
    #[inline(always)]
    pub(crate) unsafe fn get(&self, text: *const c_char) -> Name {
        // SAFETY: only the thread that holds the interpreter's lock uses the table, and nothing that
        // runs Python code happens while there is a reference into it.
        unsafe {
            let place = &raw mut (*self.table.get())[index(text)];
            if (*place).text == text && CStr::from_ptr((*place).copy) == CStr::from_ptr(text) {
                ffi::Py_INCREF((*place).object);
                return Name((*place).object);
            }
            keep(place, text)
        }
    }

    /// Without an interpreter lock there is no table.
    ///
    /// # Safety
    /// The interpreter is attached.
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) unsafe fn get(&self, text: *const c_char) -> Name {
        // SAFETY: the caller's promise.
        Name(unsafe { ffi::PyUnicode_FromString(text) })
    }
}

/// A name in the table.
#[cfg(not(Py_GIL_DISABLED))]
#[derive(Clone, Copy)]
struct Place {
    /// Where the extension keeps it.
    text: *const c_char,
    /// The same text in `object`.
    copy: *const c_char,
    object: *mut ffi::PyObject,
}

#[cfg(not(Py_GIL_DISABLED))]
const EMPTY: Place = Place { text: ptr::null(), copy: ptr::null(), object: ptr::null_mut() };

/// Longer texts are hardly names, and would stay in memory.
#[cfg(not(Py_GIL_DISABLED))]
const LONGEST: usize = 64;

/// Literals lie close to each other, at any address.
#[cfg(not(Py_GIL_DISABLED))]
fn index(text: *const c_char) -> usize {
    let address = text as usize;
    (address ^ address >> 8) & 0xff
}

/// Makes a name, and puts it into the table if it is short and has no more than a C string shows.
#[cfg(not(Py_GIL_DISABLED))]
#[cold]
#[inline(never)]
unsafe fn keep(place: *mut Place, text: *const c_char) -> Name {
    // SAFETY: as for `get`. The copy belongs to the object. The old object is released last, when
    // nobody refers to the table any more.
    unsafe {
        let object = layout::new_name(text);
        let mut size = 0;
        let copy = match object.is_null() {
            true => ptr::null(),
            false => ffi::PyUnicode_AsUTF8AndSize(object, &raw mut size),
        };
        if !copy.is_null() && size as usize <= LONGEST {
            ffi::Py_INCREF(object);
            let new = Place { text, copy, object };
            let old = place.replace(new);
            ffi::Py_XDECREF(old.object);
        }
        Name(object)
    }
}
