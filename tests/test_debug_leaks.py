"""Leaks as debug mode tells them to people: grouped, with source lines, in colour, at the end."""

import os
import re
import signal
import subprocess
import sys

import leaky
import pytest
import support


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The path of the extension `leaky`."""
    return leaky.compiled(tmp_path_factory.mktemp("leaky"))


@pytest.fixture
def mod(path):
    """The extension `leaky` in debug mode; traces are off afterwards."""
    import importlib.util

    import hpy.debug

    spec = importlib.util.spec_from_file_location("leaky", str(path))
    yield support.universal().load("leaky", str(path), spec, debug=True)
    hpy.debug.disable_handle_stack_traces()


def ended(path, code, **environment):
    """A process that imports `leaky` with HPY=debug, runs `code`, and ends."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, "-c", leaky.program(path, code)],
        capture_output=True,
        text=True,
        env={**clean, "HPY": "debug", **environment},
    )


def reported(mod, *calls):
    """The report of what some calls leave open, with traces."""
    import hpy.debug

    hpy.debug.set_handle_stack_trace_limit(16)
    since = hpy.debug.new_generation()
    for function, argument in calls:
        getattr(mod, function)(argument)
    return hpy.debug.leaks(since=since)


def test_leaks_are_grouped_by_place_the_largest_group_first(mod):
    report = reported(mod, ("leak", 1), ("leak_in_helper", "a"), ("leak_in_helper", "b"))
    helper, direct = report
    assert (helper.count, direct.count) == (2, 1)
    assert helper.code == direct.code == "HPY-D001" and helper.kind == "handle"
    assert (helper.objects, direct.objects) == (["'a'", "'b'"], ["1"])
    functions = [function for function, _, _ in helper.where]
    assert functions == ["keep", "leak_in_helper_impl"]
    assert direct.place.endswith(f"leaky.c:{leaky.line('leaked')} in leak_impl")
    assert direct.source == "HPy_Dup(ctx, arg); // leaked"
    ((function, file, _),) = direct.callers
    assert (function, file) == ("reported", __file__)
    assert [leak.obj for leak in report.leaks] == [1, "a", "b"]


def test_the_text_shows_the_source(mod):
    report = reported(mod, ("leak_in_helper", "a"), ("leak_in_helper", "b"), ("leak", 1))
    text = re.sub(r"\S+/(?=leaky\.c|test_debug_leaks\.py)", "", str(report))
    kept, called, leaked = map(leaky.line, ("kept", "not closed", "leaked"))
    python = next(
        number for number, line in enumerate(open(__file__), 1) if "getattr(mod, f" in line
    )
    caller = (
        f"    called from test_debug_leaks.py:{python} in reported\n"
        f"    {python:4} | getattr(mod, function)(argument)\n"
    )
    assert text.startswith(
        f"3 unclosed handles:\n"
        f"  2 handles opened at leaky.c:{kept} in keep\n"
        f"    {kept:4} | return HPy_Dup(ctx, h); // kept\n"
        f"    called at leaky.c:{called} in leak_in_helper_impl\n"
        f"    {called:4} | keep(ctx, arg); // not closed\n"
        f"{caller}"
        f"    the objects: 'a', 'b'\n"
        f"  1 handle opened at leaky.c:{leaked} in leak_impl\n"
        f"    {leaked:4} | HPy_Dup(ctx, arg); // leaked\n"
        f"{caller}"
        f"    the object: 1\n"
        f"HPY-D001: a handle is never closed\n"
    )
    assert text.endswith("\n  More: docs/debug/HPY-D001.md")


