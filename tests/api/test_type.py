"""Types: shapes and their structs, members, bases, metaclasses, subclasses, life and death."""

import builtins
import gc
import weakref

import pytest
import support

SHAPES = {
    "Object": ("object", ()),
    "Long": ("int", (123456789**9,)),
    "Float": ("float", (1.5,)),
    "Unicode": ("str", ("text",)),
    "Tuple": ("tuple", ((1, 2, 3, 4, 5),)),
    "List": ("list", ([1, 2],)),
    "Dict": ("dict", ({"k": 1},)),
    "Type": ("type", ("Made", (), {})),
}

BUILTIN_HANDLES = {
    "Object": "h_BaseObjectType",
    "Long": "h_LongType",
    "Float": "h_FloatType",
    "Unicode": "h_UnicodeType",
    "Tuple": "h_TupleType",
    "List": "h_ListType",
    "Dict": "h_DictType",
    "Type": "h_TypeType",
}

# One type of each shape: two numbers, a field that is a member, and functions that use the struct.
SHAPED = """
typedef struct {
    long first;
    HPyField link;
    double second;
} Data;
HPyType_HELPERS(Data, HPyType_BuiltinShape_%(shape)s)

static long destroyed;

HPyDef_MEMBER(Data_first, "first", HPyMember_LONG, offsetof(Data, first), .doc = "a number")
HPyDef_MEMBER(Data_second, "second", HPyMember_DOUBLE, offsetof(Data, second), .readonly = 1)
HPyDef_MEMBER(Data_link, "link", HPyMember_OBJECT, offsetof(Data, link))

HPyDef_METH(Data_set, "set", HPyFunc_VARARGS)
static HPy Data_set_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    Data *data = Data_AsStruct(ctx, self);
    HPy link;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "ldO", &data->first, &data->second, &link))
        return HPy_NULL;
    HPyField_Store(ctx, self, &data->link, link);
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(Data_get, "get", HPyFunc_NOARGS)
static HPy Data_get_impl(HPyContext *ctx, HPy self)
{
    Data *data = Data_AsStruct(ctx, self);
    HPy link = HPyField_IsNull(data->link) ? HPy_Dup(ctx, ctx->h_None)
                                           : HPyField_Load(ctx, self, data->link);
    HPy result = HPy_BuildValue(ctx, "(ldO)", data->first, data->second, link);
    HPy_Close(ctx, link);
    return result;
}

HPyDef_SLOT(Data_traverse, HPy_tp_traverse)
static int Data_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    Data *data = (Data *)self;
    HPy_VISIT(&data->link);
    return 0;
}

HPyDef_SLOT(Data_destroy, HPy_tp_destroy)
static void Data_destroy_impl(void *self)
{
    destroyed += ((Data *)self)->first;
}

static HPyDef *Data_defines[] = {&Data_first, &Data_second, &Data_link, &Data_set, &Data_get,
                                 &Data_traverse, &Data_destroy, NULL};
static HPyType_Spec Data_spec = {
    .name = "testmod.Data",
    .basicsize = sizeof(Data),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Data),
    .defines = Data_defines,
};

HPyDef_METH(make, "make", HPyFunc_NOARGS)
static HPy make_impl(HPyContext *ctx, HPy self)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, %(base)s},
        {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &Data_spec, params);
}

HPyDef_METH(make_without_base, "make_without_base", HPyFunc_NOARGS)
static HPy make_without_base_impl(HPyContext *ctx, HPy self)
{
    return HPyType_FromSpec(ctx, &Data_spec, NULL);
}

HPyDef_METH(shape, "shape", HPyFunc_O)
static HPy shape_impl(HPyContext *ctx, HPy self, HPy type)
{
    return HPyLong_FromLong(ctx, _HPyType_GetBuiltinShape(ctx, type));
}

HPyDef_METH(count, "count", HPyFunc_NOARGS)
static HPy count_impl(HPyContext *ctx, HPy self)
{
    return HPyLong_FromLong(ctx, destroyed);
}

HPyDef_METH(new, "new", HPyFunc_O)
static HPy new_impl(HPyContext *ctx, HPy self, HPy type)
{
    Data *data;
    HPy object = HPy_New(ctx, type, &data);
    if (!HPy_IsNull(object)) {
        if (data->first != 0 || !HPyField_IsNull(data->link) || data->second != 0) {
            HPyErr_SetString(ctx, ctx->h_AssertionError, "the struct is not all zeros");
            HPy_Close(ctx, object);
            return HPy_NULL;
        }
        data->first = 1;
    }
    return object;
}
"""

