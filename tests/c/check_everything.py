"""Loads the module made from everything.c and uses all of it: check_everything.py PATH ABI [MODE].

It runs in a Python of its own, which may have another release of hpy.
"""

import gc
import importlib.machinery
import importlib.util
import itertools
import operator
import sys


def load(path, abi, mode):
    loader = importlib.machinery.ExtensionFileLoader("everything", path)
    spec = importlib.util.spec_from_file_location("everything", path, loader=loader)
    if abi not in ("cpython", "abi3", "abi3t"):
        import hpy.universal

        return hpy.universal.load("everything", path, spec, mode=mode)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def raises(exception, function, *args):
    try:
        function(*args)
    except exception as error:
        return error
    raise AssertionError(f"{function} did not raise {exception}")


IS_CPYTHON = sys.implementation.name == "cpython"

# PyPy 8 and GraalPy 25 know C structs only through their emulation of CPython's C API, which finds
# no cycle through one and an object of Python.
IS_PYPY_8 = getattr(sys, "pypy_version_info", (7,)) >= (8,)
IS_GRAALPY_25 = (sys.implementation.cache_tag or "").startswith("graalpy25")
COLLECTS_CYCLES = not (IS_PYPY_8 or IS_GRAALPY_25)


def collect():
    """Collects garbage. Without reference counts, an object may need several rounds."""
    for _ in range(1 if IS_CPYTHON else 5):
        gc.collect()


def check_methods(mod):
    assert mod.__doc__ == "Every kind of definition."
    assert mod.no_arguments() is mod
    assert mod.no_arguments.__doc__ == "Nothing in, the module out."
    assert mod.one.__doc__ is None
    assert mod.one(5) == (5,)
    assert mod.several() == ()
    assert mod.several(1, 2, 3) == (1, 2, 3)
    assert mod.several.__doc__ == "A tuple of all."
    assert mod.keywords(1) == (mod, (1,), None)
    assert mod.keywords(1, a=2, b=3) == (mod, (1, 2, 3), ("a", "b"))
    assert mod.capget() == 1234
    assert mod.keep("kept") == "kept"
    raises(TypeError, mod.no_arguments, 1)
    raises(TypeError, mod.one)


def check_capsule(mod):
    before = mod.capsules_freed()
    capsule = mod.capsule()
    assert "everything" in repr(capsule) or not IS_CPYTHON
    assert mod.capsules_freed() == before
    del capsule
    collect()
    assert mod.capsules_freed() == before + 1


def check_members(mod):
    thing = mod.Thing(40, 0)
    assert thing.number == 42
    assert thing.doubled == 84
    thing.number = 7
    assert thing.doubled == 14
    thing.written = 8
    assert thing.number == 8
    assert thing.word == 0 and thing.flag is False
    raises(AttributeError, setattr, thing, "real", 1.0)
    if sys.implementation.name != "pypy":  # there, to assign to what has no setter ends the process
        raises(AttributeError, setattr, thing, "doubled", 1)
    thing.real3 = 0.5
    assert thing.real == thing.real2 == thing.real4 == 0.5
    thing.real4 = 0.25
    assert thing.real == 0.25
    assert thing.item is None
    thing.item = "item"
    assert thing.item == "item"
    thing.item = [thing]
    assert thing.itself() is thing
    assert mod.Thing.word.__doc__ == "A word."
    assert mod.Thing.flag.__doc__ == "A flag."
    assert mod.Thing.doubled.__doc__ == "Twice the number."
    assert mod.Thing.item.__doc__ == "Any object."
    assert mod.Thing.real4.__doc__ == "The real number."
    assert mod.Thing.__doc__ == "Members and functions."
    thing.number = 0


def check_calls(mod):
    thing = mod.Thing()
    assert thing() == (thing, (), None)
    assert thing(1, a=2) == (thing, (1, 2), ("a",))
    thing.use_other_call()
    thing.number = 5
    assert thing(1, 2) == 7
    thing.number = 0


def check_lifetime(mod):
    collect()
    finalized, destroyed = mod.gone()
    thing = mod.Thing()
    thing.number = 100
    del thing
    collect()
    assert mod.gone() == (finalized + 100, destroyed + 100)
    if not COLLECTS_CYCLES:
        return
    cycle = mod.Thing()
    cycle.number = 10
    cycle.item = [cycle]
    del cycle
    collect()
    assert mod.gone() == (finalized + 110, destroyed + 110)


