"""Tuples."""

import sys

import pytest
import support
from outcomes import attempt, functions

MANY = 20

SOURCE = """
FUNCTION(HPyTuple_Check, return number(ctx, HPyTuple_Check(ctx, args[0]));)
FUNCTION(HPyTuple_FromArray, return HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs);)
FUNCTION(from_nothing, return HPyTuple_FromArray(ctx, NULL, size(ctx, args[0]));)

/* The number of arguments of a variadic function is written out. */
FUNCTION(HPyTuple_Pack,
    switch (nargs) {
    case 0: return HPyTuple_Pack(ctx, 0);
    case 1: return HPyTuple_Pack(ctx, 1, args[0]);
    case 2: return HPyTuple_Pack(ctx, 2, args[0], args[1]);
    case 8: return HPyTuple_Pack(ctx, 8, args[0], args[1], args[2], args[3], args[4], args[5],
                                 args[6], args[7]);
    case 9: return HPyTuple_Pack(ctx, 9, args[0], args[1], args[2], args[3], args[4], args[5],
                                 args[6], args[7], args[8]);
    case 20: return HPyTuple_Pack(ctx, 20, args[0], args[1], args[2], args[3], args[4], args[5],
                                  args[6], args[7], args[8], args[9], args[10], args[11],
                                  args[12], args[13], args[14], args[15], args[16], args[17],
                                  args[18], args[19]);
    default: return HPyTuple_Pack(ctx, -1);
    }
)
"""


class MyTuple(tuple):
    __slots__ = ()


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyTuple_Check")
def test_check(mod):
    for thing in ((), (1,), MyTuple(), sys.version_info):
        assert mod.HPyTuple_Check(thing) == 1
    for thing in ([], None, 5, "text", tuple, iter(())):
        assert mod.HPyTuple_Check(thing) == 0


@pytest.mark.api("HPyTuple_FromArray")
def test_from_array(mod, no_leak):
    assert mod.from_nothing(0) == ()
    for n in (0, 1, 2, 100):
        things = [object() for _ in range(n)]
        made = mod.HPyTuple_FromArray(*things)
        assert type(made) is tuple
        assert list(made) == things
    no_leak(lambda: mod.HPyTuple_FromArray(*things), *things)


@pytest.mark.api("HPyTuple_FromArray", case="error")
def test_from_array_of_a_negative_length(mod, no_leak):
    for length in (-1, -support.SSIZE_MAX - 1):
        with pytest.raises(SystemError):
            mod.from_nothing(length)
    no_leak(lambda: attempt(mod.from_nothing, -1))


@pytest.mark.parametrize("n", [0, 1, 2, 8, 9, MANY])
def test_pack(mod, n, no_leak):
    things = [object() for _ in range(n)]
    made = mod.HPyTuple_Pack(*things)
    assert type(made) is tuple
    assert list(made) == things
    no_leak(lambda: mod.HPyTuple_Pack(*things), *things)


def test_pack_a_negative_number(mod, no_leak):
    with pytest.raises(SystemError):
        mod.HPyTuple_Pack(1, 2, 3)
    no_leak(lambda: attempt(mod.HPyTuple_Pack, 1, 2, 3))
