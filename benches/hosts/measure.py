"""Time the same code as a C API extension and as a universal one, on an interpreter with a JIT.

Usage: measure.py CMICRO HPYMICRO CJSON HPYJSON, four shared libraries. Prints a row for each
measurement: name, nanoseconds of the C API, nanoseconds of HPy.

Each measurement has a loop of its own, so that a JIT sees one callee in it, and is warmed up before
it is timed. Both modules take turns; a row is the medians of the turns.
"""

import gc
import json
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "examples" / "json")]
import documents  # noqa: E402
from loading import load  # noqa: E402

TURNS = 3
TURN = 0.05
"""Seconds that a turn takes at least."""
SHAPES = {
    "a function with no argument": "m.no_argument()",
    "one object": "m.one_object(items)",
    "two objects": "m.two_objects(items, items)",
    "two objects to a function with keywords": "m.keywords(items, items)",
    "two parsed longs": "m.two_longs(1000, 2000)",
    "method with no argument": "point.sum()",
    "attribute by getter": "point.double",
    "attribute of a member": "point.x",
    "`+`": "point + point",
    "`len()`": "len(point)",
    "`x[key]`": "point[items]",
    "call of an instance": "node(items)",
    "object creation": "m.Point()",
    "100 times GetAttr_s": "m.get_attr_s(owner, None, 100)",
    "100 times GetItem_i of a list": "m.get_item_i(items, None, 100)",
    "100 times Long_FromLong": "m.long_from(None, None, 100)",
}


class Owner:
    """Has what `GetAttr_s` asks for."""

    attribute = 1


def make_loop(expression):
    """Give a function that evaluates the expression `n` times."""
    source = (
        f"def loop(n, m, point, node, items, owner):\n    for _ in range(n):\n        {expression}"
    )
    names = {}
    exec(source, names)
    return names["loop"]


def timed(loop, n, arguments):
    """Give the seconds that the process itself worked for `n` rounds."""
    began = time.process_time()
    loop(n, *arguments)
    return time.process_time() - began


def rounds(loop, arguments):
    """Warm the loop up, and give how many rounds a turn has."""
    n = 1
    while timed(loop, n, arguments) < TURN:
        n *= 2
    timed(loop, n, arguments)
    return n


def compare(name, loops, arguments):
    """Print the row of one measurement."""
    counts = [rounds(loop, given) for loop, given in zip(loops, arguments)]
    turns = [[], []]
    for _ in range(TURNS):
        gc.collect()
        for found, loop, n, given in zip(turns, loops, counts, arguments):
            found.append(timed(loop, n, given) / n)
    c, hpy = (statistics.median(found) * 1e9 for found in turns)
    print(f"{name}\t{c:.1f}\t{hpy:.1f}", flush=True)


def main():
    """Load the libraries and measure."""
    c, hpy, c_json, hpy_json = map(load, sys.argv[1:5])
    items = [None] * 10
    arguments = [(m, m.Point(), m.Node(), items, Owner()) for m in (c, hpy)]
    for name, expression in SHAPES.items():
        try:
            make_loop(expression)(1, *arguments[0])
        except (AttributeError, TypeError):
            continue  # the C API of this interpreter does not have what it needs
        compare(name, [make_loop(expression) for _ in arguments], arguments)
    name = "records"
    text = documents.make(name)
    document = json.loads(text)
    for what, expression in (("reading", "m.loads(point)"), ("writing", "m.dumps(node)")):
        given = [(m, text, document, None, None) for m in (c_json, hpy_json)]
        compare(f"JSON {what}, {name}", [make_loop(expression) for _ in given], given)


if __name__ == "__main__":
    main()
