"""Types with slots of the Python/C API: every slot, life and death, bases, what is refused."""

import asyncio
import gc
import operator
import sys
import weakref

import pytest
import support

pytestmark = pytest.mark.parametrize("abi", ["cpython", "hybrid", "hybrid-debug"])

UNARY = {
    "nb_negative": operator.neg,
    "nb_positive": operator.pos,
    "nb_absolute": abs,
    "nb_invert": operator.invert,
}
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
}
TERNARY = {"nb_power": pow, "nb_inplace_power": operator.ipow}

# What all sources begin with. Every function raises while `boom` is set, and says which it was.
PRELUDE = """
#include <structmember.h>

static int boom;
static PyObject *last;

HPyDef_METH(set_boom, "set_boom", HPyFunc_O)
static HPy set_boom_impl(HPyContext *ctx, HPy self, HPy arg)
{
    boom = HPy_IsTrue(ctx, arg);
    return HPy_Dup(ctx, ctx->h_None);
}

/* What the last function that gives no object was called with. */
HPyDef_METH(take_last, "take_last", HPyFunc_NOARGS)
static HPy take_last_impl(HPyContext *ctx, HPy self)
{
    HPy result = HPy_FromPyObject(ctx, last == NULL ? Py_None : last);
    Py_CLEAR(last);
    return result;
}

static PyObject *called(const char *name, PyObject *a, PyObject *b, PyObject *c)
{
    if (boom) {
        PyErr_SetString(PyExc_LookupError, name);
        return NULL;
    }
    return c ? Py_BuildValue("(sOOO)", name, a, b, c)
             : b ? Py_BuildValue("(sOO)", name, a, b) : Py_BuildValue("(sO)", name, a);
}

static int noted(const char *name, PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *call = called(name, a, b, c);
    if (call == NULL)
        return -1;
    Py_XDECREF(last);
    last = call;
    return 0;
}

static PyObject *or_none(PyObject *object)
{
    return object == NULL ? Py_None : object;
}
"""


def lines(form, *slots):
    """C code for each slot: `SLOT` in `form` is its name."""
    return "".join(form.replace("SLOT", slot) + "\n" for slot in slots)


# For each slot of a number one function that gives its name and arguments.
NUMBER = (
    """
#define ONE(NAME) \\
    static PyObject *NAME##_(PyObject *a) { return called(#NAME, a, NULL, NULL); }
#define TWO(NAME) \\
    static PyObject *NAME##_(PyObject *a, PyObject *b) { return called(#NAME, a, b, NULL); }
#define THREE(NAME) \\
    static PyObject *NAME##_(PyObject *a, PyObject *b, PyObject *c) \\
    { return called(#NAME, a, b, c); }
"""
    + lines("ONE(SLOT)", *UNARY)
    + lines("TWO(SLOT)", *BINARY)
    + lines("THREE(SLOT)", *TERNARY)
    + """
static int nb_bool_(PyObject *a) { return noted("nb_bool", a, NULL, NULL); }
static PyObject *as_number(const char *name, PyObject *a, PyObject *value)
{
    if (value != NULL && noted(name, a, NULL, NULL) < 0)
        Py_CLEAR(value);
    return value;
}
static PyObject *nb_int_(PyObject *a) { return as_number("nb_int", a, PyLong_FromLong(40)); }
static PyObject *nb_index_(PyObject *a) { return as_number("nb_index", a, PyLong_FromLong(41)); }
static PyObject *nb_float_(PyObject *a)
{
    return as_number("nb_float", a, PyFloat_FromDouble(0.5));
}
static PyType_Slot Number_slots[] = {
"""
    + lines(
        "    {Py_SLOT, (void *)SLOT_},",
        *UNARY,
        *BINARY,
        *TERNARY,
        "nb_bool",
        "nb_int",
        "nb_index",
        "nb_float",
    )
    + """
    {0, NULL},
};
static HPyType_Spec Number_spec = {
    .name = "testmod.Number", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Number_slots,
};
"""
)

CONTAINERS = """
static Py_ssize_t length(PyObject *a) { return noted("length", a, NULL, NULL) < 0 ? -1 : 3; }
static PyObject *with_index(const char *name, PyObject *a, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    PyObject *result = index == NULL ? NULL : called(name, a, index, NULL);
    Py_XDECREF(index);
    return result;
}
static PyObject *sq_item_(PyObject *a, Py_ssize_t i)
{
    if (i >= 3) {
        PyErr_SetString(PyExc_IndexError, "too large");
        return NULL;
    }
    return with_index("sq_item", a, i);
}
static PyObject *sq_repeat_(PyObject *a, Py_ssize_t i) { return with_index("sq_repeat", a, i); }
static PyObject *sq_inplace_repeat_(PyObject *a, Py_ssize_t i)
{
    return with_index("sq_inplace_repeat", a, i);
}
static PyObject *sq_concat_(PyObject *a, PyObject *b) { return called("sq_concat", a, b, NULL); }
static PyObject *sq_inplace_concat_(PyObject *a, PyObject *b)
{
    return called("sq_inplace_concat", a, b, NULL);
}
static int sq_ass_item_(PyObject *a, Py_ssize_t i, PyObject *value)
{
    PyObject *index = PyLong_FromSsize_t(i);
    int status = index == NULL ? -1 : noted("sq_ass_item", a, index, or_none(value));
    Py_XDECREF(index);
    return status;
}
static int sq_contains_(PyObject *a, PyObject *b)
{
    return noted("sq_contains", a, b, NULL) < 0 ? -1 : PyLong_Check(b);
}
static PyType_Slot Sequence_slots[] = {
    {Py_sq_length, (void *)length}, {Py_sq_item, (void *)sq_item_},
    {Py_sq_repeat, (void *)sq_repeat_}, {Py_sq_inplace_repeat, (void *)sq_inplace_repeat_},
    {Py_sq_concat, (void *)sq_concat_}, {Py_sq_inplace_concat, (void *)sq_inplace_concat_},
    {Py_sq_ass_item, (void *)sq_ass_item_}, {Py_sq_contains, (void *)sq_contains_}, {0, NULL},
};
static HPyType_Spec Sequence_spec = {
    .name = "testmod.Sequence", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Sequence_slots,
};

static PyObject *mp_subscript_(PyObject *a, PyObject *b)
{
    return called("mp_subscript", a, b, NULL);
}
static int mp_ass_subscript_(PyObject *a, PyObject *b, PyObject *c)
{
    return noted("mp_ass_subscript", a, b, or_none(c));
}
static PyType_Slot Mapping_slots[] = {
    {Py_mp_length, (void *)length}, {Py_mp_subscript, (void *)mp_subscript_},
    {Py_mp_ass_subscript, (void *)mp_ass_subscript_}, {0, NULL},
};
static HPyType_Spec Mapping_spec = {
    .name = "testmod.Mapping", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Mapping_slots,
};

typedef struct { PyObject_HEAD char bytes[4]; Py_ssize_t exports; } Buffer;
static int bf_getbuffer_(PyObject *self, Py_buffer *view, int flags)
{
    Buffer *buffer = (Buffer *)self;
    if (noted("bf_getbuffer", self, NULL, NULL) < 0)
        return -1;
    buffer->exports++;
    return PyBuffer_FillInfo(view, self, buffer->bytes, 4, 0, flags);
}
static void bf_releasebuffer_(PyObject *self, Py_buffer *view) { ((Buffer *)self)->exports--; }
static PyMemberDef Buffer_members[] = {
    {"exports", T_PYSSIZET, offsetof(Buffer, exports), READONLY, NULL}, {NULL, 0, 0, 0, NULL},
};
static PyType_Slot Buffer_slots[] = {
    {Py_bf_getbuffer, (void *)bf_getbuffer_}, {Py_bf_releasebuffer, (void *)bf_releasebuffer_},
    {Py_tp_members, Buffer_members}, {0, NULL},
};
static HPyType_Spec Buffer_spec = {
    .name = "testmod.Buffer", .basicsize = sizeof(Buffer),
    .builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = Buffer_slots,
};
"""

