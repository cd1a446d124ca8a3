"""Several threads in a module at once, in a free-threaded Python: eight hammer what is shared.

$HPY_TEST_SECONDS is how long each test does so. What the threads run is in STRESS, in a process of
its own: a race may end it.

ThreadSanitizer looks at the extension, with what the headers put into it, and at the runtime. How
threads wait for each other it sees only in what was compiled with it, so the interpreter and the
runtime have to be: `cargo xtask memcheck`. $HPY_TEST_TSAN_PYTHON is that interpreter, and
$HPY_TEST_TSAN_PACKAGES the folder with that runtime; the tests may run in any other Python.
"""

import os
import re
import subprocess
import sys

import pytest
import support

FREE_THREADED = pytest.mark.skipif(not support.FREE_THREADED, reason="threads take turns here")

SOURCE = """
#include <hpy.h>

typedef struct { HPyField link; int number; } Node;
HPyType_HELPERS(Node)
HPyGlobal first, second;

HPyDef_SLOT(Node_new, HPy_tp_new)
static HPy Node_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Node *node;
    return HPy_New(ctx, cls, &node);
}
HPyDef_SLOT(Node_traverse, HPy_tp_traverse)
static int Node_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Node *)self)->link);
    return 0;
}
HPyDef_MEMBER(Node_number, "number", HPyMember_INT, offsetof(Node, number))
HPyDef_METH(Node_set, "set", HPyFunc_O)
static HPy Node_set_impl(HPyContext *ctx, HPy self, HPy link)
{
    HPyField_Store(ctx, self, &Node_AsStruct(ctx, self)->link, link);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(Node_get, "get", HPyFunc_NOARGS)
static HPy Node_get_impl(HPyContext *ctx, HPy self)
{
    Node *node = Node_AsStruct(ctx, self);
    return HPyField_IsNull(node->link) ? HPy_Dup(ctx, ctx->h_None)
                                       : HPyField_Load(ctx, self, node->link);
}
static HPyDef *Node_defines[] = {
    &Node_new, &Node_traverse, &Node_number, &Node_set, &Node_get, NULL,
};
static HPyType_Spec Node_spec = {
    .name = "shared.Node", .basicsize = sizeof(Node), .builtin_shape = HPyType_BuiltinShape_Object,
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC, .defines = Node_defines,
};

HPyDef_METH(make_type, "make_type", HPyFunc_NOARGS)
static HPy make_type_impl(HPyContext *ctx, HPy self)
{
    return HPyType_FromSpec(ctx, &Node_spec, NULL);
}
HPyDef_METH(keep, "keep", HPyFunc_O)
static HPy keep_impl(HPyContext *ctx, HPy self, HPy value)
{
    HPyGlobal_Store(ctx, &first, value);
    HPyGlobal_Store(ctx, &second, value);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(kept, "kept", HPyFunc_NOARGS)
static HPy kept_impl(HPyContext *ctx, HPy self)
{
    HPy one = HPyGlobal_Load(ctx, first), two = HPyGlobal_Load(ctx, second);
    HPy pair = HPyTuple_Pack(ctx, 2, one, two);
    HPy_Close(ctx, one);
    HPy_Close(ctx, two);
    return pair;
}
HPyDef_METH(parse, "parse", HPyFunc_VARARGS)
static HPy parse_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyTracker ht;
    HPy a, b, result;
    if (!HPyArg_Parse(ctx, &ht, args, nargs, "OO", &a, &b))
        return HPy_NULL;
    result = HPy_Add(ctx, a, b);
    HPyTracker_Close(ctx, ht);
    return result;
}
HPyDef_METH(name_it, "name_it", HPyFunc_VARARGS)
static HPy name_it_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    if (HPy_SetAttr_s(ctx, args[0], "number", args[1]) < 0)
        return HPy_NULL;
    return HPy_GetAttr_s(ctx, args[0], "number");
}
HPyDef_METH(build, "build", HPyFunc_O)
static HPy build_impl(HPyContext *ctx, HPy self, HPy item)
{
    HPyListBuilder list = HPyListBuilder_New(ctx, 3);
    HPyTupleBuilder tuple = HPyTupleBuilder_New(ctx, 20);
    for (int i = 0; i < 3; i++)
        HPyListBuilder_Set(ctx, list, i, item);
    for (int i = 0; i < 20; i++)
        HPyTupleBuilder_Set(ctx, tuple, i, item);
    HPy one = HPyListBuilder_Build(ctx, list), two = HPyTupleBuilder_Build(ctx, tuple);
    HPy both = HPyTuple_Pack(ctx, 2, one, two);
    HPy_Close(ctx, one);
    HPy_Close(ctx, two);
    return both;
}
HPyDef_METH(copied, "copied", HPyFunc_O)
static HPy copied_impl(HPyContext *ctx, HPy self, HPy text)
{
    HPy_ssize_t size;
    const char *bytes = HPyUnicode_AsUTF8AndSize(ctx, text, &size);
    HPyThreadState state = HPy_LeavePythonExecution(ctx);
    HPy_ReenterPythonExecution(ctx, state);
    return HPyUnicode_DecodeFSDefaultAndSize(ctx, bytes, size);
}
HPyDef_METH(fail, "fail", HPyFunc_O)
static HPy fail_impl(HPyContext *ctx, HPy self, HPy value)
{
    HPyErr_SetObject(ctx, ctx->h_ValueError, value);
    return HPy_NULL;
}

static volatile long sum;
HPyDef_METH(racing, "racing", HPyFunc_O)
static HPy racing_impl(HPyContext *ctx, HPy self, HPy rounds)
{
    for (long i = HPyLong_AsLong(ctx, rounds); i > 0; i--)
        sum = sum + 1;
    return HPyLong_FromLong(ctx, sum);
}
/* What an author must not do: several threads use one tracker, whose memory is the runtime's. */
static HPyTracker tracker;
HPyDef_METH(share, "share", HPyFunc_O)
static HPy share_impl(HPyContext *ctx, HPy self, HPy size)
{
    tracker = HPyTracker_New(ctx, HPyLong_AsLong(ctx, size));
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(track, "track", HPyFunc_NOARGS)
static HPy track_impl(HPyContext *ctx, HPy self)
{
    HPyTracker_Add(ctx, tracker, ctx->h_None);
    return HPy_Dup(ctx, ctx->h_None);
}

static HPyDef *defines[] = {
    &make_type, &keep, &kept, &parse, &name_it, &build, &copied, &fail, &racing, &share, &track,
    NULL,
};
static HPyGlobal *globals[] = {&first, &second, NULL};
static HPyModuleDef moduledef = {.defines = defines, .globals = globals};
HPy_MODINIT(shared, moduledef)
"""

