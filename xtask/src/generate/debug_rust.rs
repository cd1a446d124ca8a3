//! `hpy-debug`: the wrappers of functions that follow from their contracts, and the entries of all signatures.

use super::Output;
use super::ctypes::{NOTICE, rust_name, rust_result, rust_type};
use super::wrapping_rust::{declared, entry_name, entry_table, function_type, members, short};
use crate::model::{Api, Contract, Function, Param, Signature};

/// Types of parameters and results that a wrapper has to convert and that are no plain handles.
const BY_HAND: &[&str] = &[
    "HPyListBuilder",
    "HPyTupleBuilder",
    "HPyTracker",
    "HPyThreadState",
    "HPyCFunction",
    "HPyType_SpecParam *",
    "const HPy *",
    "HPy *",
];

pub fn print(api: &Api) -> Vec<Output> {
    let info: String = api.functions.iter().map(info).collect();
    let wrappers: String = api.functions.iter().filter(|f| !by_hand(f)).map(wrapper).collect();
    let entries: String = api.signatures.iter().filter_map(entry).collect();
    let text = format!(
        "// {NOTICE}\n\n//! The debug context: wrappers, entries, and the table of all members.\n\n\
         use core::ffi::{{c_char, c_int, c_void}};\n\nuse hpy_abi::*;\n\n\
         use crate::api::Api;\nuse crate::call::{{Call, Restricted, count}};\n\
         use crate::functions::*;\nuse crate::world::Target;\n\n\
         {}{}/// What the description says of each function, for checks and messages.\n\
         pub(crate) mod info {{\nuse crate::api::{{Function, Handle, MustBe}};\n\n{info}}}\n\n{wrappers}{entries}",
        template(api) + &shape_names(api),
        entry_table(api),
    );
    vec![Output::new("crates/hpy-debug/src/generated.rs", text)]
}

fn by_hand(f: &Function) -> bool {
    let types = f.params.iter().map(|p| &p.ctype).chain([&f.returns.ctype]);
    let converted = types.into_iter().any(|ctype| BY_HAND.contains(&ctype.as_str()));
    let text = f.returns.contract == Contract::Pointer && f.returns.ctype == "const char *";
    let looked_at = ["_HPy_AsStruct_", "HPyField_", "HPyGlobal_"];
    converted
        || text
        || looked_at.iter().any(|prefix| f.name.starts_with(prefix))
        || ["HPy_Close", "HPyCapsule_Get", "_HPy_New"].contains(&f.name.as_str())
}

fn handles(params: &[Param]) -> impl Iterator<Item = (usize, &Param)> {
    params.iter().enumerate().filter(|(_, p)| p.ctype == "HPy")
}

/// The table of all members, from the wrapped context.
fn template(api: &Api) -> String {
    let constant = |name: &str| format!("constant(wrapped.{name})");
    let members = members(api, Function::member, constant);
    format!(
        "/// A context whose functions check, and whose constants are handles of this crate.\n\
         #[expect(clippy::too_many_lines, reason = \"one line a member\")]\n\
         pub(crate) fn template(wrapped: &HPyContext, mut constant: impl FnMut(HPy) -> HPy) -> HPyContext {{\n\
         HPyContext {{\nname: c\"HPy Debug Mode ABI\".as_ptr(),\n_private: core::ptr::null_mut(),\n\
         abi_version: wrapped.abi_version,\n{members}}}\n}}\n\n"
    )
}

/// The names of shapes, for messages.
fn shape_names(api: &Api) -> String {
    let arms: String = api
        .shapes
        .iter()
        .map(|s| {
            format!("{} => \"{}\",\n", s.name, s.name.trim_start_matches("HPyType_BuiltinShape_"))
        })
        .collect();
    format!(
        "/// What a shape is called.\n\
         pub(crate) fn shape_name(shape: HPyType_BuiltinShape) -> &'static str {{\n\
         match shape {{\n{arms}_ => \"(unknown)\",\n}}\n}}\n\n"
    )
}

/// What the function relies on without looking: its parameter's documentation says so.
fn must_be(p: &Param) -> Option<&'static str> {
    let unchecked = p.doc.as_ref().is_some_and(|doc| doc.contains("not checked"));
    match p.must_be.as_deref() {
        // The length of the array of arguments depends on it.
        Some("tuple") if p.name == "kwnames" => Some("Tuple"),
        Some("type") if unchecked => Some("Type"),
        Some("str") if unchecked => Some("Str"),
        Some("bytes") if unchecked => Some("Bytes"),
        _ => None,
    }
}

