"""What the tests of the C API share: a compiler with a cache, a loader for each ABI, a leak check.

A test takes the fixture `module` (see conftest.py), hands it C functions, and gets a loaded Python
module, once for each ABI::

    def test_answer(module):
        mod = module(
            '''
            HPyDef_METH(answer, "answer", HPyFunc_NOARGS)
            static HPy answer_impl(HPyContext *ctx, HPy self)
            {
                return HPyLong_FromLong(ctx, 42);
            }
            ''',
            defs="answer",
        )
        assert mod.answer() == 42

`#include <hpy.h>` and the definition of the module are written by `module_source`.
"""

import contextlib
import gc
import hashlib
import importlib.machinery
import importlib.util
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from functools import cache
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

DEBUG_BUILD = hasattr(sys, "gettotalrefcount")
"""Whether this is a debug build of CPython, which counts all references, and ends the process where
a function breaks its contract."""

COUNTS = sys.implementation.name == "cpython"
"""Whether objects have reference counts, and memory blocks are counted."""

COLLECTIONS = {"pypy": 5, "graalpy": 4}.get(sys.implementation.name, 1)
"""How many collections it takes until what only dead objects held has gone, too. On GraalPy each is
a second's work."""

COLLECTS_LATE = COLLECTIONS > 1
"""Whether objects go when they are collected, and not with their last reference."""

SSIZE_MAX = 2 ** (8 * struct.calcsize("n") - 1) - 1
"""The largest size in C; `sys.maxsize` is the largest of a Python's own containers."""

LIMITED_APIS = {"abi3": "3.9", "abi3t": "3.15"}
"""The limited API that the libraries of these ABIs are compiled for."""

IMMORTAL = 1 << 30
"""The least reference count of an object that is never freed, such as a builtin type since 3.12."""

STABLE = "abi3t" if FREE_THREADED else "abi3"
"""The stable ABI that this CPython loads. Both are loaded since 3.15 with the interpreter lock."""

ABIS = (
    "cpython",
    *((STABLE,) if STABLE == "abi3" or sys.version_info >= (3, 15) else ()),
    "universal",
    "debug",
)
"""The ABIs that every test runs on: "debug" is the universal one, loaded in debug mode, which must
find nothing (`checked`). `compile_extension` and `load` know "hybrid" and "hybrid-debug" too."""

WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter")
"""Unused parameters are allowed: few functions need each of `ctx`, `self` and `args`."""

SUFFIXES = {
    "cpython": ".so",
    "abi3": ".abi3.so",
    "abi3t": ".abi3t.so",
    "universal": ".hpy0.so",
    "hybrid": ".hpy0.so",
}
DEBUG = {"debug": "universal", "hybrid-debug": "hybrid"}
"""What is compiled for the ABIs that are loaded in debug mode."""
CACHE_LIFE = 2 * 60 * 60


class CompileError(Exception):
    """The C compiler refused a source. The text is what the compiler said."""


def names(text):
    """The names in a comma-separated list: "f, g" is ["f", "g"]."""
    return [name.strip() for name in text.split(",") if name.strip()]


def module_source(source, defs="", *, types="", globals="", name="testmod"):
    """Completes C functions to the source of a module.

    source: what stands between `#include <hpy.h>` and the definition of the module.
    defs: the HPyDefs of the module, "f, g".
    types: types to create when the module is executed. "Point, Line" adds `Point` made from the
        HPyType_Spec `Point_spec`, and so on.
    globals: the HPyGlobals of the module.
    """
    entries = names(defs)
    parts = ["#include <hpy.h>", textwrap.dedent(source)]
    if types:
        entries.append("add_types")
        calls = "".join(
            f'    if (!HPyHelpers_AddType(ctx, mod, "{t}", &{t}_spec, NULL))\n        return -1;\n'
            for t in names(types)
        )
        parts.append(
            "HPyDef_SLOT(add_types, HPy_mod_exec)\n"
            f"static int add_types_impl(HPyContext *ctx, HPy mod)\n{{\n{calls}    return 0;\n}}"
        )
    pointers = "".join(f"&{entry}, " for entry in entries)
    parts.append(f"static HPyDef *module_defines[] = {{{pointers}NULL}};")
    fields = ".defines = module_defines"
    if globals:
        pointers = "".join(f"&{entry}, " for entry in names(globals))
        parts.append(f"static HPyGlobal *module_globals[] = {{{pointers}NULL}};")
        fields += ", .globals = module_globals"
    parts.append(f"static HPyModuleDef module_def = {{{fields}}};")
    parts.append(f"HPy_MODINIT({name}, module_def)\n")
    return "\n".join(parts)


