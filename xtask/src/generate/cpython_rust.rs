//! `hpy-cpython`: the functions that are one call of the Python/C API, and the table of all functions.

use super::Output;
use super::ctypes::{NOTICE, rust_name, rust_result, rust_type};
use crate::model::{Api, Contract, Function, Handle, Member};

pub fn print(api: &Api) -> Vec<Output> {
    let direct: String = api.functions.iter().filter_map(direct).collect();
    let direct = format!(
        "// {NOTICE}\n\n//! Functions of the context that one function of the Python/C API does.\n\n\
         use core::ffi::{{c_char, c_int, c_void}};\n\nuse hpy_abi::*;\n\n\
         use crate::handle::{{hpy, py}};\nuse crate::layout::ffi;\n\n{direct}"
    );
    let members: String = api.members().iter().map(member).collect();
    let context = format!(
        "// {NOTICE}\n\n//! The universal context of this host.\n\n\
         use core::ffi::c_int;\n\nuse hpy_abi::*;\n\n\
         use crate::functions::*;\nuse crate::generated::direct::*;\nuse crate::global::*;\n\
         use crate::handle::hpy;\nuse crate::layout::ffi;\nuse crate::types::*;\n\n\
         /// A context with all handles and functions, and no load behind it yet.\n\
         ///\n/// # Safety\n/// The interpreter is attached.\n\
         #[expect(clippy::too_many_lines, reason = \"one line a member\")]\n\
         pub(crate) unsafe fn template() -> HPyContext {{\n\
         // SAFETY: the interpreter is attached, and its exceptions and types are alive as long as it is.\n\
         unsafe {{ HPyContext {{\n\
         name: c\"HPy Universal ABI (CPython backend)\".as_ptr(),\n\
         _private: core::ptr::null_mut(),\nabi_version: HPY_ABI_VERSION as c_int,\n{members}}} }}\n}}\n"
    );
    vec![
        Output::new("crates/hpy-cpython/src/generated/direct.rs", direct),
        Output::new("crates/hpy-cpython/src/generated/context.rs", context),
        Output::new(
            "crates/hpy-cpython/src/generated/mod.rs",
            format!(
                "// {NOTICE}\n\n//! Printed from the description in `api/`.\n\npub(crate) mod context;\npub(crate) mod direct;\n"
            ),
        ),
    ]
}

fn member(member: &Member) -> String {
    match member {
        Member::Function(f) => format!("{},\n", f.member()),
        Member::Handle(h) => format!("{}: hpy({}),\n", h.name, constant(h)),
    }
}

/// The Rust expression for the C API's object.
fn constant(h: &Handle) -> String {
    match h.replaces.as_str() {
        "PyEval_GetBuiltins()" => "ffi::PyEval_GetBuiltins()".to_owned(),
        name if name.starts_with("Py_") => format!("ffi::{name}()"),
        name => match name.strip_prefix('&') {
            Some(object) => format!("(&raw mut ffi::{object}).cast()"),
            None => format!("ffi::{name}"),
        },
    }
}

fn direct(f: &Function) -> Option<String> {
    let function = f.direct.as_ref().filter(|_| !f.hand_written)?;
    let params: String = f
        .params
        .iter()
        .map(|p| format!(", {}: {}", rust_name(&p.name), rust_type(&p.ctype)))
        .collect();
    let arguments: Vec<_> = f
        .params
        .iter()
        .map(|p| {
            let name = rust_name(&p.name);
            match p.ctype.as_str() {
                "HPy" => format!("py({name})"),
                "bool" => format!("{name}.into()"),
                "const wchar_t *" => format!("{name}.cast()"),
                _ => name.to_owned(),
            }
        })
        .collect();
    let call = format!("ffi::{function}({})", arguments.join(", "));
    let (result, body) = match f.returns.ctype.as_str() {
        _ if f.returns.contract == Contract::Nothing => (String::new(), format!("{call};")),
        "HPy" => (" -> HPy".to_owned(), format!("hpy({call})")),
        ctype => (rust_result(ctype), call),
    };
    Some(format!(
        "/// `{}`\npub(crate) unsafe extern \"C\" fn {}(_ctx: *mut HPyContext{params}){result} {{\n\
         // SAFETY: the caller keeps the contract of the function, which is that of the C API's.\n\
         unsafe {{ {body} }}\n}}\n\n",
        f.name,
        f.member()
    ))
}
