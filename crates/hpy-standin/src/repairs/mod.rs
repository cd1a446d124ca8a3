//! What PyPy's functions do otherwise than the API says, and can be met from outside.
//!
//! As the layout, the host's own context is put right, so that every extension gets the functions: those here stand in front of PyPy's,
//! look at what PyPy's do not look at, and leave the work to them. What ends the process there is an exception again, as on CPython.
//!
//! The unsafe code is sound because the context is the one that a function of PyPy would get: handles are open, the interpreter is
//! attached, and C strings and arrays are what the API says.

mod builders;
mod capsules;
mod containers;

mod errors;
mod fields;
mod numbers;
mod reflected;
mod text;
mod types;

use core::ffi::CStr;
use std::sync::OnceLock;

use hpy_abi::{HPy, HPyContext};

use crate::context;
use crate::python::Python;

/// The functions as the host has them.
struct Originals(HPyContext);

// SAFETY: nobody writes to it, and what its members are may be used in each thread that is attached.
unsafe impl Sync for Originals {}
// SAFETY: as above.
unsafe impl Send for Originals {}

static ORIGINALS: OnceLock<Originals> = OnceLock::new();

/// Puts the functions into the context that have a member for each; those of the host stay reachable through [`host`].
macro_rules! install {
    ($ctx:expr; $($member:ident: $function:expr,)*) => { $( (*$ctx).$member = $function; )* };
}

/// `repair()`: puts functions of ours in front of those of PyPy that need it; once.
pub(crate) fn repair(py: Python, _args: &[HPy]) -> HPy {
    let ctx = py.context();
    if ORIGINALS.get().is_none() {
        // SAFETY: the context is the host's own, with the layout of the ABI, and the interpreter is attached.
        unsafe {
            // Nobody else sets it: extensions are loaded after this.
            let _ = ORIGINALS.set(Originals(context::copy(ctx)));
            put_right(ctx);
        }
    }
    py.none()
}

/// # Safety
/// The context is the host's own, and the interpreter is attached.
unsafe fn put_right(ctx: *mut HPyContext) {
    // SAFETY: the caller's promise.
    unsafe {
        install! { ctx;
            ctx_Long_AsInt32_t: numbers::as_int32,
            ctx_Long_AsUInt32_t: numbers::as_uint32,
            ctx_Long_AsInt64_t: numbers::as_int64,
            ctx_Long_AsUInt32_tMask: numbers::as_uint32_mask,
            ctx_Long_AsUInt64_tMask: numbers::as_uint64_mask,
            ctx_Long_AsVoidPtr: numbers::as_void_ptr,
            ctx_Long_AsDouble: numbers::as_double,
            ctx_Float_AsDouble: numbers::float_as_double,
            ctx_Number_Check: numbers::check,
            ctx_InPlacePower: numbers::in_place_power,
        }
        install! { ctx;
            ctx_Unicode_FromString: text::from_string,
            ctx_Unicode_FromWideChar: text::from_wide_char,
            ctx_Unicode_FromEncodedObject: text::from_encoded_object,
            ctx_Unicode_AsUTF8AndSize: text::as_utf8_and_size,
            ctx_Unicode_AsUTF8String: text::as_utf8_string,
            ctx_Unicode_EncodeFSDefault: text::encode_fs_default,
            ctx_GetAttr_s: text::get_attr,
            ctx_HasAttr_s: text::has_attr,
            ctx_SetAttr_s: text::set_attr,
            ctx_GetItem_s: text::get_item,
            ctx_SetItem_s: text::set_item,
            ctx_DelItem_s: text::del_item,
            ctx_Import_ImportModule: text::import_module,
        }
        install! { ctx;
            ctx_Err_SetString: errors::set_string,
            ctx_Err_SetObject: errors::set_object,
            ctx_Err_SetFromErrnoWithFilename: errors::set_from_errno,
            ctx_Err_SetFromErrnoWithFilenameObjects: errors::set_from_errno_objects,
            ctx_Err_NewException: errors::new_exception,
            ctx_Err_NewExceptionWithDoc: errors::new_exception_with_doc,
            ctx_Err_WarnEx: errors::warn,
        }
        install! { ctx;
            ctx_ListBuilder_New: builders::new_list,
            ctx_ListBuilder_Set: builders::set_list,
            ctx_ListBuilder_Build: builders::build_list,
            ctx_ListBuilder_Cancel: builders::cancel_list,
            ctx_TupleBuilder_New: builders::new_tuple,
            ctx_TupleBuilder_Set: builders::set_tuple,
            ctx_TupleBuilder_Build: builders::build_tuple,
            ctx_TupleBuilder_Cancel: builders::cancel_tuple,
            ctx_List_New: containers::new_list,
            ctx_List_Append: containers::append,
            ctx_Tuple_FromArray: containers::tuple_from_array,
            ctx_Bytes_Size: containers::bytes_size,
            ctx_Bytes: containers::bytes,
            ctx_Dump: text::dump,
        }
        install! { ctx;
            ctx_Field_Load: fields::load_field,
            ctx_Global_Load: fields::load_global,
            ctx_Global_Store: fields::store_global,
            ctx_Tracker_New: fields::new_tracker,
            ctx_Tracker_Add: fields::add_to_tracker,
            ctx_Tracker_Close: fields::close_tracker,
            ctx_Capsule_New: capsules::new,
            ctx_Capsule_Get: capsules::get,
            ctx_Capsule_Set: capsules::set,
            ctx_Type_FromSpec: types::from_spec,
            ctx_Type_GetName: types::get_name,
            ctx_AsStruct_Long: (*ctx).ctx_AsStruct_Object,
            ctx_AsStruct_Float: (*ctx).ctx_AsStruct_Object,
            ctx_AsStruct_Unicode: (*ctx).ctx_AsStruct_Object,
            ctx_AsStruct_Tuple: (*ctx).ctx_AsStruct_Object,
            ctx_AsStruct_List: (*ctx).ctx_AsStruct_Object,
        }
    }
}

