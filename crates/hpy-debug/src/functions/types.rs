//! Making types: the parameters are handles in an array of structs.

use hpy_abi::*;

use super::buffer::note_type;
use crate::api::{Api, Handle};
use crate::generated::info;
use crate::types::learn;

/// The object of a parameter.
const OBJECT: Handle = Handle { name: "params", number: 2, null: false, must_be: None };

/// `HPyType_FromSpec`
pub(crate) unsafe extern "C" fn ctx_Type_FromSpec(
    ctx: *mut HPyContext,
    spec: *mut HPyType_Spec,
    params: *mut HPyType_SpecParam,
) -> HPy {
    // SAFETY: the extension calls with a context of this crate, a specification, and null or an array that kind 0 ends.
    unsafe {
        let api = Api::begin(ctx, &info::ctx_Type_FromSpec);
        let Some(mut wrapped) = unwrap(&api, params) else { return HPy::NULL };
        note_type(spec);
        let inner = api.inner();
        let params = if params.is_null() { params } else { wrapped.as_mut_ptr() };
        let result = ((*inner).ctx_Type_FromSpec)(inner, spec, params);
        api.came_back();
        if !result.is_null() {
            learn(api.world(), spec, result);
        }
        api.new_handle(result)
    }
}

/// The parameters with wrapped handles, with their end.
unsafe fn unwrap(api: &Api, params: *const HPyType_SpecParam) -> Option<Vec<HPyType_SpecParam>> {
    let mut wrapped = Vec::new();
    let mut next = params;
    while !next.is_null() {
        // SAFETY: the array is ended by kind 0, behind which nothing is read.
        let HPyType_SpecParam { kind, object } = unsafe { *next };
        if kind == HPyType_SpecParam_End {
            wrapped.push(HPyType_SpecParam { kind, object: HPy::NULL });
            break;
        }
        wrapped.push(HPyType_SpecParam { kind, object: api.one(object, &OBJECT)? });
        // SAFETY: this was not the end.
        next = unsafe { next.add(1) };
    }
    Some(wrapped)
}
