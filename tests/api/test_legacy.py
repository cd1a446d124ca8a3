"""Between handles and objects of the Python/C API, for extensions that are half ported."""

import sys

import pytest
import support
from outcomes import functions

SOURCE = r"""
FUNCTION(HPy_FromPyObject,
    PyObject *object = PyList_New(0);
    HPy h = HPy_FromPyObject(ctx, object);
    if (Py_REFCNT(object) != 2)
        return HPyErr_SetString(ctx, ctx->h_AssertionError, "the handle owns no reference");
    PyList_Append(object, Py_None);
    Py_DECREF(object);
    HPyList_Append(ctx, h, args[0]);
    return h;)

FUNCTION(HPy_AsPyObject,
    PyObject *object = HPy_AsPyObject(ctx, args[0]);
    PyObject *pair = Py_BuildValue("(NO)", object, Py_None);
    HPy h = HPy_FromPyObject(ctx, pair);
    Py_XDECREF(pair);
    return h;)

FUNCTION(new_reference,
    PyObject *object = HPy_AsPyObject(ctx, args[0]);
    Py_ssize_t with = Py_REFCNT(object);
    Py_DECREF(object);
    return HPyLong_FromSsize_t(ctx, with - Py_REFCNT(object));)

FUNCTION(there_and_back,
    PyObject *object = HPy_AsPyObject(ctx, args[0]);
    HPy h = HPy_FromPyObject(ctx, object);
    Py_DECREF(object);
    return h;)

FUNCTION(nulls,
    HPy h = HPy_FromPyObject(ctx, NULL);
    return HPyBool_FromBool(ctx, HPy_IsNull(h) && HPy_AsPyObject(ctx, HPy_NULL) == NULL
                                     && !HPyErr_Occurred(ctx));)

/* An exception that one side sets is seen by the other. */
FUNCTION(python_sees, HPyErr_SetString(ctx, ctx->h_LookupError, "x");
    int seen = PyErr_ExceptionMatches(PyExc_LookupError);
    PyErr_Clear();
    return HPyBool_FromBool(ctx, seen && !HPyErr_Occurred(ctx));)
"""

LEGACY_METHODS = r"""
static PyObject *legacy_o(PyObject *self, PyObject *arg)
{
    return PyTuple_Pack(2, self, arg);
}
static PyObject *legacy_raises(PyObject *self, PyObject *nothing)
{
    PyErr_SetString(PyExc_LookupError, "boom");
    return NULL;
}
static PyMethodDef legacy_methods[] = {
    {"legacy_o", legacy_o, METH_O, "A function of the C API."},
    {"legacy_raises", legacy_raises, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
HPyDef_METH(o, "o", HPyFunc_O)
static HPy o_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyTuple_Pack(ctx, 2, self, arg);
}
static HPyDef *defines[] = {&o, NULL};
static HPyModuleDef def = {.defines = defines, .legacy_methods = legacy_methods};
HPy_MODINIT(testmod, def)
"""

both_abis = pytest.mark.parametrize("abi", ["hybrid", "cpython"])


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@both_abis
@pytest.mark.api("HPy_FromPyObject")
def test_from_object(mod, no_leak):
    value = object()
    assert mod.HPy_FromPyObject(value) == [None, value]
    no_leak(lambda: mod.HPy_FromPyObject(value), value)


@both_abis
@pytest.mark.api("HPy_AsPyObject")
def test_as_object(mod, no_leak):
    value = object()
    assert mod.HPy_AsPyObject(value) == (value, None)
    assert mod.new_reference(value) == 1
    no_leak(lambda: mod.HPy_AsPyObject(value), value)


@both_abis
@pytest.mark.api("HPy_FromPyObject", "HPy_AsPyObject")
def test_there_and_back(mod, no_leak):
    assert mod.there_and_back(None) is None
    for value in (object(), 10**20, [], mod, type("Class", (), {})):
        before = sys.getrefcount(value)
        assert mod.there_and_back(value) is value
        assert sys.getrefcount(value) == before
        no_leak(lambda value=value: mod.there_and_back(value), value)


@both_abis
@pytest.mark.api("HPy_FromPyObject", "HPy_AsPyObject")
def test_nulls(mod):
    assert mod.nulls() is True


@both_abis
def test_one_exception_for_both(mod):
    assert mod.python_sees() is True


@both_abis
def test_legacy_methods(compile, abi, no_leak):
    path = compile("#include <hpy.h>\n" + LEGACY_METHODS, "testmod", abi)
    mod = support.load(path, "testmod", abi)
    assert mod.legacy_o(1) == mod.o(1) == (mod, 1)
    assert mod.legacy_o.__doc__ == "A function of the C API."
    assert mod.legacy_o.__module__ == "testmod"
    with pytest.raises(LookupError, match="boom"):
        mod.legacy_raises()
    no_leak(lambda: mod.legacy_o(mod), mod)


@pytest.mark.parametrize(
    "call", ["HPy_FromPyObject(ctx, NULL)", "HPy_Dup(ctx, HPy_FromVoidP(HPy_AsPyObject(ctx, arg)))"]
)
def test_not_in_universal_mode(compile, call):
    source = support.module_source(
        f"""
        HPyDef_METH(f, "f", HPyFunc_O)
        static HPy f_impl(HPyContext *ctx, HPy self, HPy arg)
        {{
            return {call};
        }}
        """,
        "f",
    )
    with pytest.raises(support.CompileError, match="legacy functions"):
        compile(source, "testmod", "universal")
