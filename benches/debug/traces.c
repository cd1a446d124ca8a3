/*
 * What `cargo xtask bench` measures captured traces with: handles that are opened and closed deep
 * in the extension.
 */
#include <hpy.h>
#include <stdlib.h>

static int open_and_close(HPyContext *ctx, HPy h, long times)
{
    while (times-- > 0)
        HPy_Close(ctx, HPy_Dup(ctx, h));
    return 0;
}

/* Not a tail call, so that each level has a frame. */
__attribute__((noinline)) static int descend(HPyContext *ctx, HPy h, long times, long depth)
{
    if (depth <= 2)
        return open_and_close(ctx, h, times) + 1;
    return descend(ctx, h, times, depth - 1) + 1;
}

HPyDef_METH(one_by_one, "one_by_one", HPyFunc_VARARGS, .doc = "Open and close handles, at a depth.")
static HPy one_by_one_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    long times, depth;
    (void)self;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "ll", &times, &depth))
        return HPy_NULL;
    return HPyLong_FromLong(ctx, descend(ctx, self, times, depth));
}

HPyDef_METH(all_at_once, "all_at_once", HPyFunc_O, .doc = "Open many handles; then close them.")
static HPy all_at_once_impl(HPyContext *ctx, HPy self, HPy arg)
{
    long times = HPyLong_AsLong(ctx, arg);
    HPy *handles = times < 0 ? NULL : malloc((size_t)times * sizeof(HPy));
    if (handles == NULL)
        return HPyErr_NoMemory(ctx);
    for (long i = 0; i < times; i++)
        handles[i] = HPy_Dup(ctx, self);
    for (long i = 0; i < times; i++)
        HPy_Close(ctx, handles[i]);
    free(handles);
    return HPy_Dup(ctx, ctx->h_None);
}

static HPyDef *module_defines[] = {&one_by_one, &all_at_once, NULL};

static HPyModuleDef module_def = {.doc = "Handles to trace.", .defines = module_defines};

HPy_MODINIT(traces, module_def)
