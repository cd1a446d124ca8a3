"""HPyUnicode_FromFormat, HPyUnicode_FromFormatV, HPyErr_Format."""

import re

import pytest

INTEGERS = {  # unit: C type
    "d": "int",
    "i": "int",
    "ld": "long",
    "li": "long",
    "lld": "long long",
    "lli": "long long",
    "zd": "HPy_ssize_t",
    "zi": "HPy_ssize_t",
    "u": "unsigned int",
    "lu": "unsigned long",
    "llu": "unsigned long long",
    "zu": "size_t",
}

# format, arguments, text
TEXTS = [
    ("", "", ""),
    ("plain", "", "plain"),
    ("100%%", "", "100%"),
    ("%%%d%%", ", 5", "%5%"),
    ("%c%c", ", 'a', 0x20ac", "a\u20ac"),
    ("%c", ", 0x1f40d", "\U0001f40d"),
    ("a%cb", ", 0", "a\0b"),
    ("%x", ", 0xbeefu", "beef"),
    ("%x", ", -1", "ffffffff"),
    ("%x", ", 0", "0"),
    ("%d", ", INT_MIN", str(-(2**31))),
    ("%lld %llu", ", LLONG_MIN, ULLONG_MAX", f"{-(2**63)} {2**64 - 1}"),
    ("%zd", ", HPY_SSIZE_T_MIN", str(-(2**63))),
    ("%p", ", (void *)0xbeef", "0xbeef"),
    ("%p", ", NULL", "0x0"),
    ("<%s>", ', ""', "<>"),
    ("<%s|%5s|%.2s|%5.2s>", ', "abc", "abc", "abc", "abc"', "<abc|  abc|ab|   ab>"),
    ("<%.s>", ', "abc"', "<>"),
    ("<%3s>", ', "\\xc3\\xa9"', "<  \u00e9>"),
    ("<%.1s>", ', "\\xc3\\xa9"', "<\ufffd>"),
    ("<%s>", ', "a\\xff"', "<a\ufffd>"),
    ("<%.3s>", ", not_terminated", "<abc>"),
    ("%V", ", ctx->h_None, NULL", None),
    ("%V|%4V", ', HPy_NULL, "x", HPy_NULL, "y"', "x|   y"),
    ("%S %R %A", ", ctx->h_None, ctx->h_True, ctx->h_Ellipsis", "None True Ellipsis"),
    ("%6S|%.2R|%5.3A", ", ctx->h_None, ctx->h_None, ctx->h_None", "  None|No|  Non"),
    ("%d%s%d", ', 1, "\\xe2\\x82\\xac", 2', "1\u20ac2"),
]

# format, arguments, exception, text
ERRORS = [
    ("%", "", SystemError, "invalid format string"),
    ("abc %", "", SystemError, "invalid format string"),
    ("%5", "", SystemError, "invalid format string"),
    ("%.", "", SystemError, "invalid format string"),
    ("%l", "", SystemError, "invalid format string"),
    ("%y", ", 1", SystemError, "invalid format string"),
    ("%-5d", ", 1", SystemError, "invalid format string"),
    ("%*d", ", 1, 2", SystemError, "invalid format string"),
    ("%lx", ", 1L", SystemError, "invalid format string"),
    ("%llld", ", 1L", SystemError, "invalid format string"),
    ("%zzd", ", 1L", SystemError, "invalid format string"),
    ("%ls", ', "x"', SystemError, "invalid format string"),
    ("%X", ", 1", SystemError, "invalid format string"),
    ("%5%", "", SystemError, "invalid format string"),
    ("%0%", "", SystemError, "invalid format string"),
    ("%.0%", "", SystemError, "invalid format string"),
    ("%3c", ", 'x'", SystemError, "'%c' does not support width nor precision"),
    ("%.3c", ", 'x'", SystemError, "'%c' does not support width nor precision"),
    ("%03c", ", 'x'", SystemError, "'%c' does not support 0-padding"),
    ("%3p", ", NULL", SystemError, "'%p' does not support width nor precision"),
    ("%0p", ", NULL", SystemError, "'%p' does not support 0-padding"),
    ("%05s", ', "x"', SystemError, "'%s' does not support 0-padding"),
    ("%05V", ', HPy_NULL, "x"', SystemError, "'%V' does not support 0-padding"),
    ("%05S", ", ctx->h_None", SystemError, "'%S' does not support 0-padding"),
    ("%s", ", NULL", SystemError, "null c string"),
    ("%V", ", HPy_NULL, NULL", SystemError, "null c string"),
    ("%U", ", HPy_NULL", SystemError, "HPy_NULL passed"),
    ("%S", ", HPy_NULL", SystemError, "HPy_NULL passed"),
    ("%R", ", HPy_NULL", SystemError, "HPy_NULL passed"),
    ("%A", ", HPy_NULL", SystemError, "HPy_NULL passed"),
    ("%U", ", ctx->h_None", SystemError, "needs a str"),
    ("%c", ", -1", OverflowError, "character argument not in range"),
    ("%c", ", 0x110000", OverflowError, "character argument not in range"),
    ("caf\\xc3\\xa9 %d", ", 1", ValueError, "expected an ASCII-encoded format string"),
    ("%9223372036854775808d", ", 1", ValueError, "width too big"),
    ("%.9223372036854775808d", ", 1", ValueError, "precision too big"),
    ("%9223372036854775807d", ", 1", MemoryError, ""),
    ("%.9223372036854775807d", ", 1", MemoryError, ""),
]