FUNCTIONS = "make, make_without_base, shape, count, new"


def shaped(module, shape):
    source = SHAPED % {"shape": shape, "base": f"ctx->{BUILTIN_HANDLES[shape]}"}
    return module(source, FUNCTIONS)


def fresh(cls, shape):
    """A new object of a class of that shape."""
    return cls(*SHAPES[shape][1])


@pytest.fixture(params=list(SHAPES))
def shape(request):
    return request.param


@pytest.mark.api(
    "HPyType_FromSpec",
    "_HPy_AsStruct_Object",
    "_HPy_AsStruct_Type",
    "_HPy_AsStruct_Long",
    "_HPy_AsStruct_Float",
    "_HPy_AsStruct_Unicode",
    "_HPy_AsStruct_Tuple",
    "_HPy_AsStruct_List",
    "_HPy_AsStruct_Dict",
)
def test_struct_of_each_shape(module, shape):
    # Data_AsStruct is _HPy_AsStruct_Object, _HPy_AsStruct_Type, _HPy_AsStruct_Long,
    # _HPy_AsStruct_Float, _HPy_AsStruct_Unicode, _HPy_AsStruct_Tuple, _HPy_AsStruct_List or
    # _HPy_AsStruct_Dict.
    mod = shaped(module, shape)
    Data = mod.make()
    builtin, args = SHAPES[shape]
    assert issubclass(Data, getattr(builtins, builtin))
    for cls in (Data, type("Sub", (Data,), {}) if shape != "Type" else Data):
        one = fresh(cls, shape)
        assert one.get() == (0, 0.0, None)
        link = object()
        one.set(42, 2.5, link)
        assert one.get() == (42, 2.5, link)
        assert (one.first, one.second, one.link) == (42, 2.5, link)
        one.first = -3
        one.link = "other"
        assert one.get() == (-3, 2.5, "other")
        if shape not in ("Object", "Type"):
            assert one == args[0], "the struct overlaps the builtin's value"
        with pytest.raises(AttributeError):
            one.second = 1.0
        with pytest.raises(TypeError):
            one.first = "text"


def test_values_and_struct_do_not_overlap(module):
    Data = shaped(module, "Long").make()
    for bits in (0, 1, 29, 30, 31, 60, 61, 1000):
        for value in (2**bits, -(2**bits), 0):
            number = Data(value)
            number.set(-1, 7.5, number)
            number.link = None
            assert number == value
            assert number.get() == (-1, 7.5, None)
    Data = shaped(module, "Tuple").make()
    for size in range(20):
        values = Data(range(size))
        values.set(size, 0.5, "x")
        assert values == tuple(range(size))
        assert values.get() == (size, 0.5, "x")


@pytest.mark.api("_HPyType_GetBuiltinShape")
def test_shape_of_types(module, shape):
    mod = shaped(module, shape)
    Data = mod.make()
    numbers = ["Object", "Type", "Long", "Float", "Unicode", "Tuple", "List", "Dict"]
    assert mod.shape(Data) == numbers.index(shape)
    assert mod.shape(int) == -1
    if shape != "Type":
        assert mod.shape(type("Sub", (Data,), {})) == numbers.index(shape)


def test_without_a_base(module, shape):
    """As in 0.9, the base is `object` then, and the struct is where the shape has it."""
    mod = shaped(module, shape)
    Data = mod.make_without_base()
    assert Data.__mro__ == (Data, object)
    for one in (Data(), mod.new(Data), type("Sub", (Data,), {})()):
        one.set(7, 2.5, one)
        assert one.get() == (7, 2.5, one)
        assert (one.first, one.link) == (7, one)