OBJECTS = """
typedef struct { PyObject_HEAD long value; } Basic;
static PyObject *tp_new_(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (noted("tp_new", (PyObject *)type, args, or_none(kwds)) < 0)
        return NULL;
    return type->tp_alloc(type, 0);
}
static int tp_init_(PyObject *self, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"value", NULL};
    if (noted("tp_init", (PyObject *)Py_TYPE(self), args, or_none(kwds)) < 0)
        return -1;
    return PyArg_ParseTupleAndKeywords(args, kwds, "|l", names, &((Basic *)self)->value) ? 0 : -1;
}
static PyObject *tp_call_(PyObject *self, PyObject *args, PyObject *kwds)
{
    return called("tp_call", self, args, or_none(kwds));
}
static PyObject *text(const char *name, PyObject *self)
{
    return noted(name, self, NULL, NULL) < 0 ? NULL : PyUnicode_FromString(name);
}
static PyObject *tp_repr_(PyObject *self) { return text("tp_repr", self); }
static PyObject *tp_str_(PyObject *self) { return text("tp_str", self); }
static Py_hash_t tp_hash_(PyObject *self)
{
    return noted("tp_hash", self, NULL, NULL) < 0 ? -1 : ((Basic *)self)->value;
}
static PyObject *tp_richcompare_(PyObject *self, PyObject *other, int op)
{
    return with_index("tp_richcompare", other, op);
}
static PyType_Slot Basic_slots[] = {
    {Py_tp_new, (void *)tp_new_}, {Py_tp_init, (void *)tp_init_}, {Py_tp_call, (void *)tp_call_},
    {Py_tp_repr, (void *)tp_repr_}, {Py_tp_str, (void *)tp_str_}, {Py_tp_hash, (void *)tp_hash_},
    {Py_tp_richcompare, (void *)tp_richcompare_}, {Py_tp_doc, "What Basic is."}, {0, NULL},
};
static HPyType_Spec Basic_spec = {
    .name = "testmod.Basic", .basicsize = sizeof(Basic),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = Basic_slots,
};

static PyObject *tp_getattro_(PyObject *self, PyObject *name)
{
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return found;
    PyErr_Clear();
    return called("tp_getattro", self, name, NULL);
}
static int tp_setattro_(PyObject *self, PyObject *name, PyObject *value)
{
    return noted("tp_setattro", self, name, or_none(value));
}
static PyType_Slot Attributes_slots[] = {
    {Py_tp_getattro, (void *)tp_getattro_}, {Py_tp_setattro, (void *)tp_setattro_}, {0, NULL},
};
static HPyType_Spec Attributes_spec = {
    .name = "testmod.Attributes", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Attributes_slots,
};

static PyObject *tp_getattr_(PyObject *self, char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    PyObject *result = key == NULL ? NULL : called("tp_getattr", self, key, NULL);
    Py_XDECREF(key);
    return result;
}
static int tp_setattr_(PyObject *self, char *name, PyObject *value)
{
    PyObject *key = PyUnicode_FromString(name);
    int status = key == NULL ? -1 : noted("tp_setattr", self, key, or_none(value));
    Py_XDECREF(key);
    return status;
}
static PyType_Slot OldAttributes_slots[] = {
    {Py_tp_getattr, (void *)tp_getattr_}, {Py_tp_setattr, (void *)tp_setattr_}, {0, NULL},
};
static HPyType_Spec OldAttributes_spec = {
    .name = "testmod.OldAttributes", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = OldAttributes_slots,
};

static PyObject *tp_descr_get_(PyObject *self, PyObject *object, PyObject *type)
{
    return called("tp_descr_get", self, or_none(object), or_none(type));
}
static int tp_descr_set_(PyObject *self, PyObject *object, PyObject *value)
{
    return noted("tp_descr_set", self, object, or_none(value));
}
static PyType_Slot Descriptor_slots[] = {
    {Py_tp_descr_get, (void *)tp_descr_get_}, {Py_tp_descr_set, (void *)tp_descr_set_}, {0, NULL},
};
static HPyType_Spec Descriptor_spec = {
    .name = "testmod.Descriptor", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Descriptor_slots,
};

typedef struct { PyObject_HEAD int left; } Iterator;
static PyObject *self_(PyObject *self) { Py_INCREF(self); return self; }
static PyObject *tp_iternext_(PyObject *self)
{
    Iterator *iterator = (Iterator *)self;
    return iterator->left-- > 0 ? called("tp_iternext", self, NULL, NULL) : NULL;
}
static PyObject *am_anext_(PyObject *self)
{
    if (((Iterator *)self)->left <= 0) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return NULL;
    }
    return noted("am_anext", self, NULL, NULL) < 0 ? NULL : self_(self);
}
#if PY_VERSION_HEX >= 0x030A0000
static PySendResult am_send_(PyObject *self, PyObject *value, PyObject **result)
{
    ((Iterator *)self)->left--;
    *result = called("am_send", self, value, NULL);
    return *result == NULL ? PYGEN_ERROR : PYGEN_RETURN;
}
#endif
static PyMemberDef Iterator_members[] = {
    {"left", T_INT, offsetof(Iterator, left), 0, NULL}, {NULL, 0, 0, 0, NULL},
};
static PyType_Slot Iterator_slots[] = {
    {Py_tp_iter, (void *)self_}, {Py_tp_iternext, (void *)tp_iternext_},
    {Py_am_await, (void *)self_}, {Py_am_aiter, (void *)self_}, {Py_am_anext, (void *)am_anext_},
#if PY_VERSION_HEX >= 0x030A0000
    {Py_am_send, (void *)am_send_},
#endif
    {Py_tp_members, Iterator_members}, {0, NULL},
};
static HPyType_Spec Iterator_spec = {
    .name = "testmod.Iterator", .basicsize = sizeof(Iterator),
    .builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = Iterator_slots,
};
"""

TYPES = "Number, Sequence, Mapping, Buffer, Basic, Attributes, OldAttributes, Descriptor, Iterator"
FUNCTIONS = "set_boom, take_last"


@pytest.fixture
def mod(module):
    made = module(PRELUDE + NUMBER + CONTAINERS + OBJECTS, FUNCTIONS, types=TYPES)
    yield made
    made.set_boom(False)
    made.take_last()


