"""Every slot of a type: the operation reaches the C function, its result or exception returns."""

import operator
from functools import partial

import pytest
import support

BINARY = {
    "nb_add": operator.add,
    "nb_subtract": operator.sub,
    "nb_multiply": operator.mul,
    "nb_matrix_multiply": operator.matmul,
    "nb_floor_divide": operator.floordiv,
    "nb_true_divide": operator.truediv,
    "nb_remainder": operator.mod,
    "nb_divmod": divmod,
    "nb_lshift": operator.lshift,
    "nb_rshift": operator.rshift,
    "nb_and": operator.and_,
    "nb_or": operator.or_,
    "nb_xor": operator.xor,
    "nb_inplace_add": operator.iadd,
    "nb_inplace_subtract": operator.isub,
    "nb_inplace_multiply": operator.imul,
    "nb_inplace_matrix_multiply": operator.imatmul,
    "nb_inplace_floor_divide": operator.ifloordiv,
    "nb_inplace_true_divide": operator.itruediv,
    "nb_inplace_remainder": operator.imod,
    "nb_inplace_lshift": operator.ilshift,
    "nb_inplace_rshift": operator.irshift,
    "nb_inplace_and": operator.iand,
    "nb_inplace_or": operator.ior,
    "nb_inplace_xor": operator.ixor,
    "sq_concat": operator.concat,
    "sq_inplace_concat": operator.iconcat,
    "mp_subscript": operator.getitem,
}

UNARY = {
    "nb_absolute": abs,
    "nb_negative": operator.neg,
    "nb_positive": operator.pos,
    "nb_invert": operator.invert,
}

TERNARY = {
    "nb_power": pow,
    "nb_inplace_power": operator.ipow,
}

# The C functions of one type. A slot called with "boom", or on an object made so, raises.
PRELUDE = """
typedef struct {
    long value;
    bool boom;
} Box;
HPyType_HELPERS(Box)

static inline bool is_boom(HPyContext *ctx, HPy h)
{
    HPy text = HPyUnicode_FromString(ctx, "boom");
    int same = HPy_RichCompareBool(ctx, h, text, HPy_EQ);
    HPy_Close(ctx, text);
    if (same)
        HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
    return same;
}

static inline bool self_boom(HPyContext *ctx, HPy self)
{
    if (!Box_AsStruct(ctx, self)->boom)
        return false;
    HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
    return true;
}

HPyDef_SLOT(Box_new, HPy_tp_new)
static HPy Box_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    long value = 7;
    int boom = 0;
    static const char *names[] = {"value", "boom", NULL};
    if (!HPyArg_ParseKeywordsDict(ctx, NULL, args, nargs, kw, "|li:Box", names, &value, &boom))
        return HPy_NULL;
    Box *box;
    HPy self = HPy_New(ctx, type, &box);
    if (!HPy_IsNull(self)) {
        box->value = value;
        box->boom = boom == 1;
    }
    return self;
}
"""

BINARY_C = """
HPyDef_SLOT({name}, HPy_{name})
static HPy {name}_impl(HPyContext *ctx, HPy self, HPy other)
{{
    if (is_boom(ctx, other))
        return HPy_NULL;
    HPy name = HPyUnicode_FromString(ctx, "{name}");
    HPy result = HPyTuple_Pack(ctx, 3, name, self, other);
    HPy_Close(ctx, name);
    return result;
}}
"""

UNARY_C = """
HPyDef_SLOT({name}, HPy_{name})
static HPy {name}_impl(HPyContext *ctx, HPy self)
{{
    if (self_boom(ctx, self))
        return HPy_NULL;
    HPy name = HPyUnicode_FromString(ctx, "{name}");
    HPy result = HPyTuple_Pack(ctx, 2, name, self);
    HPy_Close(ctx, name);
    return result;
}}
"""

TERNARY_C = """
HPyDef_SLOT({name}, HPy_{name})
static HPy {name}_impl(HPyContext *ctx, HPy self, HPy other, HPy third)
{{
    if (is_boom(ctx, other))
        return HPy_NULL;
    HPy name = HPyUnicode_FromString(ctx, "{name}");
    HPy result = HPyTuple_Pack(ctx, 4, name, self, other, third);
    HPy_Close(ctx, name);
    return result;
}}
"""