def test_fields_are_released(module, shape):
    class Link:
        pass

    Data = shaped(module, shape).make()
    link = Link()
    gone = weakref.ref(link)
    one = fresh(Data, shape)
    one.set(0, 0.0, link)
    del link
    support.settle()
    assert gone() is one.get()[2]
    del one
    support.collect()
    assert gone() is None


def test_cycles_are_collected(module, shape):
    mod = shaped(module, shape)
    Data = mod.make()
    support.collect()
    before = mod.count()
    for cls in (Data, type("Sub", (Data,), {}) if shape != "Type" else Data):
        one, two = fresh(cls, shape), fresh(cls, shape)
        one.set(1, 0.0, two)
        two.set(2, 0.0, one)
        del one, two
        support.collect()
    assert mod.count() == before + 6
    # a cycle through the type itself
    Data.instance = fresh(Data, shape)
    Data.instance.set(3, 0.0, Data)
    del Data, cls
    support.collect()
    assert mod.count() == before + 9


def test_no_leak(module, shape, no_leak):
    mod = shaped(module, shape)
    Data = mod.make()
    link = object()

    def use():
        one = fresh(Data, shape)
        one.set(1, 1.0, link)
        one.get()
        one.link = one.first

    no_leak(use, link, Data)


def test_types_are_released(module, shape, no_leak):
    mod = shaped(module, shape)
    assert mod.make() is not mod.make()

    def use():
        Data = mod.make()
        one = fresh(Data, shape)
        one.set(1, 1.0, Data)

    no_leak(use, rounds=100)


def test_ten_thousand_types(module):
    """Making a type again and again neither leaks nor changes the definitions."""
    mod = shaped(module, "Object")
    for _ in range(10_000):
        Data = mod.make()
    gc.collect()
    one = Data()
    one.set(1, 2.0, "link")
    assert (one.first, one.second, one.link) == (1, 2.0, "link")


@pytest.mark.api("_HPy_New")
def test_new(module, shape):
    # HPy_New is a macro over _HPy_New
    mod = shaped(module, shape)
    Data = mod.make()
    if shape == "Type":
        with pytest.raises(TypeError):
            mod.new(Data)
        return
    for cls in (Data, type("Sub", (Data,), {})):
        one = mod.new(cls)
        assert type(one) is cls
        assert one.first == 1
        one.link = one
        if shape != "Object":
            assert one == getattr(builtins, SHAPES[shape][0])()


@pytest.mark.api("_HPy_New", case="error")
def test_new_needs_a_type(module):
    mod = shaped(module, "Object")
    with pytest.raises(TypeError):
        mod.new(42)


def test_deep_chain_does_not_overflow_the_stack(module):
    mod = shaped(module, "Object")
    for cls in (mod.make(), type("Sub", (mod.make(),), {})):
        support.collect()  # what other tests have left must not be counted
        before = mod.count()
        head = None
        for _ in range(200_000):
            node = cls()
            node.first = 1
            node.link = head
            head = node
        del node
        del head
        support.settle()
        assert mod.count() == before + 200_000


GENERIC = """
typedef struct { long value; } Thing;
HPyType_HELPERS(Thing)
HPyDef_SLOT_IMPL(Thing_new, HPyType_GenericNew, HPy_tp_new)
HPyDef_MEMBER(Thing_value, "value", HPyMember_LONG, offsetof(Thing, value))
static HPyDef *Thing_defines[] = {&Thing_new, &Thing_value, NULL};
static HPyType_Spec Thing_spec = {
    .name = "testmod.Thing", .basicsize = sizeof(Thing), .builtin_shape = SHAPE(Thing),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Thing_defines,
    .doc = "A thing.",
};
HPyDef_METH(generic, "generic", HPyFunc_O)
static HPy generic_impl(HPyContext *ctx, HPy self, HPy type)
{
    return HPyType_GenericNew(ctx, type, NULL, 0, HPy_NULL);
}
"""


