//! Instances, and the C structs behind them.
//!
//! # Soundness
//!
//! A struct is memory of its own, as large as its record says, aligned as every C struct may want, and freed with the object. What
//! the record's functions are called with is such a struct. It is used by threads that hold the host's lock, by the collector while
//! all other threads are stopped, and by who drops the last reference.

use core::alloc::Layout;
use core::cell::Cell;
use core::ffi::c_void;
use core::fmt;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicIsize, AtomicPtr, Ordering};
use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error};

use hpy_abi::*;
use rustpython_vm::builtins::descriptor::PyMemberDescriptor;
use rustpython_vm::builtins::{PyType, PyTypeRef};
use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::object::{Traverse, TraverseFn};
use rustpython_vm::types::PyTypeFlags;
use rustpython_vm::vm::thread::try_with_current_vm;
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use super::gc;
use super::record::{self, Record, TypeData};
use crate::downcall::Target;
use crate::handles::{self, object};
use crate::lock;
use crate::upcall::outside;

/// A C struct.
pub(crate) struct Struct {
    data: NonNull<c_void>,
    pub(crate) record: &'static Record,
    /// What the object is called through, if it has a function of its own.
    pub(crate) call: Cell<Option<Target>>,
}

// SAFETY: see the module's documentation.
unsafe impl Send for Struct {}
// SAFETY: as above.
unsafe impl Sync for Struct {}

impl fmt::Debug for Struct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct of {:?}", self.record.name)
    }
}

impl Struct {
    /// A struct of zeros.
    pub(crate) fn new(record: &'static Record) -> Self {
        let layout = Self::layout(record);
        // SAFETY: the layout has a size.
        let data = NonNull::new(unsafe { alloc_zeroed(layout) }.cast::<c_void>());
        let data = data.unwrap_or_else(|| handle_alloc_error(layout));
        Self { data, record, call: Cell::new(None) }
    }

    /// As every C struct may want it.
    fn layout(record: &Record) -> Layout {
        let aligned = Layout::from_size_align(record.size.max(1), 16);
        aligned.unwrap_or_else(|_| crate::error::fatal("the C struct of a type is too large"))
    }

    #[inline(always)]
    pub(crate) fn data(&self) -> *mut c_void {
        self.data.as_ptr()
    }
}

impl Drop for Struct {
    fn drop(&mut self) {
        let end = || {
            // SAFETY: the object is gone, and the struct with it.
            unsafe {
                drop(gc::take_fields(self));
                for record in self.record.levels() {
                    if let Some(destroy) = record.destroy {
                        destroy(self.data());
                    }
                }
            }
        };
        let nothing = self.record.levels().all(|r| r.destroy.is_none() && !r.has_fields());
        if !nothing {
            with_lock(end);
        }
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.data.as_ptr().cast(), Self::layout(self.record)) };
    }
}

/// Calls code of an extension at the end of an object.
fn with_lock(action: impl FnOnce()) {
    let mut action = Some(action);
    try_with_current_vm(|vm| action.take().map(|action| lock::enter(vm, action)));
    // Without a current interpreter it is ending, and this is the last thread.
    if let Some(action) = action {
        action();
    }
}

/// An instance of a type below `object`; and what stands beside an instance of another builtin.
#[pyclass(module = false, name = "hpy_struct", traverse = "manual")]
#[derive(Debug, PyPayload)]
pub(crate) struct Instance {
    pub(crate) own: Struct,
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl Instance {}

// SAFETY: each field of the struct is shown once, if the author's traverse functions do what they have to.
unsafe impl Traverse for Instance {
    fn traverse(&self, visit: &mut TraverseFn<'_>) {
        gc::show_fields(&self.own, visit);
    }

    fn clear(&mut self, out: &mut Vec<PyObjectRef>) {
        if self.own.record.levels().any(Record::has_fields) {
            // SAFETY: the interpreter has found that nobody else uses the object.
            with_lock(|| out.extend(unsafe { gc::take_fields(&self.own) }));
        }
    }
}

/// The struct of an object; none if no type of the host's is behind it.
#[inline(always)]
pub(crate) fn with_struct<R>(object: &PyObject, use_: impl FnOnce(&Struct) -> R) -> Option<R> {
    match object.downcast_ref::<Instance>() {
        Some(instance) => Some(use_(&instance.own)),
        None => with_distant_struct(object, use_),
    }
}

/// A struct that is not in the payload.
#[cold]
fn with_distant_struct<R>(object: &PyObject, use_: impl FnOnce(&Struct) -> R) -> Option<R> {
    let record = record::find(object.class())?;
    if let Some(offset) = record.cell {
        // SAFETY: instances of the type have the cell.
        let companion = unsafe { companion(object, offset, record) };
        return Some(use_(&companion.own));
    }
    if record.size == 0 {
        return None;
    }
    // A type is the instance of a metaclass. What is known of it lives as long as it does.
    let class = object.downcast_ref::<PyType>()?;
    if !class.has_type_data::<TypeData>() {
        let data = TypeData { record: None, own: Default::default() };
        class.init_type_data(data).ok()?;
    }
    let data = class.get_type_data::<TypeData>()?;
    let mut own = data.own.lock();
    Some(use_(own.get_or_insert_with(|| Struct::new(record))))
}

/// What stands beside an instance of a builtin; made when it is asked for first.
///
/// # Safety
/// The object has a cell there.
unsafe fn companion<'a>(
    object: &'a PyObject,
    offset: isize,
    record: &'static Record,
) -> &'a Instance {
    // SAFETY: the caller's promise; a cell is an atomic pointer, null or one that it owns, and only this function writes to it.
    unsafe {
        let cell = ptr::from_ref(object).byte_offset(offset).cast::<AtomicPtr<PyObject>>();
        let mut found = (*cell).load(Ordering::Acquire);
        if found.is_null() {
            let class = Instance::static_type().to_owned();
            let made = PyRef::new_ref(Instance { own: Struct::new(record) }, class, None);
            let made = PyObjectRef::from(made).into_raw().as_ptr();
            found = match (*cell).compare_exchange(
                ptr::null_mut(),
                made,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => made,
                Err(other) => {
                    drop(PyObjectRef::from_raw(NonNull::new_unchecked(made)));
                    other
                }
            };
        }
        (*found).downcast_unchecked_ref::<Instance>()
    }
}

