//! Plans: all that CPython must be told to make a type, worked out once for each specification.
//!
//! A plan lives for ever, because CPython and the thunks keep pointers into it. Making a type again from the same definitions in the
//! same context finds the plan by comparing, without working anything out or allocating anything.

use core::ffi::{CStr, c_int, c_uint, c_void};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use hpy_abi::*;
use hpy_host::{Definition, definitions};
use pyo3_ffi as ffi;

use super::create::legacy_slots;
use super::record::{self, Record};
use super::shape;
use super::spec::adds_nothing;
use crate::layout;

/// All that CPython must be told.
pub(crate) struct Plan {
    /// What the plan was made for.
    pub origin: Origin,
    /// What the word in the type points to.
    pub record: Record,
    /// Methods, ended by a zeroed entry, or empty.
    pub methods: Vec<ffi::PyMethodDef>,
    /// Attributes with getters, ended by a zeroed entry, or empty.
    pub getsets: Vec<ffi::PyGetSetDef>,
    /// Members, ended by a zeroed entry, or empty.
    pub members: Vec<ffi::PyMemberDef>,
    /// The slots, which point into the other tables.
    pub slots: Vec<ffi::PyType_Slot>,
    /// `tp_basicsize`, or 0 to inherit the base's.
    pub basicsize: c_int,
    /// `tp_flags`
    pub flags: c_uint,
}

// SAFETY: a plan is not changed after it is made; its pointers are to code and to data that live for ever.
unsafe impl Send for Plan {}
// SAFETY: as above; CPython only reads the tables.
unsafe impl Sync for Plan {}

impl Plan {
    /// The C API's specification.
    pub(crate) fn spec(&self) -> ffi::PyType_Spec {
        ffi::PyType_Spec {
            name: self.origin.name.as_ptr(),
            basicsize: self.basicsize,
            itemsize: self.origin.facts.itemsize,
            flags: self.flags,
            slots: self.slots.as_ptr().cast_mut(),
        }
    }
}

/// What a plan follows from: equal origins give the same plan.
pub(crate) struct Origin {
    /// Full name of the type; CPython before 3.11 keeps the pointer.
    pub name: CString,
    facts: Facts,
    definitions: Vec<Fingerprint>,
}

impl Origin {
    /// # Safety
    /// `spec` and `base` are those of a call of `HPyType_FromSpec`.
    pub(crate) unsafe fn of(
        spec: &HPyType_Spec,
        base: *mut ffi::PyTypeObject,
        name: CString,
    ) -> Self {
        // SAFETY: as required.
        unsafe {
            Self { name, facts: Facts::of(spec, base), definitions: fingerprints(spec).collect() }
        }
    }

    unsafe fn is(&self, spec: &HPyType_Spec, facts: &Facts) -> bool {
        // SAFETY: the name is a C string.
        unsafe {
            self.facts == *facts
                && !spec.name.is_null()
                && self.name.as_c_str() == CStr::from_ptr(spec.name)
                && fingerprints(spec).eq(self.definitions.iter().copied())
        }
    }
}

/// The numbers of a specification and of its base that a plan depends on.
#[derive(PartialEq)]
struct Facts {
    basicsize: c_int,
    itemsize: c_int,
    flags: core::ffi::c_ulong,
    shape: HPyType_BuiltinShape,
    doc: usize,
    base_record: usize,
    base_size: isize,
    base_itemsize: isize,
    base_vectorcall: isize,
    base_is_collected: bool,
    base_adds_nothing: bool,
    base_fits_shape: bool,
}

