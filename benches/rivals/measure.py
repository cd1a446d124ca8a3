"""Run the functions that every tool can make, N and 2N times, for callgrind to count.

Usage: measure.py LIBRARY REPEAT. Prints N and the name of each row.
"""

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from loading import load

TIMES = 1000


def main():
    """Make each measurement twice: for N and for 2N."""
    module, repeat = load(sys.argv[1]), load(sys.argv[2]).repeat
    module = getattr(module, "lib", module)  # cffi
    calls = [("no argument", "no_argument", ()), ("two longs", "two_longs", (1000, 2000))]
    if hasattr(module, "Point"):
        calls += [("one object", "one_object", ([],)), ("object creation and release", "Point", ())]
    rows = [(row, getattr(module, name), arguments) for row, name, arguments in calls]
    if hasattr(module, "Point"):
        rows.append(("method with no argument", module.Point.sum, (module.Point(),)))
    gc.disable()
    for row, function, arguments in rows:
        for n in (TIMES, 2 * TIMES):
            repeat(function, arguments, (), n, None)
        print(f"{TIMES}\t{row}")


main()