@pytest.mark.api("HPyType_GenericNew")
def test_generic_new(module, no_leak):
    mod = module(GENERIC, "generic", types="Thing")
    assert mod.Thing().value == 0
    assert mod.Thing.__doc__ == "A thing."
    assert mod.Thing.__module__ == "testmod"
    sub = type("Sub", (mod.Thing,), {})
    assert type(mod.generic(sub)) is sub
    no_leak(mod.Thing, mod.Thing)


@pytest.mark.api("HPyType_GenericNew", case="error")
def test_generic_new_needs_a_type(module):
    with pytest.raises(TypeError):
        module(GENERIC, "generic", types="Thing").generic("no type")


LEGACY = """
#include <structmember.h>
typedef struct { PyObject_HEAD long value; } Old;
HPyType_LEGACY_HELPERS(Old)
HPyDef_METH(Old_get, "get", HPyFunc_NOARGS)
static HPy Old_get_impl(HPyContext *ctx, HPy self)
{
    return HPyLong_FromLong(ctx, Old_AsStruct(ctx, self)->value);
}
static PyMemberDef members[] = {
    {"value", T_LONG, offsetof(Old, value), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot slots[] = {{Py_tp_members, members}, {0, NULL}};
static HPyDef *Old_defines[] = {&Old_get, NULL};
static HPyType_Spec Old_spec = {
    .name = "testmod.Old", .basicsize = sizeof(Old), .builtin_shape = SHAPE(Old),
    .legacy_slots = slots, .defines = Old_defines,
};
"""


@pytest.mark.api("_HPy_AsStruct_Legacy")
@pytest.mark.parametrize("abi", ["cpython", "hybrid", "hybrid-debug"])
def test_legacy_struct(module):
    # Old_AsStruct is _HPy_AsStruct_Legacy
    old = module(LEGACY, types="Old").Old()
    old.value = 42
    assert old.get() == 42


def creation(spec, *, before="", params="NULL"):
    """A function `make` that creates a type from the fields of a specification."""
    return f"""
    typedef struct {{ long value; }} Small;
    typedef struct {{ Small small; long other; }} Large;
    HPyDef_MEMBER(member, "value", HPyMember_LONG, 0)
    HPyDef_MEMBER(offset, "__vectorcalloffset__", HPyMember_HPYSSIZET, 0, .readonly = 1)
    HPyDef_SLOT(call, HPy_tp_call)
    static HPy call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy kwnames)
    {{
        return HPyLong_FromSize_t(ctx, n);
    }}
    static HPyDef *members[] = {{&member, NULL}};
    static HPyDef *calls[] = {{&call, NULL}};
    static HPyDef *both[] = {{&call, &offset, NULL}};
    static HPyDef *no_defines[] = {{NULL}};
    static HPyType_Spec small_spec = {{
        .name = "testmod.Small", .basicsize = sizeof(Small), .defines = members,
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    }};
    HPyDef_METH(make, "make", HPyFunc_O)
    static HPy make_impl(HPyContext *ctx, HPy self, HPy arg)
    {{
        HPyType_Spec spec = {{.name = "testmod.Made", {spec}}};
        {before}
        HPyType_SpecParam unused[] = {{{{(HPyType_SpecParam_Kind)0, HPy_NULL}}}};
        (void)members, (void)calls, (void)both, (void)unused, (void)small_spec, (void)no_defines;
        return HPyType_FromSpec(ctx, &spec, {params});
    }}
    """


def base(*entries):
    """A parameter array."""
    rows = "".join(f"{{{kind}, {value}}}, " for kind, value in entries)
    return f"HPyType_SpecParam params[] = {{{rows}{{(HPyType_SpecParam_Kind)0, HPy_NULL}}}};"


BASE, BASES, META = (f"HPyType_SpecParam_{kind}" for kind in ("Base", "BasesTuple", "Metaclass"))

