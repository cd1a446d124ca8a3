//! Names that extensions give as C strings, as `str` objects.
//!
//! An extension asks for the same few names again and again, mostly with literals. So a name is made
//! once, interned as the names in Python code are, which CPython's attribute caches rely on, and
//! found again by the address of its text. The text is compared as well: what is at an address may
//! change.

#[cfg(not(Py_GIL_DISABLED))]
use core::cell::Cell;
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
    /// [`NO_NAMES`] as long as it has not asked: not every module does, and the memory takes a third of the time that making a load takes.
    #[cfg(not(Py_GIL_DISABLED))]
    table: Cell<*const Table>,
}

impl Names {
    /// No names yet.
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(not(Py_GIL_DISABLED))]
            table: Cell::new(&raw const NO_NAMES),
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
            let place = (*self.table.get()).0[index(text)].get();
            if place.text == text && CStr::from_ptr(place.copy) == CStr::from_ptr(text) {
                ffi::Py_INCREF(place.object);
                return Name(place.object);
            }
            self.keep(text)
        }
    }

    /// Makes a name, and puts it into the table if it is short and has no more than a C string shows.
    #[cfg(not(Py_GIL_DISABLED))]
    #[cold]
    #[inline(never)]
    unsafe fn keep(&self, text: *const c_char) -> Name {
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
                let old = self.own_table().0[index(text)].replace(new);
                ffi::Py_XDECREF(old.object);
            }
            Name(object)
        }
    }

    /// The table, which is never freed because loads are not.
    #[cfg(not(Py_GIL_DISABLED))]
    fn own_table(&self) -> &Table {
        if ptr::eq(self.table.get(), &raw const NO_NAMES) {
            self.table.set(Box::leak(Box::new(Table::empty())));
        }
        // SAFETY: the table lives for ever.
        unsafe { &*self.table.get() }
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

/// Names by [`index`].
#[cfg(not(Py_GIL_DISABLED))]
struct Table([Cell<Place>; 256]);

#[cfg(not(Py_GIL_DISABLED))]
impl Table {
    const fn empty() -> Self {
        const NONE: Place = Place { text: ptr::null(), copy: ptr::null(), object: ptr::null_mut() };
        Self([const { Cell::new(NONE) }; 256])
    }
}

// SAFETY: the one that all loads share is never written to; the lock of its interpreter protects that of a load.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl Sync for Table {}

#[cfg(not(Py_GIL_DISABLED))]
static NO_NAMES: Table = Table::empty();

/// Longer texts are hardly names, and would stay in memory.
#[cfg(not(Py_GIL_DISABLED))]
const LONGEST: usize = 64;

/// Literals lie close to each other, at any address.
#[cfg(not(Py_GIL_DISABLED))]
fn index(text: *const c_char) -> usize {
    let address = text as usize;
    (address ^ address >> 8) & 0xff
}
