"""Functions of every signature, called through thunks and through the extension's trampolines.

On most machines Python reaches the author's functions through thunks that the runtime makes. Where
it cannot, and in a process with HPY_NO_THUNKS=1, it calls the trampolines that the headers compile
into the extension, and these ask the runtime to call the author's function. The CPython ABI has
trampolines only. The same checks run in all three ways; the second one in a process of its own.
"""

import gc
import json
import operator
import os
import platform
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import support
from outcomes import attempt, functions

# Counts the calls that arrive through trampolines, by signature. The CPython ABI's need no help.
COUNT_CALLS = """
static long calls[64];
#ifndef HPY_ABI_CPYTHON
HPyAPI_INLINE void count_call(HPyContext *ctx, HPyFunc_Signature sig, HPyCFunction func, void *args)
{
    calls[sig]++;
    _HPy_CallRealFunctionFromTrampoline(ctx, sig, func, args);
}
#    define _HPy_CallRealFunctionFromTrampoline count_call
#endif

FUNCTION(calls_of, return HPyLong_FromLong(ctx, calls[size(ctx, args[0])]);)
"""

# Functions without the type: the signatures of methods, of capsules and of call functions.
FUNCTIONS = r"""
static HPyGlobal finalized;

static HPy item_or_none(HPyContext *ctx, HPy h)
{
    return HPy_IsNull(h) ? ctx->h_None : h;
}

/* A tuple of (name, then up to three objects, HPy_NULL shown as None). */
static HPy told(HPyContext *ctx, const char *name, HPy a, HPy b, HPy c)
{
    HPy text = HPyUnicode_FromString(ctx, name);
    HPy result = HPyTuple_Pack(ctx, 4, text, item_or_none(ctx, a), item_or_none(ctx, b),
                               item_or_none(ctx, c));
    HPy_Close(ctx, text);
    return result;
}

/* The same for the arguments of an HPyFunc_KEYWORDS. */
static HPy told_call(HPyContext *ctx, const char *name, HPy self, const HPy *args, size_t nargs,
                     HPy kwnames)
{
    HPy_ssize_t names = HPy_IsNull(kwnames) ? 0 : HPy_Length(ctx, kwnames);
    HPy tuple = HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs + names);
    HPy result = told(ctx, name, self, tuple, kwnames);
    HPy_Close(ctx, tuple);
    return result;
}

static int is_failing(HPyContext *ctx, HPy h)
{
    if (!HPy_Is(ctx, h, ctx->h_Ellipsis))
        return 0;
    HPyErr_SetString(ctx, ctx->h_LookupError, "told to fail");
    return 1;
}

HPyDef_METH(noargs, "noargs", HPyFunc_NOARGS)
static HPy noargs_impl(HPyContext *ctx, HPy self)
{
    return told(ctx, "noargs", self, HPy_NULL, HPy_NULL);
}

HPyDef_METH(noargs_failing, "noargs_failing", HPyFunc_NOARGS)
static HPy noargs_failing_impl(HPyContext *ctx, HPy self)
{
    is_failing(ctx, ctx->h_Ellipsis);
    return HPy_NULL;
}

HPyDef_METH(o, "o", HPyFunc_O)
static HPy o_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return is_failing(ctx, arg) ? HPy_NULL : told(ctx, "o", self, arg, HPy_NULL);
}

HPyDef_METH(varargs, "varargs", HPyFunc_VARARGS)
static HPy varargs_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    if (nargs > 0 && is_failing(ctx, args[0]))
        return HPy_NULL;
    return told_call(ctx, "varargs", self, args, nargs, HPy_NULL);
}

HPyDef_METH(keywords, "keywords", HPyFunc_KEYWORDS)
static HPy keywords_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    if (nargs > 0 && is_failing(ctx, args[0]))
        return HPy_NULL;
    return told_call(ctx, "keywords", self, args, nargs, kwnames);
}

static long capsules_destroyed;
static char capsule_contents;

HPyCapsule_DESTRUCTOR(destroy_capsule)
static void destroy_capsule_impl(const char *name, void *pointer, void *context)
{
    if (strcmp(name, "some.capsule") == 0 && pointer == &capsule_contents && context == &finalized)
        capsules_destroyed++;
}

FUNCTION(new_capsule,
    HPy capsule = HPyCapsule_New(ctx, &capsule_contents, "some.capsule", &destroy_capsule);
    HPyCapsule_SetContext(ctx, capsule, &finalized);
    return capsule;
)
FUNCTION(capsules_destroyed, return HPyLong_FromLong(ctx, capsules_destroyed);)
FUNCTION(finalized, return HPyGlobal_Load(ctx, finalized);)

HPyDef_SLOT(set_finalized, HPy_mod_exec)
static int set_finalized_impl(HPyContext *ctx, HPy mod)
{
    HPy list = HPyList_New(ctx, 0);
    if (HPy_IsNull(list))
        return -1;
    HPyGlobal_Store(ctx, &finalized, list);
    HPy_Close(ctx, list);
    return 0;
}

/* What a thunk calls differs from what the trampoline calls. */
static HPy by_thunk(HPyContext *ctx, HPy self)
{
    return HPyUnicode_FromString(ctx, "thunk");
}

static HPy by_trampoline(HPyContext *ctx, HPy self)
{
    return HPyUnicode_FromString(ctx, "trampoline");
}

HPyFunc_TRAMPOLINE(HPyFunc_NOARGS, way_trampoline, by_trampoline)
HPyDef way = {.kind = HPyDef_Kind_Meth,
              .meth = {.name = "way",
                       .impl = (HPyCFunction)by_thunk,
                       .cpy_trampoline = (cpy_PyCFunction)(HPyCFunction)way_trampoline,
                       .signature = HPyFunc_NOARGS}};
"""

