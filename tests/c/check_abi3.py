"""check_abi3.py FOLDER: uses the abi3 libraries of test_abi3.py on this interpreter."""

import gc
import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
NAMES = sorted(path.name.partition(".")[0] for path in Path(sys.argv[1]).iterdir())


def check_nodes(abi3):
    Node = abi3.Node
    before = abi3.counts()
    assert abi3.call(Node(1, 2), 3, 4, five=5) == (2, 2, 1)
    assert Node(*range(20), a=1)(*range(20)) == (120, 20, 0)
    assert [a - b for a, b in zip(abi3.counts(), before)] == [2, 2]
    assert not [name for name in dir(Node) if "hpy" in name or "vectorcall" in name]

    saved = []
    Node(saved)  # its finalizer puts it into the list, and runs no second time
    assert [node.number for node in saved] == [-1]
    assert [a - b for a, b in zip(abi3.counts(), before)] == [3, 2]
    saved.clear()
    assert [a - b for a, b in zip(abi3.counts(), before)] == [3, 3]

    class Derived(Node):
        pass

    cycle = Derived([])
    cycle.attribute = cycle
    del cycle
    gc.collect()
    chain = None
    for _ in range(100_000):
        chain = Node(chain)
    del chain
    assert [a - b for a, b in zip(abi3.counts(), before)] == [100_004, 100_004]


def check_builtins(abi3):
    before = abi3.counts()[1]
    thing = object()
    count = sys.getrefcount(thing)
    values = {"Float": 2.5, "Str": "caf\xe9", "Tuple": (1, 2, 3), "List": [1, 2], "Dict": {1: 2}}
    for name, value in values.items():
        extended = getattr(abi3, name)(value)
        extended.object = thing
        assert (extended, extended.object) == (value, thing)

        class Python(type(extended)):
            pass

        python = Python(value)
        python.object = python.attribute = thing
        assert (python, python.object) == (value, thing)
        del extended, python
    gc.collect()
    assert abi3.counts()[1] - before == 2 * len(values)
    assert sys.getrefcount(thing) == count


def check_abi3_types(abi3):
    assert abi3.text("caf\xe9") == b"caf\xc3\xa9"
    assert (abi3.build(), abi3.build(1, "a")) == ((), (1, "a"))
    check_nodes(abi3)
    check_builtins(abi3)


def check_hpyjson(hpyjson):
    document = {"a": [1, 2.5, None, True, "caf\xe9\u2028"], "b": {"c": [{}], "d": -(10**30)}}
    assert hpyjson.loads(json.dumps(document)) == document
    assert json.loads(hpyjson.dumps(document)) == document


def check_points(points):
    point = points.Point(3.0, 4.0)
    assert point.distance(points.Point(0.0, 0.0)) == 5.0
    assert memoryview(point).tolist() == [3.0, 4.0]


for name in NAMES:
    globals()["check_" + name](__import__(name))
    print(name)
print("done")
