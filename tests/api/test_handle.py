"""Handles: duplicates, identity, the context's constants, and the way from and to the C API."""

import builtins
import contextlib
import datetime
import gc
import weakref

import pytest
import support
from outcomes import functions
from test_complete import API, entries

CONSTANTS = {handle["name"]: handle["python"] for handle in entries(API / "handles.toml", "handle")}

SOURCE = "\n".join(f"FUNCTION({name}, return HPy_Dup(ctx, ctx->{name});)" for name in CONSTANTS)
SOURCE += """
FUNCTION(HPy_Dup,
    HPy first = HPy_Dup(ctx, args[0]);
    HPy second = HPy_Dup(ctx, first);
    HPy_Close(ctx, first);
    return second;
)
FUNCTION(null,
    HPy h = HPy_Dup(ctx, HPy_NULL);
    HPy_Close(ctx, h);
    return HPyTuple_Pack(ctx, 3, HPy_IsNull(h) ? ctx->h_True : ctx->h_False,
                         HPy_IsNull(HPy_NULL) ? ctx->h_True : ctx->h_False,
                         HPy_IsNull(ctx->h_None) ? ctx->h_True : ctx->h_False);
)
FUNCTION(HPy_Is, return number(ctx, HPy_Is(ctx, or_null(ctx, args[0]), or_null(ctx, args[1])));)
FUNCTION(is_null, return number(ctx, HPy_Is(ctx, HPy_NULL, or_null(ctx, args[0])));)
FUNCTION(through_pointer, return HPy_Dup(ctx, HPy_FromVoidP(HPy_AsVoidP(args[0])));)

/* Takes the only item of a list, and closes it while there is an exception. */
FUNCTION(HPy_Close,
    HPy item = HPy_GetItem_i(ctx, args[0], 0);
    HPy_DelItem_i(ctx, args[0], 0);
    HPyErr_SetString(ctx, ctx->h_ValueError, "before the handle was closed");
    HPy_Close(ctx, item);
    return HPy_NULL;
)
FUNCTION(_HPy_Dump,
    _HPy_Dump(ctx, or_null(ctx, args[0]));
    return HPy_Dup(ctx, ctx->h_None);
)
"""

LEGACY = """
#include <Python.h>

FUNCTION(HPy_AsPyObject,
    PyObject *object = HPy_AsPyObject(ctx, args[0]);
    HPy result = HPyLong_FromLong(ctx, object != NULL && Py_REFCNT(object) >= 2);
    Py_XDECREF(object);
    return result;
)
FUNCTION(HPy_FromPyObject,
    PyObject *object = PyList_New(0);
    HPy h = HPy_FromPyObject(ctx, object);
    PyList_Append(object, Py_None);
    Py_DECREF(object);
    return h;
)
FUNCTION(same,
    PyObject *object = HPy_AsPyObject(ctx, args[0]);
    HPy h = HPy_FromPyObject(ctx, object);
    HPy result = HPyLong_FromLong(ctx, HPy_Is(ctx, h, args[0]));
    Py_XDECREF(object); /* gcc sees that it could be NULL, and warns of 3.14t's Py_DECREF */
    HPy_Close(ctx, h);
    return result;
)
FUNCTION(nulls,
    HPy h = HPy_FromPyObject(ctx, NULL);
    PyObject *object = HPy_AsPyObject(ctx, HPy_NULL);
    return HPyLong_FromLong(ctx, HPy_IsNull(h) && object == NULL);
)
"""


class Thing:
    pass


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.parametrize("name", CONSTANTS)
def test_constant(mod, name):
    python = CONSTANTS[name]
    value = getattr(mod, name)()
    if python == "builtins.__dict__":
        assert value is vars(builtins)
    elif python == "PyCapsule":
        if not hasattr(datetime, "datetime_CAPI"):
            pytest.skip("needs a capsule in the standard library")
        assert value is type(datetime.datetime_CAPI)
    else:
        assert value is eval(python)


@pytest.mark.api("HPy_Dup")
def test_dup(mod, no_leak):
    thing = Thing()
    assert mod.HPy_Dup(thing) is thing
    assert mod.null() == (True, True, False)
    no_leak(lambda: mod.HPy_Dup(thing), thing)


@pytest.mark.api("HPy_Is")
def test_is(mod, no_leak):
    thing, other = [], []
    assert mod.HPy_Is(thing, thing) == 1
    assert mod.HPy_Is(thing, other) == 0
    assert mod.HPy_Is(None, None) == 1
    assert mod.HPy_Is(True, 1) == 0
    assert mod.is_null(...) == 1
    assert mod.is_null(None) == 0
    assert mod.HPy_Is(..., thing) == 0
    no_leak(lambda: mod.HPy_Is(thing, other), thing, other)


def test_as_pointer(mod, no_leak):
    thing = Thing()
    assert mod.through_pointer(thing) is thing
    no_leak(lambda: mod.through_pointer(thing), thing)


@pytest.mark.api("HPy_Close")
def test_close(mod, no_leak):
    """A finaliser that runs Python code leaves the pending exception alone."""
    ran = []

    class Finalised:
        def __del__(self):
            with contextlib.suppress(KeyError):
                {}["missing"]
            ran.append(True)

    items = [Finalised()]
    finalised = weakref.ref(items[0])
    with pytest.raises(ValueError, match="before the handle was closed"):
        mod.HPy_Close(items)
    support.settle()
    assert ran == [True]
    assert finalised() is None
    assert items == []

    thing = Thing()

    def close():
        with contextlib.suppress(ValueError):
            mod.HPy_Close([thing])

    no_leak(close, thing)


@pytest.mark.api("_HPy_Dump")
def test_dump(mod, capfd, no_leak):
    thing = ["something special"]
    for value in (thing, 5, int, ...):
        mod._HPy_Dump(value)
        printed = capfd.readouterr()
        assert printed.out == ""
        assert printed.err.endswith("\n")
    mod._HPy_Dump(thing)
    assert "something special" in capfd.readouterr().err
    no_leak(lambda: mod._HPy_Dump(thing), thing)


@pytest.mark.parametrize("abi", ["cpython", "hybrid", "hybrid-debug"])
@pytest.mark.api("HPy_FromPyObject", "HPy_AsPyObject")
def test_to_and_from_the_c_api(module, no_leak):
    mod = module(*functions(LEGACY))
    thing = Thing()
    assert mod.HPy_AsPyObject(thing) == 1
    assert mod.same(thing) == 1
    assert mod.HPy_FromPyObject() == [None]
    assert mod.nulls() == 1
    no_leak(lambda: (mod.HPy_AsPyObject(thing), mod.same(thing), mod.nulls()), thing)
    no_leak(lambda: mod.HPy_FromPyObject())
    gc.collect()


@pytest.mark.parametrize("abi", ["universal"])
@pytest.mark.parametrize(
    "statement",
    ["HPy_FromPyObject(ctx, NULL)", "HPy_AsPyObject(ctx, args[0])"],
    ids=["HPy_FromPyObject", "HPy_AsPyObject"],
)
def test_universal_binaries_have_no_way_to_the_c_api(module, statement):
    body = f"FUNCTION(legacy, (void){statement}; return HPy_NULL;)\n"
    with pytest.raises(support.CompileError, match="Py"):
        module(*functions(body))
