"""HPyArg_Parse, HPyArg_ParseKeywords, HPyArg_ParseKeywordsDict."""

import ctypes
import sys

import pytest

BITS = {name: 8 * ctypes.sizeof(getattr(ctypes, f"c_{name}")) for name in ("short", "int", "long")}
BITS["longlong"] = 64
BITS["ssize_t"] = 8 * ctypes.sizeof(ctypes.c_ssize_t)

# unit: the C type of its variable, and what makes a Python object of that
UNITS = {
    "b": ("unsigned char", "HPyLong_FromLong(ctx, v)"),
    "B": ("unsigned char", "HPyLong_FromLong(ctx, v)"),
    "h": ("short", "HPyLong_FromLong(ctx, v)"),
    "H": ("unsigned short", "HPyLong_FromLong(ctx, v)"),
    "i": ("int", "HPyLong_FromLong(ctx, v)"),
    "I": ("unsigned int", "HPyLong_FromUnsignedLong(ctx, v)"),
    "l": ("long", "HPyLong_FromLong(ctx, v)"),
    "k": ("unsigned long", "HPyLong_FromUnsignedLong(ctx, v)"),
    "L": ("long long", "HPyLong_FromLongLong(ctx, v)"),
    "K": ("unsigned long long", "HPyLong_FromUnsignedLongLong(ctx, v)"),
    "n": ("HPy_ssize_t", "HPyLong_FromSsize_t(ctx, v)"),
    "f": ("float", "HPyFloat_FromDouble(ctx, v)"),
    "d": ("double", "HPyFloat_FromDouble(ctx, v)"),
    "p": ("int", "HPyLong_FromLong(ctx, v)"),
    "s": ("const char *", "HPyUnicode_FromString(ctx, v)"),
    "O": ("HPy", "HPy_Dup(ctx, v)"),
}

ONE_UNIT = """
HPyDef_METH(one_{unit}, "{unit}", HPyFunc_VARARGS)
static HPy one_{unit}_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{{
    {type} v;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "{unit}:one", &v))
        return HPy_NULL;
    return {result};
}}

HPyDef_METH(absent_{unit}, "absent_{unit}", HPyFunc_VARARGS)
static HPy absent_{unit}_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{{
    {type} v;
    {type} before;
    memset(&v, 0x5a, sizeof(v));
    memcpy(&before, &v, sizeof(v));
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "|{unit}", &v))
        return HPy_NULL;
    return HPyBool_FromBool(ctx, memcmp(&v, &before, sizeof(v)) == 0);
}}
"""


@pytest.fixture(params=["HPyArg_Parse", "(HPyArg_Parse)"], ids=["literal", "any"])
def units(module, request):
    """Functions for each unit, parsed by the compiler and by the function behind the macro."""
    source = "".join(
        ONE_UNIT.format(unit=unit, type=type, result=result)
        for unit, (type, result) in UNITS.items()
    )
    source = source.replace("HPyArg_Parse", request.param)
    return module(source, ",".join(f"one_{u}, absent_{u}" for u in UNITS))


def signed_range(bits):
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


@pytest.mark.parametrize(
    "unit, least, most",
    [
        ("b", 0, 255),
        ("h", *signed_range(BITS["short"])),
        ("i", *signed_range(BITS["int"])),
        ("l", *signed_range(BITS["long"])),
        ("L", *signed_range(BITS["longlong"])),
        ("n", *signed_range(BITS["ssize_t"])),
    ],
)
def test_bounded_integer(units, unit, least, most):
    one = getattr(units, unit)
    for value in (least, 0, 1, most):
        assert one(value) == value
    for value in (least - 1, most + 1, -(10**40), 10**40):
        with pytest.raises(OverflowError):
            one(value)


def test_messages_of_bounded_integers(units):
    for unit, kind in (("b", "unsigned byte"), ("h", "signed short")):
        with pytest.raises(OverflowError) as error:
            getattr(units, unit)(2**20)
        assert str(error.value) == f"one() {kind} integer is greater than maximum"
        with pytest.raises(OverflowError) as error:
            getattr(units, unit)(-(2**20))
        assert str(error.value) == f"one() {kind} integer is less than minimum"


