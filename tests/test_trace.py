"""Trace mode: what it counts and times, what it says of it, and its Python API."""

import importlib.util
import os
import subprocess
import sys
import textwrap
import threading

import pytest
import support

SOURCE = """
HPyDef_METH(add, "add", HPyFunc_VARARGS)
static HPy add_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    return HPy_Add(ctx, args[0], args[1]);
}
HPyDef_METH(call, "call", HPyFunc_O)
static HPy call_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPy_Call(ctx, arg, NULL, 0, HPy_NULL);
}
HPyDef_METH(names, "names", HPyFunc_O)
static HPy names_impl(HPyContext *ctx, HPy self, HPy arg)
{
    for (int i = 0; i < 10; i++) {
        HPy name = HPy_GetAttr_s(ctx, arg, "real");
        if (HPy_IsNull(name))
            return HPy_NULL;
        HPy_Close(ctx, name);
    }
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(leave, "leave", HPyFunc_NOARGS)
static HPy leave_impl(HPyContext *ctx, HPy self)
{
    HPyThreadState state = HPy_LeavePythonExecution(ctx);
    HPy_ReenterPythonExecution(ctx, state);
    return HPy_Dup(ctx, ctx->h_None);
}
typedef struct {
    long value;
} Thing;
HPyType_HELPERS(Thing)
HPyDef_SLOT(Thing_new, HPy_tp_new)
static HPy Thing_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Thing *thing;
    return HPy_New(ctx, cls, &thing);
}
HPyDef_GET(Thing_value, "value")
static HPy Thing_value_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPyLong_FromLong(ctx, Thing_AsStruct(ctx, self)->value);
}
static HPyDef *Thing_defines[] = {&Thing_new, &Thing_value, NULL};
static HPyType_Spec Thing_spec = {
    .name = "traced.Thing",
    .basicsize = sizeof(Thing),
    .builtin_shape = SHAPE(Thing),
    .defines = Thing_defines,
};
"""
DEFS = "add, call, names, leave"


@pytest.fixture(scope="module")
def path():
    """The path of an extension."""
    source = support.module_source(SOURCE, DEFS, types="Thing", name="traced")
    return support.compile_extension(source, "traced", "universal")


