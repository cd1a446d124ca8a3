//! `HPyType_FromSpec`

use core::ffi::{CStr, c_int, c_uint, c_void};
use core::ptr;

use hpy_abi::*;
use hpy_host::thunk::Kind;
use hpy_host::{TypeDefinitions as Definitions, VECTORCALL_OFFSET};
use pyo3_ffi as ffi;

use super::construct::{self, Constructor};
use super::plan::{self, Origin, Plan};
use super::record::{LEGACY_DEALLOC, LEGACY_TRAVERSE, Record};
use super::spec::Checked;
use super::{call, dealloc, gc, members, params, python_class, slots, spec};
use crate::error::Failure;
use crate::handle::{hpy, new_ref};
use crate::layout;
use crate::load::Load;
use crate::methods::{bind, bind_plain, method_def};

/// `HPyType_FromSpec`
pub(crate) unsafe extern "C" fn ctx_Type_FromSpec(
    ctx: *mut HPyContext,
    spec: *mut HPyType_Spec,
    params: *mut HPyType_SpecParam,
) -> HPy {
    // SAFETY: the caller hands over a specification and null or an array ended by kind 0.
    unsafe {
        match create(ctx, &*spec, params) {
            Ok(ty) => hpy(ty),
            Err(failure) => {
                failure.set();
                HPy::NULL
            }
        }
    }
}

unsafe fn create(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    params: *const HPyType_SpecParam,
) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        python_class::prepare();
        let mut params = params::read(params)?;
        if params.bases.is_null() {
            params.bases = default_bases(spec)?;
        }
        let base = layout_base(params.bases);
        let plan = match plan::find(ctx, spec, base) {
            Some(plan) => plan,
            None => plan::keep(ctx, spec, new_plan(ctx, spec, base)?),
        };
        let ty = from_spec(params.metaclass, &mut plan.spec(), params.bases);
        if ty.is_null() {
            return Err(Failure::Raised);
        }
        layout::attach_record(ty.cast(), &plan.record);
        construct::install(ty.cast(), &plan.record.constructor);
        plan.record.keep_memory(ty.cast(), &Load::of(ctx).kept);
        Ok(ty)
    }
}

/// The type that `spec` describes. Without a metaclass of its own, CPython since 3.12 takes that of the bases.
unsafe fn from_spec(
    metaclass: *mut ffi::PyTypeObject,
    spec: &mut ffi::PyType_Spec,
    bases: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the specification is valid for the C API, the metaclass checked, `bases` a tuple or null.
    unsafe {
        if metaclass == &raw mut ffi::PyType_Type {
            return ffi::PyType_FromSpecWithBases(spec, bases);
        }
        layout::of_metaclass(metaclass, spec, bases)
    }
}

/// The bases that legacy slots name, in a tuple; null for `object`, which is the default whatever the shape is, as in HPy 0.9.
unsafe fn default_bases(spec: &HPyType_Spec) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: the value of Py_tp_bases is a tuple, that of Py_tp_base a type.
    unsafe {
        if let Some(bases) = legacy_value(spec, ffi::Py_tp_bases) {
            return Ok(new_ref(bases.cast()));
        }
        let Some(base) = legacy_value(spec, ffi::Py_tp_base) else {
            return Ok(ptr::null_mut());
        };
        let tuple = ffi::PyTuple_Pack(1, base.cast::<ffi::PyObject>());
        if tuple.is_null() { Err(Failure::Raised) } else { Ok(tuple) }
    }
}

/// The base whose memory layout instances get: the largest, the first among equals. CPython refuses bases that conflict.
unsafe fn layout_base(bases: *mut ffi::PyObject) -> *mut ffi::PyTypeObject {
    if bases.is_null() {
        return &raw mut ffi::PyBaseObject_Type;
    }
    // SAFETY: a tuple of types.
    unsafe {
        let size = ffi::PyTuple_Size(bases);
        let types = (0..size).map(|at| ffi::PyTuple_GetItem(bases, at).cast::<ffi::PyTypeObject>());
        types
            .reduce(
                |best, ty| {
                    if layout::tp_basicsize(ty) > layout::tp_basicsize(best) { ty } else { best }
                },
            )
            .unwrap_or(&raw mut ffi::PyBaseObject_Type)
    }
}

