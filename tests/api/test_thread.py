"""Leaving Python, so that other threads run meanwhile."""

import threading

import pytest
from outcomes import attempt, functions

SOURCE = r"""
#include <time.h>

/* Set by a Python thread, watched by a C loop that has left Python. */
static volatile int flag;
static volatile int outside;

FUNCTION(set_flag, flag = (int)size(ctx, args[0]); return HPy_Dup(ctx, ctx->h_None);)
FUNCTION(is_outside, return HPyBool_FromBool(ctx, outside);)

/* Whether the flag was set; not for ever, because Python stands still if it was not left. */
static int wait_for_flag(void)
{
    time_t end = time(NULL) + 10;
    outside = 1;
    while (!flag && time(NULL) < end) {
    }
    outside = 0;
    return flag;
}

FUNCTION(wait_by_functions,
    HPyThreadState state = HPy_LeavePythonExecution(ctx);
    int seen = wait_for_flag();
    HPy_ReenterPythonExecution(ctx, state);
    return HPyBool_FromBool(ctx, seen);)

FUNCTION(wait_by_macros,
    int seen;
    HPy_BEGIN_LEAVE_PYTHON(ctx)
    seen = wait_for_flag();
    HPy_END_LEAVE_PYTHON(ctx)
    return HPyBool_FromBool(ctx, seen);)

/* A handle and an exception are still there afterwards; blocks may follow one another. */
FUNCTION(keeps,
    HPy kept = HPyTuple_Pack(ctx, 1, args[0]);
    HPy_BEGIN_LEAVE_PYTHON(ctx)
    HPy_END_LEAVE_PYTHON(ctx)
    HPy_BEGIN_LEAVE_PYTHON(ctx)
    HPy_END_LEAVE_PYTHON(ctx)
    return kept;)
FUNCTION(keeps_exception,
    HPyErr_SetString(ctx, ctx->h_LookupError, "kept");
    HPyThreadState state = HPy_LeavePythonExecution(ctx);
    HPy_ReenterPythonExecution(ctx, state);
    return HPy_NULL;)

FUNCTION(sum_outside,
    long sum = 0;
    long last = (long)size(ctx, args[0]);
    HPy_BEGIN_LEAVE_PYTHON(ctx)
    for (long i = 1; i <= last; i++)
        sum += i;
    HPy_END_LEAVE_PYTHON(ctx)
    return HPyLong_FromLong(ctx, sum);)
"""


@pytest.fixture
def mod(module):
    mod = module(*functions(SOURCE))
    mod.set_flag(0)
    return mod


@pytest.mark.api("HPy_LeavePythonExecution", "HPy_ReenterPythonExecution")
@pytest.mark.parametrize("name", ["wait_by_functions", "wait_by_macros"])
def test_other_threads_run(mod, name):
    """The function waits, with no Python, for what another thread does in Python."""
    results = []
    thread = threading.Thread(target=lambda: results.append(getattr(mod, name)()))
    thread.start()
    while not mod.is_outside() and thread.is_alive():
        pass
    mod.set_flag(1)
    thread.join()
    assert results == [True]


@pytest.mark.api("HPy_LeavePythonExecution", "HPy_ReenterPythonExecution")
def test_what_was_there_before_is_there_after(mod, no_leak):
    value = object()
    assert mod.keeps(value) == (value,)
    no_leak(lambda: mod.keeps(value), value)
    with pytest.raises(LookupError, match="kept"):
        mod.keeps_exception()
    no_leak(lambda: attempt(mod.keeps_exception))


@pytest.mark.api("HPy_LeavePythonExecution", "HPy_ReenterPythonExecution")
def test_many_threads_leave_and_come_back(mod):
    results = []

    def work():
        results.extend([mod.sum_outside(n) for n in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(8 * [n * (n + 1) // 2 for n in range(200)])
