"""Functions of the context that are younger than hpy0 minor 0.

The headers write them with older functions, so that binaries run on older hosts
(`include/hpy/universal/fallbacks.h`). Here the host's own are called, through the context.
"""

import pytest

SOURCE = """
#if defined(HPY_ABI_UNIVERSAL)
#    define CALL(name) ctx->ctx_##name
#else
#    define CALL(name) HPy##name##_
#    define HPyGetIter_ HPy_GetIter
#    define HPyIter_Next_ HPyIter_Next
#    define HPyIter_Check_ HPyIter_Check
#    define HPySlice_New_ HPySlice_New
#    define HPyGetSlice_ HPy_GetSlice
#    define HPySetSlice_ HPy_SetSlice
#    define HPyDelSlice_ HPy_DelSlice
#    define HPyList_Insert_ HPyList_Insert
#endif

HPyDef_METH(get_iter, "get_iter", HPyFunc_O)
static HPy get_iter_impl(HPyContext *ctx, HPy self, HPy arg) { return CALL(GetIter)(ctx, arg); }

HPyDef_METH(next, "next", HPyFunc_O)
static HPy next_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy item = CALL(Iter_Next)(ctx, arg);
    if (!HPy_IsNull(item) || HPyErr_Occurred(ctx))
        return item;
    return HPyUnicode_FromString(ctx, "the end");
}

HPyDef_METH(is_iter, "is_iter", HPyFunc_O)
static HPy is_iter_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyLong_FromLong(ctx, CALL(Iter_Check)(ctx, arg));
}

HPyDef_METH(slice, "slice", HPyFunc_VARARGS)
static HPy slice_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy a[3] = {HPy_NULL, HPy_NULL, HPy_NULL};
    for (size_t i = 0; i < nargs && i < 3; i++)
        a[i] = args[i];
    return CALL(Slice_New)(ctx, a[0], a[1], a[2]);
}

HPyDef_METH(get_slice, "get_slice", HPyFunc_VARARGS)
static HPy get_slice_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    return CALL(GetSlice)(ctx, args[0], HPyLong_AsSsize_t(ctx, args[1]),
                          HPyLong_AsSsize_t(ctx, args[2]));
}

HPyDef_METH(set_slice, "set_slice", HPyFunc_VARARGS)
static HPy set_slice_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy_ssize_t start = HPyLong_AsSsize_t(ctx, args[1]), end = HPyLong_AsSsize_t(ctx, args[2]);
    int status = nargs == 4 ? CALL(SetSlice)(ctx, args[0], start, end, args[3])
                            : CALL(DelSlice)(ctx, args[0], start, end);
    return status < 0 ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(insert, "insert", HPyFunc_VARARGS)
static HPy insert_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    int status = CALL(List_Insert)(ctx, args[0], HPyLong_AsSsize_t(ctx, args[1]), args[2]);
    return status < 0 ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}
"""


@pytest.fixture
def mod(module):
    defs = "get_iter, next, is_iter, slice, get_slice, set_slice, insert"
    return module(SOURCE, defs)


def test_iteration(mod, no_leak):
    thing = object()
    iterator = mod.get_iter([thing])
    assert mod.is_iter(iterator) == 1
    assert mod.is_iter([1]) == 0
    assert mod.next(iterator) is thing
    assert mod.next(iterator) == "the end"
    no_leak(lambda: mod.next(mod.get_iter([thing])), thing)
    with pytest.raises(TypeError):
        mod.get_iter(1)

    def broken():
        raise LookupError("boom")
        yield

    with pytest.raises(LookupError, match="boom"):
        mod.next(broken())


def test_slices(mod, no_leak):
    assert mod.slice(1, 2, 3) == slice(1, 2, 3)
    assert mod.slice() == slice(None, None, None)
    items = list(range(6))
    assert mod.get_slice(items, 1, 3) == [1, 2]
    mod.set_slice(items, 0, 2, ["x"])
    assert items == ["x", 2, 3, 4, 5]
    mod.set_slice(items, 1, 4)
    assert items == ["x", 5]
    no_leak(lambda: mod.get_slice(items, 0, 2), items)
    with pytest.raises(TypeError):
        mod.get_slice(42, 0, 1)
    with pytest.raises(TypeError):
        mod.set_slice((1, 2), 0, 1, ())
    with pytest.raises(TypeError):
        mod.set_slice((1, 2), 0, 1)


def test_insert(mod, no_leak):
    items = [1, 2]
    mod.insert(items, 1, "x")
    mod.insert(items, -100, "first")
    mod.insert(items, 100, "last")
    assert items == ["first", 1, "x", 2, "last"]
    with pytest.raises(SystemError):
        mod.insert((1,), 0, 1)
    thing = object()
    no_leak(lambda: mod.insert([], 0, thing), thing)
