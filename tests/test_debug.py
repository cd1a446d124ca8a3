"""Debug mode: what it finds, what it says, what it leaves alone, and its Python API.

That each class of findings is found, says test_debug_bugs.py. Most findings end the process, so
they are looked at from outside: `told` gives the message.
"""

import re
import subprocess
import sys
import threading

import pytest
import support
from debug_bugs import KEPT, compiled, run, told

BUGS = """
FUNCTION(use_after_close)
    HPy h = HPy_Dup(ctx, arg);
    HPy_Close(ctx, h);
    return HPy_Repr(ctx, h);
END
FUNCTION(double_close)
    HPy h = HPy_Dup(ctx, arg);
    HPy_Close(ctx, h);
    HPy_Close(ctx, h);
    return none(ctx);
END
FUNCTION(wrong_shape)
    return _HPy_AsStruct_Object(ctx, arg) == NULL ? HPy_NULL : none(ctx);
END
FUNCTION(constant_closed)
    HPy_Close(ctx, ctx->h_True);
    return none(ctx);
END
FUNCTION(argument_closed)
    HPy_Close(ctx, arg);
    return none(ctx);
END
"""


def load(path, mode=1):
    """The extension at `path`, in debug mode unless `mode` says otherwise."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("debugged", str(path))
    return support.universal().load("debugged", str(path), spec, mode=mode)


@pytest.fixture
def debug():
    """The module hpy.universal._debug; hooks and limits are as before afterwards."""
    from hpy.universal import _debug

    limits = _debug.get_closed_handles_queue_max_size(), _debug.get_protected_raw_data_max_size()
    yield _debug
    _debug.set_closed_handles_queue_max_size(limits[0])
    _debug.set_protected_raw_data_max_size(limits[1])
    _debug.set_on_invalid_handle(None)
    _debug.set_on_invalid_builder_handle(None)
    _debug.set_handle_stack_trace_limit(None)


@pytest.fixture(scope="module")
def bugs():
    """The path of an extension with a few bugs."""
    return compiled(BUGS)


def test_the_object_is_shown_where_that_is_safe(bugs):
    assert "the object: 'thing'" in told(bugs, "mod.argument_closed('thing')")
    assert "the object" not in told(bugs, "mod.use_after_close('thing')")


def test_shapes_are_named(bugs):
    assert "has the shape Legacy, not Object" in told(bugs, "mod.wrong_shape('x')")


def test_traces_are_recommended_for_handles_that_somebody_opened(bugs):
    advice = "(HPY_DEBUG_TRACES=16 shows where handles are opened and closed)"
    assert advice in told(bugs, "mod.use_after_close(1)")
    assert advice not in told(bugs, "mod.constant_closed(1)")


def test_traces_say_where_a_handle_was_opened_and_closed(bugs):
    said = told(bugs, "mod.double_close('x')", HPY_DEBUG_TRACES="8")
    lines = [int(line) for line in re.findall(r"source0\.c:(\d+) in double_close_impl", said)]
    used, closed, opened = lines
    assert (used - opened, closed - opened) == (2, 1)
    assert "closed at" not in told(bugs, "mod.double_close('x')")


def test_an_exception_in_a_hook_does_not_reach_the_extension(bugs, debug, monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda info: seen.append(info.exc_value))
    debug.set_on_invalid_handle(lambda: 1 / 0)
    load(bugs).argument_closed("x")
    assert [type(error) for error in seen] == [ZeroDivisionError]
    with pytest.raises(TypeError):
        debug.set_on_invalid_handle(3)


def test_actions(bugs):
    code = """
    try:
        mod.use_after_close("x")
    except SystemError as error:
        print(error)
    """
    done = run(bugs, code, HPY_DEBUG_ACTION="raise")
    assert done.stdout.startswith("HPY-D002: ") and done.returncode == 0, done
    done = run(bugs, "mod.argument_closed('x'); print('on')", HPY_DEBUG_ACTION="warn")
    assert "HPY-D004: " in done.stderr and done.stdout == "on\n" and done.returncode == 0
    done = run(bugs, "", HPY_DEBUG_ACTION="shout")
    assert "Use abort, warn or raise" in done.stderr
    done = run(bugs, "", HPY_DEBUG_TRACES="many")
    assert "HPY_DEBUG_TRACES" in done.stderr


def test_calls_inside_each_other_have_contexts_of_their_own():
    mod = load(compiled(KEPT))

    def nest(depth):
        return mod.keep_and_call(lambda: nest(depth - 1) if depth else "deep")

    assert nest(100) == "deep"


CORRECT = """
static HPyGlobal stored;
FUNCTION(everything)
    HPy_ssize_t size;
    HPyTracker tracker = HPyTracker_New(ctx, 2);
    HPyTracker_Add(ctx, tracker, HPy_Repr(ctx, arg));
    HPyTracker_Close(ctx, tracker);
    HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, 2);
    HPyTupleBuilder_Set(ctx, builder, 0, arg);
    HPyTupleBuilder_Set(ctx, builder, 1, ctx->h_True);
    HPy pair = HPyTupleBuilder_Build(ctx, builder);
    HPyGlobal_Store(ctx, &stored, pair);
    HPy_Close(ctx, pair);
    HPy loaded = HPyGlobal_Load(ctx, stored);
    HPyGlobal_Store(ctx, &stored, HPy_NULL);
    HPy text = HPy_Repr(ctx, loaded);
    const char *utf8 = HPyUnicode_AsUTF8AndSize(ctx, text, &size);
    HPy copy = HPyUnicode_FromString(ctx, utf8);
    HPy_Close(ctx, text);
    HPy_BEGIN_LEAVE_PYTHON(ctx);
    HPy_END_LEAVE_PYTHON(ctx);
    HPy args[2] = {copy, ctx->h_None};
    HPy both = HPyTuple_FromArray(ctx, args, 2);
    HPy_Close(ctx, copy);
    HPy_Close(ctx, loaded);
    return both;
