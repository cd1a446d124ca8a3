//! Types and type specifications, capsules, call functions, buffers and the small enumerations.

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

use crate::{HPy, HPyCFunction, HPyDef};

/// A `PyObject` of the Python/C API; opaque here.
#[repr(C)]
pub struct cpy_PyObject {
    _opaque: [u8; 0],
}

/// A `Py_buffer` of the Python/C API: the layout of [`HPy_buffer`].
pub type cpy_Py_buffer = HPy_buffer;

/// A `visitproc` of the Python/C API.
pub type cpy_visitproc =
    Option<unsafe extern "C" fn(object: *mut cpy_PyObject, arg: *mut c_void) -> c_int>;

/// C's `wchar_t`.
#[cfg(not(windows))]
pub type wchar_t = i32;
/// C's `wchar_t`.
#[cfg(windows)]
pub type wchar_t = u16;

/// Declares a C enumeration whose values come from foreign code, so any bit pattern must be representable.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($(#[$vdoc:meta])* $value:ident = $number:expr,)* }) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub $repr);

        $($(#[$vdoc])* pub const $value: $name = $name($number);)*
    };
}
pub(crate) use open_enum;

open_enum!(
    /// What an entry of a `HPyType_SpecParam` array means.
    HPyType_SpecParam_Kind: c_uint {
        /// The end of the array.
        HPyType_SpecParam_End = 0,
        /// One base class; may be repeated.
        HPyType_SpecParam_Base = 1,
        /// All base classes in a tuple.
        HPyType_SpecParam_BasesTuple = 2,
        /// The metaclass.
        HPyType_SpecParam_Metaclass = 3,
    }
);

open_enum!(
    /// The property of a capsule that `ctx_Capsule_Get` and `ctx_Capsule_Set` are about.
    _HPyCapsule_key: c_uint {
        /// The pointer.
        HPyCapsule_key_Pointer = 0,
        /// The name.
        HPyCapsule_key_Name = 1,
        /// The context pointer.
        HPyCapsule_key_Context = 2,
        /// The destructor.
        HPyCapsule_key_Destructor = 3,
    }
);

open_enum!(
    /// What kind of source `HPy_Compile_s` gets.
    HPy_SourceKind: c_uint {
        /// An expression.
        HPy_SourceKind_Expr = 0,
        /// A file: statements.
        HPy_SourceKind_File = 1,
        /// One interactive statement.
        HPy_SourceKind_Single = 2,
    }
);

open_enum!(
    /// The operator of a rich comparison.
    HPy_RichCmpOp: c_uint {
        /// `<`
        HPy_LT = 0,
        /// `<=`
        HPy_LE = 1,
        /// `==`
        HPy_EQ = 2,
        /// `!=`
        HPy_NE = 3,
        /// `>`
        HPy_GT = 4,
        /// `>=`
        HPy_GE = 5,
    }
);

/// The default flags of a type.
pub const HPy_TPFLAGS_DEFAULT: c_ulong = (1 << 9) | (1 << 18);
/// The type may be subclassed.
pub const HPy_TPFLAGS_BASETYPE: c_ulong = 1 << 10;
/// Instances have a vectorcall word at the offset given by the member `__vectorcalloffset__`.
pub const HPy_TPFLAGS_HAVE_VECTORCALL: c_ulong = 1 << 11;
/// Instances take part in garbage collection; the type needs `HPy_tp_traverse`.
pub const HPy_TPFLAGS_HAVE_GC: c_ulong = 1 << 14;

/// How a type is to be made.
#[repr(C)]
pub struct HPyType_Spec {
    /// Full name, `"module.Type"`, UTF-8.
    pub name: *const c_char,
    /// Size of the C struct; 0 inherits the base's.
    pub basicsize: c_int,
    /// Size of an item of variable-sized objects.
    pub itemsize: c_int,
    /// `HPy_TPFLAGS_…`
    pub flags: c_ulong,
    /// Which builtin's layout the struct extends.
    pub builtin_shape: crate::HPyType_BuiltinShape,
    /// `PyType_Slot` array of a legacy type, or null.
    pub legacy_slots: *mut c_void,
    /// Null-terminated array of definitions, or null.
    pub defines: *const *mut HPyDef,
    /// Documentation string, or null.
    pub doc: *const c_char,
}

/// One entry of the parameter array of `HPyType_FromSpec`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HPyType_SpecParam {
    /// What `object` is.
    pub kind: HPyType_SpecParam_Kind,
    /// The class or tuple.
    pub object: HPy,
}

/// A function that an instance is called through (`HPy_SetCallFunction`).
#[repr(C)]
pub struct HPyCallFunction {
    /// A C API vectorcall function.
    pub cpy_trampoline: HPyCFunction,
    /// The author's function, signature `HPyFunc_KEYWORDS`.
    pub impl_: HPyCFunction,
}

/// The destructor of a capsule.
#[repr(C)]
pub struct HPyCapsule_Destructor {
    /// A C API capsule destructor.
    pub cpy_trampoline: HPyCFunction,
    /// The author's function, signature `HPyFunc_CAPSULE_DESTRUCTOR`.
    pub impl_: Option<HPyFunc_Capsule_Destructor>,
}

/// The author's capsule destructor: name, pointer and context of the dying capsule.
pub type HPyFunc_Capsule_Destructor =
    unsafe extern "C" fn(name: *const c_char, pointer: *mut c_void, context: *mut c_void);

/// A view of an exporter's memory; the layout of `Py_buffer`.
#[repr(C)]
pub struct HPy_buffer {
    /// The memory.
    pub buf: *mut c_void,
    /// The exporter, a handle that the buffer owns.
    pub obj: HPy,
    /// Length in bytes.
    pub len: isize,
    /// Size of an item in bytes.
    pub itemsize: isize,
    /// Not 0 if the memory must not be written.
    pub readonly: c_int,
    /// Number of dimensions.
    pub ndim: c_int,
    /// Format of an item, `struct` module syntax, or null.
    pub format: *mut c_char,
    /// Length of each dimension, or null.
    pub shape: *mut isize,
    /// Stride of each dimension, or null.
    pub strides: *mut isize,
    /// Suboffset of each dimension, or null.
    pub suboffsets: *mut isize,
    /// The exporter's own.
    pub internal: *mut c_void,
}

#[cfg(target_pointer_width = "64")]
mod layout {
    use super::*;
    use core::mem::{offset_of, size_of};

    const _: () = {
        assert!(size_of::<HPyType_SpecParam>() == 16);
        assert!(size_of::<HPyCallFunction>() == 16);
        assert!(size_of::<HPyCapsule_Destructor>() == 16);
        assert!(size_of::<HPy_buffer>() == 80);
        assert!(offset_of!(HPy_buffer, readonly) == 32);
        assert!(offset_of!(HPy_buffer, internal) == 72);
    };
    // `unsigned long` has four bytes on 64-bit Windows; the numbers are those of LP64.
    #[cfg(not(windows))]
    const _: () = {
        assert!(size_of::<HPyType_Spec>() == 56);
        assert!(offset_of!(HPyType_Spec, flags) == 16);
        assert!(offset_of!(HPyType_Spec, builtin_shape) == 24);
        assert!(offset_of!(HPyType_Spec, legacy_slots) == 32);
        assert!(offset_of!(HPyType_Spec, doc) == 48);
    };
}