def load(path, name="traced", mode="trace"):
    """The extension at `path`, in a mode, as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, str(path))
    environment = {"HPY": mode}
    return support.universal()._load_bootstrap(
        "traced", name, "", str(path), None, spec, environment
    )


@pytest.fixture
def mod(path):
    """The extension in trace mode."""
    return load(path)


@pytest.fixture
def trace():
    """The module hpy.trace; what was set is as before afterwards."""
    import hpy.trace

    yield hpy.trace
    hpy.trace.set_trace_functions(None, None)
    hpy.trace.set_timing(True)


def counts(trace, function):
    """How often each function of the API is called while `function` is."""
    before = trace.get_call_counts()
    function()
    after = trace.get_call_counts()
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


@pytest.mark.parametrize("abi", ["universal"])
def test_the_context_tells_its_mode(module):
    mod = module(
        """
        HPyDef_METH(name, "name", HPyFunc_NOARGS)
        static HPy name_impl(HPyContext *ctx, HPy self)
        {
            return HPyUnicode_FromString(ctx, ctx->name);
        }
        """,
        "name",
        name="named",
    )
    path = mod.__file__
    spec = importlib.util.spec_from_file_location("named", path)
    traced = support.universal().load("named", path, spec, mode=support.universal().MODE_TRACE)
    assert traced.name().startswith("HPy Trace Mode ABI")


def test_counts_are_by_member(mod, trace):
    assert counts(trace, lambda: mod.add(1, 2)) == {"ctx_Add": 1}
    assert counts(trace, lambda: mod.names(1)) == {
        "ctx_GetAttr_s": 10,
        "ctx_Close": 10,
        "ctx_Dup": 1,
    }
    assert all(name.startswith("ctx_") for name in trace.get_durations())
    assert trace.get_call_counts().keys() == trace.get_durations().keys()


def test_other_modes_are_not_counted(path, trace):
    mod = load(path, mode="universal")
    assert counts(trace, lambda: mod.add(1, 2)) == {}


def test_counts_of_threads_that_ended_stay(mod, trace):
    def work():
        for _ in range(1000):
            mod.add(1, 2)

    def run():
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert counts(trace, run) == {"ctx_Add": 4000}
    assert counts(trace, run) == {"ctx_Add": 4000}


def test_trace_functions(mod, trace):
    seen = []
    trace.set_trace_functions(lambda name: seen.append("+" + name), lambda n: seen.append("-" + n))
    mod.call(lambda: mod.add(1, 2))
    assert seen == ["+ctx_Call", "+ctx_Add", "-ctx_Add", "-ctx_Call"]
    seen.clear()
    trace.set_trace_functions(on_exit=None)
    mod.leave()
    assert seen == ["+ctx_LeavePythonExecution", "+ctx_ReenterPythonExecution", "+ctx_Dup"]
    with pytest.raises(TypeError, match="callable"):
        trace.set_trace_functions(on_exit=1)
    seen.clear()
    trace.set_trace_functions(on_enter=None)
    mod.add(1, 2)
    assert seen == []


def test_trace_functions_do_not_see_themselves(mod, trace):
    seen = []

    def enter(name):
        seen.append(name)
        mod.names(1)

    trace.set_trace_functions(enter)
    assert mod.add(1, 2) == 3
    assert seen == ["ctx_Add"]


def test_an_exception_in_a_trace_function_does_not_reach_the_extension(mod, trace, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda info: told.append(info.exc_type))
    trace.set_trace_functions(lambda name: 1 / 0, lambda name: {}["x"])
    assert mod.add(1, 2) == 3
    with pytest.raises(TypeError):
        mod.add(1, None)
    assert told == [ZeroDivisionError, KeyError] * 2


def test_nothing_leaks(mod, trace, no_leak):
    def function(name):
        pass

    def rounds():
        trace.set_trace_functions(function, function)
        mod.add(1, 2)
        mod.Thing()
        trace.get_call_counts()
        trace.get_durations()
        trace.set_trace_functions(None, None)

    no_leak(rounds, function)


def test_the_clock(trace):
    assert trace.get_frequency() >= 1_000_000
    assert trace.get_frequency() == trace.get_frequency()


def test_without_timing_calls_are_counted(mod, trace):
    before = trace.get_durations()
    trace.set_timing(False)
    assert not trace.is_timing()
    assert counts(trace, lambda: mod.add(1, 2)) == {"ctx_Add": 1}
    assert trace.get_durations() == before


@pytest.mark.parametrize("mode", ["debug+trace", "trace+debug"])
def test_modes_combine(path, trace, mode):
    mod = load(path, mode=mode)
    assert mod.add(1, 2) == 3
    assert mod.call(lambda: mod.add(4, 5)) == 9
    assert mod.Thing().value == 0
    mod.leave()
    with pytest.raises(TypeError):
        mod.add(1, None)
    counted = counts(trace, lambda: mod.add(1, 2))
    assert counted["ctx_Add"] == 1
    # Above debug mode only the calls of the extension are seen, below it those of debug mode, too.
    if mode == "trace+debug":
        assert counted == {"ctx_Add": 1}


@pytest.mark.parametrize("mode", ["debug+trace", "trace+debug"])
def test_debug_mode_checks_beside_trace_mode(tmp_path, mode):
    source = support.module_source(
        """
        HPyDef_METH(twice, "twice", HPyFunc_O)
        static HPy twice_impl(HPyContext *ctx, HPy self, HPy arg)
        {
            HPy copy = HPy_Dup(ctx, arg);
            HPy_Close(ctx, copy);
            HPy_Close(ctx, copy);
            return HPy_Dup(ctx, arg);
        }
        """,
        "twice",
        name="wrong",
    )
    path = support.compile_extension(source, "wrong", "universal")
    code = """
    import sys
    from importlib.util import spec_from_file_location
    from hpy import universal

    spec = spec_from_file_location("wrong", sys.argv[1])
    mod = universal._load_bootstrap(
        "wrong", "wrong", "", sys.argv[1], None, spec, {"HPY": sys.argv[2]}
    )
    mod.twice(1)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), mode]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "HPY-D003" in done.stderr


def test_combined_modes_need_thunks(path):
    code = """
    import sys
    from importlib.util import spec_from_file_location
    from hpy import universal

    for mode in ["trace", "trace+debug"]:
        spec = spec_from_file_location("traced", sys.argv[1])
        try:
            mod = universal._load_bootstrap(
                "traced", "traced", "", sys.argv[1], None, spec, {"HPY": mode}
            )
            print(mod.add(1, 2))
        except NotImplementedError as error:
            print(error)
    from hpy.trace import get_call_counts
    print(get_call_counts()["ctx_Add"])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"HPY_NO_THUNKS": "1"}
    )
    three, said, one = done.stdout.splitlines()
    assert (three, one) == ("3", "1"), done
    assert "trace+debug" in said and "HPY_NO_THUNKS" in said


def test_modes_by_module(path, trace):
    value = "a:debug,b:trace,c:debug+trace"
    seen = {name: load(path, name, value) for name in "abcd"}
    counted = {
        name: counts(trace, lambda mod=mod: mod.add(1, 2)).get("ctx_Add", 0)
        for name, mod in seen.items()
    }
    assert counted == {"a": 0, "b": 1, "c": 1, "d": 0}
