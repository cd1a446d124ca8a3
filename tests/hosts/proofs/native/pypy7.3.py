"""Shows what PyPy 7.3 does otherwise than the API says, by PyPy alone: without our package.

`pypy3 -I pypy7.3.py LIBRARY`, where LIBRARY is pypy7.3.c, compiled with the headers in PyPy's own
library. Prints a line for each proof, its name and whether the difference is there. Each runs in a
process of its own, because some of them end it.
"""

import gc
import importlib.machinery
import importlib.util
import operator
import os
import sys
import types
import weakref

import _hpy_universal

PROOFS = {}


def proof(function):
    """A function that gives whether the difference is there."""
    PROOFS[function.__name__] = function, False


def ends_the_process(function):
    """A function that ends the process where the difference is there."""
    PROOFS[function.__name__] = function, True


def load(name="proofs"):
    spec = importlib.machinery.ModuleSpec(name, None, origin=sys.argv[1])
    return _hpy_universal.load(name, sys.argv[1], spec)


def collect():
    for _ in range(5):
        gc.collect()


def raises(error, function, *args):
    try:
        function(*args)
    except error:
        return True
    return False


OBJECT, TYPE, LONG, DICT = 0, 1, 2, 7


@proof
def the_object_of_an_unraisable_exception_is_lost():
    seen = []
    sys.unraisablehook = lambda info: seen.append(info.object)
    load().write_unraisable("the object")
    return seen == [None]


@proof
def a_finalizer_that_is_added_later_does_not_run():
    class Late:
        pass

    seen = []
    Late.__del__ = lambda self: seen.append(self)
    Late()
    collect()
    return seen == []


@proof
def all_loads_of_a_library_share_globals():
    first, second = load(), load()
    first.store("first")
    second.store("second")
    return first is not second and first.load() == "second"


@proof
def functions_are_of_another_type():
    return type(load().plain) is not types.BuiltinFunctionType


@proof
def exec_runs_before_the_module_is_complete():
    return load().early_spec is None


@proof
def a_create_slot_gets_a_module():
    return not isinstance(load("created").got, importlib.machinery.ModuleSpec)


@proof
def an_exec_slot_that_raises_and_returns_0_has_not_failed():
    return not raises(BaseException, load, "forgetful")


@proof
def what_a_create_slot_raises_stays():
    mod = load()
    raises(BaseException, load, "careless")
    return mod.takes_the_exception()


@ends_the_process
def a_struct_in_an_int():
    load().shaped(LONG, int)(5).load()


@proof
def no_struct_in_a_dict():
    return raises(ValueError, load().shaped, DICT, dict)


@ends_the_process
def a_field_in_a_class():
    load().shaped(TYPE, type)("Made", (), {}).store("value")


@proof
def a_builtin_has_a_shape():
    return load().shape(int) == OBJECT


@ends_the_process
def an_object_of_a_python_subclass_dies():
    class Sub(load().plain()):
        pass

    Sub()
    collect()


@proof
def a_struct_over_a_base_without_room_is_not_refused():
    return isinstance(load().shaped(OBJECT, dict), type)


@proof
def the_metaclass_of_a_base_is_forgotten():
    Base = type("Meta", (type,), {})("Base", (), {})
    return type(load().derived(Base)) is type


@proof
def a_setter_is_not_called_to_delete():
    return raises(AttributeError, delattr, load().plain()(), "stays")


@proof
def an_unsigned_member_takes_no_large_number():
    return raises(OverflowError, setattr, load().plain()(), "number", 2**63)


@ends_the_process
def an_attribute_without_setter_is_set():
    load().plain()().only_read = 1


@proof
def the_exception_of_a_setter_is_lost():
    one = load().plain()()
    return not raises(LookupError, setattr, one, "stays", 1)


@proof
def a_type_that_compares_has_a_hash():
    return isinstance(hash(load().comparing()()), int)


@proof
def two_decoders_disagree():
    messages = set()
    for decode in (bytes.decode, str):
        try:
            decode(b"\xff", "utf-8", "strict")
        except UnicodeDecodeError as error:
            messages.add(str(error))
    return len(messages) == 2


@proof
def a_call_function_is_that_of_all_objects():
    mod = load()
    Caller = mod.caller()
    one, other = Caller(), Caller()
    before = other()
    mod.set_call_function(one)
    return (before, other()) == (1, 2)


@proof
def a_call_function_is_not_refused():
    class NotCalled:
        pass

    return not raises(TypeError, load().set_call_function, NotCalled())


@proof
def the_message_of_a_power_in_place_differs():
    messages = set()
    for power in (operator.ipow, load().in_place_power):
        try:
            power("x", 2)
        except TypeError as error:
            messages.add(str(error))
    return len(messages) == 2


@proof
def code_leaves_builtins_in_its_variables():
    variables = {}
    load().eval(compile("a = 1", "<here>", "exec"), variables)
    return "__builtins__" in variables


@proof
def concat_wants_items():
    class Number:
        def __add__(self, other):
            return "sum"

    return Number() + 1 == "sum" and raises(TypeError, operator.concat, Number(), 1)


@proof
def a_view_does_not_know_its_object():
    return memoryview(load().buffer()()).obj is None


@ends_the_process
def a_slice_of_nothing():
    load().slice()


@proof
def what_the_metaclass_can_do_counts():
    Meta = type("Meta", (type,), {"__next__": lambda cls: "item"})
    return load().is_iterator(Meta("Class", (), {})())


@proof
def an_exchanged_destructor_runs_twice():
    mod = load()
    mod.capsule()
    collect()
    return mod.second_destructor_calls() == 2


@proof
def there_are_no_reference_counts():
    return not hasattr(sys, "getrefcount") and not hasattr(gc, "is_tracked")


@proof
def the_collector_shows_only_what_can_be_reached():
    class Plain:
        pass

    one = Plain()
    one.itself, gone = one, weakref.ref(one)
    before = any(type(o) is Plain for o in gc.get_objects())
    del one
    after = any(type(o) is Plain for o in gc.get_objects())
    return before and not after and gone() is not None


@proof
def there_is_no_spec_for_a_library():
    return importlib.util.spec_from_file_location("name", "/name.hpy0.so") is None


@proof
def a_closed_handle_is_nobodys():
    return load().length_of_a_closed_handle() == -1


@proof
def objects_go_late():
    class Plain:
        pass

    one = Plain()
    gone = weakref.ref(one)
    del one
    before = gone()
    collect()
    return before is not None


def shows(function, ends):
    """Runs a proof in a process of its own."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(2)  # PyPy says much there before it ends
        os._exit(0 if function() is True else 1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) if ends else status == 0


for name, (function, ends) in PROOFS.items():
    print(name, "shown" if shows(function, ends) else "NOT SHOWN", flush=True)
