//! The context between the host's and what wraps it.
//!
//! A wrapper asks its host how functions of the extension are to be entered when modules and types are made
//! ([`hpy_host::Wrapper`]). A host that knows nothing of wrappers gets definitions in which that has been done: the author's functions
//! are replaced by thunks, which put what the entry wants in the place of the host's context.

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use hpy_abi::*;
use hpy_host::thunk::{Kind, thunk};
use hpy_host::{Entry, Wrapper, gets_context, null_terminated};

use crate::context;

type Function = unsafe extern "C" fn();

/// A copy of the host's context that hands definitions on with thunks in them. Never freed.
#[repr(C)]
pub(crate) struct Adapter {
    api: HPyContext,
    host: *mut HPyContext,
    wrapper: OnceLock<&'static dyn Wrapper>,
    /// Arrays of definitions that were made before, by what is in them.
    made: Mutex<HashMap<Vec<usize>, usize>>,
}

// SAFETY: the host's context may be used by each thread that is attached; the rest protects itself.
unsafe impl Sync for Adapter {}

impl Adapter {
    /// # Safety
    /// The context is the host's, and is never freed.
    pub unsafe fn new(host: *mut HPyContext) -> &'static Self {
        // SAFETY: the caller's promise.
        let mut api = unsafe { context::copy(host) };
        api.ctx_Type_FromSpec = type_from_spec;
        api.ctx_Capsule_New = capsule_new;
        api.ctx_Capsule_Set = capsule_set;
        api.ctx_SetCallFunction = set_call_function;
        let (wrapper, made) = (OnceLock::new(), Mutex::default());
        Box::leak(Box::new(Self { api, host, wrapper, made }))
    }

    /// The context that is to be wrapped.
    pub fn context(&'static self) -> *mut HPyContext {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// Sets what wraps it; once, before the extension runs.
    pub fn set_wrapper(&'static self, wrapper: &'static dyn Wrapper) {
        // The second of two would wrap another adapter.
        let _ = self.wrapper.set(wrapper);
    }

    /// The adapter that a function was called with.
    ///
    /// # Safety
    /// The context of one.
    unsafe fn of(ctx: *mut HPyContext) -> &'static Self {
        // SAFETY: the caller's promise.
        unsafe { &*ctx.cast() }
    }

    fn entry(&self, signature: HPyFunc_Signature, function: Function) -> Option<Entry> {
        self.wrapper.get()?.entry(signature, function)
    }

    /// What the host is given for a function of the extension.
    fn enter(&self, signature: HPyFunc_Signature, function: HPyCFunction) -> HPyCFunction {
        let author = function?;
        let Some(entry) = self.entry(signature, author) else { return Some(author) };
        if signature == HPyFunc_NEWFUNC {
            return new_with_dict(entry);
        }
        let kind = match signature {
            HPyFunc_DESTROYFUNC => Kind::Shift1,
            HPyFunc_TRAVERSEPROC | HPyFunc_CAPSULE_DESTRUCTOR => Kind::Shift3,
            _ => Kind::Replace,
        };
        debug_assert_eq!(gets_context(signature), kind == Kind::Replace);
        to_function(kind, entry.first, entry.target)
    }

    /// The definitions with thunks in them; null for none.
    ///
    /// # Safety
    /// Null, or an array of valid definitions that ends with null.
    pub unsafe fn definitions(&self, array: *const *mut HPyDef) -> *const *mut HPyDef {
        if array.is_null() {
            return array;
        }
        // SAFETY: the caller's promise.
        let originals: Vec<_> = unsafe { null_terminated(array) }.collect();
        // SAFETY: as above; each part of a definition is a word, some have bytes between that mean nothing.
        let key =
            originals.iter().flat_map(|def| unsafe { self.functions(def.as_ref()) }).collect();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let array = made.entry(key).or_insert_with(|| {
            // SAFETY: as above.
            let adapted = originals.iter().map(|def| unsafe { self.definition(def.as_ptr()) });
            let all: Vec<_> = adapted.chain([ptr::null_mut()]).collect();
            Box::leak(all.into_boxed_slice()).as_ptr() as usize
        });
        *array as *const *mut HPyDef
    }

    /// Where a definition is, and its functions: what tells it from others.
    ///
    /// # Safety
    /// A valid definition.
    unsafe fn functions(&self, def: &HPyDef) -> [usize; 4] {
        let address = |function: HPyCFunction| function.map_or(0, |function| function as usize);
        let own = ptr::from_ref(def) as usize;
        // SAFETY: the kind says which member was written.
        unsafe {
            match def.kind {
                HPyDef_Kind_Slot => {
                    [own, def.def.slot.slot.0 as usize, address(def.def.slot.impl_), 0]
                }
                HPyDef_Kind_Meth => {
                    [own, def.def.meth.name as usize, address(def.def.meth.impl_), 0]
                }
                HPyDef_Kind_GetSet => {
                    let getset = def.def.getset;
                    let name = getset.name as usize;
                    [own, name, address(getset.getter_impl), address(getset.setter_impl)]
                }
                _ => [own, 0, 0, 0],
            }
        }
    }

    /// # Safety
    /// A valid definition.
    unsafe fn definition(&self, original: *mut HPyDef) -> *mut HPyDef {
        // SAFETY: the caller's promise; the kind says which member was written.
        unsafe {
            let HPyDef { kind, mut def } = original.read();
            match kind {
                HPyDef_Kind_Slot => {
                    let slot = def.slot.slot;
                    let known = SLOT_SIGNATURES.iter().find(|(number, _)| *number == slot);
                    let Some((_, signature)) = known else { return original };
                    def.slot.impl_ = self.enter(*signature, def.slot.impl_);
                }
                HPyDef_Kind_Meth => def.meth.impl_ = self.enter(def.meth.signature, def.meth.impl_),
                HPyDef_Kind_GetSet => {
                    def.getset.getter_impl = self.enter(HPyFunc_GETTER, def.getset.getter_impl);
                    def.getset.setter_impl = self.enter(HPyFunc_SETTER, def.getset.setter_impl);
                }
                _ => return original,
            }
            Box::leak(Box::new(HPyDef { kind, def }))
        }
    }
}

