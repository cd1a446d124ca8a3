//! `HPyType_FromSpec`

use core::ffi::{c_int, c_uint, c_void};
use core::ptr;

use hpy_abi::*;
use hpy_host::thunk::{self, Kind};
use pyo3_ffi as ffi;

use super::record::{self, Key, OwnedRecord, Record};
use super::spec::{Checked, Definitions};
use super::{call, dealloc, gc, members, metaclass, params, python_class, shape, slots, spec};
use crate::error::Failure;
use crate::handle::hpy;
use crate::methods::{bind, method_def};

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
        let definitions = Definitions::read(spec)?;
        if params.bases.is_null() {
            params.bases = default_bases(spec.builtin_shape)?;
        }
        let base = layout_base(params.bases);
        let checked = spec::check(spec, &definitions, base)?;
        check_legacy_dealloc(spec, &definitions)?;
        let record = record_for(ctx, spec, &definitions, &checked, base)?;
        let ty = make(ctx, spec, &definitions, &checked, record, &params)?;
        record::attach(ty.cast(), record);
        Ok(ty)
    }
}

/// The builtin that the shape extends, in a tuple.
unsafe fn default_bases(shape: HPyType_BuiltinShape) -> Result<*mut ffi::PyObject, Failure> {
    let builtin = shape::layout(shape).map_or(&raw mut ffi::PyBaseObject_Type, |l| l.builtin);
    // SAFETY: the builtin types are objects.
    let tuple = unsafe { ffi::PyTuple_Pack(1, builtin.cast::<ffi::PyObject>()) };
    if tuple.is_null() { Err(Failure::Raised) } else { Ok(tuple) }
}

/// The base whose memory layout instances get: the largest, the first among equals. CPython refuses bases that conflict.
unsafe fn layout_base(bases: *mut ffi::PyObject) -> *mut ffi::PyTypeObject {
    // SAFETY: a tuple of types.
    unsafe {
        let size = ffi::PyTuple_GET_SIZE(bases);
        let types =
            (0..size).map(|at| ffi::PyTuple_GET_ITEM(bases, at).cast::<ffi::PyTypeObject>());
        types
            .reduce(|best, ty| if (*ty).tp_basicsize > (*best).tp_basicsize { ty } else { best })
            .unwrap_or(&raw mut ffi::PyBaseObject_Type)
    }
}

/// The entries of the legacy slots.
unsafe fn legacy_slots(spec: &HPyType_Spec) -> impl Iterator<Item = ffi::PyType_Slot> {
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

/// The record of the type, interned.
unsafe fn record_for(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    base: *mut ffi::PyTypeObject,
) -> Result<&'static OwnedRecord, Failure> {
    let place = &checked.place;
    let mut words = definitions.fingerprint();
    words.extend([
        place.shape.0 as usize,
        place.struct_offset,
        place.struct_size,
        place.vectorcall.unwrap_or(0),
        spec.legacy_slots as usize,
        checked.base_call.map_or(0, |f| f as usize),
    ]);
    let key = Key { ctx, name: checked.name.clone(), words };
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe { record::intern(key, || new_record(ctx, spec, definitions, checked, base)) }
}

unsafe fn new_record(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    _base: *mut ffi::PyTypeObject,
) -> Result<OwnedRecord, Failure> {
    let place = &checked.place;
    let mut record = Record::new(place.shape, place.struct_offset, place.struct_size);
    // SAFETY: the definitions are those of a loaded library.
    unsafe {
        record.traverse = traverse(definitions, has_legacy(spec, ffi::Py_tp_dealloc));
        record.destroy =
            core::mem::transmute::<HPyCFunction, Option<HPyFunc_destroyfunc>>(definitions.destroy);
        record.default_call =
            match definitions.call {
                Some(slot) => core::mem::transmute::<*const c_void, Option<ffi::vectorcallfunc>>(
                    bind(ctx, Kind::Vectorcall, slot.impl_, slot.cpy_trampoline),
                ),
                None => checked.base_call,
            };
        Ok(OwnedRecord {
            record,
            name: checked.name.clone(),
            methods: methods(ctx, spec, definitions)?,
            getsets: getsets(ctx, spec, definitions, place.variable),
        })
    }
}

/// The author's traverse function, or one that visits the object members if the author forgot it.
unsafe fn traverse(
    definitions: &Definitions,
    legacy_dealloc: bool,
) -> Option<HPyFunc_traverseproc> {
    // SAFETY: a traverse slot has this prototype; a thunk is code with the prototype of its target.
    unsafe {
        if definitions.traverse.is_some() {
            return core::mem::transmute::<HPyCFunction, Option<HPyFunc_traverseproc>>(
                definitions.traverse,
            );
        }
        let offsets = members::object_offsets(&definitions.members);
        if offsets.is_empty() || legacy_dealloc {
            return None;
        }
        let offsets: &'static Vec<usize> = Box::leak(Box::new(offsets));
        let target = members::traverse_objects as *const c_void;
        let thunk = thunk::thunk(Kind::Shift3, ptr::from_ref(offsets).cast(), target)?;
        Some(core::mem::transmute::<*mut c_void, HPyFunc_traverseproc>(thunk.as_ptr()))
    }
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
        if variable {
            table.extend(definitions.members.iter().map(|m| members::getset_def(m)));
        }
        if !table.is_empty() {
            table.push(ffi::PyGetSetDef::default());
        }
        table
    }
}