SPEC = """
static HPyDef *Box_defines[] = {{&Box_new, {slots}, NULL}};
static HPyType_Spec Box_spec = {{
    .name = "testmod.Box",
    .basicsize = sizeof(Box),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .builtin_shape = SHAPE(Box),
    .defines = Box_defines,
}};
"""


def box(module, source, slots):
    """A module with the type Box that has the given slots."""
    slots = ", ".join(f"&{slot}" for slot in slots)
    return module(PRELUDE + source + SPEC.format(slots=slots), types="Box").Box


@pytest.fixture
def operators(module):
    """A type with all slots that take objects and give one."""
    source = "".join(BINARY_C.format(name=name) for name in BINARY)
    source += "".join(UNARY_C.format(name=name) for name in UNARY)
    source += "".join(TERNARY_C.format(name=name) for name in TERNARY)
    return box(module, source, [*BINARY, *UNARY, *TERNARY])


@pytest.mark.api(*[f"HPy_{name}" for name in BINARY])
def test_binary(operators, no_leak):
    for cls in (operators, type("Sub", (operators,), {})):
        one, other = cls(), object()
        for name, operation in BINARY.items():
            if cls is not operators and name.endswith("concat"):
                continue  # a Python subclass has one __add__, which CPython takes for a number's
            assert operation(one, other) == (name, one, other)
            no_leak(partial(operation, one, other), one, other, rounds=20)


@pytest.mark.api(*[f"HPy_{name}" for name in BINARY], case="error")
def test_binary_raises(operators, no_leak):
    one = operators()

    def fail(operation):
        with pytest.raises(LookupError, match="boom"):
            operation(one, "boom")

    for operation in BINARY.values():
        fail(operation)
        no_leak(lambda operation=operation: fail(operation), one, rounds=20)


def test_reflected(operators):
    one, other = operators(), object()
    assert other + one == ("nb_add", other, one)
    with pytest.raises(TypeError):
        operators.__add__(other, one)


@pytest.mark.api(*[f"HPy_{name}" for name in UNARY])
def test_unary(operators, no_leak):
    one = operators()
    for name, operation in UNARY.items():
        assert operation(one) == (name, one)
        no_leak(lambda operation=operation: operation(one), one, rounds=20)


@pytest.mark.api(*[f"HPy_{name}" for name in UNARY], case="error")
def test_unary_raises(operators):
    for operation in UNARY.values():
        with pytest.raises(LookupError, match="boom"):
            operation(operators(boom=1))


@pytest.mark.api(*[f"HPy_{name}" for name in TERNARY])
def test_ternary(operators, no_leak):
    one, other = operators(), object()
    assert pow(one, other) == ("nb_power", one, other, None)
    assert pow(one, other, 3) == ("nb_power", one, other, 3)
    assert operator.ipow(one, other) == ("nb_inplace_power", one, other, None)
    no_leak(lambda: pow(one, other, one), one, other)


@pytest.mark.api(*[f"HPy_{name}" for name in TERNARY], case="error")
def test_ternary_raises(operators):
    for operation in TERNARY.values():
        with pytest.raises(LookupError, match="boom"):
            operation(operators(), "boom")


CONVERSIONS = """
HPyDef_SLOT(nb_int, HPy_nb_int)
static HPy nb_int_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? HPy_NULL : HPyLong_FromLong(ctx, Box_AsStruct(ctx, self)->value);
}
HPyDef_SLOT(nb_index, HPy_nb_index)
static HPy nb_index_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? HPy_NULL
                                : HPyLong_FromLong(ctx, Box_AsStruct(ctx, self)->value + 1);
}
HPyDef_SLOT(nb_float, HPy_nb_float)
static HPy nb_float_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self)
               ? HPy_NULL
               : HPyFloat_FromDouble(ctx, (double)Box_AsStruct(ctx, self)->value / 2);
}
HPyDef_SLOT(nb_bool, HPy_nb_bool)
static int nb_bool_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? -1 : Box_AsStruct(ctx, self)->value != 0;
}
HPyDef_SLOT(tp_repr, HPy_tp_repr)
static HPy tp_repr_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? HPy_NULL
                                : HPyUnicode_FromFormat(ctx, "Box(%ld)",
                                                        Box_AsStruct(ctx, self)->value);
}
HPyDef_SLOT(tp_str, HPy_tp_str)
static HPy tp_str_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? HPy_NULL : HPyUnicode_FromString(ctx, "a box");
}
HPyDef_SLOT(tp_hash, HPy_tp_hash)
static HPy_hash_t tp_hash_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? -1 : Box_AsStruct(ctx, self)->value * 2;
}
HPyDef_SLOT(sq_length, HPy_sq_length)
static HPy_ssize_t sq_length_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? -1 : Box_AsStruct(ctx, self)->value;
}
"""

