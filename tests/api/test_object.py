"""What can be asked of any object, beside what Python says to the same."""

import collections
import operator
import sys
import types

import pytest
import support
from outcomes import Boom, attempt, each, failing, functions, outcome

SOURCE = """
FUNCTION(HPy_Length, return number(ctx, HPy_Length(ctx, args[0]));)
FUNCTION(HPy_IsTrue, return number(ctx, HPy_IsTrue(ctx, args[0]));)
FUNCTION(HPy_Hash, return number(ctx, HPy_Hash(ctx, args[0]));)
FUNCTION(HPy_Repr, return HPy_Repr(ctx, args[0]);)
FUNCTION(HPy_Str, return HPy_Str(ctx, args[0]);)
FUNCTION(HPy_ASCII, return HPy_ASCII(ctx, args[0]);)
FUNCTION(HPy_Bytes, return HPy_Bytes(ctx, args[0]);)
FUNCTION(HPy_Contains, return number(ctx, HPy_Contains(ctx, args[0], args[1]));)

FUNCTION(HPy_GetAttr, return HPy_GetAttr(ctx, args[0], args[1]);)
FUNCTION(HPy_GetAttr_s, return HPy_GetAttr_s(ctx, args[0], text(ctx, args[1]));)
FUNCTION(HPy_HasAttr, return number(ctx, HPy_HasAttr(ctx, args[0], args[1]));)
FUNCTION(HPy_HasAttr_s, return number(ctx, HPy_HasAttr_s(ctx, args[0], text(ctx, args[1])));)
FUNCTION(HPy_SetAttr,
    return number(ctx, HPy_SetAttr(ctx, args[0], args[1], or_null(ctx, args[2])));
)
FUNCTION(HPy_SetAttr_s,
    return number(ctx, HPy_SetAttr_s(ctx, args[0], text(ctx, args[1]), or_null(ctx, args[2])));
)
FUNCTION(HPy_DelAttr, return number(ctx, HPy_DelAttr(ctx, args[0], args[1]));)
FUNCTION(HPy_DelAttr_s, return number(ctx, HPy_DelAttr_s(ctx, args[0], text(ctx, args[1])));)

FUNCTION(HPy_GetItem, return HPy_GetItem(ctx, args[0], args[1]);)
FUNCTION(HPy_GetItem_i, return HPy_GetItem_i(ctx, args[0], size(ctx, args[1]));)
FUNCTION(HPy_GetItem_s, return HPy_GetItem_s(ctx, args[0], text(ctx, args[1]));)
FUNCTION(HPy_SetItem, return number(ctx, HPy_SetItem(ctx, args[0], args[1], args[2]));)
FUNCTION(HPy_SetItem_i,
    return number(ctx, HPy_SetItem_i(ctx, args[0], size(ctx, args[1]), args[2]));
)
FUNCTION(HPy_SetItem_s,
    return number(ctx, HPy_SetItem_s(ctx, args[0], text(ctx, args[1]), args[2]));
)
FUNCTION(HPy_DelItem, return number(ctx, HPy_DelItem(ctx, args[0], args[1]));)
FUNCTION(HPy_DelItem_i, return number(ctx, HPy_DelItem_i(ctx, args[0], size(ctx, args[1])));)
FUNCTION(HPy_DelItem_s, return number(ctx, HPy_DelItem_s(ctx, args[0], text(ctx, args[1])));)

/* Asks for several attributes, whose names are in one place in memory after each other. */
FUNCTION(name_in_a_buffer,
    static char name[100];
    HPyListBuilder builder = HPyListBuilder_New(ctx, (HPy_ssize_t)nargs - 1);
    for (size_t i = 1; i < nargs; i++) {
        strcpy(name, text(ctx, args[i]));
        HPy value = HPy_GetAttr_s(ctx, args[0], name);
        if (HPy_IsNull(value)) {
            HPyListBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyListBuilder_Set(ctx, builder, (HPy_ssize_t)i - 1, value);
        HPy_Close(ctx, value);
    }
    return HPyListBuilder_Build(ctx, builder);
)

#define ENDS size(ctx, args[1]), size(ctx, args[2])
FUNCTION(HPy_GetSlice, return HPy_GetSlice(ctx, args[0], ENDS);)
FUNCTION(HPy_SetSlice, return number(ctx, HPy_SetSlice(ctx, args[0], ENDS, args[3]));)
FUNCTION(HPy_DelSlice, return number(ctx, HPy_DelSlice(ctx, args[0], ENDS));)
FUNCTION(ctx_GetSlice, return MEMBER(HPy_GetSlice, ctx_GetSlice)(ctx, args[0], ENDS);)
FUNCTION(ctx_SetSlice,
    return number(ctx, MEMBER(HPy_SetSlice, ctx_SetSlice)(ctx, args[0], ENDS, args[3]));
)
FUNCTION(ctx_DelSlice, return number(ctx, MEMBER(HPy_DelSlice, ctx_DelSlice)(ctx, args[0], ENDS));)

FUNCTION(HPy_RichCompare, return HPy_RichCompare(ctx, args[0], args[1], (int)size(ctx, args[2]));)
FUNCTION(HPy_RichCompareBool,
    return number(ctx, HPy_RichCompareBool(ctx, args[0], args[1], (int)size(ctx, args[2])));
)
FUNCTION(HPy_RETURN_RICHCOMPARE,
    HPy_RETURN_RICHCOMPARE(ctx, size(ctx, args[0]), size(ctx, args[1]), size(ctx, args[2]));
)
static const int operators[] = {HPy_LT, HPy_LE, HPy_EQ, HPy_NE, HPy_GT, HPy_GE};
FUNCTION(operator, return HPyLong_FromLong(ctx, operators[size(ctx, args[0])]);)
"""

