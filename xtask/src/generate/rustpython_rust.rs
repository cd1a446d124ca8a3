//! `hpy-rustpython`: the context, and for functions whose description says all about their parameters and their result, the way
//! from C to a safe Rust function of the same name and back.

use super::Output;
use super::ctypes::{NOTICE, rust_name, rust_result, rust_type};
use crate::model::{Api, Contract, Function, Member, Param};

pub fn print(api: &Api) -> Vec<Output> {
    let printed: String = api.functions.iter().filter_map(printed).collect();
    let functions = format!(
        "// {NOTICE}\n\n//! From handles and C strings to objects and texts, and back: what is done with them is in `crate::functions`.\n\n\
         use core::ffi::{{c_char, c_int}};\n\nuse hpy_abi::*;\n\n\
         use crate::functions;\nuse crate::handles::{{nullable, object}};\nuse crate::upcall::{{inside, nullable_text, outside, text}};\n\n\
         {printed}"
    );
    let members: String = api.members().iter().map(member).collect();
    let context = format!(
        "// {NOTICE}\n\n//! The universal context of this host.\n\n\
         use core::ffi::c_int;\n\nuse hpy_abi::*;\n\n\
         use crate::functions::*;\nuse crate::generated::functions::*;\nuse crate::types::*;\n\n\
         /// A context with all handles and functions, and no load behind it yet. `constant` gives the handle of what Python calls by a name.\n\
         #[expect(clippy::too_many_lines, reason = \"one line a member\")]\n\
         pub(crate) fn template(mut constant: impl FnMut(&str) -> HPy) -> HPyContext {{\n\
         HPyContext {{\n\
         name: c\"HPy Universal ABI (RustPython backend)\".as_ptr(),\n\
         _private: core::ptr::null_mut(),\nabi_version: HPY_ABI_VERSION as c_int,\n{members}}}\n}}\n"
    );
    let modules = format!(
        "// {NOTICE}\n\n//! Printed from the description in `api/`.\n\npub(crate) mod context;\npub(crate) mod functions;\n"
    );
    let folder = "hosts/rustpython/src/generated";
    vec![
        Output::new(format!("{folder}/functions.rs"), functions),
        Output::new(format!("{folder}/context.rs"), context),
        Output::new(format!("{folder}/mod.rs"), modules),
    ]
}

fn member(member: &Member) -> String {
    match member {
        Member::Function(f) => format!("{},\n", f.member()),
        Member::Handle(h) => format!("{}: constant({:?}),\n", h.name, h.python),
    }
}

/// Functions that are about handles or the state of the thread rather than about objects.
const ABOUT_HANDLES: [&str; 2] = ["HPy_Dup", "HPyCapsule_IsValid"];

/// The printed function; `None` for one that is written by hand.
fn printed(f: &Function) -> Option<String> {
    if ABOUT_HANDLES.contains(&f.name.as_str()) || !is_value(&f.returns.ctype) {
        return None;
    }
    let arguments = f.params.iter().map(argument).collect::<Option<Vec<_>>>()?;
    let arguments: String = arguments.into_iter().map(|argument| format!(", {argument}")).collect();
    let params: String = f
        .params
        .iter()
        .map(|p| format!(", {}: {}", rust_name(&p.name), rust_type(&p.ctype)))
        .collect();
    let way = if f.runs_python { "outside" } else { "inside" };
    let member = f.member();
    let name = member.trim_start_matches("ctx_");
    let function = format!("functions::{}::{name}", topic(&f.topic));
    let action = match f.returns.contract {
        // What cannot fail is no `PyResult`.
        Contract::Flag => format!("|vm| Ok({function}(vm{arguments}))"),
        _ if arguments.is_empty() => function,
        _ => format!("|vm| {function}(vm{arguments})"),
    };
    let body = format!("{way}({action})");
    let body = match arguments.contains('(') {
        true => format!(
            "// SAFETY: the caller keeps the contract of the function: handles are open, texts end with a 0.\n\
             unsafe {{ {body} }}"
        ),
        false => body,
    };
    Some(format!(
        "/// `{}`\npub(crate) unsafe extern \"C\" fn {member}(_ctx: *mut HPyContext{params}){} {{\n{body}\n}}\n\n",
        f.name,
        rust_result(&f.returns.ctype)
    ))
}

/// The module of a topic.
fn topic(topic: &str) -> &str {
    if topic == "type" { "r#type" } else { topic }
}

fn is_value(ctype: &str) -> bool {
    ctype == "HPy" || is_number(ctype)
}

fn is_number(ctype: &str) -> bool {
    let numbers = [
        "int",
        "double",
        "bool",
        "int32_t",
        "uint32_t",
        "HPy_UCS4",
        "int64_t",
        "uint64_t",
        "size_t",
        "HPy_ssize_t",
        "HPy_hash_t",
        "HPy_SourceKind",
    ];
    numbers.contains(&ctype)
}

/// What the Rust function gets for a parameter; `None` if the description does not say enough.
fn argument(p: &Param) -> Option<String> {
    let name = rust_name(&p.name);
    let reader = match p.ctype.as_str() {
        ctype if is_number(ctype) => return Some(name.to_owned()),
        "HPy" if p.null => "nullable",
        "HPy" => "object",
        "const char *" if p.length.is_none() && p.null => "nullable_text",
        "const char *" if p.length.is_none() => "text",
        _ => return None,
    };
    Some(format!("{reader}({name})"))
}
