"""Truth values."""

import pytest
from outcomes import functions

SOURCE = """
FUNCTION(HPyBool_FromBool, return HPyBool_FromBool(ctx, size(ctx, args[0]) != 0);)
FUNCTION(HPyBool_FromLong, return HPyBool_FromLong(ctx, HPyLong_AsLong(ctx, args[0]));)
FUNCTION(closed_twice,
    HPy first = HPyBool_FromBool(ctx, true);
    HPy second = HPyBool_FromBool(ctx, true);
    HPy_Close(ctx, first);
    return second;
)
"""


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyBool_FromBool")
def test_from_bool(mod, no_leak):
    assert mod.HPyBool_FromBool(0) is False
    assert mod.HPyBool_FromBool(1) is True
    assert mod.closed_twice() is True
    no_leak(lambda: (mod.HPyBool_FromBool(0), mod.HPyBool_FromBool(1)), True, False)


def test_from_long(mod, no_leak):
    assert mod.HPyBool_FromLong(0) is False
    for n in (1, -1, 256, 2**31 - 1):
        assert mod.HPyBool_FromLong(n) is True
    no_leak(lambda: (mod.HPyBool_FromLong(0), mod.HPyBool_FromLong(256)), True, False)