@pytest.mark.parametrize(
    "unit, bits",
    [
        ("B", 8),
        ("H", BITS["short"]),
        ("I", BITS["int"]),
        ("k", BITS["long"]),
        ("K", BITS["longlong"]),
    ],
)
def test_masked_integer(units, unit, bits):
    one = getattr(units, unit)
    for value in (0, 1, -1, 2**bits - 1, 2**bits, 2**bits + 5, -(2**bits) + 1, 10**40):
        assert one(value) == value % 2**bits


@pytest.mark.parametrize("unit", "bBhHiIlkLKn")
def test_integers_take_index_but_no_float(units, unit):
    class Seven:
        def __index__(self):
            return 7

    class Broken:
        def __index__(self):
            raise KeyError("broken")

    one = getattr(units, unit)
    assert one(Seven()) == 7
    assert one(True) == 1
    if sys.version_info < (3, 10):
        return  # older versions take floats, too
    for bad in (1.5, "1", None):
        with pytest.raises(TypeError):
            one(bad)
    with pytest.raises(KeyError):
        one(Broken())


@pytest.mark.parametrize("unit", "fd")
def test_float(units, unit):
    one = getattr(units, unit)
    for value in (0.0, 0.25, -1.0, -3, 2**20, float("inf")):
        assert one(value) == value
    for bad in ("x", None):
        with pytest.raises(TypeError):
            one(bad)


def test_bool(units):
    class Broken:
        def __bool__(self):
            raise KeyError("broken")

    assert [units.p(x) for x in (0, 1, -1, [], [0], "", "0", None)] == [0, 1, 1, 0, 1, 0, 1, 0]
    with pytest.raises(KeyError):
        units.p(Broken())


def test_text(units):
    for text in ("", "hello", "h\u00e9llo \u20ac \U0001f40d", "x" * 5000):
        assert units.s(text) == text
    with pytest.raises(ValueError) as error:
        units.s("a\0b")
    assert str(error.value) == "one() embedded null character"
    for bad in (b"bytes", 3, None):
        with pytest.raises(TypeError) as error:
            units.s(bad)
        assert str(error.value) == "one() a str is required"
    with pytest.raises(UnicodeEncodeError):
        units.s("\ud800")


def test_object(units, no_leak):
    thing = object()
    assert units.O(thing) is thing
    assert units.O(None) is None
    no_leak(lambda: units.O(thing), thing)


@pytest.mark.parametrize("unit", UNITS)
def test_absent_argument_leaves_variable_untouched(units, unit):
    absent = getattr(units, f"absent_{unit}")
    assert absent() is True
    with pytest.raises(TypeError):
        absent(1, 2)


@pytest.mark.parametrize("unit", UNITS)
def test_one_argument_missing_or_too_many(units, unit):
    with pytest.raises(TypeError) as error:
        getattr(units, unit)()
    assert str(error.value) == "one() required positional argument missing"
    with pytest.raises(TypeError) as error:
        getattr(units, unit)(1 if unit != "s" else "1", 2)
    assert str(error.value) == "one() mismatched args (too many arguments for fmt)"


