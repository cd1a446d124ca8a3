"""Debug mode: checks every use of a handle in extensions that are loaded with it.

`HPY=debug python script.py` loads every universal extension in debug mode; no rebuild is needed.
"""

from hpy.universal import _debug

from hpy.debug.leakdetector import HPyDebugError, HPyLeakError, LeakDetector

__all__ = [
    "HPyDebugError",
    "HPyLeakError",
    "LeakDetector",
    "disable_handle_stack_traces",
    "set_handle_stack_trace_limit",
]


def set_handle_stack_trace_limit(limit):
    """Capture up to `limit` C frames whenever an extension opens or closes a handle.

    Messages and the repr of handles show them. Before the first call nothing is captured, unless
    the environment variable HPY_DEBUG_TRACES has a number.
    """
    _debug.set_handle_stack_trace_limit(limit)


def disable_handle_stack_traces():
    """Capture no more C frames."""
    _debug.set_handle_stack_trace_limit(None)
