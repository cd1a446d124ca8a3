//! The reference (`docs/api/`) and the porting table (`docs/porting-table.md`).

use std::collections::BTreeMap;

use super::Output;
use super::ctypes::{NOTICE, declare, parameters};
use super::functions_header::{result, result_type};
use crate::model::{Api, EnumValue, Function, Handle, Limited, Param, Signature, Slot};

const INDEX: &str = "\
How to read these pages:

- Each function has the context `HPyContext *ctx` as its first parameter: the one that the caller was given. It is not listed.
- A handle (`HPy`) that is passed is *borrowed*: it stays the caller's to close, unless the parameter is *consumed*. A handle \
that is returned is new, and the caller closes it with [`HPy_Close`](handle.md#hpy_close), once.
- A handle or pointer must not be null, unless the parameter *may be null*.
- *Must be* is the Python type that a parameter requires; what another type leads to stands behind it.
- The exceptions that a function raises stand at the end of its description.
- A function that *never raises* sets no exception, and may be called while one is set; others must not be, unless they say so.
- A function that *may run Python code* may lead to any other function of the extension being called, and may let other threads run.
- *Since 0.9.0* is everywhere. *Since head* was added later: hosts of HPy 0.9.0, PyPy and GraalPy do not have it, so universal binaries do most of it with older functions.
- Unless it says otherwise a function may be called in `HPy_tp_finalize`, and not in `HPy_tp_traverse` and `HPy_tp_destroy`, which get no context.
- The constant handles of the context are never closed; a function returns a duplicate: `return HPy_Dup(ctx, ctx->h_None);`.
- A function whose name begins with `_` is for the headers; authors use what its description names.
";

const LIMITED: &str = "\
With `HPY_ABI_CPYTHON` and `Py_LIMITED_API` defined an extension is an abi3 extension: one file for the CPython whose limited API it is, and \
for all later ones. It has every function of the API with the limited API of 3.9 (`0x03090000`), and all but these slots and shapes. Using one \
is an error of the compilation that names it and the version.
";

const LIMITED_AT_RUN_TIME: &str = "\
Where it shows only at run time, it is a TypeError:";

pub fn print(api: &Api) -> Vec<Output> {
    let topics = topics(api);
    let mut outputs: Vec<_> = topics.iter().map(|(topic, fs)| topic_page(topic, fs)).collect();
    outputs.push(index(&topics));
    outputs.push(page("handles", "Constant handles", &handles(&api.handles)));
    outputs.push(page(
        "signatures",
        "Signatures",
        &api.signatures.iter().map(signature).collect::<String>(),
    ));
    outputs.push(page("slots", "Slots", &api.slots.iter().map(slot).collect::<String>()));
    outputs.push(page(
        "members",
        "Member types",
        &api.member_types.iter().map(value).collect::<String>(),
    ));
    outputs.push(page(
        "shapes",
        "Shapes of types",
        &api.shapes.iter().map(value).collect::<String>(),
    ));
    outputs.push(page("limited", "abi3: what the limited API lacks", &lacking(api)));
    outputs.push(porting_table(api));
    outputs
}

fn document(path: &str, title: &str, body: &str) -> Output {
    let body = body.trim_end();
    Output::new(format!("docs/{path}.md"), format!("<!-- {NOTICE} -->\n\n# {title}\n\n{body}\n"))
}

fn page(name: &str, title: &str, body: &str) -> Output {
    document(&format!("api/{name}"), title, body)
}

/// Functions by topic, in ABI order.
fn topics(api: &Api) -> BTreeMap<&str, Vec<&Function>> {
    let mut topics = BTreeMap::<_, Vec<_>>::new();
    for function in &api.functions {
        topics.entry(function.topic.as_str()).or_default().push(function);
    }
    topics
}