REFUSED = {
    "collected without traverse": (
        ValueError,
        ".flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC",
        (),
        0,
    ),
    "shape": (ValueError, ".builtin_shape = (HPyType_BuiltinShape)77", (), 0),
    "two metaclasses": (ValueError, "", ((META, "ctx->h_TypeType"), (META, "ctx->h_TypeType")), 0),
    "members without struct": (TypeError, ".defines = members", (), 0),
    "call and offset": (TypeError, ".basicsize = sizeof(Large), .defines = both", (), 0),
    "call with items": (
        TypeError,
        ".basicsize = sizeof(Small), .itemsize = 8, .defines = calls",
        (),
        0,
    ),
    "unknown parameter": (TypeError, "", (("(HPyType_SpecParam_Kind)99", "ctx->h_None"),), 0),
    "two tuples": (TypeError, "", ((BASES, "arg"), (BASES, "arg")), (object,)),
    "tuple and base": (TypeError, "", ((BASES, "arg"), (BASE, "ctx->h_LongType")), (object,)),
    "tuple that is none": (TypeError, "", ((BASES, "arg"),), 42),
    "base that is no type": (TypeError, "", ((BASE, "arg"),), 42),
    "tuple with no type": (TypeError, "", ((BASES, "arg"),), (42,)),
    "metaclass that is no type": (TypeError, "", ((META, "arg"),), 42),
    "metaclass that is no metaclass": (TypeError, "", ((META, "arg"),), int),
    "base that is final": (TypeError, "", ((BASE, "arg"),), bool),
    "shape of another builtin": (
        TypeError,
        ".basicsize = sizeof(Small), .builtin_shape = HPyType_BuiltinShape_List",
        ((BASE, "arg"),),
        dict,
    ),
    "object shape over a builtin": (
        TypeError,
        ".basicsize = sizeof(Small)",
        ((BASE, "arg"),),
        dict,
    ),
    "no name": (ValueError, ".name = NULL", (), 0),
}


@pytest.mark.api("HPyType_FromSpec", case="error")
@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(module, case, no_leak):
    error, spec, entries, argument = REFUSED[case]
    flags = ["-Wno-override-init", "-Wno-initializer-overrides", "-Wno-unknown-warning-option"]
    source = creation(
        spec, before=base(*entries) if entries else "", params="params" if entries else "NULL"
    )
    make = module(source, "make", flags=flags).make

    def fail():
        with pytest.raises(error):
            make(argument)

    fail()
    no_leak(fail, *(thing for thing in (argument,) if isinstance(thing, (type, tuple))))


def test_struct_of_a_base(module):
    """A struct that begins with the base's struct."""
    source = """
    typedef struct { long one; } Base;
    HPyType_HELPERS(Base)
    typedef struct { Base base; long two; } Derived;
    HPyType_HELPERS(Derived)
    HPyDef_SLOT(Base_call, HPy_tp_call)
    static HPy Base_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy kwnames)
    {
        return HPyLong_FromLong(ctx, Base_AsStruct(ctx, self)->one + (long)n);
    }
    HPyDef_MEMBER(Base_one, "one", HPyMember_LONG, offsetof(Base, one))
    HPyDef_MEMBER(Derived_two, "two", HPyMember_LONG, offsetof(Derived, two))
    static HPyDef *Base_defines[] = {&Base_call, &Base_one, NULL};
    static HPyDef *Derived_defines[] = {&Derived_two, NULL};
    static HPyType_Spec Base_spec = {
        .name = "testmod.Base", .basicsize = sizeof(Base), .builtin_shape = SHAPE(Base),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Base_defines,
    };
    static HPyType_Spec Derived_spec = {
        .name = "testmod.Derived", .basicsize = sizeof(Derived), .builtin_shape = SHAPE(Derived),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Derived_defines,
    };
    HPyDef_METH(derive, "derive", HPyFunc_O)
    static HPy derive_impl(HPyContext *ctx, HPy self, HPy base)
    {
        HPyType_SpecParam params[] = {
            {HPyType_SpecParam_Base, base}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
        };
        return HPyType_FromSpec(ctx, &Derived_spec, params);
    }
    HPyDef_METH(new, "new", HPyFunc_O)
    static HPy new_impl(HPyContext *ctx, HPy self, HPy type)
    {
        Derived *data;
        HPy object = HPy_New(ctx, type, &data);
        if (!HPy_IsNull(object))
            data->two = 2;
        return object;
    }
    """
    mod = module(source, "derive, new", types="Base")
    Derived = mod.derive(mod.Base)
    for make in (Derived, lambda: mod.new(Derived), type("Sub", (Derived,), {})):
        one = make()
        one.one, one.two = 10, 20
        assert one(1, 2, 3) == 13
        assert (one.one, one.two) == (10, 20)
    with pytest.raises(TypeError):
        mod.derive(type("Attributes", (mod.Base,), {"__slots__": ("a",)}))


