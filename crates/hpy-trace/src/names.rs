//! The names of an extension's functions: from the definitions that they are in, else from the library's symbols.

use core::ffi::{CStr, c_char};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hpy_abi::{HPyCFunction, HPyModuleDef, HPyType_Spec};
use hpy_host::{Definition, definitions};

use crate::generated::slot_name;

/// Names by address.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashMap<usize, String>>);

impl Names {
    /// Remembers the functions of a module.
    pub fn note_module(&self, module: &'static HPyModuleDef) {
        // SAFETY: the definitions are static data of the extension.
        unsafe { self.note(definitions(module.defines), |name| name) };
    }

    /// Remembers the functions of a type.
    ///
    /// # Safety
    /// Its definitions are static data.
    pub unsafe fn note_type(&self, spec: &HPyType_Spec) {
        // SAFETY: the caller's promise.
        unsafe {
            let full = text(spec.name);
            let class = full.rsplit('.').next().unwrap_or_default();
            self.note(definitions(spec.defines), |name| format!("{class}.{name}"));
        }
    }

    /// # Safety
    /// The definitions are static data of the extension.
    unsafe fn note(
        &self,
        definitions: impl Iterator<Item = Definition>,
        name: impl Fn(String) -> String,
    ) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut add = |function: HPyCFunction, text: String| {
            if let Some(function) = function {
                names.entry(function as usize).or_insert_with(|| name(text));
            }
        };
        for definition in definitions {
            match definition {
                // SAFETY: names are C strings.
                Definition::Meth(meth) => add(meth.impl_, unsafe { text(meth.name) }),
                Definition::Slot(slot) => add(slot.impl_, slot_name(slot.slot).to_owned()),
                Definition::GetSet(getset) => {
                    // SAFETY: as above.
                    let attribute = unsafe { text(getset.name) };
                    add(getset.getter_impl, format!("{attribute} (get)"));
                    add(getset.setter_impl, format!("{attribute} (set)"));
                }
                Definition::Member(_) | Definition::Unknown(_) => {}
            }
        }
    }

    /// The name of a function.
    pub fn find(&self, function: unsafe extern "C" fn()) -> String {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = names.get(&(function as usize)).cloned();
        known.or_else(|| symbol(function)).unwrap_or_else(|| format!("{function:p}"))
    }
}

/// # Safety
/// A C string, or null.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The symbol of a function, or its place in its library.
#[cfg(unix)]
fn symbol(function: unsafe extern "C" fn()) -> Option<String> {
    // SAFETY: the structure is filled if the result is not 0; its strings live as long as the library.
    unsafe {
        let mut found: libc::Dl_info = core::mem::zeroed();
        if libc::dladdr(function as *const _, &mut found) == 0 {
            return None;
        }
        if !found.dli_sname.is_null() && found.dli_saddr == function as *mut _ {
            return Some(text(found.dli_sname));
        }
        let file = text(found.dli_fname);
        let file = file.rsplit('/').next().unwrap_or_default();
        Some(format!("{file}+{:#x}", function as usize - found.dli_fbase as usize))
    }
}

#[cfg(not(unix))]
fn symbol(_function: unsafe extern "C" fn()) -> Option<String> {
    None
}
