"""A hierarchy of types, made by extensions of both ABIs: each releases what the other knows of."""

import itertools

import pytest
import support
from outcomes import functions

SOURCE = """
typedef struct {
    HPyField object;
    long number;
} Part;

/* The struct of a derived type begins with that of its base. */
typedef struct {
    Part parts[LEVEL + 1];
} Data;
HPyType_HELPERS(Data)

HPyDef_SLOT(Data_new, HPy_tp_new)
static HPy Data_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Data *data;
    return HPy_New(ctx, type, &data);
}

static long destroyed;
HPyDef_SLOT(Data_destroy, HPy_tp_destroy)
static void Data_destroy_impl(void *object)
{
    destroyed += ((Data *)object)->parts[LEVEL].number;
}

/* The types have no traverse function: the member says where the reference is. */
HPyDef_MEMBER(Data_object, NAME "_object", HPyMember_OBJECT, offsetof(Data, parts[LEVEL].object))
HPyDef_MEMBER(Data_number, NAME "_number", HPyMember_LONG, offsetof(Data, parts[LEVEL].number))
static HPyDef *Data_defines[] = {&Data_new, &Data_destroy, &Data_object, &Data_number, NULL};
static HPyType_Spec Data_spec = {
    .name = "testmod." NAME,
    .basicsize = sizeof(Data),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .builtin_shape = SHAPE(Data),
    .defines = Data_defines,
};

FUNCTION(make,
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, args[0]}, {HPyType_SpecParam_End, HPy_NULL}};
    return HPyType_FromSpec(ctx, &Data_spec, params);
)
FUNCTION(destroyed, return HPyLong_FromLong(ctx, destroyed);)
"""


def load(abi, level, name):
    """A module that makes a type of a level, whose attributes are named after `name`."""
    macros = f'#define LEVEL {level}\n#define NAME "{name}"\n'
    source = support.module_source(*functions(macros + SOURCE))
    return support.load(support.compile_extension(source, "testmod", abi), "testmod", abi)


PAIRS = list(itertools.product(support.ABIS, repeat=2))
"""Base and derived type."""


def keeper(abi):
    """Whose way of keeping records a type of an ABI has: abi3's, or that of the full API."""
    return support.runtime_abi() if abi in ("universal", "debug") else abi


FOREIGN = [pair for pair in PAIRS if keeper(pair[0]) != keeper(pair[1])]
"""Those that do not know each other's structs."""


@pytest.mark.parametrize("base_abi, derived_abi", FOREIGN)
def test_derived_from_a_struct_of_another_abi(base_abi, derived_abi):
    base, derived = load(base_abi, 0, "base"), load(derived_abi, 1, "derived")
    Base = base.make(object)
    with pytest.raises(TypeError, match="the base's memory layout is not that of"):
        derived.make(Base)


@pytest.mark.parametrize("base_abi, derived_abi", sorted(set(PAIRS) - set(FOREIGN)))
@pytest.mark.api("HPyType_FromSpec", "HPy_tp_destroy")
def test_derived_from_a_type_of_an_abi(base_abi, derived_abi, no_leak):
    base, derived = load(base_abi, 0, "base"), load(derived_abi, 1, "derived")
    Base = base.make(object)
    Derived = derived.make(Base)

    class Python(Derived):
        """A class of Python, whose objects have a dictionary."""

    value = object()

    def use(cls):
        thing = cls()
        thing.base_object = thing.derived_object = value
        thing.base_number, thing.derived_number = 1, 10
        assert (thing.base_object, thing.derived_object) == (value, value)
        assert (thing.base_number, thing.derived_number) == (1, 10)

    support.settle()
    before = base.destroyed(), derived.destroyed()
    use(Derived)
    use(Python)
    support.settle()
    assert (base.destroyed(), derived.destroyed()) == (before[0] + 2, before[1] + 20)
    no_leak(lambda: use(Derived), value, Base, Derived)
    no_leak(lambda: use(Python), value, Base, Derived, Python)
