//! Pointers into objects: the extension gets a copy that it cannot write, and cannot read once the handle is closed.

use core::ffi::{CStr, c_char};
use core::ptr;

use hpy_abi::{HPy, HPyContext};

use crate::api::Api;
use crate::generated::info;
use crate::raw::Snapshot;
use crate::slots::Slot;
use crate::state::state;

/// `HPyUnicode_AsUTF8AndSize`
pub(crate) unsafe extern "C" fn ctx_Unicode_AsUTF8AndSize(
    ctx: *mut HPyContext,
    h: HPy,
    size: *mut isize,
) -> *const c_char {
    // SAFETY: the extension calls with a context of this crate; the size may be null. There are as many bytes as the size says, and a 0.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Unicode_AsUTF8AndSize);
        let Some([wrapped]) = api.handles([h]) else { return ptr::null() };
        let inner = api.inner();
        let mut length = 0;
        let text = ((*inner).ctx_Unicode_AsUTF8AndSize)(inner, wrapped, &raw mut length);
        let text = api.pointer(text);
        if !size.is_null() {
            *size = length;
        }
        copy(&api, h, text, length)
    }
}

/// `HPyBytes_AsString`
pub(crate) unsafe extern "C" fn ctx_Bytes_AsString(ctx: *mut HPyContext, h: HPy) -> *const c_char {
    // SAFETY: the extension calls with a context of this crate; bytes are as long as they say, with a 0 behind them.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Bytes_AsString);
        let Some([wrapped]) = api.handles([h]) else { return ptr::null() };
        let inner = api.inner();
        let bytes = api.pointer(((*inner).ctx_Bytes_AsString)(inner, wrapped));
        if bytes.is_null() {
            return bytes;
        }
        copy(&api, h, bytes, ((*inner).ctx_Bytes_Size)(inner, wrapped))
    }
}

/// `HPyBytes_AS_STRING`
pub(crate) unsafe extern "C" fn ctx_Bytes_AS_STRING(ctx: *mut HPyContext, h: HPy) -> *const c_char {
    // SAFETY: as above; the type is checked.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Bytes_AS_STRING);
        let Some([wrapped]) = api.handles([h]) else { return ptr::null() };
        if !api.is_what_it_must_be(0, h, wrapped) {
            return ptr::null();
        }
        let inner = api.inner();
        let bytes = ((*inner).ctx_Bytes_AS_STRING)(inner, wrapped);
        copy(&api, h, bytes, ((*inner).ctx_Bytes_GET_SIZE)(inner, wrapped))
    }
}

/// `HPyType_GetName`
pub(crate) unsafe extern "C" fn ctx_Type_GetName(
    ctx: *mut HPyContext,
    type_: HPy,
) -> *const c_char {
    // SAFETY: the extension calls with a context of this crate; the name is a C string.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Type_GetName);
        let Some([wrapped]) = api.handles([type_]) else { return ptr::null() };
        if !api.is_what_it_must_be(0, type_, wrapped) {
            return ptr::null();
        }
        let inner = api.inner();
        let name = api.pointer(((*inner).ctx_Type_GetName)(inner, wrapped));
        if name.is_null() {
            return name;
        }
        copy(&api, type_, name, CStr::from_ptr(name).count_bytes() as isize)
    }
}

/// A copy of the memory that belongs to the handle; the same for the same contents. The memory itself where no copy can be made.
///
/// # Safety
/// Null, or as many bytes as `length` says and a 0.
unsafe fn copy(api: &Api, h: HPy, memory: *const c_char, length: isize) -> *const c_char {
    if memory.is_null() {
        return memory;
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe {
        core::slice::from_raw_parts(memory.cast::<u8>(), length.max(0).unsigned_abs() + 1)
    };
    let mut state = state();
    let Some(slot) = state.handles.get(h).map(Slot::number) else { return memory };
    let Some(more) = state.handles.more_mut(h) else { return memory };
    if let Some(copy) = more.copies.iter().find(|copy| copy.is(bytes)) {
        return copy.address();
    }
    let Some(copy) = Snapshot::new(bytes, slot, api.function()) else { return memory };
    let address = copy.address();
    more.copies.push(copy);
    address
}
