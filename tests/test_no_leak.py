"""The check for leaks that all tests of the API use: it finds those that are made on purpose."""

import pytest
import support

SOURCE = """
HPyDef_METH(reference, "reference", HPyFunc_O)
static HPy reference_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy_Dup(ctx, arg);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(object, "object", HPyFunc_NOARGS)
static HPy object_impl(HPyContext *ctx, HPy self)
{
    HPyLong_FromLong(ctx, 1000000);
    return HPy_Dup(ctx, ctx->h_None);
}
"""

pytestmark = [
    pytest.mark.parametrize("abi", ["cpython", "universal"]),
    pytest.mark.skipif(not support.COUNTS, reason="nothing is counted here"),
    pytest.mark.skipif(support.FREE_THREADED, reason="only tracked objects are looked at here"),
]


@pytest.fixture
def leaks(module):
    return module(SOURCE, "reference, object")


def test_a_reference_to_a_tracked_object(leaks, no_leak):
    thing = object()
    with pytest.raises(AssertionError, match="a tracked object gained or lost references"):
        no_leak(lambda: leaks.reference(thing), thing)


def test_an_object(leaks, no_leak):
    with pytest.raises(pytest.fail.Exception, match="200 calls leave behind"):
        no_leak(leaks.object)


@pytest.mark.skipif(
    not support.DEBUG_BUILD, reason="only a debug build of CPython counts references"
)
def test_a_reference_to_any_object(leaks, no_leak):
    thing = object()
    with pytest.raises(pytest.fail.Exception, match=r"'references': [0-9]{3}"):
        no_leak(lambda: leaks.reference(thing))
