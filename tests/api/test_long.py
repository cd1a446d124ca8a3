"""Conversions between Python's and C's integers, at and beyond the ends of each C type."""

import ctypes
import sys

import pytest
from outcomes import Boom, attempt, each, failing, functions, raises_memory_error

LONG = 8 * ctypes.sizeof(ctypes.c_long)
SIZE = 8 * ctypes.sizeof(ctypes.c_size_t)


def signed(bits):
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def unsigned(bits):
    return 0, 2**bits - 1


# What makes an int: its C type, and the type's range.
FROM = {
    "HPyLong_FromInt32_t": ("int32_t", signed(32)),
    "HPyLong_FromUInt32_t": ("uint32_t", unsigned(32)),
    "HPyLong_FromInt64_t": ("int64_t", signed(64)),
    "HPyLong_FromUInt64_t": ("uint64_t", unsigned(64)),
    "HPyLong_FromSize_t": ("size_t", unsigned(SIZE)),
    "HPyLong_FromSsize_t": ("HPy_ssize_t", signed(SIZE)),
    "HPyLong_FromLong": ("long", signed(LONG)),
    "HPyLong_FromUnsignedLong": ("unsigned long", unsigned(LONG)),
    "HPyLong_FromLongLong": ("long long", signed(64)),
    "HPyLong_FromUnsignedLongLong": ("unsigned long long", unsigned(64)),
}
# What reads an int: what makes the result an int again, the range, and whether it asks `__index__`.
AS = {
    "HPyLong_AsInt32_t": ("HPyLong_FromInt32_t", signed(32), True),
    "HPyLong_AsUInt32_t": ("HPyLong_FromUInt32_t", unsigned(32), False),
    "HPyLong_AsInt64_t": ("HPyLong_FromInt64_t", signed(64), True),
    "HPyLong_AsUInt64_t": ("HPyLong_FromUInt64_t", unsigned(64), False),
    "HPyLong_AsSize_t": ("HPyLong_FromSize_t", unsigned(SIZE), False),
    "HPyLong_AsSsize_t": ("HPyLong_FromSsize_t", signed(SIZE), False),
    "HPyLong_AsLong": ("HPyLong_FromLong", signed(LONG), True),
    "HPyLong_AsUnsignedLong": ("HPyLong_FromUnsignedLong", unsigned(LONG), False),
    "HPyLong_AsLongLong": ("HPyLong_FromLongLong", signed(64), True),
    "HPyLong_AsUnsignedLongLong": ("HPyLong_FromUnsignedLongLong", unsigned(64), False),
}
# What reads the low bits of an int: what makes the result an int again, and how many they are.
MASKS = {
    "HPyLong_AsUInt32_tMask": ("HPyLong_FromUInt32_t", 32),
    "HPyLong_AsUInt64_tMask": ("HPyLong_FromUInt64_t", 64),
    "HPyLong_AsUnsignedLongMask": ("HPyLong_FromUnsignedLong", LONG),
    "HPyLong_AsUnsignedLongLongMask": ("HPyLong_FromUnsignedLongLong", 64),
}


def numbers(low, high):
    """Numbers around all that is special, inside and outside of a range."""
    near = {low, high, 0, 255, 2**30, 2**31, 2**32, 2**63, 2**64, -(2**31), -(2**63), 10**30}
    return sorted({n + d for n in near | {-n for n in near} for d in (-1, 0, 1)})


def inside(low, high):
    return [n for n in numbers(low, high) if low <= n <= high]


def c_number(n):
    """A number as a C expression; the smallest ones cannot be written as such."""
    return f"({n + 1}LL - 1)" if n < 0 else f"{n}ULL"


def from_functions(name, c_type, limits):
    values = ", ".join(f"({c_type}){c_number(n)}" for n in inside(*limits))
    return f"""
static const {c_type} {name}_values[] = {{{values}}};
FUNCTION({name}, return {name}(ctx, {name}_values[size(ctx, args[0])]);)
FUNCTION({name}_max, return {name}(ctx, ({c_type}){limits[1]}ULL);)
"""


def as_function(name, back):
    c_type = FROM[back][0]
    return f"""
FUNCTION({name},
    {c_type} value = {name}(ctx, args[0]);
    return failed(ctx, value == ({c_type})-1) ? HPy_NULL : {back}(ctx, value);
)
"""


SOURCE = "".join(
    [from_functions(name, *FROM[name]) for name in FROM]
    + [as_function(name, AS[name][0]) for name in AS]
    + [as_function(name, MASKS[name][0]) for name in MASKS]
)
SOURCE += """
FUNCTION(HPyLong_AsVoidPtr,
    void *value = HPyLong_AsVoidPtr(ctx, args[0]);
    return failed(ctx, value == NULL) ? HPy_NULL : HPyLong_FromSize_t(ctx, (size_t)value);
)
FUNCTION(HPyLong_AsDouble,
    double value = HPyLong_AsDouble(ctx, args[0]);
    return failed(ctx, value == -1.0) ? HPy_NULL : HPyFloat_FromDouble(ctx, value);
)
FUNCTION(HPyLong_FromPid, return HPyLong_FromPid(ctx, HPyLong_AsPid(ctx, args[0]));)
"""


