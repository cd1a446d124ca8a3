"""hpy.universal: loading by hand, importing, and what is said when a library cannot be loaded."""

import gc
import importlib
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import types
import weakref

import pytest
import support

from hpy.devel.abitag import parse_ext_suffix

universal = support.universal()
RUNNING = parse_ext_suffix()[0]

EVERYTHING = """
#include <hpy.h>

HPyGlobal kept, unnamed;

HPyDef_METH(noargs, "noargs", HPyFunc_NOARGS, .doc="What noargs does.")
static HPy noargs_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}

HPyDef_METH(one, "one", HPyFunc_O)
static HPy one_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyTuple_Pack(ctx, 2, self, arg);
}

HPyDef_METH(several, "several", HPyFunc_VARARGS)
static HPy several_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    return HPyTuple_FromArray(ctx, (HPy *)args, (HPy_ssize_t)nargs);
}

HPyDef_METH(named, "named", HPyFunc_KEYWORDS)
static HPy named_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy positional = HPy_NULL, keywords = HPy_NULL;
    if (!HPyHelpers_PackArgsAndKeywords(ctx, args, nargs, kwnames, &positional, &keywords))
        return HPy_NULL;
    HPy none = HPy_IsNull(keywords) ? ctx->h_None : keywords;
    HPy both = HPyTuple_Pack(ctx, 2, HPy_IsNull(positional) ? ctx->h_None : positional, none);
    HPy_Close(ctx, positional);
    HPy_Close(ctx, keywords);
    return both;
}

HPyDef_METH(context, "context", HPyFunc_NOARGS)
static HPy context_impl(HPyContext *ctx, HPy self)
{
    return HPyLong_FromSsize_t(ctx, (HPy_ssize_t)ctx);
}

static HPy get(HPyContext *ctx, HPyGlobal global)
{
    HPy value = HPyGlobal_Load(ctx, global);
    return HPy_IsNull(value) ? HPy_Dup(ctx, ctx->h_NotImplemented) : value;
}

static HPy set(HPyContext *ctx, HPyGlobal *global, HPy value)
{
    HPyGlobal_Store(ctx, global, HPy_Is(ctx, value, ctx->h_NotImplemented) ? HPy_NULL : value);
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(get_kept, "get_kept", HPyFunc_NOARGS)
static HPy get_kept_impl(HPyContext *ctx, HPy self)
{
    return get(ctx, kept);
}

HPyDef_METH(set_kept, "set_kept", HPyFunc_O)
static HPy set_kept_impl(HPyContext *ctx, HPy self, HPy value)
{
    return set(ctx, &kept, value);
}

HPyDef_METH(get_unnamed, "get_unnamed", HPyFunc_NOARGS)
static HPy get_unnamed_impl(HPyContext *ctx, HPy self)
{
    return get(ctx, unnamed);
}

HPyDef_METH(set_unnamed, "set_unnamed", HPyFunc_O)
static HPy set_unnamed_impl(HPyContext *ctx, HPy self, HPy value)
{
    return set(ctx, &unnamed, value);
}

static HPyDef *defines[] = {&noargs,   &one,      &several,     &named,       &context,
                            &get_kept, &set_kept, &get_unnamed, &set_unnamed, NULL};
static HPyGlobal *globals[] = {&kept, NULL};
static HPyModuleDef definition = {.doc = "What the module is.", .defines = defines,
                                  .globals = globals};
HPy_MODINIT(everything, definition)
"""

EXEC = """
#include <hpy.h>

HPyDef_SLOT(call_hook, HPy_mod_exec)
static int call_hook_impl(HPyContext *ctx, HPy mod)
{
    HPy result = HPy_NULL, run = HPy_NULL;
    HPy hook = HPyImport_ImportModule(ctx, "exec_hook");
    if (!HPy_IsNull(hook) && HPy_SetAttr_s(ctx, hook, "module", mod) == 0)
        run = HPy_GetAttr_s(ctx, hook, "run");
    if (!HPy_IsNull(run))
        result = HPy_CallTupleDict(ctx, run, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, hook);
    HPy_Close(ctx, run);
    if (HPy_IsNull(result))
        return -1;
    HPy_Close(ctx, result);
    return 0;
}

static HPyDef *defines[] = {&call_hook, NULL};
static HPyModuleDef definition = {.defines = defines};
HPy_MODINIT(executed, definition)
"""


