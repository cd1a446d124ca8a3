"""Lists and tuples that are built: nobody sees them before they are complete."""

import gc
import weakref
from functools import partial

import pytest
import support
from outcomes import Boom, attempt, functions, raises_memory_error

# The functions for lists; those for tuples differ in the names only. Instead of an item, `...`
# stands for HPy_NULL, and NotImplemented for none at all.
SOURCE = r"""
FUNCTION(ListBuilder_Build,
    HPyListBuilder builder = HPyListBuilder_New(ctx, (HPy_ssize_t)nargs);
    for (size_t i = 0; i < nargs; i++) {
        if (!HPy_Is(ctx, args[i], ctx->h_NotImplemented))
            HPyListBuilder_Set(ctx, builder, (HPy_ssize_t)i, or_null(ctx, args[i]));
    }
    if (HPyErr_Occurred(ctx))
        return HPyErr_SetString(ctx, ctx->h_AssertionError, "an exception before the end");
    return HPyListBuilder_Build(ctx, builder);)

/* In the reverse order, and with the items' handles closed before the end. */
FUNCTION(ListBuilder_reverse,
    HPyListBuilder builder = HPyListBuilder_New(ctx, (HPy_ssize_t)nargs);
    for (size_t i = nargs; i-- > 0;) {
        HPy item = HPyTuple_Pack(ctx, 1, args[i]);
        HPyListBuilder_Set(ctx, builder, (HPy_ssize_t)i, item);
        HPy_Close(ctx, item);
    }
    return HPyListBuilder_Build(ctx, builder);)

/* Sets one item at an index. */
FUNCTION(ListBuilder_Set,
    HPyListBuilder builder = HPyListBuilder_New(ctx, size(ctx, args[0]));
    HPyListBuilder_Set(ctx, builder, size(ctx, args[1]), args[2]);
    return HPyListBuilder_Build(ctx, builder);)

FUNCTION(ListBuilder_Cancel,
    HPyListBuilder builder = HPyListBuilder_New(ctx, size(ctx, args[0]));
    if (nargs > 1)
        HPyListBuilder_Set(ctx, builder, 0, args[1]);
    HPyListBuilder_Cancel(ctx, builder);
    return HPy_Dup(ctx, ctx->h_None);)

FUNCTION(ListBuilder_failing_item,
    HPyListBuilder builder = HPyListBuilder_New(ctx, 2);
    HPyListBuilder_Set(ctx, builder, 0, args[0]);
    HPy item = HPy_CallTupleDict(ctx, args[1], HPy_NULL, HPy_NULL);
    HPyListBuilder_Set(ctx, builder, 1, item);
    HPy_Close(ctx, item);
    return HPyListBuilder_Build(ctx, builder);)

FUNCTION(ListBuilder_cancel_after_exception,
    HPyListBuilder builder = HPyListBuilder_New(ctx, 2);
    HPyListBuilder_Set(ctx, builder, 0, args[0]);
    HPyErr_SetString(ctx, ctx->h_LookupError, "stays");
    HPyListBuilder_Cancel(ctx, builder);
    return HPy_NULL;)

/* Too large for any memory: nothing is said before the end. */
FUNCTION(ListBuilder_huge,
    HPyListBuilder builder = HPyListBuilder_New(ctx, HPY_SSIZE_T_MAX / 16);
    if (HPyErr_Occurred(ctx))
        return HPyErr_SetString(ctx, ctx->h_AssertionError, "New has raised");
    HPyListBuilder_Set(ctx, builder, 0, args[0]);
    if (HPyErr_Occurred(ctx))
        return HPyErr_SetString(ctx, ctx->h_AssertionError, "Set has raised");
    return HPyListBuilder_Build(ctx, builder);)
FUNCTION(ListBuilder_cancel_huge,
    HPyListBuilder builder = HPyListBuilder_New(ctx, HPY_SSIZE_T_MAX / 16);
    HPyListBuilder_Set(ctx, builder, 0, args[0]);
    HPyListBuilder_Cancel(ctx, builder);
    return HPy_Dup(ctx, ctx->h_None);)
"""

KINDS = {"List": list, "Tuple": tuple}
NEW = ["HPyListBuilder_New", "HPyTupleBuilder_New"]
SET = ["HPyListBuilder_Set", "HPyTupleBuilder_Set"]
BUILD = ["HPyListBuilder_Build", "HPyTupleBuilder_Build"]
CANCEL = ["HPyListBuilder_Cancel", "HPyTupleBuilder_Cancel"]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE + SOURCE.replace("List", "Tuple")))


