"""Arithmetic, beside Python's own operators: same results, same exceptions, same messages."""

import operator
import sys
from decimal import Decimal
from fractions import Fraction
from functools import partial

import pytest
from outcomes import Boom, attempt, each, failing, functions, outcome

BINARY = {
    "HPy_Add": operator.add,
    "HPy_Subtract": operator.sub,
    "HPy_Multiply": operator.mul,
    "HPy_MatrixMultiply": operator.matmul,
    "HPy_FloorDivide": operator.floordiv,
    "HPy_TrueDivide": operator.truediv,
    "HPy_Remainder": operator.mod,
    "HPy_Divmod": divmod,
    "HPy_Lshift": operator.lshift,
    "HPy_Rshift": operator.rshift,
    "HPy_And": operator.and_,
    "HPy_Xor": operator.xor,
    "HPy_Or": operator.or_,
}
IN_PLACE = {
    "HPy_InPlaceAdd": operator.iadd,
    "HPy_InPlaceSubtract": operator.isub,
    "HPy_InPlaceMultiply": operator.imul,
    "HPy_InPlaceMatrixMultiply": operator.imatmul,
    "HPy_InPlaceFloorDivide": operator.ifloordiv,
    "HPy_InPlaceTrueDivide": operator.itruediv,
    "HPy_InPlaceRemainder": operator.imod,
    "HPy_InPlaceLshift": operator.ilshift,
    "HPy_InPlaceRshift": operator.irshift,
    "HPy_InPlaceAnd": operator.iand,
    "HPy_InPlaceXor": operator.ixor,
    "HPy_InPlaceOr": operator.ior,
}
UNARY = {
    "HPy_Negative": operator.neg,
    "HPy_Positive": operator.pos,
    "HPy_Absolute": abs,
    "HPy_Invert": operator.invert,
    "HPy_Index": operator.index,
    "HPy_Long": int,
    "HPy_Float": float,
}
TERNARY = {
    "HPy_Power": pow,
    # Python has no in-place operator with a modulus.
    "HPy_InPlacePower": lambda a, b, c: operator.ipow(a, b),
}
ALL = {**BINARY, **IN_PLACE, **UNARY, **TERNARY}

SOURCE = "\n".join(
    [f"FUNCTION({name}, return {name}(ctx, args[0]);)" for name in UNARY]
    + [f"FUNCTION({name}, return {name}(ctx, args[0], args[1]);)" for name in [*BINARY, *IN_PLACE]]
    + [f"FUNCTION({name}, return {name}(ctx, args[0], args[1], args[2]);)" for name in TERNARY]
    + ["FUNCTION(HPyNumber_Check, return number(ctx, HPyNumber_Check(ctx, args[0]));)"]
)

OPERATORS = ["add", "sub", "mul", "matmul", "floordiv", "truediv", "mod", "divmod"]
OPERATORS += ["lshift", "rshift", "and", "xor", "or", "pow"]
SPECIAL = [f"__{prefix}{name}__" for prefix in ("", "r", "i") for name in OPERATORS]
SPECIAL += [f"__{name}__" for name in ["neg", "pos", "abs", "invert", "index", "int", "float"]]


class Operand:
    def __repr__(self):
        return type(self).__name__


def recorder(names, name):
    """A class whose special methods tell which one was called, with what."""

    def record(special):
        return lambda self, *args: (special, args)

    return type(name, (Operand,), {special: record(special) for special in names})


Both = recorder(SPECIAL, "Both")
Left = recorder([s for s in SPECIAL if not s.startswith(("__r", "__i"))], "Left")
Right = recorder([s for s in SPECIAL if s.startswith("__r")], "Right")
Derived = type("Derived", (Both,), {"__radd__": lambda self, other: "derived first"})


class Refuses(Operand):
    """Knows no operand: Python tries the other one."""

    def __add__(self, other):
        return NotImplemented

    __radd__ = __iadd__ = __sub__ = __mul__ = __or__ = __pow__ = __rpow__ = __add__