METHOD = """
HPyDef_METH({name}, "{name}", HPyFunc_NOARGS)
static HPy {name}_impl(HPyContext *ctx, HPy self)
{{
    return HPyUnicode_FromFormat(ctx, "{fmt}"{args});
}}
"""


def numbered(prefix, cases):
    """(name, format, arguments) of each case."""
    return [(f"{prefix}{i}", case[0], case[1]) for i, case in enumerate(cases)]


CONSTANT = numbered("text", TEXTS) + numbered("error", ERRORS)
CONSTANT_SOURCE = "static const char not_terminated[3] = {'a', 'b', 'c'};\n" + "".join(
    METHOD.format(name=name, fmt=fmt, args=args) for name, fmt, args in CONSTANT
)


@pytest.fixture
def constant(module):
    return module(CONSTANT_SOURCE, ", ".join(name for name, _, _ in CONSTANT))


def test_texts(constant, no_leak):
    for i, (fmt, args, expected) in enumerate(TEXTS):
        function = getattr(constant, f"text{i}")
        if expected is not None:
            assert function() == expected, fmt + args
            no_leak(function)


def test_errors(constant, no_leak):
    for i, (fmt, args, exception, text) in enumerate(ERRORS):

        def fail(i=i, exception=exception):
            try:
                return getattr(constant, f"error{i}")()
            except exception as error:
                return str(error)

        assert text in fail(), fmt + args
        no_leak(fail)


def test_V_needs_a_str(constant):
    index = [fmt for fmt, _, _ in TEXTS].index("%V")
    with pytest.raises(SystemError, match="needs a str"):
        getattr(constant, f"text{index}")()


INTEGER = """
HPyDef_METH(one_{unit}, "{unit}", HPyFunc_VARARGS)
static HPy one_{unit}_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{{
    const char *fmt;
    long value;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "sl", &fmt, &value))
        return HPy_NULL;
    return HPyUnicode_FromFormat(ctx, fmt, ({type})value);
}}
"""


def c_format(fmt, value):
    """What C's printf makes of an integer, but that a 0 before the width is never ignored."""
    zero, width, precision = re.fullmatch(r"(0?)(\d*)(?:\.(\d*))?", fmt).groups()
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(int(precision or 0), "0")
    if zero:
        digits = digits.rjust(int(width or 0) - len(sign), "0")
    return (sign + digits).rjust(int(width or 0))


def test_integers(module):
    source = "".join(INTEGER.format(unit=unit, type=type) for unit, type in INTEGERS.items())
    mod = module(source, ", ".join(f"one_{unit}" for unit in INTEGERS))
    widths = ["", "1", "3", "5", "05", "0", "010", ".", ".0", ".1", ".5", "7.5", "07.5", "5.7"]
    widths += ["05.7", "300", "0300", ".300", "310.300", "0310.300"]
    for unit in INTEGERS:
        for value in (0, 7, 123, 2**31 - 1) + ((-1, -123, -(2**31)) if unit[-1] in "di" else ()):
            for options in widths:
                text = getattr(mod, unit)(f"<%{options}{unit}>", value)
                assert text == f"<{c_format(options, value)}>", (options, unit, value)


