"""Trace mode where the interpreter has HPy itself: what `hpy.universal._trace` is on CPython."""

import sys
from types import SimpleNamespace

_native = None
"""The native half; :func:`start` sets it."""


def start(native):
    """Use the native half."""
    global _native
    _native = native


def get_call_counts():
    """Give how often each function of the API was called, by the name of the context's member."""
    return {name: calls for name, calls, _ in _native.trace_sums()}


def get_durations():
    """Give how many nanoseconds all calls of each function took."""
    return {name: duration for name, _, duration in _native.trace_sums()}


def get_frequency():
    """Tell how many ticks a second has on the clock that times the calls."""
    return _native.trace_clock()[0]


def reading_time():
    """Tell how many nanoseconds it takes to read that clock."""
    return _native.trace_clock()[1] / 1000


def set_timing(on):
    """Set whether calls are timed; otherwise they are only counted."""
    _native.trace_timing(bool(on))


def is_timing():
    """Tell whether calls are timed."""
    return _native.trace_timing(None)


def snapshot():
    """Give all that was counted: the functions of the API, and those of the extensions."""
    return _native.trace_snapshot()


def record_events(limit):
    """Begin to record each call, up to `limit` of each thread; 0 ends it."""
    _native.trace_record(limit)


def recording():
    """Give what was recorded: the calls, how many found no place, and the limit."""
    return _native.trace_recording()


_AS_IT_IS = object()
_functions = {"enter": None, "exit": None}


def set_trace_functions(on_enter=_AS_IT_IS, on_exit=_AS_IT_IS):
    """Set what is called before and after each call of the API, with the context's member's name.

    None calls nothing; an argument that is left out leaves the function as it is. Calls that the
    functions cause are not shown to them, nor are the moments at which a thread has left Python:
    after `ctx_LeavePythonExecution` and before `ctx_ReenterPythonExecution`.
    """
    new = {"enter": on_enter, "exit": on_exit}
    new = {moment: function for moment, function in new.items() if function is not _AS_IT_IS}
    for function in new.values():
        if function is not None and not callable(function):
            raise TypeError("a trace function must be callable, or None")
    _functions.update(new)
    watched = any(function is not None for function in _functions.values())
    _native.trace_watch(_call if watched else None)


def _call(moment, name):
    """Call what was set; an exception must not take the place of one that is there already."""
    function = _functions[moment]
    if function is None:
        return
    try:
        function(name)
    except BaseException:
        kind, value, traceback = sys.exc_info()
        info = {"exc_type": kind, "exc_value": value, "exc_traceback": traceback}
        sys.unraisablehook(SimpleNamespace(**info, err_msg=None, object=function))
