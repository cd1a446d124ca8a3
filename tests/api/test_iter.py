"""Iteration. Universal binaries do it with older functions; the context has its own as well."""

import pytest
from outcomes import Boom, attempt, each, failing, functions, outcome

SOURCE = """
FUNCTION(HPy_GetIter, return HPy_GetIter(ctx, args[0]);)
FUNCTION(ctx_GetIter, return MEMBER(HPy_GetIter, ctx_GetIter)(ctx, args[0]);)
FUNCTION(HPyIter_Check, return number(ctx, HPyIter_Check(ctx, args[0]));)
FUNCTION(ctx_Iter_Check, return number(ctx, MEMBER(HPyIter_Check, ctx_Iter_Check)(ctx, args[0]));)

/* At the end, the second argument. */
#define NEXT(FUNCTION)                                                                           \\
    HPy item = FUNCTION(ctx, args[0]);                                                           \\
    if (!HPy_IsNull(item) || HPyErr_Occurred(ctx))                                               \\
        return item;                                                                             \\
    return HPy_Dup(ctx, args[1]);
FUNCTION(HPyIter_Next, NEXT(HPyIter_Next))
FUNCTION(ctx_Iter_Next, NEXT(MEMBER(HPyIter_Next, ctx_Iter_Next)))
"""


class Endless:
    """An iterator of a class."""

    def __iter__(self):
        return self

    def __next__(self):
        return "item"


class OnlyNext:
    """Half an iterator."""

    def __next__(self):
        return "item"


class OldStyle:
    """Iterates through its items."""

    def __getitem__(self, index):
        return [1, 2, 3][index]

    def __repr__(self):
        return "OldStyle"


class Late:
    """Has `__next__` as an attribute of the object only, which does not count."""

    def __init__(self):
        self.__next__ = lambda: "item"


def generator():
    yield 1
    raise Boom("in a generator")


def stops_with_a_value():
    yield 1
    return "value"


END = object()


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def all_items(mod, prefix, iterable):
    """The items of a loop in C, that is written in Python."""
    get_iter = getattr(mod, "HPy_GetIter" if prefix == "HPy" else "ctx_GetIter")
    next_item = getattr(mod, "HPyIter_Next" if prefix == "HPy" else "ctx_Iter_Next")
    iterator, items = get_iter(iterable), []
    while (item := next_item(iterator, END)) is not END:
        items.append(item)
    assert next_item(iterator, END) is END, "an iterator that has ended stays so"
    return items


@pytest.mark.parametrize("prefix", ["HPy", "ctx"])
@pytest.mark.api("HPy_GetIter", "HPyIter_Next")
@pytest.mark.api("HPy_GetIter", "HPyIter_Next", case="error")
def test_iteration(mod, prefix):
    iterables = [
        lambda: [],
        lambda: [1, None, 3],
        lambda: "text",
        lambda: {"a": 1, "b": 2},
        lambda: range(3),
        lambda: iter((1, 2)),
        lambda: map(str, [1, 2]),
        OldStyle,
        stops_with_a_value,
        generator,
        lambda: map(int, ["1", "x"]),
        lambda: None,
        lambda: 5,
        OnlyNext,
        lambda: type("NoIterator", (), {"__iter__": lambda self: 5})(),
        lambda: type("NotIterable", (), {"__iter__": None})(),
        lambda: failing("__iter__"),
    ]
    for make in iterables:
        ours = outcome(all_items, mod, prefix, make())
        expected = outcome(list, make())
        assert ours == expected, make()


@pytest.mark.parametrize("name", each(["HPy_GetIter", "ctx_GetIter"], "good", "error"))
def test_get_iter(mod, name, no_leak):
    get_iter = getattr(mod, name)
    iterator = Endless()
    assert get_iter(iterator) is iterator
    items, boom = [1, 2], failing("__iter__")
    with pytest.raises(Boom):
        get_iter(boom)
    no_leak(lambda: get_iter(items), items)
    no_leak(lambda: attempt(get_iter, boom), boom)
    no_leak(lambda: attempt(get_iter, None))


@pytest.mark.parametrize("name", each(["HPyIter_Next", "ctx_Iter_Next"], "good", "error"))
def test_next(mod, name, no_leak):
    next_item = getattr(mod, name)
    endless = Endless()
    assert next_item(endless, END) == "item"
    assert next_item(OnlyNext(), END) == "item"
    boom = type("Failing", (Endless,), {"__next__": type(failing("__next__")).__next__})()
    with pytest.raises(Boom, match="in Python code"):
        next_item(boom, END)
    stop = type("Stop", (Endless,), {"__next__": lambda self: next(iter(()))})()
    assert next_item(stop, END) is END
    empty = iter(())
    no_leak(lambda: next_item(endless, END), endless, END)
    no_leak(lambda: next_item(empty, END), empty, END)
    no_leak(lambda: next_item(stop, END), stop, END)
    no_leak(lambda: attempt(next_item, boom, END), boom, END)


@pytest.mark.parametrize("name", each(["HPyIter_Check", "ctx_Iter_Check"], "good"))
def test_check(mod, name, no_leak):
    check = getattr(mod, name)
    for iterator in (iter([]), generator(), map(str, []), Endless(), OnlyNext()):
        assert check(iterator) == 1
    for thing in ([], "text", None, 5, OldStyle(), Endless, Late(), {}, range(3)):
        assert check(thing) == 0
    with_next = type("Meta", (type,), {"__next__": lambda cls: "item"})
    assert check(with_next("IteratorClass", (), {})) == 1
    assert check(with_next("IteratorClass", (), {})()) == 0
    thing = Endless()
    no_leak(lambda: check(thing), thing)
