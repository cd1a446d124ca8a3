"""Dicts. Their items are tested in test_object.py."""

import collections

import pytest
from outcomes import attempt, each, functions, raises_memory_error

SOURCE = """
FUNCTION(HPyDict_Check, return number(ctx, HPyDict_Check(ctx, args[0]));)
FUNCTION(HPyDict_New, return HPyDict_New(ctx);)
FUNCTION(HPyDict_Keys, return HPyDict_Keys(ctx, or_null(ctx, args[0]));)
FUNCTION(HPyDict_Copy, return HPyDict_Copy(ctx, or_null(ctx, args[0]));)

/* More dicts than Python keeps in reserve. */
FUNCTION(many,
    HPy made[500];
    HPy last = HPy_NULL;
    int n = 0;
    while (n < 500 && !HPy_IsNull(last = HPyDict_New(ctx)))
        made[n++] = last;
    while (n > 0)
        HPy_Close(ctx, made[--n]);
    return HPy_IsNull(last) ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
)
"""


class Contrary(dict):
    """A subclass whose own methods are not to be called."""

    def keys(self):
        raise AssertionError("called from C")

    copy = items = keys


NO_DICTS = [(), None, 5, [], "text", dict, {1}, {}.keys(), collections.UserDict()]


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyDict_Check")
def test_check(mod):
    for thing in ({}, {1: 2}, Contrary(), collections.OrderedDict()):
        assert mod.HPyDict_Check(thing) == 1
    for thing in NO_DICTS:
        assert mod.HPyDict_Check(thing) == 0


@pytest.mark.api("HPyDict_New")
def test_new(mod, no_leak):
    made = mod.HPyDict_New()
    assert type(made) is dict
    assert made == {}
    made["key"] = "value"
    assert mod.HPyDict_New() == {}
    no_leak(lambda: mod.HPyDict_New())


@pytest.mark.api("HPyDict_New", case="error")
def test_new_without_memory(mod):
    assert mod.many() is None
    assert raises_memory_error(mod.many)


@pytest.mark.api("HPyDict_Keys")
def test_keys(mod, no_leak):
    assert mod.HPyDict_Keys({}) == []
    thing = object()
    for cls in (dict, Contrary):
        keys = mod.HPyDict_Keys(cls({"b": 1, "a": 2, thing: 3}))
        assert type(keys) is list
        assert keys == ["b", "a", thing]
    items = {thing: thing}
    no_leak(lambda: mod.HPyDict_Keys(items), items, thing)


@pytest.mark.api("HPyDict_Copy")
def test_copy(mod, no_leak):
    thing = object()
    for cls in (dict, Contrary):
        items = cls({"b": thing, "a": []})
        copy = mod.HPyDict_Copy(items)
        assert type(copy) is dict
        assert copy is not items
        assert list(copy) == ["b", "a"]
        assert copy["a"] is items["a"]
        copy["c"] = 1
        assert len(items) == 2
    no_leak(lambda: mod.HPyDict_Copy(items), items, thing)


@pytest.mark.parametrize("name", each(["HPyDict_Keys", "HPyDict_Copy"], "error"))
def test_of_no_dict(mod, name, no_leak):
    function = getattr(mod, name)
    for wrong in [*NO_DICTS, ...]:
        with pytest.raises(SystemError):
            function(wrong)
    wrong = []
    no_leak(lambda: attempt(function, wrong), wrong)
    no_leak(lambda: attempt(function, ...))
