"""Trace mode: what it counts and times, what it says of it, and its Python API."""

import html.parser
import importlib.util
import io
import json
import os
import subprocess
import sys
import textwrap
import threading
import time

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


# Reports


def entry(usage, name):
    """What was counted of a function of the extension."""
    return usage.entries["traced", name]


def test_entries_are_named_by_their_definitions(mod, trace):
    with trace.collect() as t:
        mod.add(1, 2)
        assert mod.Thing().value == 0
        with pytest.raises(TypeError):
            mod.add(1, None)
    names = {name for module, name in t.usage.entries}
    assert names == {"add", "Thing.tp_new", "Thing.value (get)"}
    add = entry(t.usage, "add")
    assert (add.calls.calls, add.calls.errors) == (2, 1)
    assert add.functions.keys() == {"HPy_Add"}
    assert (add.functions["HPy_Add"].calls, add.functions["HPy_Add"].errors) == (2, 1)
    assert add.opened == 1
    assert t.usage.functions["HPy_Add"].calls == 2


def test_a_block_has_only_what_happened_in_it(mod, trace):
    mod.add(1, 2)
    with trace.collect() as t:
        with pytest.raises(RuntimeError, match="not ended"):
            t.report()
    assert (t.usage.functions, t.usage.entries) == ({}, {})
    with trace.collect() as t:
        mod.leave()
    mod.leave()
    assert t.usage.functions["HPy_LeavePythonExecution"].calls == 1


def test_time_inside_is_not_own_time(mod, trace):
    def slow():
        time.sleep(0.05)
        return mod.call(lambda: time.sleep(0.1))

    with trace.collect() as t:
        mod.call(slow)
    calls = entry(t.usage, "call").calls
    api = t.usage.functions["HPy_Call"]
    assert calls.calls == api.calls == 2
    # Recursive calls are in the total once.
    assert 0.15e9 <= api.total <= calls.total < 0.25e9
    assert 0.15e9 <= api.own < 0.25e9
    assert calls.own < 0.05e9
    assert calls.own + api.own == pytest.approx(calls.total, abs=1e6)


def test_the_text_is_a_table(mod, trace, capsys):
    with trace.collect() as t:
        for _ in range(30):
            mod.names(1)
        mod.add(1, 2)
    t.report()
    said = capsys.readouterr().out
    assert said.startswith("631 calls of the API from 1 module; ")
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line}
    assert rows["traced.add"][:2] == ["1", "0"]
    assert rows["traced.names"][0] == "30"
    assert rows["HPy_GetAttr_s"][0] == "300"
    assert 'traced.names: HPy_GetAttr_s(… "real") 300 times: make the name an object' in said
    assert "%" in rows["HPy_Add"]


def test_the_report_for_programs(mod, trace, tmp_path):
    path = tmp_path / "report.json"
    with trace.collect() as t:
        mod.names(1)
    t.report("json", path)
    document = json.loads(path.read_text())
    assert document["version"] == 1
    (names,) = document["entries"]
    assert (names["module"], names["name"], names["calls"]) == ("traced", "names", 1)
    assert names["handles_opened"] == 11
    assert names["texts"] == [{"function": "HPy_GetAttr_s", "text": "real", "count": 10}]
    calls = {row["name"]: row["calls"] for row in document["functions"]}
    assert calls == {"HPy_GetAttr_s": 10, "HPy_Close": 10, "HPy_Dup": 1}
    assert document["time_ns"] == sum(
        row["own_ns"] for row in document["functions"] + document["entries"]
    )


def test_the_page_needs_nothing_beside_itself(mod, trace):
    page = io.StringIO()
    with trace.collect() as t:
        mod.names(1)
    t.report(format="html", file=page)
    parser = Elements()
    parser.feed(page.getvalue())
    assert {"svg", "rect", "table", "title"} <= parser.tags
    assert not {"script", "link", "img", "iframe"} & parser.tags
    assert "://" not in page.getvalue()
    assert "traced.names" in parser.text and "HPy_GetAttr_s" in parser.text
    assert "prefers-color-scheme: dark" in parser.text


class Elements(html.parser.HTMLParser):
    """The names of a page's elements, which must be closed in their order, and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.open = set(), "", []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_format_that_does_not_exist(trace):
    with pytest.raises(ValueError, match="text, json, html"):
        trace.report("pdf")


def test_time_lines(mod, trace, tmp_path):
    path = tmp_path / "out.json"
    with pytest.raises(RuntimeError, match="HPY_TRACE_EVENTS"):
        trace.chrome(path)
    with trace.collect(events=3) as t:
        mod.call(lambda: mod.add(1, 2))
        mod.add(1, 2)
    t.chrome(path)
    document = json.loads(path.read_text())
    events = document["traceEvents"]
    assert [event["name"] for event in events] == ["HPy_Add", "traced.add", "HPy_Call"]
    assert document["otherData"] == {"dropped": 3, "limit": 3}
    add, entered, call = events
    for inner, outer in [(add, entered), (entered, call)]:
        assert outer["ts"] <= inner["ts"]
        assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + 0.01
    assert all(event["ph"] == "X" and event["tid"] == add["tid"] for event in events)
    with pytest.raises(RuntimeError):
        trace.chrome(path)


def run(path, code, **environment):
    """A process that runs `code` with the extension imported as `mod`, as HPY=trace wants it."""
    begin = """
    import os, sys
    from importlib.util import spec_from_file_location
    from hpy import universal

    spec = spec_from_file_location("traced", sys.argv[1])
    mod = universal._load_bootstrap("traced", "traced", "", sys.argv[1], None, spec, os.environ)
    """
    code = textwrap.dedent(begin) + textwrap.dedent(code)
    command = [sys.executable, "-c", code, str(path)]
    environment = os.environ | {"HPY": "trace"} | environment
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("suffix", "begin"),
    [(".txt", "24 calls"), (".json", "{"), (".html", "<!DOCTYPE"), (".trace.json", '{"trace')],
)
def test_a_report_when_the_process_ends(path, tmp_path, suffix, begin):
    file = str(tmp_path / "report-{pid}") + suffix
    done = run(path, "mod.names(1); print(os.getpid())", HPY_TRACE_REPORT=file)
    assert done.returncode == 0, done
    report = tmp_path / f"report-{done.stdout.strip()}{suffix}"
    assert report.read_text().startswith(begin)


def test_counting_only_when_the_environment_says_so(path):
    done = run(path, "from hpy import trace; print(trace.is_timing())", HPY_TRACE_TIMING="0")
    assert done.stdout == "False\n", done


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("HPY_TRACE_REPORT", "report.pdf", ".txt, .json, .html, .trace.json"),
        ("HPY_TRACE_EVENTS", "many", "number"),
        ("HPY_TRACE_TIMING", "yes", "0"),
    ],
)
def test_settings_that_cannot_be_understood(path, variable, value, advice):
    done = run(path, "", **{variable: value})
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ValueError: Invalid environment variable {variable}={value!r}")
    assert advice in last
