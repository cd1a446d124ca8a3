//! `hpy-abi`: the context, signatures, slots, member types, shapes and trampoline arguments in Rust.

use super::Output;
use super::ctypes::{NOTICE, rust_name, rust_result, rust_type};
use crate::model::{Api, Contract, Function, Member, Signature};

pub fn print(api: &Api) -> Vec<Output> {
    let text = format!(
        "// {NOTICE}\n\n\
         use core::ffi::{{c_char, c_int, c_void}};\n\nuse crate::types::open_enum;\nuse crate::*;\n\n\
         {}{}{}{}{}{}{}",
        context(api),
        functions(api),
        enumeration(
            "HPyFunc_Signature",
            "The prototype of a C function that Python calls.",
            "core::ffi::c_uint",
            api.signatures.iter().map(|s| (s.name.as_str(), i64::from(s.value)))
        ),
        enumeration(
            "HPySlot_Slot",
            "A slot of a type or a module.",
            "core::ffi::c_uint",
            api.slots.iter().map(|s| (s.name.as_str(), i64::from(s.value)))
        ),
        enumeration(
            "HPyMember_FieldType",
            "The C type of a member.",
            "core::ffi::c_uint",
            api.member_types.iter().map(|m| (m.name.as_str(), i64::from(m.value)))
        ),
        enumeration(
            "HPyType_BuiltinShape",
            "Which builtin's layout a struct extends.",
            "c_int",
            api.shapes.iter().map(|s| (s.name.as_str(), i64::from(s.value)))
        ),
        trampoline_arguments(api),
    ) + &slot_signatures(api);
    vec![Output::new("crates/hpy-abi/src/generated.rs", text)]
}

fn context(api: &Api) -> String {
    let fields: String = api.members().iter().map(field).collect();
    let size = 24 + 8 * api.members().len();
    let checks: String = api
        .members()
        .iter()
        .enumerate()
        .map(|(index, m)| {
            let name = match m {
                Member::Handle(h) => h.name.clone(),
                Member::Function(f) => f.member(),
            };
            format!("assert!(core::mem::offset_of!(HPyContext, {name}) == {});\n", 24 + 8 * index)
        })
        .collect();
    format!(
        "/// What a call of the API goes through: constant handles, and the functions of the host.\n\
         #[repr(C)]\n#[derive(Clone)]\npub struct HPyContext {{\n\
         /// Which host and mode this is, for people.\npub name: *const c_char,\n\
         /// The host's own.\npub _private: *mut c_void,\n\
         /// The major ABI version.\npub abi_version: c_int,\n{fields}}}\n\n\
         #[cfg(target_pointer_width = \"64\")]\nconst _: () = {{\n{checks}\
         assert!(size_of::<HPyContext>() == {size});\n}};\n\n"
    )
}

fn field(member: &Member) -> String {
    match member {
        Member::Handle(h) => format!("/// `{}`\npub {}: HPy,\n", h.python, h.name),
        Member::Function(f) => format!(
            "/// `{}`\npub {}: unsafe extern \"C\" fn({}){},\n",
            f.name,
            f.member(),
            parameters(f),
            result(f)
        ),
    }
}

fn parameters(f: &Function) -> String {
    let mut text = String::from("ctx: *mut HPyContext");
    for p in &f.params {
        text.push_str(&format!(", {}: {}", rust_name(&p.name), rust_type(&p.ctype)));
    }
    text
}

fn result(f: &Function) -> String {
    if f.returns.contract == Contract::Nothing {
        String::new()
    } else {
        rust_result(&f.returns.ctype)
    }
}

fn functions(api: &Api) -> String {
    let names: String =
        api.functions.iter().map(|f| format!("({}, \"{}\"),\n", f.index, f.member())).collect();
    format!(
        "/// The context's functions: index of the member, and its name.\n\
         pub const FUNCTIONS: [(usize, &str); {}] = [\n{names}];\n\n",
        api.functions.len()
    )
}

fn enumeration<'a>(
    name: &str,
    doc: &str,
    repr: &str,
    values: impl Iterator<Item = (&'a str, i64)>,
) -> String {
    let values: String =
        values.map(|(value, number)| format!("/// `{value}`\n{value} = {number},\n")).collect();
    format!("open_enum!(\n/// {doc}\n{name}: {repr} {{\n{values}}}\n);\n\n")
}

fn slot_signatures(api: &Api) -> String {
    let rows: String =
        api.slots.iter().map(|s| format!("({}, HPyFunc_{}),\n", s.name, s.signature)).collect();
    format!(
        "\n/// Each slot with the signature of its function.\n\
         pub const SLOT_SIGNATURES: [(HPySlot_Slot, HPyFunc_Signature); {}] = [\n{rows}];\n",
        api.slots.len()
    )
}

fn trampoline_arguments(api: &Api) -> String {
    api.signatures.iter().filter_map(arguments_struct).collect()
}

fn arguments_struct(s: &Signature) -> Option<String> {
    let args = s.trampoline_args.as_ref()?;
    let fields: String = args
        .fields
        .iter()
        .map(|f| {
            let ctype = super::ctypes::trampoline_field(s, &f.name);
            format!("/// `{}`\npub {}: {},\n", f.name, rust_name(&f.name), rust_type(&ctype))
        })
        .collect();
    let short = s.name.trim_start_matches("HPyFunc_");
    let name = format!("_HPyFunc_args_{short}");
    let offsets: String = args
        .fields
        .iter()
        .map(|f| {
            let field = rust_name(&f.name);
            format!("assert!(core::mem::offset_of!({name}, {field}) == {});\n", f.offset)
        })
        .collect();
    Some(format!(
        "/// What a trampoline of signature `{short}` hands to `ctx_CallRealFunctionFromTrampoline`.\n\
         #[repr(C)]\npub struct {name} {{\n{fields}}}\n\n\
         #[cfg(target_pointer_width = \"64\")]\nconst _: () = {{\n{offsets}\
         assert!(size_of::<{name}>() == {});\n}};\n\n",
        args.size
    ))
}
