//! Capsules: a type of this host, because RustPython's own cannot change its name and has no room for a destructor of ours.
//!
//! The unsafe code is sound because names live as long as their capsules, and a capsule is used by threads that hold the host's lock.

use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr;

use hpy_abi::{
    _HPyCapsule_key, HPy, HPyCFunction, HPyCapsule_Destructor, HPyCapsule_key_Context,
    HPyCapsule_key_Destructor, HPyCapsule_key_Name, HPyCapsule_key_Pointer, HPyContext,
    HPyFunc_CAPSULE_DESTRUCTOR, HPyFunc_Capsule_Destructor,
};
use hpy_host::thunk::Kind;
use rustpython_vm::builtins::PyType;
use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::types::Representable;
use rustpython_vm::vm::thread::try_with_current_vm;
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass,
};

use crate::downcall::plain;
use crate::handles::{nullable, object};
use crate::lock;
use crate::upcall::inside;

/// A capsule.
#[pyclass(module = false, name = "PyCapsule")]
#[derive(PyPayload)]
pub(crate) struct Capsule {
    content: Content,
}

/// What is in a capsule.
struct Content {
    pointer: Cell<*mut c_void>,
    name: Cell<*const c_char>,
    context: Cell<*mut c_void>,
    destructor: Cell<Option<HPyFunc_Capsule_Destructor>>,
}

// SAFETY: see the module's documentation.
unsafe impl Send for Content {}
// SAFETY: as above.
unsafe impl Sync for Content {}

impl core::fmt::Debug for Capsule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "capsule {:p}", self.content.pointer.get())
    }
}

impl Drop for Capsule {
    fn drop(&mut self) {
        let Content { pointer, name, context, destructor } = &self.content;
        let Some(destructor) = destructor.get() else { return };
        // SAFETY: the author's function, with what the author put in.
        let destroy = || unsafe { destructor(name.get(), pointer.get(), context.get()) };
        try_with_current_vm(|vm| lock::enter(vm, destroy));
    }
}

impl Representable for Capsule {
    fn repr_str(capsule: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        let name = capsule.content.name.get();
        let name = if name.is_null() {
            "NULL".to_owned()
        } else {
            // SAFETY: a name is a C string.
            format!("\"{}\"", unsafe { CStr::from_ptr(name) }.to_string_lossy())
        };
        Ok(format!("<capsule object {name} at {:#x}>", capsule.as_object().get_id()))
    }
}

#[pyclass(with(Representable), flags(DISALLOW_INSTANTIATION))]
impl Capsule {}

impl Capsule {
    /// The type of capsules.
    pub(crate) fn type_object() -> &'static Py<PyType> {
        Self::static_type()
    }

    /// Makes the type; once for a process.
    pub(crate) fn prepare() {
        let _ = Self::make_static_type();
    }

    /// The capsule that an object is, if there is a pointer in it.
    fn of<'a>(
        object: Option<&'a PyObject>,
        caller: &str,
        vm: &VirtualMachine,
    ) -> PyResult<&'a Self> {
        let capsule = object.and_then(|object| object.downcast_ref::<Self>());
        let capsule = capsule.filter(|capsule| !capsule.content.pointer.get().is_null());
        capsule.map(|capsule| &**capsule).ok_or_else(|| {
            vm.new_value_error(format!("{caller} called with invalid PyCapsule object"))
        })
    }

    /// Whether this is the capsule's name.
    ///
    /// # Safety
    /// Null or a C string.
    unsafe fn is_called(&self, name: *const c_char) -> bool {
        let own = self.content.name.get();
        if own.is_null() || name.is_null() {
            return own == name;
        }
        // SAFETY: names are C strings.
        unsafe { CStr::from_ptr(own) == CStr::from_ptr(name) }
    }
}

/// `HPyCapsule_New`
pub(crate) unsafe extern "C" fn ctx_Capsule_New(
    ctx: *mut HPyContext,
    pointer: *mut c_void,
    utf8_name: *const c_char,
    destructor: *mut HPyCapsule_Destructor,
) -> HPy {
    inside(|vm| {
        // SAFETY: the destructor is null or valid.
        let destructor = unsafe { author(ctx, destructor, vm) }?;
        if pointer.is_null() {
            return Err(vm.new_value_error("HPyCapsule_New called with null pointer"));
        }
        let content = Content {
            pointer: Cell::new(pointer),
            name: Cell::new(utf8_name),
            context: Cell::new(ptr::null_mut()),
            destructor: Cell::new(destructor),
        };
        Ok(PyObjectRef::from(Capsule { content }.into_ref(&vm.ctx)))
    })
}

