"""Trackers: handles that are closed together."""

import sys
import weakref
from functools import partial

import pytest
import support
from outcomes import attempt, cpythons_test_module, functions, raises_memory_error

SOURCE = r"""
/* Adds handles of args[1], as many as args[2] says, to a tracker of the size args[0]. */
FUNCTION(HPyTracker_Add,
    HPyTracker tracker = HPyTracker_New(ctx, size(ctx, args[0]));
    if (failed(ctx, HPy_IsNull(tracker)))
        return HPy_NULL;
    int status = 0;
    for (HPy_ssize_t n = size(ctx, args[2]); n > 0 && status == 0; n--)
        status = HPyTracker_Add(ctx, tracker, HPy_Dup(ctx, args[1]));
    int error = failed(ctx, status == -1);
    HPyTracker_Close(ctx, tracker);
    return error ? HPy_NULL : HPyLong_FromLong(ctx, status);)

/* A tuple of handles that a tracker had, and forgot before it was closed. */
FUNCTION(HPyTracker_ForgetAll,
    HPy handles[3];
    HPyTracker tracker = HPyTracker_New(ctx, 0);
    for (int i = 0; i < 3; i++) {
        handles[i] = HPy_Dup(ctx, args[i]);
        HPyTracker_Add(ctx, tracker, handles[i]);
    }
    HPyTracker_ForgetAll(ctx, tracker);
    HPyTracker_ForgetAll(ctx, tracker);
    HPyTracker_Add(ctx, tracker, HPy_Dup(ctx, args[0]));
    HPyTracker_Close(ctx, tracker);
    HPy result = HPyTuple_FromArray(ctx, handles, 3);
    for (int i = 0; i < 3; i++)
        HPy_Close(ctx, handles[i]);
    return result;)

/* A tuple of new handles, none of which is a null handle that was closed. */
FUNCTION(HPyTracker_Close,
    HPy handles[3];
    HPyTracker none = {0};
    HPyTracker_Close(ctx, none);
    HPyTracker empty = HPyTracker_New(ctx, 3);
    HPyTracker_Close(ctx, empty);
    HPyTracker tracker = HPyTracker_New(ctx, 2);
    HPyTracker_Add(ctx, tracker, HPy_NULL);
    HPyTracker_Add(ctx, tracker, HPy_Dup(ctx, args[0]));
    HPyTracker_Add(ctx, tracker, HPy_NULL);
    HPyTracker_Close(ctx, tracker);
    for (int i = 0; i < 3; i++)
        handles[i] = HPy_Dup(ctx, args[0]);
    HPy result = HPyTuple_FromArray(ctx, handles, 3);
    for (int i = 0; i < 3; i++)
        HPy_Close(ctx, handles[i]);
    return result;)

/* The tracker has the only handle of what the call gives. */
FUNCTION(close_the_last,
    HPyTracker tracker = HPyTracker_New(ctx, 0);
    HPyTracker_Add(ctx, tracker, HPy_CallTupleDict(ctx, args[0], HPy_NULL, HPy_NULL));
    HPyTracker_Close(ctx, tracker);
    return HPy_Dup(ctx, ctx->h_None);)

FUNCTION(close_after_an_exception,
    HPyTracker tracker = HPyTracker_New(ctx, 0);
    HPyTracker_Add(ctx, tracker, HPy_Dup(ctx, args[0]));
    HPyErr_SetString(ctx, ctx->h_LookupError, "stays");
    HPyTracker_Close(ctx, tracker);
    return HPy_NULL;)
"""


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyTracker_New", "HPyTracker_Add", "HPyTracker_Close")
def test_tracked_handles_are_closed(mod, no_leak):
    class Value:
        pass

    values = []
    for size in (0, 1, 5, 100):
        for count in (0, 1, 2, 5, 6, 7, 100, 1000):
            value = Value()
            values.append(weakref.ref(value))
            assert mod.HPyTracker_Add(size, value, count) == 0
            assert values[-1]() is value
    del value
    support.settle()
    assert [gone() for gone in values] == [None] * len(values)
    value = object()
    no_leak(lambda: mod.HPyTracker_Add(0, value, 50), value)


@pytest.mark.api("HPyTracker_New", case="error")
def test_new_fails(mod, no_leak):
    for size in (-1, -support.SSIZE_MAX - 1):
        with pytest.raises(ValueError, match="HPyTracker_New"):
            mod.HPyTracker_Add(size, None, 0)
    for size in (support.SSIZE_MAX, support.SSIZE_MAX // 8, support.SSIZE_MAX // 8 - 3):
        with pytest.raises(MemoryError):
            mod.HPyTracker_Add(size, None, 0)
    assert raises_memory_error(partial(mod.HPyTracker_Add, 0, None, 0))
    no_leak(lambda: attempt(mod.HPyTracker_Add, -1, None, 0))
    no_leak(lambda: attempt(mod.HPyTracker_Add, support.SSIZE_MAX, None, 0))


@pytest.mark.api("HPyTracker_Add", case="error")
def test_no_handle_is_lost_when_there_is_no_memory(mod):
    """Whichever allocation fails: what was added is closed."""
    testcapi = cpythons_test_module()
    value = object()
    before = sys.getrefcount(value)

    def succeeds(allocations):
        testcapi.set_nomemory(allocations)
        try:
            return mod.HPyTracker_Add(1, value, 50) == 0
        except MemoryError:
            return False
        finally:
            testcapi.remove_mem_hooks()

    allocations = 0
    while not succeeds(allocations):
        assert sys.getrefcount(value) == before
        allocations += 1
    assert allocations > 1, "no handle was added before memory ran out"


@pytest.mark.api("HPyTracker_ForgetAll")
def test_forgotten_handles_stay_open(mod, no_leak):
    values = [object(), object(), []]
    assert mod.HPyTracker_ForgetAll(*values) == tuple(values)
    no_leak(lambda: mod.HPyTracker_ForgetAll(*values), *values)


@pytest.mark.api("HPyTracker_Close", "HPyTracker_Add")
def test_nothing_to_close(mod, no_leak):
    value = object()
    assert mod.HPyTracker_Close(value) == (value, value, value)
    no_leak(lambda: mod.HPyTracker_Close(value), value)


@pytest.mark.api("HPyTracker_Close")
def test_closing_may_run_python_code(mod, no_leak):
    ran = []

    class Dying:
        def __del__(self):
            ran.append(mod.HPyTracker_Add(0, self, 20))

    assert mod.close_the_last(Dying) is None
    support.settle()
    assert ran == [0]
    no_leak(lambda: mod.close_the_last(object))


@pytest.mark.api("HPyTracker_Close")
def test_an_exception_survives_closing(mod, no_leak):
    value = object()
    with pytest.raises(LookupError, match="stays"):
        mod.close_after_an_exception(value)
    no_leak(lambda: attempt(mod.close_after_an_exception, value), value)