/// The functions as the host has them.
fn host() -> &'static HPyContext {
    let originals = ORIGINALS.get();
    // Only the functions here ask, and they are installed afterwards.
    &originals.expect("the originals are kept before anything is put in front of them").0
}

/// Sets an exception.
///
/// # Safety
/// As for every function of the context.
unsafe fn raise(ctx: *mut HPyContext, class: HPy, message: &CStr) {
    // SAFETY: the caller's promise, and a C string.
    unsafe { (host().ctx_Err_SetString)(ctx, class, message.as_ptr()) };
}

/// The same, for functions that return a handle.
///
/// # Safety
/// As above.
unsafe fn fail(ctx: *mut HPyContext, class: HPy, message: &CStr) -> HPy {
    // SAFETY: the caller's promise.
    unsafe { raise(ctx, class, message) };
    HPy::NULL
}

/// Whether an exception is set that is one of a class.
///
/// # Safety
/// As above.
unsafe fn failed_with(ctx: *mut HPyContext, class: HPy) -> bool {
    // SAFETY: the caller's promise.
    unsafe { (host().ctx_Err_ExceptionMatches)(ctx, class) != 0 }
}

/// Whether the type of an object has an attribute; leaves an exception alone.
///
/// # Safety
/// As above.
unsafe fn type_has(ctx: *mut HPyContext, h: HPy, name: &CStr) -> bool {
    // SAFETY: the caller's promise, and a C string.
    unsafe {
        let class = (host().ctx_Type)(ctx, h);
        let has = (host().ctx_HasAttr_s)(ctx, class, name.as_ptr()) == 1;
        close(ctx, &[class]);
        has
    }
}

/// Calls what was looked up among the built-in names.
///
/// # Safety
/// As above; the arguments are open, or null, which stands for an exception.
unsafe fn call_builtin(ctx: *mut HPyContext, name: &CStr, args: &[HPy]) -> HPy {
    // SAFETY: the caller's promise.
    unsafe {
        let function = (host().ctx_GetItem_s)(ctx, host().h_Builtins, name.as_ptr());
        let result = call(ctx, function, args);
        (host().ctx_Close)(ctx, function);
        result
    }
}

/// Calls a function; null where it or an argument is null, which stands for an exception.
///
/// # Safety
/// As above.
unsafe fn call(ctx: *mut HPyContext, function: HPy, args: &[HPy]) -> HPy {
    if function.is_null() || args.iter().any(|arg| arg.is_null()) {
        return HPy::NULL;
    }
    // SAFETY: the caller's promise.
    unsafe { (host().ctx_Call)(ctx, function, args.as_ptr(), args.len(), HPy::NULL) }
}

/// Closes handles; null is let through.
///
/// # Safety
/// As above; the handles are not used afterwards.
unsafe fn close(ctx: *mut HPyContext, handles: &[HPy]) {
    for handle in handles.iter().filter(|handle| !handle.is_null()) {
        // SAFETY: the caller's promise.
        unsafe { (host().ctx_Close)(ctx, *handle) };
    }
}
