"""Lists."""

import pytest
import support
from outcomes import attempt, each, functions
from support import FREE_THREADED

SOURCE = """
FUNCTION(HPyList_Check, return number(ctx, HPyList_Check(ctx, args[0]));)

/* A list of the length of the arguments but the first, which is the length to ask for. */
FUNCTION(HPyList_New,
    HPy list = HPyList_New(ctx, size(ctx, args[0]));
    if (HPy_IsNull(list))
        return HPy_NULL;
    for (size_t i = 1; i < nargs; i++) {
        if (HPy_SetItem_i(ctx, list, (HPy_ssize_t)i - 1, args[i]) < 0) {
            HPy_Close(ctx, list);
            return HPy_NULL;
        }
    }
    return list;
)
FUNCTION(HPyList_Append, return number(ctx, HPyList_Append(ctx, args[0], args[1]));)
FUNCTION(HPyList_Insert,
    return number(ctx, HPyList_Insert(ctx, args[0], size(ctx, args[1]), args[2]));
)
FUNCTION(ctx_List_Insert,
    HPy_ssize_t index = size(ctx, args[1]);
    return number(ctx, MEMBER(HPyList_Insert, ctx_List_Insert)(ctx, args[0], index, args[2]));
)
"""


class Contrary(list):
    """A subclass whose own methods are not to be called."""

    def append(self, item):
        raise AssertionError("called from C")

    def insert(self, index, item):
        raise AssertionError("called from C")


NO_LISTS = [(), None, 5, {}, "text", list, iter([])]


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyList_Check")
def test_check(mod):
    for thing in ([], [1], Contrary()):
        assert mod.HPyList_Check(thing) == 1
    for thing in NO_LISTS:
        assert mod.HPyList_Check(thing) == 0


@pytest.mark.api("HPyList_New")
def test_new(mod, no_leak):
    empty = mod.HPyList_New(0)
    assert type(empty) is list
    assert empty == []
    assert mod.HPyList_New(0) is not empty
    thing = object()
    assert mod.HPyList_New(3, thing, 2, 3) == [thing, 2, 3]
    no_leak(lambda: mod.HPyList_New(3, thing, thing, thing), thing)


@pytest.mark.api("HPyList_New", case="error")
def test_new_with_a_wrong_length(mod, no_leak):
    for length in (-1, -support.SSIZE_MAX - 1):
        with pytest.raises(SystemError):
            mod.HPyList_New(length)
    no_leak(lambda: attempt(mod.HPyList_New, -1))


@pytest.mark.skipif(FREE_THREADED, reason="PyList_New crashes where there is no memory for items")
def test_new_without_memory(mod, no_leak):
    with pytest.raises(MemoryError):
        mod.HPyList_New(support.SSIZE_MAX)
    no_leak(lambda: attempt(mod.HPyList_New, support.SSIZE_MAX))


@pytest.mark.api("HPyList_Append")
def test_append(mod, no_leak):
    thing, items = object(), []
    for cls in (list, Contrary):
        items = cls([1])
        assert mod.HPyList_Append(items, thing) == 0
        assert mod.HPyList_Append(items, items) == 0
        assert items[:2] == [1, thing]
        assert items[2] is items
        items.clear()
    no_leak(lambda: mod.HPyList_Append([], thing), thing)


@pytest.mark.api("HPyList_Append", case="error")
def test_append_to_no_list(mod, no_leak):
    for wrong in NO_LISTS:
        with pytest.raises(SystemError):
            mod.HPyList_Append(wrong, 1)
    thing = object()
    no_leak(lambda: attempt(mod.HPyList_Append, (), thing), thing)


INSERTS = ["HPyList_Insert", "ctx_List_Insert"]


@pytest.mark.parametrize("name", each(INSERTS, "good"))
def test_insert(mod, name, no_leak):
    insert, thing = getattr(mod, name), object()
    for index in (0, 1, 2, 3, 4, -1, -3, -4, support.SSIZE_MAX, -support.SSIZE_MAX - 1):
        expected = [1, 2, 3]
        expected[index:index] = [thing]
        for cls in (list, Contrary):
            items = cls([1, 2, 3])
            assert insert(items, index, thing) == 0
            assert items == expected, index
    no_leak(lambda: insert([], 0, thing), thing)


@pytest.mark.parametrize("name", each(INSERTS, "error"))
def test_insert_into_no_list(mod, name, no_leak):
    insert, thing = getattr(mod, name), object()
    for wrong in NO_LISTS:
        with pytest.raises(SystemError):
            insert(wrong, 0, thing)
    no_leak(lambda: attempt(insert, (), 0, thing), thing)
