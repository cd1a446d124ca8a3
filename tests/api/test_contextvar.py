"""Context variables, beside Python's own."""

import contextvars
from contextvars import ContextVar, copy_context
from functools import partial

import pytest
from outcomes import attempt, each, functions, raises_memory_error

SOURCE = r"""
FUNCTION(HPyContextVar_New,
    return HPyContextVar_New(ctx, text(ctx, args[0]), or_null(ctx, args[1]));)
FUNCTION(HPyContextVar_Set, return HPyContextVar_Set(ctx, args[0], args[1]);)

/* A result of HPy_NULL, with success, becomes Ellipsis. */
FUNCTION(HPyContextVar_Get,
    HPy value = ctx->h_NotImplemented;
    int32_t status = HPyContextVar_Get(ctx, args[0], or_null(ctx, args[1]), &value);
    if (failed(ctx, status == -1))
        return HPy_NULL;
    if (status != 0)
        return HPyLong_FromLong(ctx, status);
    return HPy_IsNull(value) ? HPy_Dup(ctx, ctx->h_Ellipsis) : value;)
"""

NO_VARIABLES = [None, 1, "name", object(), ContextVar, {}]


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.mark.api("HPyContextVar_New")
def test_new(mod, no_leak):
    variable = mod.HPyContextVar_New(b"caf\xc3\xa9", ...)
    assert type(variable) is ContextVar
    assert variable.name == "caf\xe9"
    with pytest.raises(LookupError):
        variable.get()
    default = object()
    assert mod.HPyContextVar_New(b"name", default).get() is default
    assert mod.HPyContextVar_New(b"name", None).get() is None
    no_leak(lambda: mod.HPyContextVar_New(b"name", default), default)


@pytest.mark.api("HPyContextVar_New", case="error")
def test_new_fails(mod, no_leak):
    with pytest.raises(UnicodeDecodeError):
        mod.HPyContextVar_New(b"\xff", ...)
    no_leak(lambda: attempt(mod.HPyContextVar_New, b"\xff", ...))
    make = partial(mod.HPyContextVar_New, b"a name that Python does not keep", None)
    assert type(make()) is ContextVar
    assert raises_memory_error(make)


@pytest.mark.api("HPyContextVar_Get", "HPyContextVar_Set")
def test_values(mod, no_leak):
    own, given, value = object(), object(), object()
    without, with_default = ContextVar("without"), ContextVar("with", default=own)
    assert mod.HPyContextVar_Get(without, ...) is ...
    assert mod.HPyContextVar_Get(without, given) is given
    assert mod.HPyContextVar_Get(with_default, ...) is own
    assert mod.HPyContextVar_Get(with_default, given) is given
    for variable in (without, with_default):
        token = mod.HPyContextVar_Set(variable, value)
        assert type(token) is contextvars.Token
        assert token.var is variable
        assert token.old_value is contextvars.Token.MISSING
        assert variable.get() is value
        assert mod.HPyContextVar_Get(variable, ...) is value
        assert mod.HPyContextVar_Get(variable, given) is value
        second = mod.HPyContextVar_Set(variable, None)
        assert second.old_value is value
        assert mod.HPyContextVar_Get(variable, given) is None
        variable.reset(second)
        assert mod.HPyContextVar_Get(variable, ...) is value
        variable.reset(token)
        assert mod.HPyContextVar_Get(variable, given) is given

    def use():
        mod.HPyContextVar_Set(without, value)
        without.reset(mod.HPyContextVar_Set(without, given))
        return mod.HPyContextVar_Get(without, ...), mod.HPyContextVar_Get(with_default, ...)

    use()
    no_leak(use, value, own, given, without, with_default)
    assert mod.HPyContextVar_Get(without, ...) is value


@pytest.mark.api("HPyContextVar_Get", "HPyContextVar_Set")
def test_each_context_has_its_own_value(mod):
    variable = mod.HPyContextVar_New(b"variable", ...)
    context = copy_context()
    context.run(mod.HPyContextVar_Set, variable, "inside")
    assert mod.HPyContextVar_Get(variable, ...) is ...
    assert context.run(mod.HPyContextVar_Get, variable, ...) == "inside"
    assert context[variable] == "inside"


WRONG = {"HPyContextVar_Get": (...,), "HPyContextVar_Set": (1,)}


@pytest.mark.parametrize("name", each(WRONG, "error"))
def test_what_is_no_variable(mod, name, no_leak):
    function = getattr(mod, name)
    for wrong in NO_VARIABLES:
        with pytest.raises(TypeError):
            function(wrong, *WRONG[name])
    no_leak(lambda: attempt(function, NO_VARIABLES[3], *WRONG[name]), NO_VARIABLES[3])
