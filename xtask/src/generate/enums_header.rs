//! The enumerations of the headers: signatures, slots, member types, shapes.

use super::Output;
use super::ctypes::NOTICE;
use crate::model::{Api, EnumValue};

pub fn print(api: &Api) -> Vec<Output> {
    let signatures = api.signatures.iter().map(|s| value(&s.name, i64::from(s.value), &s.doc));
    let slots = api.slots.iter().map(|s| value(&s.name, i64::from(s.value), &s.doc));
    let mut slot_text = enumeration(
        "HPySlot_Slot",
        "A slot of a type or a module; the numbers are those of CPython's slots where there is one.",
        slots,
    );
    slot_text.push_str("\n/* The signature of each slot's function, for HPyDef_SLOT. */\n");
    for slot in &api.slots {
        slot_text
            .push_str(&format!("#define _HPySlot_SIG_{} HPyFunc_{}\n", slot.name, slot.signature));
    }
    vec![
        header(
            "signatures",
            enumeration(
                "HPyFunc_Signature",
                "The prototype of a C function that Python calls.",
                signatures,
            ),
        ),
        header("slots", slot_text),
        header(
            "members",
            plain("HPyMember_FieldType", "The C type of a member.", &api.member_types),
        ),
        header(
            "shapes",
            format!(
                "{}\n{}",
                plain(
                    "HPyType_BuiltinShape",
                    "Which builtin type's memory layout the C struct of a type extends.",
                    &api.shapes,
                ),
                shape_checks(&api.shapes)
            ),
        ),
    ]
}

fn header(name: &str, body: String) -> Output {
    let guard = format!("HPY_GENERATED_{}_H", name.to_uppercase());
    let text = format!(
        "// {NOTICE}\n\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif /* {guard} */\n"
    );
    Output::new(format!("include/hpy/generated/{name}.h"), text)
}

/// A macro for each shape, empty or an error of the compilation where the limited API lacks the shape.
fn shape_checks(shapes: &[EnumValue]) -> String {
    let checks: String = shapes.iter().map(shape_check).collect();
    format!("/* Fails the compilation where the limited API lacks the shape. */\n{checks}")
}

fn shape_check(shape: &EnumValue) -> String {
    let name = &shape.name;
    let nothing = format!("#define _HPyShape_CHECK_{name}\n");
    if !shape.limited.is_lacking() {
        return nothing;
    }
    let refusal = format!(
        "#define _HPyShape_CHECK_{name} HPy_STATIC_ASSERT(0, \"{name} {}\");\n",
        shape.limited.need()
    );
    let condition = match shape.limited.version() {
        Some(version) => format!("_HPY_LIMITED_BEFORE(0x{version:08X})"),
        None => "_HPY_LIMITED".to_owned(),
    };
    format!("#if {condition}\n{refusal}#else\n{nothing}#endif\n")
}

fn plain(name: &str, doc: &str, values: &[EnumValue]) -> String {
    enumeration(name, doc, values.iter().map(|v| value(&v.name, i64::from(v.value), &v.doc)))
}

fn enumeration(name: &str, doc: &str, values: impl Iterator<Item = String>) -> String {
    let values: String = values.collect();
    format!("/** {doc} */\ntypedef enum {{\n{values}}} {name};\n")
}

fn value(name: &str, number: i64, doc: &str) -> String {
    let comment = match doc.trim() {
        "" => String::new(),
        doc => super::functions_header::comment(doc, "    "),
    };
    format!("{comment}    {name} = {number},\n")
}
