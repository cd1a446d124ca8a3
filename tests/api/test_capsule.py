"""Capsules: pointers that travel between extensions, and what runs when they go."""

import ctypes
import datetime
from functools import partial

import pytest
import support
from outcomes import attempt, each, functions, raises_memory_error

SOURCE = r"""
#include <string.h>

/* A number stands for a pointer, None for a null one. */
static void *pointer(HPyContext *ctx, HPy number)
{
    return HPy_Is(ctx, number, ctx->h_None) ? NULL : HPyLong_AsVoidPtr(ctx, number);
}
static HPy or_none(HPyContext *ctx, void *pointer)
{
    if (failed(ctx, pointer == NULL))
        return HPy_NULL;
    return pointer == NULL ? HPy_Dup(ctx, ctx->h_None) : HPyLong_FromSize_t(ctx, (size_t)pointer);
}

/* Names are not copied, so a text that lives as long as the capsule. */
static const char *name(HPyContext *ctx, HPy bytes)
{
    static const char *const names[] = {"module.attribute", "module.other"};
    const char *wanted = text(ctx, bytes);
    return wanted == NULL ? NULL : names[strcmp(wanted, names[0]) != 0];
}

static int calls;
static struct { const char *name; void *pointer; void *context; } last;
HPyCapsule_DESTRUCTOR(count)
static void count_impl(const char *name, void *pointer, void *context)
{
    calls++;
    last.name = name;
    last.pointer = pointer;
    last.context = context;
}
HPyCapsule_DESTRUCTOR(other)
static void other_impl(const char *name, void *pointer, void *context)
{
    calls += 1000;
}
static HPyCapsule_Destructor *pick(HPyContext *ctx, HPy which)
{
    static HPyCapsule_Destructor partial[3];
    partial[0].cpy_trampoline = count.cpy_trampoline;
    partial[1].impl = count.impl;
    HPyCapsule_Destructor *all[] = {NULL, &count, &other, &partial[0], &partial[1], &partial[2]};
    return all[size(ctx, which)];
}

FUNCTION(HPyCapsule_New,
    void *content = pointer(ctx, args[0]);
    return HPyCapsule_New(ctx, content, name(ctx, args[1]), pick(ctx, args[2]));)
FUNCTION(HPyCapsule_GetPointer,
    return or_none(ctx, HPyCapsule_GetPointer(ctx, args[0], text(ctx, args[1])));)
FUNCTION(HPyCapsule_GetContext, return or_none(ctx, HPyCapsule_GetContext(ctx, args[0]));)
FUNCTION(HPyCapsule_GetName,
    const char *name = HPyCapsule_GetName(ctx, args[0]);
    if (failed(ctx, name == NULL))
        return HPy_NULL;
    return name == NULL ? HPy_Dup(ctx, ctx->h_None) : HPyBytes_FromString(ctx, name);)
FUNCTION(HPyCapsule_SetPointer,
    return number(ctx, HPyCapsule_SetPointer(ctx, args[0], pointer(ctx, args[1])));)
FUNCTION(HPyCapsule_SetContext,
    return number(ctx, HPyCapsule_SetContext(ctx, args[0], pointer(ctx, args[1])));)
FUNCTION(HPyCapsule_SetName,
    return number(ctx, HPyCapsule_SetName(ctx, args[0], name(ctx, args[1])));)
FUNCTION(HPyCapsule_SetDestructor,
    return number(ctx, HPyCapsule_SetDestructor(ctx, args[0], pick(ctx, args[1])));)
FUNCTION(HPyCapsule_IsValid,
    return HPyLong_FromLong(ctx, HPyCapsule_IsValid(ctx, args[0], text(ctx, args[1])));)
FUNCTION(is_capsule, return HPyBool_FromBool(ctx, HPy_TypeCheck(ctx, args[0], ctx->h_CapsuleType));)

/* How often the destructor ran since the last question, and what it got. */
FUNCTION(destroyed,
    HPy result = HPy_BuildValue(ctx, "(isLL)", calls, last.name ? last.name : "no name",
                                (long long)(size_t)last.pointer, (long long)(size_t)last.context);
    calls = 0;
    return result;)

FUNCTION(goes_while_an_exception_is_set,
    HPy capsule = HPyCapsule_New(ctx, &last, NULL, &count);
    HPyErr_SetString(ctx, ctx->h_LookupError, "stays");
    HPy_Close(ctx, capsule);
    return HPy_NULL;)
"""

