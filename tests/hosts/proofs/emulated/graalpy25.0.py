"""What GraalPy 25.0 does otherwise than CPython, without HPy: a function for each reason.

Each takes the module that is made of graalpy25.0.c. An assertion that fails says that GraalPy does
what CPython does, and then our tests should pass that are in the list for this reason.
"""

import contextvars
import gc
import io
import operator
import os
import signal
import subprocess
import sys
import weakref

import pytest


class Value:
    pass


def collect():
    for _ in range(4):
        gc.collect()


def ends_the_process(code, before=""):
    """Whether Python ends in the middle of the code."""
    python = os.environ.get("HPY_PYTHON", sys.executable)
    command = [python, "-c", f"{before}\nprint('begins', flush=True)\n{code}\nprint('went on')"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return "begins" in done.stdout and "went on" not in done.stdout


def cycles_through_structs(proofs):
    """The collector does not ask `tp_traverse`: what the struct of an object holds stays."""

    def cycle():
        holder, value = proofs.Holder(), Value()
        holder.link, value.holder = value, holder
        return weakref.ref(value)

    gone = cycle()
    collect()
    assert gone() is not None
    assert gone() not in gc.get_referents(gone().holder)


def chains_go_link_by_link(proofs):
    """What only the struct of a dead object holds is dead for the next collection."""
    value = Value()
    gone, link = weakref.ref(value), value
    for _ in range(100):
        holder = proofs.Holder()
        holder.link, link = link, holder
    del value, link, holder
    collect()
    assert gone() is not None


def cycles_through_tuples(proofs):
    """A tuple that C code has made holds its items for C code, too."""

    def cycle():
        value = Value()
        value.items = proofs.tuple_of(value)
        return weakref.ref(value)

    gone = cycle()
    collect()
    assert gone() is not None


def types_are_never_freed(proofs):
    """A class that C code has seen is not collected."""

    def make():
        cls = type("Seen", (), {"value": Value()})
        proofs.same(cls)
        return weakref.ref(cls), weakref.ref(cls.value)

    gone = make()
    collect()
    assert [ref() is None for ref in gone] == [False, False]


def del_is_never_called(proofs):
    """No C code is needed: objects go without their `__del__`."""
    finalized = []
    cls = type("Finalized", (), {"__del__": finalized.append})
    gone = weakref.ref(cls())
    collect()
    assert (gone(), finalized) == (None, [])


def objects_below_builtins_are_no_structs(proofs):
    """What C code has of an object of a C type below int, list or dict is no address."""
    addresses = [proofs.address(proofs.larger(base)()) for base in (int, list, dict)]
    assert max(addresses) < 0
    assert proofs.address(proofs.larger(float)()) > 0


def tuples_have_a_hidden_word(proofs):
    """The struct of a tuple is larger than its type says."""
    assert proofs.size_of_tuple() > tuple.__basicsize__


def texts_come_back_as_other_objects(proofs):
    """A `str` that C code gives back is equal, but not the same."""
    text, data = "some text", b"some bytes"
    assert proofs.same(text) == text
    assert proofs.same(text) is not text
    assert proofs.same(data) is data


def operators_take_any_object(proofs):
    """`__add__` of a C type does not look whether its first argument is an instance."""
    assert proofs.Holder.__add__(object(), 1) == "nb_add"


def unary_operators_have_two_messages(proofs):
    """The C API's function has not the words of the operator."""
    with pytest.raises(TypeError) as in_c:
        proofs.negative("text")
    with pytest.raises(TypeError) as in_python:
        operator.neg("text")
    assert str(in_c.value) != str(in_python.value)


def keywords_are_refused_in_other_words(proofs):
    with pytest.raises(TypeError) as refused:
        proofs.same(1, key=2)
    assert "takes no keyword arguments" not in str(refused.value)


def signatures_stay_in_the_documentation(proofs):
    """CPython's `__doc__` is what comes behind the signature."""
    assert proofs.same.__doc__ != "The object."


def signals_are_handled_later(proofs):
    """PyErr_CheckSignals does not run the handler of a signal that was raised."""
    handled = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
    try:
        assert proofs.after_a_signal(handled) == 0
    finally:
        signal.signal(signal.SIGUSR1, before)


def hooks_that_raise_are_not_reported(proofs):
    """Nothing tells what sys.unraisablehook raises."""

    def hook(info):
        raise ValueError("in the hook")

    before, errors = (sys.unraisablehook, sys.stderr), io.StringIO()
    sys.unraisablehook, sys.stderr = hook, errors
    try:
        proofs.write_unraisable(proofs)
    finally:
        sys.unraisablehook, sys.stderr = before
    assert "in the hook" not in errors.getvalue()


def context_variables_have_no_name(proofs):
    """No C code is needed."""
    assert not hasattr(contextvars.ContextVar("variable"), "name")


def own_builtins_are_not_used(proofs):
    """No C code is needed: `__builtins__` among the globals changes nothing."""
    with pytest.raises(NameError):
        eval("h()", {"__builtins__": {"h": lambda: "own"}})


def the_text_of_a_wrong_base_ends_the_process(proofs):
    """No C code is needed."""
    assert ends_the_process("try: type('N', (12,), {})\nexcept TypeError as error: str(error)")


def an_index_of_a_list_is_short(proofs):
    """No C code is needed."""
    with pytest.raises(OverflowError):
        [].insert(2**62, None)


def a_float_that_is_none_ends_the_process(proofs):
    """No C code is needed: to ask the exception for its message ends the process."""
    code = (
        "class F:\n    def __float__(self): return 'text'\n"
        "try: float(F())\nexcept TypeError as error: str(error)"
    )
    assert ends_the_process(code)


def a_metaclass_ends_the_process(proofs):
    """PyType_FromMetaclass crashes, also with a metaclass that is written in Python."""
    file = proofs.__file__
    load = (
        "from importlib.machinery import ExtensionFileLoader, ModuleSpec\n"
        f"loader = ExtensionFileLoader('proofs', {file!r})\n"
        f"proofs = loader.create_module(ModuleSpec('proofs', loader, origin={file!r}))"
    )
    assert ends_the_process("proofs.number_of(type('Meta', (type,), {}))", load)


def texts_are_short(proofs):
    """No C code is needed."""
    with pytest.raises(OverflowError):
        "x" * 2**40


def surrogates_behind_a_pair_do_not_pass(proofs):
    """No C code is needed."""
    assert "\ud800\udfff".encode("utf-8", "surrogatepass")
    with pytest.raises(UnicodeEncodeError):
        "\ud800\udfff\U0010ffff\udfff".encode("utf-8", "surrogatepass")