impl Facts {
    unsafe fn of(spec: &HPyType_Spec, base: *mut ffi::PyTypeObject) -> Self {
        // SAFETY: the base is a type.
        unsafe {
            let record = record::find(base);
            let builtin = shape::layout(spec.builtin_shape).map(|layout| layout.builtin);
            Self {
                basicsize: spec.basicsize,
                itemsize: spec.itemsize,
                flags: spec.flags,
                shape: spec.builtin_shape,
                doc: spec.doc as usize,
                base_record: record.map_or(0, |record| core::ptr::from_ref(record) as usize),
                base_size: layout::tp_basicsize(base),
                base_itemsize: layout::tp_itemsize(base),
                base_vectorcall: layout::tp_vectorcall_offset(base),
                base_is_collected: ffi::PyType_IS_GC(base) != 0,
                base_adds_nothing: record.is_none() || adds_nothing(base),
                base_fits_shape: builtin.is_some_and(|b| ffi::PyType_IsSubtype(base, b) != 0),
            }
        }
    }
}

/// Everything that tells one definition from another.
type Fingerprint = [usize; 8];

/// The definitions and legacy slots of `spec`.
unsafe fn fingerprints(spec: &HPyType_Spec) -> impl Iterator<Item = Fingerprint> {
    let code = |f: HPyCFunction| f.map_or(0, |f| f as usize);
    // SAFETY: the definitions are those of a library that stays loaded, the legacy slots a PyType_Slot array or null.
    let (hpy, legacy) = unsafe { (definitions(spec.defines), legacy_slots(spec)) };
    hpy.map(move |definition| match definition {
        Definition::Slot(s) => {
            [1, s.slot.0 as usize, code(s.impl_), code(s.cpy_trampoline), 0, 0, 0, 0]
        }
        Definition::Meth(m) => {
            let doc = m.doc as usize;
            let trampoline = code(m.cpy_trampoline);
            [2, m.name as usize, code(m.impl_), trampoline, m.signature.0 as usize, doc, 0, 0]
        }
        Definition::Member(m) => {
            let (kind, readonly) = (m.type_.0 as usize, m.readonly as usize);
            [3, m.name as usize, kind, m.offset as usize, readonly, m.doc as usize, 0, 0]
        }
        Definition::GetSet(g) => {
            let (get, set) = (code(g.getter_impl), code(g.setter_impl));
            let trampolines = code(g.getter_cpy_trampoline) ^ code(g.setter_cpy_trampoline);
            [4, g.name as usize, get, set, trampolines, g.doc as usize, g.closure as usize, 0]
        }
        Definition::Unknown(kind) => [5, kind.0 as usize, 0, 0, 0, 0, 0, 0],
    })
    .chain(legacy.map(|entry| [6, entry.slot as usize, entry.pfunc as usize, 0, 0, 0, 0, 0]))
}

/// Plans by context and array of definitions.
type Plans = BTreeMap<(usize, usize), Vec<&'static Plan>>;

static PLANS: Mutex<Plans> = Mutex::new(BTreeMap::new());

fn key(ctx: *mut HPyContext, spec: &HPyType_Spec) -> (usize, usize) {
    (ctx as usize, spec.defines as usize)
}

/// The plan that was made for this specification before.
///
/// # Safety
/// `spec` and `base` are those of a call of `HPyType_FromSpec`.
pub(crate) unsafe fn find(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    base: *mut ffi::PyTypeObject,
) -> Option<&'static Plan> {
    // SAFETY: as required.
    unsafe {
        let facts = Facts::of(spec, base);
        let plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        plans.get(&key(ctx, spec))?.iter().copied().find(|plan| plan.origin.is(spec, &facts))
    }
}

/// Keeps a plan for ever.
pub(crate) fn keep(ctx: *mut HPyContext, spec: &HPyType_Spec, plan: Plan) -> &'static Plan {
    let plan = Box::leak(Box::new(plan));
    layout::place_record(&mut plan.members, &raw const plan.record);
    let plan: &'static Plan = plan;
    let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
    plans.entry(key(ctx, spec)).or_default().push(plan);
    plan
}

/// A table as the value of a slot; null for an empty one, which needs no slot.
pub(crate) fn table<T>(table: &[T]) -> *mut c_void {
    if table.is_empty() { core::ptr::null_mut() } else { table.as_ptr().cast_mut().cast() }
}