# Functions of up to three longs, or objects, that give a tuple of what they got; -7 if nothing.
POSITIONAL = """
#define POSITIONAL(NAME, FMT)                                                                \\
    HPyDef_METH(NAME, #NAME, HPyFunc_VARARGS)                                                \\
    static HPy NAME##_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)         \\
    {                                                                                        \\
        long a = -7, b = -7, c = -7;                                                         \\
        if (!HPyArg_Parse(ctx, NULL, args, nargs, FMT, &a, &b, &c))                          \\
            return HPy_NULL;                                                                 \\
        return HPy_BuildValue(ctx, "lll", a, b, c);                                          \\
    }
POSITIONAL(two, "ll:two")
POSITIONAL(optional, "l|ll")
POSITIONAL(message, "l;give me a number")
POSITIONAL(no_unit, ":no_unit")
POSITIONAL(unknown, "lZ:unknown")
POSITIONAL(unknown_optional, "l|Z:unknown_optional")
POSITIONAL(converter, "|O!l")
POSITIONAL(keyword_only, "l$l")
POSITIONAL(blank, "l l")

/* Gives the tracker's bits after a failure, and is silent about that. */
HPyDef_METH(tracker, "tracker", HPyFunc_VARARGS)
static HPy tracker_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyTracker ht;
    long a;
    HPy b, sum, one;
    ht._i = 1;
    if (!HPyArg_Parse(ctx, &ht, args, nargs, "lO", &a, &b)) {
        HPyErr_Clear(ctx);
        return HPyLong_FromSsize_t(ctx, ht._i);
    }
    one = HPyLong_FromLong(ctx, a);
    HPyTracker_Add(ctx, ht, one);
    sum = HPyTuple_Pack(ctx, 2, one, b);
    HPyTracker_Close(ctx, ht);
    return sum;
}
"""


@pytest.fixture
def positional(module):
    names = "two, optional, message, no_unit, unknown, unknown_optional, converter, keyword_only"
    return module(POSITIONAL, names + ", blank, tracker")


def message(error, function, *args, **kw):
    """The message of the exception of this type that the call raises."""
    with pytest.raises(error) as info:
        function(*args, **kw)
    return str(info.value)


def test_positional(positional):
    assert positional.two(1, 2) == (1, 2, -7)
    assert positional.optional(1) == (1, -7, -7)
    assert positional.optional(1, 2) == (1, 2, -7)
    assert positional.optional(1, 2, 3) == (1, 2, 3)
    assert positional.no_unit() == (-7, -7, -7)


def test_positional_errors(positional):
    missing = "required positional argument missing"
    too_many = "mismatched args (too many arguments for fmt)"
    assert message(TypeError, positional.two, 1) == f"two() {missing}"
    assert message(TypeError, positional.two, 1, 2, 3) == f"two() {too_many}"
    assert message(TypeError, positional.optional) == f"function {missing}"
    assert message(TypeError, positional.no_unit, 1) == f"no_unit() {too_many}"
    assert message(TypeError, positional.message) == "give me a number"
    assert message(TypeError, positional.message, 1, 2) == "give me a number"


def test_positional_format_errors(positional):
    text = "unknown arg format code"
    assert message(SystemError, positional.unknown, 1, 2) == f"unknown() {text}"
    assert message(SystemError, positional.unknown_optional, 1) == f"unknown_optional() {text}"
    assert message(SystemError, positional.unknown_optional, 1, 2) == f"unknown_optional() {text}"
    assert message(SystemError, positional.converter) == f"function {text}"
    assert message(SystemError, positional.keyword_only, 1, 2) == f"function {text}"
    assert message(SystemError, positional.blank, 1, 2) == f"function {text}"


def test_positional_tracker(positional, no_leak):
    thing = object()
    assert positional.tracker(5, thing) == (5, thing)
    assert positional.tracker("not a number", thing) == 0
    assert positional.tracker(5) == 0
    no_leak(lambda: positional.tracker(5, thing), thing)
    no_leak(lambda: positional.tracker("not a number", thing), thing)


