/*
 * ciso8601 as a hybrid module: legacy functions, and a type that another of its sources adds to the
 * module, which is therefore handed over as a PyObject. Compiled with those sources.
 */
#define PyInit_ciso8601 replaced_PyInit_ciso8601
#include "module.c"
#undef PyInit_ciso8601

#include <hpy.h>

static int add_version(HPyContext *ctx, HPy module)
{
    HPy version = HPyUnicode_FromString(ctx, EXPAND_AND_STRINGIZE(CISO8601_VERSION));
    if (HPy_IsNull(version)) {
        return -1;
    }
    int result = HPy_SetAttr_s(ctx, module, "__version__", version);
    HPy_Close(ctx, version);
    return result;
}

static int add_legacy_type(HPyContext *ctx, HPy module)
{
    PyObject *object = HPy_AsPyObject(ctx, module);
    if (object == NULL) {
        return -1;
    }
    int result = initialize_timezone_code(object);
    Py_DECREF(object);
    return result;
}

HPyDef_SLOT(ciso8601_exec, HPy_mod_exec)
static int ciso8601_exec_impl(HPyContext *ctx, HPy module)
{
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL) {
        return -1;
    }
    utc = PyDateTime_TimeZone_UTC;
    if (add_version(ctx, module) < 0) {
        return -1;
    }
    return add_legacy_type(ctx, module);
}

static HPyDef *ciso8601_defines[] = {&ciso8601_exec, NULL};
static HPyModuleDef ciso8601_module = {
    .legacy_methods = CISO8601Methods,
    .defines = ciso8601_defines,
};

HPy_MODINIT(ciso8601, ciso8601_module)