CONVERSION_SLOTS = {
    "nb_int": (int, 7),
    "nb_index": (operator.index, 8),
    "nb_float": (float, 3.5),
    "nb_bool": (bool, True),
    "tp_repr": (repr, "Box(7)"),
    "tp_str": (str, "a box"),
    "tp_hash": (hash, 14),
    "sq_length": (len, 7),
}


@pytest.fixture
def conversions(module):
    """A type with the slots that take the object alone."""
    return box(module, CONVERSIONS, CONVERSION_SLOTS)


@pytest.mark.api(*[f"HPy_{name}" for name in CONVERSION_SLOTS])
def test_conversions(conversions, no_leak):
    one = conversions()
    for convert, expected in CONVERSION_SLOTS.values():
        assert convert(one) == expected
        assert type(convert(one)) is type(expected)
        no_leak(lambda convert=convert: convert(one), one, rounds=20)
    assert not conversions(0)


@pytest.mark.api(*[f"HPy_{name}" for name in CONVERSION_SLOTS], case="error")
def test_conversions_raise(conversions):
    one = conversions(boom=1)
    for convert, _ in CONVERSION_SLOTS.values():
        with pytest.raises(LookupError, match="boom"):
            convert(one)


SEQUENCE = """
HPyDef_SLOT(sq_length, HPy_sq_length)
static HPy_ssize_t sq_length_impl(HPyContext *ctx, HPy self)
{
    return Box_AsStruct(ctx, self)->value;
}
HPyDef_SLOT(sq_item, HPy_sq_item)
static HPy sq_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index)
{
    if (index < 0 || index >= Box_AsStruct(ctx, self)->value) {
        HPyErr_SetString(ctx, ctx->h_IndexError, "boom");
        return HPy_NULL;
    }
    return HPyLong_FromSsize_t(ctx, index * 10);
}
HPyDef_SLOT(sq_ass_item, HPy_sq_ass_item)
static int sq_ass_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index, HPy value)
{
    if (HPy_IsNull(value)) {
        Box_AsStruct(ctx, self)->value = 100 + index;
        return 0;
    }
    if (is_boom(ctx, value))
        return -1;
    Box_AsStruct(ctx, self)->value = index + HPyLong_AsLong(ctx, value);
    return 0;
}
HPyDef_SLOT(sq_contains, HPy_sq_contains)
static int sq_contains_impl(HPyContext *ctx, HPy self, HPy value)
{
    if (is_boom(ctx, value))
        return -1;
    return HPy_TypeCheck(ctx, value, ctx->h_LongType) &&
           HPyLong_AsLong(ctx, value) == Box_AsStruct(ctx, self)->value;
}
HPyDef_SLOT(sq_repeat, HPy_sq_repeat)
static HPy sq_repeat_impl(HPyContext *ctx, HPy self, HPy_ssize_t count)
{
    if (count < 0) {
        HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
        return HPy_NULL;
    }
    return HPyLong_FromLong(ctx, Box_AsStruct(ctx, self)->value * count);
}
HPyDef_SLOT(sq_inplace_repeat, HPy_sq_inplace_repeat)
static HPy sq_inplace_repeat_impl(HPyContext *ctx, HPy self, HPy_ssize_t count)
{
    if (count < 0) {
        HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
        return HPy_NULL;
    }
    Box_AsStruct(ctx, self)->value *= count;
    return HPy_Dup(ctx, self);
}
"""

