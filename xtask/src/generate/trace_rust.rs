//! `hpy-trace`: the wrappers of all functions, the entries of all signatures, and what is known of both by name.

use super::Output;
use super::ctypes::{NOTICE, rust_name, rust_result, rust_type};
use super::wrapping_rust::{
    declared, entry_name, entry_table, function_type, is_real, members, short,
};
use crate::model::{Api, Contract, Function, Param, Signature, Slot};

/// Written by hand: it chooses what is called.
const BY_HAND: &str = "_HPy_CallRealFunctionFromTrampoline";

pub fn print(api: &Api) -> Vec<Output> {
    let wrappers: String = api
        .functions
        .iter()
        .enumerate()
        .filter(|(_, f)| f.name != BY_HAND)
        .map(|(number, f)| wrapper(number, f))
        .collect();
    let entries: String = api.signatures.iter().filter(|s| is_real(s)).map(entry).collect();
    let text = format!(
        "// {NOTICE}\n\n//! The trace context: wrappers, entries, and the tables of names.\n\n\
         use core::ffi::{{c_char, c_int, c_void}};\n\nuse hpy_abi::*;\nuse hpy_host::thunk::Kind;\n\n\
         use crate::api::{{Api, Function, Info, Place}};\nuse crate::call::Call;\n\
         use crate::functions::*;\nuse crate::world::Target;\n\n\
         {}{}{}{}{}{wrappers}{entries}",
        functions(api),
        slots(&api.slots),
        template(api),
        entry_table(api),
        inner_entry_table(api),
    );
    vec![Output::new("crates/hpy-trace/src/generated.rs", text)]
}

fn functions(api: &Api) -> String {
    let lines: String = api
        .functions
        .iter()
        .map(|f| {
            format!(
                "Info {{ member: \"{}\", name: \"{}\", opens: {} }},\n",
                f.member(),
                f.name,
                f.returns.contract == Contract::New
            )
        })
        .collect();
    let number = api.functions.len();
    format!(
        "/// How many functions the context has.\npub const FUNCTIONS: usize = {number};\n\n\
         /// The functions of the context, in their order.\n\
         pub static FUNCTION_TABLE: [Info; FUNCTIONS] = [\n{lines}];\n\n"
    )
}

fn slots(slots: &[Slot]) -> String {
    let arms: String = slots
        .iter()
        .map(|s| format!("{} => \"{}\",\n", s.name, s.name.trim_start_matches("HPy_")))
        .collect();
    format!(
        "/// The name of a slot.\npub(crate) fn slot_name(slot: HPySlot_Slot) -> &'static str {{\n\
         match slot {{\n{arms}_ => \"slot\",\n}}\n}}\n\n"
    )
}

/// The table of all members, from the wrapped context.
fn template(api: &Api) -> String {
    let function = |f: &Function| format!("{0}: {0}::<P>", f.member());
    let members = members(api, function, |name| format!("wrapped.{name}"));
    format!(
        "/// A context whose functions count and time the calls of the wrapped one.\n\
         #[expect(clippy::too_many_lines, reason = \"one line a member\")]\n\
         pub(crate) fn template<P: Place>(wrapped: &HPyContext) -> HPyContext {{\n\
         HPyContext {{\nname: c\"HPy Trace Mode ABI\".as_ptr(),\n_private: wrapped._private,\n\
         abi_version: wrapped.abi_version,\n{members}}}\n}}\n\n"
    )
}

fn wrapper(number: usize, f: &Function) -> String {
    let nothing = f.returns.contract == Contract::Nothing;
    let result = if nothing { String::new() } else { rust_result(&f.returns.ctype) };
    let arguments: String = f.params.iter().map(|p| format!(", {}", rust_name(&p.name))).collect();
    let call = format!("((*inner).{})(inner{arguments})", f.member());
    let (call, end) = match failed(f) {
        _ if nothing => (format!("{call};"), "call.end();"),
        None => (format!("let result = {call};"), "call.end();\nresult"),
        Some(end) => (format!("let result = {call};"), &*format!("{end}\nresult")),
    };
    format!(
        "/// `{}`\nunsafe extern \"C\" fn {}<P: Place>(ctx: *mut HPyContext{}){result} {{\n\
         // SAFETY: the extension calls with a context of this crate and with what the function wants.\n\
         unsafe {{\nlet call = Api::begin::<P>(ctx, Function {{ number: {number}, nests: {} }});\n{}\
         let inner = call.inner();\n{call}\n{end}\n}}\n}}\n\n",
        f.name,
        f.member(),
        declared(&f.params),
        f.runs_python,
        notes(f),
    )
}

/// What is worth remembering of the arguments.
fn notes(f: &Function) -> String {
    f.params
        .iter()
        .filter_map(|p| match p.ctype.as_str() {
            "HPyType_Spec *" => Some(format!("call.note_type({});\n", rust_name(&p.name))),
            _ if is_name(f, p) => Some(format!("call.note_text({});\n", rust_name(&p.name))),
            _ => None,
        })
        .collect()
}

/// A text that is made an object at each call, which could be done once.
fn is_name(f: &Function, p: &Param) -> bool {
    let made = matches!(f.topic.as_str(), "object" | "import" | "unicode");
    made && p.text.as_deref() == Some("utf8") && !p.null && p.length.is_none()
}