def compile_extension(source, name, abi, *, language="c", flags=()):
    """Compiles C (or C++) to a shared library and returns its path.

    source: a complete source, or a list of them, one for each translation unit.
    language: "c" or "c++". The compilers are $CC and $CXX, by default `cc` and `c++`.
    flags: more compiler flags, after those of $HPY_TEST_CFLAGS.

    Libraries are kept by content: the same source, headers and flags give the same file, wherever
    the project lies. So a C static variable is shared by all tests that load the same source, and a
    universal library by all interpreters that run the tests.
    """
    abi = DEBUG.get(abi, abi)
    sources = [source] if isinstance(source, str) else list(source)
    command = compiler_command(abi, language) + list(flags)
    key = repr((sources, name, command, made_for(abi))).replace(str(ROOT), ".")
    folder = cache_folder() / abi / hashlib.sha256(key.encode()).hexdigest()[:32]
    library = folder / (name + SUFFIXES[abi])
    if not library.exists():
        build(sources, command, library, ".c" if language == "c" else ".cpp")
    return library


def compiler_command(abi, language):
    """The compiler and its flags, without files."""
    compiler = os.environ.get("CC", "cc") if language == "c" else os.environ.get("CXX", "c++")
    command = shlex.split(compiler) + ["-shared", "-fPIC", "-fvisibility=hidden", "-O1"]
    # Debug mode reads all of it; for the others, whose code is long, lines are enough.
    command += ["-g" if abi in DEBUG.values() else "-g1"]
    command += [*WARNINGS, "-DHPY", *abi_macros(abi), "-I", str(INCLUDE)]
    if language == "c++":
        # designated initialisers, and silence about those that are not written
        command += ["-std=c++20", "-Wno-missing-field-initializers"]
    if abi != "universal":
        command += ["-isystem", python_include(abi)]
    command.append(f"-ffile-prefix-map={ROOT}=.")
    return command + shlex.split(os.environ.get("HPY_TEST_CFLAGS", ""))


def python_include(abi):
    """Where `Python.h` is.

    $HPY_TEST_ABI3_INCLUDE, where it is set, is the place for ABI "abi3": the oldest CPython's.
    """
    own = sysconfig.get_path("include")
    return os.environ.get("HPY_TEST_ABI3_INCLUDE", own) if abi == "abi3" else own


def made_for(abi):
    """The interpreters that share a library of an ABI."""
    if abi == "universal":
        return "every Python"
    if abi == "abi3" and "HPY_TEST_ABI3_INCLUDE" in os.environ:
        return "every CPython"
    return sys.version


def abi_macros(abi):
    """The flags that choose an ABI."""
    if abi in LIMITED_APIS:
        macro = "Py_LIMITED_API" if abi == "abi3" else "Py_TARGET_ABI3T"
        return ["-DHPY_ABI_CPYTHON", f"-D{macro}=0x03{int(LIMITED_APIS[abi][2:]):02X}0000"]
    return [f"-DHPY_ABI_{abi.upper()}"]


def build(sources, command, library, suffix):
    """Compiles into a folder of our own and moves it in place: test processes may run at once."""
    library.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent.parent) as folder:
        output = Path(folder) / "output"
        output.mkdir()
        files = []
        for i, source in enumerate(sources):
            files.append(output / f"source{i}{suffix}")
            files[-1].write_text(source)
        command = [*command, f"-ffile-prefix-map={output}=."]
        command += [*map(str, files), "-o", str(output / library.name)]
        # What is loaded into this process to look at its memory would only slow the compiler down.
        environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            skip_if_limited(command, done.stderr)
            raise CompileError(f"{shlex.join(command)}\n{done.stderr}")
        try:
            output.rename(library.parent)
        except OSError:
            if not library.exists():  # else another process was faster
                raise


@cache
def limited_names(abi):
    """What the limited API of this ABI's tests lacks, according to the description."""
    names = set()
    for file in ("slots", "signatures", "shapes", "limited"):
        for entries in tomllib.loads((ROOT / "api" / f"{file}.toml").read_text()).values():
            names |= {entry["name"] for entry in entries if is_lacking(entry, abi)}
    return names


def is_lacking(entry, abi):
    since = entry.get("limited", "3.9")
    return since is False or int(since[2:]) > int(LIMITED_APIS[abi][2:])


def skip_if_lacking(abi, name):
    """Skips a test of what the limited API lacks, where that shows at run time."""
    assert name in limited_names("abi3")
    if abi in LIMITED_APIS and name in limited_names(abi):
        pytest.skip(f"{name}: the limited API of {LIMITED_APIS[abi]} does not have it")


def skip_if_limited(command, message):
    """Skips a test whose source the compiler refuses for what the limited API lacks."""
    refused = re.search(
        r"(\w+)(?:, \w+)* (needs the limited API of|is not in the limited API)", message
    )
    abi = next((abi for abi in LIMITED_APIS if set(abi_macros(abi)) <= set(command)), None)
    if abi and refused and refused[1] in limited_names(abi):
        pytest.skip(f"{refused[1]}: the limited API of {LIMITED_APIS[abi]} does not have it")