SEQUENCE_SLOTS = ["sq_item", "sq_ass_item", "sq_contains", "sq_repeat", "sq_inplace_repeat"]


@pytest.fixture
def sequence(module):
    """A type with the slots of a sequence."""
    return box(module, SEQUENCE, ["sq_length", *SEQUENCE_SLOTS])


@pytest.mark.api(*[f"HPy_{name}" for name in SEQUENCE_SLOTS])
def test_sequence(sequence, no_leak):
    one = sequence(3)
    assert list(one) == [0, 10, 20]
    assert one[-1] == 20
    assert 3 in one
    assert 4 not in one
    assert "text" not in one
    assert one * 5 == 15
    same = one
    same *= 4
    assert same is one and len(one) == 12
    one[2] = 40
    assert len(one) == 42
    del one[5]
    assert len(one) == 105

    def use():
        one[1] = 3
        return one[0], one[-1], one * 2, 3 in one

    no_leak(use, one)


@pytest.mark.api(*[f"HPy_{name}" for name in SEQUENCE_SLOTS], case="error")
def test_sequence_raises(sequence):
    one = sequence(3)
    with pytest.raises(IndexError, match="boom"):
        one[3]
    with pytest.raises(LookupError, match="boom"):
        one[0] = "boom"
    with pytest.raises(LookupError, match="boom"):
        "boom" in one  # noqa: B015
    with pytest.raises(LookupError, match="boom"):
        one * -1
    with pytest.raises(LookupError, match="boom"):
        one *= -1


MAPPING = """
HPyDef_SLOT(mp_length, HPy_mp_length)
static HPy_ssize_t mp_length_impl(HPyContext *ctx, HPy self)
{
    return self_boom(ctx, self) ? -1 : Box_AsStruct(ctx, self)->value;
}
HPyDef_SLOT(mp_ass_subscript, HPy_mp_ass_subscript)
static int mp_ass_subscript_impl(HPyContext *ctx, HPy self, HPy key, HPy value)
{
    if (is_boom(ctx, key))
        return -1;
    Box_AsStruct(ctx, self)->value = HPy_IsNull(value) ? -1 : HPyLong_AsLong(ctx, value);
    return 0;
}
HPyDef_MEMBER(Box_value, "value", HPyMember_LONG, offsetof(Box, value))
"""


@pytest.mark.api("HPy_mp_length", "HPy_mp_ass_subscript")
def test_mapping(module, no_leak):
    one = box(module, MAPPING, ["mp_length", "mp_ass_subscript", "Box_value"])(2)
    assert len(one) == 2
    one["key"] = 5
    assert one.value == 5
    del one["key"]
    assert one.value == -1
    no_leak(lambda: operator.setitem(one, "key", 3), one)


@pytest.mark.api("HPy_mp_length", "HPy_mp_ass_subscript", case="error")
def test_mapping_raises(module):
    Box = box(module, MAPPING, ["mp_length", "mp_ass_subscript", "Box_value"])
    with pytest.raises(LookupError, match="boom"):
        len(Box(boom=1))
    with pytest.raises(LookupError, match="boom"):
        Box()["boom"] = 1
    with pytest.raises(LookupError, match="boom"):
        del Box()["boom"]


RICHCOMPARE = """
HPyDef_SLOT(tp_richcompare, HPy_tp_richcompare)
static HPy tp_richcompare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    if (!HPy_TypeCheck(ctx, other, ctx->h_LongType))
        return is_boom(ctx, other) ? HPy_NULL : HPy_Dup(ctx, ctx->h_NotImplemented);
    long a = Box_AsStruct(ctx, self)->value, b = HPyLong_AsLong(ctx, other);
    HPy_RETURN_RICHCOMPARE(ctx, a, b, op);
}
"""

COMPARISONS = [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]


@pytest.mark.api("HPy_tp_richcompare")
def test_richcompare(module, no_leak):
    one = box(module, RICHCOMPARE, ["tp_richcompare"])(5)
    for compare in COMPARISONS:
        for other in (4, 5, 6):
            assert compare(one, other) is compare(5, other)
    assert one != "text"
    assert 4 < one
    with pytest.raises(TypeError):
        one < 1.5  # noqa: B015
    no_leak(lambda: one < 3, one)