# The same with keywords; each as a KEYWORDS function, and as `NAME_dict(args, kw)`.
KEYWORDS = """
static HPy call_dict(HPyContext *ctx, const HPy *args, size_t nargs,
                     int (*parse)(HPyContext *, const HPy *, HPy_ssize_t, HPy, long *))
{
    HPy items[8];
    long v[3] = {-7, -7, -7};
    HPy_ssize_t i, n = HPy_Length(ctx, args[0]);
    int ok;
    for (i = 0; i < n; i++)
        items[i] = HPy_GetItem_i(ctx, args[0], i);
    ok = parse(ctx, items, n, nargs > 1 ? args[1] : HPy_NULL, v);
    for (i = 0; i < n; i++)
        HPy_Close(ctx, items[i]);
    return ok ? HPy_BuildValue(ctx, "lll", v[0], v[1], v[2]) : HPy_NULL;
}

#define KEYWORDS(NAME, FMT, ...)                                                             \\
    static const char *NAME##_names[] = {__VA_ARGS__, NULL};                                 \\
    HPyDef_METH(NAME, #NAME, HPyFunc_KEYWORDS)                                               \\
    static HPy NAME##_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs,         \\
                           HPy kwnames)                                                      \\
    {                                                                                        \\
        long a = -7, b = -7, c = -7;                                                         \\
        if (!HPyArg_ParseKeywords(ctx, NULL, args, nargs, kwnames, FMT, NAME##_names, &a,    \\
                                  &b, &c))                                                   \\
            return HPy_NULL;                                                                 \\
        return HPy_BuildValue(ctx, "lll", a, b, c);                                          \\
    }                                                                                        \\
    static int NAME##_parse(HPyContext *ctx, const HPy *args, HPy_ssize_t nargs, HPy kw,     \\
                            long *v)                                                         \\
    {                                                                                        \\
        return HPyArg_ParseKeywordsDict(ctx, NULL, args, nargs, kw, FMT, NAME##_names,       \\
                                        &v[0], &v[1], &v[2]);                                \\
    }                                                                                        \\
    HPyDef_METH(NAME##_dict, #NAME "_dict", HPyFunc_VARARGS)                                 \\
    static HPy NAME##_dict_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)    \\
    {                                                                                        \\
        return call_dict(ctx, args, nargs, NAME##_parse);                                    \\
    }
KEYWORDS(two, "ll:two", "first", "second")
KEYWORDS(optional, "l|ll", "a", "b", "c")
KEYWORDS(only, "l|l$l:only", "a", "b", "c")
KEYWORDS(only_optional, "l$l", "a", "b")
KEYWORDS(blank, "l|l:blank", "", "b")
KEYWORDS(blanks, "ll", "", "")
KEYWORDS(blank_inside, "lll", "", "b", "")
KEYWORDS(few, "lll:few", "a", "b")
KEYWORDS(many, "l:many", "a", "b")
KEYWORDS(message, "l;give me a number", "a")
KEYWORDS(unknown, "|Z:unknown", "a")
"""
KEYWORD_NAMES = (
    "two, optional, only, only_optional, blank, blanks, blank_inside, few, many, message, unknown"
)


@pytest.fixture(params=["names", "dict"])
def keywords(module, request):
    """A namespace of functions, which parse with a tuple of names or with a dict."""
    names = [name.strip() for name in KEYWORD_NAMES.split(",")]
    mod = module(KEYWORDS, ", ".join(f"{name}, {name}_dict" for name in names))
    if request.param == "names":
        return mod

    def through_dict(function):
        return lambda *args, **kw: function(args, kw)

    class Functions:
        pass

    for name in names:
        setattr(Functions, name, staticmethod(through_dict(getattr(mod, f"{name}_dict"))))
    return Functions


def test_keywords(keywords):
    assert keywords.two(1, 2) == (1, 2, -7)
    assert keywords.two(1, second=2) == (1, 2, -7)
    assert keywords.two(first=1, second=2) == (1, 2, -7)
    assert keywords.two(second=2, first=1) == (1, 2, -7)
    assert keywords.optional(1, c=3) == (1, -7, 3)
    assert keywords.optional(c=3, a=1) == (1, -7, 3)
    assert keywords.only(1, c=3) == (1, -7, 3)
    assert keywords.only(1) == (1, -7, -7)
    assert keywords.only_optional(1) == (1, -7, -7)
    assert keywords.only_optional(b=2, a=1) == (1, 2, -7)
    assert keywords.blank(1, b=2) == (1, 2, -7)
    assert keywords.blanks(1, 2) == (1, 2, -7)


