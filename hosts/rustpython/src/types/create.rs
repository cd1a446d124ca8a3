//! `HPyType_FromSpec`

use core::ffi::CStr;

use hpy_abi::*;
use hpy_host::TypeDefinitions;
use hpy_host::thunk::Kind;
use rustpython_vm::builtins::{PyType, PyTypeRef};
use rustpython_vm::types::{PyTypeFlags, PyTypeSlots, hash_not_implemented};
use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyResult, VirtualMachine};

use super::instance::{cell_offset, is_below_object};
use super::params::{self, Params};
use super::record::{self, Origin, Record, TypeData};
use super::wrappers::{Constructor, SlotWrapper};
use super::{members, shape, slots};
use crate::downcall::{Target, plain};
use crate::methods::{Descriptor, Doc, Method};
use crate::upcall::outside;

/// `HPyType_FromSpec`
pub(crate) unsafe extern "C" fn ctx_Type_FromSpec(
    ctx: *mut HPyContext,
    spec: *mut HPyType_Spec,
    params: *mut HPyType_SpecParam,
) -> HPy {
    // SAFETY: the caller hands over a specification and null or an array ended by kind 0.
    outside(|vm| unsafe {
        let params = params::read(params, vm)?;
        Draft::new(ctx, &*spec, &params, vm)?.finish(params).map(PyObjectRef::from)
    })
}

/// A type in the making.
struct Draft<'a> {
    ctx: *mut HPyContext,
    spec: &'a HPyType_Spec,
    definitions: TypeDefinitions,
    base: PyTypeRef,
    /// The record of the base.
    below: Option<&'static Record>,
    vm: &'a VirtualMachine,
}

impl<'a> Draft<'a> {
    /// # Safety
    /// The specification has valid pointers, and its definitions are those of a library that stays loaded.
    unsafe fn new(
        ctx: *mut HPyContext,
        spec: &'a HPyType_Spec,
        params: &Params,
        vm: &'a VirtualMachine,
    ) -> PyResult<Self> {
        if spec.name.is_null() {
            return Err(vm.new_value_error("HPyType_FromSpec: HPyType_Spec.name is NULL"));
        }
        if spec.basicsize < 0 || spec.itemsize < 0 {
            let message = "HPyType_FromSpec: a size in HPyType_Spec is negative";
            return Err(vm.new_value_error(message));
        }
        // SAFETY: the caller's promise.
        let definitions = unsafe { TypeDefinitions::read(spec) };
        let definitions = definitions.map_err(|message| vm.new_system_error(message))?;
        for base in &params.bases {
            if !base.slots().flags.has_feature(PyTypeFlags::BASETYPE) {
                let name = base.name().to_string();
                let message = format!("type '{name}' is not an acceptable base type");
                return Err(vm.new_type_error(message));
            }
        }
        let base = layout_base(&params.bases);
        let below = record::find(&base);
        let draft = Self { ctx, spec, definitions, base, below, vm };
        draft.check()?;
        Ok(draft)
    }

    /// The full name, for messages.
    fn label(&self) -> String {
        // SAFETY: the specification has a name.
        unsafe { CStr::from_ptr(self.spec.name) }.to_string_lossy().into_owned()
    }

    fn type_error<T>(&self, message: &str) -> PyResult<T> {
        Err(self.vm.new_type_error(format!("{}: {message}", self.label())))
    }

    fn value_error<T>(&self, message: &str) -> PyResult<T> {
        Err(self.vm.new_value_error(format!("{}: {message}", self.label())))
    }

    /// Whether the type has a struct of its own rather than its base's.
    fn own_struct(&self) -> bool {
        self.spec.basicsize > 0
    }

