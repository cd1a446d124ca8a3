"""Builds the example's modules, each with the one command that README.md shows, and loads them."""

import importlib.util
import os
import shlex
import subprocess
import sysconfig
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
CFLAGS = ["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
PYTHON_INCLUDE = ["-I", sysconfig.get_path("include")]

MODULES = {
    "cpython": ("hpyjson", ".so", ["-DHPY_ABI_CPYTHON", "-I", INCLUDE, *PYTHON_INCLUDE]),
    "universal": ("hpyjson", ".hpy0.so", ["-DHPY_ABI_UNIVERSAL", "-I", INCLUDE]),
    "cjson": ("cjson", ".so", PYTHON_INCLUDE),
}
MODULES["debug"] = MODULES["universal"]  # the same library, loaded in debug mode


def build(directory, name, suffix, flags):
    """Compile NAME.c to a shared library in `directory`; its path."""
    library = directory / (name + suffix)
    made = os.environ.get("HPY_EXAMPLES")  # a folder of universal libraries that were made before
    if made and ".hpy0." in suffix:
        return Path(made) / library.name
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, *CFLAGS, *flags, HERE / f"{name}.c", "-o", library], check=True)
    return library


def load(name, path, debug=False):
    """Load a library, whichever its ABI is."""
    spec = ModuleSpec(name, ExtensionFileLoader(name, str(path)), origin=str(path))
    if ".hpy0." in path.name:
        universal = pytest.importorskip("hpy.universal")
        return universal.load(name, str(path), spec, debug=debug)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", params=list(MODULES))
def mod(request, tmp_path_factory):
    """One of the modules under test."""
    name, suffix, flags = MODULES[request.param]
    library = build(tmp_path_factory.mktemp(request.param), name, suffix, flags)
    return load(name, library, debug=request.param == "debug")


@pytest.fixture(autouse=True)
def nothing_left_open():
    """Fail a test that leaves handles open, as far as modules are loaded in debug mode."""
    try:
        from hpy.debug import LeakDetector
    except ImportError:  # so there are modules of the CPython ABI only
        yield
        return
    with LeakDetector():
        yield