MAKE_META = """
HPyDef_METH(make_meta, "make_meta", HPyFunc_NOARGS)
static HPy make_meta_impl(HPyContext *ctx, HPy self)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, ctx->h_TypeType}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &Meta_spec, params);
}
"""


def test_callable_metaclass(module):
    source = """
    typedef struct { long calls; } Meta;
    HPyType_HELPERS(Meta, HPyType_BuiltinShape_Type)
    HPyDef_SLOT(Meta_call, HPy_tp_call)
    static HPy Meta_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy kwnames)
    {
        return HPyLong_FromLong(ctx, ++Meta_AsStruct(ctx, self)->calls);
    }
    static HPyDef *Meta_defines[] = {&Meta_call, NULL};
    static HPyType_Spec Meta_spec = {
        .name = "testmod.Meta", .basicsize = sizeof(Meta), .builtin_shape = SHAPE(Meta),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Meta_defines,
    };
    """
    Meta = module(source + MAKE_META, "make_meta").make_meta()
    Made = type.__call__(Meta, "Made", (), {"attribute": 1})
    assert (Made(), Made(1, x=2), Made.attribute) == (1, 2, 1)


def test_struct_over_a_type_without_one(module):
    source = """
    typedef struct { long value; } Data;
    HPyType_HELPERS(Data, HPyType_BuiltinShape_Long)
    HPyDef_MEMBER(Data_value, "value", HPyMember_LONG, offsetof(Data, value))
    static HPyDef *Data_defines[] = {&Data_value, NULL};
    static HPyType_Spec Plain_spec = {
        .name = "testmod.Plain", .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    };
    static HPyType_Spec Data_spec = {
        .name = "testmod.Data", .basicsize = sizeof(Data), .builtin_shape = SHAPE(Data),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Data_defines,
    };
    HPyDef_METH(make, "make", HPyFunc_NOARGS)
    static HPy make_impl(HPyContext *ctx, HPy self)
    {
        HPyType_SpecParam params[] = {
            {HPyType_SpecParam_Base, ctx->h_LongType}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
        };
        HPy plain = HPyType_FromSpec(ctx, &Plain_spec, params);
        if (HPy_IsNull(plain))
            return HPy_NULL;
        params[0].object = plain;
        HPy data = HPyType_FromSpec(ctx, &Data_spec, params);
        HPy_Close(ctx, plain);
        return data;
    }
    """
    one = module(source, "make").make()(2**100)
    one.value = 7
    assert (one, one.value) == (2**100, 7)


