"""Questions about types."""

import array
import collections
from functools import partial

import pytest
from outcomes import functions, raises_memory_error

SOURCE = """
FUNCTION(HPy_Type, return HPy_Type(ctx, args[0]);)
FUNCTION(HPy_TypeCheck, return number(ctx, HPy_TypeCheck(ctx, args[0], args[1]));)
FUNCTION(HPyType_IsSubtype, return number(ctx, HPyType_IsSubtype(ctx, args[0], args[1]));)
FUNCTION(HPyType_GetName,
    const char *name = HPyType_GetName(ctx, args[0]);
    return name == NULL ? HPy_NULL : HPyUnicode_FromString(ctx, name);
)
FUNCTION(has_name,
    const char *name = HPyType_GetName(ctx, args[0]);
    return name == NULL ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
)
static HPyType_Spec Twelve_spec = {
    .name = "some.package.Zw\\xc3\\xb6lf",
    .flags = HPy_TPFLAGS_DEFAULT,
};
"""


class Meta(type):
    """A metaclass that answers wrongly whatever it is asked."""

    def __instancecheck__(cls, instance):
        return True

    def __subclasscheck__(cls, subclass):
        return True

    __name__ = property(lambda cls: "wrong name")


class Base(metaclass=Meta):
    pass


class Derived(Base, dict):
    class Inner:
        pass


class Pretender:
    """Python's `isinstance` takes it for an int."""

    __class__ = int


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE), types="Twelve")


OBJECTS = [None, 1, True, "x", [], {}, int, Meta, Base, Base(), Derived(), Pretender(), len]


@pytest.mark.api("HPy_Type")
def test_type(mod, no_leak):
    for thing in OBJECTS:
        assert mod.HPy_Type(thing) is type(thing)
    thing = Derived()
    no_leak(lambda: mod.HPy_Type(thing), thing, Derived)


@pytest.mark.api("HPy_TypeCheck")
def test_type_check(mod, no_leak):
    for thing in OBJECTS:
        for cls in (object, int, bool, dict, type, Meta, Base, Derived, Pretender):
            assert mod.HPy_TypeCheck(thing, cls) == (cls in type(thing).__mro__), (thing, cls)
    no_leak(lambda: mod.HPy_TypeCheck(OBJECTS, Derived), OBJECTS, Derived)


@pytest.mark.api("HPyType_IsSubtype")
def test_is_subtype(mod, no_leak):
    classes = [object, int, bool, dict, collections.OrderedDict, type, Meta, Base, Derived]
    for sub in classes:
        for cls in classes:
            assert mod.HPyType_IsSubtype(sub, cls) == (cls in type.mro(sub)), (sub, cls)
    no_leak(lambda: mod.HPyType_IsSubtype(Derived, Base), Derived, Base)


@pytest.mark.api("HPyType_GetName")
def test_name(mod, no_leak):
    names = {
        int: "int",
        array.array: "array",
        collections.OrderedDict: "OrderedDict",
        type(len): type(len).__name__,
        Base: "Base",
        Derived.Inner: "Inner",
        type("with.dot", (), {}): "with.dot",
        type("naïve", (), {}): "naïve",
        mod.Twelve: "Zwölf",
    }
    for cls, name in names.items():
        assert mod.HPyType_GetName(cls) == name
    renamed = type("before", (), {})
    renamed.__name__ = "after"
    assert mod.HPyType_GetName(renamed) == "after"
    no_leak(lambda: mod.HPyType_GetName(renamed), renamed)


@pytest.mark.api("HPyType_GetName", case="error")
def test_name_without_memory(mod):
    """The name of a type made in C is kept as a str, and its UTF-8 is made when asked for."""
    assert raises_memory_error(partial(mod.has_name, mod.Twelve))
    assert mod.HPyType_GetName(mod.Twelve) == "Zwölf"