def test_the_lines_of_python_that_leak_are_counted(path, tmp_path):
    script = tmp_path / "script.py"
    lines = ["def first(): leaky.leak(1)", "first()", "first()", *["leaky.leak(2)"] * 4]
    script.write_text(leaky.program(path, "\n".join(lines)))
    environment = {**os.environ, "HPY": "debug", "HPY_DEBUG_TRACES": "8", "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    said = done.stderr.replace(f"{script.parent}{os.sep}", "")
    callers = [line for line in said.splitlines() if line.startswith("    called from")]
    assert callers == [
        "    called from script.py:4 in first (2 times)",
        "    called from script.py:7 in <module>",
        "    called from script.py:8 in <module>",
        "    called from elsewhere, too",
    ]


def test_without_traces_it_says_how_to_get_lines(mod):
    import hpy.debug

    since = hpy.debug.new_generation()
    mod.leak("x")
    text = str(hpy.debug.leaks(since=since))
    assert "HPY_DEBUG_TRACES=16 shows the lines" in text and "the object: 'x'" in text
    assert re.search(
        r"  1 handle opened in a call that begins at \S+leaky\.c:\d+ in leak_impl\n", text
    )
    assert " | " not in text


def test_traces_of_a_sample(mod):
    import hpy.debug

    since = hpy.debug.new_generation()
    hpy.debug.set_handle_stack_trace_limit(16, every=10)
    for number in range(2000):
        mod.leak(number)
    groups = {group.is_traced: group for group in hpy.debug.leaks(since=since)}
    assert 100 < groups[True].count < 300
    assert groups[True].count + groups[False].count == 2000
    assert groups[False].place.endswith("in leak_impl")
    with pytest.raises(ValueError):
        hpy.debug.set_handle_stack_trace_limit(16, every=0)


def test_the_environment_sets_traces(path):
    code = "for i in range(1000): leaky.leak(i)"
    assert "  1000 handles opened at " in ended(path, code, HPY_DEBUG_TRACES="16").stderr
    sampled = ended(path, code, HPY_DEBUG_TRACES="16/100").stderr
    assert re.search(r"\n  \d+ handles? opened at ", sampled), sampled
    assert "opened at" not in ended(path, code, HPY_DEBUG_TRACES="0").stderr


@pytest.mark.parametrize("value", ["many", "16/0", "16/", "/2", "-1", "1/2/3"])
def test_wrong_values_for_traces_are_errors(path, value):
    said = ended(path, "", HPY_DEBUG_TRACES=value).stderr
    assert f'HPY_DEBUG_TRACES="{value}". Use the number of C frames' in said and "16/100" in said


def test_objects_are_shown_safely(mod):
    class Bad:
        def __repr__(self):
            raise ValueError

    calls = [("leak", "x" * 1000), ("leak", Bad()), ("leak", 7), ("leak", 7)]
    (group,) = reported(mod, *calls, *calls)
    text, bad, number = group.objects
    assert len(text) < 100 and text.startswith("'xxx") and text.endswith("xxx' (2 times)")
    assert "Bad" in bad and number == "7 (4 times)"


def test_few_objects_are_shown(mod):
    (group,) = report = reported(mod, *(("leak", number) for number in range(1000)))
    assert group.count == 1000
    assert "\n    the objects: 0, 1, 2, 3, 4, …\n" in str(report)


def test_nothing_open_is_an_empty_report(mod):
    report = reported(mod, ("call", dict))
    assert not report and list(report) == [] and report.leaks == []
    assert str(report) == "nothing is unclosed"


def test_a_report_in_a_call_shows_what_the_call_holds(mod):
    import hpy.debug

    since = hpy.debug.new_generation()
    report = mod.call(lambda: hpy.debug.leaks(since=since))
    assert ["'held'" in group.objects for group in report].count(True) == 1
    assert not mod.call(lambda: hpy.debug.leaks(since=since, in_calls=False))


def test_the_error_has_the_report(mod):
    from hpy.debug import HPyLeakError, LeakDetector

    with pytest.raises(HPyLeakError) as raised, LeakDetector():
        mod.leak("x")
    assert str(raised.value) == str(raised.value.report)
    assert raised.value.leaks == raised.value.report.leaks


@pytest.mark.parametrize(
    ("action", "status"),
    [("", 0), ("warn", 0), ("raise", 1), ("abort", -signal.SIGABRT)],
)
def test_leaks_are_told_when_the_process_ends(path, action, status):
    code = "for i in range(3): leaky.leak(i)\nprint('done')"
    done = ended(path, code, HPY_DEBUG_ACTION=action, HPY_DEBUG_TRACES="8")
    assert done.returncode == status, done
    assert done.stdout == "done\n"
    assert done.stderr.startswith("HPy debug mode, when the process ended: 3 unclosed handles:\n")
    assert (
        f"3 handles opened at {done.stderr.split('opened at ')[1].split()[0]} in leak_impl"
        in done.stderr
    )
    assert done.stderr.count("HPY-D001") == 2


def test_atexit_handlers_may_close_and_leak(path):
    code = "import atexit; atexit.register(leaky.leak, 'late')"
    assert "the object: 'late'" in ended(path, code).stderr


def test_nothing_is_told_without_leaks_or_without_debug_mode(path):
    for environment in ({}, {"HPY": "universal"}, {"HPY": "other:debug"}):
        code = "leaky.call(dict)" if not environment else "leaky.leak(1)"
        done = ended(path, code, HPY_DEBUG_ACTION="raise", **environment)
        assert (done.returncode, done.stderr) == (0, ""), done


def test_what_a_running_call_holds_is_no_leak(path):
    code = """
import threading, time
started = threading.Event()
def wait():
    started.set()
    time.sleep(100)
threading.Thread(target=leaky.call, args=(wait,), daemon=True).start()
started.wait()
"""
    done = ended(path, code, HPY_DEBUG_ACTION="raise")
    assert (done.returncode, done.stderr) == (0, ""), done


def test_the_status_of_a_failing_program_stays_a_failure(path):
    done = ended(path, "leaky.leak(1); sys.exit(3)", HPY_DEBUG_ACTION="warn")
    assert done.returncode == 3 and "1 unclosed handle:" in done.stderr
    done = ended(path, "leaky.leak(1); sys.exit(3)", HPY_DEBUG_ACTION="raise")
    assert done.returncode == 1


def test_findings_show_the_python_line_and_the_source(path, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(leaky.program(path, "def work():\n    leaky.close_twice('x')\nwork()\n"))
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "HPY": "debug", "HPY_DEBUG_TRACES": "4", "HPY_DEBUG_ACTION": "warn"},
    )
    line = leaky.line("again")
    assert (
        f"leaky.c:{line} in close_twice_impl\n{line:8} | HPy_Close(ctx, h); // again" in done.stderr
    )
    assert (
        f"\n    called from {script}:5 in work\n       5 | leaky.close_twice('x')\n" in done.stderr
    )
    assert done.stderr.index("used at") < done.stderr.index("closed at")