METACLASS = """
typedef struct { long magic; char more[64]; } Meta;
HPyType_HELPERS(Meta, HPyType_BuiltinShape_Type)
HPyDef_MEMBER(Meta_magic, "magic", HPyMember_LONG, offsetof(Meta, magic))
HPyDef_SLOT(Meta_repr, HPy_tp_repr)
static HPy Meta_repr_impl(HPyContext *ctx, HPy self)
{
    return HPyUnicode_FromFormat(ctx, "<magic %ld>", Meta_AsStruct(ctx, self)->magic);
}
static HPyDef *Meta_defines[] = {&Meta_magic, &Meta_repr, NULL};
static HPyType_Spec Meta_spec = {
    .name = "testmod.Meta", .basicsize = sizeof(Meta), .builtin_shape = SHAPE(Meta),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Meta_defines,
};
typedef struct { long value; } Made;
HPyType_HELPERS(Made)
HPyDef_MEMBER(Made_value, "value", HPyMember_LONG, offsetof(Made, value))
HPyDef_MEMBER(Made_again, "again", HPyMember_LONG, offsetof(Made, value))
static HPyDef *Made_defines[] = {&Made_value, &Made_again, NULL};
static HPyType_Spec Made_spec = {
    .name = "testmod.Made", .basicsize = sizeof(Made), .builtin_shape = SHAPE(Made),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Made_defines,
};
HPyDef_METH(make, "make", HPyFunc_O)
static HPy make_impl(HPyContext *ctx, HPy self, HPy metaclass)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Metaclass, metaclass}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &Made_spec, params);
}
HPyDef_METH(inherit, "inherit", HPyFunc_O)
static HPy inherit_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, base}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &Made_spec, params);
}
"""


def test_metaclass(module, abi, no_leak):
    support.skip_if_lacking(abi, "HPyType_SpecParam_Metaclass")
    mod = module(METACLASS + MAKE_META, "make, inherit, make_meta")
    Meta = mod.make_meta()
    for metaclass in (Meta, type("Python", (Meta,), {})):
        Made = mod.make(metaclass)
        assert type(Made) is metaclass
        assert Made.magic == 0
        Made.magic = 99
        assert repr(Made) == "<magic 99>"
        one = Made()
        one.value = 5
        assert one.again == 5
        Sub = type(Made)("Sub", (Made,), {})
        assert Sub.magic == 0 and Made.magic == 99
        assert Sub().value == 0
        Inherits = mod.inherit(Made)
        assert type(Inherits) is metaclass
        Inherits.magic = 5
        assert (Inherits.magic, Made.magic) == (5, 99)
    assert type.__basicsize__ == type(int).__basicsize__
    no_leak(lambda: mod.make(Meta), Meta)


GETSETS = """
typedef struct { long value; } T;
HPyType_HELPERS(T)
HPyDef_GETSET(T_both, "both", .doc = "both ways", .closure = (void *)100)
static HPy T_both_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPyLong_FromLong(ctx, T_AsStruct(ctx, self)->value + (long)(intptr_t)closure);
}
static int T_both_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    if (HPy_IsNull(value)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "it stays");
        return -1;
    }
    long number = HPyLong_AsLong(ctx, value);
    if (number == -1 && HPyErr_Occurred(ctx))
        return -1;
    T_AsStruct(ctx, self)->value = number - (long)(intptr_t)closure;
    return 0;
}
HPyDef_GET(T_read, "read")
static HPy T_read_get(HPyContext *ctx, HPy self, void *closure)
{
    HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
    return HPy_NULL;
}
HPyDef_SET(T_write, "write")
static int T_write_set(HPyContext *ctx, HPy self, HPy value, void *closure) { return 0; }
static HPyDef *T_defines[] = {&T_both, &T_read, &T_write, NULL};
static HPyType_Spec T_spec = {
    .name = "testmod.T", .basicsize = sizeof(T), .builtin_shape = SHAPE(T), .defines = T_defines,
};
"""


def test_getsets(module, no_leak):
    T = module(GETSETS, types="T").T
    one = T()
    assert one.both == 100
    one.both = 142
    assert one.both == 142
    assert T.both.__doc__ == "both ways"
    with pytest.raises(TypeError, match="it stays"):
        del one.both
    with pytest.raises(TypeError):
        one.both = "text"
    with pytest.raises(LookupError, match="boom"):
        one.read  # noqa: B018
    with pytest.raises(AttributeError):
        one.read = 1
    with pytest.raises(AttributeError):
        one.write  # noqa: B018
    one.write = 3
    no_leak(lambda: setattr(one, "both", 12345), one)


