//! `generated/context.h`: the struct of handles and functions that each call carries.

use super::Output;
use super::ctypes::{NOTICE, declare, parameters};
use crate::model::{Api, Member};

/// Offset of the member with index 0 on 64-bit targets: name, private pointer, version and padding.
const HEADER: usize = 24;

pub fn print(api: &Api) -> Vec<Output> {
    let members: String = api.members().iter().map(member).collect();
    let checks: String = api
        .members()
        .iter()
        .enumerate()
        .map(|(index, m)| format!("_HPY_ASSERT_OFFSET({}, {});\n", name(m), HEADER + 8 * index))
        .collect();
    let size = HEADER + 8 * api.members().len();
    let text = format!(
        "// {NOTICE}\n\n\
         #ifndef HPY_GENERATED_CONTEXT_H\n#define HPY_GENERATED_CONTEXT_H\n\n\
         /**\n * What a call of the API goes through: constant handles, and the functions of the host.\n \
         * A function that Python calls gets it as its first parameter and hands it on; it is valid\n \
         * during that call. Members are only appended.\n */\n\
         struct _HPyContext_s {{\n\
         \x20   /** Which host and mode this is, for people. */\n    const char *name;\n\
         \x20   /** The host's own. */\n    void *_private;\n\
         \x20   /** The major ABI version, HPY_ABI_VERSION. */\n    int abi_version;\n\
         {members}}};\n\n\
         #if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)\n\
         #    define _HPY_ASSERT_OFFSET(member, where)                                          \\\n\
         \x20        HPy_STATIC_ASSERT(offsetof(struct _HPyContext_s, member) == (where),          \\\n\
         \x20                          \"HPyContext.\" #member \" is not where the ABI has it\")\n\
         {checks}HPy_STATIC_ASSERT(sizeof(struct _HPyContext_s) == {size}, \"HPyContext has not the ABI's size\");\n\
         #    undef _HPY_ASSERT_OFFSET\n#endif\n\n\
         #endif /* HPY_GENERATED_CONTEXT_H */\n"
    );
    vec![Output::new("include/hpy/generated/context.h", text)]
}

fn name(member: &Member) -> String {
    match member {
        Member::Handle(handle) => handle.name.clone(),
        Member::Function(function) => function.member(),
    }
}

fn member(member: &Member) -> String {
    match member {
        Member::Handle(handle) => {
            format!("    HPy {}; /* {} */\n", handle.name, handle.python)
        }
        Member::Function(f) => {
            let pointer = format!("(*{})", f.member());
            let params = parameters(&f.params);
            format!("    {}(HPyContext *ctx{params});\n", declare(&f.returns.ctype, &pointer))
        }
    }
}
