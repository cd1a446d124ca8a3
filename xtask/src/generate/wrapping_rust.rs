//! What the printers of the crates that wrap a context share.

use super::ctypes::{rust_name, rust_result, rust_type};
use crate::model::{Api, Function, Member, Param, Signature};

/// The members of a context, as the fields of a struct expression: functions by `function`, constants by `constant`.
pub fn members(
    api: &Api,
    function: impl Fn(&Function) -> String,
    constant: impl Fn(&str) -> String,
) -> String {
    let line = |member: &Member| match member {
        Member::Function(f) => format!("{},\n", function(f)),
        Member::Handle(h) => format!("{}: {},\n", h.name, constant(&h.name)),
    };
    api.members().iter().map(line).collect()
}

/// The Rust parameters, each preceded by a comma.
pub fn declared(params: &[Param]) -> String {
    params.iter().map(|p| format!(", {}: {}", rust_name(&p.name), rust_type(&p.ctype))).collect()
}

/// The prototype of a signature is known, and not only its number.
pub fn is_real(s: &Signature) -> bool {
    s.returns.is_some()
}

/// The signature's name without what all begin with.
pub fn short(s: &Signature) -> &str {
    s.name.trim_start_matches("HPyFunc_")
}

/// The function that enters those of a signature.
pub fn entry_name(s: &Signature) -> String {
    format!("enter_{}", short(s).to_lowercase())
}

/// The function that finds the entry of a signature.
pub fn entry_table(api: &Api) -> String {
    let arms: String = api
        .signatures
        .iter()
        .filter(|s| is_real(s))
        .map(|s| format!("{} => {} as *const (),\n", s.name, entry_name(s)))
        .collect();
    format!(
        "/// The function that enters those of a signature; its first argument is a [`Target`].\n\
         pub(crate) fn entry(signature: HPyFunc_Signature) -> Option<unsafe extern \"C\" fn()> {{\n\
         let entry = match signature {{\n{arms}_ => return None,\n}};\n\
         // SAFETY: both are function pointers; who calls it casts it back.\n\
         Some(unsafe {{ core::mem::transmute::<*const (), unsafe extern \"C\" fn()>(entry) }})\n}}\n\n"
    )
}

/// The type of a function with these types of parameters behind `first`, if that is not empty.
pub fn function_type(first: &str, types: &[String], returns: &str) -> String {
    let first = if first.is_empty() { vec![] } else { vec![first.to_owned()] };
    let all = [first.as_slice(), types].concat();
    format!("unsafe extern \"C\" fn({}){}", all.join(", "), rust_result(returns))
}