/// How a call ends whose result can say that it failed.
fn failed(f: &Function) -> Option<String> {
    if !f.raises || !f.attached {
        return None;
    }
    let ctype = rust_type(&f.returns.ctype);
    let suspect = match f.returns.contract {
        Contract::Nothing | Contract::Flag => return None,
        // These say it for sure.
        Contract::Status | Contract::FlagOrError => {
            return Some("call.end_or_fail(result < 0);".into());
        }
        Contract::New | Contract::Pointer => "result.is_null()",
        Contract::Value => {
            f.returns.error.as_ref()?;
            match ctype.as_str() {
                "f64" => "result == -1.0",
                "HPyTracker" => "result._i == 0",
                unsigned if unsigned.starts_with('u') => "result == !0",
                pointer if pointer.starts_with('*') => "result.is_null()",
                _ => "result == -1",
            }
        }
    };
    Some(format!("call.end_or_raise({suspect});"))
}

fn entry(s: &Signature) -> String {
    let returns = s.returns.as_deref().unwrap_or("void");
    let types: Vec<_> = s.params.iter().map(|p| rust_type(&p.ctype)).collect();
    let names: String = s.params.iter().map(|p| format!(", {}", rust_name(&p.name))).collect();
    if s.context { with_context(s, returns, &types, &names) } else { without(s, &types, &names) }
}

fn with_context(s: &Signature, returns: &str, types: &[String], names: &str) -> String {
    let (outer, inner) = (entry_name(s), inner_entry_name(s));
    let parameters = declared(&s.params);
    let result = rust_result(returns);
    let function = function_type("*mut c_void", types, returns);
    let suspect = match returns {
        "HPy" => Some("result.is_null()"),
        "int" | "HPy_ssize_t" | "HPy_hash_t" => Some("result == -1"),
        _ => None,
    };
    let (keep, end) = match suspect {
        Some(suspect) => ("let result = ", format!("call.leave({suspect});\nresult\n")),
        None => ("", "call.leave(false);\n".to_owned()),
    };
    format!(
        "/// Enters a function of the signature `{}`.\n\
         unsafe extern \"C\" fn {outer}(target: &'static Target{parameters}){result} {{\n\
         // SAFETY: the context is the wrapped one; the rest is passed on.\n\
         unsafe {{ {inner}(target, target.world.inner(){names}) }}\n}}\n\n\
         /// Enters a function of the signature `{0}`, for the wrapped context `ctx`.\n\
         unsafe extern \"C\" fn {inner}(target: &'static Target, ctx: *mut HPyContext{parameters}){result} {{\n\
         // SAFETY: the host calls with what the signature says; the target's function has it.\n\
         unsafe {{\nlet call = Call::enter(target, ctx);\n\
         let function = target.function::<{function}>();\n\
         {keep}function(call.first(){names});\n{end}}}\n}}\n\n",
        s.name
    )
}

/// The entry of a function without a context. It gets an argument more if that is itself an entry.
fn without(s: &Signature, types: &[String], names: &str) -> String {
    let returns = s.returns.as_deref().unwrap_or("void");
    let parameters = declared(&s.params);
    let alone = names.trim_start_matches(", ");
    let (keep, semicolon, give) =
        if returns == "void" { ("", "", "") } else { ("let result = ", ";", "result\n") };
    format!(
        "/// Enters a function of the signature `{}`, which has no context.\n\
         unsafe extern \"C\" fn {}(target: &'static Target{parameters}){} {{\n\
         // SAFETY: the host calls with what the signature says; the target's function has it.\n\
         unsafe {{\nlet call = Call::enter(target, target.world.inner());\n\
         {keep}if target.first.is_null() {{\n\
         target.function::<{}>()({alone})\n}} else {{\n\
         target.function::<{}>()(target.first.cast_mut(){names})\n}}{semicolon}\n\
         call.leave(false);\n{give}}}\n}}\n\n",
        s.name,
        entry_name(s),
        rust_result(returns),
        function_type("", types, returns),
        function_type("*mut c_void", types, returns),
    )
}

fn inner_entry_name(s: &Signature) -> String {
    format!("within_{}", short(s).to_lowercase())
}

/// The table of the entries that get a context, and how many arguments a thunk shifts for them.
fn inner_entry_table(api: &Api) -> String {
    let arms: String = api
        .signatures
        .iter()
        .filter(|s| is_real(s))
        .map(|s| {
            let count = s.params.len() + usize::from(s.context);
            let name = if s.context { inner_entry_name(s) } else { entry_name(s) };
            format!("{} => (Kind::Shift{count}, {name} as *const c_void),\n", s.name)
        })
        .collect();
    format!(
        "/// The function that enters those of a signature and is itself called as one, behind a thunk that carries a\n\
         /// [`Target`]: it gets the context that wraps the interpreter.\n\
         pub(crate) fn inner_entry(signature: HPyFunc_Signature) -> Option<(Kind, *const c_void)> {{\n\
         Some(match signature {{\n{arms}_ => return None,\n}})\n}}\n\n"
    )
}