/// The address of an object's struct; null if no type of the host's is behind it.
#[inline(always)]
pub(crate) fn struct_of(object: &PyObject) -> *mut c_void {
    with_struct(object, Struct::data).unwrap_or(ptr::null_mut())
}

/// How far from an object its first cell is, as the interpreter has it.
static FIRST_CELL: AtomicIsize = AtomicIsize::new(0);

/// How far from an instance the cell with a number is.
pub(crate) fn cell_offset(number: usize) -> isize {
    FIRST_CELL.load(Ordering::Relaxed) - (number * size_of::<usize>()) as isize
}

/// Makes the type of instances, and finds out where cells are.
pub(crate) fn prepare(vm: &VirtualMachine) -> PyResult<()> {
    let _ = Instance::make_static_type();
    let namespace = vm.ctx.new_dict();
    namespace.set_item("__slots__", vm.ctx.new_str("cell").into(), vm)?;
    let bases = vm.ctx.new_tuple(Vec::new());
    let class = vm.ctx.types.type_type.as_object();
    let probe = class.call((vm.ctx.new_str("probe"), bases, namespace), vm)?;
    let cell = probe.get_attr("cell", vm)?;
    let offset = cell.downcast_ref::<PyMemberDescriptor>().map(|cell| cell.member.offset);
    let offset = offset.ok_or_else(|| vm.new_system_error("a slot is no member"))?;
    FIRST_CELL.store(offset, Ordering::Relaxed);
    Ok(())
}

/// A new instance whose struct is all zeros.
pub(crate) fn allocate(class: PyTypeRef, vm: &VirtualMachine) -> PyResult {
    match record::find(&class) {
        Some(record) if record.plain => Ok(plain(class, record, vm)),
        _ => of_builtin(class, vm),
    }
}

#[inline]
fn plain(class: PyTypeRef, record: &'static Record, vm: &VirtualMachine) -> PyObjectRef {
    let has_dict = class.slots().flags.has_feature(PyTypeFlags::HAS_DICT);
    let dict = has_dict.then(|| vm.ctx.new_dict());
    PyRef::new_ref(Instance { own: Struct::new(record) }, class, dict).into()
}

/// What the constructor of the builtin that the class extends makes of nothing.
#[cold]
fn of_builtin(class: PyTypeRef, vm: &VirtualMachine) -> PyResult {
    let builtin = class
        .iter_base_chain()
        .find(|base| !base.slots().flags.has_feature(PyTypeFlags::HEAPTYPE))
        .and_then(|base| base.slots().new.load());
    match builtin {
        Some(new) => new(class.clone(), FuncArgs::default(), vm),
        None => Err(vm.new_type_error(format!("cannot create '{}' instances", class.name()))),
    }
}

/// `HPy_New`
pub(crate) unsafe extern "C" fn ctx_New(
    _ctx: *mut HPyContext,
    h_type: HPy,
    data: *mut *mut c_void,
) -> HPy {
    // SAFETY: the handle is open.
    let class = unsafe { object(h_type) };
    if let Some(class) = class.downcast_ref::<PyType>()
        && let Some(record) = record::find(class)
        && record.plain
    {
        let made = lock::inside(|vm| plain(class.to_owned(), record, vm));
        // SAFETY: a place for the address; the object has our payload.
        unsafe { data.write(made.downcast_unchecked_ref::<Instance>().own.data()) };
        return handles::new(made);
    }
    let h = outside(|vm| match class.to_owned().downcast::<PyType>() {
        Ok(class) => allocate(class, vm),
        Err(_) => Err(vm.new_type_error("HPy_New needs a type as its first argument")),
    });
    if !h.is_null() {
        // SAFETY: as above.
        unsafe { data.write(struct_of(object(h))) };
    }
    h
}

/// `HPyType_GenericNew`: what a type without a constructor of its own does.
pub(crate) unsafe extern "C" fn ctx_Type_GenericNew(
    ctx: *mut HPyContext,
    type_: HPy,
    _args: *const HPy,
    _nargs: isize,
    _kw: HPy,
) -> HPy {
    let mut data = ptr::null_mut();
    // SAFETY: the caller's type, and a place of our own.
    unsafe { ctx_New(ctx, type_, &raw mut data) }
}

/// Whether instances of a class have the layout of `object`, so that theirs can be ours.
pub(crate) fn is_below_object(class: &Py<PyType>, vm: &VirtualMachine) -> bool {
    let builtin =
        class.iter_base_chain().find(|base| !base.slots().flags.has_feature(PyTypeFlags::HEAPTYPE));
    builtin.is_none_or(|builtin| builtin.is(vm.ctx.types.object_type))
}
