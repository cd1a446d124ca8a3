/* The smallest useful extension, for HPy; `cminimal.c` is the same for the Python/C API. */
#include <hpy.h>

HPyDef_METH(answer, "answer", HPyFunc_NOARGS)
static HPy answer_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, 42);
}

static HPyDef *module_defines[] = {&answer, NULL};
static HPyModuleDef module_def = {.defines = module_defines};

HPy_MODINIT(hpyminimal, module_def)
