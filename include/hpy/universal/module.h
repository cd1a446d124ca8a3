/*
 * How a library of the universal and hybrid modes offers a module.
 */
#ifndef HPY_UNIVERSAL_MODULE_H
#define HPY_UNIVERSAL_MODULE_H

#include "stub_free.h"

#ifdef HPY_EMBEDDED_MODULES
#    define HPY_MOD_EMBEDDABLE(NAME) static HPyContext *_ctx_for_trampolines;
#    define _HPY_TRAMPOLINE_CONTEXT
#else
#    define HPY_MOD_EMBEDDABLE(NAME)
#    define _HPY_TRAMPOLINE_CONTEXT HPy_HIDDEN_SYMBOL HPyContext *_ctx_for_trampolines;
#endif

/* The version macros are expanded where the module is, so that a build may ask for others. */
#define HPy_MODINIT(NAME, DEF)                                                                     \
    _HPY_TRAMPOLINE_CONTEXT                                                                        \
    _HPY_EXPORT(uint32_t, get_required_hpy_major_version_##NAME, (void))                           \
    {                                                                                              \
        return HPY_ABI_VERSION;                                                                    \
    }                                                                                              \
    _HPY_EXPORT(uint32_t, get_required_hpy_minor_version_##NAME, (void))                           \
    {                                                                                              \
        return HPY_ABI_VERSION_MINOR;                                                              \
    }                                                                                              \
    _HPY_EXPORT(void, HPyInitGlobalContext_##NAME, (HPyContext * ctx))                             \
    {                                                                                              \
        _ctx_for_trampolines = ctx;                                                                \
    }                                                                                              \
    _HPY_EXPORT(HPyModuleDef *, HPyInit_##NAME, (void))                                            \
    {                                                                                              \
        return &DEF;                                                                               \
    }                                                                                              \
    _HPY_STUB_FREE_INIT(NAME)

/* Declares a function that hosts look up, and begins its definition. */
#define _HPY_EXPORT(RESULT, SYM, PARAMETERS)                                                       \
    _HPY_EXTERN_C HPy_EXPORTED_SYMBOL RESULT SYM PARAMETERS;                                       \
    RESULT SYM PARAMETERS

#endif /* HPY_UNIVERSAL_MODULE_H */
