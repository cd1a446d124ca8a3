"""Text, beside Python's own conversions: same results, same exceptions."""

import codecs
import ctypes
import os
import sys
from functools import partial

import pytest
import support
from outcomes import Boom, attempt, each, functions, outcome, raises_memory_error

SOURCE = r"""
FUNCTION(HPyUnicode_FromString, return HPyUnicode_FromString(ctx, text(ctx, args[0]));)
FUNCTION(HPyUnicode_Check, return number(ctx, HPyUnicode_Check(ctx, args[0]));)
FUNCTION(HPyUnicode_AsASCIIString, return HPyUnicode_AsASCIIString(ctx, args[0]);)
FUNCTION(HPyUnicode_AsLatin1String, return HPyUnicode_AsLatin1String(ctx, args[0]);)
FUNCTION(HPyUnicode_AsUTF8String, return HPyUnicode_AsUTF8String(ctx, args[0]);)
FUNCTION(HPyUnicode_EncodeFSDefault, return HPyUnicode_EncodeFSDefault(ctx, args[0]);)
FUNCTION(HPyUnicode_DecodeFSDefault, return HPyUnicode_DecodeFSDefault(ctx, text(ctx, args[0]));)
FUNCTION(HPyUnicode_DecodeFSDefaultAndSize,
    return HPyUnicode_DecodeFSDefaultAndSize(ctx, text(ctx, args[0]), size(ctx, args[1]));)
FUNCTION(HPyUnicode_DecodeASCII,
    HPy_ssize_t length = size(ctx, args[1]);
    return HPyUnicode_DecodeASCII(ctx, text(ctx, args[0]), length, text(ctx, args[2]));)
FUNCTION(HPyUnicode_DecodeLatin1,
    HPy_ssize_t length = size(ctx, args[1]);
    return HPyUnicode_DecodeLatin1(ctx, text(ctx, args[0]), length, text(ctx, args[2]));)
FUNCTION(HPyUnicode_FromEncodedObject,
    return HPyUnicode_FromEncodedObject(ctx, args[0], text(ctx, args[1]), text(ctx, args[2]));)
FUNCTION(HPyUnicode_Substring,
    return HPyUnicode_Substring(ctx, args[0], size(ctx, args[1]), size(ctx, args[2]));)
FUNCTION(HPyUnicode_FromWideChar,
    const wchar_t *wide = (const wchar_t *)(const void *)text(ctx, args[0]);
    return HPyUnicode_FromWideChar(ctx, wide, size(ctx, args[1]));)

FUNCTION(HPyUnicode_AsUTF8AndSize,
    HPy_ssize_t length = -5;
    const char *utf8 = HPyUnicode_AsUTF8AndSize(ctx, args[0], &length);
    if (failed(ctx, utf8 == NULL))
        return HPy_NULL;
    /* the same memory each time, and a zero behind it */
    if (utf8[length] != 0 || utf8 != HPyUnicode_AsUTF8AndSize(ctx, args[0], NULL))
        return HPy_Dup(ctx, ctx->h_NotImplemented);
    return HPyBytes_FromStringAndSize(ctx, utf8, length);)

FUNCTION(HPyUnicode_ReadChar,
    HPy_UCS4 c = HPyUnicode_ReadChar(ctx, args[0], size(ctx, args[1]));
    return failed(ctx, c == (HPy_UCS4)-1) ? HPy_NULL : HPyLong_FromUInt32_t(ctx, c);)
"""


class Text(str):
    pass


class Handler:
    """An error handler for decoding that fails in its own way."""

    name = "hpy-test-boom"

    def __call__(self, error):
        raise Boom("in the handler")


codecs.register_error(Handler.name, Handler())

