"""Between handles and objects of the Python/C API, for extensions that are half ported."""

import importlib
import sys
import sysconfig

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

both_abis = pytest.mark.parametrize("abi", ["hybrid", "hybrid-debug", "cpython"])


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


NOT_UNIVERSAL = {
    "Python.h": (
        """
        #include <Python.h>
        HPyDef_METH(f, "f", HPyFunc_NOARGS)
        static HPy f_impl(HPyContext *ctx, HPy self) { return HPyLong_FromLong(ctx, 1); }
        """,
        "It is forbidden to #include <Python.h> when targeting the HPy Universal ABI",
    ),
    "a legacy struct": (
        """
        typedef struct { void *head[2]; long value; } Old;
        HPyType_LEGACY_HELPERS(Old)
        HPyDef_METH(f, "f", HPyFunc_NOARGS)
        static HPy f_impl(HPyContext *ctx, HPy self) { return HPyLong_FromLong(ctx, 1); }
        """,
        "Cannot use HPyType_LEGACY_HELPERS when targeting the HPy Universal ABI: "
        "use HPyType_HELPERS, or build with HPY_ABI_HYBRID",
    ),
}


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("what", list(NOT_UNIVERSAL))
def test_refused_by_the_compiler(compile, what, language):
    text, message = NOT_UNIVERSAL[what]
    source = support.module_source(text, "f")
    flags = ["-isystem", sysconfig.get_path("include")]
    for abi in ("cpython", "hybrid"):
        compile(source, "testmod", abi, language=language)
    with pytest.raises(support.CompileError) as caught:
        compile(source, "testmod", "universal", language=language, flags=flags)
    assert message in str(caught.value)


# Capsules between extensions of HPy and of the C API: each offers a function and calls the other's.

PLAIN = r"""
#include <Python.h>
static long twice(long x) { return 2 * x; }
static long (*table[])(long) = {twice};
static PyObject *call(PyObject *self, PyObject *args)
{
    const char *name;
    long x;
    if (!PyArg_ParseTuple(args, "sl", &name, &x))
        return NULL;
    long (**offered)(long) = (long (**)(long))PyCapsule_Import(name, 0);
    return offered == NULL ? NULL : PyLong_FromLong(offered[0](x));
}
static PyMethodDef methods[] = {{"call", call, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "plain", NULL, -1, methods, 0, 0, 0, 0};
PyMODINIT_FUNC PyInit_plain(void)
{
    PyObject *module = PyModule_Create(&def);
    PyObject *capsule = PyCapsule_New(table, "plain.api", NULL);
    if (module == NULL || PyModule_AddObject(module, "api", capsule) < 0)
        return NULL;
    return module;
}
"""

PORTED = r"""
static long thrice(long x) { return 3 * x; }
static long (*table[])(long) = {thrice};

HPyDef_SLOT(offer, HPy_mod_exec)
static int offer_impl(HPyContext *ctx, HPy mod)
{
    HPy capsule = HPyCapsule_New(ctx, table, "ported.api", NULL);
    int status = HPy_IsNull(capsule) ? -1 : HPy_SetAttr_s(ctx, mod, "api", capsule);
    HPy_Close(ctx, capsule);
    return status;
}

HPyDef_METH(by_import, "by_import", HPyFunc_O)
static HPy by_import_impl(HPyContext *ctx, HPy self, HPy arg)
{
    long (**offered)(long) = (long (**)(long))PyCapsule_Import("plain.api", 0);
    return offered == NULL ? HPy_NULL
                           : HPyLong_FromLong(ctx, offered[0](HPyLong_AsLong(ctx, arg)));
}

HPyDef_METH(by_handle, "by_handle", HPyFunc_O)
static HPy by_handle_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy plain = HPyImport_ImportModule(ctx, "plain");
    HPy api = HPy_IsNull(plain) ? HPy_NULL : HPy_GetAttr_s(ctx, plain, "api");
    long (**offered)(long) = NULL;
    if (!HPy_IsNull(api))
        offered = (long (**)(long))HPyCapsule_GetPointer(ctx, api, "plain.api");
    HPy_Close(ctx, plain);
    HPy_Close(ctx, api);
    return offered == NULL ? HPy_NULL
                           : HPyLong_FromLong(ctx, offered[0](HPyLong_AsLong(ctx, arg)));
}
"""


@pytest.mark.finding("HPY-D028")
@both_abis
def test_capsules_are_shared(module, compile, abi, monkeypatch, no_leak):
    folder = compile(PLAIN, "plain", "cpython").parent
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "plain", raising=False)
    plain = importlib.import_module("plain")
    ported = module(PORTED, "offer, by_import, by_handle", name="ported")
    monkeypatch.setitem(sys.modules, "ported", ported)

    assert ported.by_import(21) == ported.by_handle(21) == 42
    assert plain.call("ported.api", 14) == 42
    no_leak(lambda: (ported.by_import(1), ported.by_handle(1)), plain, plain.api)
    no_leak(lambda: plain.call("ported.api", 1), ported, ported.api)

    for name in ("ported.nothing", "ported", "plain.call"):
        with pytest.raises((AttributeError, ImportError)):
            plain.call(name, 1)
    monkeypatch.setattr(plain, "api", ported.api)

    def wrong_name():
        with pytest.raises((AttributeError, ImportError)):
            ported.by_import(1)
        with pytest.raises(ValueError):
            ported.by_handle(1)

    for _ in range(1000):
        wrong_name()  # until the interpreter's cache of attributes, which keeps names, is full
    no_leak(wrong_name, ported.api, rounds=50)
