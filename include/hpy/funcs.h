/*
 * The functions that Python calls: their prototypes, and the macros that declare them.
 *
 * Each signature `HPyFunc_X` (generated/signatures.h) has a function pointer type of the same name
 * in lower case: a method of signature `HPyFunc_O` is an `HPyFunc_o`.
 */
#ifndef HPY_FUNCS_H
#define HPY_FUNCS_H

/** A function of any prototype; which one it is follows from a signature beside it. */
typedef void (*HPyCFunction)(void);

/**
 * What a traverse function calls for each field of the struct, see `HPy_VISIT`.
 *
 * @param field the field
 * @param arg what the traverse function got as its `arg`
 * @return 0 to go on; anything else is returned at once by the traverse function
 */
typedef int (*HPyFunc_visitproc)(HPyField *field, void *arg);

#include "generated/prototypes.h"

/**
 * Declares a static function of a signature: `HPyFunc_DECLARE(f, HPyFunc_O);`
 *
 * @param SYM the function's name
 * @param SIG an `HPyFunc_Signature`, written out
 */
#define HPyFunc_DECLARE(SYM, SIG) _HPyFunc_DECLARE(SYM, SIG)
#define _HPyFunc_DECLARE(SYM, SIG) _HPyFunc_DECLARE_##SIG(SYM)

/**
 * Defines a static function that Python/C API code can call and that calls an HPy function.
 *
 * The macros of defs.h use it; an extension needs it only to write definitions by hand.
 *
 * @param SIG an `HPyFunc_Signature`, written out
 * @param SYM the name of the new function
 * @param IMPL the HPy function
 */
#define HPyFunc_TRAMPOLINE(SIG, SYM, IMPL) _HPyFunc_TRAMPOLINE(SIG, SYM, IMPL)
#define _HPyFunc_TRAMPOLINE(SIG, SYM, IMPL) _HPyFunc_TRAMPOLINE_##SIG(SYM, IMPL)

/** The signature of a slot's function: `HPySlot_SIG(HPy_tp_repr)` is `HPyFunc_REPRFUNC`. */
#define HPySlot_SIG(SLOT) _HPySlot_SIG_##SLOT

#endif /* HPY_FUNCS_H */
