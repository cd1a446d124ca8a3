/*
 * The functions of an extension that Python/C API code calls, in the universal and hybrid modes.
 *
 * A host that can calls the author's function itself; another one, such as HPy 0.9, calls the
 * trampoline beside it, which packs its arguments and asks the host to unpack them.
 */
#ifndef HPY_UNIVERSAL_TRAMPOLINES_H
#define HPY_UNIVERSAL_TRAMPOLINES_H

/*
 * The context that the trampolines of this library use; set by the host through
 * HPyInitGlobalContext_NAME. Embedded modules have one each, see HPY_MOD_EMBEDDABLE.
 */
#ifndef HPY_EMBEDDED_MODULES
extern HPy_HIDDEN_SYMBOL HPyContext *_ctx_for_trampolines;
#endif

#include "../generated/trampolines_universal.h"

/* Needs no context, and so no host. */
#define _HPyFunc_TRAMPOLINE_HPyFunc_DESTROYFUNC(SYM, IMPL)                                         \
    static void SYM(void *_data)                                                                   \
    {                                                                                              \
        IMPL(_data);                                                                               \
    }

/* The host takes the capsule apart: name, pointer and context are the author's arguments. */
#define _HPyFunc_TRAMPOLINE_HPyFunc_CAPSULE_DESTRUCTOR(SYM, IMPL)                                  \
    static void SYM(cpy_PyObject *_capsule)                                                        \
    {                                                                                              \
        _HPy_CallRealFunctionFromTrampoline(_ctx_for_trampolines, HPyFunc_CAPSULE_DESTRUCTOR,      \
                                            (HPyCFunction)(IMPL), _capsule);                       \
    }

#endif /* HPY_UNIVERSAL_TRAMPOLINES_H */
