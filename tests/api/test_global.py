"""Globals: references from variables of the C source."""

import os
import sys
import weakref

import pytest
import support

SOURCE = r"""
HPyGlobal variables[40];
HPyGlobal first, last;

static HPyGlobal *variable(HPyContext *ctx, HPy number)
{
    long index = HPyLong_AsLong(ctx, number);
    return index < 0 ? &first : index == 40 ? &last : &variables[index];
}

/* store(number, object), or store(number) for HPy_NULL */
HPyDef_METH(store, "store", HPyFunc_VARARGS)
static HPy store_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyGlobal_Store(ctx, variable(ctx, args[0]), nargs > 1 ? args[1] : HPy_NULL);
    return HPyErr_Occurred(ctx) ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

/* load(number): the object; NotImplemented if the variable is empty. */
HPyDef_METH(load, "load", HPyFunc_O)
static HPy load_impl(HPyContext *ctx, HPy self, HPy number)
{
    HPy value = HPyGlobal_Load(ctx, *variable(ctx, number));
    if (HPyErr_Occurred(ctx))
        return HPy_NULL;
    return HPy_IsNull(value) ? HPy_Dup(ctx, ctx->h_NotImplemented) : value;
}
"""

NUMBERS = range(-1, 41)
GLOBALS = ", ".join(["first", *(f"variables[{i}]" for i in range(40)), "last"])
EMPTY = NotImplemented


@pytest.fixture
def mod(module):
    mod = module(SOURCE, "store, load", globals=GLOBALS)
    yield mod
    for number in NUMBERS:
        mod.store(number)


@pytest.mark.finding("HPY-D035")
@pytest.mark.api("HPyGlobal_Store", "HPyGlobal_Load")
def test_store_and_load(mod, no_leak):
    values = {number: object() for number in NUMBERS}
    assert {mod.load(number) for number in NUMBERS} == {EMPTY}
    mod.store(40, values[40])
    assert [mod.load(number) for number in (-1, 0, 39, 40)] == [EMPTY, EMPTY, EMPTY, values[40]]
    for number in NUMBERS:
        mod.store(number, values[number])
    assert {number: mod.load(number) for number in NUMBERS} == values
    mod.store(0)
    mod.store(0)
    assert mod.load(0) is EMPTY
    assert mod.load(1) is values[1]

    def use():
        mod.store(0, values[5])
        mod.store(0, values[6])
        mod.store(0, mod.load(0))
        mod.store(0)

    no_leak(use, values[5], values[6])


@pytest.mark.api("HPyGlobal_Store", "HPyGlobal_Load")
def test_a_global_owns_its_object(mod):
    class Value:
        pass

    value = Value()
    gone = weakref.ref(value)
    mod.store(3, value)
    del value
    assert mod.load(3) is gone()
    mod.store(3)
    support.settle()
    assert gone() is None


@pytest.mark.skipif(not support.COUNTS, reason="needs reference counts")
@pytest.mark.api("HPyGlobal_Store", "HPyGlobal_Load")
def test_a_global_has_one_reference(mod):
    value = object()
    before = sys.getrefcount(value)
    mod.store(3, value)
    mod.store(4, value)
    mod.store(3, value)
    assert sys.getrefcount(value) == before + 2


@pytest.mark.api("HPyGlobal_Store")
def test_releasing_the_old_object_may_use_the_global(mod):
    seen = []

    class Old:
        def __del__(self):
            seen.append(mod.load(0))
            for number in NUMBERS:
                mod.store(number, "of the finalizer")

    mod.store(0, Old())
    mod.store(0, "new")
    support.settle()
    assert seen == ["new"]
    assert mod.load(0) == mod.load(40) == "of the finalizer"


@pytest.mark.api("HPyGlobal_Store", "HPyGlobal_Load")
def test_the_library_of_several_files(compile, abi):
    """A global that one file defines and another uses; what exec stores is there for functions."""
    first = r"""
    #include <hpy.h>
    extern HPyGlobal shared;
    extern HPyDef load;
    HPyDef_METH(load, "load", HPyFunc_NOARGS)
    static HPy load_impl(HPyContext *ctx, HPy self)
    {
        return HPyGlobal_Load(ctx, shared);
    }
    """
    second = support.module_source(
        r"""
        HPyGlobal shared;
        extern HPyDef load;
        HPyDef_SLOT(exec, HPy_mod_exec)
        static int exec_impl(HPyContext *ctx, HPy mod)
        {
            HPyGlobal_Store(ctx, &shared, mod);
            return 0;
        }
        HPyDef_METH(clear, "clear", HPyFunc_NOARGS)
        static HPy clear_impl(HPyContext *ctx, HPy self)
        {
            HPyGlobal_Store(ctx, &shared, HPy_NULL);
            return HPy_Dup(ctx, ctx->h_None);
        }
        """,
        "exec, load, clear",
        globals="shared",
    )
    mod = support.load(compile([first, second], "testmod", abi), "testmod", abi)
    assert mod.load() is mod
    mod.clear()


@pytest.mark.parametrize("abi", ["universal", "debug", "hybrid", "hybrid-debug"])
@pytest.mark.skipif("HPY_NO_THUNKS" in os.environ, reason="without thunks: one library, one load")
@pytest.mark.finding("HPY-D035")
@pytest.mark.api("HPyGlobal_Store", "HPyGlobal_Load")
def test_each_load_has_its_own_values(module):
    mods = [module(SOURCE, "store, load", globals=GLOBALS) for _ in range(2)]
    for mod in mods:
        mod.store(1, mod)
    assert [mod.load(1) for mod in mods] == mods
    mods[0].store(1)
    assert [mod.load(1) for mod in mods] == [EMPTY, mods[1]]
    mods[1].store(1)
