"""An extension that leaves handles open, and whose C source can be read."""

import support

SOURCE = """\
static HPy keep(HPyContext *ctx, HPy h)
{
    return HPy_Dup(ctx, h); // kept
}
HPyDef_METH(leak, "leak", HPyFunc_O)
static HPy leak_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy_Dup(ctx, arg); // leaked
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(leak_in_helper, "leak_in_helper", HPyFunc_O)
static HPy leak_in_helper_impl(HPyContext *ctx, HPy self, HPy arg)
{
    keep(ctx, arg); // not closed
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(close_twice, "close_twice", HPyFunc_O)
static HPy close_twice_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy h = HPy_Dup(ctx, arg);
    HPy_Close(ctx, h);
    HPy_Close(ctx, h); // again
    return HPy_Dup(ctx, ctx->h_None);
}
static HPyContext *kept;
HPyDef_METH(keep_context, "keep_context", HPyFunc_NOARGS)
static HPy keep_context_impl(HPyContext *ctx, HPy self)
{
    kept = ctx;
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(use_context, "use_context", HPyFunc_NOARGS)
static HPy use_context_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(kept, kept->h_None);
}
HPyDef_METH(call, "call", HPyFunc_O)
static HPy call_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy text = HPyUnicode_FromString(ctx, "held");
    HPy result = HPy_CallTupleDict(ctx, arg, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, text);
    return result;
}
"""


def compiled(folder):
    """Return the path of the extension `leaky`; its source is `folder / "leaky.c"`."""
    file = folder / "leaky.c"
    file.write_text(SOURCE)
    defs = "leak, leak_in_helper, close_twice, keep_context, use_context, call"
    source = support.module_source(f'#line 1 "{file}"\n{SOURCE}', defs, name="leaky")
    return support.compile_extension(source, "leaky", "universal")


def line(comment):
    """Return the number of the line with this comment."""
    return next(n for n, text in enumerate(SOURCE.splitlines(), 1) if f"// {comment}" in text)


def program(path, code):
    """Return a Python program that imports the extension at `path` and runs `code`."""
    return (
        f"import sys; sys.path.insert(0, {str(path.parent)!r})\n"
        f"import hpy._import_hook; hpy._import_hook.install()\n"
        f"import leaky\n{code}"
    )