fn info(f: &Function) -> String {
    let parameters: String = handles(&f.params)
        .map(|(at, p)| {
            let number = if f.params.len() == 1 { 0 } else { at + 1 };
            let must_be = must_be(p).map_or("None".into(), |m| format!("Some(MustBe::{m})"));
            format!(
                "Handle {{ name: \"{}\", number: {number}, null: {}, must_be: {must_be} }},",
                p.name, p.null
            )
        })
        .collect();
    format!(
        "pub(crate) static {}: Function = Function {{ name: \"{}\", raises: {}, with_exception: {}, \
         handles: &[{parameters}] }};\n",
        f.member(),
        f.name,
        f.raises,
        f.with_exception()
    )
}

/// What a function gives that fails; empty if that is nothing.
fn failure(f: &Function) -> &'static str {
    let ctype = f.returns.ctype.as_str();
    match f.returns.contract {
        Contract::Nothing => "",
        Contract::New => "HPy::NULL",
        Contract::Flag => "0",
        Contract::Status | Contract::FlagOrError => "-1",
        Contract::Pointer => "core::ptr::null_mut()",
        Contract::Value => match rust_type(ctype).as_str() {
            "u32" | "u64" | "usize" => "!0",
            "f64" => "-1.0",
            pointer if pointer.starts_with("*mut") => "core::ptr::null_mut()",
            "HPyType_BuiltinShape" => "HPyType_BuiltinShape(-1)",
            _ => "-1",
        },
    }
}

/// What is done with the result of the wrapped function, where it is no handle: a failure is remembered.
fn remember_failure(f: &Function) -> String {
    match f.returns.contract {
        _ if !f.raises => String::new(),
        Contract::Nothing => "api.has_failed();\n".into(),
        _ => {
            let fails = match failure(f) {
                pointer if pointer.contains("null") => ".is_null()".to_owned(),
                number => format!(" == {number}"),
            };
            format!("if result{fails} {{ api.has_failed(); }}\n")
        }
    }
}

fn wrapper(f: &Function) -> String {
    let params = declared(&f.params);
    let nothing = f.returns.contract == Contract::Nothing;
    let result = if nothing { String::new() } else { rust_result(&f.returns.ctype) };
    let begin = if f.attached { "begin" } else { "anywhere" };
    let arguments: String = f.params.iter().map(|p| format!(", {}", argument(p))).collect();
    let came_back = if f.runs_python { "api.came_back();\n" } else { "" };
    let call = format!("((*inner).{})(inner{arguments})", f.member());
    let remember = if f.returns.ctype == "HPy" { String::new() } else { remember_failure(f) };
    let (call, end) = match f.returns.ctype.as_str() {
        _ if nothing => (format!("{call};"), ""),
        "HPy" => (format!("let result = {call};"), "api.new_handle(result)"),
        _ if came_back.is_empty() && remember.is_empty() => (call, ""),
        _ => (format!("let result = {call};"), "result"),
    };
    format!(
        "/// `{}`\nunsafe extern \"C\" fn {}(ctx: *mut HPyContext{params}){result} {{\n\
         // SAFETY: the extension calls with a context of this crate; what it breaks of the contract is found here.\n\
         unsafe {{\nlet api = Api::{begin}(ctx, &info::{});\n{}let inner = api.inner();\n{call}\n{came_back}{remember}{end}\n}}\n}}\n\n",
        f.name,
        f.member(),
        f.member(),
        checks(f)
    )
}

/// The wrapped handle of a parameter, or the parameter itself.
fn argument(p: &Param) -> String {
    let name = rust_name(&p.name);
    if p.ctype == "HPy" { wrapped(name) } else { name.to_owned() }
}

fn wrapped(name: &str) -> String {
    format!("wrapped_{}", name.trim_end_matches('_'))
}

fn checks(f: &Function) -> String {
    let names: Vec<_> = handles(&f.params).map(|(_, p)| rust_name(&p.name)).collect();
    if names.is_empty() {
        return String::new();
    }
    let unwrapped: Vec<_> = names.iter().map(|name| wrapped(name)).collect();
    let failure = failure(f);
    let mut text = format!(
        "let Some([{}]) = api.handles([{}]) else {{ return {failure}; }};\n",
        unwrapped.join(", "),
        names.join(", ")
    );
    for (at, (_, p)) in handles(&f.params).enumerate() {
        if must_be(p).is_some() {
            text.push_str(&format!(
                "if !api.is_what_it_must_be({at}, {}, {}) {{ return {failure}; }}\n",
                names[at], unwrapped[at]
            ));
        }
    }
    text
}

