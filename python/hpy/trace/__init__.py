"""Trace mode: counts and times every call between Python and extensions that are loaded with it.

`HPY=trace python script.py` loads every universal extension in trace mode; no rebuild is needed.
"""

import hpy.universal

if not hasattr(hpy.universal, "_trace"):
    raise ImportError(
        "hpy.trace is for the main interpreter of the process. It has the counts of all "
        "interpreters; HPY=trace in the environment puts modules into trace mode in all of them."
    )

from hpy.universal._trace import (
    get_call_counts,
    get_durations,
    get_frequency,
    is_timing,
    set_timing,
    set_trace_functions,
)

from hpy.trace._events import chrome, record
from hpy.trace._report import Collected, collect, report

__all__ = [
    "Collected",
    "chrome",
    "collect",
    "get_call_counts",
    "get_durations",
    "get_frequency",
    "is_timing",
    "record",
    "report",
    "set_timing",
    "set_trace_functions",
]
