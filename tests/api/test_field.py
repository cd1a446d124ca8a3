"""Fields: references from the C struct of an object."""

import gc
import sys
import weakref

import pytest
import support

SOURCE = r"""
typedef struct {
    HPyField items[2];
} Holder;
HPyType_HELPERS(Holder)

HPyDef_SLOT(Holder_new, HPy_tp_new)
static HPy Holder_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t n, HPy kw)
{
    Holder *holder;
    return HPy_New(ctx, type, &holder);
}
HPyDef_SLOT(Holder_traverse, HPy_tp_traverse)
static int Holder_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    Holder *holder = (Holder *)self;
    HPy_VISIT(&holder->items[0]);
    HPy_VISIT(&holder->items[1]);
    return 0;
}

/* store(index, object), or store(index) for HPy_NULL */
HPyDef_METH(Holder_store, "store", HPyFunc_VARARGS)
static HPy Holder_store_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyField *field = &Holder_AsStruct(ctx, self)->items[HPyLong_AsLong(ctx, args[0])];
    HPyField_Store(ctx, self, field, nargs > 1 ? args[1] : HPy_NULL);
    return HPyErr_Occurred(ctx) ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

/* load(index): the object; NotImplemented if the field is empty. */
HPyDef_METH(Holder_load, "load", HPyFunc_O)
static HPy Holder_load_impl(HPyContext *ctx, HPy self, HPy index)
{
    HPyField field = Holder_AsStruct(ctx, self)->items[HPyLong_AsLong(ctx, index)];
    HPy value = HPyField_Load(ctx, self, field);
    if (HPyField_IsNull(field) != HPy_IsNull(value))
        return HPyErr_SetString(ctx, ctx->h_AssertionError, "field and handle disagree");
    if (HPyErr_Occurred(ctx))
        return HPy_NULL;
    return HPy_IsNull(value) ? HPy_Dup(ctx, ctx->h_NotImplemented) : value;
}

HPyDef_METH(Holder_store_constant, "store_constant", HPyFunc_NOARGS)
static HPy Holder_store_constant_impl(HPyContext *ctx, HPy self)
{
    Holder *holder = Holder_AsStruct(ctx, self);
    holder->items[0] = HPyField_NULL;
    HPyField_Store(ctx, self, &holder->items[0], ctx->h_Ellipsis);
    return HPyField_Load(ctx, self, holder->items[0]);
}

static HPyDef *Holder_defines[] = {
    &Holder_new, &Holder_traverse, &Holder_store, &Holder_load, &Holder_store_constant, NULL,
};
static HPyType_Spec Holder_spec = {
    .name = "testmod.Holder", .basicsize = sizeof(Holder), .builtin_shape = SHAPE(Holder),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = Holder_defines,
};
"""

EMPTY = NotImplemented


@pytest.fixture
def Holder(module):
    return module(SOURCE, types="Holder").Holder


@pytest.mark.api("HPyField_Store", "HPyField_Load")
def test_store_and_load(Holder, no_leak):
    holder, first, second = Holder(), object(), object()
    assert [holder.load(0), holder.load(1)] == [EMPTY, EMPTY]
    holder.store(0, first)
    assert holder.load(0) is first
    assert holder.load(1) is EMPTY
    holder.store(1, first)
    holder.store(0, second)
    assert [holder.load(0), holder.load(1)] == [second, first]
    holder.store(0)
    holder.store(0)
    assert [holder.load(0), holder.load(1)] == [EMPTY, first]
    assert holder.store_constant() is ...
    no_leak(lambda: holder.load(1), first)

    def use():
        holder.store(0, first)
        holder.store(0, second)
        holder.store(0, holder)
        holder.store(0)

    no_leak(use, holder, first, second)


@pytest.mark.api("HPyField_Store", "HPyField_Load")
def test_a_field_owns_its_object(Holder):
    class Value:
        pass

    holder, value = Holder(), Value()
    gone = weakref.ref(value)
    holder.store(0, value)
    del value
    assert holder.load(0) is gone()
    holder.store(0)
    support.settle()
    assert gone() is None

    value = Value()
    gone = weakref.ref(value)
    holder.store(0, value)
    holder.store(1, value)
    holder.store(0, value)
    del value
    holder.store(0)
    support.settle()
    assert holder.load(1) is gone()
    del holder
    support.settle()
    assert gone() is None


@pytest.mark.skipif(not support.COUNTS, reason="needs reference counts")
@pytest.mark.api("HPyField_Store", "HPyField_Load")
def test_a_field_has_one_reference(Holder):
    holder, value = Holder(), object()
    before = sys.getrefcount(value)
    holder.store(0, value)
    holder.store(1, value)
    assert sys.getrefcount(value) == before + 2
    holder.store(0, value)
    assert sys.getrefcount(value) == before + 2
    del holder
    assert sys.getrefcount(value) == before


@pytest.mark.api("HPyField_Store")
def test_releasing_the_old_object_may_use_the_field(Holder):
    seen = []

    class Old:
        def __del__(self):
            seen.append(holder.load(0))
            holder.store(0, "of the finalizer")

    holder = Holder()
    holder.store(0, Old())
    holder.store(0, "new")
    support.settle()
    assert seen == ["new"]
    assert holder.load(0) == "of the finalizer"
    holder.store(0, Old())
    holder.store(0)
    support.settle()
    assert seen == ["new", EMPTY]
    assert holder.load(0) == "of the finalizer"


@pytest.mark.api("HPyField_Store")
def test_cycles_are_collected(Holder):
    class Value:
        pass

    def cycle():
        holder, value = Holder(), Value()
        value.holder = holder
        holder.store(1, value)
        holder.store(0, holder)
        return weakref.ref(value)

    gone = cycle()
    assert gone() is not None
    support.collect()
    assert gone() is None


@pytest.mark.api("HPyField_Store")
def test_the_collector_sees_what_fields_hold(Holder):
    holder, value = Holder(), []
    holder.store(1, value)
    assert any(referent is value for referent in gc.get_referents(holder))
    assert any(referrer is holder for referrer in gc.get_referrers(value))
    holder.store(1)
    assert not any(referent is value for referent in gc.get_referents(holder))


def test_an_object_in_the_memory_of_another_is_new(Holder):
    """It is all zeros, known to the collector, and released like the first."""

    class Item:
        pass

    def fill_and_forget():
        item = Item()
        gone = weakref.ref(item)
        holders = [Holder() for _ in range(1000)]
        for holder in holders:
            assert holder.load(0) is NotImplemented
            assert not support.COUNTS or gc.is_tracked(holder)
            holder.store(0, item)
        del item
        assert gone() is holders[0].load(0)
        return gone

    for _ in range(3):
        gone = fill_and_forget()
        support.settle()
        assert gone() is None


def test_a_finalizer_that_is_added_later_runs_for_each_object(Holder):
    finalized = []
    for _ in range(3):
        Holder()
    support.settle()
    Holder.__del__ = lambda self: finalized.append(type(self))
    for _ in range(3):
        Holder()
    support.settle()
    del Holder.__del__
    Holder()
    support.settle()
    assert finalized == [Holder] * 3
