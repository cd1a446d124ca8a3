"""Several interpreters of one process, each with a lock of its own, import one library."""

import os
import subprocess
import sys

import pytest
import support

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12) or not support.COUNTS, reason="one lock for all interpreters"
)

# The library is imported as CPython finds it also where it is universal.
WAYS = pytest.mark.parametrize(
    "way", [*(abi for abi in support.ABIS if abi != "debug"), "stub-free"]
)
DECLARED = ("-DHPY_MOD_MULTIPLE_INTERPRETERS", "-DHPY_MOD_GIL_NOT_USED")

SOURCE = """
#include <hpy.h>

HPyGlobal value;
typedef struct { int number; } Thing;
HPyType_HELPERS(Thing)

HPyDef_SLOT(Thing_new, HPy_tp_new)
static HPy Thing_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Thing *thing;
    return HPy_New(ctx, cls, &thing);
}
HPyDef_MEMBER(Thing_number, "number", HPyMember_INT, offsetof(Thing, number))
static HPyDef *Thing_defines[] = {&Thing_new, &Thing_number, NULL};
static HPyType_Spec Thing_spec = {
    .name = "apart.Thing", .basicsize = sizeof(Thing), .defines = Thing_defines,
    .builtin_shape = HPyType_BuiltinShape_Object,
};

HPyDef_METH(keep, "keep", HPyFunc_VARARGS)
static HPy keep_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyTracker ht;
    HPy object;
    if (!HPyArg_Parse(ctx, &ht, args, nargs, "O", &object))
        return HPy_NULL;
    HPyGlobal_Store(ctx, &value, object);
    HPyTracker_Close(ctx, ht);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(kept, "kept", HPyFunc_NOARGS)
static HPy kept_impl(HPyContext *ctx, HPy self)
{
    HPy object = HPyGlobal_Load(ctx, value);
    return HPy_IsNull(object) ? HPyUnicode_FromString(ctx, "nothing") : object;
}
/* What an author must not do: the handle is the caller's, and belongs to one interpreter. */
static HPy stashed;
HPyDef_METH(stash, "stash", HPyFunc_O)
static HPy stash_impl(HPyContext *ctx, HPy self, HPy object)
{
    stashed = HPy_Dup(ctx, object);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(use_stashed, "use_stashed", HPyFunc_NOARGS)
static HPy use_stashed_impl(HPyContext *ctx, HPy self)
{
    return HPy_Repr(ctx, stashed);
}
HPyDef_METH(use_late, "use_late", HPyFunc_O)
static HPy use_late_impl(HPyContext *ctx, HPy self, HPy object)
{
    HPy copy = HPy_Dup(ctx, object);
    HPy_Close(ctx, copy);
    return HPy_Repr(ctx, copy);
}
HPyDef_METH(upper, "upper", HPyFunc_O)
static HPy upper_impl(HPyContext *ctx, HPy self, HPy text)
{
    HPy method = HPy_GetAttr_s(ctx, text, "upper");
    HPy result = HPy_IsNull(method) ? HPy_NULL : HPy_Call(ctx, method, NULL, 0, HPy_NULL);
    HPy_Close(ctx, method);
    return result;
}
HPyDef_SLOT(execute, HPy_mod_exec)
static int execute_impl(HPyContext *ctx, HPy mod)
{
    return HPyHelpers_AddType(ctx, mod, "Thing", &Thing_spec, NULL) ? 0 : -1;
}
static HPyDef *defines[] = {&keep, &kept, &stash, &use_stashed, &use_late, &upper, &execute, NULL};
static HPyGlobal *globals[] = {&value, NULL};
static HPyModuleDef moduledef = {.defines = defines, .globals = globals};
HPy_MODINIT(apart, moduledef)
"""

# What stands in front of the code of an interpreter and of the main one.
BEGIN = """
import importlib.machinery, importlib.util

def load():
    path = {path!r}
    loader = importlib.machinery.ExtensionFileLoader("apart", path)
    spec = importlib.util.spec_from_file_location("apart", path, loader=loader)
    if {universal}:
        import hpy.universal
        return hpy.universal.load("apart", path, spec)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
"""

RUN = """
import threading
try:
    import _interpreters
    def create():
        return _interpreters.create("isolated")
    def run(interpreter, code):
        failure = _interpreters.run_string(interpreter, code)
        return failure and failure.formatted
except ImportError:
    import _xxsubinterpreters as _interpreters
    def create():
        return _interpreters.create(isolated=True)
    def run(interpreter, code):
        try:
            _interpreters.run_string(interpreter, code)
        except _interpreters.RunFailedError as failure:
            return str(failure)
"""

NEW = """
mod = load()
assert mod.kept() == "nothing", mod.kept()
"""

# Each load has its own state, which nobody else changes.
APART = """
mod = load()
for i in range(2000):
    mod.keep([i, {name!r}])
    assert mod.kept() == [i, {name!r}]
    assert mod.upper("text") == "TEXT"
    thing = mod.Thing()
    thing.number = i
    assert thing.number == i
mod.Thing.instance = thing
"""


def compiled(way, flags=()):
    abi = "universal" if way == "stub-free" else way
    return support.compile_extension(SOURCE, "apart", abi, flags=flags)


def main(code, library, way, **environment):
    """What the code prints, and after a line what is told on standard error."""
    begin = BEGIN.format(path=str(library), universal=way == "universal")
    program = f"begin = {begin!r}\nnew = {NEW!r}\napart = {APART!r}\n{RUN}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return "\n".join(filter(None, [done.stdout.strip(), done.stderr.strip()]))