@pytest.fixture
def check(mod, no_leak):
    """check(call, name, *tracked, expected=...): `call` gives what is expected, raises what the C
    function `name` raises, and leaks neither way.
    """

    def run(call, name, *tracked, expected=...):
        result = call()
        assert expected is ... or result == expected
        no_leak(call, *tracked, rounds=100)
        mod.set_boom(True)

        def fail():
            with pytest.raises(LookupError, match=f"^{name}$"):
                call()

        fail()
        no_leak(fail, *tracked, rounds=100)
        mod.set_boom(False)

    return run


def test_number(mod, check):
    x, other = mod.Number(), object()
    for name, call in UNARY.items():
        check(lambda call=call: call(x), name, x, expected=(name, x))
    for name, call in BINARY.items():
        check(lambda call=call: call(x, other), name, x, other, expected=(name, x, other))
    assert other + x == ("nb_add", other, x)
    check(lambda: pow(x, other), "nb_power", x, other, expected=("nb_power", x, other, None))
    check(lambda: pow(x, other, 5), "nb_power", x, other, expected=("nb_power", x, other, 5))
    name = "nb_inplace_power"
    check(lambda: operator.ipow(x, other), name, x, other, expected=(name, x, other, None))


def test_number_conversions(mod, check):
    x = mod.Number()
    for name, call, expected in [
        ("nb_bool", bool, False),
        ("nb_int", int, 40),
        ("nb_index", operator.index, 41),
        ("nb_float", float, 0.5),
    ]:
        check(lambda call=call: call(x), name, x, expected=expected)
        assert call(x) == expected
        assert mod.take_last() == (name, x)


def test_sequence(mod, check):
    x, other = mod.Sequence(), object()
    check(lambda: len(x), "length", x, expected=3)
    check(lambda: x[1], "sq_item", x, expected=("sq_item", x, 1))
    assert list(x) == [("sq_item", x, i) for i in range(3)]
    assert x[-1] == ("sq_item", x, 2)
    with pytest.raises(IndexError, match="too large"):
        x[3]
    check(lambda: x * 2, "sq_repeat", x, expected=("sq_repeat", x, 2))
    check(lambda: operator.imul(x, 2), "sq_inplace_repeat", x, expected=("sq_inplace_repeat", x, 2))
    check(lambda: x + other, "sq_concat", x, other, expected=("sq_concat", x, other))
    name = "sq_inplace_concat"
    check(lambda: operator.iconcat(x, other), name, x, other, expected=(name, x, other))
    check(lambda: 5 in x, "sq_contains", x, expected=True)
    assert other not in x
    assert mod.take_last() == ("sq_contains", x, other)
    check(lambda: operator.setitem(x, 2, other), "sq_ass_item", x)
    assert mod.take_last() == ("sq_ass_item", x, 2, other)
    check(lambda: operator.delitem(x, 2), "sq_ass_item", x)
    assert mod.take_last() == ("sq_ass_item", x, 2, None)


def test_mapping(mod, check):
    x, key, value = mod.Mapping(), object(), object()
    check(lambda: len(x), "length", x, expected=3)
    check(lambda: x[key], "mp_subscript", x, key, expected=("mp_subscript", x, key))
    check(lambda: operator.setitem(x, key, value), "mp_ass_subscript", key)
    assert mod.take_last() == ("mp_ass_subscript", x, key, value)
    check(lambda: operator.delitem(x, key), "mp_ass_subscript", key)
    assert mod.take_last() == ("mp_ass_subscript", x, key, None)


def test_buffer(mod, check):
    x = mod.Buffer()
    with memoryview(x) as view:
        assert x.exports == 1
        view[1] = 42
        assert bytes(x) == b"\0\x2a\0\0"
    assert x.exports == 0
    check(lambda: bytes(x), "bf_getbuffer", expected=b"\0\x2a\0\0")


def test_construction(mod, check):
    cls = mod.Basic
    assert cls.__doc__ == "What Basic is."
    assert (cls.__name__, cls.__qualname__, cls.__module__) == ("Basic", "Basic", "testmod")
    x = cls(7)
    assert hash(x) == 7
    mod.take_last()
    check(lambda: cls(7) is None, "tp_new", cls, expected=False)
    cls(value=8)
    assert mod.take_last() == ("tp_init", cls, (), {"value": 8})
    with pytest.raises(TypeError):
        cls("no number")
    mod.take_last()

    class Derived(cls):
        pass

    assert hash(Derived(9)) == 9


def test_object_protocol(mod, check):
    x = mod.Basic(7)
    check(lambda: x(1, a=2), "tp_call", x, expected=("tp_call", x, (1,), {"a": 2}))
    assert x() == ("tp_call", x, (), None)
    check(lambda: repr(x), "tp_repr", x, expected="tp_repr")
    check(lambda: str(x), "tp_str", x, expected="tp_str")
    check(lambda: hash(x), "tp_hash", x, expected=7)
    for op, call in enumerate(
        [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge]
    ):
        expected = ("tp_richcompare", 5, op)
        check(lambda call=call: call(x, 5), "tp_richcompare", x, expected=expected)


@pytest.mark.parametrize("kind", ["Attributes", "OldAttributes"])
def test_attributes(mod, check, kind):
    x = getattr(mod, kind)()
    get, set = (
        ("tp_getattro", "tp_setattro") if kind == "Attributes" else ("tp_getattr", "tp_setattr")
    )
    check(lambda: x.name, get, x, expected=(get, x, "name"))
    check(lambda: setattr(x, "name", 5), set)
    assert mod.take_last() == (set, x, "name", 5)
    check(lambda: delattr(x, "name"), set)
    assert mod.take_last() == (set, x, "name", None)


def test_descriptor(mod, check):
    d = mod.Descriptor()
    Owner = type("Owner", (), {"d": d})
    owner = Owner()
    check(lambda: owner.d, "tp_descr_get", owner, expected=("tp_descr_get", d, owner, Owner))
    assert Owner.d == ("tp_descr_get", d, None, Owner)
    check(lambda: setattr(owner, "d", 5), "tp_descr_set")
    assert mod.take_last() == ("tp_descr_set", d, owner, 5)
    check(lambda: delattr(owner, "d"), "tp_descr_set")
    assert mod.take_last() == ("tp_descr_set", d, owner, None)


def test_iterator(mod, check):
    x = mod.Iterator()
    assert iter(x) is x

    def items():
        x.left = 2
        return list(x)

    check(items, "tp_iternext", x, expected=[("tp_iternext", x)] * 2)


@pytest.mark.skipif(
    not (3, 10) <= sys.version_info < (3, 12),
    reason="am_send is new in 3.10, and 3.12 asks an iterator with tp_iternext for its values",
)
def test_asynchronous(mod):
    async def wait(x):
        return await x

    async def collect(x):
        return [item async for item in x]

    x = mod.Iterator()
    x.left = 1
    assert asyncio.run(wait(x)) == ("am_send", x, None)
    x.left = 1
    assert asyncio.run(collect(x)) == [("am_send", x, None)]
    mod.set_boom(True)
    x.left = 1
    with pytest.raises(LookupError, match="am_anext"):
        asyncio.run(collect(x))
    with pytest.raises(LookupError, match="am_send"):
        asyncio.run(wait(x))


# --- Tables: methods, members, getsets, beside HPy's own ------------------------------------------

