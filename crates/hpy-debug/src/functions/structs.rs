//! Objects with a C struct: making one, and asking for the struct.

use core::ffi::c_void;
use core::ptr;

use hpy_abi::*;

use crate::api::{Api, Function};
use crate::fields;
use crate::generated::info;
use crate::state::state;
use crate::structs::may_read;
use crate::types::Layout;

/// `_HPy_New`
pub(crate) unsafe extern "C" fn ctx_New(
    ctx: *mut HPyContext,
    h_type: HPy,
    data: *mut *mut c_void,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate, and a place for the address of the struct.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_New);
        let Some([wrapped_type]) = api.handles([h_type]) else { return HPy::NULL };
        let inner = api.inner();
        let object = ((*inner).ctx_New)(inner, wrapped_type, data);
        api.came_back();
        if !object.is_null() {
            state().structs.made(*data as usize);
            let layout = Layout::of(api.world(), object);
            if layout.is_checkable() && state().fields.is_new_worth(&layout) {
                fields::touch(api.world(), object, layout, None);
            }
        }
        api.new_handle(object)
    }
}

/// Asks for the struct of a type of one shape; `place` is the address in the extension that the call returns to.
unsafe fn as_struct(
    ctx: *mut HPyContext,
    h: HPy,
    place: usize,
    function: &'static Function,
    shape: HPyType_BuiltinShape,
    wrapped: impl Fn(&HPyContext) -> unsafe extern "C" fn(*mut HPyContext, HPy) -> *mut c_void,
) -> *mut c_void {
    // SAFETY: the extension calls with a context of this crate.
    unsafe {
        let api = Api::begin(ctx, function);
        let Some([object]) = api.handles([h]) else { return ptr::null_mut() };
        if !may_read(&api, h, object, shape, place) {
            return ptr::null_mut();
        }
        let inner = api.inner();
        wrapped(&*inner)(inner, object)
    }
}

/// The wrappers: each hands on the address that it returns to, which only code without a frame of its own can know.
macro_rules! as_struct {
    ($($name:ident, $looked_at:ident, $shape:ident;)*) => {$(
        unsafe extern "C" fn $looked_at(ctx: *mut HPyContext, h: HPy, place: usize) -> *mut c_void {
            // SAFETY: as for `as_struct`.
            unsafe { as_struct(ctx, h, place, &info::$name, $shape, |inner| inner.$name) }
        }

        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        #[cfg(all(target_arch = "x86_64", not(windows)))]
        #[unsafe(naked)]
        pub(crate) unsafe extern "C" fn $name(ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            core::arch::naked_asm!("mov rdx, [rsp]", "jmp {}", sym $looked_at)
        }

        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        #[cfg(all(target_arch = "x86_64", windows))]
        #[unsafe(naked)]
        pub(crate) unsafe extern "C" fn $name(ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            core::arch::naked_asm!("mov r8, [rsp]", "jmp {}", sym $looked_at)
        }

        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        #[cfg(target_arch = "aarch64")]
        #[unsafe(naked)]
        pub(crate) unsafe extern "C" fn $name(ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            core::arch::naked_asm!("mov x2, x30", "b {}", sym $looked_at)
        }

        #[doc = concat!("`_HPy_", stringify!($name), "`")]
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        pub(crate) unsafe extern "C" fn $name(ctx: *mut HPyContext, h: HPy) -> *mut c_void {
            // SAFETY: as for `as_struct`. Nothing is learned about a place that is not known.
            unsafe { $looked_at(ctx, h, 0) }
        }
    )*};
}

as_struct! {
    ctx_AsStruct_Object, object_at, HPyType_BuiltinShape_Object;
    ctx_AsStruct_Legacy, legacy_at, HPyType_BuiltinShape_Legacy;
    ctx_AsStruct_Type, type_at, HPyType_BuiltinShape_Type;
    ctx_AsStruct_Long, long_at, HPyType_BuiltinShape_Long;
    ctx_AsStruct_Float, float_at, HPyType_BuiltinShape_Float;
    ctx_AsStruct_Unicode, unicode_at, HPyType_BuiltinShape_Unicode;
    ctx_AsStruct_Tuple, tuple_at, HPyType_BuiltinShape_Tuple;
    ctx_AsStruct_List, list_at, HPyType_BuiltinShape_List;
    ctx_AsStruct_Dict, dict_at, HPyType_BuiltinShape_Dict;
}