# A type with a slot of each signature. An object that was told to makes all of its slots fail.
TYPE = r"""
typedef struct {
    HPyField seen;
    char contents[4];
    int views;
    bool fails;
    bool is_watched;
} All;
HPyType_HELPERS(All)

static long traversed;
static long destroyed;

static int fails(HPyContext *ctx, HPy self)
{
    return All_AsStruct(ctx, self)->fails && is_failing(ctx, ctx->h_Ellipsis);
}

/* Keeps what a function without a result was told; takes the handle. */
static int see(HPyContext *ctx, HPy self, HPy what)
{
    if (HPy_IsNull(what))
        return -1;
    HPyField_Store(ctx, self, &All_AsStruct(ctx, self)->seen, what);
    HPy_Close(ctx, what);
    return 0;
}

HPyDef_SLOT(All_new, HPy_tp_new)
static HPy All_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    HPy tuple, self;
    All *data;
    if (nargs > 0 && is_failing(ctx, args[0]))
        return HPy_NULL;
    self = HPy_New(ctx, type, &data);
    if (HPy_IsNull(self))
        return HPy_NULL;
    memcpy(data->contents, "abcd", 4);
    tuple = HPyTuple_FromArray(ctx, args, nargs);
    see(ctx, self, told(ctx, "new", type, tuple, kw));
    HPy_Close(ctx, tuple);
    return self;
}

HPyDef_SLOT(All_init, HPy_tp_init)
static int All_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    HPy tuple, before;
    int result;
    if (nargs > 1 && is_failing(ctx, args[1]))
        return -1;
    tuple = HPyTuple_FromArray(ctx, args, nargs);
    before = HPyField_Load(ctx, self, All_AsStruct(ctx, self)->seen);
    result = see(ctx, self, told(ctx, "init", before, tuple, kw));
    HPy_Close(ctx, before);
    HPy_Close(ctx, tuple);
    return result;
}

HPyDef_SLOT(All_traverse, HPy_tp_traverse)
static int All_traverse_impl(void *object, HPyFunc_visitproc visit, void *arg)
{
    traversed++;
    HPy_VISIT(&((All *)object)->seen);
    return 0;
}

HPyDef_SLOT(All_destroy, HPy_tp_destroy)
static void All_destroy_impl(void *object)
{
    destroyed += memcmp(((All *)object)->contents, "abcd", 4) == 0;
}

HPyDef_SLOT(All_finalize, HPy_tp_finalize)
static void All_finalize_impl(HPyContext *ctx, HPy self)
{
    HPy list, type;
    if (!All_AsStruct(ctx, self)->is_watched)
        return;
    list = HPyGlobal_Load(ctx, finalized);
    type = HPy_Type(ctx, self);
    HPyList_Append(ctx, list, type);
    HPy_Close(ctx, type);
    HPy_Close(ctx, list);
    fails(ctx, self);
}

HPyDef_SLOT(All_repr, HPy_tp_repr)
static HPy All_repr_impl(HPyContext *ctx, HPy self)
{
    return fails(ctx, self) ? HPy_NULL : HPyUnicode_FromString(ctx, "told to repr");
}

HPyDef_SLOT(All_hash, HPy_tp_hash)
static HPy_hash_t All_hash_impl(HPyContext *ctx, HPy self)
{
    return fails(ctx, self) ? -1 : (HPy_hash_t)1 << 40;
}

HPyDef_SLOT(All_richcompare, HPy_tp_richcompare)
static HPy All_richcompare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    HPy number = HPyLong_FromLong(ctx, op);
    HPy result = fails(ctx, self) ? HPy_NULL : told(ctx, "compare", self, other, number);
    HPy_Close(ctx, number);
    return result;
}

HPyDef_SLOT(All_call, HPy_tp_call)
static HPy All_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    if (fails(ctx, self))
        return HPy_NULL;
    return told_call(ctx, "call", self, args, nargs, kwnames);
}

HPyDef_CALL_FUNCTION(call_otherwise)
static HPy call_otherwise_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs,
                               HPy kwnames)
{
    if (fails(ctx, self))
        return HPy_NULL;
    return told_call(ctx, "call otherwise", self, args, nargs, kwnames);
}
FUNCTION(set_call_function, return number(ctx, HPy_SetCallFunction(ctx, args[0], &call_otherwise));)

HPyDef_SLOT(All_descr_get, HPy_tp_descr_get)
static HPy All_descr_get_impl(HPyContext *ctx, HPy self, HPy object, HPy type)
{
    return fails(ctx, self) ? HPy_NULL : told(ctx, "descriptor", self, object, type);
}

HPyDef_SLOT(All_negative, HPy_nb_negative)
static HPy All_negative_impl(HPyContext *ctx, HPy self)
{
    return fails(ctx, self) ? HPy_NULL : told(ctx, "negative", self, HPy_NULL, HPy_NULL);
}

HPyDef_SLOT(All_subtract, HPy_nb_subtract)
static HPy All_subtract_impl(HPyContext *ctx, HPy a, HPy b)
{
    if (is_failing(ctx, b))
        return HPy_NULL;
    return told(ctx, "subtract", a, b, HPy_NULL);
}

HPyDef_SLOT(All_power, HPy_nb_power)
static HPy All_power_impl(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    return is_failing(ctx, b) ? HPy_NULL : told(ctx, "power", a, b, c);
}

HPyDef_SLOT(All_bool, HPy_nb_bool)
static int All_bool_impl(HPyContext *ctx, HPy self)
{
    return fails(ctx, self) ? -1 : All_AsStruct(ctx, self)->views > 0;
}

HPyDef_SLOT(All_length, HPy_mp_length)
static HPy_ssize_t All_length_impl(HPyContext *ctx, HPy self)
{
    return fails(ctx, self) ? -1 : (HPy_ssize_t)1 << 40;
}

HPyDef_SLOT(All_set, HPy_mp_ass_subscript)
static int All_set_impl(HPyContext *ctx, HPy self, HPy key, HPy value)
{
    return fails(ctx, self) ? -1 : see(ctx, self, told(ctx, "set", self, key, value));
}

HPyDef_SLOT(All_contains, HPy_sq_contains)
static int All_contains_impl(HPyContext *ctx, HPy self, HPy key)
{
    return fails(ctx, self) ? -1 : HPy_Is(ctx, key, ctx->h_None);
}

HPyDef_SLOT(All_repeat, HPy_sq_repeat)
static HPy All_repeat_impl(HPyContext *ctx, HPy self, HPy_ssize_t n)
{
    HPy times = HPyLong_FromSsize_t(ctx, n);
    HPy result = fails(ctx, self) ? HPy_NULL : told(ctx, "repeat", self, times, HPy_NULL);
    HPy_Close(ctx, times);
    return result;
}

HPyDef_SLOT(All_getbuffer, HPy_bf_getbuffer)
static int All_getbuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *view, int flags)
{
    All *data = All_AsStruct(ctx, self);
    view->obj = HPy_NULL;
    if (fails(ctx, self))
        return -1;
    data->views++;
    view->buf = data->contents;
    view->obj = HPy_Dup(ctx, self);
    view->len = 4;
    view->itemsize = 1;
    view->readonly = (flags & 1) == 0; /* PyBUF_WRITABLE */
    view->ndim = 1;
    view->format = NULL;
    view->shape = NULL;
    view->strides = NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

HPyDef_SLOT(All_releasebuffer, HPy_bf_releasebuffer)
static void All_releasebuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *view)
{
    All *data = All_AsStruct(ctx, self);
    if (view->buf == data->contents)
        data->views--;
}

static char closure[] = "closure";
HPyDef_GETSET(All_computed, "computed", .closure = closure)
static HPy All_computed_get(HPyContext *ctx, HPy self, void *closure)
{
    return fails(ctx, self) ? HPy_NULL : told(ctx, (const char *)closure, self, HPy_NULL, HPy_NULL);
}
static int All_computed_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    if (fails(ctx, self))
        return -1;
    return see(ctx, self, told(ctx, (const char *)closure, self, value, HPy_NULL));
}

HPyDef_METH(All_method, "method", HPyFunc_O)
static HPy All_method_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return told(ctx, "method", self, arg, HPy_NULL);
}

HPyDef_MEMBER(All_seen, "seen", HPyMember_OBJECT, offsetof(All, seen), .readonly = 1)
HPyDef_MEMBER(All_views, "views", HPyMember_INT, offsetof(All, views), .readonly = 1)
HPyDef_MEMBER(All_fails, "fails", HPyMember_BOOL, offsetof(All, fails))
HPyDef_MEMBER(All_is_watched, "is_watched", HPyMember_BOOL, offsetof(All, is_watched))

static HPyDef *All_defines[] = {
    &All_new, &All_init, &All_traverse, &All_destroy, &All_finalize, &All_repr, &All_hash,
    &All_richcompare, &All_call, &All_descr_get, &All_negative, &All_subtract, &All_power,
    &All_bool, &All_length, &All_set, &All_contains, &All_repeat, &All_getbuffer,
    &All_releasebuffer, &All_computed, &All_method, &All_seen, &All_views, &All_fails,
    &All_is_watched, NULL};
static HPyType_Spec All_spec = {
    .name = "testmod.All",
    .basicsize = sizeof(All),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(All),
    .defines = All_defines,
};

HPyDef_SLOT(Items_new, HPy_tp_new)
static HPy Items_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    return All_new_impl(ctx, type, args, nargs, kw);
}

HPyDef_SLOT(Items_set, HPy_sq_ass_item)
static int Items_set_impl(HPyContext *ctx, HPy self, HPy_ssize_t index, HPy value)
{
    HPy number = HPyLong_FromSsize_t(ctx, index);
    int result = fails(ctx, self) ? -1 : see(ctx, self, told(ctx, "item", self, number, value));
    HPy_Close(ctx, number);
    return result;
}

static HPyDef *Items_defines[] = {
    &Items_new, &Items_set, &All_traverse, &All_seen, &All_fails, NULL};
static HPyType_Spec Items_spec = {
    .name = "testmod.Items",
    .basicsize = sizeof(All),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(All),
    .defines = Items_defines,
};

/* Closes the only item of a list while there is an exception. */
FUNCTION(raise_and_close,
    HPy item = HPy_GetItem_i(ctx, args[0], 0);
    HPy_DelItem_i(ctx, args[0], 0);
    HPyErr_SetString(ctx, ctx->h_KeyError, "before");
    HPy_Close(ctx, item);
    return HPy_NULL;
)
FUNCTION(traversed, return HPyLong_FromLong(ctx, traversed);)
FUNCTION(destroyed, return HPyLong_FromLong(ctx, destroyed);)
"""