TABLES = """
#include <structmember.h>
typedef struct {
    PyObject_HEAD
    short short_; int int_; long long_; float float_; double double_; char char_;
    signed char byte; unsigned char ubyte; unsigned short ushort; unsigned int uint_;
    unsigned long ulong_; char bool_; long long longlong; unsigned long long ulonglong;
    Py_ssize_t ssize; const char *string; char inplace[8]; PyObject *object; PyObject *object_ex;
    long hpy; HPyField field;
} Tables;
HPyType_LEGACY_HELPERS(Tables)

#define MEMBER(NAME, TYPE) {#NAME, TYPE, offsetof(Tables, NAME), 0, "A member."}
static PyMemberDef Tables_members[] = {
    MEMBER(short_, T_SHORT), MEMBER(int_, T_INT), MEMBER(long_, T_LONG), MEMBER(float_, T_FLOAT),
    MEMBER(double_, T_DOUBLE), MEMBER(char_, T_CHAR), MEMBER(byte, T_BYTE), MEMBER(ubyte, T_UBYTE),
    MEMBER(ushort, T_USHORT), MEMBER(uint_, T_UINT), MEMBER(ulong_, T_ULONG), MEMBER(bool_, T_BOOL),
    MEMBER(longlong, T_LONGLONG), MEMBER(ulonglong, T_ULONGLONG), MEMBER(ssize, T_PYSSIZET),
    MEMBER(string, T_STRING), MEMBER(inplace, T_STRING_INPLACE), MEMBER(object, T_OBJECT),
    MEMBER(object_ex, T_OBJECT_EX),
    {"fixed", T_LONG, offsetof(Tables, long_), READONLY, NULL}, {NULL, 0, 0, 0, NULL},
};

static PyObject *noargs(PyObject *self, PyObject *nothing) { return PyTuple_Pack(1, self); }
static PyObject *o(PyObject *self, PyObject *arg) { return PyTuple_Pack(2, self, arg); }
static PyObject *keywords(PyObject *self, PyObject *args, PyObject *kwds)
{
    return PyTuple_Pack(3, self, args, kwds == NULL ? Py_None : kwds);
}
static PyObject *fast(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return Py_BuildValue("(OnO)", self == NULL ? Py_None : self, nargs, args[0]);
}
static PyObject *fast_keywords(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *names)
{
    return Py_BuildValue("(OnO)", self, nargs, names == NULL ? Py_None : names);
}
static PyObject *with_class(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                            Py_ssize_t nargs, PyObject *names)
{
    return PyTuple_Pack(2, self, cls);
}
static PyObject *raises(PyObject *self, PyObject *nothing)
{
    PyErr_SetString(PyExc_LookupError, "raises");
    return NULL;
}
#define METHOD(NAME, FLAGS) {#NAME, (PyCFunction)(void (*)(void))NAME, FLAGS, "A method."}
static PyMethodDef Tables_methods[] = {
    METHOD(noargs, METH_NOARGS), METHOD(o, METH_O), METHOD(keywords, METH_VARARGS | METH_KEYWORDS),
    METHOD(fast, METH_FASTCALL), METHOD(fast_keywords, METH_FASTCALL | METH_KEYWORDS),
    METHOD(with_class, METH_METHOD | METH_FASTCALL | METH_KEYWORDS), METHOD(raises, METH_NOARGS),
    {"varargs", o, METH_VARARGS, NULL},
    {"of_class", o, METH_O | METH_CLASS, NULL},
    {"of_none", (PyCFunction)(void (*)(void))fast, METH_FASTCALL | METH_STATIC, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *get(PyObject *self, void *closure)
{
    return Py_BuildValue("(Os)", self, (const char *)closure);
}
static int set(PyObject *self, PyObject *value, void *closure)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_LookupError, "set");
        return -1;
    }
    ((Tables *)self)->long_ = PyLong_AsLong(value);
    return PyErr_Occurred() ? -1 : 0;
}
static PyGetSetDef Tables_getset[] = {
    {"computed", get, set, "An attribute.", "closure"}, {"unset", get, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((Tables *)self)->object);
    Py_XDECREF(((Tables *)self)->object_ex);
    type->tp_free(self);
    Py_DECREF(type);
}
static PyType_Slot Tables_slots[] = {
    {Py_tp_members, Tables_members}, {Py_tp_methods, Tables_methods},
    {Py_tp_getset, Tables_getset}, {Py_tp_dealloc, (void *)dealloc}, {0, NULL},
};

HPyDef_MEMBER(hpy_member, "hpy", HPyMember_LONG, offsetof(Tables, hpy))
HPyDef_METH(hpy_method, "hpy_method", HPyFunc_O)
static HPy hpy_method_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyLong_FromLong(ctx, Tables_AsStruct(ctx, self)->hpy);
}
HPyDef_GET(hpy_get, "hpy_get")
static HPy hpy_get_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPyLong_FromLong(ctx, Tables_AsStruct(ctx, self)->long_);
}
HPyDef_SLOT(hpy_repr, HPy_tp_repr)
static HPy hpy_repr_impl(HPyContext *ctx, HPy self) { return HPyUnicode_FromString(ctx, "HPy"); }
static HPyDef *Tables_defines[] = {&hpy_member, &hpy_method, &hpy_get, &hpy_repr, NULL};
static HPyType_Spec Tables_spec = {
    .name = "testmod.Tables", .basicsize = sizeof(Tables), .builtin_shape = SHAPE(Tables),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .legacy_slots = Tables_slots, .defines = Tables_defines, .doc = "What Tables is.",
};
"""

# The extreme values of each integer, and one that does not fit.
RANGES = {
    "short_": (-(2**15), 2**15 - 1),
    "int_": (-(2**31), 2**31 - 1),
    "long_": (-(2**63), 2**63 - 1),
    "byte": (-128, 127),
    "ubyte": (0, 255),
    "ushort": (0, 2**16 - 1),
    "uint_": (0, 2**32 - 1),
    "ulong_": (0, 2**64 - 1),
    "longlong": (-(2**63), 2**63 - 1),
    "ulonglong": (0, 2**64 - 1),
    "ssize": (-(2**63), 2**63 - 1),
}


@pytest.fixture
def tables(module):
    return module(TABLES, types="Tables").Tables