def test_a_pending_exception_survives_the_question_for_the_python_line(path):
    code = """
class Bad:
    def __call__(self): raise KeyError("mine")
try: leaky.call(Bad())
except KeyError as error: print(error)
leaky.close_twice(1)
"""
    done = ended(path, code, HPY_DEBUG_ACTION="warn")
    assert done.stdout == "'mine'\n" and "HPY-D003" in done.stderr


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_or_as_the_environment_says(path, environment, coloured):
    done = ended(
        path, "leaky.leak(1); leaky.close_twice(1)", HPY_DEBUG_ACTION="warn", **environment
    )
    finding, _, leak = done.stderr.partition("when the process ended")
    assert ("\x1b[1;31mHPY-D003: " in finding) is coloured
    assert ("\x1b[1;31mHPY-D001: " in leak) is coloured
    assert ("\x1b" in done.stderr) is coloured


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")
def test_colour_on_a_terminal(path):
    clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    ours, theirs = os.openpty()
    subprocess.run(
        [sys.executable, "-c", leaky.program(path, "leaky.leak(1); leaky.close_twice(1)")],
        stderr=theirs,
        env={**clean, "HPY": "debug", "HPY_DEBUG_ACTION": "warn", "TERM": "xterm"},
    )
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 10000):
            said += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert b"\x1b[1;31mHPY-D003: " in said and b"\x1b[1;31mHPY-D001: " in said
