"""Calling: callables of each kind, positional and keyword arguments, and what goes wrong."""

import functools

import pytest
from outcomes import Boom, attempt, each, failing, functions, outcome

SOURCE = """
FUNCTION(HPyCallable_Check, return number(ctx, HPyCallable_Check(ctx, args[0]));)

/* (callable, args, kw) */
FUNCTION(HPy_CallTupleDict,
    return HPy_CallTupleDict(ctx, args[0], or_null(ctx, args[1]), or_null(ctx, args[2]));
)
/* (receiver, name, args, kw) */
FUNCTION(HPy_CallMethodTupleDict,
    return HPy_CallMethodTupleDict(ctx, args[1], args[0], or_null(ctx, args[2]),
                                   or_null(ctx, args[3]));
)
FUNCTION(HPy_CallMethodTupleDict_s,
    return HPy_CallMethodTupleDict_s(ctx, text(ctx, args[1]), args[0], or_null(ctx, args[2]),
                                     or_null(ctx, args[3]));
)
/* (callable, number of positional arguments, names or ..., arguments …) */
FUNCTION(HPy_Call,
    size_t positional = (size_t)size(ctx, args[1]);
    return HPy_Call(ctx, args[0], nargs == 3 ? NULL : args + 3, positional, or_null(ctx, args[2]));
)
/* (name, number of positional arguments with the receiver, names or ..., receiver, arguments …) */
FUNCTION(HPy_CallMethod,
    size_t positional = (size_t)size(ctx, args[1]);
    return HPy_CallMethod(ctx, args[0], args + 3, positional, or_null(ctx, args[2]));
)

typedef struct {
    long factor;
} Caller;
HPyType_HELPERS(Caller)

HPyDef_SLOT(Caller_new, HPy_tp_new)
static HPy Caller_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Caller *data;
    HPy caller = HPy_New(ctx, type, &data);
    if (!HPy_IsNull(caller))
        data->factor = 10;
    return caller;
}

HPyDef_SLOT(Caller_call, HPy_tp_call)
static HPy Caller_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    return HPyLong_FromLong(ctx, Caller_AsStruct(ctx, self)->factor + (long)nargs);
}

static HPyDef *Caller_defines[] = {&Caller_new, &Caller_call, NULL};
static HPyType_Spec Caller_spec = {
    .name = "testmod.Caller",
    .basicsize = sizeof(Caller),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,
    .builtin_shape = SHAPE(Caller),
    .defines = Caller_defines,
};

/* Gives all that it gets: factor, positional arguments, names, and values. */
HPyDef_CALL_FUNCTION(tell)
static HPy tell_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy_ssize_t names = HPy_IsNull(kwnames) ? 0 : HPy_Length(ctx, kwnames);
    HPy parts[4];
    HPy result;
    parts[0] = HPyLong_FromLong(ctx, Caller_AsStruct(ctx, self)->factor);
    parts[1] = HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs);
    parts[2] = HPy_Dup(ctx, HPy_IsNull(kwnames) ? ctx->h_None : kwnames);
    parts[3] = HPyTuple_FromArray(ctx, args + nargs, names);
    result = HPyTuple_FromArray(ctx, parts, 4);
    for (int i = 0; i < 4; i++)
        HPy_Close(ctx, parts[i]);
    return result;
}

HPyDef_CALL_FUNCTION(raise)
static HPy raise_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    return HPyErr_SetString(ctx, ctx->h_LookupError, "called");
}

FUNCTION(HPy_SetCallFunction, return number(ctx, HPy_SetCallFunction(ctx, args[0], &tell));)
FUNCTION(let_it_raise, return number(ctx, HPy_SetCallFunction(ctx, args[0], &raise));)
"""


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE), types="Caller")


def everything(*args, **kwargs):
    return args, kwargs


def strict(a, b=2, *, c=3):
    return a, b, c


class Receiver:
    """Methods of each kind; as a callable it gives its arguments."""

    def __repr__(self):
        return "Receiver"

    def __call__(self, *args, **kwargs):
        return self, args, kwargs

    def method(self, *args, **kwargs):
        return self, args, kwargs

    @classmethod
    def class_method(cls, *args, **kwargs):
        return cls, args, kwargs

    @staticmethod
    def static_method(*args, **kwargs):
        return args, kwargs

    number = 5


class Positional:
    def __init__(self, *args, **kwargs):
        self.all = args, kwargs

    def __repr__(self):
        return f"Positional{self.all}"


