//! Functions that get arrays of handles.

use hpy_abi::{HPy, HPyContext};

use crate::api::{Api, Handle};
use crate::call::count;
use crate::generated::info;

/// An element of an array of arguments.
const ITEM: Handle = Handle { name: "args", number: 2, null: false, must_be: None };

/// The wrapped handles of an array; none if the function must fail.
unsafe fn unwrap(api: &Api, items: *const HPy, length: usize) -> Option<Vec<HPy>> {
    if items.is_null() || length == 0 {
        return Some(Vec::new());
    }
    // SAFETY: the extension says that there are as many.
    let items = unsafe { core::slice::from_raw_parts(items, length) };
    items.iter().map(|&h| api.one(h, &ITEM)).collect()
}

/// `HPyTuple_FromArray`
pub(crate) unsafe extern "C" fn ctx_Tuple_FromArray(
    ctx: *mut HPyContext,
    items: *const HPy,
    n: isize,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate and as many handles as it says.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Tuple_FromArray);
        let Some(wrapped) = unwrap(&api, items, n.max(0).unsigned_abs()) else {
            return HPy::NULL;
        };
        let inner = api.inner();
        let result = ((*inner).ctx_Tuple_FromArray)(inner, wrapped.as_ptr(), n);
        api.came_back();
        api.new_handle(result)
    }
}

/// `HPyType_GenericNew`: the arguments are not looked at.
pub(crate) unsafe extern "C" fn ctx_Type_GenericNew(
    ctx: *mut HPyContext,
    type_: HPy,
    _args: *const HPy,
    _nargs: isize,
    kw: HPy,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Type_GenericNew);
        let Some([type_, kw]) = api.handles([type_, kw]) else {
            return HPy::NULL;
        };
        let inner = api.inner();
        let result = ((*inner).ctx_Type_GenericNew)(inner, type_, core::ptr::null(), 0, kw);
        api.came_back();
        api.new_handle(result)
    }
}

/// `HPy_Call`
pub(crate) unsafe extern "C" fn ctx_Call(
    ctx: *mut HPyContext,
    callable: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate, and as many handles as it says.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Call);
        let Some((callable, args, names)) = arguments(&api, callable, args, nargs, kwnames) else {
            return HPy::NULL;
        };
        let inner = api.inner();
        let result = ((*inner).ctx_Call)(inner, callable, args.as_ptr(), nargs, names);
        api.came_back();
        api.new_handle(result)
    }
}

/// `HPy_CallMethod`
pub(crate) unsafe extern "C" fn ctx_CallMethod(
    ctx: *mut HPyContext,
    name: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate, and as many handles as it says.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_CallMethod);
        let Some((name, args, names)) = arguments(&api, name, args, nargs, kwnames) else {
            return HPy::NULL;
        };
        let inner = api.inner();
        let result = ((*inner).ctx_CallMethod)(inner, name, args.as_ptr(), nargs, names);
        api.came_back();
        api.new_handle(result)
    }
}

/// What is called, the array, and the names of the keyword arguments, whose values are at the end of the array.
unsafe fn arguments(
    api: &Api,
    callee: HPy,
    args: *const HPy,
    nargs: usize,
    kwnames: HPy,
) -> Option<(HPy, Vec<HPy>, HPy)> {
    let [wrapped, names] = api.handles([callee, kwnames])?;
    if !api.is_what_it_must_be(1, kwnames, names) {
        return None;
    }
    // SAFETY: null or an open handle to a tuple; the extension says that the array is as long.
    let args = unsafe { unwrap(api, args, nargs + count(api.world(), names)) }?;
    Some((wrapped, args, names))
}