fn index(topics: &BTreeMap<&str, Vec<&Function>>) -> Output {
    let rows: String = topics
        .iter()
        .map(|(topic, functions)| {
            let links: Vec<_> = functions.iter().map(|f| link(f, "")).collect();
            format!("| [{topic}]({topic}.md) | {} |\n", links.join(", "))
        })
        .collect();
    let others = "Also: [constant handles](handles.md), [signatures](signatures.md), [slots](slots.md), \
                  [member types](members.md), [shapes of types](shapes.md), [what abi3 lacks](limited.md), and the \
                  [porting table](../porting-table.md) from the Python/C API.";
    page(
        "README",
        "The HPy API",
        &format!("{INDEX}\n{others}\n\n| topic | functions |\n|---|---|\n{rows}"),
    )
}

/// A link to a function's description from a page in `docs/` or, with an empty folder, `docs/api/`.
fn link(f: &Function, folder: &str) -> String {
    format!("[`{0}`]({folder}{1}.md#{2})", f.name, f.topic, f.name.to_lowercase())
}

fn topic_page(topic: &str, functions: &[&Function]) -> Output {
    let body: String = functions.iter().map(|f| function(f)).collect();
    page(topic, &format!("The HPy API: {topic}"), &body)
}

fn function(f: &Function) -> String {
    let prototype =
        format!("{}(HPyContext *ctx{});", declare(result_type(f), &f.name), parameters(&f.params));
    let mut contract: String = f.params.iter().map(parameter).collect();
    if let Some(result) = result(f) {
        contract.push_str(&format!("- *returns* {result}\n"));
    }
    if !contract.is_empty() {
        contract.push('\n');
    }
    let origin = match f.replaces.as_slice() {
        [] => String::new(),
        names => format!(" Replaces {}.", codes(names)),
    };
    format!(
        "## {}\n\n```c\n{prototype}\n```\n\n{}\n\n{contract}{} Since {}.{origin}\n\n",
        f.name,
        f.doc,
        traits(f),
        f.since
    )
}

fn parameter(p: &Param) -> String {
    let doc = p.doc.as_deref().unwrap_or_default();
    let mut notes = Vec::new();
    if let Some(python_type) = &p.must_be {
        notes.push(format!("must be: {python_type}"));
    }
    if p.null {
        notes.push("may be null".to_owned());
    }
    if p.out {
        notes.push("written by the call".to_owned());
    }
    if p.steals {
        notes.push("consumed".to_owned());
    }
    if let Some(length) = &p.length {
        notes.push(format!("`{length}` elements"));
    }
    if let Some(encoding) = &p.text {
        notes.push(format!("text: {encoding}"));
    }
    let notes = if notes.is_empty() { String::new() } else { format!(" *({})*", notes.join("; ")) };
    format!("- `{}`: {doc}{notes}\n", p.name)
}

fn traits(f: &Function) -> String {
    let raises = if f.raises { "May raise" } else { "Never raises" };
    let runs = if f.runs_python { "may run Python code" } else { "runs no Python code" };
    let detached = if f.attached { "" } else { "; may be called after leaving Python" };
    let allowed = match f.allowed_in.as_slice() {
        [only] if only == "finalize" => String::new(),
        places => format!("; allowed in: {}", places.join(", ")),
    };
    let exception = match (f.raises, f.with_exception()) {
        (true, true) => "; may be called while an exception is set",
        (false, false) => "; must not be called while an exception is set",
        _ => "",
    };
    format!("{raises}; {runs}{detached}{allowed}{exception}.")
}

fn handles(handles: &[Handle]) -> String {
    let rows: String = handles
        .iter()
        .map(|h| {
            let doc = h.doc.as_deref().unwrap_or_default();
            let name = h.replaces.trim_start_matches('&');
            format!(
                "| `ctx->{}` | `{}` | `{name}` | {} | {} |\n",
                h.name,
                h.python,
                h.since,
                cell(doc)
            )
        })
        .collect();
    format!("| handle | in Python | in the C API | since | |\n|---|---|---|---|---|\n{rows}")
}