CALLABLES = [
    everything,
    strict,
    lambda: "nothing",
    Receiver(),
    Receiver().method,
    Receiver.method,
    Receiver.class_method,
    Receiver().static_method,
    Positional,
    functools.partial(everything, "first"),
    max,
    sorted,
    dict,
    int,
    "text".replace,
    str.upper,
    None,
    5,
    "text",
]
ARGUMENTS = [
    ((), {}),
    ((1,), {}),
    ((1, 2), {}),
    ((1, 2, 3, 4, 5, 6, 7, 8, 9), {}),
    ((), {"a": 1}),
    ((1,), {"c": 5}),
    ((1,), {"a": 5}),
    ((3, 1, 2), {"key": None, "default": 7}),
    (([3, 1, 2],), {"reverse": True}),
    ((), {"naïve": 1, "b": 2, "c": 3}),
    (("text",), {}),
]


def call_array(function, args, kwargs, positional=None):
    """Calls through a function that takes the arguments of `HPy_Call`."""
    names = tuple(kwargs) or ...
    return function(len(args) if positional is None else positional, names, *args, *kwargs.values())


@pytest.mark.api("HPyCallable_Check")
def test_callable_check(mod):
    for thing in [*CALLABLES, object(), mod.Caller(), mod.HPy_Call, type, failing("__call__")]:
        assert mod.HPyCallable_Check(thing) == callable(thing)


@pytest.mark.api("HPy_Call")
@pytest.mark.api("HPy_Call", case="error")
def test_call(mod):
    for function in CALLABLES:
        for args, kwargs in ARGUMENTS:
            ours = outcome(call_array, functools.partial(mod.HPy_Call, function), args, kwargs)
            assert ours == outcome(lambda f, a, k: f(*a, **k), function, args, kwargs), function


@pytest.mark.api("HPy_CallTupleDict")
@pytest.mark.api("HPy_CallTupleDict", case="error")
def test_call_tuple_dict(mod):
    for function in CALLABLES:
        for args, kwargs in ARGUMENTS:
            expected = outcome(lambda f, a, k: f(*a, **k), function, args, kwargs)
            assert outcome(mod.HPy_CallTupleDict, function, args, kwargs) == expected, function
            if not kwargs:
                assert outcome(mod.HPy_CallTupleDict, function, args, ...) == expected
            if not args:
                assert outcome(mod.HPy_CallTupleDict, function, ..., kwargs) == expected
                if not kwargs:
                    assert outcome(mod.HPy_CallTupleDict, function, ..., ...) == expected


@pytest.mark.api("HPy_CallTupleDict", case="error")
def test_call_tuple_dict_refuses_other_types(mod, no_leak):
    for wrong in ([1], "ab", 5, {}, None):
        with pytest.raises(TypeError):
            mod.HPy_CallTupleDict(everything, wrong, ...)
    for wrong in ([], (), "ab", 5, None):
        with pytest.raises(TypeError):
            mod.HPy_CallTupleDict(everything, (), wrong)
    with pytest.raises(TypeError):
        mod.HPy_CallTupleDict(everything, (), {1: 2})
    no_leak(lambda: attempt(mod.HPy_CallTupleDict, everything, [], ...), everything)


@pytest.mark.api("HPy_CallTupleDict")
def test_the_dict_is_a_copy(mod):
    kwargs = {"a": 1}
    _, received = mod.HPy_CallTupleDict(everything, ..., kwargs)
    assert received == kwargs
    assert received is not kwargs


METHODS = [
    (Receiver(), "method"),
    (Receiver(), "class_method"),
    (Receiver(), "static_method"),
    (Receiver, "class_method"),
    (Receiver(), "number"),
    (Receiver(), "missing"),
    (Receiver(), ""),
    ("text", "upper"),
    ("text", "replace"),
    ([3, 1, 2], "index"),
    ({"a": 1}, "pop"),
    (5, "naïve"),
    (None, "__repr__"),
]


@pytest.mark.api("HPy_CallMethod")
@pytest.mark.api("HPy_CallMethod", case="error")
def test_call_method(mod):
    for receiver, name in METHODS:
        for args, kwargs in ARGUMENTS:
            expected = outcome(
                lambda r, n, a, k: getattr(r, n)(*a, **k), receiver, name, args, kwargs
            )
            function = functools.partial(mod.HPy_CallMethod, name)
            ours = outcome(call_array, function, (receiver, *args), kwargs)
            assert ours == expected, (receiver, name, args)


@pytest.mark.parametrize("function", ["HPy_CallMethodTupleDict", "HPy_CallMethodTupleDict_s"])
def test_call_method_tuple_dict(mod, function):
    for receiver, name in METHODS:
        our_name = name.encode() if function.endswith("_s") else name
        for args, kwargs in ARGUMENTS:
            expected = outcome(
                lambda r, n, a, k: getattr(r, n)(*a, **k), receiver, name, args, kwargs
            )
            ours = outcome(getattr(mod, function), receiver, our_name, args or ..., kwargs or ...)
            assert ours == expected, (receiver, name, args)