TEXTS = [
    "",
    "a",
    "plain ascii",
    "zero\0inside",
    "caf\xe9",
    "\u4f60\u597d",
    "\U0001f600 mixed \xff",
    Text("of a subclass, caf\xe9"),
]
SURROGATES = ["a\ud800", "\udfff"]
BYTES = [b"", b"a", b"plain ascii", b"caf\xc3\xa9", b"\xf0\x9f\x98\x80"]
NOT_UTF8 = [b"\xff", b"abc\x80def", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"]
NOT_TEXT = [None, 1, b"bytes", bytearray(b"x"), ["list"]]


def wide(text, end=""):
    """The memory of a wchar_t array; without a zero at the end unless `end` is one."""
    name = f"utf-{8 * ctypes.sizeof(ctypes.c_wchar)}-{sys.byteorder[0]}e"
    return (text + end).encode(name, "surrogatepass")


def sized(texts, *more):
    return [(item, len(item), *more) for item in texts]


def optional(argument):
    return None if argument is ... else argument.decode()


def decode(encoding):
    """What a decoder of (bytes, size, errors) does."""

    def decoder(data, size, errors):
        return data[:size].decode(encoding, optional(errors) or "strict")

    return decoder


def from_encoded(obj, encoding, errors):
    return str(obj, optional(encoding) or "utf-8", optional(errors) or "strict")


def firsts(cases):
    return [args[0] for args in cases]


HANDLER = Handler.name.encode()

# name: what Python does, arguments that succeed, arguments that fail in the same words.
CASES = {
    "HPyUnicode_FromString": (bytes.decode, [(b,) for b in BYTES], [(b,) for b in NOT_UTF8]),
    "HPyUnicode_AsASCIIString": (
        lambda text: text.encode("ascii"),
        [(t,) for t in TEXTS[:4]],
        [(t,) for t in TEXTS[4:] + SURROGATES],
    ),
    "HPyUnicode_AsLatin1String": (
        lambda text: text.encode("latin-1"),
        [(t,) for t in TEXTS[:5]] + [("\xff\x80",)],
        [(t,) for t in [*TEXTS[5:7], *SURROGATES, "\u0100"]],
    ),
    "HPyUnicode_AsUTF8String": (str.encode, [(t,) for t in TEXTS], [(t,) for t in SURROGATES]),
    "HPyUnicode_AsUTF8AndSize": (str.encode, [(t,) for t in TEXTS], [(t,) for t in SURROGATES]),
    "HPyUnicode_EncodeFSDefault": (
        os.fsencode,
        [("",), ("name",), (Text("name"),), (os.fsdecode(b"odd \xff\x80"),), ("caf\xe9",)],
        [(t,) for t in SURROGATES],
    ),
    "HPyUnicode_DecodeASCII": (
        decode("ascii"),
        [
            *sized([b"", b"a", b"plain\0ascii"], ...),
            (b"longer", 3, ...),
            *[(b"a\xffb\xfe", 4, e) for e in (b"replace", b"ignore", b"surrogateescape")],
        ],
        [
            (b"a\xff", 2, ...),
            (b"a\xff", 2, b"strict"),
            (b"a\xff", 2, b"no such handler"),
            (b"a\xff", 2, HANDLER),
        ],
    ),
    "HPyUnicode_DecodeLatin1": (
        decode("latin-1"),
        [*sized([b"", b"a", b"z\0\x80\xff"], ...), (b"longer", 3, b"strict")],
        [],
    ),
    "HPyUnicode_FromEncodedObject": (
        from_encoded,
        [
            (b"", ..., ...),
            (b"caf\xc3\xa9", ..., ...),
            (b"caf\xe9", b"latin-1", ...),
            (bytearray(b"ab"), b"ascii", b"strict"),
            (memoryview(b"abcd")[1:3], b"utf-8", ...),
            (b"a\xff", ..., b"replace"),
            (b"a\0b\0", b"utf-16-le", ...),
        ],
        [
            (b"\xff", ..., ...),
            (b"\xff", b"ascii", b"no such handler"),
            (b"\xff", b"ascii", HANDLER),
            (b"x", b"no such encoding", ...),
            (b"6869", b"hex", ...),
            ("a str", ..., ...),
            (1, ..., ...),
            (None, b"ascii", b"strict"),
        ],
    ),
    "HPyUnicode_Substring": (
        lambda text, start, end: text[start:end],
        [
            (text, start, end)
            for text in TEXTS
            for start, end in [
                (0, 0),
                (0, 1),
                (1, 3),
                (2, 1),
                (0, 99),
                (50, 99),
                (3, support.SSIZE_MAX),
            ]
        ],
        [],
    ),
    "HPyUnicode_FromWideChar": (
        lambda data, size: "" if data is ... else data.decode(f"utf-{8 * len(wide('x'))}"),
        [(wide(t), len(t)) for t in map(str, TEXTS) if len(wide(t)) == len(t) * len(wide("x"))],
        [],
    ),
    "HPyUnicode_ReadChar": (
        lambda text, index: ord(text[index]),
        [(text, index) for text in TEXTS + SURROGATES for index in range(len(text))],
        [],
    ),
    "HPyUnicode_DecodeFSDefault": (
        os.fsdecode,
        [(b,) for b in [*BYTES, b"odd \xff\x80"]],
        [],
    ),
    "HPyUnicode_DecodeFSDefaultAndSize": (
        lambda data, size: os.fsdecode(data[:size]),
        [*sized([*BYTES, b"odd \xff\x80", b"zero\0inside"]), (b"longer", 3), (b"", 0)],
        [],
    ),
}


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.parametrize("name", each(CASES, "good"))
def test_values(mod, name, no_leak):
    python, good, _ = CASES[name]
    function = getattr(mod, name)
    support.settle()  # PyPy copies the text of an object that is young, and may move, at each call
    for args in good:
        assert outcome(function, *args) == ("gives", type(python(*args)), repr(python(*args)))
    no_leak(lambda: [function(*args) for args in good], *firsts(good))


@pytest.mark.parametrize("name", each([n for n, case in CASES.items() if case[2]], "error"))
def test_exceptions(mod, name, no_leak):
    python, _, bad = CASES[name]
    function = getattr(mod, name)
    for args in bad:
        assert outcome(function, *args) == outcome(python, *args), args
        assert outcome(function, *args)[0] == "raises"
    no_leak(lambda: [attempt(function, *args) for args in bad], *firsts(bad))


# The other arguments of functions that check that the first is a str.
NEED_TEXT = {
    "HPyUnicode_AsASCIIString": (),
    "HPyUnicode_AsLatin1String": (),
    "HPyUnicode_AsUTF8String": (),
    "HPyUnicode_AsUTF8AndSize": (),
    "HPyUnicode_EncodeFSDefault": (),
    "HPyUnicode_ReadChar": (0,),
}


@pytest.mark.parametrize("name", each(NEED_TEXT, "error"))
def test_what_is_no_text(mod, name, no_leak):
    function = partial(getattr(mod, name))
    for wrong in NOT_TEXT:
        with pytest.raises(TypeError):
            function(wrong, *NEED_TEXT[name])
    no_leak(lambda: attempt(function, None, *NEED_TEXT[name]))


@pytest.mark.api("HPyUnicode_Check")
def test_check(mod, no_leak):
    assert [mod.HPyUnicode_Check(text) for text in TEXTS] == [1] * len(TEXTS)
    assert [mod.HPyUnicode_Check(other) for other in [*NOT_TEXT, str]] == [0] * 6
    no_leak(lambda: mod.HPyUnicode_Check(TEXTS[-1]), TEXTS[-1])


@pytest.mark.api("HPyUnicode_FromString", "HPyUnicode_DecodeFSDefault")
def test_a_zero_byte_ends_a_c_string(mod):
    assert mod.HPyUnicode_FromString(b"ab\0cd") == "ab"
    assert mod.HPyUnicode_DecodeFSDefault(b"ab\0cd") == "ab"


@pytest.mark.api("HPyUnicode_DecodeASCII", "HPyUnicode_DecodeLatin1")
def test_an_error_handler_that_is_not_needed_need_not_exist(mod):
    assert mod.HPyUnicode_DecodeASCII(b"ascii", 5, b"no such handler") == "ascii"
    assert mod.HPyUnicode_DecodeLatin1(b"\xff", 1, b"no such handler") == "\xff"


@pytest.mark.api("HPyUnicode_FromWideChar")
def test_wide_text_that_ends_with_a_zero(mod):
    assert mod.HPyUnicode_FromWideChar(wide("caf\xe9 \u4f60", "\0more"), -1) == "caf\xe9 \u4f60"
    assert mod.HPyUnicode_FromWideChar(wide("", "\0"), -1) == ""
    assert mod.HPyUnicode_FromWideChar(wide("abc"), 2) == "ab"
    assert mod.HPyUnicode_FromWideChar(..., 0) == ""


@pytest.mark.api("HPyUnicode_FromWideChar", case="error")
def test_wide_text_that_is_none(mod, no_leak):
    for size in (1, -1):
        with pytest.raises(SystemError):
            mod.HPyUnicode_FromWideChar(..., size)
    no_leak(lambda: attempt(mod.HPyUnicode_FromWideChar, ..., 1))


@pytest.mark.api("HPyUnicode_FromWideChar", case="error")
@pytest.mark.skipif(ctypes.sizeof(ctypes.c_wchar) < 4, reason="needs a wide wchar_t")
def test_wide_text_beyond_unicode(mod, no_leak):
    beyond = (0x110000).to_bytes(4, sys.byteorder)
    with pytest.raises(ValueError, match="110000"):
        mod.HPyUnicode_FromWideChar(beyond, 1)
    no_leak(lambda: attempt(mod.HPyUnicode_FromWideChar, beyond, 1))


@pytest.mark.api("HPyUnicode_ReadChar", case="error")
def test_read_char_outside(mod, no_leak):
    for index in (3, support.SSIZE_MAX, -1, -support.SSIZE_MAX - 1):
        with pytest.raises(IndexError):
            mod.HPyUnicode_ReadChar("abc", index)
    no_leak(lambda: attempt(mod.HPyUnicode_ReadChar, "abc", 3))


@pytest.mark.api("HPyUnicode_Substring", case="error")
def test_substring_of_negative_indexes(mod, no_leak):
    for start, end in [(-1, 2), (0, -1), (-2, -1)]:
        with pytest.raises(IndexError):
            mod.HPyUnicode_Substring("abc", start, end)
    no_leak(lambda: attempt(mod.HPyUnicode_Substring, "abc", -1, 2))


LONG = b"too long to be one of the texts that Python keeps"

# Functions that need memory, and what makes them ask for it.
NEED_MEMORY = {
    "HPyUnicode_FromString": (LONG,),
    "HPyUnicode_DecodeFSDefault": (LONG,),
    "HPyUnicode_DecodeFSDefaultAndSize": (LONG, len(LONG)),
    "HPyUnicode_DecodeASCII": (LONG, len(LONG), ...),
    "HPyUnicode_DecodeLatin1": (LONG, len(LONG), ...),
    "HPyUnicode_FromEncodedObject": (LONG, ..., ...),
    "HPyUnicode_FromWideChar": (wide(LONG.decode()), len(LONG)),
    "HPyUnicode_Substring": (LONG.decode(), 1, 40),
    "HPyUnicode_AsUTF8String": (LONG.decode(),),
}


@pytest.mark.parametrize("name", each(NEED_MEMORY, "error"))
def test_no_memory(mod, name):
    function = partial(getattr(mod, name), *NEED_MEMORY[name])
    assert type(function()) in (str, bytes)
    assert raises_memory_error(function)
