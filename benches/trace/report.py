"""Trace examples/json at work on a document of a few hundred kilobytes, and print the report.

Usage: report.py LIBRARY [PAGE], the compiled examples/json/hpyjson.c for the Universal ABI. PAGE is
the file for the report as a page.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "examples/json")]

import documents  # noqa: E402
from loading import load  # noqa: E402

from hpy import trace  # noqa: E402

TIMES = 3


def main():
    """Read and write the document some times."""
    hpyjson = load(sys.argv[1], "trace")
    text = documents.make("records")
    with trace.collect() as t:
        for _ in range(TIMES):
            hpyjson.dumps(hpyjson.loads(text), sort_keys=True)
    print(f"hpyjson: a document of {len(text):,} bytes, {TIMES} times read and written\n")
    t.report()
    if sys.argv[2:]:
        t.report("html", sys.argv[2])


if __name__ == "__main__":
    main()