END
FUNCTION(leak)
    HPy_Dup(ctx, arg);
    return none(ctx);
END
"""


@pytest.fixture(scope="module")
def correct():
    """The path of an extension that uses much of the API, correctly; and a leak."""
    return compiled(CORRECT, globals="stored")


def test_correct_use_is_left_alone(correct, debug, no_leak):
    from hpy.debug import LeakDetector

    mod, plain = load(correct), load(correct, mode=0)
    with LeakDetector():
        assert mod.everything(1) == plain.everything(1) == ("(1, True)", None)
        no_leak(lambda: mod.everything("x"))
    thing = object()
    no_leak(lambda: mod.everything(thing), thing)


def test_threads(correct):
    from hpy.debug import LeakDetector

    mod = load(correct)
    results = []

    def work(number):
        for _ in range(200):
            results.append(mod.everything(number) == (f"({number}, True)", None))

    with LeakDetector():
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 1600 and all(results)


CALLS = """
FUNCTION(call)
    return HPy_CallTupleDict(ctx, arg, HPy_NULL, HPy_NULL);
END
FUNCTION(same)
    return HPy_Dup(ctx, arg);
END
"""

MANY_CALLS = """
    import resource

    def calls():
        for _ in range(50_000):
            mod.same(None)

    def memory():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    mod.same(None)
    before = memory()
    mod.call(calls)
    assert memory() < 2 * before, (before, memory())
    print("done")
"""


def test_calls_inside_a_long_one_take_no_memory():
    pytest.importorskip("resource")
    done = run(compiled(CALLS), MANY_CALLS)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_leaks_are_told_with_their_lines(correct, debug):
    from hpy.debug import HPyDebugError, HPyLeakError, LeakDetector, set_handle_stack_trace_limit

    mod = load(correct)
    set_handle_stack_trace_limit(8)
    with pytest.raises(HPyLeakError) as raised, LeakDetector():
        mod.leak("first")
        mod.leak("second")
    assert isinstance(raised.value, HPyDebugError)
    assert [leak.obj for leak in raised.value.leaks] == ["first", "second"]
    assert str(raised.value).startswith("2 unclosed handles:\n  2 handles opened at ")
    assert "HPY-D001: " in str(raised.value)
    assert str(raised.value).endswith("docs/debug/HPY-D001.md")
    assert re.search(r"  2 handles opened at .*source0\.c:\d+ in leak_impl\n", str(raised.value))
    assert "the objects: 'first', 'second'\n" in str(raised.value)
    for leak in raised.value.leaks:
        leak._force_close()
        with pytest.raises(ValueError, match="closed"):
            leak.obj  # noqa: B018
        assert leak.is_closed and repr(leak).startswith(f"<DebugHandle {leak.id:#x} CLOSED>")


def test_an_exception_in_the_block_is_not_hidden(correct):
    from hpy.debug import HPyLeakError, LeakDetector

    mod = load(correct)
    with pytest.raises(ZeroDivisionError), LeakDetector():
        mod.leak("x")
        raise ZeroDivisionError
    detector = LeakDetector()
    with pytest.raises(ValueError):
        detector.stop()
    detector.start()
    with pytest.raises(ValueError):
        detector.start()
    mod.leak("y")
    with pytest.raises(HPyLeakError, match="1 unclosed handle:"):
        detector.stop()


def test_one_library_in_two_modes(correct, debug):
    mod, plain = load(correct), load(correct, mode=0)
    generation = debug.new_generation()
    plain.leak("x")
    assert debug.get_open_handles(generation) == []
    mod.leak("y")
    assert [handle.obj for handle in debug.get_open_handles(generation)] == ["y"]


def test_the_environment_chooses_debug_mode(correct):
    program = f"""