CREATED = r"""
HPyDef_SLOT(create, HPy_mod_create)
static HPy create_impl(HPyContext *ctx, HPy spec)
{
    HPy name = HPy_GetAttr_s(ctx, spec, "name");
    HPy result;
    if (HPy_IsNull(name))
        return HPy_NULL;
    result = HPyTuple_Pack(ctx, 2, spec, name);
    if (HPy_Length(ctx, name) != 7) {
        HPy_Close(ctx, result);
        result = HPyErr_SetObject(ctx, ctx->h_LookupError, name);
    }
    HPy_Close(ctx, name);
    return result;
}
"""


def main_module():
    source, defs = functions(COUNT_CALLS + FUNCTIONS + TYPE)
    defs += ", noargs, noargs_failing, o, varargs, keywords, set_finalized, way"
    return support.module_source(source, defs, types="All, Items", globals="finalized")


def created_module(name):
    """A module that is what its create slot gives."""
    return f"""
#include <hpy.h>
{CREATED}
static HPyDef *module_defines[] = {{&create, NULL}};
static HPyModuleDef module_def = {{.defines = module_defines}};
HPy_MODINIT({name}, module_def)
"""


# The checks: each is told the module, and how to load another one.


def failing_object(mod):
    thing = mod.All()
    thing.fails = True
    return thing