fn entry(s: &Signature) -> Option<String> {
    let returns = s.returns.as_deref()?;
    if has_buffer(s) || short(s) == "TRAVERSEPROC" {
        return None;
    }
    let types: Vec<_> = s.params.iter().map(|p| rust_type(&p.ctype)).collect();
    let body =
        if s.context { with_context(s, returns, &types) } else { without_context(s, &types) };
    Some(format!(
        "/// Enters a function of the signature `{}`.\n\
         unsafe extern \"C\" fn {}(target: &'static Target{}){} {{\n\
         // SAFETY: the host calls with what the signature says; the target's function has it.\n\
         unsafe {{\n{body}}}\n}}\n\n",
        s.name,
        entry_name(s),
        declared(&s.params),
        rust_result(returns)
    ))
}

/// The entries of buffer procedures are written by hand: the structure has a handle in it. So is that of traverse functions.
fn has_buffer(s: &Signature) -> bool {
    s.params.iter().any(|p| p.ctype.starts_with("HPy_buffer"))
}

fn without_context(s: &Signature, types: &[String]) -> String {
    let returns = s.returns.as_deref().unwrap_or("void");
    let arguments: Vec<_> = s.params.iter().map(|p| rust_name(&p.name)).collect();
    let kind = match short(s) {
        "DESTROYFUNC" => "a destroy function, which gets none",
        _ => "a capsule destructor, which gets none",
    };
    format!(
        "let _restricted = Restricted::enter(\"{kind}\");\n\
         let function = target.function::<{}>();\nfunction({})\n",
        function_type("", types, returns),
        arguments.join(", ")
    )
}

fn with_context(s: &Signature, returns: &str, types: &[String]) -> String {
    let names: Vec<_> = handles(&s.params).map(|(_, p)| rust_name(&p.name)).collect();
    let array = s.params.iter().find(|p| p.ctype == "const HPy *");
    let mut text = String::new();
    let list = names.join(", ");
    let nulls = handles(&s.params).any(|(_, p)| p.null);
    text.push_str(&match array {
        Some(p) => format!(
            "let length = {};\n\
             let (call, [{list}], {name}) = Call::enter_with::<{nulls}, _>(target, [{list}], {name}, length);\n",
            array_length(s, p),
            name = rust_name(&p.name)
        ),
        None => format!("let (call, [{list}]) = Call::enter::<{nulls}, _>(target, [{list}]);\n"),
    });
    let arguments: String = s
        .params
        .iter()
        .map(|p| match p.ctype.as_str() {
            "const HPy *" => format!(", {}.as_ptr()", rust_name(&p.name)),
            _ => format!(", {}", rust_name(&p.name)),
        })
        .collect();
    if returns == "void" {
        text.push_str("call.allow_an_exception();\n");
    }
    let call = format!("function(call.context(){arguments})");
    text.push_str(&format!(
        "let function = target.function::<{}>();\n",
        function_type("*mut HPyContext", types, returns)
    ));
    text.push_str(&match returns {
        "void" => format!("{call};\n"),
        _ => format!("let result = {call};\n"),
    });
    text.push_str(&match returns {
        "HPy" => format!("call.leave_with::<{}>(result)\n", s.fails_silently),
        "void" => "call.leave();\n".to_owned(),
        _ => {
            // Hashes may be negative.
            let fails = if returns == "HPy_hash_t" { "== -1" } else { "< 0" };
            format!("call.leave_with_number::<{}>(result {fails});\nresult\n", s.fails_silently)
        }
    });
    text
}

/// The length of the array of arguments, before the handles are wrapped.
fn array_length(s: &Signature, p: &Param) -> String {
    let number = s.params.iter().find(|n| n.name == "nargs").map(|n| n.ctype.as_str());
    let positional =
        if number == Some("HPy_ssize_t") { "nargs.max(0).unsigned_abs()" } else { "nargs" };
    match p.length.as_deref() {
        Some("nargs + len(kwnames)") => format!("{positional} + count(target.world, kwnames)"),
        _ => positional.to_owned(),
    }
}
