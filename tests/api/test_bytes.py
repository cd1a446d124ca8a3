"""Bytes: made from C memory, and read as C memory."""

from functools import partial

import pytest
import support
from outcomes import attempt, each, functions, raises_memory_error

SOURCE = r"""
FUNCTION(HPyBytes_Check, return number(ctx, HPyBytes_Check(ctx, args[0]));)
FUNCTION(HPyBytes_Size, return number(ctx, HPyBytes_Size(ctx, args[0]));)
FUNCTION(HPyBytes_GET_SIZE, return number(ctx, HPyBytes_GET_SIZE(ctx, args[0]));)
FUNCTION(HPyBytes_FromString, return HPyBytes_FromString(ctx, text(ctx, args[0]));)
FUNCTION(HPyBytes_FromStringAndSize,
    return HPyBytes_FromStringAndSize(ctx, text(ctx, args[0]), size(ctx, args[1]));)

/* The bytes one by one, and the zero behind the last. */
static HPy items(HPyContext *ctx, const char *bytes, HPy_ssize_t length)
{
    HPyListBuilder list = HPyListBuilder_New(ctx, length + 1);
    for (HPy_ssize_t i = 0; i <= length; i++) {
        HPy item = HPyLong_FromLong(ctx, (unsigned char)bytes[i]);
        HPyListBuilder_Set(ctx, list, i, item);
        HPy_Close(ctx, item);
    }
    return HPyListBuilder_Build(ctx, list);
}
FUNCTION(HPyBytes_AsString,
    const char *bytes = HPyBytes_AsString(ctx, args[0]);
    if (failed(ctx, bytes == NULL))
        return HPy_NULL;
    return items(ctx, bytes, HPyBytes_Size(ctx, args[0]));)
FUNCTION(HPyBytes_AS_STRING,
    const char *bytes = HPyBytes_AS_STRING(ctx, args[0]);
    return items(ctx, bytes, HPyBytes_GET_SIZE(ctx, args[0]));)
"""


class Bytes(bytes):
    pass


BYTES = [b"", b"a", b"zero\0inside", bytes(range(256)), Bytes(b"of a subclass")]
NOT_BYTES = ["text", bytearray(b"abc"), memoryview(b"abc"), None, 1, [1, 2], bytes]
LONG = b"too long to be one of the objects that Python keeps"


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyBytes_Check")
def test_check(mod):
    assert [mod.HPyBytes_Check(b) for b in BYTES] == [1] * len(BYTES)
    assert [mod.HPyBytes_Check(o) for o in NOT_BYTES] == [0] * len(NOT_BYTES)


@pytest.mark.parametrize("name", each(["HPyBytes_Size", "HPyBytes_GET_SIZE"], "good"))
def test_size(mod, name, no_leak):
    function = getattr(mod, name)
    assert [function(b) for b in BYTES] == [len(b) for b in BYTES]
    no_leak(lambda: function(BYTES[3]), BYTES[3])


@pytest.mark.parametrize("name", each(["HPyBytes_AsString", "HPyBytes_AS_STRING"], "good"))
def test_contents(mod, name, no_leak):
    function = getattr(mod, name)
    assert [function(b) for b in BYTES] == [[*b, 0] for b in BYTES]
    no_leak(lambda: function(BYTES[3]), BYTES[3])


@pytest.mark.parametrize("name", each(["HPyBytes_Size", "HPyBytes_AsString"], "error"))
def test_what_is_no_bytes(mod, name, no_leak):
    function = getattr(mod, name)
    for wrong in NOT_BYTES:
        with pytest.raises(TypeError, match=type(wrong).__name__):
            function(wrong)
    no_leak(lambda: attempt(function, NOT_BYTES[0]), NOT_BYTES[0])


@pytest.mark.api("HPyBytes_FromString", "HPyBytes_FromStringAndSize")
def test_new(mod, no_leak):
    for data in BYTES:
        made = mod.HPyBytes_FromStringAndSize(data, len(data))
        assert (type(made), made) == (bytes, bytes(data))
        until_zero = mod.HPyBytes_FromString(data)
        assert (type(until_zero), until_zero) == (bytes, data.split(b"\0")[0])
    assert mod.HPyBytes_FromStringAndSize(b"longer", 3) == b"lon"
    assert mod.HPyBytes_FromStringAndSize(b"longer", 0) == b""
    no_leak(lambda: mod.HPyBytes_FromString(LONG), LONG)
    no_leak(lambda: mod.HPyBytes_FromStringAndSize(LONG, 5), LONG)


@pytest.mark.api("HPyBytes_FromStringAndSize", case="error")
def test_sizes_that_are_none(mod, no_leak):
    for size in (-1, -support.SSIZE_MAX - 1):
        with pytest.raises(SystemError):
            mod.HPyBytes_FromStringAndSize(b"abc", size)
    with pytest.raises((OverflowError, MemoryError)):
        mod.HPyBytes_FromStringAndSize(b"abc", support.SSIZE_MAX)
    no_leak(lambda: attempt(mod.HPyBytes_FromStringAndSize, b"abc", -1))


@pytest.mark.api("HPyBytes_FromStringAndSize", case="error")
def test_bytes_from_nowhere(mod, no_leak):
    """The C API would make bytes that the caller fills, but bytes never change."""
    for size in (0, 1, -1):
        with pytest.raises(ValueError, match="HPyBytes_FromStringAndSize"):
            mod.HPyBytes_FromStringAndSize(..., size)
    no_leak(lambda: attempt(mod.HPyBytes_FromStringAndSize, ..., 1))


@pytest.mark.parametrize(
    "name", each(["HPyBytes_FromString", "HPyBytes_FromStringAndSize"], "error")
)
def test_no_memory(mod, name):
    args = (LONG,) if name == "HPyBytes_FromString" else (LONG, len(LONG))
    function = partial(getattr(mod, name), *args)
    assert function() == LONG
    assert raises_memory_error(function)