fn signature(s: &Signature) -> String {
    let prototype = s.returns.as_deref().map(|returns| {
        let context = if s.context { ", HPyContext *ctx" } else { "" };
        let params = format!("{context}{}", parameters(&s.params));
        format!("```c\n{}({});\n```\n\n", declare(returns, "f"), params.trim_start_matches(", "))
    });
    let mut params: String = s.params.iter().map(parameter).collect();
    if !params.is_empty() {
        params.push('\n');
    }
    format!("## {}\n\n{}{}\n\n{params}", s.name, prototype.unwrap_or_default(), s.doc)
}

fn slot(s: &Slot) -> String {
    format!(
        "## {0}\n\n{1}\n\nSignature [`HPyFunc_{2}`](signatures.md#hpyfunc_{3}). Since {4}.{6} Replaces `{5}`.\n\n",
        s.name,
        s.doc,
        s.signature,
        s.signature.to_lowercase(),
        s.since,
        s.replaces,
        limited(&s.limited)
    )
}

/// A sentence for what the limited API has not always had.
fn limited(limited: &Limited) -> String {
    match limited {
        Limited::Never(_) => " [Not in abi3](limited.md).".to_owned(),
        Limited::Since(version) if limited.is_lacking() => {
            format!(" [In abi3](limited.md) since CPython {version}.")
        }
        Limited::Since(_) => String::new(),
    }
}

/// What abi3 extensions lack.
fn lacking(api: &Api) -> String {
    let slots = api.slots.iter().map(|s| (&s.name, &s.limited, "the slot"));
    let shapes = api.shapes.iter().map(|s| (&s.name, &s.limited, "the shape"));
    let refused = slots.chain(shapes).filter(|(_, limited, _)| limited.is_lacking());
    let refused: String = refused
        .map(|(name, limited, what)| format!("| `{name}` | {} | {what} |\n", need(limited)))
        .collect();
    let differences: String = api
        .differences
        .iter()
        .map(|d| format!("| {} | {} | {} |\n", d.name, need(&d.limited), cell(&d.doc)))
        .collect();
    let head = "| | limited API | |\n|---|---|---|\n";
    format!("{LIMITED}\n{head}{refused}\n{LIMITED_AT_RUN_TIME}\n\n{head}{differences}")
}

fn need(limited: &Limited) -> String {
    match limited {
        Limited::Never(_) => "no".to_owned(),
        Limited::Since(version) => format!("since {version}"),
    }
}

fn value(v: &EnumValue) -> String {
    let since = v.since.as_deref().map(|since| format!(" Since {since}.")).unwrap_or_default();
    format!("## {}\n\n{}{since}{}\n\n", v.name, v.doc, limited(&v.limited))
}

/// What replaces each name of the Python/C API, sorted by that name.
fn porting_table(api: &Api) -> Output {
    let mut table = BTreeMap::<String, Vec<String>>::new();
    let mut add = |name: &str, replacement: String| {
        let name = name.trim_start_matches('&').to_owned();
        table.entry(name).or_default().push(replacement);
    };
    for f in &api.functions {
        f.replaces.iter().for_each(|name| add(name, link(f, "api/")));
    }
    for h in &api.handles {
        add(&h.replaces, format!("[`ctx->{}`](api/handles.md)", h.name));
    }
    for s in &api.slots {
        add(&s.replaces, format!("[`{}`](api/slots.md#{})", s.name, s.name.to_lowercase()));
    }
    for h in &api.helpers {
        h.replaces.iter().for_each(|name| add(name, format!("`{}`: {}", h.name, cell(&h.doc))));
    }
    for r in &api.recipes {
        r.replaces.iter().for_each(|name| add(name, cell(&r.write)));
    }
    let rows: String = table
        .iter()
        .map(|(name, replacements)| format!("| `{name}` | {} |\n", replacements.join("<br>")))
        .collect();
    let intro = "What to write instead of each part of the Python/C API. Results are always new handles, to be closed, \
                 also where the Python/C API borrows; arguments are never taken over, also where it steals.";
    document(
        "porting-table",
        "From the Python/C API to HPy",
        &format!("{intro}\n\n| Python/C API | HPy |\n|---|---|\n{rows}"),
    )
}

fn codes(names: &[String]) -> String {
    let codes: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    codes.join(", ")
}

/// Text inside a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
