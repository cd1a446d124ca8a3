//! The API's functions as C sees them: calls through the context, or of the Python/C API.

use super::Output;
use super::ctypes::{NOTICE, declare, parameters};
use crate::model::{Api, Contract, Function};

/// Functions whose universal wrapper is written by hand, beside the reason for it.
const BY_HAND: [&str; 4] = ["HPy_FatalError", "_HPy_New", "HPy_FromPyObject", "HPy_AsPyObject"];

/// Newer than minor version 0, and written with the functions of that version in `universal/fallbacks.h`,
/// so that a binary that uses them runs on every host.
const FALLBACKS: [&str; 8] = [
    "HPyList_Insert",
    "HPy_GetSlice",
    "HPy_SetSlice",
    "HPy_DelSlice",
    "HPy_GetIter",
    "HPyIter_Next",
    "HPyIter_Check",
    "HPySlice_New",
];

/// Functions that exist only between trampolines and host, or behind accessors, so not in the CPython ABI.
const UNIVERSAL_ONLY: [&str; 3] =
    ["_HPy_CallRealFunctionFromTrampoline", "HPyCapsule_Get", "HPyCapsule_Set"];

pub fn print(api: &Api) -> Vec<Output> {
    let universal: String = api
        .functions
        .iter()
        .filter(|f| !BY_HAND.contains(&f.name.as_str()))
        .map(|f| format!("{}{}\n", documentation(f), universal_body(f)))
        .collect();
    let cpython: String = api
        .functions
        .iter()
        .filter(|f| !UNIVERSAL_ONLY.contains(&f.name.as_str()))
        .map(|f| format!("{}{}\n", documentation(f), cpython_body(f)))
        .collect();
    vec![header("functions_universal", &universal), header("functions_cpython", &cpython)]
}

fn header(name: &str, body: &str) -> Output {
    let guard = format!("HPY_GENERATED_{}_H", name.to_uppercase());
    let text =
        format!("// {NOTICE}\n\n#ifndef {guard}\n#define {guard}\n\n{body}#endif /* {guard} */\n");
    Output::new(format!("include/hpy/generated/{name}.h"), text)
}

/// The wrapper's result: void functions that are made for `return` give a null handle.
pub fn result_type(f: &Function) -> &str {
    if f.returns.wrapper_returns_null { "HPy" } else { &f.returns.ctype }
}

fn prototype(f: &Function) -> String {
    format!(
        "HPyAPI_INLINE {}(HPyContext *ctx{})",
        declare(result_type(f), &f.name),
        parameters(&f.params)
    )
}

fn universal_body(f: &Function) -> String {
    if FALLBACKS.contains(&f.name.as_str()) {
        return format!("{};\n", prototype(f));
    }
    let arguments: String = f.params.iter().map(|p| format!(", {}", p.name)).collect();
    let call = format!("ctx->{}(ctx{arguments})", f.member());
    format!("{}\n{{\n{}}}\n", prototype(f), body(f, &call))
}

/// A call of the Python/C API where one does the same; else a declaration of what `cpython/` defines.
fn cpython_body(f: &Function) -> String {
    let Some(direct) = f.direct.as_ref().filter(|_| !f.short) else {
        return format!("{};\n", prototype(f));
    };
    let arguments: Vec<_> = f
        .params
        .iter()
        .map(|p| if p.ctype == "HPy" { format!("_h2py({})", p.name) } else { p.name.clone() })
        .collect();
    let call = |function: &str| {
        let call = format!("{function}({})", arguments.join(", "));
        if f.returns.ctype == "HPy" { format!("_py2h({call})") } else { call }
    };
    match f.returns.ctype.as_str() {
        "HPyThreadState" | "HPy_UCS4" | "HPy_hash_t" => return format!("{};\n", prototype(f)),
        _ => {}
    }
    if f.params.iter().any(|p| p.ctype.starts_with("HPyThreadState")) {
        return format!("{};\n", prototype(f));
    }
    let mut statements = body(f, &call(direct));
    if let Some(limited) = &f.limited_direct {
        let limited = body(f, &call(limited));
        statements = format!("#if _HPY_LIMITED\n{limited}#else\n{statements}#endif\n");
    }
    format!("{}\n{{\n    (void)ctx;\n{statements}}}\n", prototype(f))
}

fn body(f: &Function, call: &str) -> String {
    if f.returns.wrapper_returns_null {
        format!("    {call};\n    return HPy_NULL;\n")
    } else if f.returns.contract == Contract::Nothing {
        format!("    {call};\n")
    } else {
        format!("    return {call};\n")
    }
}

/// A documentation comment with the given indent, one line where it fits.
pub fn comment(text: &str, indent: &str) -> String {
    let lines: Vec<_> = wrap(text, 94 - indent.len());
    match lines.as_slice() {
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let body: String = lines
                .iter()
                .map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n")
                .collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

/// The text in lines of at most `width` characters; paragraphs stay apart.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.trim().split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

fn documentation(f: &Function) -> String {
    let mut text = f.doc.trim().replace("*/", "* /");
    for p in &f.params {
        if let Some(doc) = &p.doc {
            text.push_str(&format!("\n@param {} {doc}", p.name));
        }
    }
    if let Some(result) = result(f) {
        text.push_str(&format!("\n@return {result}"));
    }
    text.push_str(&format!("\nSince {}.", f.since));
    if !f.replaces.is_empty() {
        text.push_str(&format!(" Replaces {}.", f.replaces.join(", ")));
    }
    comment(&text, "")
}

/// The result's convention in words; nothing for void.
pub fn result(f: &Function) -> Option<String> {
    let convention = match f.returns.contract {
        Contract::New => "a new handle, or HPy_NULL with an exception set".to_owned(),
        Contract::Status => "0, or -1 with an exception set".to_owned(),
        Contract::Flag => "1 or 0".to_owned(),
        Contract::FlagOrError => "1, 0, or -1 with an exception set".to_owned(),
        Contract::Pointer => "borrowed memory, or NULL with an exception set".to_owned(),
        Contract::Value => match &f.returns.error {
            Some(error) => format!("the value; {error} may mean an error: check HPyErr_Occurred"),
            None => "the value".to_owned(),
        },
        Contract::Nothing if f.returns.wrapper_returns_null => "always HPy_NULL".to_owned(),
        Contract::Nothing => return None,
    };
    let convention = match &f.returns.valid_while {
        Some(valid) => format!("{convention}; valid {valid}"),
        None => convention,
    };
    Some(f.returns.doc.clone().unwrap_or(convention))
}