import importlib.util, sys
from hpy.universal import _debug, _load_bootstrap
spec = importlib.util.spec_from_file_location("debugged", {str(correct)!r})
mod = _load_bootstrap("debugged", "debugged", "", {str(correct)!r}, None, spec, {{"HPY": "debug"}})
mod.leak(1)
print(len(_debug.get_open_handles(0)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def test_without_thunks(bugs, correct):
    done = run(correct, "print(mod.everything(1))", HPY_NO_THUNKS="1")
    assert done.stdout == "('(1, True)', None)\n", done.stderr
    assert "HPY-D002" in told(bugs, "mod.use_after_close(1)", HPY_NO_THUNKS="1")


def test_limits(debug):
    with pytest.raises(ValueError):
        debug.set_closed_handles_queue_max_size(-1)
    with pytest.raises(ValueError):
        debug.set_protected_raw_data_max_size(-1)
    with pytest.raises(ValueError):
        debug.set_handle_stack_trace_limit(-1)
    assert debug.get_closed_handles_queue_max_size() == 1024
    assert debug.get_protected_raw_data_max_size() == 10 * 1024 * 1024


def test_the_fixture_fails_tests_that_leave_handles_open(correct, tmp_path):
    (tmp_path / "test_it.py").write_text(
        f"""
import importlib.util, hpy.universal
from hpy.debug.pytest import hpy_debug

spec = importlib.util.spec_from_file_location("debugged", {str(correct)!r})
mod = hpy.universal.load("debugged", {str(correct)!r}, spec, debug=True)

def test_good(hpy_debug):
    mod.everything(1)

def test_bad(hpy_debug):
    mod.leak(1)
"""
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "2 passed, 1 error" in done.stdout, done.stdout
    assert "1 unclosed handle:" in done.stdout


def test_the_names_of_hpy_0_9_are_there(correct, debug):
    import hpy.debug
    import hpy.debug.leakdetector
    import hpy.debug.pytest

    for name in ("HPyDebugError", "HPyLeakError", "LeakDetector"):
        assert getattr(hpy.debug, name) is getattr(hpy.debug.leakdetector, name)
    assert callable(hpy.debug.set_handle_stack_trace_limit)
    assert callable(hpy.debug.disable_handle_stack_traces)
    assert hpy.debug.pytest.hpy_debug
    generation = debug.new_generation()
    mod = load(correct)
    assert mod.leak("x") is None
    (leak,) = debug.get_open_handles(generation)
    assert isinstance(leak, debug.DebugHandle) and leak == debug.get_open_handles(generation)[0]
    assert (leak.obj, leak.is_closed, leak.raw_data_size) == ("x", False, -1)
    assert isinstance(leak.id, int)
    leak._force_close()
    assert leak.is_closed and leak in debug.get_closed_handles(generation)
    # A call with one argument has three handles: itself, the argument and the result.
    before = len(debug.get_closed_handles(generation))
    mod.leak("y")
    assert len(debug.get_closed_handles(generation)) == before + 3
    debug.set_handle_stack_trace_limit(4)
    debug.set_handle_stack_trace_limit(None)


def test_the_oldest_closed_handle_is_used_again_first():
    source = """
FUNCTION(same)
    return HPy_Dup(ctx, arg);
END
FUNCTION(leak)
    HPy_Dup(ctx, arg);
    return none(ctx);
END
"""
    program = """
    from hpy.universal import _debug
    assert _debug.get_closed_handles() == []
    mod.same("a")
    mod.same("b")
    closed = _debug.get_closed_handles()
    assert len(closed) == 6
    _debug.set_closed_handles_queue_max_size(1)
    mod.leak("c")
    assert [handle.is_closed for handle in closed] == [True, True, False, True, True, True]
    assert closed[2].obj == "c"
    closed[2]._force_close()
    """
    done = run(compiled(source), program)
    assert (done.returncode, done.stderr) == (0, ""), done