def pairs():
    """Operands, made anew for each use because in-place operators change them."""
    return [
        (7, 3),
        (-7, 3),
        (2**70, 5),
        (1, 0),
        (1.5, 0.0),
        (7.5, -2),
        (True, 2),
        (1, -1),
        (3 + 4j, 2),
        (Decimal("1.1"), 3),
        (Fraction(1, 3), Fraction(1, 6)),
        ([1, 2], [3]),
        ([1, 2], (3,)),
        ([1, 2], 3),
        (3, [1, 2]),
        ((1,), (2,)),
        ("ab", "c"),
        ("ab", 2),
        ("%05d|%s", (3, None)),
        (b"%x", 255),
        (bytearray(b"a"), b"b"),
        ({1, 2}, {2, 3}),
        (frozenset({1}), {2}),
        ({"a": 1}, {"b": 2}),
        (int, str),
        (1, None),
        (None, 1),
        ("a", 1.5),
        (object, object),
        (Both(), 1),
        (1, Both()),
        (Both(), Both()),
        (Both(), Derived()),
        (Left(), 1),
        (Left(), Right()),
        (1, Right()),
        (Right(), 1),
        (Refuses(), Right()),
        (Refuses(), 1),
        (Refuses(), Refuses()),
    ]


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.parametrize("name", each(BINARY, "good", "error"))
def test_binary(mod, name):
    for ours, pythons in zip(pairs(), pairs()):
        assert outcome(getattr(mod, name), *ours) == outcome(BINARY[name], *pythons), ours
        assert repr(ours) == repr(pythons), "an operand was changed"


@pytest.mark.parametrize("name", each(IN_PLACE, "good", "error"))
def test_in_place(mod, name):
    for ours, pythons in zip(pairs(), pairs()):
        assert outcome(getattr(mod, name), *ours) == outcome(IN_PLACE[name], *pythons), ours
        assert repr(ours) == repr(pythons), "not the same operand was changed"


@pytest.mark.api("HPy_InPlaceAdd", "HPy_InPlaceMultiply", "HPy_InPlaceOr")
def test_in_place_result_is_the_left_operand(mod):
    items = [1]
    assert mod.HPy_InPlaceAdd(items, (2,)) is items
    assert mod.HPy_InPlaceMultiply(items, 2) is items
    assert items == [1, 2, 1, 2]
    keys = {1}
    assert mod.HPy_InPlaceOr(keys, {2}) is keys
    assert keys == {1, 2}


class Odd:
    """Conversions that give what they must not."""

    __index__ = __int__ = __float__ = lambda self: "no number"


class Indexed:
    def __index__(self):
        return 41


class Truncated:
    def __int__(self):
        return 42


class Floating:
    def __float__(self):
        return 4.5


class MyInt(int):
    pass


class MyFloat(float):
    pass