def spec_for(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    return importlib.util.spec_from_file_location(name, str(path), loader=loader)


def load(path, name, **keywords):
    return universal.load(name, str(path), spec_for(name, path), **keywords)


def refuse(path, name="everything", error=universal.LoadError, **keywords):
    """The message of the error that loading raises."""
    with pytest.raises(error) as caught:
        load(path, name, **keywords)
    return str(caught.value)


def python(code, *, path=(), **environment):
    """What a fresh interpreter prints."""
    environment = {**os.environ, **environment}
    search = [*map(str, path), *filter(None, sys.path)]
    code = f"import sys; sys.path[:] = {search!r}\n" + textwrap.dedent(code)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def everything():
    """A library with each kind of function, and two globals."""
    return support.compile_extension(EVERYTHING, "everything", "universal")


@pytest.fixture(scope="module")
def executed():
    """A library whose exec slot calls `exec_hook.run()`, having set `exec_hook.module`."""
    return support.compile_extension(EXEC, "executed", "universal")


@pytest.fixture
def exec_hook(monkeypatch):
    """What the library `executed` calls."""
    hook = types.ModuleType("exec_hook")
    hook.run = lambda: None
    monkeypatch.setitem(sys.modules, "exec_hook", hook)
    return hook


@pytest.fixture
def imported(monkeypatch, tmp_path):
    """A folder from which modules are imported, and forgotten after the test."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def compiled_module(source, defines="", name="broken", **fields):
    """A library with one module that is made from `source` and has these definitions and fields."""
    members = "".join(f", .{field} = {value}" for field, value in fields.items())
    pointers = "".join(f"&{define}, " for define in support.names(defines))
    complete = (
        f"#include <hpy.h>\n{source}\n"
        f"static HPyDef *defines[] = {{{pointers}NULL}};\n"
        f"static HPyModuleDef definition = {{.defines = defines{members}}};\n"
        f"HPy_MODINIT({name}, definition)\n"
    )
    return support.compile_extension(complete, name, "universal")


# What a loaded module is


def test_names():
    assert universal.__name__ == "hpy.universal"
    assert [universal.MODE_UNIVERSAL, universal.MODE_DEBUG, universal.MODE_TRACE] == [0, 1, 2]
    version, revision = universal.get_version()
    assert isinstance(version, str) and isinstance(revision, str) and version


def test_functions_of_each_signature(everything):
    module = load(everything, "everything")
    assert type(module) is types.ModuleType
    assert module.__doc__ == "What the module is."
    assert module.noargs() is module
    assert module.one(5) == (module, 5)
    assert module.several() == ()
    assert module.several(1, 2, 3) == (1, 2, 3)
    assert module.named(1, x=2, y=3) == ((1,), {"x": 2, "y": 3})
    assert module.noargs.__doc__ == "What noargs does."
    assert module.one.__self__ is module
    assert module.one.__module__ == "everything"
    assert type(module.one) is type(len)
    for wrong in [lambda: module.noargs(1), lambda: module.one(), lambda: module.several(x=1)]:
        with pytest.raises(TypeError):
            wrong()


def test_attributes(everything):
    spec = spec_for("package.everything", everything)
    module = universal.load("package.everything", everything, spec)
    assert module.__name__ == "package.everything"
    assert module.__package__ == "package"
    assert module.__spec__ is spec
    assert module.__loader__ is spec.loader
    assert module.__file__ == str(everything)
    assert repr(module) == f"<module 'package.everything' from {str(everything)!r}>"
    assert "package.everything" not in sys.modules


def test_a_spec_needs_only_a_name(everything):
    module = universal.load("everything", str(everything), types.SimpleNamespace(name="other"))
    assert module.__name__ == "other"
    assert module.__spec__ is None
    assert module.__file__ == str(everything)
    assert "everything" in repr(module)
    with pytest.raises(AttributeError):
        universal.load("everything", str(everything), object())


def test_a_spec_may_be_missing(everything):
    """Importlib makes none of a file whose suffix it does not know, as PyPy does not know `.so`."""
    module = universal.load("everything", str(everything), None)
    assert (module.__name__, module.__file__) == ("everything", str(everything))
    assert module.one(5) == (module, 5)


def test_attributes_are_set_before_exec(executed, exec_hook):
    seen = {}
    exec_hook.run = lambda: seen.update(vars(exec_hook.module))
    module = load(executed, "executed")
    assert seen["__file__"] == str(executed)
    assert seen["__spec__"] is module.__spec__


def test_hybrid_legacy_methods():
    source = """
    #include <Python.h>
    #include <hpy.h>
    static PyObject *old(PyObject *self, PyObject *arg)
    {
        return PyTuple_Pack(2, self, arg);
    }
    static PyMethodDef legacy[] = {{"old", old, METH_O, "Old."}, {NULL, NULL, 0, NULL}};
    HPyDef_METH(new, "new", HPyFunc_O)
    static HPy new_impl(HPyContext *ctx, HPy self, HPy arg)
    {
        return HPyTuple_Pack(ctx, 2, self, arg);
    }
    static HPyDef *defines[] = {&new, NULL};
    static HPyModuleDef definition = {.legacy_methods = legacy, .defines = defines};
    HPy_MODINIT(mixed, definition)
    """
    module = load(support.compile_extension(source, "mixed", "hybrid"), "mixed")
    assert module.old(1) == module.new(1) == (module, 1)
    assert module.old.__module__ == "mixed"


def test_a_name_that_is_not_ascii():
    path = compiled_module("", name="größe")
    assert load(path, "größe").__name__ == "größe"
    assert load(path, "pakét.größe").__name__ == "pakét.größe"


# Loads are independent


def test_two_names_have_two_sets_of_globals(everything):
    one, two = load(everything, "one.everything"), load(everything, "two.everything")
    assert one.context() != two.context()
    for kind in ["kept", "unnamed"]:
        read, write = f"get_{kind}", f"set_{kind}"
        getattr(one, write)("one")
        assert getattr(two, read)() is NotImplemented
        getattr(two, write)("two")
        assert (getattr(one, read)(), getattr(two, read)()) == ("one", "two")


def test_two_loads_at_once_under_one_name(everything):
    one, two = load(everything, "everything"), load(everything, "everything")
    assert one is not two and one.context() != two.context()
    one.set_kept("one")
    two.set_kept("two")
    assert (one.get_kept(), two.get_kept()) == ("one", "two")


def test_two_copies_of_a_library(everything, tmp_path):
    copy = tmp_path / everything.name
    shutil.copy(everything, copy)
    one, two = load(everything, "everything"), load(copy, "everything")
    one.set_kept("one")
    assert two.get_kept() is NotImplemented


def test_the_context_of_a_dead_module_is_used_again(everything):
    contexts = set()
    for _ in range(50):
        module = load(everything, "again.everything")
        contexts.add(module.context())
        del module
        gc.collect()
    assert len(contexts) == 1


def test_loading_leaks_nothing(everything, no_leak):
    spec = spec_for("everything", everything)
    path = str(everything)

    def load_and_drop():
        universal.load("everything", path, spec)
        gc.collect()  # a module and its functions refer to each other

    no_leak(load_and_drop, spec, path, spec.loader, rounds=40)


def test_globals_own_their_values(everything, no_leak):
    module = load(everything, "everything")
    value = object()
    before = sys.getrefcount(value)
    for write, read in [
        (module.set_kept, module.get_kept),
        (module.set_unnamed, module.get_unnamed),
    ]:
        write(value)
        assert read() is value
        assert sys.getrefcount(value) == before + 1
        write(NotImplemented)
        assert read() is NotImplemented
        assert sys.getrefcount(value) == before
        no_leak(lambda write=write, read=read: (write(value), read()), NotImplemented)
        write(NotImplemented)


def test_storing_may_run_code_that_stores(everything):
    module = load(everything, "everything")

    class Stores:
        def __del__(self):
            module.set_unnamed("from __del__")
            module.set_kept("from __del__")

    module.set_kept(Stores())
    module.set_kept("last")
    assert module.get_unnamed() == "from __del__"
    assert module.get_kept() == "from __del__"


# Files that cannot be loaded


def test_missing_file(tmp_path):
    path = tmp_path / "gone.hpy0.so"
    message = refuse(path)
    assert str(path) in message and "No such file" in message


def test_errors_are_what_callers_expect(tmp_path):
    path = tmp_path / "gone.hpy0.so"
    with pytest.raises(universal.LoadError) as caught:
        load(path, "everything")
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.name == "everything"
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "contents, said",
    [
        (b"", "the file is empty"),
        (b"import this\n", "a text file, not a library"),
        (b"\xff\x00\xfe\x01" * 100, "not a library"),
        (b"\x7fELF\x02\x01\x01" + bytes(9), "damaged"),
    ],
)
def test_no_library(tmp_path, contents, said):
    path = tmp_path / "foo.hpy0.so"
    path.write_bytes(contents)
    assert said in refuse(path)


def test_a_directory(tmp_path):
    assert "directory" in refuse(tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="writes an ELF header")
def test_another_processor(everything, tmp_path):
    contents = bytearray(everything.read_bytes())
    contents[18:20] = (0x16).to_bytes(2, sys.byteorder)  # e_machine: S390
    path = tmp_path / "everything.hpy0.so"
    path.write_bytes(contents)
    message = refuse(path)
    assert "S390" in message and "this Python loads" in message


def test_what_a_library_needs_is_missing():
    source = "extern int not_to_be_found_anywhere(void);"
    source += """
    HPyDef_METH(f, "f", HPyFunc_NOARGS)
    static HPy f_impl(HPyContext *ctx, HPy self)
    {
        return HPyLong_FromLong(ctx, not_to_be_found_anywhere());
    }
    """
    assert "not_to_be_found_anywhere" in refuse(compiled_module(source, "f"), "broken")


def test_another_name(everything):
    message = refuse(everything, "different")
    assert "is this an HPy universal extension called 'different'?" in message
    assert "HPyInit_different" in message
    assert "The file has 'everything'" in message
    assert "größe" in refuse(everything, "größe")
    refuse(everything, "every\0thing")
    refuse(everything, "")


def test_an_ordinary_extension(tmp_path):
    source = "#include <Python.h>\nPyMODINIT_FUNC PyInit_plain(void) { return NULL; }\n"
    path = tmp_path / "plain.hpy0.so"
    shutil.copy(support.compile_extension(source, "plain", "cpython"), path)
    assert "ordinary extension module ('plain')" in refuse(path, "plain")


def test_wrong_version():
    source = "#undef HPY_ABI_VERSION_MINOR\n#define HPY_ABI_VERSION_MINOR 7"
    with pytest.raises(RuntimeError) as caught:
        load(compiled_module(source), "broken")
    assert str(caught.value) == (
        "HPy extension module 'broken' requires unsupported version of the HPy runtime. "
        "Requested version: 0.7. Current HPy version: 0.0."
    )
    if sys.version_info >= (3, 11):
        assert "rebuild the extension" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    "name, said",
    [
        ("everything.so", "could not find HPy ABI tag encoded in the filename"),
        ("everything.hpy5.so", "Major version tag parsed from filename: 5."),
        (f"everything.hpy5-{RUNNING}.so", "Major version tag parsed from filename: 5."),
    ],
)
def test_wrong_tag(everything, tmp_path, name, said):
    path = tmp_path / name
    shutil.copy(everything, path)
    with pytest.raises(RuntimeError) as caught:
        load(path, "everything")
    assert said in str(caught.value) and str(path) in str(caught.value)
    if sys.version_info >= (3, 11):
        assert ".hpy0.so" in caught.value.__notes__[0]


def test_no_definition():
    source = "static HPyModuleDef *none;\n#define NOTHING *none\n"
    source = f"#include <hpy.h>\n{source}\nHPy_MODINIT(broken, NOTHING)\n"
    path = support.compile_extension(source, "broken", "universal")
    message = refuse(path, "broken")
    assert "HPyInit_broken() returned NULL" in message and "HPy_MODINIT" in message


# Definitions that are wrong

CREATE = """
HPyDef_SLOT(create, HPy_mod_create)
static HPy create_impl(HPyContext *ctx, HPy spec)
{
    return %s;
}
"""
EXEC_SLOT = """
HPyDef_SLOT(exec, HPy_mod_exec)
static int exec_impl(HPyContext *ctx, HPy mod)
{
    return %s;
}
"""
TYPE_SLOT = """
HPyDef_SLOT(repr, HPy_tp_repr)
static HPy repr_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}
"""
GETTER = """
HPyDef_GET(getter, "getter")
static HPy getter_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPy_Dup(ctx, self);
}
"""


WRONG = [
    (SystemError, "HPyModuleDef.size < 0", "", "", {"size": -1}),
    (SystemError, "HPyModuleDef.size > 0", "", "", {"size": 8}),
    (
        ValueError,
        "Unsupported HPyMeth signature",
        'HPyDef f = {.kind = HPyDef_Kind_Meth, .meth = {.name = "f"}};',
        "f",
        {},
    ),
    (
        SystemError,
        "no function",
        "HPyDef f = {.kind = HPyDef_Kind_Meth,"
        ' .meth = {.name = "f", .signature = HPyFunc_NOARGS}};',
        "f",
        {},
    ),
    (
        SystemError,
        "unknown kind 77",
        "HPyDef f = {.kind = (HPyDef_Kind)77};",
        "f",
        {},
    ),
    (SystemError, "the slot 66", TYPE_SLOT, "repr", {}),
    (SystemError, "an HPyGetSet", GETTER, "getter", {}),
    (
        SystemError,
        "an HPyMember",
        'HPyDef_MEMBER(member, "member", HPyMember_INT, 0)',
        "member",
        {},
    ),
    (SystemError, "more than one", CREATE % "HPy_Dup(ctx, spec)", "create, create", {}),
    (
        SystemError,
        "defines a HPy_mod_create slot",
        CREATE % "HPy_Dup(ctx, spec)",
        "create",
        {"doc": '"doc"'},
    ),
    (SystemError, "failed without an exception", CREATE % "HPy_NULL", "create", {}),
    (SystemError, "failed without an exception", EXEC_SLOT % "-1", "exec", {}),
    (
        ValueError,
        "forgot",
        EXEC_SLOT % '(HPyErr_SetString(ctx, ctx->h_ValueError, "forgot"), 0)',
        "exec",
        {},
    ),
]


@pytest.mark.parametrize(
    "error, said, source, defines, fields", WRONG, ids=[said for _, said, *_ in WRONG]
)
def test_wrong_definition(error, said, source, defines, fields, no_leak):
    path = compiled_module(source, defines, **fields)

    def attempt():
        with pytest.raises(error, match=said):
            load(path, "broken")
        gc.collect()

    no_leak(attempt, rounds=40)


def test_create_slot_makes_any_object():
    path = compiled_module(CREATE % "HPy_Dup(ctx, spec)", "create")
    spec = types.SimpleNamespace(name="broken")
    assert universal.load("broken", str(path), spec) is spec
    assert spec.__file__ == str(path)
    # An object that refuses attributes is as good.
    path = compiled_module(CREATE % "HPyLong_FromLong(ctx, 42)", "create")
    assert load(path, "broken") == 42


def test_exception_in_exec(executed, exec_hook):
    class Failure(Exception):
        pass

    def fail():
        raise Failure

    exec_hook.run = fail
    references = sys.getrefcount(Failure)
    for _ in range(10):
        with pytest.raises(Failure):
            load(executed, "executed")
    module = weakref.ref(exec_hook.module)
    del exec_hook.module
    gc.collect()
    assert module() is None
    assert sys.getrefcount(Failure) == references
    assert "executed" not in sys.modules
    exec_hook.run = lambda: None
    assert load(executed, "executed") is exec_hook.module


# Modes and the environment


def bootstrap(path, env, name="everything", full_name="pkg.everything"):
    spec = spec_for(full_name, "stub.py")
    return universal._load_bootstrap(name, full_name, "pkg", str(path), spec.loader, spec, env)


def test_bootstrap(everything):
    module = bootstrap(everything, {})
    assert module.__name__ == "pkg.everything"
    assert module.__package__ == "pkg"
    assert module.__file__ == module.__spec__.origin == str(everything)
    assert module.__loader__ is module.__spec__.loader
    assert bootstrap(everything, os.environ).noargs.__module__ == "pkg.everything"


@pytest.mark.parametrize(
    "value",
    ["universal", "TRACE", "pkg.everything:universal", "other:debug,a:TRACE", "debug + trace"],
)
def test_modes_that_load(everything, value):
    assert bootstrap(everything, {"HPY": value}).one(1)[1] == 1


@pytest.mark.parametrize("value", ["", "deb", "debugger", "a", "a:", "x:debug,", "other:nothing"])
def test_modes_that_do_not_exist(everything, value):
    with pytest.raises(ValueError, match="universal, debug, trace, debug\\+trace, trace\\+debug"):
        bootstrap(everything, {"HPY": value})


def test_mode_and_debug(everything):
    assert load(everything, "everything", debug=False, mode=-1).one(1)
    assert load(everything, "everything", debug=True, mode=universal.MODE_UNIVERSAL).one(1)
    for number in [3, -2]:
        assert "MODE_UNIVERSAL" in refuse(everything, error=ValueError, mode=number)


def test_log(everything, capsys):
    bootstrap(everything, {"HPY_LOG": "1"})
    assert capsys.readouterr().out == "Loading 'pkg.everything' in HPy universal mode\n"
    bootstrap(everything, {})
    assert capsys.readouterr().out == ""


# Import with no stub


@pytest.mark.parametrize("suffix", [".so", ".abi3.so"])
def test_import_as_it_lies_on_disk(everything, imported, suffix):
    path = imported / ("everything" + suffix)
    shutil.copy(everything, path)
    module = importlib.import_module("everything")
    assert module.one(1) == (module, 1)
    assert module.__name__ == module.__spec__.name == "everything"
    assert module.__file__ == str(path)
    assert module.__package__ == ""
    assert module.__loader__ is module.__spec__.loader
    assert repr(module) == f"<module 'everything' from {str(path)!r}>"
    assert importlib.reload(module) is module
    del sys.modules["everything"]
    again = importlib.import_module("everything")
    assert again is not module
    assert again.noargs() is again and module.noargs() is module


def test_import_from_a_package(everything, imported):
    (imported / "package").mkdir()
    (imported / "package" / "__init__.py").touch()
    shutil.copy(everything, imported / "package" / "everything.so")
    module = importlib.import_module("package.everything")
    assert module.__name__ == module.one.__module__ == "package.everything"
    assert module.__package__ == "package"
    assert sys.modules["package"].everything is module


def test_import_with_no_other_preparation(everything, tmp_path):
    shutil.copy(everything, tmp_path / "everything.so")
    code = "import everything; print(everything.one('x')[1], everything.__file__)"
    assert python(code, path=[tmp_path]) == f"x {tmp_path / 'everything.so'}\n"
    code = "import everything"
    said = "Loading 'everything' in HPy universal mode\n"
    assert python(code, path=[tmp_path], HPY_LOG="1") == said


def test_from_spec_needs_no_tag(everything, tmp_path):
    path = tmp_path / "everything.renamed"
    shutil.copy(everything, path)
    spec = spec_for("everything", path)
    assert universal._load_from_spec(spec).__spec__ is spec


def test_circular_import(executed, imported, exec_hook):
    shutil.copy(executed, imported / "executed.so")
    (imported / "imports_it.py").write_text("import executed\nseen = executed\n")
    exec_hook.run = lambda: importlib.import_module("imports_it")
    module = importlib.import_module("executed")
    assert sys.modules["imports_it"].seen is module


def test_other_threads_wait_for_exec(executed, imported, exec_hook):
    shutil.copy(executed, imported / "executed.so")
    begun = threading.Event()

    def run():
        begun.set()
        time.sleep(0.2)
        exec_hook.module.complete = True

    exec_hook.run = run
    importing = threading.Thread(target=importlib.import_module, args=("executed",))
    importing.start()
    begun.wait()
    assert importlib.import_module("executed").complete
    importing.join()


def test_exception_during_import(executed, imported, exec_hook):
    shutil.copy(executed, imported / "executed.so")

    def fail():
        raise KeyError("exec")

    exec_hook.run = fail
    with pytest.raises(KeyError, match="exec"):
        importlib.import_module("executed")
    assert "executed" not in sys.modules
    exec_hook.run = lambda: None
    assert importlib.import_module("executed") is exec_hook.module


# Without thunks


def test_trampolines_instead_of_thunks(everything):
    code = f"""
        import hpy.universal as universal, types
        spec = types.SimpleNamespace(name="everything")
        m = universal.load("everything", {str(everything)!r}, spec)
        assert m.noargs() is m
        assert m.one(5) == (m, 5)
        assert m.several(1, 2, 3) == (1, 2, 3)
        assert m.named(1, x=2, y=3) == ((1,), {{"x": 2, "y": 3}})
        m.set_kept("kept")
        assert m.get_kept() == "kept"
        # A library knows one context, so loads of it share that.
        assert universal.load("everything", {str(everything)!r}, spec).context() == m.context()
        print("passed")
    """
    assert python(code, HPY_NO_THUNKS="1") == "passed\n"
