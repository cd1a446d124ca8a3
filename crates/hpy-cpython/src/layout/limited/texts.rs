//! Names of types, which the API gives as C strings that are never freed.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::sync::{Mutex, PoisonError};

/// A C string with this text, the same for each equal text. There are as many as types have names.
pub(super) fn interned(text: &CStr) -> &'static CStr {
    static TEXTS: Mutex<BTreeSet<&'static CStr>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let new: &'static CStr = Box::leak(CString::from(text).into_boxed_c_str());
    texts.insert(new);
    new
}

#[cfg(test)]
mod tests {
    use super::interned;

    #[test]
    fn equal_texts_are_one() {
        let first = interned(c"name");
        assert_eq!(first, c"name");
        assert_eq!(first.as_ptr(), interned(&first.to_owned()).as_ptr());
        assert_ne!(first.as_ptr(), interned(c"other").as_ptr());
    }
}