OPERANDS = [
    0,
    -5,
    2**80,
    True,
    MyInt(6),
    -2.75,
    MyFloat(2.5),
    float("inf"),
    float("nan"),
    1e300,
    10**400,
    3 + 4j,
    Decimal("-2.5"),
    Fraction(-7, 2),
    "12",
    " -3 ",
    "1_000",
    "2.5",
    "nan",
    "twelve",
    "",
    b"12",
    b"x",
    bytearray(b"7"),
    "\N{ARABIC-INDIC DIGIT THREE}",
    None,
    [],
    object,
    Both(),
    Odd(),
    Indexed(),
    Truncated(),
    Floating(),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", each(UNARY, "good", "error"))
def test_unary(mod, name):
    for operand in OPERANDS:
        assert outcome(getattr(mod, name), operand) == outcome(UNARY[name], operand), operand


@pytest.mark.api("HPy_Index", "HPy_Long", "HPy_Float")
def test_conversions_of_exact_types_give_the_object_itself(mod):
    big, real = 2**80, 2.5
    assert mod.HPy_Index(big) is big
    assert mod.HPy_Long(big) is big
    assert mod.HPy_Float(real) is real
    assert type(mod.HPy_Long(MyInt(6))) is int
    assert type(mod.HPy_Float(MyFloat(2.5))) is float


POWERS = [
    (2, 10),
    (2, -1),
    (0, -1),
    (2.0, 3),
    (-8, 1 / 3),
    (10**400, 0.5),
    ("x", 2),
    (None, 2),
    (Both(), 2),
    (2, Both()),
    (Refuses(), 2),
    (Refuses(), Right()),
]
MODULAR_POWERS = [
    (2, 10, 1000),
    (3, -1, 7),
    (2, -1, 4),
    (2, 3, 0),
    (2.0, 3, 5),
    (2, 3, "x"),
    (Both(), 2, 5),
    (2, 5, Both()),
]


@pytest.mark.parametrize("name", each(TERNARY, "good", "error"))
def test_power(mod, name):
    for pair in POWERS:
        triple = (*pair, None)
        assert outcome(getattr(mod, name), *triple) == outcome(TERNARY[name], *triple), triple


@pytest.mark.api("HPy_Power", "HPy_InPlacePower")
@pytest.mark.api("HPy_Power", "HPy_InPlacePower", case="error")
def test_power_with_a_modulus(mod):
    for triple in MODULAR_POWERS:
        assert outcome(mod.HPy_Power, *triple) == outcome(pow, *triple), triple
    assert mod.HPy_InPlacePower(2, 10, 1000) == 24
    with pytest.raises(ValueError, match="3rd argument cannot be 0"):
        mod.HPy_InPlacePower(2, 3, 0)


def test_a_method_in_python_gets_no_modulus(mod):
    class A:
        def __ipow__(self, other):
            return NotImplemented if other == 0 else ("ipow", other)

        def __pow__(self, other, modulus):
            return "pow", other, modulus

    class B(int):
        pass

    assert mod.HPy_InPlacePower(A(), 7, "modulus") == ("ipow", 7)
    if sys.version_info >= (3, 10):  # 3.9 did not go on with __pow__
        assert mod.HPy_InPlacePower(A(), 0, "modulus") == ("pow", 0, "modulus")
    assert mod.HPy_InPlacePower(B(2), 10, 1000) == 24


@pytest.mark.api("HPyNumber_Check")
def test_number_check(mod):
    numbers = [0, True, 1.5, 1j, Decimal(1), Fraction(1), MyInt(), Indexed(), Truncated()]
    numbers += [Floating(), Odd(), failing("__index__")]
    others = ["1", b"1", None, [], object(), int, {}, Left]
    assert [mod.HPyNumber_Check(n) for n in numbers] == [1] * len(numbers)
    assert [mod.HPyNumber_Check(o) for o in others] == [0] * len(others)


def arguments(name, first):
    """As many arguments as the function takes, of which the others are harmless."""
    return (first,) if name in UNARY else (first, 2) if name not in TERNARY else (first, 2, None)


@pytest.mark.parametrize("name", each(ALL, "error"))
def test_an_exception_comes_through(mod, name, no_leak):
    function = getattr(mod, name)
    operand = failing(*SPECIAL)
    with pytest.raises(Boom, match="in Python code"):
        function(*arguments(name, operand))
    no_leak(lambda: attempt(function, *arguments(name, operand)), operand)
    if name not in UNARY:
        reflected = (2, operand) if name not in TERNARY else (2, operand, None)
        with pytest.raises(Boom):
            function(*reflected)
        no_leak(lambda: attempt(function, *reflected), operand)


@pytest.mark.parametrize("name", each(ALL, "good"))
def test_nothing_leaks(mod, name, no_leak):
    function = getattr(mod, name)
    for operand in (Both(), object(), 2**70):
        no_leak(partial(attempt, function, *arguments(name, operand)), operand)