/// A thunk as a function; there are thunks wherever there is an adapter.
fn to_function(kind: Kind, first: *const c_void, target: Function) -> HPyCFunction {
    let thunk = thunk(kind, first, target as *const c_void)?;
    // SAFETY: the thunk is code.
    Some(unsafe { transmute::<*const c_void, Function>(thunk.as_ptr()) })
}

/// `HPy_tp_new` gets a tuple of keywords from these hosts, and the values behind the other arguments. Under a wrapper, which looks at
/// the arguments only, it gets what it gets on CPython: a dict.
fn new_with_dict(entry: Entry) -> HPyCFunction {
    let entry: &'static Entry = Box::leak(Box::new(entry));
    // Its first argument is the entry, behind which all arguments of the host follow: five.
    let target: unsafe extern "C" fn(
        *const Entry,
        *mut HPyContext,
        HPy,
        *const HPy,
        isize,
        HPy,
    ) -> HPy = enter_new;
    // SAFETY: a function.
    let target = unsafe { transmute::<*const (), Function>(target as *const ()) };
    to_function(Kind::Shift5, ptr::from_ref(entry).cast(), target)
}

type NewFunc = unsafe extern "C" fn(*const c_void, HPy, *const HPy, isize, HPy) -> HPy;

unsafe extern "C" fn enter_new(
    entry: *const Entry,
    ctx: *mut HPyContext,
    class: HPy,
    args: *const HPy,
    count: isize,
    keywords: HPy,
) -> HPy {
    // SAFETY: the host calls as the signature says, with its own context.
    unsafe {
        let (api, entry) = (&*ctx, &*entry);
        let target = transmute::<Function, NewFunc>(entry.target);
        if keywords.is_null() || (api.ctx_Tuple_Check)(ctx, keywords) == 0 {
            return target(entry.first, class, args, count, keywords);
        }
        let dict = keywords_dict(ctx, keywords, args.offset(count));
        if dict.is_null() {
            return HPy::NULL;
        }
        let made = target(entry.first, class, args, count, dict);
        (api.ctx_Close)(ctx, dict);
        made
    }
}

