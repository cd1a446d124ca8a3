"""Measure what trace mode adds to the time of one call of the API.

Usage: measure.py LIBRARY, the compiled benches/micro/hpymicro.c. Prints a row for each function of
the API: its name and the nanoseconds in universal mode, in trace mode that only counts, and in
trace mode, separated by tabs. All three are measured in one process, in turns.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from loading import load

from hpy import trace

ROUNDS = 41
TIMES = 20_000
ROWS = (
    # name, function of the library, its object, and how many calls of the API one iteration makes
    ("Is", "is_", [], 1),
    ("Dup and Close", "dup_close", [], 2),
    ("Long_AsLong", "long_as", 1000, 1),
    ("Length of a list", "length", [None] * 10, 1),
)


def iteration(function, argument):
    """Give the nanoseconds of one iteration of the loop in a function."""
    began = time.perf_counter_ns()
    function(argument, None, TIMES)
    return (time.perf_counter_ns() - began) / TIMES


def main():
    """Print the rows."""
    plain, traced = load(sys.argv[1]), load(sys.argv[1], "trace")
    for row, name, argument, calls in ROWS:
        times = [[], [], []]
        for _ in range(ROUNDS):
            trace.set_timing(False)
            times[0].append(iteration(getattr(plain, name), argument))
            times[1].append(iteration(getattr(traced, name), argument))
            trace.set_timing(True)
            times[2].append(iteration(getattr(traced, name), argument))
        # What disturbs a round makes it longer, never shorter.
        numbers = [min(rounds) / calls for rounds in times]
        print(row, *(f"{number:.1f}" for number in numbers), sep="\t")


if __name__ == "__main__":
    main()
