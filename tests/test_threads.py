"""Several threads in a module at once, in a free-threaded Python: eight hammer what is shared.

$HPY_TEST_SECONDS is how long each test does so. What the threads run is in STRESS, in a process of
its own: a race may end it.

ThreadSanitizer looks at what the extension does, which in the CPython ABI is all that the headers
do. How threads wait for each other it sees only in what was compiled with it, so the interpreter
has to be: `cargo xtask memcheck`.
"""

import os
import re
import subprocess
import sys
import sysconfig

import pytest
import support

pytestmark = pytest.mark.skipif(not support.FREE_THREADED, reason="threads take turns here")

SOURCE = """
#include <hpy.h>

typedef struct { HPyField link; } Node;
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
static HPyDef *Node_defines[] = {&Node_new, &Node_traverse, &Node_set, &Node_get, NULL};
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

static volatile long sum;
HPyDef_METH(racing, "racing", HPyFunc_O)
static HPy racing_impl(HPyContext *ctx, HPy self, HPy rounds)
{
    for (long i = HPyLong_AsLong(ctx, rounds); i > 0; i--)
        sum = sum + 1;
    return HPyLong_FromLong(ctx, sum);
}

static HPyDef *defines[] = {&make_type, &keep, &kept, &parse, &racing, NULL};
static HPyGlobal *globals[] = {&first, &second, NULL};
static HPyModuleDef moduledef = {.defines = defines, .globals = globals};
HPy_MODINIT(shared, moduledef)
"""

STRESS = """
import gc, sys, threading, time, warnings
import support

path, abi, seconds, what = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
rounds = int(sys.argv[5])
warnings.simplefilter("error")
mod = support.load(path, "shared", abi)
assert not sys._is_gil_enabled()
Node = mod.make_type()
nodes = [Node() for _ in range(4)]
end = time.monotonic() + seconds
failures = []

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

def hammer(number):
    work = [fields, globals_, types, calls, cycles]
    try:
        barrier.wait()
        i = number
        while time.monotonic() < end:
            work[i % 5](i)
            i += 1
    except BaseException as error:
        failures.append(repr(error))

def race(number):
    barrier.wait()
    mod.racing(rounds)

barrier = threading.Barrier(8)
target = {"hammer": hammer, "race": race}[what]
threads = [threading.Thread(target=target, args=(number,)) for number in range(8)]
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


def stress(what, abi, flags=("-DHPY_MOD_GIL_NOT_USED",), rounds=3_000_000, **environment):
    library = support.compile_extension(SOURCE, "shared", abi, flags=flags)
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHON_GIL"}
    return subprocess.run(
        [sys.executable, "-c", STRESS, library, abi, SECONDS, what, str(rounds)],
        capture_output=True,
        text=True,
        cwd=support.ROOT / "tests",
        env={**inherited, **environment},
    )


def test_eight_threads(abi):
    done = stress("hammer", abi)
    assert (done.stdout, done.returncode) == ("no race\n", 0), done.stderr


def test_a_race_is_found(abi):
    done = stress("race", abi)
    assert done.stdout == "a race: additions were lost\n", done.stderr


def test_a_module_that_declares_nothing_gets_the_lock(abi):
    done = stress("hammer", abi, flags=())
    assert done.returncode != 0
    assert "RuntimeWarning: The global interpreter lock (GIL) has been enabled" in done.stderr
    assert "shared" in done.stderr


@pytest.fixture(scope="module")
def sanitized():
    """Skips what needs ThreadSanitizer in the interpreter."""
    if "--with-thread-sanitizer" not in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        pytest.skip("this CPython was not built with --with-thread-sanitizer")


def reports(what):
    """What the program printed, and the reports in which our code makes one of the two accesses."""
    flags = ("-DHPY_MOD_GIL_NOT_USED", "-fsanitize=thread")
    options = "exitcode=0 report_signal_unsafe=0"
    # In fewer rounds a thread may be through before the next one begins.
    done = stress(what, "cpython", flags, 1_000_000, TSAN_OPTIONS=options)
    assert done.returncode == 0, done.stderr
    found = done.stderr.split("WARNING: ThreadSanitizer:")[1:]
    return done.stdout, [report for report in found if is_ours(report)]


def is_ours(report):
    """Whether an access is made in the library, or in a function of C called there.

    The sanitizer stands in front of functions such as `memcpy`: those frames say «<null>» or its
    own source. What CPython does with its objects is CPython's affair.
    """
    stacks = re.split(r"\n\n", report)
    return any(OURS.search(first_frame(stack)) for stack in stacks[:2])


OURS = re.compile(r"\(shared\.[\w.-]*so\b")


def first_frame(stack):
    frames = re.findall(r"^ +#\d+ .*$", stack, re.MULTILINE)
    return next((frame for frame in frames if "(libtsan" not in frame), "")


def test_eight_threads_under_the_sanitizer(sanitized):
    printed, found = reports("hammer")
    assert printed == "no race\n"
    assert not found, "".join(found)


def test_the_sanitizer_finds_a_race(sanitized):
    _, found = reports("race")
    assert found
    assert all("racing_impl" in report for report in found)