STRESS = """
import gc, importlib.machinery, importlib.util, sys, threading, time, warnings

path, mode, seconds, what = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
rounds = int(sys.argv[5])
warnings.simplefilter("error")

def load():
    loader = importlib.machinery.ExtensionFileLoader("shared", path)
    spec = importlib.util.spec_from_file_location("shared", path, loader=loader)
    if mode:
        import hpy.universal
        return hpy.universal._load_from_spec(spec)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module

mod = load()
assert not sys._is_gil_enabled()
Node = mod.make_type()
nodes = [Node() for _ in range(4)]
failures = []

class Plain:
    pass

plain = Plain()

def fields(i):
    node = nodes[i % 4]
    node.set([i, object()])
    link = node.get()
    assert type(link) is list and len(link) == 2, link

def globals_(i):
    mod.keep((i, object()))
    for value in mod.kept():
        assert type(value) is tuple and len(value) == 2, value

def types(i):
    cls = mod.make_type()
    one = cls()
    one.set(cls)
    assert one.get() is cls
    assert cls is not Node and not isinstance(one, Node)

def calls(i):
    assert mod.parse(i, 1) == i + 1
    assert mod.parse("a", "b") == "ab"

def cycles(i):
    one, two = Node(), Node()
    one.set(two)
    two.set(one)
    if i % 500 == 0:
        gc.collect()

def attributes(i):
    assert type(mod.name_it(plain, i)) is int
    one = Node()
    assert mod.name_it(one, i) == i and one.number == i

def containers(i):
    assert mod.build(i) == ([i] * 3, (i,) * 20)

def texts(i):
    assert mod.copied(f"text {i}") == f"text {i}"

def exceptions(i):
    try:
        mod.fail(i)
    except ValueError as error:
        assert error.args == (i,)
    else:
        raise AssertionError("no exception")

def loads(i):
    if i % 10 == 0:
        other = load()
        assert other is not mod and other.parse(i, 1) == i + 1

def views(i):
    # What shows the running extension to Python reads while it runs.
    if "debug" in mode:
        import hpy.debug
        from hpy.universal import _debug
        hpy.debug.new_generation()
        for found in (
            _debug.get_open_handles(0), _debug.get_closed_handles(), _debug.get_open_resources(0)
        ):
            for one in found[-5:]:
                assert one.kind and one.history is not None
                one.where, one.caller, one.code
    if "trace" in mode:
        import hpy.trace
        assert hpy.trace.get_call_counts()["ctx_Field_Store"] > 0
        hpy.trace.get_durations()

def hammer(number):
    work = [
        fields, globals_, types, calls, cycles, attributes, containers, texts, exceptions, loads,
        views,
    ]
    try:
        barrier.wait()
        i = number
        while time.monotonic() < end:
            work[i % len(work)](i)
            i += 1
    except BaseException as error:
        failures.append(repr(error))

def race(number):
    barrier.wait()
    mod.racing(rounds)

def race_inside(number):
    barrier.wait()
    for _ in range(1000):
        mod.track()

barrier = threading.Barrier(8)
target = {"hammer": hammer, "race": race, "race inside": race_inside}[what]
if what == "race inside":
    mod.share(8 * 1000)
threads = [threading.Thread(target=target, args=(number,)) for number in range(8)]
nodes[0].set(None)
end = time.monotonic() + seconds
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if what == "race" and mod.racing(0) != 8 * rounds:
    failures.append("a race: additions were lost")
assert not sys._is_gil_enabled()
print(*failures or ["no race"])
"""