def fails(function, *args):
    """The exception of the author's function comes out."""
    with pytest.raises(LookupError, match="told to fail"):
        function(*args)


def check_noargs(mod, load):
    assert mod.noargs() == ("noargs", mod, None, None)
    fails(mod.noargs_failing)
    with pytest.raises(TypeError):
        mod.noargs(1)
    support.no_leak(mod.noargs, mod)
    support.no_leak(lambda: attempt(mod.noargs_failing), mod)


def check_o(mod, load):
    thing, owner = object(), mod.All()
    assert mod.o(thing) == ("o", mod, thing, None)
    assert owner.method(thing)[1] is owner
    fails(mod.o, ...)
    with pytest.raises(TypeError):
        mod.o()
    with pytest.raises(TypeError):
        mod.o(1, 2)
    support.no_leak(lambda: (mod.o(thing), owner.method(thing)), mod, thing, owner)


def check_varargs(mod, load):
    thing = object()
    assert mod.varargs() == ("varargs", mod, (), None)
    assert mod.varargs(1, thing) == ("varargs", mod, (1, thing), None)
    assert mod.varargs(*range(100)) == ("varargs", mod, tuple(range(100)), None)
    fails(mod.varargs, ..., 1)
    with pytest.raises(TypeError):
        mod.varargs(a=1)
    support.no_leak(lambda: mod.varargs(thing, thing), mod, thing)


def check_keywords(mod, load):
    owner, thing = mod.All(), object()
    for function, name, owner_seen in (
        (mod.keywords, "keywords", mod),
        (owner, "call", owner),
        (call_otherwise(mod), "call otherwise", None),
    ):
        seen = owner_seen or function
        for args in ((), (1,), (1, thing), tuple(range(100))):
            result = function(*args)
            assert result[0] == name
            assert result[1] is seen
            assert result[2:] == (args, None)
            result = function(*args, key=thing, other=2)
            assert result[2:] == ((*args, thing, 2), ("key", "other"))
        support.no_leak(lambda f=function: f(thing, key=thing), seen, thing)
    fails(mod.keywords, ..., 1)
    fails(failing_object(mod), 1)
    otherwise = call_otherwise(mod)
    otherwise.fails = True
    fails(otherwise, 1)
    support.no_leak(lambda: attempt(otherwise, thing), otherwise, thing)


def call_otherwise(mod):
    """An object with a call function of its own."""
    thing = mod.All()
    assert mod.set_call_function(thing) == 0
    return thing


def check_newfunc(mod, load):
    thing = mod.All.__new__(mod.All, 1, "two", key=3)
    name, cls, args, kwargs = thing.seen
    assert (name, cls, args, kwargs) == ("new", mod.All, (1, "two"), {"key": 3})
    assert mod.All.__new__(mod.All).seen == ("new", mod.All, (), None)

    class Derived(mod.All):
        pass

    assert mod.All.__new__(Derived).seen[1] is Derived
    fails(mod.All, ...)
    value = object()
    support.no_leak(lambda: mod.All.__new__(mod.All, value, key=value), mod.All, value)
    support.no_leak(lambda: attempt(mod.All, ..., value), mod.All, value)


def check_initproc(mod, load):
    thing = mod.All(1, "two", key=3)
    name, before, args, kwargs = thing.seen
    assert name == "init"
    assert before == ("new", mod.All, (1, "two"), {"key": 3})
    assert (args, kwargs) == ((1, "two"), {"key": 3})
    assert mod.All().seen[2:] == ((), None)
    fails(mod.All, 1, ...)
    value = object()
    support.no_leak(lambda: mod.All(value, key=value), mod.All, value)
    support.no_leak(lambda: attempt(mod.All, value, ...), mod.All, value)


def check_reprfunc(mod, load):
    assert repr(mod.All()) == "told to repr"
    fails(repr, failing_object(mod))
    thing = mod.All()
    support.no_leak(lambda: repr(thing), thing)


def check_hashfunc(mod, load):
    assert hash(mod.All()) == 2**40
    fails(hash, failing_object(mod))


