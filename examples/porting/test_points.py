"""One test file for every step of the port: to users, the module stays what it is."""

import copy
import gc
import operator
import pickle
import struct
import sys

import pytest


@pytest.fixture
def point(points):
    return points.Point(3, 4, label="P")


def test_construction(points):
    point = points.Point(3, 4.5, label="P")
    assert point.coords == (3.0, 4.5)
    assert (point.dimensions, point.label) == (2, "P")
    assert points.Point().coords == ()
    assert points.Point(1).label is None
    assert points.Point.__doc__ == "Point(*coords, label=None)"
    assert points.__doc__ == "Points with any number of dimensions."
    assert (points.Point.__name__, points.Point.__module__) == ("Point", "points")


def test_construction_fails(points):
    with pytest.raises(TypeError):
        points.Point(1, "two")
    with pytest.raises(TypeError):
        points.Point(1, name="P")
    with pytest.raises(OverflowError):
        points.Point(10**400)


def test_members(points, point):
    point.label = label = ["any object"]
    assert point.label is label
    del point.label
    with pytest.raises((AttributeError, TypeError)):
        point.dimensions = 3
    with pytest.raises(AttributeError):
        point.coords = (1, 2)
    assert points.Point.label.__doc__ == "any object"
    assert points.Point.coords.__doc__ == "the coordinates as a tuple"


def test_methods(points, point):
    assert point.distance(points.Point(0, 0)) == 5.0
    point.move(1, 0.5)
    assert point.coords == (3.0, 4.5)
    assert points.Point.distance.__doc__ == "the distance to another point"
    with pytest.raises(TypeError, match="needs a Point"):
        point.distance((0, 0))
    with pytest.raises(ValueError, match="points of 2 and 3 dimensions"):
        point.distance(points.Point(1, 2, 3))
    with pytest.raises(IndexError, match="no such axis"):
        point.move(2, 1)
    with pytest.raises(TypeError):
        point.move(0)


def test_operators(points, point):
    other = points.Point(1, 0.5)
    assert (point + other).coords == (4.0, 4.5)
    assert (point - other).coords == (2.0, 3.5)
    assert (point * 2).coords == (2 * point).coords == (6.0, 8.0)
    assert (-point).coords == (-3.0, -4.0)
    assert abs(point) == 5.0
    assert point
    assert not points.Point(0, 0)
    assert repr(point) == "Point(3.0, 4.0)"


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_operators_fail(points, point, operation):
    with pytest.raises(TypeError):
        operation(point, "text")
    with pytest.raises(TypeError):
        operation("text", point)
    if operation is not operator.mul:
        with pytest.raises(ValueError, match="points of 2 and 1 dimensions"):
            operation(point, points.Point(1))
    else:
        with pytest.raises(TypeError):
            operation(point, point)
        with pytest.raises(OverflowError):
            operation(point, 10**400)


def test_comparison(points, point):
    assert point == points.Point(3, 4)
    assert point != points.Point(3, 5)
    assert point != points.Point(3, 4, 0)
    assert point != (3, 4)
    with pytest.raises(TypeError):
        point < point  # noqa: B015
    with pytest.raises(TypeError):
        hash(point)


def test_sequence(points, point):
    assert len(point) == 2
    assert (point[0], point[-1]) == (3.0, 4.0)
    assert list(point) == [3.0, 4.0]
    point[1] = 7
    assert point.coords == (3.0, 7.0)
    with pytest.raises(IndexError, match="no such coordinate"):
        point[2]
    with pytest.raises(IndexError, match="no such coordinate"):
        point[2] = 0
    with pytest.raises(TypeError, match="cannot be deleted"):
        del point[0]
    with pytest.raises(TypeError):
        point[0] = "text"


def test_buffer(points, point):
    with memoryview(point) as view:
        assert (view.format, view.shape, view.strides) == ("d", (2,), (8,))
        assert view.tolist() == [3.0, 4.0]
        view[0] = 0.5
    assert point.coords == (0.5, 4.0)
    assert bytes(point) == struct.pack("dd", 0.5, 4)
    assert memoryview(points.Point()).shape == (0,)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickling(points, point, protocol):
    again = pickle.loads(pickle.dumps(point, protocol))
    assert type(again) is points.Point
    assert (again.coords, again.label) == (point.coords, "P")
    point.label = [point]  # a point that is its own label
    again = pickle.loads(pickle.dumps(point, protocol))
    assert again.label[0] is again


def test_copying(points, point):
    point.label = []
    shallow, deep = copy.copy(point), copy.deepcopy(point)
    assert shallow.label is point.label
    assert deep.label is not point.label
    assert shallow == deep == point
    for wrong in ((), (1, 2), "text"):
        with pytest.raises(TypeError):
            point.__setstate__(wrong)


def test_subclass(points):
    class Named(points.Point):
        def name(self):
            return self.label.upper()

    named = Named(1, 2, label="p")
    assert named.name() == "P"
    assert copy.copy(named).name() == "P"
    assert type(named + named) is points.Point
    named.attribute = named


def test_centroid(points):
    point = points.Point
    assert points.centroid([point(0, 0), point(4, 8)]) == point(2, 4)
    assert points.centroid((point(1, 2, 3),)) == point(1, 2, 3)
    with pytest.raises(ValueError, match="the centroid of no points"):
        points.centroid([])
    with pytest.raises(TypeError, match="needs a sequence of Points"):
        points.centroid([point(1), 2])
    with pytest.raises(ValueError, match="points of 1 and 2 dimensions"):
        points.centroid([point(1), point(1, 2)])
    with pytest.raises(TypeError):
        points.centroid(42)


def test_cycles_are_collected(points):
    class Label:
        deleted = False

        def __del__(self):
            Label.deleted = True

    label = Label()
    label.point = points.Point(1, label=label)
    del label
    gc.collect()
    assert Label.deleted


def all_of_it(points, label):
    """Runs through all functions, and the failures of most."""
    point = points.Point(3, 4, label=label)
    point.label = label
    other = pickle.loads(pickle.dumps(copy.copy(point)))
    results = [point + other, point - other, 2 * point, -point, abs(point), repr(point)]
    results += [point == other, len(point), *point, point.distance(other), point.coords]
    results += [bytes(point), memoryview(point), points.centroid(results[:4])]
    point.move(0, 1)
    point[1] = 2
    for fail in (
        lambda: points.Point("text"),
        lambda: points.Point(1, label=label, other=1),
        lambda: point + points.Point(1),
        lambda: point * "text",
        lambda: point.distance(None),
        lambda: point.move(9, 1),
        lambda: points.centroid([point, None]),
        lambda: point[7],
        lambda: point.__setstate__(()),
    ):
        with pytest.raises((TypeError, ValueError, IndexError)):
            fail()


@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="needs reference counts")
def test_no_leak(points):
    label = ("label",)

    class Derived(points.Point):
        pass

    def run():
        points.Point(1, label=label)
        for cls in (points.Point, Derived):
            cycle = cls(1)
            cycle.label = [cycle, label]
        all_of_it(points, label)

    def references():
        gc.collect()
        return [sys.getrefcount(thing) for thing in (label, points.Point, Derived)]

    # The interpreter's caches grow too, but not again and again with every run.
    for _ in range(4):
        before, blocks = references(), sys.getallocatedblocks()
        for _ in range(200):
            run()
        assert references() == before
        grown = sys.getallocatedblocks() - blocks
        if grown < 180:
            return
    pytest.fail(f"200 runs leave {grown} memory blocks behind")