SECONDS = os.environ.get("HPY_TEST_SECONDS", "2")
NO_LOCK = "-DHPY_MOD_GIL_NOT_USED"


def stress(
    what,
    abi,
    mode=None,
    *,
    python=sys.executable,
    flags=(NO_LOCK,),
    rounds=3_000_000,
    **environment,
):
    """Runs STRESS with a library of an ABI, in a mode of the universal one."""
    library = support.compile_extension(SOURCE, "shared", abi, flags=flags)
    mode = mode or (abi if abi in ("universal", "debug") else "")
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHON_GIL"}
    return subprocess.run(
        [python, "-c", STRESS, library, mode, SECONDS, what, str(rounds)],
        capture_output=True,
        text=True,
        env={**inherited, "HPY": mode, **environment},
    )


@FREE_THREADED
def test_eight_threads(abi):
    done = stress("hammer", abi)
    assert (done.stdout, done.returncode) == ("no race\n", 0), done.stderr


@FREE_THREADED
@pytest.mark.parametrize("mode", ["trace", "debug+trace", "trace+debug"])
def test_eight_threads_in_other_modes(mode):
    done = stress("hammer", "universal", mode)
    assert (done.stdout, done.returncode) == ("no race\n", 0), done.stderr


@FREE_THREADED
def test_a_race_is_found(abi):
    done = stress("race", abi)
    assert done.stdout == "a race: additions were lost\n", done.stderr


@FREE_THREADED
def test_a_module_that_declares_nothing_gets_the_lock(abi):
    done = stress("hammer", abi, flags=())
    assert done.returncode != 0
    assert "RuntimeWarning: The global interpreter lock (GIL) has been enabled" in done.stderr
    assert "shared" in done.stderr


def reports(what, mode):
    """What the program printed, and the reports in which our code makes one of the two accesses.

    The CPython ABI is the mode "".
    """
    if "HPY_TEST_TSAN_PYTHON" not in os.environ:
        pytest.skip("no CPython with ThreadSanitizer is named: `cargo xtask memcheck` does that")
    python = os.environ["HPY_TEST_TSAN_PYTHON"]
    if mode and "HPY_TEST_TSAN_PACKAGES" not in os.environ:
        pytest.skip("there is no runtime that was compiled with ThreadSanitizer")
    include = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('include'))"], text=True
    )
    # In fewer rounds a thread may be through before the next one begins.
    done = stress(
        what,
        "universal" if mode else "cpython",
        mode,
        python=python,
        # In front of the headers of the Python that runs the test.
        flags=(NO_LOCK, "-fsanitize=thread", "-I", include.strip()),
        rounds=1_000_000,
        PYTHONPATH=os.environ.get("HPY_TEST_TSAN_PACKAGES", ""),
        TSAN_OPTIONS="exitcode=0 report_signal_unsafe=0",
    )
    assert done.returncode == 0, done.stderr
    found = done.stderr.split("WARNING: ThreadSanitizer:")[1:]
    return done.stdout, [report for report in found if is_ours(report)]


def is_ours(report):
    """Whether an access is made in the library or the runtime, or in a function of C called there.

    The sanitizer stands in front of functions such as `memcpy`: those frames say «<null>» or its
    own source. What CPython does with its objects is CPython's affair.
    """
    stacks = re.split(r"\n\n", report)
    return any(OURS.search(first_frame(stack)) for stack in stacks[:2])


OURS = re.compile(r"\((shared|universal)\.[\w.-]*so\b")


def first_frame(stack):
    frames = re.findall(r"^ +#\d+ .*$", stack, re.MULTILINE)
    return next((frame for frame in frames if "(libtsan" not in frame), "")


SANITIZED_MODES = pytest.mark.parametrize(
    "mode", ["", "universal", "debug", "trace", "debug+trace", "trace+debug"]
)


@SANITIZED_MODES
def test_eight_threads_under_the_sanitizer(mode):
    printed, found = reports("hammer", mode)
    assert printed == "no race\n"
    assert not found, "".join(found)


@SANITIZED_MODES
def test_the_sanitizer_finds_a_race(mode):
    _, found = reports("race", mode)
    assert found
    assert all("racing_impl" in report for report in found)


def test_the_sanitizer_finds_a_race_in_the_runtime():
    _, found = reports("race inside", "universal")
    assert found
    assert all("ctx_Tracker_Add" in report for report in found)
