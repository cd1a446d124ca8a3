"""Imports the compiled examples and calls them 100,000 times: check_leaks.py FOLDER.

No handle may stay open, no object may stay behind, and a cycle through C is collected.
"""

import gc
import sys

import hpy.universal

CALLS = 100_000


def resident():
    """Return the memory of the process in kB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def counts():
    """Count objects and open handles."""
    gc.collect()
    return len(gc.get_objects()), hpy.universal._open_handles()


def grown_by(function):
    """Call a function many times; return by how much the process has grown, in kB."""
    before = resident()
    for _ in range(CALLS):
        function()
    return resident() - before


def check(name, function):
    """Call a function until what it keeps would show."""
    for _ in range(1000):
        function()
    objects, handles = counts()
    grown = grown_by(function)
    objects_after, handles_after = counts()
    print(
        f"{name}: {objects_after - objects} objects, {handles_after - handles} handles, {grown} kB"
    )
    assert handles_after == handles
    assert objects_after - objects < 100
    # A leak of one word a call is 800 kB each time; the allocator goes up and down.
    assert grown < 600 or sum(grown_by(function) for _ in range(5)) < 5 * 600


def use_json(module):
    text = '{"a": [1, 2.5, null, true, "text"], "b": {"c": "é"}}'
    value = module.loads(text)
    assert module.loads(module.dumps(value)) == value


def use_points(module):
    point = module.Point(1.0, 2.0)
    other = point + module.Point(3.0, 4.0)
    assert other.coords == (4.0, 6.0)
    assert point != other and repr(other)
    point.label = [point]


def use_everything(module):
    thing = module.Thing()
    thing.item = [thing]
    assert thing() == (thing, (), None)
    assert module.several(1, 2) == (1, 2)
    module.capsule()
    memoryview(module.Slots()).release()


def main(folder):
    sys.path.insert(0, folder)
    import everything
    import hpyjson
    import points

    check("hpyjson", lambda: use_json(hpyjson))
    check("points", lambda: use_points(points))
    check("everything", lambda: use_everything(everything))


if __name__ == "__main__":
    main(*sys.argv[1:])