def check_richcmpfunc(mod, load):
    thing, other = mod.All(), object()
    for op, function in enumerate(
        [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
    ):
        name, left, right, number = function(thing, other)
        assert name == "compare"
        assert left is thing
        assert right is other
        assert number == op
    fails(operator.lt, failing_object(mod), other)
    support.no_leak(lambda: thing < other, thing, other)


def check_unaryfunc(mod, load):
    thing = mod.All()
    name, self, *_ = -thing
    assert name == "negative"
    assert self is thing
    fails(operator.neg, failing_object(mod))
    support.no_leak(lambda: -thing, thing)


def check_binaryfunc(mod, load):
    thing, other = mod.All(), object()
    for a, b in ((thing, other), (other, thing)):
        result = a - b
        assert result[0] == "subtract"
        assert result[1] is a
        assert result[2] is b
    fails(operator.sub, thing, ...)
    support.no_leak(lambda: (thing - other, other - thing), thing, other)


def check_ternaryfunc(mod, load):
    thing, other, third = mod.All(), object(), object()
    assert list(map(id, pow(thing, other, third)[1:])) == [id(thing), id(other), id(third)]
    assert (thing**other)[3] is None
    fails(pow, thing, ...)

    class Owner:
        descriptor = thing

    owner = Owner()
    assert list(map(id, owner.descriptor[1:])) == [id(thing), id(owner), id(Owner)]
    assert Owner.descriptor[2] is None
    thing.fails = True
    fails(lambda: owner.descriptor)
    thing.fails = False
    support.no_leak(lambda: (pow(thing, other, third), owner.descriptor), thing, other, owner)


def check_inquiry(mod, load):
    """The truth value; and the exec slot, without which there would be no list."""
    thing = mod.All()
    assert bool(thing) is False
    with memoryview(thing):
        assert bool(thing) is True
    fails(bool, failing_object(mod))
    assert type(mod.finalized()) is list


def check_lenfunc(mod, load):
    assert len(mod.All()) == 2**40
    fails(len, failing_object(mod))


def check_ssizeargfunc(mod, load):
    thing = mod.All()
    for n in (0, 3, -1, 2**40, -support.SSIZE_MAX - 1):
        name, self, times, _ = thing * n
        assert name == "repeat"
        assert self is thing
        assert times == n
    fails(operator.mul, failing_object(mod), 2)
    support.no_leak(lambda: thing * 3, thing)


def check_ssizeobjargproc(mod, load):
    thing, value = mod.Items(), object()
    thing[2**40] = value
    assert thing.seen == ("item", thing, 2**40, value)
    del thing[7]
    assert thing.seen == ("item", thing, 7, None)
    thing[0] = value
    thing.fails = True
    fails(operator.setitem, thing, 1, value)
    assert thing.seen[2] == 0
    thing.fails = False
    support.no_leak(lambda: operator.setitem(thing, 1, value), thing, value)
    del thing[0]


def check_objobjargproc(mod, load):
    thing, value = mod.All(), object()
    thing["key"] = value
    assert thing.seen[0] == "set"
    assert thing.seen[1] is thing
    assert thing.seen[2:] == ("key", value)
    del thing["other"]
    assert thing.seen[2:] == ("other", None)
    fails(operator.setitem, failing_object(mod), "key", value)
    thing[value] = value
    support.no_leak(lambda: operator.setitem(thing, value, value), thing, value)


def check_objobjproc(mod, load):
    thing = mod.All()
    assert None in thing
    assert 1 not in thing
    fails(operator.contains, failing_object(mod), 1)


def check_getbufferproc(mod, load):
    thing = mod.All()
    with memoryview(thing) as view:
        assert bytes(view) == b"abcd"
        assert view.obj is thing
    fails(memoryview, failing_object(mod))
    support.no_leak(lambda: bytes(thing), thing)
    support.no_leak(lambda: attempt(memoryview, failing_object(mod)))


def check_releasebufferproc(mod, load):
    thing = mod.All()
    first, second = memoryview(thing), memoryview(thing)
    assert thing.views == 2
    first.release()
    assert thing.views == 1
    del second
    assert thing.views == 0


def check_getter(mod, load):
    thing = mod.All()
    assert thing.computed[0] == "closure"
    assert thing.computed[1] is thing
    fails(getattr, failing_object(mod), "computed")
    support.no_leak(lambda: thing.computed, thing)


def check_setter(mod, load):
    thing, value = mod.All(), object()
    thing.computed = value
    assert thing.seen[0] == "closure"
    assert thing.seen[1] is thing
    assert thing.seen[2] is value
    del thing.computed
    assert thing.seen[2] is None
    fails(setattr, failing_object(mod), "computed", value)
    thing.computed = value
    support.no_leak(lambda: setattr(thing, "computed", value), thing, value)


def check_traverseproc(mod, load):
    thing = mod.All()
    thing["key"] = thing
    before = mod.traversed()
    assert thing.seen in gc.get_referents(thing)
    assert mod.traversed() > before
    gc.collect()
    before = mod.destroyed()
    del thing
    gc.collect()
    assert mod.destroyed() == before + 1, "a cycle was not collected"


def check_destroyfunc(mod, load):
    thing, before = mod.All(), mod.destroyed()
    del thing
    assert mod.destroyed() == before + 1


def check_destructor(mod, load):
    class Derived(mod.All):
        pass

    thing = Derived()
    thing.is_watched = True
    del thing
    assert mod.finalized() == [Derived]
    mod.finalized().clear()

    # An exception is reported, and the one that was on its way before goes on.
    unraisable = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda found: unraisable.append(found.exc_type)
    try:
        with pytest.raises(KeyError, match="before"):
            mod.raise_and_close([watched(mod, fails=False)])
        assert unraisable == []
        with pytest.raises(KeyError, match="before"):
            mod.raise_and_close([watched(mod, fails=True)])
        assert unraisable == [LookupError]
    finally:
        sys.unraisablehook = hook
    assert mod.finalized() == [mod.All, mod.All]
    mod.finalized().clear()


def watched(mod, fails):
    """An object whose end is told."""
    thing = mod.All()
    thing.is_watched, thing.fails = True, fails
    return thing


def check_capsule_destructor(mod, load):
    capsule, before = mod.new_capsule(), mod.capsules_destroyed()
    assert mod.capsules_destroyed() == before
    del capsule
    assert mod.capsules_destroyed() == before + 1


def check_mod_create(mod, load):
    spec, name = load("created")
    assert spec.name == name == "created"
    with pytest.raises(LookupError, match="refusing"):
        load("refusing")


SIGNATURES = {
    "VARARGS": 1,
    "KEYWORDS": 2,
    "NOARGS": 3,
    "O": 4,
    "DESTROYFUNC": 5,
    "GETBUFFERPROC": 6,
    "RELEASEBUFFERPROC": 7,
    "UNARYFUNC": 8,
    "BINARYFUNC": 9,
    "TERNARYFUNC": 10,
    "INQUIRY": 11,
    "LENFUNC": 12,
    "SSIZEARGFUNC": 13,
    "SSIZEOBJARGPROC": 15,
    "OBJOBJARGPROC": 17,
    "REPRFUNC": 23,
    "HASHFUNC": 24,
    "RICHCMPFUNC": 25,
    "INITPROC": 30,
    "NEWFUNC": 31,
    "GETTER": 32,
    "SETTER": 33,
    "OBJOBJPROC": 34,
    "TRAVERSEPROC": 35,
    "DESTRUCTOR": 36,
    "CAPSULE_DESTRUCTOR": 37,
    "MOD_CREATE": 39,
}
# Python does not call these functions: it calls the runtime, and that calls the author's function.
CALLED_BY_THE_RUNTIME = ("DESTROYFUNC", "TRAVERSEPROC", "MOD_CREATE")

HAS_THUNKS = (
    platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
    and os.environ.get("HPY_NO_THUNKS") != "1"
)


def libraries(abi):
    """The paths of the modules of an ABI."""
    sources = {name: created_module(name) for name in ("created", "refusing")}
    sources["testmod"] = main_module()
    return {
        name: str(support.compile_extension(source, name, abi)) for name, source in sources.items()
    }


def run_check(signature, paths, abi, by_trampoline):
    """Runs the check of a signature, and sees that the calls came the right way."""

    def load(name):
        return support.load(paths[name], name, abi)

    mod = load("testmod")
    number = SIGNATURES[signature]
    before = mod.calls_of(number)
    globals()[f"check_{signature.lower()}"](mod, load)
    called = mod.calls_of(number) > before
    assert called == (by_trampoline and signature not in CALLED_BY_THE_RUNTIME)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_cpython_abi(signature):
    run_check(signature, libraries("cpython"), "cpython", by_trampoline=False)


@pytest.mark.skipif(not HAS_THUNKS, reason="no thunks here")
@pytest.mark.parametrize("signature", SIGNATURES)
def test_thunks(signature):
    run_check(signature, libraries("universal"), "universal", by_trampoline=False)


@pytest.fixture(scope="module")
def without_thunks():
    """What the checks say in a process without thunks: by signature, "" or what went wrong."""
    environment = {**os.environ, "HPY_NO_THUNKS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([*map(str, map(Path, sys.path)), ""])
    command = [sys.executable, __file__, json.dumps(libraries("universal"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    said = dict(map(json.loads, done.stdout.splitlines()))
    said["process"] = f"it ended with {done.returncode}: {done.stderr}"
    return said


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.api("_HPy_CallRealFunctionFromTrampoline")
def test_trampolines(signature, without_thunks):
    assert without_thunks.get(signature, without_thunks["process"]) == ""


def run_all_checks(paths):
    """What a process without thunks does; one line of output for each signature."""
    for signature in SIGNATURES:
        try:
            run_check(signature, paths, "universal", by_trampoline=True)
            trouble = ""
        except BaseException:
            trouble = traceback.format_exc()
        print(json.dumps([signature, trouble]), flush=True)


@pytest.mark.parametrize("abi", ["cpython"])
def test_the_cpython_abi_calls_trampolines(abi):
    assert support.load(libraries(abi)["testmod"], "testmod", abi).way() == "trampoline"


@pytest.mark.skipif(not HAS_THUNKS, reason="no thunks here")
def test_the_universal_abi_calls_thunks():
    assert support.load(libraries("universal")["testmod"], "testmod", "universal").way() == "thunk"


# Signatures that no slot has are called here as Python/C API code would call them.

NO_SLOT = r"""
#include <Python.h>

/* Runs a call with the arguments as objects. */
#define CALLING(CALL)                                                                            \
    PyObject *o[4] = {NULL, NULL, NULL, NULL};                                                   \
    HPy result;                                                                                  \
    for (size_t i = 0; i < nargs; i++)                                                           \
        o[i] = HPy_AsPyObject(ctx, or_null(ctx, args[i]));                                       \
    result = CALL;                                                                               \
    for (size_t i = 0; i < nargs; i++)                                                           \
        Py_XDECREF(o[i]);                                                                        \
    return result;

#define TRAMPOLINE(SIG, NAME)                                                                    \
    HPyFunc_DECLARE(NAME##_impl, SIG);                                                           \
    HPyFunc_TRAMPOLINE(SIG, NAME##_trampoline, NAME##_impl)

static HPy object(HPyContext *ctx, PyObject *result)
{
    HPy h = HPy_FromPyObject(ctx, result);
    Py_XDECREF(result);
    return h;
}

static HPy word(HPyContext *ctx, const char *text)
{
    return HPyUnicode_FromString(ctx, text);
}

/* A tuple of what a function got; consumes a, b and c, of which b and c may be null. */
static HPy got(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    HPy result = HPyTuple_Pack(ctx, 3, a, HPy_IsNull(b) ? ctx->h_None : b,
                               HPy_IsNull(c) ? ctx->h_None : c);
    HPy_Close(ctx, a);
    HPy_Close(ctx, b);
    HPy_Close(ctx, c);
    return result;
}

/* Raises what a function got, or gives 7 if the first is None. */
static int raise_got(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    int is_none = HPy_Is(ctx, a, ctx->h_None);
    HPy all = got(ctx, a, b, c);
    if (!is_none)
        HPyErr_SetObject(ctx, ctx->h_KeyError, all);
    HPy_Close(ctx, all);
    return is_none ? 7 : -1;
}

/* What a function of objects gives: all of them, and an exception if the first is None. */
static HPy give_got(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    if (HPy_Is(ctx, a, ctx->h_None))
        return HPyErr_SetString(ctx, ctx->h_LookupError, "told to fail");
    return got(ctx, HPy_Dup(ctx, a), HPy_Dup(ctx, b), HPy_Dup(ctx, c));
}

TRAMPOLINE(HPyFunc_SSIZESSIZEARGFUNC, slice)
static HPy slice_impl(HPyContext *ctx, HPy a, HPy_ssize_t i, HPy_ssize_t j)
{
    HPy b = HPyLong_FromSsize_t(ctx, i);
    HPy c = HPyLong_FromSsize_t(ctx, j);
    HPy result = give_got(ctx, a, b, c);
    HPy_Close(ctx, b);
    HPy_Close(ctx, c);
    return result;
}
FUNCTION(SSIZESSIZEARGFUNC, CALLING(object(ctx, slice_trampoline(o[0], -3, HPY_SSIZE_T_MAX))))

TRAMPOLINE(HPyFunc_SSIZESSIZEOBJARGPROC, set_slice)
static int set_slice_impl(HPyContext *ctx, HPy a, HPy_ssize_t i, HPy_ssize_t j, HPy b)
{
    return raise_got(ctx, HPy_Dup(ctx, a), HPyLong_FromSsize_t(ctx, j - i), HPy_Dup(ctx, b));
}
FUNCTION(SSIZESSIZEOBJARGPROC, CALLING(number(ctx, set_slice_trampoline(o[0], -3, 2, o[1]))))

static char freed[] = "to be freed";
TRAMPOLINE(HPyFunc_FREEFUNC, release)
static void release_impl(HPyContext *ctx, void *memory)
{
    *(char *)memory = 'f';
}
FUNCTION(FREEFUNC,
    freed[0] = 't';
    release_trampoline(freed);
    return word(ctx, freed);
)

TRAMPOLINE(HPyFunc_DESTROYFUNC, destroy)
static void destroy_impl(void *data)
{
    *(char *)data = 'd';
}
FUNCTION(DESTROYFUNC,
    freed[0] = 't';
    destroy_trampoline(freed);
    return word(ctx, freed);
)

TRAMPOLINE(HPyFunc_GETATTRFUNC, get)
static HPy get_impl(HPyContext *ctx, HPy a, char *name)
{
    HPy text = word(ctx, name);
    HPy result = give_got(ctx, a, text, HPy_NULL);
    HPy_Close(ctx, text);
    return result;
}
static char attribute[] = "attribute";
FUNCTION(GETATTRFUNC, CALLING(object(ctx, get_trampoline(o[0], attribute))))

TRAMPOLINE(HPyFunc_SETATTRFUNC, set)
static int set_impl(HPyContext *ctx, HPy a, char *name, HPy b)
{
    return raise_got(ctx, HPy_Dup(ctx, a), word(ctx, name), HPy_Dup(ctx, b));
}
FUNCTION(SETATTRFUNC, CALLING(number(ctx, set_trampoline(o[0], attribute, o[1]))))

TRAMPOLINE(HPyFunc_GETATTROFUNC, get_object)
static HPy get_object_impl(HPyContext *ctx, HPy a, HPy b)
{
    return give_got(ctx, a, b, HPy_NULL);
}
FUNCTION(GETATTROFUNC, CALLING(object(ctx, get_object_trampoline(o[0], o[1]))))

TRAMPOLINE(HPyFunc_SETATTROFUNC, set_object)
static int set_object_impl(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    return raise_got(ctx, HPy_Dup(ctx, a), HPy_Dup(ctx, b), HPy_Dup(ctx, c));
}
FUNCTION(SETATTROFUNC, CALLING(number(ctx, set_object_trampoline(o[0], o[1], o[2]))))

TRAMPOLINE(HPyFunc_GETITERFUNC, iter)
static HPy iter_impl(HPyContext *ctx, HPy a)
{
    return give_got(ctx, a, HPy_NULL, HPy_NULL);
}
FUNCTION(GETITERFUNC, CALLING(object(ctx, iter_trampoline(o[0]))))

TRAMPOLINE(HPyFunc_ITERNEXTFUNC, next)
static HPy next_impl(HPyContext *ctx, HPy a)
{
    return give_got(ctx, a, HPy_NULL, HPy_NULL);
}
FUNCTION(ITERNEXTFUNC, CALLING(object(ctx, next_trampoline(o[0]))))

TRAMPOLINE(HPyFunc_DESCRGETFUNC, descr_get)
static HPy descr_get_impl(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    return give_got(ctx, a, b, c);
}
FUNCTION(DESCRGETFUNC, CALLING(object(ctx, descr_get_trampoline(o[0], o[1], o[2]))))

TRAMPOLINE(HPyFunc_DESCRSETFUNC, descr_set)
static int descr_set_impl(HPyContext *ctx, HPy a, HPy b, HPy c)
{
    return raise_got(ctx, HPy_Dup(ctx, a), HPy_Dup(ctx, b), HPy_Dup(ctx, c));
}
FUNCTION(DESCRSETFUNC, CALLING(number(ctx, descr_set_trampoline(o[0], o[1], o[2]))))

typedef struct {
    HPyField first;
    HPyField empty;
    HPyField last;
} Node;
HPyType_HELPERS(Node)

HPyDef_SLOT(Node_new, HPy_tp_new)
static HPy Node_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Node *data;
    HPy node = HPy_New(ctx, type, &data);
    if (!HPy_IsNull(node)) {
        HPyField_Store(ctx, node, &data->first, args[0]);
        HPyField_Store(ctx, node, &data->last, args[1]);
    }
    return node;
}

HPyDef_SLOT(Node_traverse, HPy_tp_traverse)
static int Node_traverse_impl(void *object, HPyFunc_visitproc visit, void *arg)
{
    Node *node = (Node *)object;
    HPy_VISIT(&node->first);
    HPy_VISIT(&node->empty);
    HPy_VISIT(&node->last);
    return 0;
}

static HPyDef *Node_defines[] = {&Node_new, &Node_traverse, NULL};
static HPyType_Spec Node_spec = {
    .name = "testmod.Node",
    .basicsize = sizeof(Node),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Node),
    .defines = Node_defines,
};

/* Shows the fields to a list; None ends the visit. */
static int visit(PyObject *object, void *list)
{
    return object == Py_None ? 42 : PyList_Append((PyObject *)list, object);
}
FUNCTION(TRAVERSEPROC, CALLING(number(ctx, Node_traverse_trampoline(o[0], visit, o[1]))))
"""

GIVING = {
    "SSIZESSIZEARGFUNC": (1, lambda a, b, c: (a, -3, support.SSIZE_MAX)),
    "GETATTRFUNC": (1, lambda a, b, c: (a, "attribute", None)),
    "GETATTROFUNC": (2, lambda a, b, c: (a, b, None)),
    "GETITERFUNC": (1, lambda a, b, c: (a, None, None)),
    "ITERNEXTFUNC": (1, lambda a, b, c: (a, None, None)),
    "DESCRGETFUNC": (3, lambda a, b, c: (a, b, c)),
}
RAISING = {
    "SSIZESSIZEOBJARGPROC": (2, lambda a, b, c: (a, 5, b)),
    "SETATTRFUNC": (2, lambda a, b, c: (a, "attribute", b)),
    "SETATTROFUNC": (3, lambda a, b, c: (a, b, c)),
    "DESCRSETFUNC": (3, lambda a, b, c: (a, b, c)),
}
with_python_h = pytest.mark.parametrize("abi", ["cpython", "hybrid", "hybrid-debug"])


@pytest.fixture
def no_slot(module):
    return module(*functions(NO_SLOT), types="Node")


@with_python_h
@pytest.mark.parametrize("signature", GIVING)
def test_a_signature_without_slot_that_gives(no_slot, signature, no_leak):
    function = getattr(no_slot, signature)
    count, expected = GIVING[signature]
    args = [object(), object(), object()]
    assert function(*args[:count]) == expected(*args)
    with pytest.raises(LookupError, match="told to fail"):
        function(None, *args[1:count])
    no_leak(lambda: function(*args[:count]), *args)
    no_leak(lambda: attempt(function, None, *args[1:count]), *args)


@with_python_h
@pytest.mark.parametrize("signature", RAISING)
def test_a_signature_without_slot_that_does(no_slot, signature, no_leak):
    function = getattr(no_slot, signature)
    count, expected = RAISING[signature]
    args = [object(), object(), object()]
    with pytest.raises(KeyError) as error:
        function(*args[:count])
    assert error.value.args == expected(*args)
    with pytest.raises(KeyError) as error:
        function(*args[: count - 1], ...)
    assert error.value.args[-1] is None, "a null value deletes"
    assert function(None, *args[1:count]) == 7
    no_leak(lambda: function(None, *args[1:count]), *args)
    no_leak(lambda: attempt(function, *args[:count]), *args)


@with_python_h
def test_signatures_of_memory(no_slot):
    assert no_slot.FREEFUNC() == "fo be freed"
    assert no_slot.DESTROYFUNC() == "do be freed"


@with_python_h
@pytest.mark.api("HPy_tp_traverse")
def test_a_visitor_of_objects_sees_the_fields(no_slot, no_leak):
    first, last, seen = object(), object(), []
    node = no_slot.Node(first, last)
    assert no_slot.TRAVERSEPROC(node, seen) == 0
    assert [thing for thing in seen if thing is not no_slot.Node] == [first, last]
    seen.clear()
    assert no_slot.TRAVERSEPROC(no_slot.Node(None, last), seen) == 42
    assert last not in seen
    no_leak(lambda: no_slot.TRAVERSEPROC(node, []), node, first, last)


FATAL = """
FUNCTION(call,
    HPyFunc_Signature sig = (HPyFunc_Signature)size(ctx, args[0]);
    _HPy_CallRealFunctionFromTrampoline(ctx, sig, (HPyCFunction)f_call_impl, NULL);
    return HPy_Dup(ctx, ctx->h_None);
)
"""


@pytest.mark.skipif(os.name != "posix", reason="asks for the signal that ends the process")
@pytest.mark.parametrize("number", [0, 5, 38, 40, 1000])
def test_a_signature_without_trampoline_is_fatal(number):
    source = support.module_source(*functions(FATAL))
    path = str(support.compile_extension(source, "testmod", "universal"))
    program = (
        "import sys, support, resource\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        f"support.load({path!r}, 'testmod', 'universal').call({number})\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True)
    assert done.returncode == -signal.SIGABRT
    assert b"HPyFunc_Signature" in done.stderr


if __name__ == "__main__":
    run_all_checks(json.loads(sys.argv[1]))