@pytest.mark.api("HPy_tp_richcompare", case="error")
def test_richcompare_raises(module):
    one = box(module, RICHCOMPARE, ["tp_richcompare"])()
    for compare in COMPARISONS:
        with pytest.raises(LookupError, match="boom"):
            compare(one, "boom")


INIT = """
HPyDef_SLOT(tp_init, HPy_tp_init)
static int tp_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    long value = 0;
    static const char *names[] = {"value", NULL};
    if (!HPyArg_ParseKeywordsDict(ctx, NULL, args, nargs, kw, "l:init", names, &value))
        return -1;
    if (value < 0) {
        HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
        return -1;
    }
    Box_AsStruct(ctx, self)->value = value + 1;
    return 0;
}
HPyDef_MEMBER(Box_value, "value", HPyMember_LONG, offsetof(Box, value))
"""


@pytest.mark.api("HPy_tp_init", "HPy_tp_new")
def test_new_and_init(module, no_leak):
    Box = box(module, INIT, ["tp_init", "Box_value"])
    assert Box(5).value == 6
    assert Box(value=6).value == 7
    assert type("Sub", (Box,), {})(1).value == 2
    no_leak(lambda: Box(5), Box)
    no_leak(lambda: Box(value=5), Box)


@pytest.mark.api("HPy_tp_init", "HPy_tp_new", case="error")
def test_new_and_init_raise(module, no_leak):
    Box = box(module, INIT, ["tp_init", "Box_value"])

    def fail(error, *args, **kwargs):
        with pytest.raises(error):
            Box(*args, **kwargs)

    fail(LookupError, -1)
    fail(TypeError, "text")
    fail(TypeError, other=1)
    fail(TypeError)
    no_leak(lambda: fail(LookupError, -1), Box)
    no_leak(lambda: fail(TypeError, "text"), Box)


@pytest.mark.api("HPy_tp_init", "HPy_tp_new")
def test_new_and_init_can_be_replaced(module):
    """What Python code assigns counts from then on, also for calls without keywords."""
    Box = box(module, INIT, ["tp_init", "Box_value"])
    init = Box.__init__
    Sub = type("Sub", (Box,), {"__init__": lambda self, value: init(self, value + 1)})
    derived = Sub(1)
    Box.__init__ = lambda self, value: init(self, 10 * value)
    assert Box(5).value == 51
    del Box.__init__
    assert Box(5).value == 5
    Box.__init__ = init
    assert Box(5).value == 6
    Box.__new__ = lambda cls, value: "no box"
    assert Box(5) == "no box"
    Box.__new__ = lambda cls, value: derived
    assert Box(5) is derived
    assert derived.value == 7


OTHER = """
HPyDef_SLOT(Maker_new, HPy_tp_new)
static HPy Maker_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    if (nargs == 0)
        return HPyType_GenericNew(ctx, type, args, nargs, kw);
    return HPy_CallTupleDict(ctx, args[0], HPy_NULL, HPy_NULL);
}
HPyDef_SLOT(Maker_init, HPy_tp_init)
static int Maker_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    return nargs == 0 ? 0 : HPy_SetAttr_s(ctx, args[0], "initialized", self);
}
static HPyDef *Maker_defines[] = {&Maker_new, &Maker_init, NULL};
static HPyType_Spec Maker_spec = {
    .name = "testmod.Maker", .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .defines = Maker_defines};
"""


@pytest.mark.api("HPy_tp_init", "HPy_tp_new")
def test_new_gives_something_else(module):
    """Only instances of the called type are initialized, by the function of their own type."""
    Maker = module(OTHER, types="Maker").Maker
    calls = []

    class Sub(Maker):
        def __init__(self, *args):
            calls.append(args)

    def make(result):
        def function():
            return result

        assert Maker(function) is result
        return function

    assert not hasattr(make("text"), "initialized")
    own = Maker()
    assert make(own).initialized is own
    sub = Sub()
    function = make(sub)
    assert calls == [(), (function,)]
    assert not hasattr(function, "initialized")


