/*
 * The CPython ABI: the API as inline functions over the Python/C API.
 *
 * A handle is the object's address, so most functions are exactly one call of the Python/C API. An
 * extension compiled this way is an ordinary extension module of one CPython version; it needs no
 * other package at run time. CPython 3.9 and later.
 *
 * The documentation of the functions is above their declarations in generated/functions_cpython.h.
 */
#ifndef HPY_CPYTHON_H
#define HPY_CPYTHON_H

#if PY_VERSION_HEX < 0x03090000
#    error "HPy needs CPython 3.9 or later"
#endif

#include "handle.h"
#include "context.h"
#include "../generated/functions_cpython.h"
#include "object.h"
#include "long.h"
#include "sequence.h"
#include "builder.h"
#include "tracker.h"
#include "field.h"
#include "call.h"
#include "capsule.h"
#include "execution.h"
#include "type_record.h"
#include "type_member.h"
#include "type_gc.h"
#include "type_dealloc.h"
#include "type_call.h"
#include "type_instance.h"
#include "trampolines.h"
#include "method.h"
#include "type_draft.h"
#include "type_layout.h"
#include "type_params.h"
#include "type.h"
#include "module.h"

#endif /* HPY_CPYTHON_H */
