"""abi3t extensions: one file for CPython since 3.15, with the interpreter lock and without.

It is compiled with the headers of each of both that is here, and loaded by each. Where they are
looked for says test_abi3.py.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import support
import test_abi3
from support import INCLUDE, ROOT

SOURCES = ["everything", "abi3_types"]
MACRO = "-DPy_TARGET_ABI3T=0x030F0000"


@functools.cache
def interpreters():
    """The first CPython 3.15 or later with the lock (False) and without: path, headers."""
    found = {}
    for path in test_abi3.candidates():
        done = subprocess.run([path, "-c", test_abi3.FACTS], capture_output=True, text=True)
        if done.returncode != 0:
            continue
        version, include, name, free_threaded = json.loads(done.stdout)
        if version >= [3, 15] and name == "cpython":
            found.setdefault(free_threaded, (path, include))
    return found


def interpreter(free_threaded):
    if free_threaded not in interpreters():
        kind = "free-threaded CPython" if free_threaded else "CPython with its lock"
        pytest.skip(f"there is no {kind} since 3.15 here")
    return interpreters()[free_threaded]


def compile_with(include, source, output, *flags, compiler="cc"):
    """Runs the compiler with the headers of some Python; those of Debian include their parent."""
    command = [compiler, "-shared", "-fPIC", "-fvisibility=hidden", "-g", "-O1", *support.WARNINGS]
    command += ["-DHPY_ABI_CPYTHON", *flags, "-I", INCLUDE, "-isystem", include]
    command += ["-isystem", Path(include).parent]
    return subprocess.run([*command, source, "-o", output], capture_output=True, text=True)


@pytest.fixture(params=[False, True], ids=["headers", "free-threaded headers"], scope="module")
def libraries(request, tmp_path_factory):
    """A folder with libraries that were compiled with the headers of one of both."""
    _, include = interpreter(request.param)
    if not (Path(include) / "Python.h").exists():
        pytest.skip("its headers are not here")
    folder = tmp_path_factory.mktemp("abi3t")
    for name in SOURCES:
        # The free-threaded headers take the limited API for that of abi3t.
        macro = "-DPy_LIMITED_API=0x030F0000" if request.param else MACRO
        (folder / name).mkdir()
        library = folder / name / f"{name}.abi3t.so"
        done = compile_with(include, ROOT / "tests" / "c" / f"{name}.c", library, macro)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("free_threaded", [False, True])
def test_one_file_for_both(libraries, free_threaded):
    path, _ = interpreter(free_threaded)
    environment = {**os.environ, "PYTHON_GIL": "0"}
    if not free_threaded:
        del environment["PYTHON_GIL"]
    everything = ["check_everything.py", libraries / "everything/everything.abi3t.so", "abi3t"]
    for script, *arguments in [everything, ["check_abi3.py", libraries / "abi3_types"]]:
        command = [path, "-X", "dev", ROOT / "tests" / "c" / script, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout


def test_the_entry_is_that_of_abi3t(libraries):
    """Nothing that has a PyModuleDef in it, which is larger without the lock."""
    for name in SOURCES:
        library = (libraries / name / f"{name}.abi3t.so").read_bytes()
        assert f"PyModExport_{name}".encode() in library
        assert f"PyInit_{name}".encode() not in library
        assert b"PyModuleDef_Init" not in library


def test_older_headers_are_refused(tmp_path):
    if sys.version_info >= (3, 15):
        pytest.skip("its headers have abi3t")
    source = tmp_path / "refused.c"
    source.write_text("#include <hpy.h>\n")
    include = support.sysconfig.get_path("include")
    done = compile_with(include, source, tmp_path / "refused.so", MACRO)
    assert done.returncode != 0
    assert "Py_TARGET_ABI3T needs the Python.h of CPython 3.15 or later" in done.stderr
