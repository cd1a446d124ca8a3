"""abi3 extensions: compiled once with the headers of CPython 3.9, loaded by all later ones, too.

The interpreters are those of $HPY_MATRIX_PYTHONS (paths, separated as in $PATH), of pyenv, and on
$PATH. The API itself is tested in tests/api, where abi3 is one of the ABIs.
"""

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import support
from support import INCLUDE, ROOT

OLDEST = 9
VERSIONS = range(OLDEST, 16)


FACTS = """
import json, sys, sysconfig
print(json.dumps([sys.version_info[:2], sysconfig.get_path("include"), sys.implementation.name,
                  bool(sysconfig.get_config_var("Py_GIL_DISABLED"))]))
"""


def candidates():
    """The paths at which interpreters may be."""
    yield from map(Path, filter(None, os.environ.get("HPY_MATRIX_PYTHONS", "").split(os.pathsep)))
    yield Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob("versions/3.*/bin/python"))
    for minor in VERSIONS:
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)


@functools.cache
def interpreters():
    """The first interpreter of each minor version: its path and its include directory."""
    found = {}
    for path in candidates():
        done = subprocess.run([path, "-c", FACTS], capture_output=True, text=True)
        if done.returncode != 0:
            continue
        (major, minor), include, name, free_threaded = json.loads(done.stdout)
        if major == 3 and minor >= OLDEST and name == "cpython" and not free_threaded:
            found.setdefault(minor, (path, include))
    return found


def interpreter(minor):
    if minor not in interpreters():
        pytest.skip(f"there is no CPython 3.{minor} here")
    return interpreters()[minor]


def compile_with(include, name, folder):
    """Compiles a source for its limited API with the headers of some Python."""
    oldest, source = SOURCES[name]
    output = folder / f"{name}.abi3.so"
    command = ["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-g", "-O1", *support.WARNINGS]
    command += ["-DHPY_ABI_CPYTHON", f"-DPy_LIMITED_API=0x03{oldest:02X}0000"]
    command += ["-I", INCLUDE, "-isystem", include]
    done = subprocess.run([*command, source, "-o", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output


SOURCES = {
    "abi3_types": (9, ROOT / "tests" / "c" / "abi3_types.c"),
    "hpyjson": (9, ROOT / "examples" / "json" / "hpyjson.c"),
    "points": (11, ROOT / "examples" / "porting" / "step3" / "points.c"),
}
"""The sources by name, and the oldest CPython that each can be for: points has buffers."""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """A folder for each limited API with libraries that were compiled with its own headers."""
    folders = {}
    for name, (oldest, _) in SOURCES.items():
        if has_headers(oldest):
            folder = folders.setdefault(oldest, tmp_path_factory.mktemp("abi3"))
            compile_with(interpreters()[oldest][1], name, folder)
    return folders


def has_headers(minor):
    return minor in interpreters() and (Path(interpreters()[minor][1]) / "Python.h").exists()


@pytest.mark.parametrize("minor", VERSIONS)
def test_one_file_for_every_python(libraries, minor):
    path, _ = interpreter(minor)
    script = ROOT / "tests" / "c" / "check_abi3.py"
    folders = {oldest: folder for oldest, folder in libraries.items() if oldest <= minor}
    assert folders or not has_headers(OLDEST)
    if not folders:
        pytest.skip("the headers of CPython 3.9 are not here")
    for oldest, folder in folders.items():
        command = [path, "-X", "dev", script, folder]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        names = [name for name, (needed, _) in SOURCES.items() if needed == oldest]
        assert done.stdout.split() == [*names, "done"]


@pytest.mark.skipif(
    importlib.util.find_spec("abi3audit") is None, reason="abi3audit is not installed"
)
@pytest.mark.parametrize("minor", sorted({OLDEST, sys.version_info[1]}))
def test_nothing_but_the_limited_api(tmp_path, minor):
    """Whichever headers it was compiled with."""
    _, include = interpreter(minor)
    if not has_headers(minor):
        pytest.skip(f"the headers of CPython 3.{minor} are not here")
    for name, (oldest, _) in SOURCES.items():
        if oldest <= minor:
            library = compile_with(include, name, tmp_path)
            command = [sys.executable, "-m", "abi3audit", "--strict", "--verbose"]
            command += ["--assume-minimum-abi3", f"3.{oldest}", library]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            said = " ".join((done.stdout + done.stderr).split())
            assert "0 ABI version mismatches and 0 ABI violations found" in said


REFUSED = {
    "HPy_bf_getbuffer": (
        """
        HPyDef_SLOT(f, HPy_bf_getbuffer)
        static int f_impl(HPyContext *ctx, HPy self, HPy_buffer *view, int flags) { return 0; }
        """,
        "needs the limited API of CPython 3.11: define Py_LIMITED_API as 0x030B0000 or later",
    ),
    "HPyType_BuiltinShape_Long": (
        """
        typedef struct { long value; } Number;
        HPyType_HELPERS(Number, HPyType_BuiltinShape_Long)
        """,
        "is not in the limited API: leave out Py_LIMITED_API",
    ),
}


@pytest.mark.parametrize("compiler", ["gcc", "clang", "g++", "clang++"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_lacking_is_refused_by_name(tmp_path, name, compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source, reason = REFUSED[name]
    path = tmp_path / ("refused.cpp" if "++" in compiler else "refused.c")
    path.write_text("#include <hpy.h>\n" + source)
    _, include = interpreter(sys.version_info[1])
    flags = [*support.abi_macros("abi3"), "-I", INCLUDE, "-isystem", include]
    done = subprocess.run(
        [compiler, "-c", *flags, path, "-o", os.devnull], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert name in done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize(
    "version, reason",
    [
        ("3", "define Py_LIMITED_API as 0x03090000 or later"),
        ("0x03080000", "define Py_LIMITED_API as 0x03090000 or later"),
        ("0x03630000", "Py_LIMITED_API is newer than this Python.h"),
    ],
)
def test_a_limited_api_that_will_not_do(tmp_path, version, reason):
    path = tmp_path / "refused.c"
    path.write_text("#include <hpy.h>\n")
    _, include = interpreter(sys.version_info[1])
    flags = ["-DHPY_ABI_CPYTHON", f"-DPy_LIMITED_API={version}", "-I", INCLUDE, "-isystem", include]
    done = subprocess.run(
        ["cc", "-c", *flags, path, "-o", os.devnull], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert reason in done.stderr
