//! Reading a `HPyType_Spec`: its definitions sorted by kind, and where the struct goes.

use std::ffi::{CStr, CString};

use hpy_abi::*;
use hpy_host::TypeDefinitions as Definitions;
use pyo3_ffi as ffi;

use super::record::{self, Record};
use super::shape::{self, Layout};
use crate::error::Failure;
use crate::layout;

/// The internal flag of hpy 0.9, which old binaries may still set; CPython uses its bit since 3.13.
const INTERNAL_IS_HPY_TYPE: core::ffi::c_ulong = 1 << 2;

/// Where the struct of a type is, and how large its instances are.
pub(crate) struct Place {
    /// The shape that the record gets: the base's, where the type has no struct of its own.
    pub shape: HPyType_BuiltinShape,
    /// See [`Record::struct_offset`].
    pub struct_offset: usize,
    /// Size of the struct.
    pub struct_size: usize,
    /// The struct lies behind the items.
    pub variable: bool,
    /// `tp_basicsize`, or 0 to inherit the base's.
    pub basicsize: usize,
    /// Where the call function is, if instances have one.
    pub vectorcall: Option<usize>,
}

/// Name, flags and layout of a type, checked against its base.
pub(crate) struct Checked {
    /// Full name.
    pub name: CString,
    /// Flags for CPython.
    pub flags: core::ffi::c_ulong,
    /// Layout.
    pub place: Place,
    /// What instances of the base are called through.
    pub base_call: Option<ffi::vectorcallfunc>,
}

/// Checks `spec` against `base`, from which it inherits its layout.
///
/// # Safety
/// `spec` has valid pointers, `base` is a type.
pub(crate) unsafe fn check(
    spec: &HPyType_Spec,
    definitions: &Definitions,
    base: *mut ffi::PyTypeObject,
) -> Result<Checked, Failure> {
    if spec.name.is_null() {
        return Err(Failure::Value("HPyType_FromSpec: HPyType_Spec.name is NULL".into()));
    }
    if spec.basicsize < 0 || spec.itemsize < 0 {
        return Err(Failure::Value("HPyType_FromSpec: a size in HPyType_Spec is negative".into()));
    }
    // SAFETY: as required.
    unsafe {
        let name = CStr::from_ptr(spec.name).to_owned();
        let layout = shape::layout(spec.builtin_shape).ok_or_else(|| {
            Failure::Value(format!(
                "{}: {} is not a HPyType_BuiltinShape",
                name.to_string_lossy(),
                spec.builtin_shape.0
            ))
        })?;
        let context =
            Context { spec, definitions, base, layout, label: name.to_string_lossy().into() };
        context.check_legacy()?;
        context.check_members()?;
        let mut place = context.place()?;
        let base_record = record::find(base);
        let base_call = base_record.and_then(|record| record.default_call);
        context.call_protocol(&mut place, base_call.is_some())?;
        let flags = context.flags(&place)?;
        Ok(Checked { name, flags, place, base_call })
    }
}

/// What the checks look at.
struct Context<'a> {
    spec: &'a HPyType_Spec,
    definitions: &'a Definitions,
    base: *mut ffi::PyTypeObject,
    layout: Layout,
    label: String,
}