/// `HPyCapsule_Get`
pub(crate) unsafe extern "C" fn ctx_Capsule_Get(
    _ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    utf8_name: *const c_char,
) -> *mut c_void {
    inside(|vm| {
        // SAFETY: the handle is open.
        let capsule = Capsule::of(unsafe { nullable(capsule) }, "HPyCapsule_Get", vm)?;
        match key {
            HPyCapsule_key_Pointer => {
                // SAFETY: null or a C string.
                if !unsafe { capsule.is_called(utf8_name) } {
                    let message = "HPyCapsule_GetPointer called with incorrect name";
                    return Err(vm.new_value_error(message));
                }
                Ok(capsule.content.pointer.get())
            }
            HPyCapsule_key_Name => Ok(capsule.content.name.get().cast_mut().cast()),
            HPyCapsule_key_Context => Ok(capsule.content.context.get()),
            _ => Err(vm.new_system_error(
                "HPyCapsule_Get: only the pointer, the name and the context can be read",
            )),
        }
    })
}

/// `HPyCapsule_Set`
pub(crate) unsafe extern "C" fn ctx_Capsule_Set(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    value: *mut c_void,
) -> c_int {
    inside(|vm| {
        // SAFETY: the handle is open.
        let capsule = Capsule::of(unsafe { nullable(capsule) }, "HPyCapsule_Set", vm)?;
        match key {
            HPyCapsule_key_Pointer if value.is_null() => {
                return Err(vm.new_value_error("HPyCapsule_SetPointer called with null pointer"));
            }
            HPyCapsule_key_Pointer => capsule.content.pointer.set(value),
            HPyCapsule_key_Name => capsule.content.name.set(value.cast()),
            HPyCapsule_key_Context => capsule.content.context.set(value),
            HPyCapsule_key_Destructor => {
                // SAFETY: the destructor is null or valid.
                capsule.content.destructor.set(unsafe { author(ctx, value.cast(), vm) }?);
            }
            _ => {
                return Err(
                    vm.new_system_error("HPyCapsule_Set: the key is not one of _HPyCapsule_key")
                );
            }
        }
        Ok(())
    })
}

/// `HPyCapsule_IsValid`: no exception says why not.
pub(crate) unsafe extern "C" fn ctx_Capsule_IsValid(
    _ctx: *mut HPyContext,
    capsule: HPy,
    utf8_name: *const c_char,
) -> c_int {
    // SAFETY: the handle is open; the name is null or a C string.
    unsafe {
        let capsule = object(capsule).downcast_ref::<Capsule>();
        c_int::from(capsule.is_some_and(|capsule| {
            !capsule.content.pointer.get().is_null() && capsule.is_called(utf8_name)
        }))
    }
}

/// What is called in place of the author's destructor.
///
/// # Safety
/// The destructor is null or valid; the context belongs to a load.
unsafe fn author(
    ctx: *mut HPyContext,
    destructor: *const HPyCapsule_Destructor,
    vm: &VirtualMachine,
) -> PyResult<Option<HPyFunc_Capsule_Destructor>> {
    // SAFETY: the caller's promise; the function has the prototype of a capsule destructor.
    unsafe {
        let Some(destructor) = destructor.as_ref() else { return Ok(None) };
        let (Some(_), Some(author)) = (destructor.cpy_trampoline, destructor.impl_) else {
            return Err(vm.new_value_error(
                "a capsule destructor must be defined with HPyCapsule_DESTRUCTOR: \
                 its cpy_trampoline or its impl is NULL",
            ));
        };
        let author = transmute::<HPyFunc_Capsule_Destructor, HPyCFunction>(author);
        let bound = plain(ctx, Kind::Shift3, HPyFunc_CAPSULE_DESTRUCTOR, author);
        Ok(transmute::<HPyCFunction, Option<HPyFunc_Capsule_Destructor>>(bound))
    }
}