MEMBERS = {
    "SHORT": ("short", -5),
    "INT": ("int", -5),
    "LONG": ("long", -5),
    "FLOAT": ("float", 0.5),
    "DOUBLE": ("double", 0.1),
    "CHAR": ("char", "x"),
    "BYTE": ("signed char", -5),
    "UBYTE": ("unsigned char", 5),
    "USHORT": ("unsigned short", 5),
    "UINT": ("unsigned int", 5),
    "ULONG": ("unsigned long", 5),
    "BOOL": ("bool", True),
    "LONGLONG": ("long long", -(2**62)),
    "ULONGLONG": ("unsigned long long", 2**63),
    "HPYSSIZET": ("HPy_ssize_t", -5),
    "OBJECT": ("HPyField", "object"),
    "OBJECT_EX": ("HPyField", "object"),
}


def test_members_of_every_type(module, no_leak):
    fields = "".join(f"    {ctype} m_{name};\n" for name, (ctype, _) in MEMBERS.items())
    definitions = "".join(
        f'HPyDef_MEMBER(d_{name}, "{name}", HPyMember_{name}, offsetof(All, m_{name}))\n'
        for name in MEMBERS
    )
    pointers = "".join(f"&d_{name}, " for name in MEMBERS)
    source = f"""
    typedef struct {{ {fields} }} All;
    HPyType_HELPERS(All)
    {definitions}
    static HPyDef *All_defines[] = {{{pointers}NULL}};
    static HPyType_Spec All_spec = {{
        .name = "testmod.All", .basicsize = sizeof(All), .builtin_shape = SHAPE(All),
        .flags = HPy_TPFLAGS_DEFAULT, .defines = All_defines,
    }};
    """
    All = module(source, types="All").All
    value = object()

    def use():
        one = All()
        with pytest.raises(AttributeError):
            one.OBJECT_EX  # noqa: B018
        assert one.OBJECT is None
        for name, (ctype, expected) in MEMBERS.items():
            expected = value if ctype == "HPyField" else expected
            setattr(one, name, expected)
            assert getattr(one, name) == expected, name

    use()
    no_leak(use, value, rounds=50)


def test_python_bases(module, abi):
    """Bases that are written in Python: their attributes stay, fields and structs are released."""
    support.skip_if_lacking(abi, "Base written in Python")
    source = """
    typedef struct { HPyField link; } T;
    HPyType_HELPERS(T)
    static long destroyed;
    HPyDef_SLOT(T_traverse, HPy_tp_traverse)
    static int T_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
    {
        HPy_VISIT(&((T *)self)->link);
        return 0;
    }
    HPyDef_SLOT(T_destroy, HPy_tp_destroy)
    static void T_destroy_impl(void *self) { (void)self; destroyed++; }
    static HPyDef *T_defines[] = {&T_traverse, &T_destroy, NULL};
    static HPyDef *T_nothing[] = {NULL};
    HPyDef_METH(make, "make", HPyFunc_VARARGS)
    static HPy make_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
    {
        HPyType_Spec spec = {
            .name = "testmod.T",
            .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
            .basicsize = HPy_IsTrue(ctx, args[1]) ? (int)sizeof(T) : 0,
            .defines = HPy_IsTrue(ctx, args[1]) ? T_defines : T_nothing,
        };
        HPyType_SpecParam params[] = {
            {HPyType_SpecParam_Base, args[0]}, {(HPyType_SpecParam_Kind)0, HPy_NULL},
        };
        return HPyType_FromSpec(ctx, &spec, params);
    }
    HPyDef_METH(count, "count", HPyFunc_NOARGS)
    static HPy count_impl(HPyContext *ctx, HPy self) { return HPyLong_FromLong(ctx, destroyed); }
    """
    mod = module(source, "make, count")

    class Attributes:
        def __init__(self):
            self.x = []

    Made = mod.make(Attributes, False)
    made = Made()
    made.x.append(made)
    assert made.x == [made]
    del made
    support.collect()

    class Slotless:
        __slots__ = ()

    before = mod.count()
    Made = mod.make(Slotless, True)
    Made()
    type("Sub", (Made,), {})()
    support.settle()
    assert mod.count() == before + 2