def test_keywords_missing(keywords):
    text = "no value for required argument"
    assert message(TypeError, keywords.two) == f"two() {text}"
    assert message(TypeError, keywords.two, 1) == f"two() {text}"
    assert message(TypeError, keywords.two, second=2) == f"two() {text}"
    assert message(TypeError, keywords.optional, b=2) == f"function {text}"
    assert message(TypeError, keywords.blank, b=2) == f"blank() {text}"
    assert message(TypeError, keywords.message) == "give me a number"


def test_unknown_keyword(keywords):
    text = "got an unexpected keyword argument"
    assert message(TypeError, keywords.two, 1, 2, third=3) == f"two() {text} 'third'"
    assert message(TypeError, keywords.two, 1, firs=3, second=2, first=1)
    assert message(TypeError, keywords.optional, 1, **{"a\0b": 2}) == f"function {text} 'a\\x00b'"
    assert message(TypeError, keywords.optional, 1, **{"\ud800": 2}) == f"function {text} '\\ud800'"
    assert message(TypeError, keywords.optional, 1, **{"\u00e9": 2}) == f"function {text} '\u00e9'"
    assert message(TypeError, keywords.blank, 1, **{"": 2}) == f"blank() {text} ''"
    assert message(TypeError, keywords.message, 1, b=1) == "give me a number"


def test_argument_given_twice(keywords):
    text = "got multiple values for argument"
    assert message(TypeError, keywords.two, 1, first=2) == f"two() {text} 'first'"
    assert message(TypeError, keywords.two, 1, 2, second=2) == f"two() {text} 'second'"


def test_too_many_with_keywords(keywords):
    text = "mismatched args (too many arguments for fmt)"
    assert message(TypeError, keywords.two, 1, 2, 3) == f"two() {text}"
    assert message(TypeError, keywords.optional, 1, 2, 3, 4) == f"function {text}"


def test_keyword_only_by_position(keywords):
    text = "keyword only argument passed as positional argument"
    assert message(TypeError, keywords.only, 1, 2, 3) == f"only() {text}"
    assert message(TypeError, keywords.only_optional, 1, 2) == f"function {text}"


def test_keywords_that_do_not_fit_the_format(keywords):
    few = "few() mismatched args (too few keywords for fmt)"
    assert message(TypeError, keywords.few, 1, 2) == few
    assert message(TypeError, keywords.few, 1, 2, 3) == few
    many = "many() mismatched args (too many keywords for fmt)"
    assert message(TypeError, keywords.many, 1) == many
    assert message(TypeError, keywords.many, 1, b=2) == many
    blank = "function empty keyword parameter name"
    assert message(SystemError, keywords.blank_inside) == blank
    assert message(SystemError, keywords.blank_inside, 1, b=2) == blank
    unknown = "unknown() unknown arg format code"
    assert message(SystemError, keywords.unknown) == unknown
    assert message(SystemError, keywords.unknown, a=1) == unknown


def test_keywords_conversion_error(keywords, no_leak):
    class Broken:
        def __index__(self):
            raise KeyError("broken")

    broken = Broken()
    with pytest.raises(KeyError):
        keywords.two(1, second=broken)

    def fail():
        try:
            keywords.two(1, second=broken)
        except KeyError:
            pass

    no_leak(fail, broken)


def test_keywords_do_not_leak(keywords, no_leak):
    third = "third of all"

    def unknown():
        try:
            keywords.two(1, **{"second": 2, third: 10**30})
        except TypeError:
            pass

    no_leak(lambda: keywords.two(first=1, second=2))
    no_leak(unknown, third)


