/*
 * HPy: write a Python extension once, for every Python.
 *
 * Include this file and no other, with this folder on the include path and one mode defined:
 *
 * HPY_ABI_UNIVERSAL  one binary for every interpreter and version that hosts HPy
 * HPY_ABI_CPYTHON    an ordinary extension of one CPython version, with Python.h; or, with
 *                    Py_LIMITED_API defined too, an abi3 extension of that version and later ones
 * HPY_ABI_HYBRID     like universal, beside code that still needs Python.h
 *
 * The documentation of each thing is above its declaration. What the parts are:
 *
 * hpy/types.h           handles and other values
 * hpy/generated/        the functions of the API, and the lists of slots, signatures and so on
 * hpy/funcs.h defs.h    functions that Python calls, and the definitions that name them
 * hpy/type.h module.h   the descriptions of types and modules
 * hpy/inline_helpers.h  small helpers
 * hpy/argparse.h …      arguments, values and texts from format strings
 */
#ifndef HPY_H
#define HPY_H

#if defined(HPY_ABI_CPYTHON) + defined(HPY_ABI_UNIVERSAL) + defined(HPY_ABI_HYBRID) != 1
#    error "Define exactly one of HPY_ABI_CPYTHON, HPY_ABI_UNIVERSAL and HPY_ABI_HYBRID"
#endif

#if defined(HPY_ABI_UNIVERSAL) && defined(Py_PYTHON_H)
#    error "It is forbidden to #include <Python.h> when targeting the HPy Universal ABI"
#endif

#ifndef HPY_ABI_UNIVERSAL
#    ifndef PY_SSIZE_T_CLEAN
#        define PY_SSIZE_T_CLEAN
#    endif
#    include <Python.h>
#    include <stdio.h>
#endif

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#ifndef __cplusplus
#    include <stdbool.h>
#endif

#include "hpy/version.h"
#include "hpy/macros.h"

/** The mode that this file is compiled for, for people. */
#if _HPY_ABI3T
#    define HPY_ABI "abi3t"
#elif defined(HPY_ABI_CPYTHON) && defined(Py_LIMITED_API)
#    define HPY_ABI "abi3"
#elif defined(HPY_ABI_CPYTHON)
#    define HPY_ABI "cpython"
#elif defined(HPY_ABI_UNIVERSAL)
#    define HPY_ABI "universal"
#else
#    define HPY_ABI "hybrid"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#include "hpy/cpy_types.h"
#include "hpy/types.h"
#include "hpy/generated/signatures.h"
#include "hpy/generated/slots.h"
#include "hpy/generated/members.h"
#include "hpy/generated/shapes.h"
#include "hpy/funcs.h"
#include "hpy/defs.h"
#include "hpy/type.h"
#include "hpy/module.h"
#include "hpy/shared.h"

#ifdef HPY_ABI_CPYTHON
#    include "hpy/cpython/cpython.h"
#else
#    include "hpy/generated/context.h"
#    include "hpy/universal/functions.h"
#    include "hpy/universal/fallbacks.h"
#    include "hpy/universal/trampolines.h"
#    include "hpy/universal/module.h"
#endif

#include "hpy/threads.h"
#include "hpy/inline_helpers.h"
#include "hpy/format.h"
#include "hpy/argparse.h"
#include "hpy/buildvalue.h"
#include "hpy/structseq.h"
#include "hpy/helpers.h"

#ifdef __cplusplus
}
#endif

#endif /* HPY_H */