@cache
def headers_digest():
    """A digest of all our headers: a change of one makes every library stale."""
    digest = hashlib.sha256()
    for header in sorted(INCLUDE.rglob("*.h")):
        digest.update(str(header.relative_to(INCLUDE)).encode() + header.read_bytes())
    return digest.hexdigest()


@cache
def cache_folder():
    """Where the libraries of these headers are kept. Those of older headers are removed.

    $HPY_TEST_CACHE, where it is set, is the folder to use instead of one for temporary files.
    """
    own = Path(tempfile.gettempdir()) / f"hpy-tests-{os.getuid()}"
    root = Path(os.environ.get("HPY_TEST_CACHE", own))
    folder = root / headers_digest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for other in root.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process removes it as well
            if time.time() - other.stat().st_mtime > CACHE_LIFE:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def load(path, name, abi):
    """Loads a compiled extension as a new module, without touching `sys.modules`."""
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, str(path), loader=loader)
    if abi not in ("cpython", *LIMITED_APIS):
        return universal().load(name, str(path), spec, debug=abi in DEBUG)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def checked(*expected):
    """Fails if debug mode finds anything in the block but the `expected` codes, or misses one.

    The extension goes on after a finding, as far as that is possible.
    """
    universal()
    from hpy.universal import _debug

    from hpy.debug import LeakDetector

    found = {}

    def note():
        code, message = _debug.last_finding()
        found.setdefault(code, message)

    _debug.set_on_invalid_handle(note)
    _debug.set_on_invalid_builder_handle(note)
    try:
        with LeakDetector():
            yield
    finally:
        _debug.set_on_invalid_handle(None)
        _debug.set_on_invalid_builder_handle(None)
    assert set(found) == set(expected), "\n".join(found.values()) or "nothing was found"


def universal():
    """The module `hpy.universal`; a test that needs it fails, and says how to build it."""
    try:
        import hpy.universal
    except ImportError as error:
        pytest.fail(
            f"{sys.executable} cannot import hpy.universal ({error}). "
            "Build and install it first: python -m pip install . (in the root of the checkout)",
            pytrace=False,
        )
    return hpy.universal


def old_python():
    """The Python with hpy 0.9.0 that $HPY_OLD_PYTHON names; skips the test where none is named."""
    old = os.environ.get("HPY_OLD_PYTHON")
    if not old and sys.version_info >= (3, 13):
        pytest.skip("hpy 0.9.0 crashes on CPython 3.13 and later")
    if not old:
        pytest.skip("$HPY_OLD_PYTHON names no Python with hpy 0.9.0")
    return old


def runtime_abi():
    """The ABI of `hpy.universal` itself: "abi3" in the wheel for the limited API, or "cpython"."""
    file = str(getattr(universal(), "__file__", ""))
    return "abi3" if file.endswith(".abi3.so") else "cpython"


def collect():
    """Collects garbage: also what goes only once other objects have gone, after a finalizer."""
    for _ in range(COLLECTIONS):
        gc.collect()


def settle():
    """Lets objects go to which there is no reference any more.

    Where references are counted, they have gone already, and so nothing is done.
    """
    if COLLECTS_LATE:
        collect()


def no_leak(function, *tracked, rounds=200):
    """Fails if calling `function` again and again leaves objects behind.

    The reference counts of the `tracked` objects must be the same afterwards, and the number of
    allocated memory blocks must not grow with the number of calls; nor the number of all
    references, which a debug build of CPython counts. The interpreter's caches grow, too, but not
    with every call again and again; so it is a leak if that happens three times.

    A free-threaded Python keeps memory of each class and each module that ever was, and counts the
    references to classes apart. There only other objects are looked at.

    An interpreter that counts neither is only made to call `function` a few times.

    $HPY_TEST_ROUNDS, where it is set, is the number of rounds of every such check.
    """
    if not COUNTS:
        for _ in range(3):
            function()
        return
    rounds = int(os.environ.get("HPY_TEST_ROUNDS", rounds))
    if FREE_THREADED:
        tracked = [thing for thing in tracked if not issubclass(type(thing), type)]
    for _ in range(3):
        before, grown = references(tracked), totals()
        for _ in range(rounds):
            function()
        assert references(tracked) == before, "a tracked object gained or lost references"
        grown = {name: total - grown[name] for name, total in totals().items()}
        if FREE_THREADED or max(grown.values()) < rounds * 9 // 10:
            return
    pytest.fail(f"{rounds} calls leave behind: {grown}")


def totals():
    """What grows if the whole process leaks, by name."""
    found = {"memory blocks": sys.getallocatedblocks()}
    if DEBUG_BUILD:
        found["references"] = sys.gettotalrefcount()
    return found


def references(tracked):
    """The reference counts of some objects, once nothing is left that is only garbage.

    Those of immortal objects say nothing: CPython changes them no more, and abi3 extensions that
    were compiled before there were any still do.
    """
    gc.collect()
    return [count for count in map(sys.getrefcount, tracked) if count < IMMORTAL]