OPERATORS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
ENDS_OF_SIZE = (support.SSIZE_MAX, -support.SSIZE_MAX - 1)


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def does(function, *args):
    """An outcome without the words of an exception, where they may be our own."""
    found = outcome(function, *args)
    return found[:2] if found[0] == "raises" else found


def status(function):
    """Python's way to do something, with the result that the API has."""
    return lambda *args: function(*args) or 0


class Methods:
    """Special methods that show what they get."""

    def __init__(self):
        self.seen = []

    def __len__(self):
        return 5

    def __getitem__(self, key):
        return "got", key

    def __setitem__(self, key, value):
        self.seen.append(("set", key, value))

    def __delitem__(self, key):
        self.seen.append(("deleted", key))

    def __repr__(self):
        return f"Methods({self.seen})"


def having(**methods):
    """An object of a class with these methods."""
    return type("Having", (), methods)()


# Questions about one object.

QUESTIONS = {
    "HPy_Length": len,
    "HPy_IsTrue": lambda x: int(bool(x)),
    "HPy_Hash": hash,
    "HPy_Repr": repr,
    "HPy_Str": str,
    "HPy_ASCII": ascii,
    "HPy_Bytes": bytes,
}
OBJECTS = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    float("inf"),
    "",
    "text",
    "naïve \N{SNOWMAN} \U0001f40d \ud800",
    b"bytes",
    bytearray(b"array"),
    memoryview(b"view"),
    (),
    (1, "é"),
    [],
    [1, 2],
    [300],
    {},
    {1: 2},
    {1},
    range(5),
    range(10**30),
    int,
    len,
    NotImplementedError("é"),
    having(__len__=lambda self: 0),
    having(__len__=lambda self: -1),
    having(__len__=lambda self: "long"),
    having(__len__=lambda self: 2**100),
    having(__bool__=lambda self: False),
    having(__bool__=lambda self: 1),
    having(__repr__=lambda self: "é"),
    having(__repr__=lambda self: b"repr"),
    having(__str__=lambda self: "str", __repr__=lambda self: "repr"),
    having(__str__=lambda self: 7, __repr__=lambda self: "repr"),
    having(__hash__=lambda self: -1, __repr__=lambda self: "hash -1"),
    having(__hash__=lambda self: 2**100, __repr__=lambda self: "large hash"),
    having(__hash__=lambda self: "hash", __repr__=lambda self: "no hash"),
    having(__bytes__=lambda self: b"from bytes", __repr__=lambda self: "bytes"),
    having(__bytes__=lambda self: "text", __repr__=lambda self: "no bytes"),
    having(__iter__=lambda self: iter((1, 2)), __repr__=lambda self: "iterable"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", each(QUESTIONS, "good", "error"))
def test_questions(mod, name):
    for thing in OBJECTS:
        if name == "HPy_Bytes" and isinstance(thing, int):
            continue  # not what Python's `bytes` does
        assert does(getattr(mod, name), thing) == does(QUESTIONS[name], thing), thing


@pytest.mark.api("HPy_Bytes", case="error")
def test_bytes_of_an_int(mod):
    for number in (5, True, -1):
        with pytest.raises(TypeError):
            mod.HPy_Bytes(number)


@pytest.mark.api("HPy_Bytes", "HPy_Str")
def test_exact_types_are_given_back(mod):
    assert mod.HPy_Str(sys.version) is sys.version
    data = b"some bytes"
    assert mod.HPy_Bytes(data) is data


# Attributes. Each test runs with the name as an object and as a C string.


class Attributes:
    """Attributes of each kind."""

    x = 1
    naïve = 2
    __slots__ = ("__dict__", "slot")

    @property
    def constant(self):
        return 3

    @property
    def broken(self):
        raise Boom("in a property")

    @broken.setter
    def broken(self, value):
        raise Boom("in a setter")

    @broken.deleter
    def broken(self):
        raise Boom("in a deleter")


NAMES = ["x", "naïve", "own", "slot", "constant", "broken", "missing", "", "\N{SNOWMAN}"]


def owners():
    """Objects with and without attributes."""
    plain = Attributes()
    plain.own = "own"
    catching = having(__getattr__=lambda self, name: name)
    return [plain, Attributes, types.SimpleNamespace(x=1), catching, None, 5, int, "text"]


def name_for(function, name):
    return name.encode() if function.endswith("_s") else name


@pytest.mark.parametrize("name", each(["HPy_GetAttr", "HPy_GetAttr_s"], "good", "error"))
def test_get_attribute(mod, name):
    for owner in owners():
        for attribute in NAMES:
            ours = outcome(getattr(mod, name), owner, name_for(name, attribute))
            assert ours == outcome(getattr, owner, attribute), (owner, attribute)


@pytest.mark.parametrize("name", each(["HPy_HasAttr", "HPy_HasAttr_s"], "good"))
def test_has_attribute(mod, name):
    for owner in owners():
        for attribute in NAMES:
            expected = outcome(getattr, owner, attribute)[0] == "gives"
            assert getattr(mod, name)(owner, name_for(name, attribute)) == expected, attribute


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.api("HPy_HasAttr", "HPy_HasAttr_s")
def test_has_attribute_forgets_errors(mod, no_leak, monkeypatch):
    # CPython 3.13 and later reports them, and pytest would keep what is reported.
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    boom = failing("__getattr__")
    assert mod.HPy_HasAttr(boom, "x") == 0
    assert mod.HPy_HasAttr_s(boom, b"x") == 0
    assert mod.HPy_HasAttr(5, 5) == 0
    assert mod.HPy_HasAttr_s(5, b"\xff") == 0
    no_leak(lambda: (mod.HPy_HasAttr(boom, "x"), mod.HPy_HasAttr_s(boom, b"x")), boom)


def comparable(owner):
    """The state of an object that is no class."""
    return getattr(owner, "__dict__", None), getattr(owner, "slot", None)


CHANGES = {
    "HPy_SetAttr": (setattr, ("value",)),
    "HPy_SetAttr_s": (setattr, ("value",)),
    "HPy_DelAttr": (delattr, ()),
    "HPy_DelAttr_s": (delattr, ()),
}


@pytest.mark.parametrize("name", each(CHANGES, "good", "error"))
def test_change_attribute(mod, name):
    reference, value = CHANGES[name]
    for attribute in NAMES:
        for ours, pythons in zip(owners(), owners()):
            if isinstance(ours, type) and ours is not int:
                continue  # a class would stay changed
            found = does(getattr(mod, name), ours, name_for(name, attribute), *value)
            assert found == does(status(reference), pythons, attribute, *value), attribute
            assert comparable(ours) == comparable(pythons), attribute


@pytest.mark.api("HPy_SetAttr", "HPy_SetAttr_s")
def test_setting_null_deletes(mod):
    thing = types.SimpleNamespace(a=1, b=2)
    assert mod.HPy_SetAttr(thing, "a", ...) == 0
    assert mod.HPy_SetAttr_s(thing, b"b", ...) == 0
    assert vars(thing) == {}
    with pytest.raises(AttributeError):
        mod.HPy_SetAttr(thing, "a", ...)


@pytest.mark.api("HPy_GetAttr", "HPy_SetAttr", "HPy_DelAttr", case="error")
def test_attribute_names_are_text(mod):
    thing = types.SimpleNamespace()
    for wrong in (1, None, b"x"):
        with pytest.raises(TypeError):
            mod.HPy_GetAttr(thing, wrong)
        with pytest.raises(TypeError):
            mod.HPy_SetAttr(thing, wrong, 1)
        with pytest.raises(TypeError):
            mod.HPy_DelAttr(thing, wrong)


@pytest.mark.api("HPy_GetAttr_s")
def test_a_name_is_read_at_each_call(mod, no_leak):
    names = ["a", "b", "a", "b" * 80, "c" * 80, "ä", "a"]
    thing = types.SimpleNamespace(**{name: object() for name in names})
    wanted = [getattr(thing, name) for name in names]
    utf8 = [name.encode() for name in names]
    assert mod.name_in_a_buffer(thing, *utf8) == wanted
    no_leak(lambda: mod.name_in_a_buffer(thing, *utf8), thing.a)


@pytest.mark.api("HPy_GetAttr_s", "HPy_SetAttr_s", "HPy_DelAttr_s", case="error")
def test_attribute_names_are_utf8(mod):
    thing = types.SimpleNamespace()
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_GetAttr_s(thing, b"\xff")
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_SetAttr_s(thing, b"\xff", 1)
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_DelAttr_s(thing, b"\xff")


# Items. Keys of one function of three are any object, of the next C numbers, of the last C strings.


def containers():
    """Containers, made anew for each use because tests change them."""
    return [
        [10, 20, 30],
        (10, 20, 30),
        "text",
        b"bytes",
        bytearray(b"array"),
        memoryview(bytearray(b"view")),
        range(4),
        collections.deque([1, 2, 3]),
        {1: "one", -1: "minus one", "key": "item", "naïve": "unicode"},
        collections.defaultdict(list, {1: "one"}),
        Methods(),
        types.MappingProxyType({"key": 1, 1: 2}),
        {1, 2},
        None,
        7,
        int,
        list,
        having(__getitem__=lambda self, key: {0: 1}[key], __repr__=lambda self: "mapping"),
        having(__class_getitem__=None, __repr__=lambda self: "nothing"),
    ]


NUMBERS = [0, 1, 2, 3, -1, -3, -4, 100, *ENDS_OF_SIZE]
TEXTS = ["key", "naïve", "missing", ""]
KEYS = [*NUMBERS, *TEXTS, None, 1.0, True, slice(1, None), [], 2**100]
KEYS_OF = {"": KEYS, "_i": NUMBERS, "_s": TEXTS}


def keys_for(function):
    """The keys that a function takes, as it takes them, and as Python does."""
    suffix = function[-2:] if function.endswith(("_i", "_s")) else ""
    return [(key.encode() if suffix == "_s" else key, key) for key in KEYS_OF[suffix]]


ITEMS = {
    "HPy_GetItem": (operator.getitem, ()),
    "HPy_GetItem_i": (operator.getitem, ()),
    "HPy_GetItem_s": (operator.getitem, ()),
    "HPy_SetItem": (status(operator.setitem), (65,)),
    "HPy_SetItem_i": (status(operator.setitem), (65,)),
    "HPy_SetItem_s": (status(operator.setitem), (65,)),
    "HPy_DelItem": (status(operator.delitem), ()),
    "HPy_DelItem_i": (status(operator.delitem), ()),
    "HPy_DelItem_s": (status(operator.delitem), ()),
}


def state(container):
    return bytes(container) if isinstance(container, memoryview) else repr(container)


@pytest.mark.parametrize("name", each(ITEMS, "good", "error"))
def test_items(mod, name):
    reference, value = ITEMS[name]
    for our_key, key in keys_for(name):
        for ours, pythons in zip(containers(), containers()):
            if isinstance(ours, memoryview) and isinstance(key, slice):
                continue  # the result shows its address
            found = does(getattr(mod, name), ours, our_key, *value)
            assert found == does(reference, pythons, key, *value), (ours, key)
            assert state(ours) == state(pythons)


@pytest.mark.api("HPy_GetItem_s", "HPy_SetItem_s", "HPy_DelItem_s", case="error")
def test_keys_are_utf8(mod):
    items = {}
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_GetItem_s(items, b"\xff")
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_SetItem_s(items, b"\xff", 1)
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_DelItem_s(items, b"\xff")
    assert items == {}


@pytest.mark.api("HPy_Contains")
@pytest.mark.api("HPy_Contains", case="error")
def test_contains(mod):
    def reference(container, key):
        return int(key in container)

    keys = [1, 10, "key", "ex", b"e", None, [], 101, float("nan"), Methods]
    strange = [
        having(__contains__=lambda self, key: "true"),
        having(__contains__=lambda self, key: []),
        having(__iter__=lambda self: iter([1, "key"])),
        having(__iter__=lambda self: 5),
        having(__contains__=None),
    ]
    for key in keys:
        for container in [*containers(), *strange]:
            if isinstance(container, Methods):
                continue  # has every item, and so no end
            assert does(mod.HPy_Contains, container, key) == does(reference, container, key), key


# Slices. Universal binaries do them with older functions; the context has functions of its own.

SLICES = {
    "HPy_GetSlice": lambda x, start, end: x[start:end],
    "HPy_SetSlice": status(lambda x, start, end, v: operator.setitem(x, slice(start, end), v)),
    "HPy_DelSlice": status(lambda x, start, end: operator.delitem(x, slice(start, end))),
}
SLICES.update({name.replace("HPy_", "ctx_"): SLICES[name] for name in list(SLICES)})


def sequences():
    """Sequences, and what is none, made anew for each use because tests change them."""
    return [
        [1, 2, 3, 4, 5],
        (1, 2, 3),
        "text",
        b"bytes",
        bytearray(b"array"),
        range(7),
        Methods(),
        collections.deque([1, 2, 3]),
        {1, 2},
        None,
        7,
    ]


def values():
    return [[65, 66, 67], (), b"xyz", iter([70]), 5, None, "text"]


@pytest.mark.parametrize("name", each(SLICES, "good", "error"))
def test_slices(mod, name):
    function, reference = getattr(mod, name), SLICES[name]
    numbers = [0, 1, 3, 100, -1, -2, -100, *ENDS_OF_SIZE]
    for start in numbers:
        for end in numbers:
            if not name.endswith("SetSlice"):
                for ours, pythons in zip(sequences(), sequences()):
                    assert does(function, ours, start, end) == does(reference, pythons, start, end)
                    assert state(ours) == state(pythons), (start, end)
                continue
            for i in range(len(values())):
                for ours, pythons in zip(sequences(), sequences()):
                    our_value, value = values()[i], values()[i]
                    found = does(function, ours, start, end, our_value)
                    assert found == does(reference, pythons, start, end, value)
                    if not isinstance(ours, Methods):
                        assert state(ours) == state(pythons), (start, end, value)


@pytest.mark.parametrize("prefix", ["HPy_", "ctx_"])
def test_slices_reach_the_methods_of_a_class(mod, prefix):
    thing = Methods()
    assert getattr(mod, prefix + "GetSlice")(thing, 1, 3) == ("got", slice(1, 3, None))
    assert getattr(mod, prefix + "SetSlice")(thing, 1, 3, "value") == 0
    assert getattr(mod, prefix + "DelSlice")(thing, 0, -1) == 0
    assert thing.seen == [("set", slice(1, 3, None), "value"), ("deleted", slice(0, -1, None))]


# Comparison.

UNDECIDED = failing("__bool__")


class Answers:
    """Comparisons that give any object."""

    def __repr__(self):
        return "Answers"

    def __lt__(self, other):
        return ["less", other]

    def __eq__(self, other):
        return []

    def __ne__(self, other):
        return UNDECIDED

    __hash__ = None


COMPARED = [0, 1, 1.0, True, float("nan"), "a", "b", b"a", None, [], [1], (1, 2), {1}, {1, 2}, 1j]
COMPARED += [int, Answers()]


def test_the_operators_are_those_of_slots(mod):
    assert [mod.operator(i) for i in range(6)] == list(range(6))


@pytest.mark.api("HPy_RichCompare")
@pytest.mark.api("HPy_RichCompare", case="error")
def test_compare(mod):
    for op, reference in enumerate(OPERATORS):
        for a in COMPARED:
            for b in COMPARED:
                ours = outcome(mod.HPy_RichCompare, a, b, op)
                assert ours == outcome(reference, a, b), (a, b, op)


@pytest.mark.api("HPy_RichCompareBool")
@pytest.mark.api("HPy_RichCompareBool", case="error")
def test_compare_to_a_truth_value(mod):
    def truth(reference, a, b):
        if a is b and reference in (operator.eq, operator.ne):
            return int(reference is operator.eq)
        return int(bool(reference(a, b)))

    for op, reference in enumerate(OPERATORS):
        for a in COMPARED:
            for b in COMPARED:
                ours = outcome(mod.HPy_RichCompareBool, a, b, op)
                assert ours == outcome(truth, reference, a, b), (a, b, op)


def test_compare_c_values(mod, no_leak):
    for op, reference in enumerate(OPERATORS):
        for a in (-1, 0, 2**40):
            for b in (-1, 0, 2**40):
                assert mod.HPy_RETURN_RICHCOMPARE(a, b, op) is reference(a, b)
    assert mod.HPy_RETURN_RICHCOMPARE(1, 2, 6) is NotImplemented
    no_leak(lambda: (mod.HPy_RETURN_RICHCOMPARE(1, 2, 0), mod.HPy_RETURN_RICHCOMPARE(1, 2, 6)))


# The exception of a special method comes through, and nothing leaks, whether it is raised or not.

SPECIAL = {
    "HPy_Length": ("__len__", lambda x: (x,), "text"),
    "HPy_IsTrue": ("__bool__", lambda x: (x,), [1]),
    "HPy_Hash": ("__hash__", lambda x: (x,), "text"),
    "HPy_Repr": ("__repr__", lambda x: (x,), 2.5),
    "HPy_Str": ("__str__", lambda x: (x,), 2.5),
    "HPy_ASCII": ("__repr__", lambda x: (x,), "é"),
    "HPy_Bytes": ("__bytes__", lambda x: (x,), [1, 2]),
    "HPy_Contains": ("__contains__", lambda x: (x, 1), [1, 2]),
    "HPy_GetAttr": ("__getattribute__", lambda x: (x, "real"), 10**20),
    "HPy_GetAttr_s": ("__getattribute__", lambda x: (x, b"real"), 10**20),
    "HPy_SetAttr": ("__setattr__", lambda x: (x, "x", 10**20), Attributes()),
    "HPy_SetAttr_s": ("__setattr__", lambda x: (x, b"x", 10**20), Attributes()),
    "HPy_DelAttr": ("__delattr__", lambda x: (x, "x"), Attributes()),
    "HPy_DelAttr_s": ("__delattr__", lambda x: (x, b"x"), Attributes()),
    "HPy_GetItem": ("__getitem__", lambda x: (x, 1), [10**20, 10**20]),
    "HPy_GetItem_i": ("__getitem__", lambda x: (x, 1), {1: 10**20}),
    "HPy_GetItem_s": ("__getitem__", lambda x: (x, b"key"), {"key": 10**20}),
    "HPy_SetItem": ("__setitem__", lambda x: (x, 1, 10**20), {}),
    "HPy_SetItem_i": ("__setitem__", lambda x: (x, 1000, 10**20), {}),
    "HPy_SetItem_s": ("__setitem__", lambda x: (x, b"key", 10**20), {}),
    "HPy_DelItem": ("__delitem__", lambda x: (x, 1000), {}),
    "HPy_DelItem_i": ("__delitem__", lambda x: (x, 1000), {}),
    "HPy_DelItem_s": ("__delitem__", lambda x: (x, b"key"), {}),
    "HPy_GetSlice": ("__getitem__", lambda x: (x, 1000, 2000), "text"),
    "HPy_SetSlice": ("__setitem__", lambda x: (x, 1000, 2000, []), [1]),
    "HPy_DelSlice": ("__delitem__", lambda x: (x, 1000, 2000), [1]),
    "ctx_GetSlice": ("__getitem__", lambda x: (x, 1000, 2000), "text"),
    "ctx_SetSlice": ("__setitem__", lambda x: (x, 1000, 2000, []), [1]),
    "ctx_DelSlice": ("__delitem__", lambda x: (x, 1000, 2000), [1]),
    "HPy_RichCompare": ("__lt__", lambda x: (x, 3, 0), 2**70),
    "HPy_RichCompareBool": ("__lt__", lambda x: (x, 3, 0), 2**70),
}


@pytest.mark.parametrize("name", each(SPECIAL, "good", "error"))
def test_exceptions_and_leaks(mod, name, no_leak):
    function = getattr(mod, name)
    special, arguments, fine = SPECIAL[name]
    boom = failing(special)
    with pytest.raises(Boom, match="in Python code"):
        function(*arguments(boom))
    no_leak(lambda: attempt(function, *arguments(boom)), boom)
    no_leak(lambda: attempt(function, *arguments(fine)), fine)
    no_leak(lambda: attempt(function, *arguments(None)))
