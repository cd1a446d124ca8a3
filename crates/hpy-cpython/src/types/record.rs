//! The record behind each type that HPy makes, and how it is found from a type.

use core::cell::OnceCell;
use core::ffi::{c_int, c_void};
use core::ptr;

use hpy_abi::{
    HPyField, HPyFunc_destroyfunc, HPyFunc_traverseproc, HPyFunc_visitproc, HPyType_BuiltinShape,
};
use pyo3_ffi as ffi;

use super::construct::Constructor;
use super::shape;
use crate::layout::{self, Extra, Kept, Memory};

/// Tells a record from whatever else could be in the word; the same number in `include/hpy/cpython/`.
const MAGIC: u64 = 0x3145_5059_5459_4850;

/// Flag of a record: the type's `tp_dealloc` is the author's own. It frees the object, whatever is derived from it.
pub(crate) const LEGACY_DEALLOC: i32 = 1;
/// Flag of a record: the type's `tp_traverse` and `tp_clear` are the author's own.
pub(crate) const LEGACY_TRAVERSE: i32 = 2;
/// Flag of a record: it ends with `object_members`.
const OBJECT_MEMBERS: i32 = 4;
/// Flag of a record that was made here, and not by the headers of the CPython ABI, which have 8 and 16 for themselves.
const MADE_HERE: i32 = 32;

/// What the runtime must know of a type. The fields of this struct are shared with the CPython ABI (`include/hpy/cpython/`):
/// records made there and here, by several libraries, are found in one hierarchy of types.
#[repr(C)]
pub(crate) struct Record {
    magic: u64,
    /// Which builtin's layout the struct extends.
    pub shape: HPyType_BuiltinShape,
    /// [`LEGACY_DEALLOC`], [`LEGACY_TRAVERSE`], [`OBJECT_MEMBERS`], [`MADE_HERE`]
    pub flags: i32,
    /// Where the struct is in the object; for variable-sized shapes, where the items begin.
    pub struct_offset: usize,
    /// Size of the struct.
    pub struct_size: usize,
    /// The author's traverse function.
    pub traverse: Option<HPyFunc_traverseproc>,
    /// The author's destroy function.
    pub destroy: Option<HPyFunc_destroyfunc>,
    /// What instances are called through unless they have a call function of their own.
    pub default_call: Option<ffi::vectorcallfunc>,
    /// Offsets in the struct of members that hold references, ended by -1. Only if the flags say so: not every maker has this field.
    object_members: *const isize,
    /// What the makers of types with the limited API have at this place.
    pub extra: Extra,
    /// How objects are made. Not in records made elsewhere.
    pub constructor: Constructor,
    /// How their memory is kept. Not in records made elsewhere.
    memory: OnceCell<Memory>,
}

// SAFETY: a record is not changed after its first type is made, and until then the lock of the load's interpreter protects it; its pointers
// are to code and to what lives for ever.
unsafe impl Sync for Record {}

impl Record {
    /// A record with nothing to do, for a struct of `shape` at `struct_offset`.
    pub(crate) fn new(
        shape: HPyType_BuiltinShape,
        struct_offset: usize,
        struct_size: usize,
    ) -> Self {
        Self {
            magic: MAGIC,
            shape,
            flags: MADE_HERE,
            struct_offset,
            struct_size,
            traverse: None,
            destroy: None,
            default_call: None,
            object_members: ptr::null(),
            extra: Extra::default(),
            constructor: Constructor::default(),
            memory: OnceCell::new(),
        }
    }

    /// How the memory of objects is kept, if the record was made here and it is kept.
    #[inline(always)]
    pub(crate) fn memory(&self) -> Option<&Memory> {
        if self.flags & MADE_HERE == 0 { None } else { self.memory.get() }
    }

    /// Lets the memory of a new type's objects be kept, if it can be.
    ///
    /// # Safety
    /// `ty` is a type with this record, which was made for the load of `kept`, and nobody else uses it yet.
    pub(crate) unsafe fn keep_memory(&self, ty: *mut ffi::PyTypeObject, kept: &'static Kept) {
        if self.flags & LEGACY_DEALLOC == 0 && !shape::is_variable(self.shape) {
            // SAFETY: as required.
            if let Some(memory) = unsafe { Memory::install(ty, kept) } {
                self.memory.get_or_init(|| memory);
            }
        }
    }

    /// Says which members hold references, for a type whose author gave no traverse function.
    pub(crate) fn set_object_members(&mut self, mut offsets: Vec<isize>) {
        offsets.push(-1);
        self.flags |= OBJECT_MEMBERS;
        self.object_members = offsets.leak().as_ptr();
    }

    /// Whether there can be fields in the struct.
    pub(crate) fn has_fields(&self) -> bool {
        self.traverse.is_some() || self.flags & OBJECT_MEMBERS != 0
    }

    /// Whether code of the Python/C API releases what is in the struct, or shows it to the collector.
    pub(crate) fn is_legacy(&self) -> bool {
        self.flags & (LEGACY_DEALLOC | LEGACY_TRAVERSE) != 0
    }

    /// Shows the fields of a struct to a visitor: as the author does, or else the object members.
    ///
    /// # Safety
    /// `data` is a struct that this record describes; `visit` takes `arg`.
    #[inline(always)]
    pub(crate) unsafe fn visit_fields(
        &self,
        data: *mut c_void,
        visit: HPyFunc_visitproc,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: as required.
        unsafe {
            match self.traverse {
                Some(author) => author(data, visit, arg),
                None if self.has_fields() => self.visit_object_members(data, visit, arg),
                None => 0,
            }
        }
    }

    /// # Safety
    /// As for [`Self::visit_fields`]; the record has object members.
    #[inline(never)]
    unsafe fn visit_object_members(
        &self,
        data: *mut c_void,
        visit: HPyFunc_visitproc,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: the struct has a field at each of the offsets, which end with a negative number.
        unsafe {
            let mut offset = self.object_members;
            while *offset >= 0 {
                let result = visit(data.byte_offset(*offset).cast::<HPyField>(), arg);
                if result != 0 {
                    return result;
                }
                offset = offset.add(1);
            }
        }
        0
    }
}

/// The record of exactly this type, if HPy made it.
///
/// # Safety
/// `ty` is a type.
#[inline]
pub(crate) unsafe fn own_record(ty: *mut ffi::PyTypeObject) -> Option<&'static Record> {
    // SAFETY: what is at the place is null or an immortal record that begins with the magic number.
    unsafe {
        if ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) == 0 {
            return None;
        }
        let record = layout::record_place(ty).cast::<Record>();
        if record.is_null() || (*record).magic != MAGIC { None } else { Some(&*record) }
    }
}

/// The nearest record of `ty` and the types that its layout comes from.
///
/// # Safety
/// `ty` is a type or null.
#[inline]
pub(crate) unsafe fn find(mut ty: *mut ffi::PyTypeObject) -> Option<&'static Record> {
    while !ty.is_null() {
        // SAFETY: `tp_base` of a type is a type or null.
        unsafe {
            if let Some(record) = own_record(ty) {
                return Some(record);
            }
            ty = layout::tp_base(ty);
        }
    }
    None
}