/// The entries of the legacy slots.
///
/// # Safety
/// They are a PyType_Slot array or null.
pub(crate) unsafe fn legacy_slots(spec: &HPyType_Spec) -> impl Iterator<Item = ffi::PyType_Slot> {
    let mut next = spec.legacy_slots.cast::<ffi::PyType_Slot>().cast_const();
    core::iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: the array is ended by slot 0.
        unsafe {
            let entry = ptr::read(next);
            next = next.add(1);
            (entry.slot != 0).then_some(entry)
        }
    })
}

/// Whether the legacy slots have `slot`.
///
/// # Safety
/// The legacy slots of `spec` are a PyType_Slot array or null.
pub(crate) unsafe fn has_legacy(spec: &HPyType_Spec, slot: c_int) -> bool {
    // SAFETY: as required.
    unsafe { legacy_slots(spec).any(|entry| entry.slot == slot) }
}

/// The value of a legacy slot, unless it is null.
unsafe fn legacy_value(spec: &HPyType_Spec, slot: c_int) -> Option<*mut c_void> {
    // SAFETY: as for `has_legacy`.
    let mut entries = unsafe { legacy_slots(spec) };
    entries.find(|entry| entry.slot == slot && !entry.pfunc.is_null()).map(|entry| entry.pfunc)
}

/// Whether the legacy members tell where the call function is.
///
/// # Safety
/// As for [`has_legacy`].
pub(crate) unsafe fn has_legacy_call_member(spec: &HPyType_Spec) -> bool {
    // SAFETY: as required.
    unsafe { legacy_member(spec, VECTORCALL_OFFSET) }.is_some()
}

/// The offset of the legacy member with this name, by which a type tells where it has something.
unsafe fn legacy_member(spec: &HPyType_Spec, name: &CStr) -> Option<isize> {
    // SAFETY: as for `has_legacy`; each member has a name.
    unsafe {
        legacy_table(spec, ffi::Py_tp_members, is_last_member)
            .iter()
            .find(|member| CStr::from_ptr(member.name) == name)
            .map(|member| member.offset)
    }
}

fn is_last_member(member: &ffi::PyMemberDef) -> bool {
    member.name.is_null()
}

unsafe fn check_legacy_dealloc(
    spec: &HPyType_Spec,
    definitions: &Definitions,
) -> Result<(), Failure> {
    // SAFETY: as for `ctx_Type_FromSpec`.
    if !unsafe { has_legacy(spec, ffi::Py_tp_dealloc) } {
        return Ok(());
    }
    let other = match (definitions.traverse, definitions.destroy) {
        (Some(_), _) => "HPy_tp_traverse",
        (_, Some(_)) => "HPy_tp_destroy",
        _ => return Ok(()),
    };
    Err(Failure::Type(format!(
        "a legacy tp_dealloc cannot be combined with {other}: make one of the two do the work"
    )))
}

/// Works out all that CPython must be told of the type.
unsafe fn new_plan(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    base: *mut ffi::PyTypeObject,
) -> Result<Plan, Failure> {
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        let definitions = Definitions::read(spec).map_err(Failure::System)?;
        let checked = spec::check(spec, &definitions, base)?;
        check_legacy_dealloc(spec, &definitions)?;
        let basicsize = c_int::try_from(checked.place.basicsize)
            .map_err(|_| Failure::Value("HPyType_FromSpec: the struct is too large".into()))?;
        let mut plan = Plan {
            record: new_record(ctx, spec, &definitions, &checked, base),
            methods: methods(ctx, spec, &definitions)?,
            getsets: getsets(ctx, spec, &definitions, checked.place.variable),
            members: member_table(spec, &definitions, &checked),
            slots: Vec::new(),
            basicsize,
            flags: checked.flags as c_uint,
            origin: Origin::of(spec, base, checked.name.clone()),
        };
        plan.slots = slot_table(ctx, spec, &definitions, &checked, &plan)?;
        plan.record.constructor = Constructor::read(ctx, &definitions.slots, &plan.slots);
        Ok(plan)
    }
}