OBJECTS = """
#define OBJECT(NAME, FMT)                                                                    \\
    HPyDef_METH(NAME, #NAME, HPyFunc_O)                                                      \\
    static HPy NAME##_impl(HPyContext *ctx, HPy self, HPy arg)                               \\
    {                                                                                        \\
        return HPyUnicode_FromFormat(ctx, FMT, arg);                                         \\
    }
OBJECT(U, "<%U>")
OBJECT(S, "<%S>")
OBJECT(R, "<%R>")
OBJECT(A, "<%A>")
OBJECT(padded, "<%10U>")
OBJECT(cut, "<%.3U>")
OBJECT(both, "<%10.3S>")

HPyDef_METH(V, "V", HPyFunc_O)
static HPy V_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyUnicode_FromFormat(ctx, "<%V>", arg, "unused");
}

HPyDef_METH(dynamic, "dynamic", HPyFunc_O)
static HPy dynamic_impl(HPyContext *ctx, HPy self, HPy arg)
{
    const char *fmt = HPyUnicode_AsUTF8AndSize(ctx, arg, NULL);
    return fmt == NULL ? HPy_NULL : HPyUnicode_FromFormat(ctx, fmt, 1, 2, 3);
}

static HPy through_va_list(HPyContext *ctx, const char *fmt, ...)
{
    HPy first, second, both;
    va_list vl;
    va_start(vl, fmt);
    first = HPyUnicode_FromFormatV(ctx, fmt, vl);
    second = HPyUnicode_FromFormatV(ctx, fmt, vl); /* the list is not changed */
    va_end(vl);
    both = HPyTuple_Pack(ctx, 2, first, second);
    HPy_Close(ctx, first);
    HPy_Close(ctx, second);
    return both;
}

HPyDef_METH(twice, "twice", HPyFunc_O)
static HPy twice_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return through_va_list(ctx, "%d %S %s", 1, arg, "x");
}

HPyDef_METH(raise, "raise_", HPyFunc_O)
static HPy raise_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyErr_Format(ctx, ctx->h_KeyError, "no %R among %d", arg, 5);
}

HPyDef_METH(raise_badly, "raise_badly", HPyFunc_NOARGS)
static HPy raise_badly_impl(HPyContext *ctx, HPy self)
{
    return HPyErr_Format(ctx, ctx->h_KeyError, "%y");
}

HPyDef_METH(is_null, "is_null", HPyFunc_NOARGS)
static HPy is_null_impl(HPyContext *ctx, HPy self)
{
    HPy h = HPyErr_Format(ctx, ctx->h_KeyError, "x");
    HPyErr_Clear(ctx);
    return HPyBool_FromBool(ctx, HPy_IsNull(h));
}
"""
OBJECT_NAMES = "U, S, R, A, padded, cut, both, V, dynamic, twice, raise, raise_badly, is_null"


@pytest.fixture
def objects(module):
    return module(OBJECTS, OBJECT_NAMES)


class Thing:
    def __str__(self):
        return "str \u00e9\0\ud800"

    def __repr__(self):
        return "repr \u00e9"


class Broken:
    def __str__(self):
        raise KeyError("broken")

    __repr__ = __str__


def test_objects(objects, no_leak):
    thing = Thing()
    assert objects.S(thing) == "<str \u00e9\0\ud800>"
    assert objects.R(thing) == "<repr \u00e9>"
    assert objects.A(thing) == "<repr \\xe9>"
    for name in "SRA":
        no_leak(lambda name=name: getattr(objects, name)(thing), thing)


def test_strings(objects, no_leak):
    for text in ("", "abc", "\u20acur\u0398pe", "a\0b", "\ud800", "x" * 1000):
        assert objects.U(text) == objects.V(text) == objects.S(text) == f"<{text}>"
        assert objects.padded(text) == f"<{text:>10}>"
        assert objects.cut(text) == f"<{text[:3]}>"
        assert objects.both(text) == f"<{text[:3]:>10}>"
    text = "some text, not interned" + str(len("x"))
    no_leak(lambda: objects.both(text), text)


def test_exceptions_of_objects(objects, no_leak):
    broken = Broken()
    for name in "SRA":

        def fail(name=name):
            with pytest.raises(KeyError):
                getattr(objects, name)(broken)

        fail()
        no_leak(fail, broken)


def test_long_formats(objects):
    for n in (1, 200, 239, 240, 241, 500, 5000):
        text = "a" * n
        assert objects.dynamic(f"{text}%d{text}%d") == f"{text}1{text}2"
        assert objects.dynamic(f"%{n}d%0{n}d") == f"{1:>{n}}{2:0>{n}}"


def test_va_list(objects, no_leak):
    assert objects.twice("y") == ("1 y x", "1 y x")
    no_leak(lambda: objects.twice("y"))


def test_err_format(objects, no_leak):
    with pytest.raises(KeyError) as error:
        objects.raise_("x")
    assert error.value.args == ("no 'x' among 5",)
    assert objects.is_null() is True
    with pytest.raises(SystemError):
        objects.raise_badly()
    with pytest.raises(KeyError, match="broken"):
        objects.raise_(Broken())
    thing = Thing()

    def fail():
        with pytest.raises(KeyError):
            objects.raise_(thing)

    no_leak(fail, thing)


def test_cplusplus(module):
    mod = module(OBJECTS, OBJECT_NAMES, language="c++")
    assert mod.twice("y") == ("1 y x", "1 y x")