@pytest.mark.api("HPy_tp_init", "HPy_tp_new", case="error")
def test_new_or_init_fails_elsewhere(module):
    Maker = module(OTHER, types="Maker").Maker

    class Sub(Maker):
        def __init__(self, *args):
            if args:
                raise KeyError(*args)

    sub = Sub()
    with pytest.raises(KeyError):
        Maker(lambda: sub)
    with pytest.raises(ZeroDivisionError):
        Maker(lambda: 1 / 0)


CALL = """
HPyDef_SLOT(tp_call, HPy_tp_call)
static HPy tp_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    if (self_boom(ctx, self))
        return HPy_NULL;
    HPy tuple, dict;
    if (!HPyHelpers_PackArgsAndKeywords(ctx, args, nargs, kwnames, &tuple, &dict))
        return HPy_NULL;
    HPy result = HPyTuple_Pack(ctx, 2, HPy_IsNull(tuple) ? ctx->h_None : tuple,
                               HPy_IsNull(dict) ? ctx->h_None : dict);
    HPy_Close(ctx, tuple);
    HPy_Close(ctx, dict);
    return result;
}
"""


@pytest.mark.api("HPy_tp_call")
def test_call(module, no_leak):
    Box = box(module, CALL, ["tp_call"])
    for cls in (Box, type("Sub", (Box,), {})):
        one = cls()
        assert one(1, 2, key=3) == ((1, 2), {"key": 3})
        assert one(*[1], **{"key": 2}) == ((1,), {"key": 2})
        assert one.__call__(1)[0] == (1,)
        assert callable(one)
        no_leak(lambda one=one: one(1, key=2), one)


@pytest.mark.api("HPy_tp_call", case="error")
def test_call_raises(module, no_leak):
    one = box(module, CALL, ["tp_call"])(boom=1)

    def fail():
        with pytest.raises(LookupError, match="boom"):
            one(1, key=2)

    fail()
    no_leak(fail, one)


def test_call_on_object_that_was_not_made_by_hpy_new(module):
    """The inherited constructor knows nothing of the call function."""
    source = """
    typedef struct { long value; } Plain;
    HPyType_HELPERS(Plain)
    HPyDef_SLOT(call, HPy_tp_call)
    static HPy call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
    {
        return HPyLong_FromSize_t(ctx, nargs);
    }
    static HPyDef *Plain_defines[] = {&call, NULL};
    static HPyType_Spec Plain_spec = {
        .name = "testmod.Plain", .basicsize = sizeof(Plain), .builtin_shape = SHAPE(Plain),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = Plain_defines,
    };
    """
    Plain = module(source, types="Plain").Plain
    plain = Plain()
    assert plain(1, 2) == 2
    assert plain(1) == 1

    class Sub(Plain):
        def __call__(self):
            return "python"

    assert Sub()() == "python"


DESCRIPTOR = """
HPyDef_SLOT(tp_descr_get, HPy_tp_descr_get)
static HPy tp_descr_get_impl(HPyContext *ctx, HPy self, HPy object, HPy type)
{
    if (self_boom(ctx, self))
        return HPy_NULL;
    return HPyTuple_Pack(ctx, 2, HPy_IsNull(object) ? ctx->h_None : object,
                         HPy_IsNull(type) ? ctx->h_None : type);
}
"""


@pytest.mark.api("HPy_tp_descr_get")
def test_descr_get(module, no_leak):
    descriptor = box(module, DESCRIPTOR, ["tp_descr_get"])()

    class Owner:
        attribute = descriptor

    owner = Owner()
    assert owner.attribute == (owner, Owner)
    assert Owner.attribute == (None, Owner)
    no_leak(lambda: owner.attribute, owner, descriptor)


@pytest.mark.api("HPy_tp_descr_get", case="error")
def test_descr_get_raises(module):
    owner = type("Owner", (), {"attribute": box(module, DESCRIPTOR, ["tp_descr_get"])(boom=1)})
    with pytest.raises(LookupError, match="boom"):
        owner().attribute  # noqa: B018


