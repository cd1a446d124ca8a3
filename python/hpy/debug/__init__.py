"""Debug mode: checks every use of a handle in extensions that are loaded with it.

`HPY=debug python script.py` loads every universal extension in debug mode; no rebuild is needed.
"""

import hpy.universal

if not hasattr(hpy.universal, "_debug"):
    raise ImportError(
        "hpy.debug is for the main interpreter of the process. HPY=debug in the environment puts "
        "modules into debug mode in all interpreters."
    )

from hpy.universal import _debug

from hpy.debug.leakdetector import HPyDebugError, HPyLeakError, LeakDetector
from hpy.debug.report import LeakGroup, LeakReport, leaks

__all__ = [
    "HPyDebugError",
    "HPyLeakError",
    "LeakDetector",
    "LeakGroup",
    "LeakReport",
    "disable_handle_stack_traces",
    "leaks",
    "new_generation",
    "report_faults",
    "set_action",
    "set_handle_stack_trace_limit",
]


def new_generation():
    """Begin a generation of handles and return its number, for `leaks(since=...)`."""
    return _debug.new_generation()


def set_action(action):
    """Set what is done about a finding: "abort", "warn" or "raise", as HPY_DEBUG_ACTION has it."""
    _debug.set_action(action)


def report_faults():
    """Say what is wrong when a fault ends the process because memory of an object is misused.

    Memory that an extension got from a handle (`HPyUnicode_AsUTF8AndSize` and its like) cannot be
    read once the handle is closed, and never be written to. Where the environment variables HPY,
    HPY_DEBUG_ACTION or HPY_DEBUG_TRACES ask for debug mode, and with the pytest plugin, this has
    been called already; a program that calls `hpy.universal.load(debug=True)` itself calls it.
    """
    _debug._report_faults()


def set_handle_stack_trace_limit(limit, every=1):
    """Capture up to `limit` C frames whenever an extension opens or closes a handle.

    Of `every` handles one is traced, by chance. Messages and the repr of handles show the frames.
    Before the first call nothing is captured, unless the environment variable HPY_DEBUG_TRACES says
    so.
    """
    _debug.set_handle_stack_trace_limit(limit, every)


def disable_handle_stack_traces():
    """Capture no more C frames."""
    _debug.set_handle_stack_trace_limit(None)