class Index:
    """No int, but as good as one."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


class MyInt(int):
    """Its `__index__` is not asked: the number is there already."""

    def __index__(self):
        return 99


class Truncated:
    def __int__(self):
        return 42


NO_INTEGERS = ["1", b"1", None, [], 1j, object(), Index("1"), Index(None)]
if sys.version_info >= (3, 10):  # CPython 3.9 tries `__int__`, with a warning
    NO_INTEGERS += [1.0, Truncated()]


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.parametrize("name", each(FROM, "good"))
def test_from(mod, name, no_leak):
    function = getattr(mod, name)
    values = inside(*FROM[name][1])
    made = [function(i) for i in range(len(values))]
    assert made == values
    assert all(type(n) is int for n in made)
    no_leak(lambda: function(0))


@pytest.mark.parametrize("name", each(FROM, "error"))
def test_from_without_memory(mod, name):
    assert raises_memory_error(getattr(mod, name + "_max"))


@pytest.mark.parametrize("name", each(AS, "good"))
def test_as(mod, name, no_leak):
    function = getattr(mod, name)
    _, limits, uses_index = AS[name]
    for n in inside(*limits):
        assert function(n) == n
        assert function(MyInt(n)) == n
        if uses_index:
            assert function(Index(n)) == n
    assert function(True) == 1
    big = limits[1]
    no_leak(lambda: function(big), big)


@pytest.mark.parametrize("name", each(AS, "error"))
def test_as_out_of_range(mod, name, no_leak):
    function = getattr(mod, name)
    _, limits, uses_index = AS[name]
    outside = [n for n in numbers(*limits) if n not in inside(*limits)]
    assert len(outside) > 10
    for n in outside:
        with pytest.raises(OverflowError):
            function(n)
        if uses_index:
            with pytest.raises(OverflowError):
                function(Index(n))
    no_leak(lambda: attempt(function, outside[0]), outside[0])


@pytest.mark.parametrize("name", each(AS, "error"))
def test_as_of_no_integer(mod, name, no_leak):
    function = getattr(mod, name)
    for wrong in NO_INTEGERS:
        with pytest.raises(TypeError):
            function(wrong)
    boom = failing("__index__")
    if AS[name][2]:
        with pytest.raises(Boom):
            function(boom)
    else:
        with pytest.raises(TypeError):
            function(Index(1))
    no_leak(lambda: attempt(function, boom), boom)
    no_leak(lambda: attempt(function, None), None)


@pytest.mark.parametrize("name", each(MASKS, "good"))
def test_mask(mod, name, no_leak):
    function = getattr(mod, name)
    bits = MASKS[name][1]
    for n in numbers(*unsigned(bits)):
        assert function(n) == n % 2**bits
        assert function(Index(n)) == n % 2**bits
    assert function(MyInt(5)) == 5
    big = 10**30
    no_leak(lambda: function(big), big)


@pytest.mark.parametrize("name", each(MASKS, "error"))
def test_mask_of_no_integer(mod, name, no_leak):
    function = getattr(mod, name)
    for wrong in NO_INTEGERS:
        with pytest.raises(TypeError):
            function(wrong)
    boom = failing("__index__")
    with pytest.raises(Boom):
        function(boom)
    no_leak(lambda: attempt(function, boom), boom)


@pytest.mark.api("HPyLong_AsVoidPtr")
def test_as_pointer(mod, no_leak):
    for n in (0, 1, 4096, 2 ** (SIZE - 1), 2**SIZE - 1):
        assert mod.HPyLong_AsVoidPtr(n) == n
    assert mod.HPyLong_AsVoidPtr(-1) == 2**SIZE - 1
    no_leak(lambda: mod.HPyLong_AsVoidPtr(4096))


@pytest.mark.api("HPyLong_AsVoidPtr", case="error")
def test_as_pointer_refuses(mod, no_leak):
    for n in (2**SIZE, -(2**SIZE), 10**30):
        with pytest.raises(OverflowError):
            mod.HPyLong_AsVoidPtr(n)
    for wrong in [*NO_INTEGERS, Index(1)]:
        with pytest.raises(TypeError):
            mod.HPyLong_AsVoidPtr(wrong)
    no_leak(lambda: attempt(mod.HPyLong_AsVoidPtr, 10**30))


@pytest.mark.api("HPyLong_AsDouble")
def test_as_double(mod, no_leak):
    for n in (0, -1, True, 2**53 + 1, -(10**300), MyInt(7)):
        result = mod.HPyLong_AsDouble(n)
        assert type(result) is float
        assert result == int.__float__(n)
    no_leak(lambda: mod.HPyLong_AsDouble(2**53 + 1))


@pytest.mark.api("HPyLong_AsDouble", case="error")
def test_as_double_refuses(mod, no_leak):
    for n in (10**400, -(10**400)):
        with pytest.raises(OverflowError):
            mod.HPyLong_AsDouble(n)
    for wrong in [*NO_INTEGERS, Index(1)]:
        with pytest.raises(TypeError):
            mod.HPyLong_AsDouble(wrong)
    huge = 10**400
    no_leak(lambda: attempt(mod.HPyLong_AsDouble, huge), huge)


def test_process_identifiers(mod):
    assert mod.HPyLong_FromPid(12345) == 12345
    assert mod.HPyLong_FromPid(-1) == -1
