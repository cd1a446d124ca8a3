"""HPyStructSequence_NewType, HPyStructSequence_New, HPyStructSequence_UnnamedField."""

import sys
import time

import pytest
import support

SOURCE = """
static HPyStructSequence_Field info_fields[] = {
    {"size", "in bytes"},
    {"mode", NULL},
    {HPyStructSequence_UnnamedField, NULL},
    {"time", "seconds \\xc2\\xb1 1"},
    {NULL, NULL},
};
static HPyStructSequence_Desc info_desc = {"testmod.Info", "What is known.", info_fields};
static HPyStructSequence_Field no_fields[] = {{NULL, NULL}};
static HPyStructSequence_Desc empty_desc = {"testmod.sub.Empty", NULL, no_fields};
static HPyStructSequence_Desc nameless_desc = {NULL, NULL, no_fields};
static HPyStructSequence_Desc fieldless_desc = {"testmod.Fieldless", NULL, NULL};

#define NEW_TYPE(NAME)                                                                       \\
    HPyDef_METH(NAME, #NAME, HPyFunc_NOARGS)                                                 \\
    static HPy NAME##_impl(HPyContext *ctx, HPy self)                                        \\
    {                                                                                        \\
        return HPyStructSequence_NewType(ctx, &NAME##_desc);                                 \\
    }
NEW_TYPE(info)
NEW_TYPE(empty)
NEW_TYPE(nameless)
NEW_TYPE(fieldless)

/* new(type, *values) */
HPyDef_METH(new_, "new", HPyFunc_VARARGS)
static HPy new__impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy values[16];
    size_t i;
    for (i = 1; i < nargs; i++)
        values[i - 1] = args[i];
    return HPyStructSequence_New(ctx, args[0], (HPy_ssize_t)nargs - 1, values);
}
"""


@pytest.fixture
def mod(module):
    return module(SOURCE, "info, empty, nameless, fieldless, new_")


def test_type(mod):
    info = mod.info()
    assert issubclass(info, tuple)
    assert (info.__name__, info.__module__) == ("Info", "testmod")
    assert info.__doc__ == "What is known."
    assert (info.n_fields, info.n_sequence_fields, info.n_unnamed_fields) == (4, 4, 1)
    assert info.size.__doc__ == "in bytes"
    assert info.time.__doc__ == "seconds \u00b1 1"


def test_type_without_fields(mod):
    empty = mod.empty()
    assert (empty.__name__, empty.__module__) == ("Empty", "testmod.sub")
    assert not empty.__doc__
    assert (empty.n_fields, empty.n_sequence_fields, empty.n_unnamed_fields) == (0, 0, 0)
    assert mod.new(empty) == ()


def test_bad_descriptions(mod):
    for function in (mod.nameless, mod.fieldless):
        with pytest.raises(SystemError, match="needs a name and fields"):
            function()


def test_values(mod, no_leak):
    info = mod.info()
    thing = object()
    value = mod.new(info, 1, thing, "unnamed", 2.5)
    assert type(value) is info
    assert value == (1, thing, "unnamed", 2.5)
    assert (value.size, value.mode, value.time) == (1, thing, 2.5)
    assert value[2] == "unnamed"
    assert len(value) == 4
    no_leak(lambda: mod.new(info, 1, thing, 3, 4), thing, info)


def test_wrong_number_of_values(mod, no_leak):
    info = mod.info()
    thing = object()
    for values in ((), (thing,) * 3, (thing,) * 5):

        def fail(values=values):
            with pytest.raises(TypeError, match=f"takes 4 values, got {len(values)}"):
                mod.new(info, *values)

        fail()
        no_leak(fail, thing, info)


def test_not_a_struct_sequence(mod):
    for other in (str, tuple, int, 3):
        with pytest.raises(TypeError, match="needs a struct sequence type"):
            mod.new(other, 1)


def test_something_odd_as_number_of_fields(mod):
    class Odd(tuple):
        n_fields = "many"

    class Raising(type):
        @property
        def n_fields(cls):
            raise KeyError("n_fields")

    with pytest.raises(TypeError):
        mod.new(Odd, 1)
    with pytest.raises(KeyError):
        mod.new(Raising("Class", (tuple,), {}), 1)


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="before 3.11 struct sequences are namedtuples on each ABI"
)
@pytest.mark.parametrize("abi", ["cpython"])
def test_struct_sequences_of_others(mod):
    values = tuple(range(time.struct_time.n_fields))
    value = mod.new(time.struct_time, *values)
    assert type(value) is time.struct_time
    assert (value.tm_year, value.tm_gmtoff) == (0, time.struct_time.n_fields - 1)

    class Pretending(tuple):
        n_fields = 1

    with pytest.raises(TypeError, match="needs a struct sequence type"):
        mod.new(Pretending, 1)


def test_types_do_not_leak(mod, no_leak):
    no_leak(mod.info, rounds=1000)
    no_leak(mod.empty, rounds=1000)


def test_unnamed_field_is_one_address(abi, compile):
    other = """
    #include <hpy.h>
    const char *from_other_file(void);
    const char *from_other_file(void)
    {
        return HPyStructSequence_UnnamedField;
    }
    """
    main = """
    const char *from_other_file(void);
    HPyDef_METH(same, "same", HPyFunc_NOARGS)
    static HPy same_impl(HPyContext *ctx, HPy self)
    {
        return HPyBool_FromBool(ctx, from_other_file() == HPyStructSequence_UnnamedField);
    }
    """
    path = compile([support.module_source(main, "same"), other], "testmod", abi)
    assert support.load(path, "testmod", abi).same() is True


def test_cplusplus(module):
    mod = module(SOURCE, "info, empty, nameless, fieldless, new_", language="c++")
    assert mod.new(mod.info(), 1, 2, 3, 4).time == 4