    fn check(&self) -> PyResult<()> {
        self.check_legacy()?;
        if shape::builtin(self.spec.builtin_shape, self.vm).is_none() {
            let number = self.spec.builtin_shape.0;
            return self.value_error(&format!("{number} is not a HPyType_BuiltinShape"));
        }
        if !self.own_struct() && !self.definitions.members.is_empty() {
            return self.type_error("members need a struct: set .basicsize to its size");
        }
        for slot in &self.definitions.slots {
            if slots::wire(slot.slot, None).is_none() {
                return Err(self.vm.new_system_error(format!(
                    "slot number {} is not one that a type can define",
                    slot.slot.0
                )));
            }
            if slot.impl_.is_none() {
                return Err(self
                    .vm
                    .new_system_error(format!("slot number {} has no function", slot.slot.0)));
            }
        }
        if self.own_struct() {
            self.check_base()?;
        }
        self.check_call()?;
        let flags = self.spec.flags;
        if flags & HPy_TPFLAGS_HAVE_GC != 0 && self.definitions.traverse.is_none() {
            return self.value_error("HPy_TPFLAGS_HAVE_GC needs HPy_tp_traverse");
        }
        let calls = self.definitions.vectorcall.is_some() || self.definitions.call.is_some();
        let inherits = self.below.is_some_and(|below| below.callable);
        if flags & HPy_TPFLAGS_HAVE_VECTORCALL != 0 && !calls && !inherits {
            return self
                .value_error("HPy_TPFLAGS_HAVE_VECTORCALL needs a member __vectorcalloffset__");
        }
        Ok(())
    }

    fn check_legacy(&self) -> PyResult<()> {
        let legacy = self.spec.builtin_shape == HPyType_BuiltinShape_Legacy;
        if self.spec.legacy_slots.is_null() {
            if legacy && self.below.is_some_and(|r| r.shape != HPyType_BuiltinShape_Legacy) {
                return Err(self.vm.new_type_error(
                    "A legacy type should not inherit its memory layout from a pure type",
                ));
            }
            return Ok(());
        }
        if !legacy {
            return Err(self.vm.new_type_error(
                "cannot specify .legacy_slots without setting \
                 .builtin_shape=HPyType_BuiltinShape_Legacy",
            ));
        }
        let message = format!(
            "the type {} has legacy slots, which are written with the Python/C API, and RustPython has \
             none. Port them to HPy",
            self.label()
        );
        Err(self.vm.new_import_error(message, self.vm.ctx.new_str("")))
    }

    /// Refuses a struct that does not go with that of the base.
    fn check_base(&self) -> PyResult<()> {
        let shape = self.spec.builtin_shape;
        if let Some(below) = self.below.filter(|below| below.size > 0) {
            if below.shape != shape {
                return self.type_error("the builtin_shape is not that of the base");
            }
            if (self.spec.basicsize as usize) < below.size {
                return self.type_error("the struct is smaller than that of the base");
            }
            let made_here = self.base.iter_base_chain().find(|class| record::own(class).is_some());
            let cells = |class: &Py<PyType>| class.slots().member_count;
            if made_here.is_some_and(|class| cells(class) != cells(&self.base)) {
                return self.type_error(
                    "a base written in Python has attributes of its own where the struct would be",
                );
            }
            return Ok(());
        }
        let builtin = shape::builtin(shape, self.vm);
        let fits = is_below_object(&self.base, self.vm)
            || builtin.is_some_and(|builtin| {
                !builtin.is(self.vm.ctx.types.object_type) && self.base.fast_issubclass(builtin)
            });
        if fits {
            return Ok(());
        }
        self.type_error(
            "the base's memory layout is not that of the type's builtin_shape; \
             choose the shape of the base, or no struct (.basicsize = 0)",
        )
    }

    fn check_call(&self) -> PyResult<()> {
        if self.definitions.call.is_none() {
            return Ok(());
        }
        if self.definitions.vectorcall.is_some() {
            return self
                .type_error("HPy_tp_call and a member __vectorcalloffset__ exclude each other");
        }
        let variable = [HPyType_BuiltinShape_Long, HPyType_BuiltinShape_Tuple];
        if self.spec.itemsize > 0 || variable.contains(&self.spec.builtin_shape) {
            return self.type_error("HPy_tp_call is not supported for types with variable size");
        }
        if self.spec.builtin_shape == HPyType_BuiltinShape_Legacy && !self.own_struct() {
            return self.type_error("HPy_tp_call needs a struct: set .basicsize to its size");
        }
        Ok(())
    }

