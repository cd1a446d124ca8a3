"""hpyjson, built for each ABI, and cjson, against the standard library's json."""

import contextlib
import gc
import json
import math
import random
import sys
import sysconfig

import documents
import pytest

DEPTH = 1000


def same(a, b):
    """Equal, and of the same types all the way down; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return a == b


# ---- documents ----


@pytest.mark.parametrize("name", documents.NAMES)
def test_document(mod, name):
    text = documents.make(name)
    expected = json.loads(text)
    assert same(mod.loads(text), expected)
    assert same(mod.loads(text.encode()), expected)
    for options in ({}, {"indent": 2}, {"sort_keys": True}, {"ensure_ascii": False}):
        assert mod.dumps(expected, **options) == json.dumps(expected, **options)


GOOD = [
    "null",
    " true ",
    "\n\tfalse\r",
    "0",
    "-0",
    "12",
    "-12",
    "[]",
    "{}",
    "[ ]",
    "{ }",
    '""',
    '"a"',
    "[1,2]",
    "[[[]]]",
    '{"a":1}',
    '{"a":{"b":[1,{"c":null}]}}',
    '{"a":1,"a":2,"b":3}',
    "0.0",
    "-0.0",
    "1.5",
    "1e5",
    "1E+5",
    "1e-5",
    "0.1e1",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072011e-308",
    "1e400",
    "-1e400",
    "1e-400",
    "123456789012345678",
    "999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "1" * 200,
    "-" + "9" * 50,
    "0." + "3" * 40,
    "9007199254740993.0",
    "0.000001",
    "123456.789",
    "1" + "0" * 25 + "e-25",
    "NaN",
    "Infinity",
    "-Infinity",
    "[NaN,-Infinity]",
    r'"\"\\\/\b\f\n\r\t"',
    r'"\u0041\u00e9\u20ac\ud83d\ude00"',
    r'"\uD83D\uDE00"',
    r'"\u0000"',
    r'"a\u0000b"',
    r'"\ud800"',
    r'"\udc00\ud800"',
    r'"\ud800\u0041"',
    r'"\ud800\ud800\udc00"',
    '"é"',
    '"日本語 and then some plain text that is longer than eight bytes"',
    '"😀"',
    '"\x7f"',
    '"ab\ud800"',
    '"' + "x" * 1000 + '"',
    '"' + "x" * 1000 + 'é"',
    '{"é":1,"\\u00e9":2}',
    '{"' + "k" * 100 + '":1}',
    '{"":0}',
]


@pytest.mark.parametrize("text", GOOD)
def test_good_text(mod, text):
    assert same(mod.loads(text), json.loads(text))
    raw = text.encode("utf-8", "surrogatepass")
    assert same(mod.loads(raw), json.loads(text))


BAD = [
    # text, position of the problem
    ("", 0),
    ("   ", 3),
    ("\n\n", 2),
    ("nul", 0),
    ("nulll", 4),
    ("True", 0),
    ("-", 1),
    ("-a", 1),
    ("+1", 0),
    (".5", 0),
    ("01", 1),
    ("-01", 2),
    ("1.", 2),
    ("1.e5", 2),
    ("1e", 2),
    ("1e+", 3),
    ("1.5e", 4),
    ("1 2", 2),
    ("[1 2]", 3),
    ("[1,]", 3),
    ("[,1]", 1),
    ("[", 1),
    ("[1", 2),
    ("[1,", 3),
    ("]", 0),
    ("{", 1),
    ("{1:2}", 1),
    ('{"a"}', 4),
    ('{"a" 1}', 5),
    ('{"a":}', 5),
    ('{"a":1', 6),
    ('{"a":1,', 7),
    ('{"a":1,}', 7),
    ('{"a":1 "b"}', 7),
    ("{'a':1}", 1),
    ('"', 0),
    ('"abc', 0),
    ('["abc', 1),
    ('"abc\\', 0),
    ('"abc\\"', 0),
    ('"\\x"', 1),
    ('"\\u12"', 3),
    ('"\\u12G4"', 3),
    ('"a\nb"', 2),
    ('"\t"', 1),
    ('"é\x00"', 2),
    ("[1]]", 3),
    ("{}[]", 2),
    ("\ufeff1", 0),
    ("Inf", 0),
    ("-Inf", 0),
    ("-NaN", 1),
    ("nan", 0),
    ('"é" x', 4),
    ("\u00a01", 0),
    ("/* */1", 0),
]


@pytest.mark.parametrize("text, pos", BAD)
def test_malformed_text(mod, text, pos):
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    for source in (text, text.encode()):
        if source == "\ufeff1".encode():
            continue  # in front of bytes the byte order mark is a matter of encoding
        with pytest.raises(mod.JSONDecodeError) as caught:
            mod.loads(source)
        error = caught.value
        assert isinstance(error, ValueError)
        assert error.pos == pos
        assert error.lineno == text.count("\n", 0, pos) + 1
        assert error.colno == pos - text.rfind("\n", 0, pos)
        assert str(error) == f"{error.msg}: line {error.lineno}, column {error.colno}"


@pytest.mark.parametrize(
    "raw",
    [
        b'"\xff"',
        b'"\x80"',
        b'"\xc3"',
        b'"\xc3(" ',
        b'"\xe2\x82"',
        b'"\xc0\xaf"',
        b'"\xe0\x80\xaf"',
        b'"\xf0\x80\x80\xaf"',
        b'"\xf4\x90\x80\x80"',
        b'"\xf5\x80\x80\x80"',
    ],
)
def test_malformed_utf8(mod, raw):
    with pytest.raises(UnicodeDecodeError):
        raw.decode()
    with pytest.raises(mod.JSONDecodeError, match="not valid UTF-8: line 1, column 2"):
        mod.loads(raw)


def test_place_in_a_longer_text(mod):
    text = '{\n  "é": "日本",\n  "b": [1, 2,, 3]\n}'
    with pytest.raises(mod.JSONDecodeError, match="expected a value: line 3, column 14") as caught:
        mod.loads(text.encode())
    assert caught.value.pos == text.index(",,") + 1


def test_byte_order_mark(mod):
    assert mod.loads(b"\xef\xbb\xbf[1]") == [1]


# ---- random ----


def random_text(rng):
    alphabets = [
        "abcdefgh",
        "".join(map(chr, range(32, 127))),
        "".join(map(chr, [*range(127), *range(128, 256)])),
        'aé日😀"\\\n\x00/',
        "\ud800\udfffa\U0010ffff",
    ]
    return "".join(rng.choices(rng.choice(alphabets), k=rng.choice([0, 1, 2, 5, 9, 40])))


def random_float(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return round(rng.uniform(-1e6, 1e6), rng.randrange(8))
    if kind == 1:
        return rng.uniform(-1, 1)
    if kind == 2:
        return rng.uniform(-1, 1) * 10.0 ** rng.randrange(-320, 300)
    if kind == 3:
        return float(rng.randrange(-(10**17), 10**17))
    return rng.choice([0.0, -0.0, 1e15, 1e16, 1e22, 1e-4, 1e-5, 0.1, 5e-324, math.inf, -math.inf])


def random_value(rng, depth=0):
    kind = rng.randrange(9 if depth < 5 else 7)
    if kind < 3:
        return [None, True, False][kind]
    if kind == 3:
        return rng.randrange(-(10 ** rng.randrange(1, 40)), 10 ** rng.randrange(1, 40))
    if kind == 4:
        return random_float(rng)
    if kind < 7:
        return random_text(rng)
    if kind == 7:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(6))]
    return {random_text(rng): random_value(rng, depth + 1) for _ in range(rng.randrange(6))}


@pytest.mark.parametrize("seed", range(20))
def test_random_values(mod, seed):
    rng = random.Random(seed)
    for _ in range(100):
        value = random_value(rng)
        options = {
            "ensure_ascii": rng.random() < 0.5,
            "sort_keys": rng.random() < 0.5,
            "indent": rng.choice([None, 0, 1, 4, "\t", "--", "é"]),
        }
        text = json.dumps(value, **options)
        assert mod.dumps(value, **options) == text
        if options["indent"] not in ("--", "é"):
            assert same(mod.loads(text), json.loads(text))


@pytest.mark.parametrize("seed", range(20))
def test_random_damage(mod, seed):
    """Cut, change, insert: accepted and rejected as by the standard library, and never a crash."""
    rng = random.Random(seed)
    for _ in range(300):
        text = list(json.dumps(random_value(rng), ensure_ascii=rng.random() < 0.5))
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(text) + 1)
            text[place : place + rng.randrange(2)] = rng.choices(
                '[]{},:"\\ux0-.e1 tNI\n', k=rng.randrange(2)
            )
        text = "".join(text)
        try:
            expected = json.loads(text)
        except json.JSONDecodeError:
            with pytest.raises(mod.JSONDecodeError):
                mod.loads(text)
        else:
            assert same(mod.loads(text), expected)


def test_random_floats(mod):
    rng = random.Random(0)
    for _ in range(20000):
        value = random_float(rng)
        assert mod.dumps(value) == json.dumps(value)
        text = f"{value:.{rng.randrange(1, 25)}{rng.choice('efg')}}"
        if text.lstrip("-") != "inf" and set("e.") & set(text):
            assert same(mod.loads(text), json.loads(text)), text


# ---- options of loads ----


def test_object_hook(mod):
    text = '[{"a": {"b": 1}}, {}]'
    assert mod.loads(text, object_hook=lambda d: sorted(d.items())) == [[("a", [("b", 1)])], []]
    assert mod.loads(text, object_hook=None) == json.loads(text)
    with pytest.raises(ZeroDivisionError):
        mod.loads(text, object_hook=lambda d: 1 / 0)
    with pytest.raises(TypeError):
        mod.loads(text, object_hook=3)


def test_parse_float(mod):
    text = "[1, 1.50, -2e3, 3.14159265358979323846]"
    assert mod.loads(text, parse_float=str) == [1, "1.50", "-2e3", "3.14159265358979323846"]
    with pytest.raises(ValueError):
        mod.loads(text, parse_float=int)


def test_reject_nan(mod):
    for word in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(mod.JSONDecodeError, match="not allowed: line 1, column 2"):
            mod.loads(f"[{word}]", allow_nan=False)


def test_duplicate_names(mod):
    text = '{"a": 1, "b": 2,\n "a": 3}'
    assert mod.loads(text) == {"a": 3, "b": 2}
    with pytest.raises(mod.JSONDecodeError) as caught:
        mod.loads(text, unique_names=True)
    assert (caught.value.lineno, caught.value.colno) == (2, 2)
    assert mod.loads('[{"a": 1}, {"a": 2}]', unique_names=True) == [{"a": 1}, {"a": 2}]


def test_arguments(mod):
    for call in (
        lambda: mod.loads(),
        lambda: mod.loads("1", None),
        lambda: mod.loads("1", spam=1),
        lambda: mod.loads(1),
        lambda: mod.loads(None),
        lambda: mod.loads(bytearray(b"1")),
        lambda: mod.dumps(),
        lambda: mod.dumps(1, 2),
        lambda: mod.dumps(1, spam=1),
        lambda: mod.dumps(1, indent=1.5),
        lambda: mod.Decoder("1"),
        lambda: mod.Decoder(spam=1),
        lambda: mod.Decoder().feed(1),
    ):
        with pytest.raises(TypeError):
            call()


def test_nesting(mod):
    def nest(depth):
        return "[" * depth + "]" * depth

    value = mod.loads(nest(DEPTH))
    assert mod.dumps(value) == nest(DEPTH)
    for bad in (nest(DEPTH + 1), "[" * 100000, '{"a":' * 100000):
        with pytest.raises(RecursionError):
            mod.loads(bad)
    with pytest.raises(RecursionError):
        mod.dumps([value])


def test_big_integer_limit(mod):
    if not hasattr(sys, "get_int_max_str_digits"):
        pytest.skip("this Python has no limit")
    with pytest.raises(ValueError):
        mod.loads("1" * 5000)


# ---- options of dumps ----


def test_keys(mod):
    value = {"a": 1, 2: 2, 3.5: 3, 1e100: 4, True: 5, None: 6, 10**30: 7, math.nan: 8}
    assert mod.dumps(value) == json.dumps(value)
    with pytest.raises(TypeError, match="not tuple"):
        mod.dumps({(1, 2): 3})
    with pytest.raises(TypeError):
        mod.dumps({1: 1, "a": 1}, sort_keys=True)


def test_subclasses(mod):
    class Int(int):
        def __str__(self):
            return "wrong"

        __repr__ = __str__

    class Float(float):
        def __repr__(self):
            return "wrong"

    class Str(str):
        pass

    class Dict(dict):
        pass

    value = [Int(3), Int(10**30), Float(1.5), Float(1 / 3), Str("x"), Dict(a=1), (1, 2)]
    assert mod.dumps(value) == json.dumps(value)


def test_default(mod):
    class Other:
        pass

    with pytest.raises(TypeError, match="Other"):
        mod.dumps([Other()])
    assert mod.dumps([Other(), {1, 2}], default=lambda o: type(o).__name__) == '["Other", "set"]'
    with pytest.raises(ZeroDivisionError):
        mod.dumps(Other(), default=lambda o: 1 / 0)
    with pytest.raises(RecursionError):
        mod.dumps(Other(), default=lambda o: o)


def test_default_changes_the_container(mod):
    class Other:
        pass

    def clear(_):
        value.clear()

    value = {"a": Other(), "b": 1}
    with pytest.raises(KeyError):
        mod.dumps(value, default=clear)


def test_cycle(mod):
    value = []
    value.append(value)
    with pytest.raises(RecursionError):
        mod.dumps(value)


def test_write_nan(mod):
    assert mod.dumps([math.nan, math.inf, -math.inf]) == "[NaN, Infinity, -Infinity]"
    for value in (math.nan, math.inf, -math.inf, {math.nan: 1}):
        with pytest.raises(ValueError):
            mod.dumps(value, allow_nan=False)


def test_delete_character(mod):
    """The one character that is written differently: the standard library escapes it needlessly."""
    assert mod.dumps("\x7f") == '"\x7f"'


def test_surrogates(mod):
    for text in ("\ud800", "a\udc00b", "\ud83d\ude00", "é\ud800"):
        for ensure_ascii in (True, False):
            written = mod.dumps(text, ensure_ascii=ensure_ascii)
            assert written == json.dumps(text, ensure_ascii=ensure_ascii)
            assert mod.loads(written) == json.loads(written)


# ---- Decoder ----


def test_stream(mod):
    decoder = mod.Decoder()
    assert decoder.feed('{"a"') == []
    assert decoder.pending == 4
    assert decoder.feed(": 1}\n[2] 3") == [{"a": 1}, [2]]
    assert decoder.feed("4") == []
    assert decoder.feed(' "x\\"') == [34]
    assert decoder.feed('" null') == ['x"']
    assert decoder.count == 4
    assert decoder.close() == [None]
    assert decoder.count == 5
    with pytest.raises(AttributeError):
        decoder.count = 0


@pytest.mark.parametrize("seed", range(10))
def test_stream_in_pieces(mod, seed):
    rng = random.Random(seed)
    values = [random_value(rng) for _ in range(50)]
    stream = "\n".join(json.dumps(v, ensure_ascii=False) for v in values).encode(
        "utf-8", "surrogatepass"
    )
    expected = [json.loads(json.dumps(v)) for v in values]
    for step in (1, 2, 7, 1000):
        decoder = mod.Decoder()
        got = []
        for start in range(0, len(stream), step):
            got += decoder.feed(stream[start : start + step])
        got += decoder.close()
        assert same(got, [json.loads(json.dumps(v, ensure_ascii=False)) for v in values]) or same(
            got, expected
        )


def test_stream_error(mod):
    decoder = mod.Decoder()
    with pytest.raises(mod.JSONDecodeError) as caught:
        decoder.feed('1 2\n{"é": 3}\n  {"b": x} 4 ')
    assert (caught.value.lineno, caught.value.colno) == (3, 9)
    assert caught.value.pos == 21
    assert decoder.feed("5 ") == [1, 2, {"é": 3}, 4, 5]
    with pytest.raises(mod.JSONDecodeError, match="line 3, column 16"):
        decoder.feed("nul ")
    assert decoder.close() == []


def test_stream_ends_early(mod):
    decoder = mod.Decoder()
    assert decoder.feed("1\n [2, ") == [1]
    with pytest.raises(mod.JSONDecodeError, match="line 2, column 2"):
        decoder.close()


def test_stream_hooks(mod):
    decoder = mod.Decoder(
        object_hook=lambda d: list(d), parse_float=str, unique_names=True, allow_nan=False
    )
    assert decoder.feed('{"a": 1.0} 1.50 ') == [["a"], "1.50"]
    for bad in ('{"a":1,"a":2}', "NaN "):
        with pytest.raises(mod.JSONDecodeError):
            decoder.feed(bad)


def test_stream_used_by_its_own_hook(mod):
    decoder = mod.Decoder(object_hook=lambda d: decoder.feed("x" * 100000))
    with pytest.raises(RuntimeError):
        decoder.feed("{}")
    assert decoder.close() == []


def test_subclass(mod):
    class Lines(mod.Decoder):
        def __init__(self, **options):
            self.name = "mine"

    decoder = Lines(parse_float=str)
    assert decoder.feed("1.0 ") == ["1.0"]
    assert decoder.name == "mine"


def test_cycle_is_collected(mod):
    class Hook:
        alive = 0

        def __init__(self):
            Hook.alive += 1

        def __del__(self):
            Hook.alive -= 1

        def __call__(self, value):
            return value

    hook = Hook()
    hook.decoder = mod.Decoder(object_hook=hook)
    del hook
    gc.collect()
    assert Hook.alive == 0


# ---- references ----


def every_operation(mod, text, value, hook):
    mod.loads(text)
    mod.loads(text.encode(), object_hook=hook, parse_float=hook, unique_names=True)
    mod.dumps(value, indent=1, sort_keys=True, default=hook)
    mod.dumps(value, ensure_ascii=False)
    decoder = mod.Decoder(object_hook=hook)
    decoder.feed(text)
    decoder.close()
    for bad in ('{"a": [1, "x\\u1"', "[1", '{"a" 1}', '["a", {"b": 1, "c": nul}]', '{"a":1,"a":2}'):
        for call in (
            lambda bad=bad: mod.loads(bad, unique_names=True),
            lambda bad=bad: decoder.feed(bad + " "),
        ):
            with contextlib.suppress(mod.JSONDecodeError):
                call()
    for bad in ({(1,): 1}, [1, [object()]], {"a": [math.nan]}):
        with contextlib.suppress(TypeError, ValueError):
            mod.dumps(bad, allow_nan=False)


@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="needs reference counts")
def test_no_reference_is_lost(mod):
    numbers = "123456789012345678901234567890, 0.1234567890123456789, 2.5"
    text = f'{{"a": [1, "x", "é\\n", null, true, {numbers}], "b": {{}}}}'
    value = json.loads(text)
    hook = lambda value: value  # noqa: E731 - an object whose references can be counted
    watched = [hook, value, None, True, False, text, mod.JSONDecodeError, mod.Decoder, "a", 1]

    def counts():
        gc.collect()
        return [sys.getrefcount(o) for o in watched], sys.getallocatedblocks()

    for _ in range(20):
        every_operation(mod, text, value, hook)
    before, blocks_before = counts()
    for _ in range(10000):
        every_operation(mod, text, value, hook)
    after, blocks_after = counts()
    assert max(abs(a - b) for a, b in zip(after, before)) < 20
    # A free-threaded Python keeps memory of threads and types for later.
    assert sysconfig.get_config_var("Py_GIL_DISABLED") or blocks_after - blocks_before < 100