BUFFER = """
static long released;
static char memory[4] = {1, 2, 3, 4};

HPyDef_SLOT(bf_getbuffer, HPy_bf_getbuffer)
static int bf_getbuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *buf, int flags)
{
    if (self_boom(ctx, self)) {
        buf->obj = HPy_NULL;
        return -1;
    }
    static HPy_ssize_t shape[1] = {4};
    static HPy_ssize_t strides[1] = {1};
    static char format[] = "b";
    buf->buf = memory;
    buf->obj = HPy_Dup(ctx, self);
    buf->len = 4;
    buf->itemsize = 1;
    buf->readonly = 0;
    buf->ndim = 1;
    buf->format = format;
    buf->shape = shape;
    buf->strides = strides;
    buf->suboffsets = NULL;
    buf->internal = NULL;
    return 0;
}
HPyDef_SLOT(bf_releasebuffer, HPy_bf_releasebuffer)
static void bf_releasebuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *buf)
{
    released++;
}
HPyDef_GET(Box_released, "released")
static HPy Box_released_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPyLong_FromLong(ctx, released);
}
"""


@pytest.mark.api("HPy_bf_getbuffer", "HPy_bf_releasebuffer")
def test_buffer(module, no_leak):
    one = box(module, BUFFER, ["bf_getbuffer", "bf_releasebuffer", "Box_released"])()
    before = one.released
    with memoryview(one) as view:
        assert view.tolist() == [1, 2, 3, 4]
        assert view.obj is one
        view[0] = 5
        assert bytes(view) == b"\x05\x02\x03\x04"
        view[0] = 1
        assert one.released == before
    support.settle()
    assert one.released == before + 1
    no_leak(lambda: bytes(one), one)


@pytest.mark.api("HPy_bf_getbuffer", case="error")
def test_buffer_raises(module, no_leak):
    one = box(module, BUFFER, ["bf_getbuffer", "bf_releasebuffer", "Box_released"])(boom=1)

    def fail():
        with pytest.raises(LookupError, match="boom"):
            memoryview(one)

    fail()
    no_leak(fail, one)


LIFE = """
static long destroyed, finalized;

HPyDef_SLOT(tp_finalize, HPy_tp_finalize)
static void tp_finalize_impl(HPyContext *ctx, HPy self)
{
    finalized += Box_AsStruct(ctx, self)->value;
    if (Box_AsStruct(ctx, self)->boom) {
        HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
        HPyErr_WriteUnraisable(ctx, self);
    }
}
HPyDef_SLOT(tp_destroy, HPy_tp_destroy)
static void tp_destroy_impl(void *data)
{
    destroyed += ((Box *)data)->value;
}
HPyDef_GET(Box_counts, "counts")
static HPy Box_counts_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPy_BuildValue(ctx, "(ll)", finalized, destroyed);
}
"""


@pytest.mark.api("HPy_tp_finalize", "HPy_tp_destroy")
def test_finalize_and_destroy(module, no_leak):
    Box = box(module, LIFE, ["tp_finalize", "tp_destroy", "Box_counts"])
    witness = Box(0)
    start = witness.counts
    for cls in (Box, type("Sub", (Box,), {}), type("Slots", (Box,), {"__slots__": ("x",)})):
        before = witness.counts
        one = cls(5)
        assert witness.counts == before
        del one
        support.collect()
        assert witness.counts == (before[0] + 5, before[1] + 5), cls
    assert witness.counts == (start[0] + 15, start[1] + 15)
    no_leak(lambda: Box(1), Box)


@pytest.mark.api("HPy_tp_finalize", case="error")
def test_finalize_reports_its_exception(module, monkeypatch):
    seen = []
    monkeypatch.setattr("sys.unraisablehook", lambda info: seen.append(info.exc_type))
    Box = box(module, LIFE, ["tp_finalize", "tp_destroy", "Box_counts"])
    Box(1, 1)
    support.settle()
    assert seen == [LookupError]


def test_module_slots_are_refused_in_a_type(module):
    source = """
    HPyDef_SLOT(exec, HPy_mod_exec)
    static int exec_impl(HPyContext *ctx, HPy mod) { return 0; }
    static HPyDef *T_defines[] = {&exec, NULL};
    static HPyType_Spec T_spec = {.name = "testmod.T", .defines = T_defines};
    """
    with pytest.raises(SystemError, match="slot"):
        module(source, types="T")
