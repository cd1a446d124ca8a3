"""Time the import of an extension.

Usage: measure.py LIBRARY. Prints two medians in microseconds: of the first import in a process, and
of one in a process that has imported `hpy.universal`.
"""

import statistics
import subprocess
import sys

PROCESSES = 15

# What importing needs is there before, but for `hpy.universal` in the first case.
CHILD = """
import sys, time
sys.path.insert(0, {benches!r})
from loading import load
if {loaded}:
    try:
        import hpy.universal
    except ImportError:
        pass
began = time.perf_counter()
load({library!r})
print(1e6 * (time.perf_counter() - began))
"""


def median(library, loaded):
    benches = sys.path[0].rpartition("/")[0]
    child = CHILD.format(benches=benches, library=library, loaded=loaded)
    runs = [subprocess.check_output([sys.executable, "-c", child]) for _ in range(PROCESSES)]
    return statistics.median(map(float, runs))


print(median(sys.argv[1], False), median(sys.argv[1], True))
