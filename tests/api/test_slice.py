"""Slices: their parts as C numbers, and fitted to a length."""

import pytest
import support
from outcomes import Boom, attempt, each, failing, functions, raises_memory_error

MAX, MIN = support.SSIZE_MAX, -support.SSIZE_MAX - 1

SOURCE = """
static HPy three(HPyContext *ctx, HPy_ssize_t a, HPy_ssize_t b, HPy_ssize_t c)
{
    HPy parts[3];
    HPy result;
    parts[0] = HPyLong_FromSsize_t(ctx, a);
    parts[1] = HPyLong_FromSsize_t(ctx, b);
    parts[2] = HPyLong_FromSsize_t(ctx, c);
    result = HPyTuple_FromArray(ctx, parts, 3);
    for (int i = 0; i < 3; i++)
        HPy_Close(ctx, parts[i]);
    return result;
}

FUNCTION(HPySlice_Unpack,
    HPy_ssize_t start = 77;
    HPy_ssize_t stop = 77;
    HPy_ssize_t step = 77;
    int result = HPySlice_Unpack(ctx, args[0], &start, &stop, &step);
    if (failed(ctx, result == -1))
        return HPy_NULL;
    return result == 0 ? three(ctx, start, stop, step) : HPyLong_FromLong(ctx, result);
)
/* (length, start, stop, step) to (start, stop, number of items) */
FUNCTION(HPySlice_AdjustIndices,
    HPy_ssize_t start = size(ctx, args[1]);
    HPy_ssize_t stop = size(ctx, args[2]);
    HPy_ssize_t step = size(ctx, args[3]);
    HPy_ssize_t items = HPySlice_AdjustIndices(ctx, size(ctx, args[0]), &start, &stop, step);
    return three(ctx, start, stop, items);
)
#define PARTS or_null(ctx, args[0]), or_null(ctx, args[1]), or_null(ctx, args[2])
FUNCTION(HPySlice_New, return HPySlice_New(ctx, PARTS);)
FUNCTION(ctx_Slice_New, return MEMBER(HPySlice_New, ctx_Slice_New)(ctx, PARTS);)

/* More slices than Python keeps in reserve. */
FUNCTION(many,
    HPy first = HPySlice_New(ctx, HPy_NULL, HPy_NULL, HPy_NULL);
    HPy second = HPySlice_New(ctx, HPy_NULL, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, first);
    return second;
)
FUNCTION(many_ctx,
    HPy first = MEMBER(HPySlice_New, ctx_Slice_New)(ctx, HPy_NULL, HPy_NULL, HPy_NULL);
    HPy second = MEMBER(HPySlice_New, ctx_Slice_New)(ctx, HPy_NULL, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, first);
    return second;
)
"""


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def unpacked(start, stop, step):
    """What the documentation promises."""

    def clip(number):
        return max(MIN, min(MAX, number))

    step = 1 if step is None else max(-MAX, clip(step))
    start = (MAX if step < 0 else 0) if start is None else clip(start)
    stop = (MIN if step < 0 else MAX) if stop is None else clip(stop)
    return start, stop, step


@pytest.mark.api("HPySlice_Unpack")
def test_unpack(mod, no_leak):
    numbers = [None, 0, 1, -1, 5, MAX, MIN, 10**30, -(10**30)]
    for start in numbers:
        for stop in numbers:
            for step in numbers:
                if step != 0:
                    parts = start, stop, step
                    assert mod.HPySlice_Unpack(slice(*parts)) == unpacked(*parts), parts
    assert mod.HPySlice_Unpack(slice(Index(1), Index(2), Index(3))) == (1, 2, 3)
    big = slice(10**30, 10**30, 10**30)
    no_leak(lambda: mod.HPySlice_Unpack(big), big)


@pytest.mark.api("HPySlice_Unpack", case="error")
def test_unpack_refuses(mod, no_leak):
    with pytest.raises(ValueError, match="zero"):
        mod.HPySlice_Unpack(slice(1, 2, 0))
    for wrong in ("1", 1.0, [], Index("1")):
        for parts in ((wrong, 1, 1), (1, wrong, 1), (1, 1, wrong)):
            with pytest.raises(TypeError):
                mod.HPySlice_Unpack(slice(*parts))
    boom = failing("__index__")
    for parts in ((boom, 1, 1), (1, boom, 1), (1, 1, boom)):
        with pytest.raises(Boom):
            mod.HPySlice_Unpack(slice(*parts))
    raising = slice(boom)
    no_leak(lambda: attempt(mod.HPySlice_Unpack, raising), raising, boom)
    no_leak(lambda: attempt(mod.HPySlice_Unpack, slice(1, 2, 0)))


def len_of_range(start, stop, step):
    """The length of a range, which `len` does not give where its sizes are smaller than C's."""
    return max(0, (stop - start + step - (1 if step > 0 else -1)) // step)


def test_adjust_indices(mod, no_leak):
    """Every slice of short sequences, and those with the largest numbers of all."""
    numbers = [*range(-7, 8), MAX, MAX - 1, MIN, MIN + 1]
    steps = [1, 2, 3, 7, -1, -2, -3, -7, MAX, -MAX]
    for length in (0, 1, 2, 5, MAX):
        for start in numbers:
            for stop in numbers:
                for step in steps:
                    adjusted = slice(start, stop, step).indices(length)
                    items = len_of_range(*adjusted)
                    found = mod.HPySlice_AdjustIndices(length, start, stop, step)
                    assert found == (*adjusted[:2], items), (length, start, stop, step)
    no_leak(lambda: mod.HPySlice_AdjustIndices(5, -3, 100, 2))


NEW = ["HPySlice_New", "ctx_Slice_New"]


@pytest.mark.parametrize("name", each(NEW, "good"))
def test_new(mod, name, no_leak):
    new, thing = getattr(mod, name), object()
    assert new(1, 2, 3) == slice(1, 2, 3)
    assert type(new(1, 2, 3)) is slice
    assert new(..., ..., ...) == slice(None, None, None)
    assert new(1, ..., ...) == slice(1, None)
    assert new(..., 2, ...) == slice(None, 2)
    assert new(None, None, 3) == slice(None, None, 3)
    assert new(thing, "no", []).start is thing
    no_leak(lambda: new(thing, ..., thing), thing)


@pytest.mark.parametrize("name", each(NEW, "error"))
def test_new_without_memory(mod, name):
    function = mod.many if name == "HPySlice_New" else mod.many_ctx
    assert function() == slice(None, None, None)
    assert raises_memory_error(function)
