/*
 * lru-dict as a hybrid module: two legacy types, no functions.
 */
#define PyInit__lru replaced_PyInit__lru
#include "_lru.c"
#undef PyInit__lru

#include "add_type.h"

HPyDef_SLOT(lru_exec, HPy_mod_exec)
static int lru_exec_impl(HPyContext *ctx, HPy module)
{
    LRUType.tp_base = &PyBaseObject_Type;
    if (PyType_Ready(&NodeType) < 0 || PyType_Ready(&LRUType) < 0) {
        return -1;
    }
    return add_type(ctx, module, "LRU", &LRUType);
}

static HPyDef *lru_defines[] = {&lru_exec, NULL};
static HPyModuleDef lru_module = {.doc = lru_doc, .defines = lru_defines};

HPy_MODINIT(_lru, lru_module)
