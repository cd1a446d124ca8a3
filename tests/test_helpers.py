"""HPyHelpers_AddType, HPyHelpers_PackArgsAndKeywords."""

import pytest

ADD_TYPE = """
static HPyType_Spec plain_spec = {.name = "testmod.Plain"};
static HPyType_Spec derived_spec = {.name = "testmod.Derived", .flags = HPy_TPFLAGS_DEFAULT};
static HPyType_Spec bad_spec = {.name = "testmod.Bad", .flags = HPy_TPFLAGS_HAVE_GC};

HPyDef_METH(add_plain, "add_plain", HPyFunc_O)
static HPy add_plain_impl(HPyContext *ctx, HPy self, HPy target)
{
    return HPyBool_FromBool(ctx, HPyHelpers_AddType(ctx, target, "Plain", &plain_spec, NULL));
}

HPyDef_METH(add_derived, "add_derived", HPyFunc_VARARGS)
static HPy add_derived_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, args[1]},
        {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    if (!HPyHelpers_AddType(ctx, args[0], "Derived", &derived_spec, params))
        return HPy_NULL;
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(add_bad, "add_bad", HPyFunc_O)
static HPy add_bad_impl(HPyContext *ctx, HPy self, HPy target)
{
    if (!HPyHelpers_AddType(ctx, target, "Bad", &bad_spec, NULL))
        return HPy_NULL;
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(add_nowhere, "add_nowhere", HPyFunc_O)
static HPy add_nowhere_impl(HPyContext *ctx, HPy self, HPy target)
{
    if (!HPyHelpers_AddType(ctx, target, "Plain", &plain_spec, NULL))
        return HPy_NULL;
    return HPy_Dup(ctx, ctx->h_None);
}
"""


class Target:
    """Something with attributes."""


@pytest.fixture
def adder(module):
    return module(ADD_TYPE, "add_plain, add_derived, add_bad, add_nowhere")


def test_add_type(adder):
    target = Target()
    assert adder.add_plain(target) is True
    assert isinstance(target.Plain, type)
    assert target.Plain.__name__ == "Plain"
    assert target.Plain.__module__ == "testmod"
    assert isinstance(target.Plain(), target.Plain)


def test_add_type_to_module(adder):
    adder.add_plain(adder)
    assert isinstance(adder.Plain(), adder.Plain)


def test_add_type_with_base(adder):
    target = Target()
    adder.add_derived(target, int)
    assert issubclass(target.Derived, int)
    assert target.Derived(3) == 3


def test_add_type_fails_with_the_type(adder):
    target = Target()
    with pytest.raises(ValueError):
        adder.add_bad(target)
    with pytest.raises(TypeError):
        adder.add_derived(target, 3)
    assert vars(target) == {}


def test_add_type_fails_with_the_attribute(adder, no_leak):
    class Refusing:
        def __setattr__(self, name, value):
            raise KeyError(name)

    refusing = Refusing()

    def fail():
        with pytest.raises(KeyError, match="Plain"):
            adder.add_nowhere(refusing)

    fail()
    no_leak(fail, refusing, rounds=100)


PACK = """
HPyDef_METH(pack, "pack", HPyFunc_KEYWORDS)
static HPy pack_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy tuple, dict, result;
    if (!HPyHelpers_PackArgsAndKeywords(ctx, args, nargs, kwnames, &tuple, &dict))
        return HPy_NULL;
    result = HPy_BuildValue(ctx, "OO", HPy_IsNull(tuple) ? ctx->h_None : tuple,
                            HPy_IsNull(dict) ? ctx->h_None : dict);
    HPy_Close(ctx, tuple);
    HPy_Close(ctx, dict);
    return result;
}

/* explicit(names, *values): all values are given by keyword. */
HPyDef_METH(explicit_names, "explicit_names", HPyFunc_VARARGS)
static HPy explicit_names_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    return pack_impl(ctx, self, args + 1, 0, args[0]);
}

HPyDef_METH(forward, "forward", HPyFunc_KEYWORDS)
static HPy forward_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy tuple, dict, result;
    if (!HPyHelpers_PackArgsAndKeywords(ctx, args + 1, nargs - 1, kwnames, &tuple, &dict))
        return HPy_NULL;
    result = HPy_CallTupleDict(ctx, args[0], tuple, dict);
    HPy_Close(ctx, tuple);
    HPy_Close(ctx, dict);
    return result;
}

/* Fails before it reads any argument, so the bad count does no harm. */
HPyDef_METH(bad, "bad", HPyFunc_O)
static HPy bad_impl(HPyContext *ctx, HPy self, HPy which)
{
    HPy tuple = ctx->h_None, dict = ctx->h_None;
    long mode = HPyLong_AsLong(ctx, which);
    int ok = HPyHelpers_PackArgsAndKeywords(ctx, NULL, 1000, mode == 3 ? ctx->h_True : HPy_NULL,
                                            mode == 0 || mode == 2 ? NULL : &tuple,
                                            mode == 1 || mode == 2 ? NULL : &dict);
    if (ok)
        return HPy_Dup(ctx, ctx->h_None);
    if (mode == 3 && !(HPy_IsNull(tuple) && HPy_IsNull(dict)))
        HPyErr_SetString(ctx, ctx->h_AssertionError, "the results are not null");
    return HPy_NULL;
}
"""


@pytest.fixture
def packer(module):
    return module(PACK, "pack, explicit_names, forward, bad")


def test_pack(packer, no_leak):
    thing = object()
    assert packer.pack() == (None, None)
    assert packer.pack(1, thing) == ((1, thing), None)
    assert packer.pack(a=thing, b=2) == (None, {"a": thing, "b": 2})
    assert packer.pack(1, thing, a=3) == ((1, thing), {"a": 3})
    assert packer.explicit_names(()) == (None, None)
    no_leak(lambda: packer.pack(thing, thing, a=thing), thing)


def test_pack_and_call(packer):
    def function(*args, **kw):
        return args, kw

    assert packer.forward(function) == ((), {})
    assert packer.forward(function, 1, 2) == ((1, 2), {})
    assert packer.forward(function, a=1) == ((), {"a": 1})
    assert packer.forward(function, 1, a=2) == ((1,), {"a": 2})


def test_pack_errors(packer, no_leak):
    for mode in (0, 1, 2):
        with pytest.raises(SystemError, match="out_pos_args and out_kwds"):
            packer.bad(mode)
    with pytest.raises(TypeError, match="kwnames"):
        packer.bad(3)
    thing, unhashable = object(), []

    def fail():
        with pytest.raises(TypeError):
            packer.explicit_names(("a", unhashable), thing, thing)

    fail()
    no_leak(fail, thing, unhashable)