NAME = b"module.attribute"
OTHER = b"module.other"
NO_CAPSULES = [None, 1, "text", object(), object]
NO_DESTRUCTOR, COUNT, SECOND, *INCOMPLETE = range(6)


@pytest.fixture
def mod(module):
    mod = module(*functions(SOURCE))
    support.settle()
    mod.destroyed()
    return mod


@pytest.mark.api("HPyCapsule_New", "HPyCapsule_IsValid")
def test_new(mod, no_leak):
    for name in (NAME, ...):
        capsule = mod.HPyCapsule_New(12, name, NO_DESTRUCTOR)
        assert mod.is_capsule(capsule)
        assert mod.HPyCapsule_GetPointer(capsule, name) == 12
        assert mod.HPyCapsule_GetName(capsule) == (None if name is ... else name)
        assert mod.HPyCapsule_GetContext(capsule) is None
        for asked in (NAME, OTHER, b"", ...):
            assert mod.HPyCapsule_IsValid(capsule, asked) == (asked == name)
        no_leak(lambda name=name: mod.HPyCapsule_New(12, name, COUNT))
        no_leak(lambda c=capsule: mod.HPyCapsule_IsValid(c, NAME), capsule)
    assert mod.HPyCapsule_GetPointer(mod.HPyCapsule_New(2**64 - 8, ..., 0), ...) == 2**64 - 8


@pytest.mark.api("HPyCapsule_IsValid")
def test_what_is_no_capsule_is_not_valid(mod):
    for wrong in NO_CAPSULES:
        assert mod.HPyCapsule_IsValid(wrong, NAME) == 0
        assert mod.HPyCapsule_IsValid(wrong, ...) == 0


@pytest.mark.api("HPyCapsule_New", case="error")
def test_new_fails(mod, no_leak):
    with pytest.raises(ValueError):
        mod.HPyCapsule_New(None, NAME, NO_DESTRUCTOR)
    for incomplete in INCOMPLETE:
        with pytest.raises(ValueError, match="HPyCapsule_DESTRUCTOR"):
            mod.HPyCapsule_New(12, NAME, incomplete)
        no_leak(lambda which=incomplete: attempt(mod.HPyCapsule_New, 12, NAME, which), rounds=50)
    no_leak(lambda: attempt(mod.HPyCapsule_New, None, NAME, COUNT))
    assert mod.destroyed()[0] == 0


@pytest.mark.api("HPyCapsule_New", case="error")
def test_new_without_memory(mod):
    make = partial(mod.HPyCapsule_New, 12, NAME, NO_DESTRUCTOR)
    assert mod.is_capsule(make())
    assert raises_memory_error(make)


def test_set(mod, no_leak):
    capsule = mod.HPyCapsule_New(12, NAME, COUNT)
    assert mod.HPyCapsule_SetPointer(capsule, 34) == 0
    assert mod.HPyCapsule_GetPointer(capsule, NAME) == 34
    assert mod.HPyCapsule_SetContext(capsule, 56) == 0
    assert mod.HPyCapsule_GetContext(capsule) == 56
    assert mod.HPyCapsule_SetContext(capsule, None) == 0
    assert mod.HPyCapsule_GetContext(capsule) is None
    assert mod.HPyCapsule_SetName(capsule, OTHER) == 0
    assert mod.HPyCapsule_GetName(capsule) == OTHER
    assert mod.HPyCapsule_GetPointer(capsule, OTHER) == 34
    assert mod.HPyCapsule_SetName(capsule, ...) == 0
    assert mod.HPyCapsule_GetName(capsule) is None
    assert mod.HPyCapsule_GetPointer(capsule, ...) == 34
    assert mod.destroyed()[0] == 0
    no_leak(lambda: mod.HPyCapsule_SetName(capsule, NAME), capsule)
    no_leak(lambda: mod.HPyCapsule_GetPointer(capsule, NAME), capsule)


GETTERS = {"GetPointer": (NAME,), "GetName": (), "GetContext": ()}
SETTERS = {"SetPointer": (12,), "SetName": (NAME,), "SetContext": (12,), "SetDestructor": (COUNT,)}


