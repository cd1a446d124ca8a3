//! Types: PyPy forgets the struct of an object whose type names `object` as its base, and does not look at much of what is wrong.

use core::ffi::{CStr, c_char};
use core::ptr;
use core::slice;

use hpy_abi::*;
use hpy_host::TypeDefinitions;

use super::{close, fail, host, reflected};

/// A parameter array that ends at once.
const NO_PARAMETERS: [HPyType_SpecParam; 1] =
    [HPyType_SpecParam { kind: HPyType_SpecParam_End, object: HPy::NULL }];

pub(super) unsafe extern "C" fn from_spec(
    ctx: *mut HPyContext,
    spec: *mut HPyType_Spec,
    params: *mut HPyType_SpecParam,
) -> HPy {
    // SAFETY: as every function of the context; an array that ends.
    unsafe {
        let given = parameters(params);
        // Without bases it is an object, too, and then PyPy gives its objects the struct.
        let plain = given
            .iter()
            .all(|param| param.kind == HPyType_SpecParam_Base && is_object(ctx, param.object));
        if let Err(Wrong { class, message }) = check(&*spec, given, plain) {
            return fail(ctx, class, message);
        }
        let mut spec = spec.read();
        if plain && BUILTINS.contains(&spec.builtin_shape) {
            spec.builtin_shape = HPyType_BuiltinShape_Object;
        }
        spec.defines = reflected::add(spec.defines);
        let mut none = NO_PARAMETERS;
        let params = if plain { none.as_mut_ptr() } else { params };
        (host().ctx_Type_FromSpec)(ctx, &raw mut spec, params)
    }
}

/// PyPy's has the module in front of the name of a type made in C.
pub(super) unsafe extern "C" fn get_name(ctx: *mut HPyContext, class: HPy) -> *const c_char {
    // SAFETY: as above; C strings, of which the result lives as long as the type.
    unsafe {
        let full = (host().ctx_Type_GetName)(ctx, class);
        let own = (host().ctx_GetAttr_s)(ctx, class, c"__name__".as_ptr());
        if full.is_null() || own.is_null() {
            return ptr::null();
        }
        let text = (host().ctx_Unicode_AsUTF8AndSize)(ctx, own, ptr::null_mut());
        if text.is_null() {
            close(ctx, &[own]);
            return ptr::null();
        }
        let full_name = CStr::from_ptr(full).to_bytes();
        let module = full_name.len().checked_sub(CStr::from_ptr(text).count_bytes());
        let starts = |at: &usize| *at > 0 && full_name[at - 1] == b'.';
        close(ctx, &[own]);
        full.add(module.filter(starts).unwrap_or(0))
    }
}

/// Shapes of builtins: PyPy has no place for a struct in their objects.
const BUILTINS: [HPyType_BuiltinShape; 5] = [
    HPyType_BuiltinShape_Long,
    HPyType_BuiltinShape_Float,
    HPyType_BuiltinShape_Unicode,
    HPyType_BuiltinShape_Tuple,
    HPyType_BuiltinShape_List,
];

/// Why a type cannot be made.
struct Wrong {
    class: HPy,
    message: &'static CStr,
}

/// The parameters without the end.
///
/// # Safety
/// Null, or an array that ends.
unsafe fn parameters<'a>(params: *const HPyType_SpecParam) -> &'a [HPyType_SpecParam] {
    if params.is_null() {
        return &[];
    }
    let mut count = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while (*params.add(count)).kind != HPyType_SpecParam_End {
            count += 1;
        }
        slice::from_raw_parts(params, count)
    }
}

/// # Safety
/// A specification of a library that stays loaded.
unsafe fn check(
    spec: &HPyType_Spec,
    params: &[HPyType_SpecParam],
    plain: bool,
) -> Result<(), Wrong> {
    let wrong = |class, message| Err(Wrong { class, message });
    let (value, kind) = (host().h_ValueError, host().h_TypeError);
    if spec.name.is_null() {
        return wrong(value, c"HPyType_Spec.name is NULL: write \"module.Type\"");
    }
    if params.iter().any(|param| param.kind.0 > HPyType_SpecParam_Metaclass.0) {
        return wrong(kind, c"HPyType_FromSpec: a parameter is of an unknown kind");
    }
    if !plain && spec.basicsize > 0 && BUILTINS.contains(&spec.builtin_shape) {
        let message = c"PyPy has no place for a C struct in objects of a type that derives from int, float, str, tuple or list: \
            keep such an object in a field instead of deriving from its type";
        return wrong(kind, message);
    }
    // SAFETY: the caller's promise. What is wrong with the definitions themselves, the host says.
    let Ok(definitions) = (unsafe { TypeDefinitions::read(spec) }) else { return Ok(()) };
    if spec.basicsize == 0 && !definitions.members.is_empty() && params.is_empty() {
        return wrong(
            kind,
            c"HPyType_Spec has members, but its basicsize is 0: there is no struct",
        );
    }
    if definitions.slots.iter().any(|slot| slot.slot.0 >= HPy_mod_create.0) {
        return wrong(host().h_SystemError, c"HPyType_Spec has a slot of a module");
    }
    if definitions.call.is_some() && definitions.vectorcall.is_some() {
        return wrong(
            kind,
            c"HPyType_Spec has both HPy_tp_call and __vectorcalloffset__: keep one",
        );
    }
    Ok(())
}

unsafe fn is_object(ctx: *mut HPyContext, class: HPy) -> bool {
    // SAFETY: an open handle.
    unsafe { (host().ctx_Is)(ctx, class, host().h_BaseObjectType) != 0 }
}
