//! What the host knows of a type that it made: the record.
//!
//! Records are never freed: types made again from the same description in the same context find theirs again, so that making a type
//! ten thousand times costs the memory of one, and what is known of a type stays known.

use core::ffi::{c_char, c_int, c_void};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};

use hpy_abi::*;
use hpy_host::{Definition, definitions};
use parking_lot::Mutex;
use rustpython_vm::builtins::PyType;
use rustpython_vm::{AsObject, Py};

use super::instance::Struct;
use crate::downcall::Target;

/// One more than the highest number of a slot that Python calls.
const SLOTS: usize = 82;

/// What the host knows of a type.
pub(crate) struct Record {
    /// Full name, `module.Type`.
    pub(crate) name: CString,
    /// Which builtin the struct extends.
    pub(crate) shape: HPyType_BuiltinShape,
    /// The size of the struct, with that of the types below.
    pub(crate) size: usize,
    /// Whether instances have a payload of ours; else they are instances of another builtin than `object`.
    pub(crate) plain: bool,
    /// The author's traverse function.
    pub(crate) traverse: Option<HPyFunc_traverseproc>,
    /// The author's destroy function.
    pub(crate) destroy: Option<HPyFunc_destroyfunc>,
    /// Where the members are that hold objects, if no traverse function shows them.
    pub(crate) objects: Vec<isize>,
    /// How far from an instance the cell of its companion is, if it has one.
    pub(crate) cell: Option<isize>,
    /// What instances are called through unless they say otherwise.
    pub(crate) call: Option<Target>,
    /// Where in the struct the author keeps the call function of an instance, and for which context.
    pub(crate) call_place: Option<(isize, usize)>,
    /// Whether instances can be called through a function of their own.
    pub(crate) callable: bool,
    /// The record of the base.
    pub(crate) base: Option<&'static Record>,
    /// The functions of slots, those of the bases included.
    pub(crate) slots: [Option<Target>; SLOTS],
}

impl Record {
    /// The function of a slot.
    #[inline(always)]
    pub(crate) fn slot(&self, slot: u32) -> Option<Target> {
        self.slots[slot as usize]
    }

    /// This record and those of the bases.
    pub(crate) fn levels(&'static self) -> impl Iterator<Item = &'static Self> {
        core::iter::successors(Some(self), |record| record.base)
    }

    /// Shows the fields of one level to a visitor, up to the first result that is not 0.
    ///
    /// # Safety
    /// `data` is the struct of an instance, and `visit` takes `arg`.
    pub(crate) unsafe fn visit_fields(
        &self,
        data: *mut c_void,
        visit: HPyFunc_visitproc,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: the caller's promise; members are inside the struct.
        unsafe {
            if let Some(traverse) = self.traverse {
                return traverse(data, visit, arg);
            }
            let fields =
                self.objects.iter().map(|&offset| visit(data.byte_offset(offset).cast(), arg));
            fields.into_iter().find(|&result| result != 0).unwrap_or(0)
        }
    }

    /// Whether anything shows fields of this level.
    pub(crate) fn has_fields(&self) -> bool {
        self.traverse.is_some() || !self.objects.is_empty()
    }
}

/// What the host keeps with a type.
pub(crate) struct TypeData {
    /// Of a type that the host made.
    pub(crate) record: Option<&'static Record>,
    /// The C struct of the type itself, if its metaclass has one.
    pub(crate) own: Mutex<Option<Struct>>,
}

/// The record of a type that the host made itself.
#[inline]
pub(crate) fn own(class: &Py<PyType>) -> Option<&'static Record> {
    class.get_type_data::<TypeData>()?.record
}

/// The record of the nearest type that the host made.
#[inline]
pub(crate) fn find(class: &Py<PyType>) -> Option<&'static Record> {
    class.iter_base_chain().find_map(own).or_else(|| found_elsewhere(class))
}

/// Among several bases, the one with a record need not be that which the layout comes from.
#[cold]
fn found_elsewhere(class: &Py<PyType>) -> Option<&'static Record> {
    class.mro_collect().iter().find_map(|class| own(class))
}

/// What a record is found again by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    ctx: usize,
    name: CString,
    sizes: [c_int; 2],
    flags: core::ffi::c_ulong,
    shape: c_int,
    /// The record of the base, and else the base.
    base: usize,
    definitions: Vec<[usize; 7]>,
}

impl Origin {
    /// # Safety
    /// The specification has valid pointers.
    pub(crate) unsafe fn new(ctx: *mut HPyContext, spec: &HPyType_Spec, base: &Py<PyType>) -> Self {
        let record = find(base).map(|record| core::ptr::from_ref(record) as usize);
        // SAFETY: the caller's promise.
        unsafe {
            Self {
                ctx: ctx as usize,
                name: CStr::from_ptr(spec.name).to_owned(),
                sizes: [spec.basicsize, spec.itemsize],
                flags: spec.flags,
                shape: spec.builtin_shape.0,
                base: record.unwrap_or_else(|| base.as_object().get_id()),
                definitions: definitions(spec.defines).map(words).collect(),
            }
        }
    }
}

/// All that a definition says, as numbers: the strings in it are static.
fn words(definition: Definition) -> [usize; 7] {
    let code = |function: HPyCFunction| function.map_or(0, |function| function as usize);
    let text = |text: *const c_char| text as usize;
    match definition {
        Definition::Slot(s) => [1, s.slot.0 as usize, code(s.impl_), 0, 0, 0, 0],
        Definition::Meth(m) => {
            [2, text(m.name), code(m.impl_), m.signature.0 as usize, text(m.doc), 0, 0]
        }
        Definition::Member(m) => {
            let (kind, readonly) = (m.type_.0 as usize, m.readonly as usize);
            [3, text(m.name), kind, m.offset as usize, readonly, text(m.doc), 0]
        }
        Definition::GetSet(g) => {
            let (get, set) = (code(g.getter_impl), code(g.setter_impl));
            [4, text(g.name), get, set, text(g.doc), g.closure as usize, 0]
        }
        Definition::Unknown(kind) => [5, kind.0 as usize, 0, 0, 0, 0, 0],
    }
}

static RECORDS: Mutex<BTreeMap<Origin, &'static Record>> = Mutex::new(BTreeMap::new());

/// The record of this origin; `make` makes it the first time.
pub(crate) fn obtain(origin: Origin, make: impl FnOnce() -> Record) -> &'static Record {
    if let Some(record) = RECORDS.lock().get(&origin) {
        return record;
    }
    let record: &'static Record = Box::leak(Box::new(make()));
    RECORDS.lock().insert(origin, record);
    record
}