    /// What is known of the type.
    fn record(&self) -> &'static Record {
        // SAFETY: the specification has valid pointers.
        let origin = unsafe { Origin::new(self.ctx, self.spec, &self.base) };
        record::obtain(origin, || self.new_record())
    }

    fn new_record(&self) -> Record {
        let (spec, below) = (self.spec, self.below);
        let plain_layout = is_below_object(&self.base, self.vm);
        let size = match below {
            Some(below) if !self.own_struct() => below.size,
            _ => spec.basicsize as usize,
        };
        let inherited = below.filter(|below| !self.own_struct() && below.size > 0);
        let has_cell = !plain_layout && size > 0 && spec.builtin_shape != HPyType_BuiltinShape_Type;
        let new_cell = has_cell.then(|| cell_offset(self.base.slots().member_count));
        let mut record = Record {
            // SAFETY: the specification has a name.
            name: unsafe { CStr::from_ptr(spec.name) }.to_owned(),
            shape: inherited.map_or(spec.builtin_shape, |below| below.shape),
            size,
            plain: plain_layout,
            traverse: None,
            destroy: None,
            objects: Vec::new(),
            cell: below.and_then(|below| below.cell).or(new_cell),
            call: below.and_then(|below| below.call),
            call_place: match self.definitions.vectorcall {
                Some(member) => Some((member.offset, self.ctx as usize)),
                None => below.and_then(|below| below.call_place),
            },
            callable: self.definitions.vectorcall.is_some()
                || self.definitions.call.is_some()
                || below.is_some_and(|below| below.callable),
            base: below,
            slots: below.map_or([None; _], |below| below.slots),
        };
        // SAFETY: the definitions are those of a library that stays loaded; functions have the types of their slots.
        unsafe {
            for slot in &self.definitions.slots {
                let signature = signature(slot.slot);
                record.slots[slot.slot.0 as usize] = Target::new(self.ctx, signature, slot.impl_);
            }
            if let Some(slot) = self.definitions.call {
                record.call = Target::new(self.ctx, HPyFunc_KEYWORDS, slot.impl_);
            }
            record.traverse = core::mem::transmute::<HPyCFunction, Option<HPyFunc_traverseproc>>(
                plain(self.ctx, Kind::Shift3, HPyFunc_TRAVERSEPROC, self.definitions.traverse),
            );
            record.destroy = core::mem::transmute::<HPyCFunction, Option<HPyFunc_destroyfunc>>(
                plain(self.ctx, Kind::Shift1, HPyFunc_DESTROYFUNC, self.definitions.destroy),
            );
        }
        if record.traverse.is_none() {
            let objects = self.definitions.members.iter();
            record.objects = objects
                .filter(|m| matches!(m.type_, HPyMember_OBJECT | HPyMember_OBJECT_EX))
                .map(|m| m.offset)
                .collect();
        }
        record
    }

    /// Makes the type.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    unsafe fn finish(self, params: Params) -> PyResult<PyTypeRef> {
        let (vm, record) = (self.vm, self.record());
        let (module, name) = self.names();
        let slots = self.slots(name, record);
        let class = PyType::new_heap(
            name,
            params.bases,
            Default::default(),
            slots,
            params.metaclass,
            &vm.ctx,
        )
        .map_err(|message| vm.new_type_error(message))?;
        let data = TypeData { record: Some(record), own: Default::default() };
        class.init_type_data(data).map_err(|message| vm.new_system_error(message))?;
        let set = |name: &str, value: PyObjectRef| class.set_attr(vm.ctx.intern_str(name), value);
        set("__module__", vm.ctx.new_str(module.unwrap_or("builtins")).into());
        // SAFETY: the caller's promise.
        unsafe {
            let doc = Doc::read(name, self.spec.doc).text();
            set("__doc__", doc.map_or_else(|| vm.ctx.none(), |doc| vm.ctx.new_str(doc).into()));
            for method in &self.definitions.methods {
                let method = Method::obtain(self.ctx, method, vm)?;
                set(method.name, Descriptor::of_class(method, &class, vm));
            }
            for getset in &self.definitions.getsets {
                let (name, attribute) = members::attribute(self.ctx, getset, &class, vm)?;
                set(name, attribute);
            }
            for member in &self.definitions.members {
                let (name, attribute) = members::member(member, &class, vm)?;
                set(name, attribute);
            }
        }
        self.wire(&class, record);
        Ok(class)
    }

    /// Module and name.
    fn names(&self) -> (Option<&'static str>, &'static str) {
        let full = self.vm.ctx.intern_str(self.label().as_str()).as_str();
        match full.rsplit_once('.') {
            Some((module, name)) => (Some(module), name),
            None => (None, full),
        }
    }

    /// The slots of the new type, as far as they are not inherited.
    fn slots(&self, name: &'static str, record: &Record) -> PyTypeSlots {
        let mut flags = PyTypeFlags::from_element(PyTypeFlags::HEAPTYPE);
        if self.spec.flags & HPy_TPFLAGS_BASETYPE != 0 {
            flags |= PyTypeFlags::from_element(PyTypeFlags::BASETYPE);
        }
        let mut slots = PyTypeSlots::new(name, flags);
        let base = self.base.slots();
        slots.itemsize = base.itemsize;
        slots.member_count = base.member_count;
        slots.basicsize = base.basicsize;
        if record.cell.is_some() && self.below.is_none_or(|below| below.cell.is_none()) {
            slots.member_count += 1;
        }
        if record.plain {
            // Two bases with structs of their own do not go together: the interpreter sees it by the sizes.
            let own = record.size - self.below.map_or(0, |below| below.size);
            slots.basicsize += own;
        }
        slots
    }

    /// Puts in the functions for slots, and the attributes that go with them.
    fn wire(&self, class: &Py<PyType>, record: &Record) {
        let mut own: Vec<_> = self.definitions.slots.iter().map(|slot| slot.slot).collect();
        own.extend(self.definitions.call.map(|slot| slot.slot));
        own.sort_by_key(|&slot| slots::rank(slot));
        for &slot in &own {
            for (name, function) in slots::wire(slot, None).unwrap_or_default() {
                let attribute = self.vm.ctx.intern_str(name);
                if class.get_direct_attr(attribute).is_none() {
                    let wrapper = SlotWrapper { class: class.to_owned(), name, function };
                    class.set_attr(attribute, wrapper.into_pyobject(self.vm));
                }
            }
        }
        if own.contains(&HPy_tp_richcompare) && !own.contains(&HPy_tp_hash) {
            class.set_attr(self.vm.ctx.intern_str("__hash__"), self.vm.ctx.none());
            class.slots().hash.store(Some(hash_not_implemented));
        }
        let of_author = record.slot(HPy_tp_new.0).is_some();
        if of_author || record.plain {
            let constructor = Constructor { class: class.to_owned() };
            let attribute = self.vm.ctx.intern_str("__new__");
            class.set_attr(attribute, constructor.into_pyobject(self.vm));
        }
        // The attributes of a class that exists do not change its slots.
        for &slot in &own {
            slots::wire(slot, Some(class.slots()));
        }
        if self.definitions.vectorcall.is_some() && self.definitions.call.is_none() {
            slots::wire(HPy_tp_call, Some(class.slots()));
        }
        if of_author || record.plain {
            slots::wire_new(class.slots(), of_author);
        }
    }
}

/// The base whose memory layout instances get: the largest, the first among equals.
fn layout_base(bases: &[PyTypeRef]) -> PyTypeRef {
    let larger = |best: PyTypeRef, base: &PyTypeRef| {
        if base.slots().basicsize > best.slots().basicsize { base.clone() } else { best }
    };
    bases[1..].iter().fold(bases[0].clone(), larger)
}

fn signature(slot: HPySlot_Slot) -> HPyFunc_Signature {
    let known = SLOT_SIGNATURES.iter().find(|(number, _)| *number == slot);
    known.map_or(HPyFunc_Signature(0), |(_, signature)| *signature)
}