unsafe fn new_record(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    base: *mut ffi::PyTypeObject,
) -> Record {
    let place = &checked.place;
    let mut record = Record::new(place.shape, place.struct_offset, place.struct_size);
    // SAFETY: the definitions are those of a loaded library.
    unsafe {
        let call = place.vectorcall.map(|offset| offset as isize);
        let legacy_call = || legacy_member(spec, VECTORCALL_OFFSET);
        let weak = legacy_member(spec, members::WEAKLIST_OFFSET);
        layout::note_places(&mut record, base, call.or_else(legacy_call), weak);
        let legacy_dealloc = has_legacy(spec, ffi::Py_tp_dealloc);
        if legacy_dealloc {
            record.flags |= LEGACY_DEALLOC;
        }
        if has_legacy(spec, ffi::Py_tp_traverse) {
            record.flags |= LEGACY_TRAVERSE;
        }
        record.traverse = core::mem::transmute::<HPyCFunction, Option<HPyFunc_traverseproc>>(
            bind_plain(ctx, Kind::Shift3, HPyFunc_TRAVERSEPROC, definitions.traverse),
        );
        let members = members::object_offsets(&definitions.members);
        if record.traverse.is_none() && !members.is_empty() && !legacy_dealloc {
            record.set_object_members(members);
        }
        record.destroy = core::mem::transmute::<HPyCFunction, Option<HPyFunc_destroyfunc>>(
            bind_plain(ctx, Kind::Shift1, HPyFunc_DESTROYFUNC, definitions.destroy),
        );
        record.default_call =
            match definitions.call {
                Some(slot) => core::mem::transmute::<*const c_void, Option<ffi::vectorcallfunc>>(
                    bind(ctx, Kind::Vectorcall, HPyFunc_KEYWORDS, slot.impl_, slot.cpy_trampoline),
                ),
                None => checked.base_call,
            };
    }
    record
}

/// The entries of a C API table that ends with a null name.
unsafe fn legacy_table<T: Copy>(
    spec: &HPyType_Spec,
    slot: c_int,
    is_end: impl Fn(&T) -> bool,
) -> Vec<T> {
    let mut entries = Vec::new();
    // SAFETY: the slot's value is a table of `T` with an end.
    unsafe {
        for entry in legacy_slots(spec).filter(|entry| entry.slot == slot) {
            let mut next = entry.pfunc.cast::<T>().cast_const();
            while !next.is_null() && !is_end(&*next) {
                entries.push(*next);
                next = next.add(1);
            }
        }
    }
    entries
}

unsafe fn methods(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
) -> Result<Vec<ffi::PyMethodDef>, Failure> {
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        let mut table: Vec<ffi::PyMethodDef> =
            legacy_table(spec, ffi::Py_tp_methods, |m: &ffi::PyMethodDef| m.ml_name.is_null());
        for method in &definitions.methods {
            table.push(method_def(ctx, method)?);
        }
        if !table.is_empty() {
            table.push(ffi::PyMethodDef::zeroed());
        }
        Ok(table)
    }
}

unsafe fn getsets(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    variable: bool,
) -> Vec<ffi::PyGetSetDef> {
    // SAFETY: as for `ctx_Type_FromSpec`; a bound getter or setter has the C API's prototype.
    unsafe {
        let mut table: Vec<ffi::PyGetSetDef> =
            legacy_table(spec, ffi::Py_tp_getset, |g: &ffi::PyGetSetDef| g.name.is_null());
        for attribute in &definitions.getsets {
            table.push(getset_def(ctx, attribute));
        }
        let served = |m: &&&HPyMember| variable || !layout::has_member_type(m.type_);
        table.extend(definitions.members.iter().filter(served).map(|m| members::getset_def(m)));
        if !table.is_empty() {
            table.push(ffi::PyGetSetDef::default());
        }
        table
    }
}

