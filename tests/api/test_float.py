"""C doubles."""

import math
import struct

import pytest
from outcomes import Boom, attempt, failing, functions, raises_memory_error

SOURCE = """
#include <float.h>

static const double values[] = {
    0.0, -0.0, 1.5, -2.25, 1e300 * 1e10, -1e300 * 1e10, 1e300 * 1e10 * 0.0, DBL_MAX, DBL_MIN,
};
FUNCTION(HPyFloat_FromDouble, return HPyFloat_FromDouble(ctx, values[size(ctx, args[0])]);)

/* More floats than Python keeps in reserve. */
FUNCTION(many,
    HPy made[1000];
    HPy last = HPy_NULL;
    int n = 0;
    while (n < 1000 && !HPy_IsNull(last = HPyFloat_FromDouble(ctx, n)))
        made[n++] = last;
    while (n > 0)
        HPy_Close(ctx, made[--n]);
    return HPy_IsNull(last) ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
)
FUNCTION(HPyFloat_AsDouble,
    double value = HPyFloat_AsDouble(ctx, args[0]);
    return failed(ctx, value == -1.0) ? HPy_NULL : HPyFloat_FromDouble(ctx, value);
)
"""


class Floating:
    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value


class Indexed:
    def __index__(self):
        return 41


class MyFloat(float):
    """Its `__float__` is not asked: the number is there already."""

    def __float__(self):
        return 99.0


class MyInt(int):
    pass


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def bits(value):
    """What is the same only for the same float: 0.0 and -0.0 differ, not-a-number equals itself."""
    return "nan" if math.isnan(value) else struct.pack("d", value)


@pytest.mark.api("HPyFloat_FromDouble")
def test_from_double(mod, no_leak):
    inf = math.inf
    expected = [0.0, -0.0, 1.5, -2.25, inf, -inf, math.nan]
    expected += [1.7976931348623157e308, 2.2250738585072014e-308]
    made = [mod.HPyFloat_FromDouble(i) for i in range(len(expected))]
    assert [type(value) for value in made] == [float] * len(expected)
    assert [bits(value) for value in made] == [bits(value) for value in expected]
    no_leak(lambda: mod.HPyFloat_FromDouble(2))


@pytest.mark.api("HPyFloat_FromDouble", case="error")
def test_from_double_without_memory(mod):
    assert mod.many() is None
    assert raises_memory_error(mod.many)


@pytest.mark.api("HPyFloat_AsDouble")
def test_as_double(mod, no_leak):
    for value in (0.0, -0.0, -1.0, 1.5, math.inf, -math.inf, math.nan, 5e-324):
        assert bits(mod.HPyFloat_AsDouble(value)) == bits(value)
        assert bits(mod.HPyFloat_AsDouble(Floating(value))) == bits(value)
    assert mod.HPyFloat_AsDouble(MyFloat(2.5)) == 2.5
    assert mod.HPyFloat_AsDouble(7) == 7.0
    assert mod.HPyFloat_AsDouble(MyInt(7)) == 7.0
    assert mod.HPyFloat_AsDouble(True) == 1.0
    assert mod.HPyFloat_AsDouble(2**80) == 2.0**80
    assert mod.HPyFloat_AsDouble(Indexed()) == 41.0
    value = Floating(1.5)
    no_leak(lambda: mod.HPyFloat_AsDouble(value), value)


@pytest.mark.api("HPyFloat_AsDouble", case="error")
def test_as_double_refuses(mod, no_leak):
    for wrong in ("1.5", b"1.5", None, [], 1j, object(), Floating(1), Floating("1.5")):
        with pytest.raises(TypeError):
            mod.HPyFloat_AsDouble(wrong)
    with pytest.raises(OverflowError):
        mod.HPyFloat_AsDouble(10**400)
    for special in ("__float__", "__index__"):
        boom = failing(special)
        with pytest.raises(Boom):
            mod.HPyFloat_AsDouble(boom)
    no_leak(lambda: attempt(mod.HPyFloat_AsDouble, boom), boom)
    no_leak(lambda: attempt(mod.HPyFloat_AsDouble, "1.5"))