/// A dict of names and values; null with an exception set.
///
/// # Safety
/// As many values as there are names.
unsafe fn keywords_dict(ctx: *mut HPyContext, names: HPy, values: *const HPy) -> HPy {
    // SAFETY: the caller's promise.
    unsafe {
        let api = &*ctx;
        let dict = (api.ctx_Dict_New)(ctx);
        let count = if dict.is_null() { 0 } else { (api.ctx_Length)(ctx, names) };
        for at in 0..count {
            let name = (api.ctx_GetItem_i)(ctx, names, at);
            let failed =
                name.is_null() || (api.ctx_SetItem)(ctx, dict, name, *values.offset(at)) < 0;
            (api.ctx_Close)(ctx, name);
            if failed {
                (api.ctx_Close)(ctx, dict);
                return HPy::NULL;
            }
        }
        dict
    }
}

unsafe extern "C" fn type_from_spec(
    ctx: *mut HPyContext,
    spec: *mut HPyType_Spec,
    params: *mut HPyType_SpecParam,
) -> HPy {
    // SAFETY: the wrapper calls with the adapter and what the extension gave.
    unsafe {
        let adapter = Adapter::of(ctx);
        let mut copy = spec.read();
        copy.defines = adapter.definitions(copy.defines);
        ((*adapter.host).ctx_Type_FromSpec)(adapter.host, &raw mut copy, params)
    }
}

/// A destructor with a thunk in it; null stays null.
///
/// # Safety
/// Null, or a valid destructor.
unsafe fn destructor(
    adapter: &Adapter,
    original: *mut HPyCapsule_Destructor,
) -> *mut HPyCapsule_Destructor {
    // SAFETY: the caller's promise; a destructor is a function of its signature.
    unsafe {
        let Some(author) = original.as_ref().and_then(|original| original.impl_) else {
            return original;
        };
        let function = transmute::<HPyFunc_Capsule_Destructor, Function>(author);
        let entered = adapter.enter(HPyFunc_CAPSULE_DESTRUCTOR, Some(function));
        let impl_ = transmute::<HPyCFunction, Option<HPyFunc_Capsule_Destructor>>(entered);
        Box::leak(Box::new(HPyCapsule_Destructor {
            cpy_trampoline: (*original).cpy_trampoline,
            impl_,
        }))
    }
}

unsafe extern "C" fn capsule_new(
    ctx: *mut HPyContext,
    pointer: *mut c_void,
    name: *const core::ffi::c_char,
    original: *mut HPyCapsule_Destructor,
) -> HPy {
    // SAFETY: as above.
    unsafe {
        let adapter = Adapter::of(ctx);
        let destructor = destructor(adapter, original);
        ((*adapter.host).ctx_Capsule_New)(adapter.host, pointer, name, destructor)
    }
}

unsafe extern "C" fn capsule_set(
    ctx: *mut HPyContext,
    capsule: HPy,
    key: _HPyCapsule_key,
    value: *mut c_void,
) -> core::ffi::c_int {
    // SAFETY: as above; with this key, the value is a destructor.
    unsafe {
        let adapter = Adapter::of(ctx);
        let is_destructor = key == HPyCapsule_key_Destructor;
        let value = if is_destructor { destructor(adapter, value.cast()).cast() } else { value };
        ((*adapter.host).ctx_Capsule_Set)(adapter.host, capsule, key, value)
    }
}

unsafe extern "C" fn set_call_function(
    ctx: *mut HPyContext,
    object: HPy,
    function: *mut HPyCallFunction,
) -> core::ffi::c_int {
    // SAFETY: as above.
    unsafe {
        let adapter = Adapter::of(ctx);
        let set = (*adapter.host).ctx_SetCallFunction;
        let Some(original) = function.as_ref() else { return set(adapter.host, object, function) };
        let impl_ = adapter.enter(HPyFunc_KEYWORDS, original.impl_);
        let entered = HPyCallFunction { cpy_trampoline: original.cpy_trampoline, impl_ };
        set(adapter.host, object, Box::leak(Box::new(entered)))
    }
}