@WAYS
def test_each_has_its_own_state(way):
    code = """
exec(begin)
mod = load()
mod.keep("main")
failures = []
def work(name):
    interpreter = create()
    failures.append(run(interpreter, begin + new + apart.format(name=name)))
    _interpreters.destroy(interpreter)
threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert failures == [None] * 3, failures
assert mod.kept() == "main"
work("another")
assert failures == [None] * 4, failures
print("separate")
"""
    library = compiled(way, DECLARED)
    assert main(code, library, way) == "separate"


@WAYS
def test_a_module_that_declares_nothing_is_refused(way):
    code = "print(run(create(), begin + 'load()'))"
    said = main(code, compiled(way), way)
    if way == "universal":
        assert "does not declare that several interpreters may import it" in said
        assert "HPY_MOD_MULTIPLE_INTERPRETERS" in said
    else:
        assert "does not support loading in subinterpreters" in said


# The main interpreter loads the library before the others or after them; these end in either order.
END = """
ORDER = {order!r}
exec(begin)
if ORDER == "first":
    exec(apart.format(name="main"))
several = [create() for _ in range(3)]
for interpreter in several:
    assert run(interpreter, begin + apart.format(name="one")) is None
if ORDER == "last":
    exec(apart.format(name="main"))
    several.reverse()
for interpreter in several[:2]:
    _interpreters.destroy(interpreter)
assert run(several[2], "assert mod.kept() == [1999, 'one'] and mod.upper('a') == 'A'") is None
assert mod.kept() == [1999, "main"] and mod.upper("b") == "B"
_interpreters.destroy(several[2])
assert mod.kept() == [1999, "main"] and mod.Thing().number == 0
print("ended")
"""
ORDERS = pytest.mark.parametrize("order", ["first", "last"])


@WAYS
@ORDERS
def test_interpreters_end_in_any_order(way, order):
    library = compiled(way, DECLARED)
    assert main(END.replace("{order!r}", repr(order)), library, way) == "ended"


def in_mode(code, mode, **environment):
    """Runs code where what is imported without a stub is loaded in this mode."""
    library = compiled("stub-free", DECLARED)
    environment.setdefault("HPY_DEBUG_ACTION", "")
    return main(code, library, "stub-free", HPY=mode, **environment)


MODES = pytest.mark.parametrize("mode", ["debug", "trace", "debug+trace"])


@MODES
@ORDERS
def test_interpreters_end_in_any_order_in_each_mode(mode, order):
    assert in_mode(END.replace("{order!r}", repr(order)), mode) == "ended"


@MODES
def test_modes_work_in_each(mode):
    code = """
exec(begin)
exec(apart.format(name="main"))
failures = []
def work(name):
    interpreter = create()
    failures.append(run(interpreter, begin + apart.format(name=name)))
    _interpreters.destroy(interpreter)
threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
for thread in threads: thread.start()
exec(apart.format(name="main"))
for thread in threads: thread.join()
assert failures == [None] * 3, failures
from hpy import debug, trace
assert not debug.leaks()
print(trace.get_call_counts()["ctx_Global_Store"])
"""
    # Three interpreters, and the main one twice; each keeps 2000 values.
    assert in_mode(code, mode) == ("10000" if "trace" in mode else "0")


def test_a_leak_is_told_when_its_interpreter_ends():
    code = """
exec(begin)
mod = load()
mod.stash(["main"])
interpreter = create()
assert run(interpreter, begin + "mod = load(); mod.stash(['one'])") is None
_interpreters.destroy(interpreter)
from hpy import debug
assert [handle.obj for group in debug.leaks() for handle in group.leaks] == [["main"]]
print("main goes on", flush=True)
"""
    said = in_mode(code, "debug")
    assert "when interpreter 1 ended: 1 handles and 0 other things are still open:" in said
    assert "handle for ['one'], opened at " in said
    assert "stash_impl" in said
    assert "main goes on" in said


def test_a_finding_does_not_call_the_main_interpreters_hook():
    code = """
exec(begin)
mod = load()
from hpy.universal import _debug
called = []
_debug.set_on_invalid_handle(lambda: called.append(_debug.last_finding()[0]))
interpreter = create()
print(run(interpreter, begin + "load().use_late(['one'])"))
assert called == [], called
_interpreters.destroy(interpreter)
mod.use_late(["main"])
assert called == ["HPY-D002"], called
print("main goes on")
"""
    said = in_mode(code, "debug", HPY_DEBUG_ACTION="raise")
    assert "HPY-D002: " in said
    assert said.endswith("main goes on")


def test_a_handle_of_another_interpreter_is_found():
    code = """
exec(begin)
mod = load()
mod.stash(["main"])
print(run(create(), begin + "load().use_stashed()"))
from hpy import debug
for group in debug.leaks():
    for handle in group.leaks: handle._force_close()
"""
    assert "HPY-D036: a handle of another module is passed" in in_mode(
        code, "debug", HPY_DEBUG_ACTION="raise"
    )


def test_the_python_api_of_debug_mode_is_the_main_interpreters():
    code = "print(run(create(), 'import hpy.debug'))"
    said = in_mode(code, "")
    assert "hpy.debug is for the main interpreter of the process" in said
    assert "HPY=debug" in said