# (args, names, n): parses with n positional arguments and the tuple `names` for the rest.
OBJECTS = """
static HPy objects(HPyContext *ctx, HPyTracker *ht, const HPy *args, size_t nargs, HPy kw)
{
    static const char *names[] = {"a", "b", "text", NULL};
    HPy a, b = ctx->h_None, result;
    const char *text = "default";
    if (!HPyArg_ParseKeywordsDict(ctx, ht, args, (HPy_ssize_t)nargs, kw, "O|Os:objects", names,
                                  &a, &b, &text))
        return HPy_NULL;
    result = HPy_BuildValue(ctx, "OOs", a, b, text);
    HPyTracker_Close(ctx, *ht);
    return result;
}

HPyDef_METH(through_names, "through_names", HPyFunc_KEYWORDS)
static HPy through_names_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs,
                              HPy kwnames)
{
    HPyTracker ht;
    return objects(ctx, &ht, args, nargs, kwnames);
}

HPyDef_METH(through_dict, "through_dict", HPyFunc_O)
static HPy through_dict_impl(HPyContext *ctx, HPy self, HPy kw)
{
    HPyTracker ht;
    return objects(ctx, &ht, NULL, 0, HPy_Is(ctx, kw, ctx->h_None) ? HPy_NULL : kw);
}

HPyDef_METH(failed_tracker, "failed_tracker", HPyFunc_O)
static HPy failed_tracker_impl(HPyContext *ctx, HPy self, HPy kw)
{
    HPyTracker ht;
    HPy result;
    ht._i = 1;
    result = objects(ctx, &ht, NULL, 0, kw);
    if (!HPy_IsNull(result))
        return result;
    HPyErr_Clear(ctx);
    return HPyLong_FromSsize_t(ctx, ht._i);
}

HPyDef_METH(explicit_names, "explicit_names", HPyFunc_VARARGS)
static HPy explicit_names_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyTracker ht;
    return objects(ctx, &ht, args + 1, 0, args[0]);
}

HPyDef_METH(no_tracker, "no_tracker", HPyFunc_KEYWORDS)
static HPy no_tracker_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    static const char *names[] = {"a", NULL};
    HPy a;
    if (!HPyArg_ParseKeywords(ctx, NULL, args, nargs, kwnames, "|O:no_tracker", names, &a))
        return HPy_NULL;
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(named_O, "named_O", HPyFunc_KEYWORDS)
static HPy named_O_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    static const char *names[] = {"a", NULL};
    long a;
    if (!HPyArg_ParseKeywords(ctx, NULL, args, nargs, kwnames, "l:Named_O", names, &a))
        return HPy_NULL;
    return HPyLong_FromLong(ctx, a);
}

/* 20 optional keywords: the sum of all. */
HPyDef_METH(twenty, "twenty", HPyFunc_KEYWORDS)
static HPy twenty_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    static const char *names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
                                  "l", "m", "n", "o", "p", "q", "r", "s", "t", NULL};
    long v[20] = {0}, sum = 0;
    int i;
    if (!HPyArg_ParseKeywords(ctx, NULL, args, nargs, kwnames, "|llllllllllllllllllll", names,
                              &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
                              &v[9], &v[10], &v[11], &v[12], &v[13], &v[14], &v[15], &v[16],
                              &v[17], &v[18], &v[19]))
        return HPy_NULL;
    for (i = 0; i < 20; i++)
        sum += (i + 1) * v[i];
    return HPyLong_FromLong(ctx, sum);
}

typedef struct {
    long x, y;
} Point;
HPyType_HELPERS(Point)
static const char *point_names[] = {"x", "y", NULL};

HPyDef_SLOT(Point_new, HPy_tp_new)
static HPy Point_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Point *p;
    long x, y = -7;
    HPy h;
    if (!HPyArg_ParseKeywordsDict(ctx, NULL, args, nargs, kw, "l|l:Point", point_names, &x, &y))
        return HPy_NULL;
    h = HPy_New(ctx, cls, &p);
    if (HPy_IsNull(h))
        return HPy_NULL;
    p->x = x;
    p->y = y;
    return h;
}

HPyDef_SLOT(Point_init, HPy_tp_init)
static int Point_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    long x, y = -7;
    if (!HPyArg_ParseKeywordsDict(ctx, NULL, args, nargs, kw, "l|l:Point", point_names, &x, &y))
        return -1;
    Point_AsStruct(ctx, self)->y += 100;
    return 0;
}

HPyDef_MEMBER(Point_x, "x", HPyMember_LONG, offsetof(Point, x))
HPyDef_MEMBER(Point_y, "y", HPyMember_LONG, offsetof(Point, y))
static HPyDef *Point_defines[] = {&Point_new, &Point_init, &Point_x, &Point_y, NULL};
static HPyType_Spec Point_spec = {
    .name = "testmod.Point", .basicsize = sizeof(Point), .defines = Point_defines};
"""
OBJECT_NAMES = (
    "through_names, through_dict, failed_tracker, explicit_names, no_tracker, named_O, twenty"
)


