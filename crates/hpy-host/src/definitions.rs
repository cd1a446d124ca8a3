//! Walking the null-terminated arrays of an extension.
//!
//! The unsafe code is sound because the arrays are static data of a library that is never closed,
//! and nobody writes to definitions.

use std::ptr::NonNull;

use hpy_abi::{
    HPyDef, HPyDef_Kind, HPyDef_Kind_GetSet, HPyDef_Kind_Member, HPyDef_Kind_Meth,
    HPyDef_Kind_Slot, HPyGetSet, HPyMember, HPyMeth, HPySlot,
};

/// One definition, with the kind resolved.
#[derive(Clone, Copy)]
pub enum Definition {
    /// A slot of a type or a module.
    Slot(&'static HPySlot),
    /// A method or a function.
    Meth(&'static HPyMeth),
    /// A member of the C struct.
    Member(&'static HPyMember),
    /// An attribute with getter and setter.
    GetSet(&'static HPyGetSet),
    /// None of the kinds that this host knows.
    Unknown(HPyDef_Kind),
}

/// The definitions of a module or a type, in their order. A null pointer is an empty array.
///
/// # Safety
/// `array` is null, or an array of valid definitions that ends with a null pointer; it and they
/// live as long as the process and do not change.
pub unsafe fn definitions(array: *const *mut HPyDef) -> impl Iterator<Item = Definition> {
    // SAFETY: the caller's promise.
    unsafe { null_terminated(array) }.map(|definition| {
        // SAFETY: the caller's promise; `kind` says which member of the union was written.
        unsafe {
            let definition: &'static HPyDef = definition.as_ref();
            match definition.kind {
                HPyDef_Kind_Slot => Definition::Slot(&definition.def.slot),
                HPyDef_Kind_Meth => Definition::Meth(&definition.def.meth),
                HPyDef_Kind_Member => Definition::Member(&definition.def.member),
                HPyDef_Kind_GetSet => Definition::GetSet(&definition.def.getset),
                unknown => Definition::Unknown(unknown),
            }
        }
    })
}

/// The pointers of an array up to the null pointer that ends it. A null array is empty.
///
/// # Safety
/// `array` is null, or ends with a null pointer and lives while the iterator is used.
pub unsafe fn null_terminated<T>(array: *const *mut T) -> impl Iterator<Item = NonNull<T>> {
    let mut next = array;
    std::iter::from_fn(move || {
        // SAFETY: not past the end, because the iterator does not move beyond the null pointer.
        let item = NonNull::new(unsafe { next.as_ref().copied()? })?;
        // SAFETY: the item was not the last one.
        next = unsafe { next.add(1) };
        Some(item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpy_abi::{HPy_mod_exec, HPyDef_Union, HPyFunc_NOARGS};
    use std::ptr;

    #[test]
    fn a_null_array_is_empty() {
        // SAFETY: null is allowed.
        assert_eq!(unsafe { definitions(ptr::null()) }.count(), 0);
    }

    #[test]
    fn kinds_are_resolved_in_order() {
        let meth = HPyMeth {
            name: c"f".as_ptr(),
            impl_: None,
            cpy_trampoline: None,
            signature: HPyFunc_NOARGS,
            doc: ptr::null(),
        };
        let slot = HPySlot { slot: HPy_mod_exec, impl_: None, cpy_trampoline: None };
        let leak = |kind, def| Box::into_raw(Box::new(HPyDef { kind, def }));
        let array = [
            leak(HPyDef_Kind_Meth, HPyDef_Union { meth }),
            leak(HPyDef_Kind_Slot, HPyDef_Union { slot }),
            leak(HPyDef_Kind(99), HPyDef_Union { slot }),
            ptr::null_mut(),
            ptr::null_mut(),
        ];
        // SAFETY: null-terminated, and the definitions were leaked.
        let found: Vec<_> = unsafe { definitions(array.as_ptr()) }.collect();
        assert!(matches!(found[0], Definition::Meth(meth) if meth.signature == HPyFunc_NOARGS));
        assert!(matches!(found[1], Definition::Slot(slot) if slot.slot == HPy_mod_exec));
        assert!(matches!(found[2], Definition::Unknown(HPyDef_Kind(99))));
        assert_eq!(found.len(), 3);
    }
}
