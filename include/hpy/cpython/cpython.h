/*
 * The CPython ABI: the API as inline functions over the Python/C API.
 *
 * A handle is the object's address, so most functions are exactly one call of the Python/C API. An
 * extension compiled this way is an ordinary extension module of one CPython version; it needs no
 * other package at run time. CPython 3.9 and later.
 *
 * With Py_LIMITED_API (0x03090000 or later) it is an abi3 extension, for that version and all later
 * ones. What differs then is in limited.h, type_access.h and type_limited.h, and beside the
 * few functions that read objects directly. With Py_TARGET_ABI3T (0x030F0000 or later), or
 * Py_LIMITED_API and the headers of a free-threaded CPython, it is an abi3t extension, which those
 * load, too: there even the size of a PyObject is found out at run time (_HPY_ABI3T).
 *
 * The documentation of the functions is above their declarations in generated/functions_cpython.h.
 */
#ifndef HPY_CPYTHON_H
#define HPY_CPYTHON_H

#if PY_VERSION_HEX < 0x03090000
#    error "HPy needs CPython 3.9 or later"
#endif
#if _HPY_LIMITED_BEFORE(0x03090000)
#    error "HPy needs the limited API of CPython 3.9: define Py_LIMITED_API as 0x03090000 or later"
#endif
#if _HPY_LIMITED && Py_LIMITED_API + 0 > PY_VERSION_HEX
#    error "Py_LIMITED_API is newer than this Python.h"
#endif
#if defined(Py_TARGET_ABI3T) && !_HPY_ABI3T
#    error "Py_TARGET_ABI3T needs the Python.h of CPython 3.15 or later"
#endif

#include "handle.h"
#include "context.h"
#include "limited.h"
#include "../generated/functions_cpython.h"
#include "names.h"
#include "short.h"
#include "object.h"
#include "long.h"
#include "sequence.h"
#include "pool.h"
#include "builder.h"
#include "builder_short.h"
#include "tracker.h"
#include "field.h"
#include "call.h"
#include "capsule.h"
#include "execution.h"
#include "type_member.h"
#include "type_access.h"
#include "type_record.h"
#include "type_keep.h"
#include "type_gc.h"
#include "type_dealloc.h"
#include "type_call.h"
#include "type_instance.h"
#include "type_construct.h"
#include "trampolines.h"
#include "method.h"
#include "type_draft.h"
#include "type_layout.h"
#include "type_params.h"
#include "type_make.h"
#include "type_limited.h"
#include "type.h"
#include "module.h"

#endif /* HPY_CPYTHON_H */
