"""Compiling and running Python source."""

import os
import sys
import types
import warnings

import pytest
from outcomes import Boom, attempt, functions

EXPRESSION, FILE, SINGLE = 0, 1, 2

SOURCE = """
/* (source, file name, kind) */
FUNCTION(HPy_Compile_s,
    HPy_SourceKind kind = (HPy_SourceKind)size(ctx, args[2]);
    return HPy_Compile_s(ctx, text(ctx, args[0]), text(ctx, args[1]), kind);
)
static const HPy_SourceKind kinds[] = {
    HPy_SourceKind_Expr, HPy_SourceKind_File, HPy_SourceKind_Single,
};
FUNCTION(kind, return HPyLong_FromLong(ctx, kinds[size(ctx, args[0])]);)

/* (code, globals, locals or ...) */
FUNCTION(HPy_EvalCode, return HPy_EvalCode(ctx, args[0], args[1], or_null(ctx, args[2]));)
"""


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def test_the_kinds_are_numbered(mod):
    assert [mod.kind(i) for i in range(3)] == [EXPRESSION, FILE, SINGLE]


@pytest.mark.api("HPy_Compile_s")
def test_compile(mod, no_leak):
    code = mod.HPy_Compile_s(b"6 * 7", b"<here>", EXPRESSION)
    assert type(code) is types.CodeType
    assert code.co_filename == "<here>"
    assert eval(code) == 42
    code = mod.HPy_Compile_s("a = 'naïve'\n\ndef f():\n    return a\n".encode(), b"file", FILE)
    variables = {}
    exec(code, variables)
    assert variables["f"]() == "naïve"
    assert variables["f"].__code__.co_firstlineno == 3
    assert eval(mod.HPy_Compile_s(b"", b"empty", FILE)) is None
    source = b"[value for value in range(100)]"
    no_leak(lambda: mod.HPy_Compile_s(source, b"<here>", EXPRESSION), source)


@pytest.mark.api("HPy_Compile_s")
def test_compile_a_single_statement(mod, monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "displayhook", shown.append)
    eval(mod.HPy_Compile_s(b"6 * 7\n", b"<here>", SINGLE))
    eval(mod.HPy_Compile_s(b"6 * 7\n", b"<here>", FILE))
    assert shown == [42]


@pytest.mark.api("HPy_Compile_s")
def test_file_names_are_those_of_the_file_system(mod):
    for name in (b"\xff.py", "naïve.py".encode()):
        assert mod.HPy_Compile_s(b"1", name, EXPRESSION).co_filename == os.fsdecode(name)


@pytest.mark.api("HPy_Compile_s", case="error")
def test_compile_refuses(mod, no_leak):
    def compile(source, kind):
        return mod.HPy_Compile_s(source, b"<here>", kind)

    for source, kind in [
        (b"a = 1", EXPRESSION),
        (b"1\n2", EXPRESSION),
        (b"", EXPRESSION),
        (b"1\n2", SINGLE),
        (b"def", FILE),
        (b"  indented", FILE),
        (b"'\xff'", EXPRESSION),
        (b"return", FILE),
    ]:
        with pytest.raises(SyntaxError):
            compile(source, kind)
    with pytest.raises(SyntaxError) as error:
        compile(b"\n\n1 +", FILE)
    assert (error.value.filename, error.value.lineno) == ("<here>", 3)
    for kind in (3, -1, 100, 256, 257, 258):
        with pytest.raises(SystemError):
            compile(b"1", kind)
    no_leak(lambda: attempt(compile, b"def", FILE))
    no_leak(lambda: attempt(compile, b"1", 3))


@pytest.mark.api("HPy_Compile_s", case="error")
def test_a_warning_that_is_an_error(mod):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SyntaxError):
            mod.HPy_Compile_s(b"1 is 1", b"<here>", EXPRESSION)


@pytest.mark.api("HPy_EvalCode")
def test_eval(mod, no_leak):
    def run(source, mode, variables, inner=...):
        return mod.HPy_EvalCode(compile(source, "<here>", mode), variables, inner)

    assert run("a + b", "eval", {"a": 1, "b": 2}) == 3
    assert run("a + b", "eval", {"a": 1, "b": 2}, {"b": 10}) == 11
    # CPython 3.9 gives the code no built-in names where the variables have none.
    variables = {"len": len} if sys.version_info < (3, 10) else {}
    before, inner = list(variables), {}
    assert run("a = len('text')", "exec", variables) is None
    assert variables["a"] == 4
    assert list(variables) == [*before, "a"]
    assert run("global g; g = 1; x = 2", "exec", variables, inner) is None
    assert variables["g"] == 1
    assert inner == {"x": 2}
    assert "x" not in variables
    assert run("x", "eval", {}, types.MappingProxyType({"x": 5})) == 5
    answering = type("Answering", (dict,), {"__missing__": lambda self, key: key.upper()})()
    assert run("missing", "eval", {}, answering) == "MISSING"
    assert run("h()", "eval", {"__builtins__": {"h": lambda: "own builtins"}}) == "own builtins"

    code, thing = compile("[thing] * 3", "<here>", "eval"), object()
    variables = {"thing": thing, "__builtins__": {}}
    assert mod.HPy_EvalCode(code, variables, ...) == [thing] * 3
    no_leak(lambda: mod.HPy_EvalCode(code, variables, ...), thing, variables, code)
    no_leak(lambda: mod.HPy_EvalCode(code, variables, variables), thing, variables, code)


@pytest.mark.api("HPy_EvalCode", case="error")
def test_eval_raises(mod, no_leak):
    def fail():
        raise Boom("in the code")

    code = compile("fail()", "<here>", "eval")
    with pytest.raises(Boom, match="in the code"):
        mod.HPy_EvalCode(code, {"fail": fail}, ...)
    with pytest.raises(NameError):
        mod.HPy_EvalCode(code, {}, ...)
    with pytest.raises(TypeError):
        mod.HPy_EvalCode(code, {}, 5)
    no_leak(lambda: attempt(mod.HPy_EvalCode, code, {"fail": fail}, ...), code, fail)


@pytest.mark.api("HPy_Compile_s", "HPy_EvalCode")
def test_compile_and_eval(mod, no_leak):
    def run():
        code = mod.HPy_Compile_s(b"sum(x * x for x in range(10))", b"<here>", EXPRESSION)
        return mod.HPy_EvalCode(code, {"sum": sum, "range": range}, ...)

    assert run() == 285
    no_leak(run)
