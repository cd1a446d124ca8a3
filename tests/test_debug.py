"""Debug mode: what it finds, what it says, what it leaves alone, and its Python API.

Most findings end the process, so they are looked at from outside: `told` gives the message.
"""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
import support

HEAD = """
static inline HPy done(HPyContext *ctx)
{
    return HPyErr_Occurred(ctx) ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}
static inline HPy none(HPyContext *ctx)
{
    return HPy_Dup(ctx, ctx->h_None);
}
"""


def compiled(source, defs, **keywords):
    """The path of an extension. Lines `FUNCTION(name,` and `END` are around bodies of functions."""
    function = (
        r'HPyDef_METH(\1, "\1", HPyFunc_O)\n'
        r"static HPy \1_impl(HPyContext *ctx, HPy self, HPy arg)\n{"
    )
    source = re.sub(r"^FUNCTION\((\w+),$", function, source, flags=re.MULTILINE)
    source = re.sub(r"^END$", "}", source, flags=re.MULTILINE)
    complete = support.module_source(HEAD + source, defs, name="debugged", **keywords)
    return support.compile_extension(complete, "debugged", "universal")


def load(path, mode=1):
    """The extension at `path`, in debug mode unless `mode` says otherwise."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("debugged", str(path))
    return support.universal().load("debugged", str(path), spec, mode=mode)


def run(path, code, **environment):
    """A process that loads the extension as `mod`, in debug mode, and runs `code`."""
    program = textwrap.dedent(
        f"""
        import importlib.util, hpy.universal
        spec = importlib.util.spec_from_file_location("debugged", {str(path)!r})
        mod = hpy.universal.load("debugged", {str(path)!r}, spec, debug=True)
        """
    ) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def told(path, code, **environment):
    """What a process says that is ended by a finding."""
    done = run(path, code, **environment)
    assert done.returncode == -signal.SIGABRT, done
    return done.stderr


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


BUGS = {
    # name of the function: (code, function of the API and argument, body)
    "use_after_close": (
        "HPY-D002",
        "HPy_Repr, argument 'obj'",
        """
        HPy h = HPy_Dup(ctx, arg);
        HPy_Close(ctx, h);
        HPy_Close(ctx, HPy_Repr(ctx, h));
        """,
    ),
    "double_close": (
        "HPY-D003",
        "HPy_Close, argument 'h'",
        """
        HPy h = HPy_Dup(ctx, arg);
        HPy_Close(ctx, h);
        HPy_Close(ctx, h);
        """,
    ),
    "argument_closed": ("HPY-D004", "HPy_Close, argument 'h'", "HPy_Close(ctx, arg);"),
    "argument_returned": ("HPY-D005", "the result", "if (!HPy_IsNull(arg)) return arg;"),
    "closed_returned": (
        "HPY-D006",
        "the result",
        "HPy h = HPy_Dup(ctx, arg); HPy_Close(ctx, h); if (!HPy_IsNull(h)) return h;",
    ),
    "constant_closed": (
        "HPY-D007",
        "HPy_Close, argument 'h'",
        "HPy_Close(ctx, ctx->h_True);",
    ),
    "constant_returned": ("HPY-D008", "the result", "if (!HPy_IsNull(arg)) return ctx->h_None;"),
    "forged": (
        "HPY-D009",
        "HPy_Length, argument 'h'",
        "HPy h; h._i = 0x123450; HPy_Length(ctx, h);",
    ),
    "null": (
        "HPY-D010",
        "HPy_Add, argument 2 'h2'",
        "HPy_Close(ctx, HPy_Add(ctx, arg, HPy_NULL));",
    ),
    "wrong_type": (
        "HPY-D011",
        "HPy_TypeCheck, argument 2 'type'",
        "HPy_TypeCheck(ctx, arg, arg);",
    ),
    "wrong_shape": (
        "HPY-D012",
        "_HPy_AsStruct_Object, argument 'h'",
        "_HPy_AsStruct_Object(ctx, arg);",
    ),
    "left": (
        "HPY-D016",
        "HPyLong_FromInt64_t",
        """
        HPy_BEGIN_LEAVE_PYTHON(ctx);
        HPyLong_FromLong(ctx, 1);
        HPy_END_LEAVE_PYTHON(ctx);
        """,
    ),
    "built_twice": (
        "HPY-D018",
        "HPyListBuilder_Build, argument 'builder'",
        """
        HPyListBuilder builder = HPyListBuilder_New(ctx, 0);
        HPy_Close(ctx, HPyListBuilder_Build(ctx, builder));
        HPyListBuilder_Build(ctx, builder);
        """,
    ),
    "another_kind_of_builder": (
        "HPY-D018",
        "HPyTupleBuilder_Cancel, argument 'builder'",
        """
        HPyListBuilder list = HPyListBuilder_New(ctx, 0);
        HPyTupleBuilder tuple;
        tuple._tup = list._lst;
        HPyTupleBuilder_Cancel(ctx, tuple);
        """,
    ),
    "tracker_closed_twice": (
        "HPY-D019",
        "HPyTracker_Close, argument 'ht'",
        """
        HPyTracker tracker = HPyTracker_New(ctx, 0);
        HPyTracker_Close(ctx, tracker);
        HPyTracker_Close(ctx, tracker);
        """,
    ),
}


@pytest.fixture(scope="module")
def bugs():
    """The path of an extension with a function for each bug, and the line of each."""
    source = "".join(
        f"FUNCTION({name},\n{body}\nreturn done(ctx);\nEND\n" for name, (_, _, body) in BUGS.items()
    )
    return compiled(source, ", ".join(BUGS))


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_named_with_its_place(bugs, name):
    code, place, _ = BUGS[name]
    said = told(bugs, f"mod.{name}('thing')")
    assert f"Fatal Python error: {code}: " in said
    assert f"  in {place}" in said
    assert f"docs/debug/{code}.md" in said
    assert re.search(rf"source0\.c:\d+ in {name}_impl", said), said


def test_the_object_is_shown_where_that_is_safe(bugs):
    assert "the object: 'thing'" in told(bugs, "mod.argument_closed('thing')")
    assert "the object" not in told(bugs, "mod.use_after_close('thing')")


def test_traces_say_where_a_handle_was_opened_and_closed(bugs):
    said = told(bugs, "mod.double_close('x')", HPY_DEBUG_TRACES="8")
    lines = [int(line) for line in re.findall(r"source0\.c:(\d+) in double_close_impl", said)]
    used, closed, opened = lines
    assert (used - opened, closed - opened) == (2, 1)
    assert "closed at" not in told(bugs, "mod.double_close('x')")


@pytest.mark.parametrize("name", sorted(set(BUGS) - {"left"}))
def test_a_hook_lets_the_extension_go_on(bugs, debug, name):
    called = []
    debug.set_on_invalid_handle(lambda: called.append("handle"))
    debug.set_on_invalid_builder_handle(lambda: called.append("builder"))
    mod = load(bugs)
    function = getattr(mod, name)
    kept = ["thing"]
    if name in ("closed_returned", "null", "wrong_type", "wrong_shape"):
        with pytest.raises(SystemError, match=BUGS[name][0]):
            function(kept)
    elif "built" in name:
        with pytest.raises((MemoryError, SystemError)):
            function(kept)
    elif "forged" in name:
        with pytest.raises(SystemError):
            function(kept)
    else:
        function(kept)
    code, message = debug.last_finding()
    assert code == BUGS[name][0] and message.startswith(code)
    assert called == ["builder" if "builder" in name or "built" in name else "handle"]
    assert kept == ["thing"]


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


CONTEXTS = """
static HPyContext *kept;
FUNCTION(keep,
    kept = ctx;
    return none(ctx);
END
FUNCTION(use,
    return HPy_Dup(kept, arg);
END
FUNCTION(keep_and_call,
    kept = ctx;
    return HPy_CallTupleDict(ctx, arg, HPy_NULL, HPy_NULL);
END
FUNCTION(keep_and_leave,
    kept = ctx;
    HPy result = HPy_CallTupleDict(ctx, arg, HPy_NULL, HPy_NULL);
    return result;
END

typedef struct { int x; } Thing;
HPyType_HELPERS(Thing)
HPyDef_SLOT(Thing_destroy, HPy_tp_destroy)
static void Thing_destroy_impl(void *data)
{
    (void)data;
    HPy_Dup(kept, kept->h_None);
}
HPyDef_SLOT(Thing_new, HPy_tp_new)
static HPy Thing_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Thing *data;
    return HPy_New(ctx, cls, &data);
}
static HPyDef *Thing_defines[] = {&Thing_destroy, &Thing_new, NULL};
static HPyType_Spec Thing_spec = {
    .name = "debugged.Thing", .basicsize = sizeof(Thing),
    .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
};
FUNCTION(destroy,
    kept = ctx;
    HPyList_Append(ctx, arg, ctx->h_None);
    HPy_DelItem_i(ctx, arg, 0);
    return none(ctx);
END
"""


@pytest.fixture(scope="module")
def contexts():
    """The path of an extension that keeps contexts."""
    return compiled(CONTEXTS, "keep, use, keep_and_call, keep_and_leave, destroy", types="Thing")


@pytest.mark.parametrize(
    ("code", "program"),
    [
        ("HPY-D013", "mod.keep(1); mod.use(1)"),
        ("HPY-D014", "mod.keep_and_call(lambda: mod.use(1))"),
        (
            "HPY-D015",
            """
            import threading
            def other():
                thread = threading.Thread(target=mod.use, args=(1,))
                thread.start()
                thread.join()
            mod.keep_and_call(other)
            """,
        ),
        ("HPY-D017", "mod.destroy([mod.Thing()])"),
    ],
)
def test_a_context_of_another_call(contexts, code, program):
    said = told(contexts, program)
    assert f"Fatal Python error: {code}: " in said
    assert "Error: Wrong HPy Context!" in said


def test_calls_inside_each_other_have_contexts_of_their_own(contexts):
    mod = load(contexts)

    def nest(depth):
        return mod.keep_and_call(lambda: nest(depth - 1) if depth else "deep")

    assert nest(100) == "deep"


CORRECT = """
static HPyGlobal stored;
FUNCTION(everything,
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
FUNCTION(leak,
    HPy_Dup(ctx, arg);
    return none(ctx);
END
"""


@pytest.fixture(scope="module")
def correct():
    """The path of an extension that uses much of the API, correctly; and a leak."""
    return compiled(CORRECT, "everything, leak", globals="stored")


def test_correct_use_is_left_alone(correct, debug, no_leak):
    from hpy.debug import LeakDetector

    mod, plain = load(correct), load(correct, mode=0)
    with LeakDetector():
        assert mod.everything(1) == plain.everything(1) == ("(1, True)", None)
        no_leak(lambda: mod.everything("x"))
    thing = object()
    before = sys.getrefcount(thing)
    mod.everything(thing)
    assert sys.getrefcount(thing) == before


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


def test_leaks_are_told_with_their_lines(correct, debug):
    from hpy.debug import HPyDebugError, HPyLeakError, LeakDetector, set_handle_stack_trace_limit

    mod = load(correct)
    set_handle_stack_trace_limit(8)
    with pytest.raises(HPyLeakError) as raised, LeakDetector():
        mod.leak("first")
        mod.leak("second")
    assert isinstance(raised.value, HPyDebugError)
    assert [leak.obj for leak in raised.value.leaks] == ["first", "second"]
    assert str(raised.value).startswith("2 unclosed handles:\n    <DebugHandle 0x")
    assert "HPY-D001: " in str(raised.value)
    assert str(raised.value).endswith("docs/debug/HPY-D001.md")
    assert len(re.findall(r"opened at .*source0\.c:\d+ in leak_impl", str(raised.value))) == 2
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
