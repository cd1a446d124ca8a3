"""What the tests of the API's functions share: C functions in one line each, and what a call does.

A file's C functions are written as::

    FUNCTION(HPy_Add, return HPy_Add(ctx, args[0], args[1]);)

and become Python functions of the same name, `module.HPy_Add(a, b)`. Where the API takes a C
string, the Python function takes `bytes`; where it allows HPy_NULL or a null pointer, `...` stands
for that.
"""

import contextlib
import re
import sys

import pytest

PRELUDE = r"""
#define FUNCTION(NAME, ...)                                                                      \
    HPyDef_METH(f_##NAME, #NAME, HPyFunc_VARARGS)                                                \
    static HPy f_##NAME##_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)         \
    {                                                                                            \
        __VA_ARGS__                                                                              \
    }

/* The function itself in the CPython ABI, the context's member in the others: the universal headers
   write functions that are newer than minor 0 with older ones, and hosts have them nevertheless. */
#ifdef HPY_ABI_CPYTHON
#    define MEMBER(FUNCTION, NAME) FUNCTION
#else
#    define MEMBER(FUNCTION, NAME) ctx->NAME
#endif

/* Whether a call failed. The sentinel alone may be a value; an exception without it is a defect. */
HPy_UNUSED static int failed(HPyContext *ctx, int sentinel)
{
    if (!HPyErr_Occurred(ctx))
        return 0;
    if (!sentinel)
        HPyErr_SetString(ctx, ctx->h_SystemError, "an exception, and a result that hides it");
    return 1;
}

HPy_UNUSED static HPy number(HPyContext *ctx, HPy_ssize_t value)
{
    return failed(ctx, value == -1) ? HPy_NULL : HPyLong_FromSsize_t(ctx, value);
}

HPy_UNUSED static HPy or_null(HPyContext *ctx, HPy h)
{
    return HPy_Is(ctx, h, ctx->h_Ellipsis) ? HPy_NULL : h;
}

HPy_UNUSED static const char *text(HPyContext *ctx, HPy bytes)
{
    return HPy_IsNull(or_null(ctx, bytes)) ? NULL : HPyBytes_AsString(ctx, bytes);
}

HPy_UNUSED static HPy_ssize_t size(HPyContext *ctx, HPy number)
{
    return HPyLong_AsSsize_t(ctx, number);
}
"""


def functions(source):
    """The arguments of the fixture `module` for a source that consists of FUNCTIONs."""
    names = re.findall(r"^FUNCTION\((\w+),", source, re.MULTILINE)
    return PRELUDE + source, ", ".join("f_" + name for name in names)


def each(names, *cases):
    """Parameters of a test: the names, each marked as tested, for the cases "good" and "error"."""
    mark = pytest.mark.api
    return [
        pytest.param(name, marks=[mark(name, case=case) for case in cases], id=name)
        for name in names
    ]


class Boom(Exception):
    """What Python code raises in the middle of a call."""


def failing(*names):
    """An object whose special methods of these names raise Boom."""

    def fail(*args):
        raise Boom("in Python code")

    return type("Failing", (), dict.fromkeys(names, fail))()


def outcome(function, *args):
    """What a call does, to be compared: the result's type and text, or the exception's."""
    try:
        result = function(*args)
    except Exception as error:
        return "raises", type(error), str(error)
    return "gives", type(result), repr(result)


def attempt(function, *args):
    """Calls a function and forgets what it gives or raises: for `no_leak`."""
    with contextlib.suppress(Exception):
        function(*args)


def cpythons_test_module():
    """CPython's `_testcapi`, which lets allocations fail; without it, the test is skipped."""
    reason = "needs CPython's own test module"
    if sys.implementation.name != "cpython":
        pytest.skip(reason)  # PyPy has a module of this name, too, which needs its sources
    return pytest.importorskip("_testcapi", reason=reason)


def raises_memory_error(function):
    """Whether a call of a C function raises MemoryError when nothing can be allocated."""
    testcapi = cpythons_test_module()
    raised = False
    testcapi.set_nomemory(0)
    try:
        function()
    except MemoryError:
        raised = True
    finally:
        testcapi.remove_mem_hooks()
    return raised
