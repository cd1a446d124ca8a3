//! Shorter ways than the functions of the Python/C API, for objects of exactly the builtin types.
//!
//! Each gives `None` for anything else, which goes the way of those functions. So does what may change in a free-threaded Python, where
//! another thread may do it meanwhile.

use core::ffi::{c_char, c_int};
use core::ptr;

use pyo3_ffi as ffi;

const IS_LOCKED: bool = !cfg!(Py_GIL_DISABLED);

/// `len()` of an object by the function of its type, without the call in between; `None` if the type has none.
///
/// # Safety
/// The object is alive.
#[inline(always)]
pub(crate) unsafe fn length(object: *mut ffi::PyObject) -> Option<isize> {
    // SAFETY: a type of a living object, whose tables live as long.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let sequence = (*ty).tp_as_sequence;
        if !sequence.is_null()
            && let Some(length) = (*sequence).sq_length
        {
            return Some(length(object));
        }
        let mapping = (*ty).tp_as_mapping;
        let length = if mapping.is_null() { None } else { (*mapping).mp_length };
        length.map(|length| length(object))
    }
}

/// `object[key] = value` of a dict.
///
/// # Safety
/// The objects are alive.
#[inline(always)]
pub(crate) unsafe fn set_dict_item(
    object: *mut ffi::PyObject,
    key: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> Option<c_int> {
    // SAFETY: the objects are alive.
    unsafe {
        let is_dict = IS_LOCKED && ffi::PyDict_CheckExact(object) != 0;
        (is_dict && !key.is_null() && !value.is_null())
            .then(|| ffi::PyDict_SetItem(object, key, value))
    }
}

/// Puts an item at the end of a list that has room for more than it holds; whether it did.
///
/// # Safety
/// The objects are alive.
#[inline(always)]
pub(crate) unsafe fn append(object: *mut ffi::PyObject, item: *mut ffi::PyObject) -> bool {
    // SAFETY: an exact list has the layout of one, and room for as many items as it says.
    unsafe {
        if !IS_LOCKED || ffi::PyList_CheckExact(object) == 0 || item.is_null() {
            return false;
        }
        let list = object.cast::<ffi::PyListObject>();
        let size = ffi::Py_SIZE(object);
        if size >= (*list).allocated {
            return false;
        }
        ffi::Py_INCREF(item);
        (*list).ob_item.offset(size).write(item);
        (*list).ob_base.ob_size = size + 1;
        true
    }
}

/// Whether a type is directly below `object`, and has no other base.
///
/// # Safety
/// `ty` is a type.
#[inline(always)]
pub(crate) unsafe fn is_below_object(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required.
    unsafe { (*ty).tp_base == &raw mut ffi::PyBaseObject_Type }
}

/// The flags of a str, in one word of it, that say that nothing but ASCII characters follows its head. The bits of a word lie so where the
/// first byte is the lowest.
const COMPACT_ASCII: u32 = 0b11 << 5;

/// Releases of 3.14 do not agree about the field in front of the flags, and one runtime is for all of them.
const KNOWS_ASCII: bool = IS_LOCKED && !cfg!(Py_3_14) && cfg!(target_endian = "little");

/// The text of a str of ASCII characters, which is also its UTF-8.
///
/// # Safety
/// The object is alive. So is the text as long as it is.
#[inline(always)]
pub(crate) unsafe fn ascii(object: *mut ffi::PyObject) -> Option<(*const c_char, isize)> {
    // SAFETY: every str begins with this struct.
    unsafe {
        if !KNOWS_ASCII || ffi::PyUnicode_Check(object) == 0 {
            return None;
        }
        let str = object.cast::<ffi::PyASCIIObject>();
        let flags = (&raw const (*str).state).cast::<u32>().read();
        (flags & COMPACT_ASCII == COMPACT_ASCII)
            .then(|| (str.add(1).cast_const().cast(), (*str).length))
    }
}

/// Longer texts are as fast in CPython, which copies while it looks.
const LONGEST: usize = 256;

/// A str of ASCII characters, which are copied. Texts of up to one character are objects that CPython shares.
///
/// # Safety
/// The interpreter is attached, and there are as many characters.
#[inline(always)]
pub(crate) unsafe fn from_ascii(text: *const c_char, size: usize) -> Option<*mut ffi::PyObject> {
    if !KNOWS_ASCII || !(2..=LONGEST).contains(&size) {
        return None;
    }
    // SAFETY: there are as many characters, and the new str has as many.
    unsafe {
        if !core::slice::from_raw_parts(text.cast::<u8>(), size).is_ascii() {
            return None;
        }
        let object = ffi::PyUnicode_New(size as isize, 127);
        if object.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let place = object.cast::<ffi::PyASCIIObject>().add(1).cast();
        ptr::copy_nonoverlapping(text, place, size);
        Some(object)
    }
}

#[cfg(all(test, not(Py_GIL_DISABLED)))]
mod tests {
    use super::*;

    /// The flags are where the struct has them.
    #[test]
    fn ascii_is_known_as_such() {
        // SAFETY: the interpreter is attached after it is initialized; the objects are ours.
        unsafe {
            ffi::Py_InitializeEx(0);
            let ascii_text = ffi::PyUnicode_FromString(c"text".as_ptr());
            let other_text = ffi::PyUnicode_FromString(c"t\xc3\xa4xt".as_ptr());
            if KNOWS_ASCII {
                let (text, size) = ascii(ascii_text).unwrap_or((ptr::null(), 0));
                assert_eq!(size, 4);
                assert_eq!(core::ffi::CStr::from_ptr(text), c"text");
                let copy = from_ascii(text, 4).unwrap_or(ptr::null_mut());
                assert_eq!(ffi::PyUnicode_Compare(copy, ascii_text), 0);
                ffi::Py_DECREF(copy);
            }
            assert!(ascii(other_text).is_none());
            ffi::Py_DECREF(ascii_text);
            ffi::Py_DECREF(other_text);
        }
    }
}
