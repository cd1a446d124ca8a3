//! What the CPython ABI's headers say of handles and signatures: the context, and the functions that CPython calls.

use super::Output;
use super::ctypes::{NOTICE, declare};
use super::prototypes_header::{inputs, macro_lines, python_parameters};
use crate::model::{Api, Handle, Param, Signature, TrampolineArgs};

/// Functions that take more than a call with the context in front; `cpython/` writes them.
const BY_HAND: [&str; 6] = [
    "HPyFunc_INITPROC",
    "HPyFunc_NEWFUNC",
    "HPyFunc_DESTROYFUNC",
    "HPyFunc_TRAVERSEPROC",
    "HPyFunc_DESTRUCTOR",
    "HPyFunc_CAPSULE_DESTRUCTOR",
];

pub fn print(api: &Api) -> Vec<Output> {
    let trampolines: Vec<_> = api.signatures.iter().filter_map(|s| trampoline(api, s)).collect();
    vec![
        header("context_cpython", &context(api)),
        header("trampolines_cpython", &format!("{}\n{}", trampolines.join("\n"), type_slots(api))),
    ]
}

fn header(name: &str, body: &str) -> Output {
    let guard = format!("HPY_GENERATED_{}_H", name.to_uppercase());
    let text = format!(
        "// {NOTICE}\n\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif /* {guard} */\n"
    );
    Output::new(format!("include/hpy/generated/{name}.h"), text)
}

/// The struct with the constant handles, and the function that fills it.
fn context(api: &Api) -> String {
    let members: String = api
        .handles
        .iter()
        .map(|h| format!("    /** {}: {} */\n    HPy {};\n", h.python, h.replaces, h.name))
        .collect();
    let values: String = api
        .handles
        .iter()
        .map(|h| format!("    ctx->{} = _py2h({});\n", h.name, constant(h)))
        .collect();
    format!(
        "/**\n * The constant handles, and which mode this is. A function that Python calls gets it as its\n \
         * first parameter and hands it on. The API's functions are not in it: in this mode each is a\n \
         * call of the Python/C API.\n */\n\
         struct _HPyContext_s {{\n\
         \x20   /** Which host and mode this is, for people. */\n    const char *name;\n\
         \x20   /** The headers' own. */\n    void *_private;\n\
         \x20   /** The major ABI version, HPY_ABI_VERSION. */\n    int abi_version;\n\
         {members}}};\n\n\
         /* Sets the constant handles: borrowed references to objects that live as long as Python. */\n\
         HPyAPI_INLINE void _HPyContext_SetHandles(HPyContext *ctx)\n{{\n{values}}}\n"
    )
}

/// The C expression for the object.
fn constant(h: &Handle) -> String {
    if h.replaces.starts_with('&') {
        format!("(PyObject *){}", h.replaces)
    } else {
        h.replaces.clone()
    }
}

/// A function with the prototype that CPython calls, which calls the author's function.
fn trampoline(api: &Api, s: &Signature) -> Option<String> {
    if BY_HAND.contains(&s.name.as_str()) {
        return None;
    }
    let args = s.trampoline_args.as_ref()?;
    let returns = s.returns.as_deref()?;
    let arguments: String =
        s.params.iter().map(|p| format!(", {}", argument(s, args, p))).collect();
    let call = format!("IMPL(_HPY_CONTEXT{arguments})");
    let (result, statement) = match returns {
        "HPy" => ("PyObject *", format!("return _h2py({call});")),
        "void" => ("void", format!("{call};")),
        other => (other, format!("return {call};")),
    };
    let definition = macro_lines(&[
        &format!("#define _HPyFunc_TRAMPOLINE_{}(SYM, IMPL)", s.name),
        &format!("    static {}({})", declare(result, "SYM"), c_parameters(s, args)),
        "    {",
        &format!("        {statement}"),
        "    }",
    ]);
    Some(unless_lacking(api, s, declare(result, "SYM"), definition))
}

/// The trampoline; or, where the limited API lacks the signature, an error of the compilation for whoever uses it.
fn unless_lacking(api: &Api, s: &Signature, function: String, definition: String) -> String {
    let Some(version) = s.limited.version().filter(|_| s.limited.is_lacking()) else {
        return definition;
    };
    let slots: Vec<_> = api
        .slots
        .iter()
        .filter(|slot| s.name == format!("HPyFunc_{}", slot.signature))
        .map(|slot| slot.name.as_str())
        .collect();
    let refusal = macro_lines(&[
        &format!("#define _HPyFunc_TRAMPOLINE_{}(SYM, IMPL)", s.name),
        &format!(
            "    HPy_STATIC_ASSERT(sizeof(#SYM) == 0, \"{} {}\");",
            slots.join(", "),
            s.limited.need()
        ),
        &format!("    static {function}(void);"),
    ]);
    format!("#if _HPY_LIMITED_BEFORE(0x{version:08X})\n{refusal}#else\n{definition}#endif\n")
}

/// The function that tells the slots of types from those of modules and from numbers that are none.
fn type_slots(api: &Api) -> String {
    let cases: String = api
        .slots
        .iter()
        .filter(|slot| !slot.name.starts_with("HPy_mod_"))
        .map(|slot| format!("    case {}:\n", slot.name))
        .collect();
    format!(
        "/* Whether a type can have the slot. */\n\
         HPyAPI_INLINE int _HPySlot_IsOfType(HPySlot_Slot slot)\n{{\n    switch (slot) {{\n\
         {cases}        return 1;\n    default:\n        return 0;\n    }}\n}}\n"
    )
}

/// The parameters with which CPython calls the function.
fn c_parameters(s: &Signature, args: &TrampolineArgs) -> String {
    match s.name.as_str() {
        "HPyFunc_NOARGS" => "PyObject *_self, HPy_UNUSED PyObject *_none".to_owned(),
        "HPyFunc_MOD_CREATE" => "PyObject *_spec, HPy_UNUSED PyModuleDef *_def".to_owned(),
        _ => python_parameters(s, args).replace("cpy_", ""),
    }
}

/// What the author's function gets for a parameter.
fn argument(s: &Signature, args: &TrampolineArgs, p: &Param) -> String {
    let same = format!("_{}", passed_as(s, args, p));
    match (p.ctype.as_str(), p.name.as_str(), s.name.as_str()) {
        (_, "nargs", "HPyFunc_KEYWORDS") => "_HPy_NArgs(_nargsf)".to_owned(),
        ("HPy", ..) => format!("_py2h({same})"),
        ("const HPy *" | "size_t" | "HPy_buffer *" | "HPy_RichCmpOp", ..) => {
            format!("({}){same}", p.ctype)
        }
        _ => same,
    }
}

/// The name under which CPython's function has the parameter.
fn passed_as<'a>(s: &Signature, args: &'a TrampolineArgs, p: &'a Param) -> &'a str {
    let named = inputs(args).find(|field| *field == p.name);
    let at = s.params.iter().position(|other| other.name == p.name);
    named.or_else(|| inputs(args).nth(at?)).unwrap_or(&p.name)
}
