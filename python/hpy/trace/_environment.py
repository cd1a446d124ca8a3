"""What the environment asks of trace mode."""

import atexit
import os

from hpy.universal import _trace

from hpy.trace import _events, _report

TIME_LINE = ".trace.json"
"""The suffix of a file for the viewers of time lines."""


def invalid(variable, value, advice):
    """Give the exception for a variable that cannot be understood."""
    return ValueError(f"Invalid environment variable {variable}={value!r}. {advice}")


def apply():
    """Do what the variables say. The first extension that is loaded in trace mode calls it."""
    timing = os.environ.get("HPY_TRACE_TIMING", "")
    if timing not in ("", "0", "1"):
        raise invalid("HPY_TRACE_TIMING", timing, "Use 0, to count only, or 1.")
    if timing:
        _trace.set_timing(timing == "1")
    limit = os.environ.get("HPY_TRACE_EVENTS", "")
    if limit:
        if not limit.isdecimal():
            advice = "Use the number of calls of each thread to record, or 0."
            raise invalid("HPY_TRACE_EVENTS", limit, advice)
        _trace.record_events(int(limit))
    path = os.environ.get("HPY_TRACE_REPORT", "")
    if path:
        write = writer(path)
        if path.endswith(TIME_LINE) and not limit:
            _events.record()
        atexit.register(write)


def writer(path):
    """Give what writes the report when the process ends, in the format that the suffix says."""
    # Each process of several writes a file of its own.
    path = path.replace("{pid}", str(os.getpid()))
    if path.endswith(TIME_LINE):
        return lambda: _events.chrome(path)
    suffix = os.path.splitext(path)[1]
    if suffix not in _report.SUFFIXES:
        known = ", ".join([*_report.SUFFIXES, TIME_LINE])
        raise invalid("HPY_TRACE_REPORT", path, f"Use a path that ends with one of {known}.")
    return lambda: _report.report(_report.SUFFIXES[suffix], path)
