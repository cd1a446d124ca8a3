"""Several interpreters of one process, each with a lock of its own, import one library."""

import subprocess
import sys

import pytest
import support

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="one lock for all interpreters")

# The library is imported as CPython finds it also where it is universal.
WAYS = pytest.mark.parametrize("way", ["cpython", "universal", "stub-free"])
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
static HPyDef *defines[] = {&keep, &kept, &upper, &execute, NULL};
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

APART = """
mod = load()
assert mod.kept() == "nothing", mod.kept()
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
    abi = "cpython" if way == "cpython" else "universal"
    return support.compile_extension(SOURCE, "apart", abi, flags=flags)


def main(code, library, way):
    begin = BEGIN.format(path=str(library), universal=way == "universal")
    program = f"begin = {begin!r}\napart = {APART!r}\n{RUN}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@WAYS
def test_each_has_its_own_state(way):
    code = """
exec(begin)
mod = load()
mod.keep("main")
failures = []
def work(name):
    interpreter = create()
    failures.append(run(interpreter, begin + apart.format(name=name)))
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


def test_modes_are_for_the_main_interpreter():
    code = """
print(run(create(), begin + '''
import hpy.universal
spec = importlib.machinery.ModuleSpec("apart", None, origin={path!r})
hpy.universal.load("apart", {path!r}, spec, debug=True)
'''))
"""
    library = compiled("universal", DECLARED)
    said = main(code.replace("{path!r}", repr(str(library))), library, "universal")
    assert "the mode works there only" in said
