//! Definitions: what an extension declares statically and a host only reads.

use core::ffi::{c_char, c_int, c_uint, c_void};

use crate::types::open_enum;
use crate::{HPyFunc_Signature, HPyGlobal, HPyMember_FieldType, HPySlot_Slot};

/// A C function of unknown prototype; what it is follows from a signature.
pub type HPyCFunction = Option<unsafe extern "C" fn()>;

/// The author's traverse function: struct, visitor, the visitor's argument.
pub type HPyFunc_traverseproc =
    unsafe extern "C" fn(object: *mut c_void, visit: HPyFunc_visitproc, arg: *mut c_void) -> c_int;

/// What a traverse function calls for each field.
pub type HPyFunc_visitproc =
    unsafe extern "C" fn(field: *mut crate::HPyField, arg: *mut c_void) -> c_int;

/// The author's destroy function: it gets the struct.
pub type HPyFunc_destroyfunc = unsafe extern "C" fn(object: *mut c_void);

open_enum!(
    /// Which member of the union in `HPyDef` counts.
    HPyDef_Kind: c_uint {
        /// A slot of a type or a module.
        HPyDef_Kind_Slot = 1,
        /// A method or a function.
        HPyDef_Kind_Meth = 2,
        /// A member of the C struct.
        HPyDef_Kind_Member = 3,
        /// An attribute with getter and setter.
        HPyDef_Kind_GetSet = 4,
    }
);

/// A slot.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HPySlot {
    /// Which one.
    pub slot: HPySlot_Slot,
    /// The author's function.
    pub impl_: HPyCFunction,
    /// The extension's adapter for the Python/C API.
    pub cpy_trampoline: HPyCFunction,
}

/// A method or function.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HPyMeth {
    /// Its name, UTF-8.
    pub name: *const c_char,
    /// The author's function.
    pub impl_: HPyCFunction,
    /// The extension's adapter for the Python/C API.
    pub cpy_trampoline: HPyCFunction,
    /// The prototype of `impl_`.
    pub signature: HPyFunc_Signature,
    /// Documentation string, or null.
    pub doc: *const c_char,
}

/// A member of the C struct as an attribute.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HPyMember {
    /// Its name, UTF-8.
    pub name: *const c_char,
    /// The C type of the field.
    pub type_: HPyMember_FieldType,
    /// Where it is in the author's struct.
    pub offset: isize,
    /// Not 0 if Python must not assign it.
    pub readonly: c_int,
    /// Documentation string, or null.
    pub doc: *const c_char,
}

/// An attribute with getter and setter.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HPyGetSet {
    /// Its name, UTF-8.
    pub name: *const c_char,
    /// The author's getter, or null.
    pub getter_impl: HPyCFunction,
    /// The author's setter, or null.
    pub setter_impl: HPyCFunction,
    /// The extension's adapter for the Python/C API.
    pub getter_cpy_trampoline: HPyCFunction,
    /// The extension's adapter for the Python/C API.
    pub setter_cpy_trampoline: HPyCFunction,
    /// Documentation string, or null.
    pub doc: *const c_char,
    /// Handed to getter and setter.
    pub closure: *mut c_void,
}

/// One definition of any kind.
#[repr(C)]
pub struct HPyDef {
    /// Which member of `def` counts.
    pub kind: HPyDef_Kind,
    /// The definition.
    pub def: HPyDef_Union,
}

/// The definition itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub union HPyDef_Union {
    /// For `HPyDef_Kind_Slot`.
    pub slot: HPySlot,
    /// For `HPyDef_Kind_Meth`.
    pub meth: HPyMeth,
    /// For `HPyDef_Kind_Member`.
    pub member: HPyMember,
    /// For `HPyDef_Kind_GetSet`.
    pub getset: HPyGetSet,
}

/// A module.
#[repr(C)]
pub struct HPyModuleDef {
    /// Documentation string, or null.
    pub doc: *const c_char,
    /// Must be 0: there is no module state.
    pub size: isize,
    /// `PyMethodDef` array of a hybrid module, or null.
    pub legacy_methods: *mut c_void,
    /// Null-terminated array of definitions, or null.
    pub defines: *const *mut HPyDef,
    /// Null-terminated array of the module's globals, or null.
    pub globals: *const *mut HPyGlobal,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<HPyDef>() == 64);
    assert!(offset_of!(HPyDef, def) == 8);
    assert!(size_of::<HPySlot>() == 24);
    assert!(offset_of!(HPySlot, impl_) == 8);
    assert!(size_of::<HPyMeth>() == 40);
    assert!(offset_of!(HPyMeth, signature) == 24);
    assert!(offset_of!(HPyMeth, doc) == 32);
    assert!(size_of::<HPyMember>() == 40);
    assert!(offset_of!(HPyMember, offset) == 16);
    assert!(offset_of!(HPyMember, doc) == 32);
    assert!(size_of::<HPyGetSet>() == 56);
    assert!(offset_of!(HPyGetSet, closure) == 48);
    assert!(size_of::<HPyModuleDef>() == 40);
    assert!(offset_of!(HPyModuleDef, globals) == 32);
};
