"""Measure what traces of handles cost in debug mode.

Usage: measure.py LIBRARY [all], a library made of traces.c. Prints the microseconds that a trace of
16 frames takes the processor, and the megabytes that the process grew by at most when a million
traced handles were opened and closed; with `all`, when first all were opened.
"""

import resource
import sys
import time
from importlib.machinery import ModuleSpec

from hpy.universal import _debug

from hpy import universal

FRAMES = 16
MANY = 1_000_000


def seconds(function, *arguments):
    """How long a call works, at best."""
    best = float("inf")
    for _ in range(7):
        begin = time.process_time()
        function(*arguments)
        best = min(best, time.process_time() - begin)
    return best


def main():
    """Measure."""
    path = sys.argv[1]
    module = universal.load("traces", path, ModuleSpec("traces", None, origin=path), debug=True)
    times = 20_000
    plain = seconds(module.one_by_one, times, FRAMES)
    _debug.set_handle_stack_trace_limit(FRAMES)
    traced = seconds(module.one_by_one, times, FRAMES)
    # A handle has two: of where it was opened, and of where it was closed.
    microseconds = (traced - plain) / times / 2 * 1e6
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.argv[2:] == ["all"]:
        module.all_at_once(MANY)
    else:
        module.one_by_one(MANY, FRAMES)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{microseconds:.2f} {grown / 1024:.0f}")


main()
