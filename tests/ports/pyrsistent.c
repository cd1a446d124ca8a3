/*
 * The vector of pyrsistent as a hybrid module: a legacy function that makes the first vector, and
 * three legacy types.
 */
#define PyInit_pvectorc replaced_PyInit_pvectorc
#include "pvectorcmodule.c"
#undef PyInit_pvectorc

#include "add_type.h"

HPyDef_SLOT(pvectorc_exec, HPy_mod_exec)
static int pvectorc_exec_impl(HPyContext *ctx, HPy module)
{
    /* Vectors are made by the function only. */
    PVectorType.tp_init = NULL;
    PVectorType.tp_new = NULL;
    if (PyType_Ready(&PVectorType) < 0 || PyType_Ready(&PVectorIterType) < 0 ||
        PyType_Ready(&PVectorEvolverType) < 0) {
        return -1;
    }
    if (EMPTY_VECTOR == NULL) {
        EMPTY_VECTOR = emptyNewPvec();
    }
    if (EMPTY_VECTOR == NULL) {
        return -1;
    }
    nodeCache.size = 0;
    return add_type(ctx, module, "PVector", &PVectorType);
}

static HPyDef *pvectorc_defines[] = {&pvectorc_exec, NULL};
static HPyModuleDef pvectorc_module = {
    .doc = "Persistent vector",
    .legacy_methods = PyrsistentMethods,
    .defines = pvectorc_defines,
};

HPy_MODINIT(pvectorc, pvectorc_module)
