"""Import the universal hpyjson in the Python that runs this, and try it: anywhere.py DIR.

It needs nothing but that Python: the same file is for each that hosts HPy.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

RECORDS = [
    {"id": i, "name": f"user{i}", "score": i / 7, "tags": ["a", "é", None, True]}
    for i in range(2000)
]


def best(function, argument):
    """Give the shortest of five times, in milliseconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main(directory):
    """Check the module against the standard library's, and time both."""
    sys.path.insert(0, directory)
    import hpyjson

    path = Path(hpyjson.__file__)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    print(f"  {sys.implementation.name}: {path.name}, sha256 {digest}…")
    text = json.dumps(RECORDS)
    assert hpyjson.loads(text) == RECORDS
    assert hpyjson.dumps(RECORDS) == text
    for name, argument in [("loads", text), ("dumps", RECORDS)]:
        own, other = best(getattr(hpyjson, name), argument), best(getattr(json, name), argument)
        print(f"  {name}: {own:.1f} ms, with the standard library's json {other:.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1])
