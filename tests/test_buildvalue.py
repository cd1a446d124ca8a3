"""HPy_BuildValue."""

import pytest

# name, arguments of HPy_BuildValue, the value
VALUES = [
    ("nothing", '""', None),
    ("blanks", '" , "', None),
    ("one", '"i", 42', 42),
    ("one_in_blanks", '" i, ", 42', 42),
    ("several", '"is", 1, "x"', (1, "x")),
    ("several_with_commas", '"i, i", 1, 2', (1, 2)),
    ("int_", '"(ii)", INT_MIN, INT_MAX', (-(2**31), 2**31 - 1)),
    ("unsigned_int", '"I", UINT_MAX', 2**32 - 1),
    ("long_long", '"(LL)", LLONG_MIN, LLONG_MAX', (-(2**63), 2**63 - 1)),
    ("unsigned_long_long", '"K", ULLONG_MAX', 2**64 - 1),
    ("longs", '"(lk)", -5L, 5UL', (-5, 5)),
    ("ssize", '"n", (HPy_ssize_t)-3', -3),
    ("floats", '"[fd]", 0.25f, 0.125', [0.25, 0.125]),
    ("text", '"s", "h\\xc3\\xa9"', "h\u00e9"),
    ("no_text", '"(s)", NULL', (None,)),
    ("objects", '"(OS)", ctx->h_None, ctx->h_True', (None, True)),
    ("empty_tuple", '"()"', ()),
    ("empty_list", '"[ ]"', []),
    ("empty_dict", '"{ }"', {}),
    ("single", '"(i)", 1', (1,)),
    ("trailing_comma", '"(i,)", 1', (1,)),
    ("tuple_in_tuple", '"((i)(i))", 1, 2', ((1,), (2,))),
    ("nested", '"[(i[i]){s:[]}i]", 1, 2, "k", 3', [(1, [2]), {"k": []}, 3]),
    ("dict", '"{s:i,s:O}", "a", 1, "b", ctx->h_None', {"a": 1, "b": None}),
    ("dict_with_blanks", '"{ s : i , s : i , }", "a", 1, "b", 2', {"a": 1, "b": 2}),
    ("dict_key_tuple", '"{(ii):[i]}", 1, 2, 3', {(1, 2): [3]}),
    ("dict_same_key", '"{i:i,i:i}", 1, 2, 1, 3', {1: 3}),
    ("two_dicts", '"{}{}"', ({}, {})),
]

# name, arguments of HPy_BuildValue, what the SystemError says
ERRORS = [
    ("bad_unit", '"q", 42', "bad format char 'q'"),
    ("bad_unit_inside", '"(iq)", 42, 43', "bad format char 'q'"),
    ("colon_in_tuple", '"(i:i)", 42, 43', "bad format char ':'"),
    ("no_key", '"{:i}", 42', "bad format char ':'"),
    ("no_value", '"{i:}", 42', "bad format char '}'"),
    ("open_tuple", '"(i", 42', "unmatched '('"),
    ("open_list", '"[i", 42', "unmatched '['"),
    ("open_dict", '"{i:i", 42, 43', "unmatched '{'"),
    ("open_dict_only", '"{"', "unmatched '{'"),
    ("open_dict_after_comma", '"{i:i,", 42, 43', "unmatched '{'"),
    ("open_after_value", '"i(i", 42, 43', "unmatched '('"),
    ("open_inside", '"([(i)k", 42, 43UL', "unmatched '('"),
    ("open_in_dict", '"{i:(i}", 42, 43', "unmatched '('"),
    ("wrong_close", '"(i]", 42', "unmatched '('"),
    ("wrong_close_of_list", '"[i)", 42', "unmatched '['"),
    ("wrong_close_of_dict", '"{i:i]", 42, 43', "unmatched '{'"),
    ("crossed", '"([i)]", 42', "unmatched '('"),
    ("close_only", '")"', "bad format char ')'"),
    ("close_after_value", '"i)", 42', "bad format char ')'"),
    ("close_after_dict", '"{}}"', "bad format char '}'"),
    ("ends_after_colon", '"{i:", 42', "too early"),
    ("two_commas", '"{i:i,,}", 42, 43', "unexpected ','"),
    ("comma_first", '"{,}"', "unexpected ','"),
    ("no_comma", '"{i:ii}", 42, 43, 44', "missing ','"),
    ("no_colon", '"{i}", 42', "missing ':'"),
    ("stolen", '"N", ctx->h_None', "HPy_BuildValue does not support the 'N' formatting unit."),
    ("null", '"O", HPy_NULL', "HPy_NULL object passed to HPy_BuildValue"),
    ("null_inside", '"[i{s:O}]", 1, "k", HPy_NULL', "HPy_NULL object passed to HPy_BuildValue"),
    ("null_key", '"{O:i}", HPy_NULL, 1', "HPy_NULL object passed to HPy_BuildValue"),
]

