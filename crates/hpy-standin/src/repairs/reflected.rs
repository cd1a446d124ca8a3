//! Operators of the operand on the right: PyPy calls a binary slot only for the one on the left.
//!
//! Python has a second method for each, `__radd__`. Types get it as a method that calls the author's function with its operands in
//! their order.

use core::ffi::{CStr, c_void};
use core::mem::transmute;
use core::ptr;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use hpy_abi::*;
use hpy_host::null_terminated;
use hpy_host::thunk::{Kind, thunk};

/// The slots, and the methods of the operand on the right.
const METHODS: [(HPySlot_Slot, &CStr); 13] = [
    (HPy_nb_add, c"__radd__"),
    (HPy_nb_subtract, c"__rsub__"),
    (HPy_nb_multiply, c"__rmul__"),
    (HPy_nb_matrix_multiply, c"__rmatmul__"),
    (HPy_nb_true_divide, c"__rtruediv__"),
    (HPy_nb_floor_divide, c"__rfloordiv__"),
    (HPy_nb_remainder, c"__rmod__"),
    (HPy_nb_divmod, c"__rdivmod__"),
    (HPy_nb_lshift, c"__rlshift__"),
    (HPy_nb_rshift, c"__rrshift__"),
    (HPy_nb_and, c"__rand__"),
    (HPy_nb_xor, c"__rxor__"),
    (HPy_nb_or, c"__ror__"),
];

/// Arrays of definitions that were made before, by those that they were made of: specifications may be made again and again.
static MADE: LazyLock<Mutex<HashMap<Vec<usize>, usize>>> = LazyLock::new(Mutex::default);

/// The definitions, and behind them the methods that belong to their slots; the same array if there are none.
///
/// # Safety
/// Null, or an array of valid definitions that ends with null, in a library that is never closed.
pub(super) unsafe fn add(array: *const *mut HPyDef) -> *const *mut HPyDef {
    // SAFETY: the caller's promise.
    let given: Vec<_> = unsafe { null_terminated(array) }.map(ptr::NonNull::as_ptr).collect();
    // SAFETY: as above.
    let methods: Vec<_> = given.iter().filter_map(|def| unsafe { reflected(&**def) }).collect();
    if methods.is_empty() {
        return array;
    }
    let functions = methods.iter().map(|(_, author)| *author as usize);
    let key: Vec<_> = given.iter().map(|def| *def as usize).chain(functions).collect();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let array = made.entry(key).or_insert_with(|| {
        let methods = methods.iter().filter_map(|(name, author)| method(name, *author));
        let all: Vec<_> = given.iter().copied().chain(methods).chain([ptr::null_mut()]).collect();
        Box::leak(all.into_boxed_slice()).as_ptr() as usize
    });
    *array as *const *mut HPyDef
}

type Function = unsafe extern "C" fn();
type Binary = unsafe extern "C" fn(*mut HPyContext, HPy, HPy) -> HPy;

/// The name of the method that belongs to a definition, and the author's function.
///
/// # Safety
/// A valid definition.
unsafe fn reflected(def: &HPyDef) -> Option<(&'static CStr, Function)> {
    if def.kind != HPyDef_Kind_Slot {
        return None;
    }
    // SAFETY: the kind says which member was written.
    let slot = unsafe { def.def.slot };
    let (_, name) = METHODS.iter().find(|(number, _)| *number == slot.slot)?;
    Some((name, slot.impl_?))
}

/// The definition of a method that calls the author's function with its operands exchanged. Never freed.
fn method(name: &'static CStr, author: Function) -> Option<*mut HPyDef> {
    let thunk = thunk(Kind::Shift3, author as *const c_void, exchange as *const c_void)?;
    let meth = HPyMeth {
        name: name.as_ptr(),
        // SAFETY: the thunk is code.
        impl_: Some(unsafe { transmute::<*const c_void, Function>(thunk.as_ptr()) }),
        cpy_trampoline: None,
        signature: HPyFunc_O,
        doc: ptr::null(),
    };
    Some(Box::leak(Box::new(HPyDef { kind: HPyDef_Kind_Meth, def: HPyDef_Union { meth } })))
}

/// Calls the author's function of a slot for the operand on the right, which is `own`.
unsafe extern "C" fn exchange(author: Binary, ctx: *mut HPyContext, own: HPy, other: HPy) -> HPy {
    // SAFETY: the host calls the method as its signature says; a binary slot has this one.
    unsafe { author(ctx, other, own) }
}