@pytest.fixture
def objects(module):
    return module(OBJECTS, OBJECT_NAMES, types="Point")


def test_objects_by_keyword(objects, no_leak):
    a, b, text = object(), object(), "some text, not interned"
    assert objects.through_names(a, b=b) == (a, b, "default")
    assert objects.through_names(b=b, text=text, a=a) == (a, b, text)
    assert objects.through_dict({"a": a, "text": text}) == (a, None, text)
    no_leak(lambda: objects.through_names(a, text=text, b=b), a, b, text)
    no_leak(lambda: objects.through_dict({"a": a, "b": b, "text": text}), a, b, text)


def test_no_keywords_at_all(objects):
    assert message(TypeError, objects.through_dict, None)
    assert message(TypeError, objects.through_dict, {})
    assert objects.through_names(1) == (1, None, "default")


def test_tracker_is_zero_after_failure(objects, no_leak):
    a = object()
    assert objects.failed_tracker({"a": a}) == (a, None, "default")
    for bad in ({"a": a, "text": 3}, {"a": a, "c": a}, {"b": a}, {1: a}):
        assert objects.failed_tracker(bad) == 0
        no_leak(lambda bad=bad: objects.failed_tracker(bad), a)


def test_odd_keywords(objects):
    assert objects.explicit_names(("b", "a"), 1, 2) == (2, 1, "default")
    twice = "objects() got multiple values for argument 'a'"
    assert message(TypeError, objects.explicit_names, ("a", "a"), 1, 2) == twice
    assert message(TypeError, objects.explicit_names, (1,), 1).endswith("must be strings")
    assert message(TypeError, objects.through_dict, {1: 1}).endswith("must be strings")
    assert message(TypeError, objects.through_dict, ["a"]).endswith("a dict or a tuple of names")
    assert message(TypeError, objects.through_dict, 3)


def test_object_by_keyword_needs_tracker(objects):
    for args in ((), (1,)):
        assert "HPyTracker" in message(SystemError, objects.no_tracker, *args)
    assert objects.named_O(a=3) == 3  # the name of the function is no unit


def test_more_keywords_than_fit_on_the_stack(objects, no_leak):
    names = "abcdefghijklmnopqrst"
    assert objects.twenty() == 0
    assert objects.twenty(*range(20)) == sum((i + 1) * i for i in range(20))
    everything = {name: i for i, name in enumerate(names)}
    assert objects.twenty(**everything) == sum((i + 1) * i for i in range(20))
    assert objects.twenty(5, t=1) == 25
    assert message(TypeError, objects.twenty, u=1)
    no_leak(lambda: objects.twenty(**everything))


def test_new_and_init(objects):
    point = objects.Point(1, 2)
    assert (point.x, point.y) == (1, 102)
    point = objects.Point(y=3, x=1)
    assert (point.x, point.y) == (1, 103)
    point = objects.Point(4)
    assert (point.x, point.y) == (4, 93)
    assert message(TypeError, objects.Point)
    assert "'z'" in message(TypeError, objects.Point, 1, z=2)
    assert "'x'" in message(TypeError, objects.Point, 1, x=2)


def test_cplusplus(module):
    mod = module(POSITIONAL, "two, tracker", language="c++")
    assert mod.two(1, 2) == (1, 2, -7)
    assert mod.tracker(5, "x") == (5, "x")
