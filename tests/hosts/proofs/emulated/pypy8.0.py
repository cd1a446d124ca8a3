"""What PyPy 8.0 does otherwise than CPython, without HPy: a function for each reason in its list.

Each takes the module that is made of pypy8.0.c. An assertion that fails says that PyPy does what
CPython does, and then our tests should pass that are in the list for this reason.
"""

import gc
import importlib.util
import operator
import sys
import types
import weakref

import pytest


class Value:
    pass


def collect():
    for _ in range(5):
        gc.collect()


def cycles_through_structs(proofs):
    """The collector does not ask `tp_traverse`: what the struct of an object holds stays."""
    Holder = proofs.holder_below(object)

    def cycle():
        holder, value = Holder(), Value()
        holder.link, value.holder = value, holder
        return weakref.ref(value)

    gone = cycle()
    collect()
    assert gone() is not None
    assert gone() not in gc.get_referents(gone().holder)


def cycles_through_tuples(proofs):
    """The struct that C code sees of a tuple holds the items; it lives as long as the tuple."""

    def cycle():
        value = Value()
        value.items = proofs.tuple_of(value)
        return weakref.ref(value)

    gone = cycle()
    collect()
    assert gone() is not None


def types_are_never_freed(proofs):
    """A type that C code has seen is not collected: its struct holds its own mro."""

    def make():
        cls = type("Seen", (), {"value": Value()})
        proofs.tuple_of(cls)
        return weakref.ref(cls), weakref.ref(cls.value)

    gone = make()
    collect()
    assert [ref() is None for ref in gone] == [False, False]


def chains_go_link_by_link(proofs):
    """What only the struct of a dead object holds is dead for the next collection."""
    Holder, head = proofs.holder_below(object), None
    for _ in range(20):
        link = Holder()
        link.link, head = head, link
    before = proofs.count_destroyed()
    del link, head
    for rounds in range(1, 21):
        gc.collect()
        assert proofs.count_destroyed() - before <= rounds
    collect()
    assert proofs.count_destroyed() == before + 20


def structs_are_made_when_c_code_asks(proofs):
    """An object that C code did not make and never saw has no struct to be destroyed."""
    Holder = proofs.holder_below(object)
    collect()
    before = proofs.count_destroyed()
    Holder()
    collect()
    assert proofs.count_destroyed() == before
    assert Holder().link is None  # the getter sees it
    collect()
    assert proofs.count_destroyed() == before + 1


def slots_take_no_room_in_structs(proofs):
    """`__slots__` of a class in Python are not in the struct: C types may extend the class."""

    class Attributes(proofs.holder_below(object)):
        __slots__ = ("a",)

    one = proofs.holder_below(Attributes)()
    one.a, one.link = "a", "link"
    assert (one.a, one.link) == ("a", "link")


def the_type_of_a_type_stays(proofs):
    """PyPy does not look into `ob_type`, and has no PyType_FromMetaclass, which is new in 3.12."""

    class Meta(type):
        pass

    Holder = proofs.holder_below(object)
    proofs.set_type(Holder, Meta)
    assert type(Holder) is type


def concatenation_is_addition(proofs):
    """nb_add and sq_concat of a type are one `__add__`; operator.concat does not find it."""
    Holder = proofs.holder_below(object)
    assert Holder() + [] == "nb_add"
    with pytest.raises(TypeError):
        operator.concat(Holder(), [])


def operators_take_any_object(proofs):
    """`__add__` of a C type does not look whether its first argument is an instance."""
    assert proofs.holder_below(object).__add__(object(), 1) == "nb_add"


def finalizers_are_not_added_later(proofs):
    """No C code is needed: PyPy warns that the new method will not be called."""
    finalized = []
    cls = type("Later", (), {})
    with pytest.warns(RuntimeWarning, match="__del__"):
        cls.__del__ = finalized.append
    cls()
    collect()
    assert finalized == []


def functions_have_a_type_of_their_own(proofs):
    """Functions of C extensions are not of the type of PyPy's built-in functions."""
    assert type(proofs.tuple_of) is not types.BuiltinFunctionType
    assert type(len) is types.BuiltinFunctionType


def the_place_of_an_unraisable_exception_is_lost(proofs):
    """PyErr_WriteUnraisable gives the hook None for the object that it was called with."""
    seen, hook = [], sys.unraisablehook
    sys.unraisablehook = lambda info: seen.append((info.exc_type, info.object))
    try:
        proofs.write_unraisable(proofs)
    finally:
        sys.unraisablehook = hook
    assert seen == [(LookupError, None)]


def evaluated_code_leaves_builtins(proofs):
    """PyEval_EvalCode puts `__builtins__` into the globals."""
    globals = proofs.eval_code(compile("a = 1", "<here>", "exec"))
    assert sorted(globals) == ["__builtins__", "a"]


def objects_go_when_they_are_collected(proofs):
    """The last reference of an object may be gone for a while."""
    Holder = proofs.holder_below(object)
    collect()
    before = proofs.count_destroyed()
    assert Holder().link is None
    assert proofs.count_destroyed() == before
    collect()
    assert proofs.count_destroyed() == before + 1


def references_are_not_counted(proofs):
    """No C code is needed."""
    assert not hasattr(sys, "getrefcount") and not hasattr(gc, "is_tracked")


def a_hash_of_minus_one_is_an_error(proofs):
    """`__hash__` is expected to give what `tp_hash` gives, and to leave -1 to `hash`."""
    with pytest.raises(SystemError):
        proofs.holder_below(object)().__hash__()


def a_plain_so_has_no_spec(proofs):
    """Extensions end with the name of this PyPy and `.so`; importlib knows no other suffix."""
    assert importlib.util.spec_from_file_location("proofs", "proofs.so") is None
