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
    _HPY_REQUIRED_INTERPRETER(NAME)                                                                \
    _HPY_MODULE_SUPPORT(NAME)                                                                      \
    _HPY_CHECK_PYTHON_H                                                                            \
    _HPY_STUB_FREE_INIT(NAME)

/*
 * Python.h, included behind hpy.h, is found here: it defines its guard as nothing, and a macro that
 * is not defined stands for itself.
 */
#ifdef HPY_ABI_UNIVERSAL
#    define _HPY_CHECK_PYTHON_H                                                                    \
        HPy_STATIC_ASSERT(sizeof(_HPY_STRING(Py_PYTHON_H)) > 1,                                    \
                          "It is forbidden to #include <Python.h> when targeting the HPy "         \
                          "Universal ABI");
#else
#    define _HPY_CHECK_PYTHON_H
#endif

/*
 * A hybrid library tells which CPython's headers it was compiled with, so that another one refuses
 * it also where its file name does not tell: `cp311`. It is read by our own host only.
 */
#if defined(HPY_ABI_HYBRID) && !defined(Py_LIMITED_API) && !defined(PYPY_VERSION) &&               \
    !defined(GRAALVM_PYTHON)
#    ifdef Py_GIL_DISABLED
#        define _HPY_INTERPRETER_THREADS "t"
#    else
#        define _HPY_INTERPRETER_THREADS ""
#    endif
#    define _HPY_REQUIRED_INTERPRETER(NAME)                                                        \
        _HPY_EXPORT(const char *, get_required_interpreter_##NAME, (void))                         \
        {                                                                                          \
            return "cp" _HPY_STRING(PY_MAJOR_VERSION) _HPY_STRING(PY_MINOR_VERSION)                \
                _HPY_INTERPRETER_THREADS;                                                          \
        }
#else
#    define _HPY_REQUIRED_INTERPRETER(NAME)
#endif

/* Tells a host what the module supports; left out if that is nothing. */
#if _HPY_SUPPORTS_NO_LOCK || _HPY_SUPPORTS_INTERPRETERS
#    define _HPY_MODULE_SUPPORT(NAME)                                                              \
        _HPY_EXPORT(uint32_t, get_module_support_##NAME, (void))                                   \
        {                                                                                          \
            return _HPY_SUPPORTS_NO_LOCK | _HPY_SUPPORTS_INTERPRETERS;                             \
        }
#else
#    define _HPY_MODULE_SUPPORT(NAME)
#endif

/* Declares a function that hosts look up, and begins its definition. */
#define _HPY_EXPORT(RESULT, SYM, PARAMETERS)                                                       \
    _HPY_EXTERN_C HPy_EXPORTED_SYMBOL RESULT SYM PARAMETERS;                                       \
    RESULT SYM PARAMETERS

#endif /* HPY_UNIVERSAL_MODULE_H */