impl Context<'_> {
    fn legacy(&self) -> bool {
        self.spec.builtin_shape == HPyType_BuiltinShape_Legacy
    }

    /// Whether the type has a struct of its own rather than its base's.
    fn own_struct(&self) -> bool {
        self.spec.basicsize > 0
    }

    fn has_legacy_call_member(&self) -> bool {
        // SAFETY: legacy slots are a PyType_Slot array.
        unsafe { super::create::has_legacy_call_member(self.spec) }
    }

    fn type_error(&self, message: &str) -> Failure {
        Failure::Type(format!("{}: {message}", self.label))
    }

    unsafe fn check_legacy(&self) -> Result<(), Failure> {
        // SAFETY: the base is a type.
        let base_record = unsafe { record::find(self.base) };
        if !self.legacy() {
            if self.spec.legacy_slots.is_null() {
                return Ok(());
            }
            return Err(Failure::Type(
                "cannot specify .legacy_slots without setting \
                 .builtin_shape=HPyType_BuiltinShape_Legacy"
                    .into(),
            ));
        }
        if base_record.is_some_and(|record| record.shape != HPyType_BuiltinShape_Legacy) {
            return Err(Failure::Type(
                "A legacy type should not inherit its memory layout from a pure type".into(),
            ));
        }
        Ok(())
    }

    fn check_members(&self) -> Result<(), Failure> {
        if self.own_struct() || self.definitions.members.is_empty() {
            return Ok(());
        }
        Err(self.type_error("members need a struct: set .basicsize to its size"))
    }

    unsafe fn place(&self) -> Result<Place, Failure> {
        // SAFETY: the base is a type.
        unsafe {
            let base_record = record::find(self.base);
            if !self.own_struct() {
                return Ok(self.inherited(base_record));
            }
            if !crate::layout::has_structs_below(self.layout.builtin) {
                return Err(self.type_error(
                    "this Python keeps no struct in objects of this shape: store what belongs to \
                     them elsewhere, or use another shape",
                ));
            }
            let size = self.spec.basicsize as usize;
            self.check_base(base_record, size)?;
            let layout = self.layout;
            let basicsize = if layout.variable {
                // Room for the struct wherever the items end.
                layout.struct_offset + shape::align(1) + size.next_multiple_of(8)
            } else {
                layout.struct_offset + size
            };
            Ok(Place {
                shape: self.spec.builtin_shape,
                struct_offset: layout.struct_offset,
                struct_size: size,
                variable: layout.variable,
                basicsize,
                vectorcall: None,
            })
        }
    }

    /// The layout of a type without a struct: its base's.
    fn inherited(&self, base_record: Option<&Record>) -> Place {
        let (shape, struct_offset, struct_size) = match base_record {
            Some(record) => (record.shape, record.struct_offset, record.struct_size),
            None => (self.spec.builtin_shape, self.layout.struct_offset, 0),
        };
        let variable = shape::layout(shape).is_some_and(|layout| layout.variable);
        Place { shape, struct_offset, struct_size, variable, basicsize: 0, vectorcall: None }
    }

    /// Refuses a struct that would overlap what the base has at its place.
    unsafe fn check_base(&self, base_record: Option<&Record>, size: usize) -> Result<(), Failure> {
        // SAFETY: the base and the builtin are types.
        unsafe {
            let basicsize = |ty: *mut ffi::PyTypeObject| layout::tp_basicsize(ty) as usize;
            if self.legacy() {
                if size < basicsize(self.base) {
                    return Err(self.type_error("the struct is smaller than that of the base"));
                }
                return Ok(());
            }
            let Some(record) = base_record.filter(|record| record.struct_size > 0) else {
                let builtin = self.layout.builtin;
                // What is no larger than `object` leaves room for every struct.
                if basicsize(self.base) == size_of::<ffi::PyObject>() {
                    return Ok(());
                }
                if ffi::PyType_IsSubtype(self.base, builtin) != 0
                    && basicsize(self.base) == basicsize(builtin)
                {
                    return Ok(());
                }
                return Err(self.type_error(
                    "the base's memory layout is not that of the type's builtin_shape; \
                     choose the shape of the base, or no struct (.basicsize = 0)",
                ));
            };
            if record.shape != self.spec.builtin_shape {
                return Err(self.type_error("the builtin_shape is not that of the base"));
            }
            if size < record.struct_size {
                return Err(self.type_error("the struct is smaller than that of the base"));
            }
            if !adds_nothing(self.base) {
                return Err(self.type_error(
                    "a base written in Python has attributes of its own where the struct would be",
                ));
            }
            Ok(())
        }
    }

    /// Finds or makes the place of the call function.
    unsafe fn call_protocol(&self, place: &mut Place, base_calls: bool) -> Result<(), Failure> {
        let (member, legacy_member) = (self.definitions.vectorcall, self.has_legacy_call_member());
        if self.definitions.call.is_some() && (member.is_some() || legacy_member) {
            return Err(
                self.type_error("HPy_tp_call and a member __vectorcalloffset__ exclude each other")
            );
        }
        if legacy_member {
            return Ok(());
        }
        if let Some(member) = member {
            place.vectorcall = Some(place.struct_offset + member.offset as usize);
            return Ok(());
        }
        let own_call = self.definitions.call.is_some();
        let inherited_call = base_calls && self.own_struct();
        if !(own_call || inherited_call) {
            return Ok(());
        }
        // SAFETY: the base is a type.
        let (base_size, base_items, base_offset) = unsafe {
            (
                layout::tp_basicsize(self.base),
                layout::tp_itemsize(self.base),
                layout::tp_vectorcall_offset(self.base),
            )
        };
        // The items of a type lie behind all structs of its metaclass.
        let base_items = place.shape != HPyType_BuiltinShape_Type && base_items > 0;
        if place.variable || self.spec.itemsize > 0 || base_items {
            return Err(
                self.type_error("HPy_tp_call is not supported for types with variable size")
            );
        }
        if !self.own_struct() && base_calls && base_offset > 0 {
            return Ok(());
        }
        if self.legacy() && !self.own_struct() {
            return Err(self.type_error("HPy_tp_call needs a struct: set .basicsize to its size"));
        }
        let end = if self.own_struct() {
            place.basicsize
        } else {
            (base_size as usize).max(place.struct_offset)
        };
        let word = end.next_multiple_of(align_of::<usize>());
        place.vectorcall = Some(word);
        place.basicsize = word + size_of::<usize>();
        Ok(())
    }

    unsafe fn flags(&self, place: &Place) -> Result<core::ffi::c_ulong, Failure> {
        let mut flags = self.spec.flags & !INTERNAL_IS_HPY_TYPE;
        let collected = flags & HPy_TPFLAGS_HAVE_GC != 0;
        // SAFETY: legacy slots are a PyType_Slot array; the base is a type.
        unsafe {
            let legacy_traverse = super::create::has_legacy(self.spec, ffi::Py_tp_traverse);
            if collected && self.definitions.traverse.is_none() && !legacy_traverse {
                return Err(Failure::Value(format!(
                    "{}: HPy_TPFLAGS_HAVE_GC needs HPy_tp_traverse",
                    self.label
                )));
            }
            if ffi::PyType_IS_GC(self.base) != 0 {
                flags |= HPy_TPFLAGS_HAVE_GC;
            }
            if place.vectorcall.is_some() {
                flags |= HPy_TPFLAGS_HAVE_VECTORCALL;
            } else if flags & HPy_TPFLAGS_HAVE_VECTORCALL != 0
                && !self.has_legacy_call_member()
                && layout::tp_vectorcall_offset(self.base) <= 0
            {
                return Err(Failure::Value(format!(
                    "{}: HPy_TPFLAGS_HAVE_VECTORCALL needs a member __vectorcalloffset__",
                    self.label
                )));
            }
        }
        Ok(flags)
    }
}

/// Whether `ty` has the instance size of the HPy type that it comes from.
///
/// # Safety
/// `ty` is a type whose hierarchy has a record.
pub(crate) unsafe fn adds_nothing(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: as required.
    unsafe {
        let mut owner = ty;
        while record::own_record(owner).is_none() && !layout::tp_base(owner).is_null() {
            owner = layout::tp_base(owner);
        }
        layout::tp_basicsize(ty) == layout::tp_basicsize(owner)
    }
}