@pytest.mark.api("HPy_CallMethod", case="error")
def test_method_names_are_text(mod, no_leak):
    receiver = Receiver()
    for wrong in (5, None, b"method"):
        with pytest.raises(TypeError):
            mod.HPy_CallMethod(wrong, 1, ..., receiver)
        with pytest.raises(TypeError):
            mod.HPy_CallMethodTupleDict(receiver, wrong, ..., ...)
    with pytest.raises(UnicodeDecodeError):
        mod.HPy_CallMethodTupleDict_s(receiver, b"\xff", ..., ...)
    no_leak(lambda: attempt(mod.HPy_CallMethod, 5, 1, ..., receiver), receiver)
    no_leak(lambda: attempt(mod.HPy_CallMethodTupleDict, receiver, 5, ..., ...), receiver)


@pytest.mark.api("HPy_Call")
def test_an_array_that_ends_before_the_last_argument(mod):
    """Only as many arguments are read as are counted."""
    assert mod.HPy_Call(everything, 1, ..., "read", "not read") == (("read",), {})
    assert mod.HPy_Call(everything, 0, ("a",), "value", "not read") == ((), {"a": "value"})


CALLS = {
    "HPy_Call": lambda mod, f, x: mod.HPy_Call(f, 1, ("key",), x, x),
    "HPy_CallTupleDict": lambda mod, f, x: mod.HPy_CallTupleDict(f, (x,), {"key": x}),
    "HPy_CallMethod": lambda mod, f, x: mod.HPy_CallMethod("__call__", 2, ("key",), f, x, x),
    "HPy_CallMethodTupleDict": lambda mod, f, x: mod.HPy_CallMethodTupleDict(
        f, "__call__", (x,), {"key": x}
    ),
    "HPy_CallMethodTupleDict_s": lambda mod, f, x: mod.HPy_CallMethodTupleDict_s(
        f, b"__call__", (x,), {"key": x}
    ),
}


@pytest.mark.parametrize("name", each(CALLS, "good", "error"))
def test_exceptions_and_leaks(mod, name, no_leak):
    def fail(*args, **kwargs):
        raise Boom("in a call")

    call, thing = CALLS[name], object()
    with pytest.raises(Boom, match="in a call"):
        call(mod, fail, thing)
    no_leak(lambda: attempt(call, mod, fail, thing), fail, thing)
    no_leak(lambda: call(mod, everything, thing), everything, thing)
    no_leak(lambda: attempt(call, mod, 5, thing), thing)
    with pytest.raises(Boom):
        call(mod, type("Caller", (), {"__call__": fail})(), thing)


@pytest.mark.api("HPy_SetCallFunction")
def test_set_call_function(mod, no_leak):
    caller, other = mod.Caller(), mod.Caller()
    assert caller(1, 2) == other(1, 2) == 12
    assert mod.HPy_SetCallFunction(caller) == 0
    assert caller(1, 2) == (10, (1, 2), None, ())
    assert caller() == (10, (), None, ())
    assert caller(1, a=2, b=3) == (10, (1,), ("a", "b"), (2, 3))
    assert caller(*range(20), **{"a": 1}) == (10, tuple(range(20)), ("a",), (1,))
    assert other(1, 2) == 12, "the other objects of the type are as before"

    class Derived(mod.Caller):
        pass

    derived = Derived()
    assert derived("x") == 11
    mod.HPy_SetCallFunction(derived)
    assert derived("x", a=1) == (10, ("x",), ("a",), (1,))
    assert mod.HPy_Call(derived, 1, ..., "x") == (10, ("x",), None, ())
    thing = object()
    no_leak(lambda: (mod.HPy_SetCallFunction(caller), caller(thing, x=thing)), caller, thing)


@pytest.mark.api("HPy_SetCallFunction", case="error")
def test_set_call_function_refuses(mod, no_leak):
    for wrong in (5, None, everything, object(), Receiver(), mod.Caller):
        with pytest.raises(TypeError):
            mod.HPy_SetCallFunction(wrong)
    no_leak(lambda: attempt(mod.HPy_SetCallFunction, None))


@pytest.mark.api("HPy_SetCallFunction", case="error")
def test_a_call_function_raises(mod, no_leak):
    caller = mod.Caller()
    assert mod.let_it_raise(caller) == 0
    with pytest.raises(LookupError, match="called"):
        caller()
    no_leak(lambda: attempt(caller), caller)