METHOD = """
HPyDef_METH({name}, "{name}", HPyFunc_NOARGS)
static HPy {name}_impl(HPyContext *ctx, HPy self)
{{
    return HPy_BuildValue(ctx, {args});
}}
"""

OBJECTS = """
HPyDef_METH(contain, "contain", HPyFunc_O)
static HPy contain_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPy_BuildValue(ctx, "O(S)[O]{s:O}", arg, arg, arg, "k", arg);
}

HPyDef_METH(fail_late, "fail_late", HPyFunc_O)
static HPy fail_late_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPy_BuildValue(ctx, "O(S)[O]{s:O}{O:i", arg, arg, arg, "k", arg, arg, 1);
}

/* Passes the result of a failed call on. */
HPyDef_METH(pass_on, "pass_on", HPyFunc_O)
static HPy pass_on_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPy_BuildValue(ctx, "(iO)", 1, HPy_GetAttr_s(ctx, arg, "no_such_attribute"));
}

HPyDef_METH(as_key, "as_key", HPyFunc_O)
static HPy as_key_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPy_BuildValue(ctx, "[{O:i}]", arg, 1);
}
"""


@pytest.fixture
def mod(module):
    cases = VALUES + ERRORS
    methods = "".join(METHOD.format(name=name, args=args) for name, args, _ in cases)
    names = ", ".join(name for name, _, _ in cases)
    return module(methods + OBJECTS, names + ", contain, fail_late, pass_on, as_key")


def test_values(mod, no_leak):
    for name, args, expected in VALUES:
        value = getattr(mod, name)()
        assert value == expected, args
        assert type(value) is type(expected), args
        no_leak(getattr(mod, name))


def test_errors(mod, no_leak):
    for name, args, text in ERRORS:

        def fail(name=name):
            with pytest.raises(SystemError) as error:
                getattr(mod, name)()
            return str(error.value)

        assert text in fail(), args
        no_leak(fail)


def test_objects_are_shared(mod, no_leak):
    thing = object()
    assert mod.contain(thing) == (thing, (thing,), [thing], {"k": thing})
    no_leak(lambda: mod.contain(thing), thing)


def test_objects_are_released_on_failure(mod, no_leak):
    thing = object()

    def fail():
        with pytest.raises(SystemError):
            mod.fail_late(thing)

    fail()
    no_leak(fail, thing)


def test_exception_of_a_failed_call_is_kept(mod):
    with pytest.raises(AttributeError):
        mod.pass_on(3)


def test_exception_of_the_dict_is_kept(mod, no_leak):
    unhashable = []

    def fail():
        with pytest.raises(TypeError):
            mod.as_key(unhashable)

    assert mod.as_key(5) == [{5: 1}]
    fail()
    no_leak(fail, unhashable)


def test_cplusplus(module):
    methods = "".join(METHOD.format(name=name, args=args) for name, args, _ in VALUES)
    mod = module(methods, ", ".join(name for name, _, _ in VALUES), language="c++")
    assert mod.nested() == [(1, [2]), {"k": []}, 3]