def test_members(tables, no_leak):
    x = tables()
    for name, values in RANGES.items():
        for value in values:
            setattr(x, name, value)
            assert getattr(x, name) == value
    for name, value in {"float_": 0.5, "double_": 0.1, "char_": "c", "bool_": True}.items():
        setattr(x, name, value)
        assert getattr(x, name) == value
    assert (x.string, x.inplace, x.object) == (None, "", None)
    with pytest.raises(AttributeError):
        x.object_ex  # noqa: B018
    value = object()
    x.object = x.object_ex = value
    assert x.object is x.object_ex is value
    for name in ("string", "inplace", "fixed"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(x, name, 1)
    assert tables.long_.__doc__ == "A member."

    def keep():
        y = tables()
        y.object = y.object_ex = value

    no_leak(keep, value, tables)


def test_methods(tables, no_leak):
    x = tables()
    assert x.noargs() == (x,)
    assert x.o(1) == (x, 1)
    assert x.varargs(1, 2) == (x, (1, 2))
    assert x.keywords(1, a=2) == (x, (1,), {"a": 2})
    assert x.fast(7, 8) == (x, 2, 7)
    assert x.fast_keywords(7, a=8) == (x, 1, ("a",))
    assert x.with_class() == (x, tables)
    assert x.of_class(1) == tables.of_class(1) == (tables, 1)
    assert x.of_none(5) == tables.of_none(5) == (None, 1, 5)
    assert tables.o.__doc__ == "A method."
    with pytest.raises(LookupError, match="raises"):
        x.raises()
    with pytest.raises(TypeError):
        x.noargs(1)
    no_leak(lambda: (x.keywords(1, a=2), x.fast_keywords(7, a=8), x.with_class()), x, tables)


def test_getsets(tables, no_leak):
    x = tables()
    assert x.computed == (x, "closure")
    assert x.unset == (x, None)
    assert tables.computed.__doc__ == "An attribute."
    x.computed = 42
    assert x.long_ == x.hpy_get == 42
    with pytest.raises(LookupError, match="set"):
        del x.computed
    with pytest.raises(TypeError):
        x.computed = "no number"
    with pytest.raises(AttributeError):
        x.unset = 1
    no_leak(lambda: x.computed, x, tables)


def test_both_kinds_in_one_type(tables, no_leak):
    assert tables.__doc__ == "What Tables is."

    class Derived(tables):
        __slots__ = ("own",)

    for cls in (tables, Derived):
        x = cls()
        x.hpy = 5
        x.long_ = 6
        assert (x.hpy_method(None), x.hpy_get, repr(x)) == (5, 6, "HPy")
    assert x.with_class() == (x, tables)
    no_leak(lambda: setattr(Derived(), "own", tables), tables, Derived)


# --- Life and death -------------------------------------------------------------------------------

# `Node` is collected, finalized and freed by functions of the C API, which count.
NODE = """
#include <structmember.h>
typedef struct { PyObject_HEAD PyObject *link; PyObject *weakrefs; PyObject *dict; } Node;
HPyType_LEGACY_HELPERS(Node)
enum { ALLOCATED, FINALIZED, CLEARED, DEALLOCATED, FREED, DESTROYED, COUNTERS };
static long counts[COUNTERS];

HPyDef_METH(take_counts, "take_counts", HPyFunc_NOARGS)
static HPy take_counts_impl(HPyContext *ctx, HPy self)
{
    HPy result = HPy_BuildValue(ctx, "(llllll)", counts[0], counts[1], counts[2], counts[3],
                                counts[4], counts[5]);
    memset(counts, 0, sizeof(counts));
    return result;
}

static PyObject *Node_alloc(PyTypeObject *type, Py_ssize_t items)
{
    counts[ALLOCATED]++;
    return PyType_GenericAlloc(type, items);
}
static void Node_free(void *memory) { counts[FREED]++; PyObject_GC_Del(memory); }
static void Node_finalize(PyObject *self) { counts[FINALIZED]++; }
static int Node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Node *)self)->link);
    Py_VISIT(((Node *)self)->dict);
    return 0;
}
static int Node_clear(PyObject *self)
{
    counts[CLEARED]++;
    Py_CLEAR(((Node *)self)->link);
    Py_CLEAR(((Node *)self)->dict);
    return 0;
}
static void Node_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Node *node = (Node *)self;
    if (type->tp_dealloc == Node_dealloc && PyObject_CallFinalizerFromDealloc(self) < 0)
        return;
    counts[DEALLOCATED]++;
    PyObject_GC_UnTrack(self);
    if (node->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    Py_CLEAR(node->link);
    Py_CLEAR(node->dict);
    type->tp_free(self);
    Py_DECREF(type);
}
static PyMemberDef Node_members[] = {
    {"link", T_OBJECT, offsetof(Node, link), 0, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Node, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot Node_slots[] = {
    {Py_tp_alloc, (void *)Node_alloc}, {Py_tp_free, (void *)Node_free},
    {Py_tp_finalize, (void *)Node_finalize}, {Py_tp_traverse, (void *)Node_traverse},
    {Py_tp_clear, (void *)Node_clear}, {Py_tp_dealloc, (void *)Node_dealloc},
    {Py_tp_members, Node_members}, {0, NULL},
};
static HPyType_Spec Node_spec = {
    .name = "testmod.Node", .basicsize = sizeof(Node), .builtin_shape = SHAPE(Node),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .legacy_slots = Node_slots,
};
"""

# A type of HPy over `Node`: a field, and what HPy does for it.
NODE_CHILD = (
    NODE
    + """
typedef struct { Node node; HPyField field; } Child;
HPyType_LEGACY_HELPERS(Child)
HPyDef_MEMBER(Child_field, "field", HPyMember_OBJECT, offsetof(Child, field))
HPyDef_SLOT(Child_traverse, HPy_tp_traverse)
static int Child_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Child *)self)->field);
    return 0;
}
HPyDef_SLOT(Child_destroy, HPy_tp_destroy)
static void Child_destroy_impl(void *self) { counts[DESTROYED]++; }
static HPyDef *Child_defines[] = {&Child_field, &Child_traverse, &Child_destroy, NULL};
static HPyType_Spec Child_spec = {
    .name = "testmod.Child", .basicsize = sizeof(Child), .builtin_shape = SHAPE(Child),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = Child_defines,
};

/* No struct of its own, whatever the base's is: HPy may know nothing of that one. */
HPyDef_METH(Same_get, "get", HPyFunc_NOARGS)
static HPy Same_get_impl(HPyContext *ctx, HPy self)
{
    PyObject *object = HPy_AsPyObject(ctx, self);
    HPy link = HPy_FromPyObject(ctx, ((Node *)object)->link);
    Py_DECREF(object);
    return link;
}
static HPyDef *Same_defines[] = {&Same_get, NULL};
static HPyType_Spec Same_spec = {
    .name = "testmod.Same", .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .defines = Same_defines,
};

HPyDef_METH(derive, "derive", HPyFunc_O)
static HPy derive_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    return HPyType_FromSpec(ctx, &Child_spec, params);
}
HPyDef_METH(derive_same, "derive_same", HPyFunc_O)
static HPy derive_same_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    return HPyType_FromSpec(ctx, &Same_spec, params);
}

/* The same as a type that HPy knows nothing of. */
static PyTypeObject Static = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "testmod.Static", .tp_basicsize = sizeof(Node), .tp_members = Node_members,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_weaklistoffset = offsetof(Node, weakrefs), .tp_dictoffset = offsetof(Node, dict),
};
static void Static_dealloc(PyObject *self)
{
    counts[DEALLOCATED]++;
    PyObject_GC_UnTrack(self);
    if (((Node *)self)->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    Py_CLEAR(((Node *)self)->link);
    Py_CLEAR(((Node *)self)->dict);
    Py_TYPE(self)->tp_free(self);
}
static int Static_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Node *)self)->link);
    Py_VISIT(((Node *)self)->dict);
    return 0;
}
HPyDef_METH(static_type, "static_type", HPyFunc_NOARGS)
static HPy static_type_impl(HPyContext *ctx, HPy self)
{
    Static.tp_new = PyType_GenericNew;
    Static.tp_traverse = Static_traverse;
    Static.tp_clear = Node_clear;
    Static.tp_dealloc = Static_dealloc;
    if (PyType_Ready(&Static) < 0)
        return HPy_NULL;
    return HPy_FromPyObject(ctx, (PyObject *)&Static);
}
"""
)
COUNTED = ("allocated", "finalized", "cleared", "deallocated", "freed", "destroyed")


@pytest.fixture
def nodes(module):
    made = module(NODE_CHILD, "take_counts, derive, derive_same, static_type", types="Node")
    made.take_counts()
    return made


def taken(mod):
    """What was counted since the last time, without the zeros."""
    return {name: n for name, n in zip(COUNTED, mod.take_counts()) if n}


def test_lifecycle(nodes, no_leak):
    x = nodes.Node()
    reference = weakref.ref(x)
    x.attribute = x.link = value = object()
    assert reference() is x
    del x
    assert reference() is None
    once = {"allocated": 1, "finalized": 1, "deallocated": 1, "freed": 1}
    assert taken(nodes) == once

    def make():
        node = nodes.Node()
        node.attribute = node.link = value

    no_leak(make, value, nodes.Node)


@pytest.mark.parametrize("how", ["link", "attribute"])
def test_cycles(nodes, no_leak, how):
    def make():
        node = nodes.Node()
        setattr(node, how, node)

    make()
    gc.collect()
    assert taken(nodes) == dict.fromkeys(COUNTED[:5], 1)
    no_leak(make, nodes.Node)


def test_python_subclass(nodes, no_leak):
    class Derived(nodes.Node):
        __slots__ = ("own",)

        def __del__(self):
            deleted.append(1)

    deleted = []
    value = object()

    def make():
        node = Derived()
        node.own = node.link = value
        deleted.clear()

    make()
    assert deleted == [1]
    # A class written in Python has tp_alloc and tp_free of its own.
    assert taken(nodes) == {"deallocated": 1}
    no_leak(make, value, Derived, nodes.Node)

    def cycle():
        node = Derived()
        node.own = node

    cycle()
    gc.collect()
    deleted.clear()
    no_leak(cycle, Derived, nodes.Node)


BASES = {
    "legacy": lambda mod: mod.Node,
    "static": lambda mod: mod.static_type(),
    "class": lambda mod: type("Class", (mod.Node,), {"__slots__": ()}),
}


@pytest.mark.parametrize("base", list(BASES))
def test_hpy_type_over_legacy_base(nodes, no_leak, base):
    base = BASES[base](nodes)
    child = nodes.derive(base)
    assert child.__mro__[1] is base
    value = object()

    def make():
        x = child()
        assert x.field is None
        x.field = x.link = x.attribute = value
        assert x.field is x.link is value
        return weakref.ref(x)

    assert make()() is None
    counted = taken(nodes)
    assert (counted["destroyed"], counted["deallocated"]) == (1, 1)
    no_leak(make, value, child, base)


@pytest.mark.parametrize("how", ["field", "link", "attribute"])
@pytest.mark.parametrize("base", ["legacy", "static"])
def test_cycles_through_both_halves(nodes, no_leak, base, how):
    child = nodes.derive(BASES[base](nodes))

    class Derived(child):
        pass

    for cls in (child, Derived):

        def make(cls=cls):
            x = cls()
            setattr(x, how, x)

        make()
        gc.collect()
        counted = taken(nodes)
        assert (counted["destroyed"], counted["deallocated"]) == (1, 1)
        no_leak(make, cls)
        taken(nodes)


@pytest.mark.parametrize("base", list(BASES))
def test_type_without_struct_over_legacy_base(nodes, no_leak, base):
    base = BASES[base](nodes)
    same = nodes.derive_same(base)
    value = object()

    def make():
        x = same()
        x.link = value
        assert x.get() is value

    make()
    assert taken(nodes)["deallocated"] == 1
    no_leak(make, value, same, base)


def test_types_are_released(nodes, no_leak):
    def make():
        child = nodes.derive(nodes.Node)
        child().field = child

    no_leak(make, nodes.Node, rounds=50)


OTHER_SLOTS = """
#include <structmember.h>
typedef struct { PyObject_HEAD PyObject *link; int collected; vectorcallfunc call; } Thing;
static long deleted;

static void Thing_del(PyObject *self) { deleted++; }
static int Thing_is_gc(PyObject *self) { return ((Thing *)self)->collected; }
static int Thing_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Thing *)self)->link);
    return 0;
}
static int Thing_clear(PyObject *self) { Py_CLEAR(((Thing *)self)->link); return 0; }
static PyObject *Thing_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                                  PyObject *names)
{
    return Py_BuildValue("(nO)", PyVectorcall_NARGS(nargsf), names == NULL ? Py_None : names);
}
static PyObject *Thing_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL)
        ((Thing *)self)->call = Thing_vectorcall;
    return self;
}
static PyMemberDef Thing_members[] = {
    {"link", T_OBJECT, offsetof(Thing, link), 0, NULL},
    {"collected", T_INT, offsetof(Thing, collected), 0, NULL},
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Thing, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot Thing_slots[] = {
    {Py_tp_del, (void *)Thing_del}, {Py_tp_is_gc, (void *)Thing_is_gc},
    {Py_tp_traverse, (void *)Thing_traverse}, {Py_tp_clear, (void *)Thing_clear},
    {Py_tp_new, (void *)Thing_new}, {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_members, Thing_members}, {0, NULL},
};
static HPyType_Spec Thing_spec = {
    .name = "testmod.Thing", .basicsize = sizeof(Thing),
    .builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = Thing_slots,
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC
             | HPy_TPFLAGS_HAVE_VECTORCALL,
};

static PyObject *List_double(PyObject *self, PyObject *nothing)
{
    return PyLong_FromSsize_t(2 * PyList_GET_SIZE(self));
}
static PyMethodDef List_methods[] = {
    {"double", List_double, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL},
};
/* Their values are not constants everywhere. */
static PyType_Slot List_slots[] = {{Py_tp_methods, List_methods}, {Py_tp_base, NULL}, {0, NULL}};
static PyType_Slot Error_slots[] = {{Py_tp_bases, NULL}, {0, NULL}};
static HPyType_Spec List_spec = {
    .name = "testmod.List", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .legacy_slots = List_slots,
};
static HPyType_Spec Error_spec = {
    .name = "testmod.Error", .builtin_shape = HPyType_BuiltinShape_Legacy,
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .legacy_slots = Error_slots,
};

HPyDef_METH(make_list, "make_list", HPyFunc_O)
static HPy make_list_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    List_slots[1].pfunc = &PyList_Type;
    return HPyType_FromSpec(ctx, &List_spec, HPy_Is(ctx, base, ctx->h_None) ? NULL : params);
}
HPyDef_METH(make_error, "make_error", HPyFunc_NOARGS)
static HPy make_error_impl(HPyContext *ctx, HPy self)
{
    PyObject *bases = PyTuple_Pack(2, PyExc_KeyError, PyExc_AttributeError);
    Error_slots[0].pfunc = bases;
    HPy type = HPyType_FromSpec(ctx, &Error_spec, NULL);
    Py_DECREF(bases);
    return type;
}
HPyDef_METH(take_deleted, "take_deleted", HPyFunc_NOARGS)
static HPy take_deleted_impl(HPyContext *ctx, HPy self)
{
    long n = deleted;
    deleted = 0;
    return HPyLong_FromLong(ctx, n);
}
"""


@pytest.fixture
def others(module):
    made = module(OTHER_SLOTS, "make_list, make_error, take_deleted", types="Thing")
    made.take_deleted()
    return made


def test_vectorcall(others, no_leak):
    x = others.Thing()
    assert x(1, 2) == (2, None)
    assert x(1, a=2) == (1, ("a",))
    no_leak(lambda: x(1, a=2), x)


def test_del(others):
    others.Thing()
    assert others.take_deleted() == 1


@pytest.mark.skipif(support.FREE_THREADED, reason="its gc.is_tracked does not ask tp_is_gc")
def test_is_gc(others):
    x = others.Thing()
    assert not gc.is_tracked(x)
    x.collected = True
    assert gc.is_tracked(x)


def test_base_slot(others, no_leak):
    cls = others.make_list(None)
    assert cls.__bases__ == (list,)
    x = cls([1, 2, 3])
    assert (x, x.double()) == ([1, 2, 3], 6)
    # the parameters come before the slots
    assert others.make_list(cls).__bases__ == (cls,)
    no_leak(lambda: others.make_list(None)([x]), x, list, rounds=50)


def test_bases_slot(others, no_leak):
    cls = others.make_error()
    assert cls.__bases__ == (KeyError, AttributeError)
    with pytest.raises(KeyError):
        raise cls("x")
    no_leak(others.make_error, KeyError, rounds=50)


# --- Types of the C API over types of HPy ---------------------------------------------------------

PLAIN_OVER_HPY = """
typedef struct { long value; HPyField field; } Pure;
HPyType_HELPERS(Pure)
static long destroyed;
HPyDef_MEMBER(Pure_value, "value", HPyMember_LONG, offsetof(Pure, value))
HPyDef_MEMBER(Pure_field, "field", HPyMember_OBJECT, offsetof(Pure, field))
HPyDef_METH(Pure_get, "get", HPyFunc_NOARGS)
static HPy Pure_get_impl(HPyContext *ctx, HPy self)
{
    return HPyLong_FromLong(ctx, Pure_AsStruct(ctx, self)->value);
}
HPyDef_SLOT(Pure_traverse, HPy_tp_traverse)
static int Pure_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Pure *)self)->field);
    return 0;
}
HPyDef_SLOT(Pure_destroy, HPy_tp_destroy)
static void Pure_destroy_impl(void *self) { destroyed++; }
static HPyDef *Pure_defines[] = {&Pure_value, &Pure_field, &Pure_get, &Pure_traverse, &Pure_destroy,
                                 NULL};
static HPyType_Spec Pure_spec = {
    .name = "testmod.Pure", .basicsize = sizeof(Pure), .builtin_shape = SHAPE(Pure),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = Pure_defines,
};

static PyObject *plain_repr(PyObject *self) { return PyUnicode_FromString("plain"); }
static PyType_Slot plain_slots[] = {{Py_tp_repr, (void *)plain_repr}, {0, NULL}};
static PyType_Spec plain_spec = {
    "testmod.Plain", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, plain_slots,
};
static PyObject *plain_over(PyObject *self, PyObject *base)
{
    PyObject *bases = PyTuple_Pack(1, base);
    PyObject *type = bases == NULL ? NULL : PyType_FromSpecWithBases(&plain_spec, bases);
    Py_XDECREF(bases);
    return type;
}
static PyObject *take_destroyed(PyObject *self, PyObject *nothing)
{
    long n = destroyed;
    destroyed = 0;
    return PyLong_FromLong(n);
}
static PyMethodDef legacy_methods[] = {
    {"plain_over", plain_over, METH_O, NULL},
    {"take_destroyed", take_destroyed, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
"""


def test_plain_type_over_hpy_type(compile, abi, no_leak):
    source = support.module_source(PLAIN_OVER_HPY, types="Pure").replace(
        "module_def = {", "module_def = {.legacy_methods = legacy_methods, "
    )
    mod = support.load(compile(source, "testmod", abi), "testmod", abi)
    plain = mod.plain_over(mod.Pure)
    value = object()

    def make():
        x = plain()
        x.value = 5
        x.field = value
        assert (x.get(), x.field, repr(x)) == (5, value, "plain")

    mod.take_destroyed()  # by other loads of the library
    make()
    assert mod.take_destroyed() == 1
    no_leak(make, value, plain, mod.Pure)

    def cycle():
        x = plain()
        x.field = x

    mod.take_destroyed()
    cycle()
    gc.collect()
    assert mod.take_destroyed() == 1
    no_leak(cycle, plain, mod.Pure)


# A legacy tp_dealloc that ends, as it should, with that of the base: here one of HPy.
DEALLOC_OVER_HPY = """
typedef struct { PyObject_HEAD HPyField field; } First;
typedef struct { First first; PyObject *link; } Second;
HPyType_LEGACY_HELPERS(First)
static long destroyed;
HPyDef_MEMBER(First_field, "field", HPyMember_OBJECT, offsetof(First, field))
HPyDef_SLOT(First_traverse, HPy_tp_traverse)
static int First_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((First *)self)->field);
    return 0;
}
HPyDef_SLOT(First_destroy, HPy_tp_destroy)
static void First_destroy_impl(void *self) { destroyed++; }
static HPyDef *First_defines[] = {&First_field, &First_traverse, &First_destroy, NULL};
static HPyType_Spec First_spec = {
    .name = "testmod.First", .basicsize = sizeof(First), .builtin_shape = SHAPE(First),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = First_defines,
};

static PyTypeObject *First_type;
static void Second_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Second *)self)->link);
    PyObject_GC_Track(self);
    First_type->tp_dealloc(self);
}
static int Second_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((Second *)self)->link);
    return First_type->tp_traverse(self, visit, arg);
}
static int Second_clear(PyObject *self)
{
    Py_CLEAR(((Second *)self)->link);
    return First_type->tp_clear(self);
}
#include <structmember.h>
static PyMemberDef Second_members[] = {
    {"link", T_OBJECT, offsetof(Second, link), 0, NULL}, {NULL, 0, 0, 0, NULL},
};
static PyType_Slot Second_slots[] = {
    {Py_tp_dealloc, (void *)Second_dealloc}, {Py_tp_traverse, (void *)Second_traverse},
    {Py_tp_clear, (void *)Second_clear}, {Py_tp_members, Second_members}, {0, NULL},
};
static HPyType_Spec Second_spec = {
    .name = "testmod.Second", .basicsize = sizeof(Second),
    .builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = Second_slots,
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
};
HPyDef_METH(derive, "derive", HPyFunc_O)
static HPy derive_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    First_type = (PyTypeObject *)HPy_AsPyObject(ctx, base);
    Py_DECREF(First_type);
    return HPyType_FromSpec(ctx, &Second_spec, params);
}
HPyDef_METH(take_destroyed, "take_destroyed", HPyFunc_NOARGS)
static HPy take_destroyed_impl(HPyContext *ctx, HPy self)
{
    long n = destroyed;
    destroyed = 0;
    return HPyLong_FromLong(ctx, n);
}
"""


def test_legacy_functions_over_hpy_type(module, no_leak):
    mod = module(DEALLOC_OVER_HPY, "derive, take_destroyed", types="First")
    second = mod.derive(mod.First)
    value = object()

    class Derived(second):
        pass

    for cls in (second, Derived):

        def make(cls=cls):
            x = cls()
            x.field = x.link = value

        def cycle(cls=cls):
            x = cls()
            x.field = x.link = x

        for function in (make, cycle):
            mod.take_destroyed()
            function()
            gc.collect()
            assert mod.take_destroyed() == 1
            no_leak(function, value, cls, second, mod.First)


# --- What is refused ------------------------------------------------------------------------------

REFUSED = {
    "slots without the shape": (
        ".basicsize = sizeof(Struct), .legacy_slots = repr_slots",
        TypeError,
        r"cannot specify .legacy_slots without setting "
        r".builtin_shape=HPyType_BuiltinShape_Legacy",
    ),
    "dealloc and traverse": (
        "LEGACY, .legacy_slots = dealloc_slots, .defines = traverse_defines",
        TypeError,
        r"a legacy tp_dealloc cannot be combined with HPy_tp_traverse: make one",
    ),
    "dealloc and destroy": (
        "LEGACY, .legacy_slots = dealloc_slots, .defines = destroy_defines",
        TypeError,
        r"a legacy tp_dealloc cannot be combined with HPy_tp_destroy: make one",
    ),
    "over a pure base": (
        ".builtin_shape = HPyType_BuiltinShape_Legacy, .legacy_slots = repr_slots",
        TypeError,
        r"^A legacy type should not inherit its memory layout from a pure type$",
    ),
    "struct over a pure base": (
        "LEGACY",
        TypeError,
        r"^A legacy type should not inherit its memory layout from a pure type$",
    ),
    "smaller than the base": (
        ".builtin_shape = HPyType_BuiltinShape_Legacy, .basicsize = sizeof(PyObject)",
        TypeError,
        r"testmod.Made: the struct is smaller than that of the base",
    ),
    "pure over legacy base": (
        ".basicsize = sizeof(Struct)",
        TypeError,
        r"testmod.Made: the builtin_shape is not that of the base",
    ),
    "members without struct": (
        ".builtin_shape = HPyType_BuiltinShape_Legacy, .defines = member_defines",
        TypeError,
        r"testmod.Made: members need a struct: set .basicsize",
    ),
    "call without struct": (
        ".builtin_shape = HPyType_BuiltinShape_Legacy, .defines = call_defines",
        TypeError,
        r"testmod.Made: HPy_tp_call needs a struct: set .basicsize",
    ),
    "call with items": (
        "LEGACY, .itemsize = 8, .defines = call_defines",
        TypeError,
        r"testmod.Made: HPy_tp_call is not supported for types with variable size",
    ),
    "call and legacy member": (
        "LEGACY, .legacy_slots = offset_slots, .defines = call_defines",
        TypeError,
        r"testmod.Made: HPy_tp_call and a member __vectorcalloffset__ exclude each other",
    ),
    "collected without traverse": (
        "LEGACY, .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC, .legacy_slots = repr_slots",
        ValueError,
        r"testmod.Made: HPy_TPFLAGS_HAVE_GC needs HPy_tp_traverse",
    ),
    "vectorcall without member": (
        "LEGACY, .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_VECTORCALL",
        ValueError,
        r"testmod.Made: HPy_TPFLAGS_HAVE_VECTORCALL needs a member __vectorcalloffset__",
    ),
    "slot of the module": (
        "LEGACY, .defines = module_defines_",
        SystemError,
        r"slot number 2001 is not one that a type can define",
    ),
    "unknown legacy slot": (
        "LEGACY, .legacy_slots = unknown_slots",
        (RuntimeError, SystemError),
        "slot",
    ),
}
OVER = {
    "over a pure base": "pure_spec",
    "struct over a pure base": "pure_spec",
    "smaller than the base": "legacy_spec",
    "pure over legacy base": "legacy_spec",
}

REFUSALS = """
#include <structmember.h>
#define LEGACY .builtin_shape = HPyType_BuiltinShape_Legacy, .basicsize = sizeof(Struct)
typedef struct { PyObject_HEAD long value; vectorcallfunc call; } Struct;
static PyObject *repr(PyObject *self) { return PyUnicode_FromString("x"); }
static void dealloc(PyObject *self) { }
static PyMemberDef offset_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Struct, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot repr_slots[] = {{Py_tp_repr, (void *)repr}, {0, NULL}};
static PyType_Slot dealloc_slots[] = {{Py_tp_dealloc, (void *)dealloc}, {0, NULL}};
static PyType_Slot offset_slots[] = {{Py_tp_members, offset_members}, {0, NULL}};
static PyType_Slot unknown_slots[] = {{9999, (void *)repr}, {0, NULL}};
HPyDef_MEMBER(member, "value", HPyMember_LONG, offsetof(Struct, value))
HPyDef_SLOT(traverse, HPy_tp_traverse)
static int traverse_impl(void *self, HPyFunc_visitproc visit, void *arg) { return 0; }
HPyDef_SLOT(destroy, HPy_tp_destroy)
static void destroy_impl(void *self) { }
HPyDef_SLOT(call, HPy_tp_call)
static HPy call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy names)
{
    return HPy_NULL;
}
HPyDef_SLOT(exec, HPy_mod_exec)
static int exec_impl(HPyContext *ctx, HPy mod) { return 0; }
static HPyDef *member_defines[] = {&member, NULL};
static HPyDef *traverse_defines[] = {&traverse, NULL};
static HPyDef *destroy_defines[] = {&destroy, NULL};
static HPyDef *call_defines[] = {&call, NULL};
static HPyDef *module_defines_[] = {&exec, NULL};
static HPyType_Spec pure_spec = {
    .name = "testmod.Base", .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .basicsize = 8,
};
static HPyType_Spec legacy_spec = {
    .name = "testmod.Base", .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, LEGACY,
};
static HPy made(HPyContext *ctx, HPyType_Spec *spec, HPyType_Spec *base_spec)
{
    HPy result, base;
    if (base_spec == NULL)
        return HPyType_FromSpec(ctx, spec, NULL);
    base = HPyType_FromSpec(ctx, base_spec, NULL);
    if (HPy_IsNull(base))
        return HPy_NULL;
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    result = HPyType_FromSpec(ctx, spec, params);
    HPy_Close(ctx, base);
    return result;
}
""" + "".join(
    f"""
static HPyType_Spec spec{i} = {{.name = "testmod.Made", {spec}}};
HPyDef_METH(make{i}, "{case}", HPyFunc_NOARGS)
static HPy make{i}_impl(HPyContext *ctx, HPy self)
{{
    return made(ctx, &spec{i}, {"&" + OVER[case] if case in OVER else "NULL"});
}}
"""
    for i, (case, (spec, _, _)) in enumerate(REFUSED.items())
)


@pytest.fixture
def refusals(module):
    return module(REFUSALS, ", ".join(f"make{i}" for i in range(len(REFUSED))))


@pytest.mark.parametrize("case", list(REFUSED))
def test_refused(refusals, no_leak, case):
    _, error, message = REFUSED[case]
    make = getattr(refusals, case)

    def fail():
        with pytest.raises(error, match=message):
            make()

    fail()
    no_leak(fail, TypeError, ValueError, rounds=50)