def check_slots(mod, abi):
    x = mod.Slots()
    for name, operation in {
        "absolute": operator.abs,
        "invert": operator.invert,
        "negative": operator.neg,
        "positive": operator.pos,
    }.items():
        name_, self, rest = operation(x)
        assert (name_, rest) == ("nb_" + name, None) and self is x
    for name, operation in {
        "add": operator.add,
        "and": operator.and_,
        "divmod": divmod,
        "floor_divide": operator.floordiv,
        "lshift": operator.lshift,
        "matrix_multiply": operator.matmul,
        "multiply": operator.mul,
        "or": operator.or_,
        "remainder": operator.mod,
        "rshift": operator.rshift,
        "subtract": operator.sub,
        "true_divide": operator.truediv,
        "xor": operator.xor,
        "inplace_add": operator.iadd,
        "inplace_and": operator.iand,
        "inplace_floor_divide": operator.ifloordiv,
        "inplace_lshift": operator.ilshift,
        "inplace_matrix_multiply": operator.imatmul,
        "inplace_multiply": operator.imul,
        "inplace_or": operator.ior,
        "inplace_remainder": operator.imod,
        "inplace_rshift": operator.irshift,
        "inplace_subtract": operator.isub,
        "inplace_true_divide": operator.itruediv,
        "inplace_xor": operator.ixor,
    }.items():
        name_, self, other = operation(x, "other")
        assert (name_, other) == ("nb_" + name, "other") and self is x
    assert pow(x, 2, 3) == ("nb_power", 2, 3)
    assert x**2 == ("nb_power", 2, None)
    assert operator.ipow(x, 2) == ("nb_inplace_power", 2, None)
    assert not x
    assert (int(x), operator.index(x), float(x), len(x)) == (11, 12, 1.5, 13)
    name, self, key = x["key"]
    assert (name, key) == ("mp_subscript", "key") and self is x
    x[3] = 4
    assert mod.last_assigned() == 7
    del x[3]
    assert mod.last_assigned() == 3
    assert (repr(x), str(x), hash(x)) == ("the repr", "the str", 15)
    assert x < 17 and x <= 16 and x == 16 and x > 15
    assert (x != 16, x >= 17) == (False, False)
    if abi != "abi3":
        with memoryview(x) as view:
            assert bytes(view) == b"some bytes" and mod.buffers_exported() == 1
        del view
        collect()
    assert mod.buffers_exported() == 0


def check_sequence(mod):
    x = mod.Sequence()
    assert operator.concat(x, "other") == ("sq_concat", x, "other")
    assert operator.iconcat(x, "other") == ("sq_inplace_concat", x, "other")
    assert x * 3 == ("sq_repeat", x, 3)
    assert operator.imul(x, 3) == ("sq_inplace_repeat", x, 3)
    assert x[2] == ("sq_item", x, 2)
    assert x[-1] == ("sq_item", x, 13)
    assert len(x) == 14
    x[5] = 6
    assert mod.last_assigned() == 1011
    del x[5]
    assert mod.last_assigned() == 1005
    assert 7 in x and 8 not in x


def check_helpers(mod):
    assert mod.abi is True
    assert mod.nine("x") == ("x",) * 9
    bounds = [None, -7, -3, -1, 0, 1, 3, 7]
    steps = [None, -3, -2, -1, 1, 2, 3]
    for start, stop, step, length in itertools.product(bounds, bounds, steps, [0, 1, 4]):
        cut = slice(start, stop, step)
        begin, end, step = cut.indices(length)
        assert mod.adjust(cut, length) == (begin, end, len(range(begin, end, step)))
    assert mod.call_method("Hello, World", ("Wo",)) == (7, 7)
    raises(AttributeError, mod.call_method, 5, ())
    assert mod.numbers(-1) == (-1, -1, 2**64 - 1, 2**64 - 1, -1, True)
    assert mod.numbers(0) == (0, 0, 0, 0, 0, False)

    class Attributes:
        pass

    holder = Attributes()
    holder.a = holder.b = 1
    mod.delete_attribute(holder)
    assert vars(holder) == {}
    raises(AttributeError, mod.delete_attribute, holder)
    assert raises(OSError, mod.from_errno, None).filename is None
    assert raises(OSError, mod.from_errno, "name").filename == "name"
    assert mod.left_python("x") == "x"


def check_newer(mod):
    assert mod.iterate("abc") == ["c", "b", "a"]
    assert mod.iterate({}) == []
    raises(TypeError, mod.iterate, 5)
    raises(ZeroDivisionError, mod.iterate, (1 // x for x in (1, 0)))
    items = [1, 2]
    mod.insert(items)
    assert items[0] == 1 and items[1] is items and items[2] == 2
    raises(SystemError, mod.insert, ())
    items = list(range(6))
    assert mod.slices(items) == [1, 2, 3, 4]
    assert items == [1, 2, 3, 4, 2, 3]
    raises(TypeError, mod.slices, 5)
    raises(TypeError, mod.slices, "text")
    assert mod.new_slice("start") == slice("start", None)


def main(path, abi, mode=0):
    mod = load(path, abi, int(mode))
    check_methods(mod)
    check_capsule(mod)
    check_members(mod)
    check_calls(mod)
    check_lifetime(mod)
    check_slots(mod, abi)
    check_sequence(mod)
    check_helpers(mod)
    check_newer(mod)
    print("all of everything.c works")


if __name__ == "__main__":
    main(*sys.argv[1:])