unsafe fn getset_def(ctx: *mut HPyContext, attribute: &HPyGetSet) -> ffi::PyGetSetDef {
    let bound = |kind, function: HPyCFunction, trampoline| {
        // SAFETY: the author's function has the prototype of a getter or setter.
        function.map_or(ptr::null(), |_| unsafe { bind(ctx, kind, function, trampoline) })
    };
    let get = bound(Kind::Shift2, attribute.getter_impl, attribute.getter_cpy_trampoline);
    let set = bound(Kind::Shift3, attribute.setter_impl, attribute.setter_cpy_trampoline);
    // SAFETY: null is `None`, else code with the C API's prototype.
    unsafe {
        ffi::PyGetSetDef {
            name: attribute.name,
            get: core::mem::transmute::<*const c_void, Option<ffi::getter>>(get),
            set: core::mem::transmute::<*const c_void, Option<ffi::setter>>(set),
            doc: attribute.doc,
            closure: attribute.closure,
        }
    }
}

/// The C API's slots of a type; members are copied by CPython, the other tables live in the record.
struct SlotTable {
    slots: Vec<ffi::PyType_Slot>,
    members: Vec<ffi::PyMemberDef>,
}

impl SlotTable {
    fn push(&mut self, slot: c_int, value: *mut c_void) {
        self.slots.push(ffi::PyType_Slot { slot, pfunc: value });
    }

    /// Adds a table unless it is empty.
    fn table<T>(&mut self, slot: c_int, table: &[T]) {
        if !table.is_empty() {
            self.push(slot, table.as_ptr().cast_mut().cast());
        }
    }
}

unsafe fn slot_table(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    record: &'static OwnedRecord,
) -> Result<SlotTable, Failure> {
    let mut table = SlotTable { slots: Vec::new(), members: Vec::new() };
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        let merged = [ffi::Py_tp_methods, ffi::Py_tp_members, ffi::Py_tp_getset];
        table.slots.extend(legacy_slots(spec).filter(|entry| !merged.contains(&entry.slot)));
        for slot in &definitions.slots {
            table.push(slot.slot.0 as c_int, slots::function(ctx, slot)?);
        }
        if definitions.call.is_some() || checked.place.vectorcall.is_some() {
            table.push(ffi::Py_tp_call, call::tp_call as *mut c_void);
        }
        lifecycle(&mut table, spec, checked, record);
        if !spec.doc.is_null() {
            table.push(ffi::Py_tp_doc, spec.doc.cast_mut().cast());
        }
        table.members = member_table(spec, definitions, checked);
    }
    let members = core::mem::take(&mut table.members);
    table.table(ffi::Py_tp_methods, &record.methods);
    table.table(ffi::Py_tp_getset, &record.getsets);
    table.table(ffi::Py_tp_members, &members);
    table.members = members;
    table.push(0, ptr::null_mut());
    Ok(table)
}

/// Garbage collection and deallocation, where the type needs ours.
unsafe fn lifecycle(
    table: &mut SlotTable,
    spec: &HPyType_Spec,
    checked: &Checked,
    record: &OwnedRecord,
) {
    // SAFETY: as for `ctx_Type_FromSpec`.
    let legacy = |slot| unsafe { has_legacy(spec, slot) };
    if checked.flags & HPy_TPFLAGS_HAVE_GC != 0 && !legacy(ffi::Py_tp_traverse) {
        table.push(ffi::Py_tp_traverse, gc::traverse as *mut c_void);
        table.push(ffi::Py_tp_clear, gc::clear as *mut c_void);
    }
    if record.record.traverse.is_some() || record.record.destroy.is_some() {
        table.push(ffi::Py_tp_dealloc, dealloc::dealloc as *mut c_void);
    }
}

unsafe fn member_table(
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
) -> Vec<ffi::PyMemberDef> {
    let place = &checked.place;
    // SAFETY: as for `ctx_Type_FromSpec`.
    let mut table: Vec<ffi::PyMemberDef> =
        unsafe { legacy_table(spec, ffi::Py_tp_members, |m: &ffi::PyMemberDef| m.name.is_null()) };
    if !place.variable {
        let own = definitions.members.iter().map(|m| members::member_def(m, place.struct_offset));
        table.extend(own);
    }
    if let Some(offset) = place.vectorcall {
        table.push(ffi::PyMemberDef {
            name: members::VECTORCALL_OFFSET.as_ptr(),
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

unsafe fn make(
    ctx: *mut HPyContext,
    spec: &HPyType_Spec,
    definitions: &Definitions,
    checked: &Checked,
    record: &'static OwnedRecord,
    params: &params::Params,
) -> Result<*mut ffi::PyObject, Failure> {
    // SAFETY: as for `ctx_Type_FromSpec`.
    unsafe {
        let mut table = slot_table(ctx, spec, definitions, checked, record)?;
        let basicsize = c_int::try_from(checked.place.basicsize)
            .map_err(|_| Failure::Value("HPyType_FromSpec: the struct is too large".into()))?;
        let mut spec = ffi::PyType_Spec {
            name: record.name.as_ptr(),
            basicsize,
            itemsize: spec.itemsize,
            flags: checked.flags as c_uint,
            slots: table.slots.as_mut_ptr(),
        };
        let ty = metaclass::from_spec(params.metaclass, &mut spec, params.bases);
        if ty.is_null() { Err(Failure::Raised) } else { Ok(ty) }
    }
}
