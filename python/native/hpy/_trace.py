"""Trace mode where the interpreter has HPy itself: what `hpy.universal._trace` is on CPython."""

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


def set_trace_functions(**functions):
    """Raise NotImplementedError: calling Python around each call is for CPython."""
    if any(function is not None for function in functions.values()):
        raise NotImplementedError(
            "hpy.trace.set_trace_functions works on CPython only; counts, times and recordings "
            "are here as well"
        )