unsafe fn getset_def(ctx: *mut HPyContext, attribute: &HPyGetSet) -> ffi::PyGetSetDef {
    // SAFETY: the author's functions have the prototypes of a getter and a setter.
    let bound = |kind, signature, function: HPyCFunction, trampoline| unsafe {
        bind(ctx, kind, signature, function, trampoline)
    };
    let (getter, setter) = (attribute.getter_cpy_trampoline, attribute.setter_cpy_trampoline);
    let get = bound(Kind::Shift2, HPyFunc_GETTER, attribute.getter_impl, getter);
    let set = bound(Kind::Shift3, HPyFunc_SETTER, attribute.setter_impl, setter);
    // SAFETY: null is `None`, else code with the C API's prototype.
    unsafe {
        ffi::PyGetSetDef {
            name: attribute.name,
            get: layout::getter(core::mem::transmute::<*const c_void, Option<ffi::getter>>(get)),
            set: core::mem::transmute::<*const c_void, Option<ffi::setter>>(set),
            doc: attribute.doc,
            closure: attribute.closure,
        }
    }
}

/// The C API's slots of a type.
unsafe fn slot_table(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    plan: &Plan,
) -> Result<Vec<ffi::PyType_Slot>, Failure> {
    let mut slots = Vec::new();
    let mut push = |slot, pfunc: *mut c_void| {
        if !pfunc.is_null() {
            slots.push(ffi::PyType_Slot { slot, pfunc });
        }
    };
    let tables = [
        (ffi::Py_tp_methods, plan::table(&plan.methods)),
        (ffi::Py_tp_getset, plan::table(&plan.getsets)),
        (ffi::Py_tp_members, plan::table(&plan.members)),
    ];
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        for entry in legacy_slots(spec) {
            // Their tables are merged with ours.
            if !tables.iter().any(|(slot, _)| *slot == entry.slot) {
                push(entry.slot, entry.pfunc);
            }
        }
        for slot in &definitions.slots {
            push(slot.slot.0 as c_int, slots::function(ctx, slot)?);
        }
        if definitions.call.is_some() || checked.place.vectorcall.is_some() {
            push(ffi::Py_tp_call, call::tp_call as *mut c_void);
        }
        if checked.flags & HPy_TPFLAGS_HAVE_GC != 0 && !has_legacy(spec, ffi::Py_tp_traverse) {
            push(ffi::Py_tp_traverse, gc::traverse as *mut c_void);
            push(ffi::Py_tp_clear, gc::clear as *mut c_void);
        }
        if plan.record.has_fields() || plan.record.destroy.is_some() {
            push(ffi::Py_tp_dealloc, dealloc::dealloc as *mut c_void);
        }
    }
    push(ffi::Py_tp_doc, spec.doc.cast_mut().cast());
    for (slot, table) in tables {
        push(slot, table);
    }
    slots.push(ffi::PyType_Slot { slot: 0, pfunc: ptr::null_mut() });
    Ok(slots)
}

unsafe fn member_table(
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
) -> Vec<ffi::PyMemberDef> {
    let place = &checked.place;
    let mut table: Vec<ffi::PyMemberDef> = layout::record_member().into_iter().collect();
    // SAFETY: as for `ctx_Type_FromSpec`.
    table.extend(unsafe { legacy_table(spec, ffi::Py_tp_members, is_last_member) });
    if !place.variable {
        let own = definitions.members.iter().filter(|m| layout::has_member_type(m.type_));
        table.extend(own.map(|m| members::member_def(m, place.struct_offset)));
    }
    if let Some(offset) = place.vectorcall {
        table.push(ffi::PyMemberDef {
            name: VECTORCALL_OFFSET.as_ptr(),
            type_code: HPyMember_HPYSSIZET.0 as c_int,
            offset: offset as isize,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        });
    }
    if !table.is_empty() {
        table.push(members::END);
    }
    table
}
