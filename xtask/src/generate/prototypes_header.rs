//! What the headers say of each signature: its prototype, and the trampoline of the universal modes.

use super::Output;
use super::ctypes::{NOTICE, declare, parameters, trampoline_field};
use crate::model::{Api, Signature, TrampolineArgs};

pub fn print(api: &Api) -> Vec<Output> {
    let prototypes: String = api.signatures.iter().filter_map(prototype).collect();
    let structs: String = api.signatures.iter().filter_map(arguments).collect();
    let checks: String = api.signatures.iter().filter_map(checks).collect();
    let trampolines: String = api.signatures.iter().filter_map(trampoline).collect();
    let trampolines = format!(
        "{structs}#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)\n{checks}#endif\n{trampolines}"
    );
    vec![header("prototypes", &prototypes), header("trampolines_universal", &trampolines)]
}

fn header(name: &str, body: &str) -> Output {
    let guard = format!("HPY_GENERATED_{}_H", name.to_uppercase());
    let text = format!(
        "// {NOTICE}\n\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif /* {guard} */\n"
    );
    Output::new(format!("include/hpy/generated/{name}.h"), text)
}

fn short(s: &Signature) -> &str {
    s.name.trim_start_matches("HPyFunc_")
}

/// The name of the function pointer type.
fn pointer_type(s: &Signature) -> String {
    match short(s) {
        "CAPSULE_DESTRUCTOR" => "HPyFunc_Capsule_Destructor".to_owned(),
        name => format!("HPyFunc_{}", name.to_lowercase()),
    }
}

/// The parameters of the author's function.
fn author_parameters(s: &Signature) -> String {
    let context = if s.context { ", HPyContext *ctx" } else { "" };
    format!("{context}{}", parameters(&s.params)).trim_start_matches(", ").to_owned()
}

fn prototype(s: &Signature) -> Option<String> {
    let returns = s.returns.as_deref()?;
    let params = author_parameters(s);
    let pointer = declare(returns, &format!("(*{})", pointer_type(s)));
    let function = declare(returns, "SYM");
    let doc = match s.doc.trim() {
        "" => format!("A function of signature {}.", s.name),
        doc => doc.to_owned(),
    };
    Some(format!(
        "{}typedef {pointer}({params});\n{}\n",
        super::functions_header::comment(&doc, ""),
        macro_lines(&[
            &format!("#define _HPyFunc_DECLARE_{}(SYM)", s.name),
            &format!("    static {function}({params})"),
        ])
    ))
}

/// The lines of a macro, joined by backslashes.
pub(super) fn macro_lines(lines: &[&str]) -> String {
    let (last, others) = lines.split_last().expect("a macro has a line");
    let mut text: String = others.iter().map(|line| format!("{line:<98} \\\n")).collect();
    text.push_str(last);
    text.push('\n');
    text
}

fn arguments(s: &Signature) -> Option<String> {
    let args = s.trampoline_args.as_ref()?;
    let fields: String = args
        .fields
        .iter()
        .map(|f| format!("    {};\n", declare(&trampoline_field(s, &f.name), &f.name)))
        .collect();
    let name = short(s);
    Some(format!(
        "/** What the trampoline of {} hands to the runtime. */\n\
         typedef struct {{\n{fields}}} _HPyFunc_args_{name};\n\n",
        s.name
    ))
}

fn checks(s: &Signature) -> Option<String> {
    let args = s.trampoline_args.as_ref()?;
    let name = format!("_HPyFunc_args_{}", short(s));
    let offsets: String = args
        .fields
        .iter()
        .map(|f| format!("_HPY_ASSERT_MEMBER({name}, {}, {});\n", f.name, f.offset))
        .collect();
    Some(format!("_HPY_ASSERT_SIZE({name}, {});\n{offsets}", args.size))
}

/// Python's arguments into the struct, the struct to the runtime, the result back to Python.
fn trampoline(s: &Signature) -> Option<String> {
    let args = s.trampoline_args.as_ref()?;
    let returns = args.fields.iter().any(|f| f.name == "result");
    let result = if returns { trampoline_field(s, "result") } else { "void".to_owned() };
    let mut lines = vec![
        format!("#define _HPyFunc_TRAMPOLINE_{}(SYM, IMPL)", s.name),
        format!("    static {}({})", declare(&result, "SYM"), python_parameters(s, args)),
        "    {".to_owned(),
        format!("        _HPyFunc_args_{} _call;", short(s)),
    ];
    for field in inputs(args) {
        let value = match trampoline_field(s, field).as_str() {
            "HPy_RichCmpOp" => format!("(HPy_RichCmpOp)_{field}"),
            _ => format!("_{field}"),
        };
        lines.push(format!("        _call.{field} = {value};"));
    }
    lines.push("        _HPy_CallRealFunctionFromTrampoline(".to_owned());
    lines.push(format!(
        "            _ctx_for_trampolines, {}, (HPyCFunction)(IMPL), &_call);",
        s.name
    ));
    if returns {
        lines.push("        return _call.result;".to_owned());
    }
    lines.push("    }".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Some(format!("\n{}", macro_lines(&lines)))
}

pub(super) fn inputs(args: &TrampolineArgs) -> impl Iterator<Item = &str> {
    args.fields.iter().map(|f| f.name.as_str()).filter(|name| *name != "result")
}

/// The parameters with which Python calls the trampoline; underscores keep them apart from `IMPL`.
pub(super) fn python_parameters(s: &Signature, args: &TrampolineArgs) -> String {
    inputs(args)
        .map(|field| match trampoline_field(s, field).as_str() {
            "HPy_RichCmpOp" => format!("int _{field}"),
            ctype => declare(ctype, &format!("_{field}")),
        })
        .collect::<Vec<_>>()
        .join(", ")
}