@pytest.fixture
def build(mod, kind):
    """build(name): the C function `name` for one kind of builder."""
    return lambda name: getattr(mod, f"{kind}Builder_{name}")


@pytest.mark.api(*NEW, *SET, *BUILD)
def test_build(build, kind, no_leak):
    items = [object() for _ in range(300)]
    for count in (0, 1, 2, 15, 16, 17, 300):
        made = build("Build")(*items[:count])
        assert type(made) is KINDS[kind]
        assert len(made) == count
        assert all(a is b for a, b in zip(made, items))
        assert build("reverse")(*items[:count]) == KINDS[kind]((item,) for item in items[:count])
        no_leak(lambda count=count: build("Build")(*items[:count]), items[0], rounds=100)
    no_leak(lambda: build("reverse")(*items), *items[:10], rounds=100)


@pytest.mark.api(*NEW, *SET, *BUILD)
def test_the_collector_knows_what_was_built(build, kind):
    """A cycle through the result is collected; so are results of other functions."""

    class Node:
        pass

    def cycle():
        node = Node()
        node.made = build("Build")(node, None)
        assert not support.COUNTS or gc.is_tracked(node.made)
        return weakref.ref(node)

    gone = cycle()
    assert gone() is not None
    support.collect()
    assert gone() is None


@pytest.mark.api(*NEW, *SET, *BUILD)
def test_nobody_sees_it_before_it_is_complete(build, kind):
    item, seen = object(), []

    def look():
        gc.collect()
        # PyPy finds the arguments of this call, too.
        referrers = [o for o in gc.get_referrers(item) if type(o) is KINDS[kind]]
        seen.extend(o for o in referrers if len(o) == 2)
        return "second"

    made = build("failing_item")(item, look)
    assert made == KINDS[kind]((item, "second"))
    assert seen == []
    # A collection in between is no reason to forget it.
    node = [build("failing_item")([], look)]
    node[0][0].append(node)
    assert not support.COUNTS or gc.is_tracked(node[0])


@pytest.mark.finding("HPY-D022")
@pytest.mark.api(*BUILD, case="error")
def test_missing_items(build, kind, no_leak):
    item = object()
    for items in [(...,), (NotImplemented,), (item, ..., item), (item, item, NotImplemented)]:
        with pytest.raises(SystemError, match=f"HPy{kind}Builder_Build"):
            build("Build")(*items)
        no_leak(lambda items=items: attempt(build("Build"), *items), item)


@pytest.mark.finding("HPY-D022", "HPY-D023")
@pytest.mark.api(*BUILD, case="error")
def test_indexes_outside(build, kind, no_leak):
    item = object()
    for size in (0, 1, 3):
        for index in (size, size + 1, -1, -2, support.SSIZE_MAX, -support.SSIZE_MAX - 1):
            with pytest.raises(SystemError, match=f"HPy{kind}Builder_Set"):
                build("Set")(size, index, item)
    no_leak(lambda: attempt(build("Set"), 3, 3, item), item)
    no_leak(lambda: attempt(build("Set"), 0, 0, item), item)


@pytest.mark.api(*BUILD, case="error")
def test_the_exception_that_made_an_item_fail_is_kept(build, no_leak):
    item = object()

    def fail():
        raise Boom("in Python code")

    with pytest.raises(Boom, match="in Python code"):
        build("failing_item")(item, fail)
    no_leak(lambda: attempt(build("failing_item"), item, fail), item, fail)


@pytest.mark.api(*BUILD, case="error")
def test_no_memory(build, no_leak):
    item = object()
    with pytest.raises(MemoryError):
        build("huge")(item)
    assert raises_memory_error(partial(build("Build"), *[item] * 30))
    no_leak(lambda: attempt(build("huge"), item), item)


@pytest.mark.api(*CANCEL)
def test_cancel(build, no_leak):
    item = object()
    for args in [(0,), (1,), (2, item), (300, item)]:
        assert build("Cancel")(*args) is None
        no_leak(lambda args=args: build("Cancel")(*args), item)
    assert build("cancel_huge")(item) is None
    no_leak(lambda: build("cancel_huge")(item), item)


@pytest.mark.api(*CANCEL)
def test_an_exception_survives_cancel(build, no_leak):
    item = object()
    with pytest.raises(LookupError, match="stays"):
        build("cancel_after_exception")(item)
    no_leak(lambda: attempt(build("cancel_after_exception"), item), item)