@pytest.mark.parametrize("name", {**GETTERS, **SETTERS})
def test_accessors_of_what_is_no_capsule(mod, name, no_leak):
    function = getattr(mod, f"HPyCapsule_{name}")
    args = {**GETTERS, **SETTERS}[name]
    for wrong in NO_CAPSULES:
        with pytest.raises(ValueError):
            function(wrong, *args)
    no_leak(lambda: attempt(function, NO_CAPSULES[-1], *args))


@pytest.mark.finding("HPY-D028")
def test_pointer_of_another_name(mod, no_leak):
    named, unnamed = mod.HPyCapsule_New(12, NAME, 0), mod.HPyCapsule_New(12, ..., 0)
    for capsule, name in [(named, OTHER), (named, ...), (unnamed, NAME), (named, NAME[:-1])]:
        with pytest.raises(ValueError):
            mod.HPyCapsule_GetPointer(capsule, name)
        no_leak(lambda c=capsule, n=name: attempt(mod.HPyCapsule_GetPointer, c, n), rounds=50)


def test_a_null_pointer_is_refused(mod):
    capsule = mod.HPyCapsule_New(12, NAME, NO_DESTRUCTOR)
    with pytest.raises(ValueError):
        mod.HPyCapsule_SetPointer(capsule, None)
    assert mod.HPyCapsule_GetPointer(capsule, NAME) == 12


@pytest.mark.api("HPyCapsule_New")
def test_destructor(mod, no_leak):
    capsule = mod.HPyCapsule_New(12, NAME, COUNT)
    mod.HPyCapsule_SetContext(capsule, 34)
    assert mod.destroyed()[0] == 0
    del capsule
    support.settle()
    assert mod.destroyed() == (1, NAME.decode(), 12, 34)
    mod.HPyCapsule_New(56, ..., COUNT)
    support.settle()
    assert mod.destroyed() == (1, "no name", 56, 0)
    capsule = mod.HPyCapsule_New(12, NAME, COUNT)
    mod.HPyCapsule_SetName(capsule, OTHER)
    mod.HPyCapsule_SetPointer(capsule, 78)
    del capsule
    support.settle()
    assert mod.destroyed() == (1, OTHER.decode(), 78, 0)
    no_leak(lambda: mod.HPyCapsule_New(12, NAME, COUNT))


def test_destructor_is_exchanged(mod):
    for before, after, calls in [
        (COUNT, NO_DESTRUCTOR, 0),
        (NO_DESTRUCTOR, COUNT, 1),
        (SECOND, COUNT, 1),
        (COUNT, SECOND, 1000),
    ]:
        capsule = mod.HPyCapsule_New(12, NAME, before)
        assert mod.HPyCapsule_SetDestructor(capsule, after) == 0
        del capsule
        support.settle()
        assert mod.destroyed()[0] == calls


def test_incomplete_destructor_is_refused(mod):
    for incomplete in INCOMPLETE:
        capsule = mod.HPyCapsule_New(12, NAME, COUNT)
        with pytest.raises(ValueError, match="HPyCapsule_DESTRUCTOR"):
            mod.HPyCapsule_SetDestructor(capsule, incomplete)
        del capsule
        support.settle()
        assert mod.destroyed()[0] == 1


def test_destructor_leaves_the_exception_alone(mod, no_leak):
    with pytest.raises(LookupError, match="stays"):
        mod.goes_while_an_exception_is_set()
    support.settle()
    assert mod.destroyed()[0] == 1
    no_leak(lambda: attempt(mod.goes_while_an_exception_is_set))


def test_capsules_of_the_c_api(mod):
    """A capsule is the same thing for extensions that know nothing of HPy."""
    if not hasattr(datetime, "datetime_CAPI"):
        pytest.skip("needs a capsule in the standard library")
    python = ctypes.pythonapi.PyCapsule_GetPointer
    python.restype, python.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    assert python(mod.HPyCapsule_New(12, NAME, NO_DESTRUCTOR), NAME) == 12
    theirs, name = datetime.datetime_CAPI, b"datetime.datetime_CAPI"
    assert mod.HPyCapsule_IsValid(theirs, name) == 1
    assert mod.HPyCapsule_GetName(theirs) == name
    assert mod.HPyCapsule_GetPointer(theirs, name) == python(theirs, name)


# What only the universal ABI has: the functions behind the accessors.
KEYS = r"""
FUNCTION(HPyCapsule_Get,
    _HPyCapsule_key key = (_HPyCapsule_key)size(ctx, args[1]);
    return or_none(ctx, HPyCapsule_Get(ctx, args[0], key, text(ctx, args[2])));)
FUNCTION(HPyCapsule_Set,
    _HPyCapsule_key key = (_HPyCapsule_key)size(ctx, args[1]);
    return number(ctx, HPyCapsule_Set(ctx, args[0], key, pointer(ctx, args[2])));)
"""
POINTER_KEY, NAME_KEY, CONTEXT_KEY, DESTRUCTOR_KEY = range(4)


@pytest.fixture
def universal(module):
    mod = module(*functions(SOURCE + KEYS))
    support.settle()
    mod.destroyed()
    return mod


@pytest.mark.parametrize("abi", ["universal", "debug", "hybrid", "hybrid-debug"])
@pytest.mark.api("HPyCapsule_Get", "HPyCapsule_Set")
def test_keys(universal, no_leak):
    capsule = universal.HPyCapsule_New(12, NAME, COUNT)
    get, set = universal.HPyCapsule_Get, universal.HPyCapsule_Set
    assert get(capsule, POINTER_KEY, NAME) == 12
    assert get(capsule, CONTEXT_KEY, OTHER) is None
    assert set(capsule, POINTER_KEY, 34) == 0
    assert set(capsule, CONTEXT_KEY, 56) == 0
    assert [get(capsule, key, NAME) for key in (POINTER_KEY, CONTEXT_KEY)] == [34, 56]
    assert ctypes.string_at(get(capsule, NAME_KEY, OTHER)) == NAME
    assert set(capsule, NAME_KEY, None) == 0
    assert get(capsule, NAME_KEY, ...) is None
    assert get(capsule, POINTER_KEY, ...) == 34
    no_leak(lambda: get(capsule, POINTER_KEY, ...), capsule)
    no_leak(lambda: set(capsule, CONTEXT_KEY, 12), capsule)


@pytest.mark.parametrize("abi", ["universal", "debug", "hybrid", "hybrid-debug"])
@pytest.mark.api("HPyCapsule_Set")
def test_key_of_the_destructor(universal):
    capsule = universal.HPyCapsule_New(12, NAME, COUNT)
    assert universal.HPyCapsule_Set(capsule, DESTRUCTOR_KEY, None) == 0
    del capsule
    support.settle()
    assert universal.destroyed()[0] == 0


@pytest.mark.parametrize("abi", ["universal", "debug", "hybrid", "hybrid-debug"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            "HPyCapsule_Get",
            marks=[
                pytest.mark.api("HPyCapsule_Get", case="error"),
                pytest.mark.finding("HPY-D028"),
            ],
        ),
        *each(["HPyCapsule_Set"], "error"),
    ],
)
def test_keys_that_fail(universal, name, no_leak):
    function = getattr(universal, name)
    capsule = universal.HPyCapsule_New(12, NAME, COUNT)
    last = OTHER if name == "HPyCapsule_Get" else None
    with pytest.raises(ValueError):
        function(capsule, POINTER_KEY, last)
    for key in (4, 99):
        with pytest.raises(SystemError, match=name):
            function(capsule, key, last)
        no_leak(lambda key=key: attempt(function, capsule, key, last), capsule)
    for wrong in NO_CAPSULES:
        for key in (POINTER_KEY, NAME_KEY, CONTEXT_KEY):
            with pytest.raises(ValueError):
                function(wrong, key, last)


@pytest.mark.parametrize("abi", ["universal", "debug", "hybrid", "hybrid-debug"])
@pytest.mark.api("HPyCapsule_Get", case="error")
def test_destructor_cannot_be_read(universal):
    capsule = universal.HPyCapsule_New(12, NAME, COUNT)
    with pytest.raises(SystemError, match="HPyCapsule_Get"):
        universal.HPyCapsule_Get(capsule, DESTRUCTOR_KEY, NAME)
