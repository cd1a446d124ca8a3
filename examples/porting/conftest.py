"""Builds each step, each with the one command that README.md shows, and loads it."""

import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include"
# Unused parameters are allowed: few functions need all that Python passes.
CFLAGS = "-O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -shared -fPIC -fvisibility=hidden"
HPY = ["-I", INCLUDE]
PYTHON = ["-isystem", sysconfig.get_path("include")]

# The folder, the end of the file's name, the flags. Those with "debug" are loaded in debug mode.
STEPS = {
    "step0": ("step0", ".so", PYTHON),
    "step1-hybrid": ("step1", None, ["-DHPY_ABI_HYBRID", *HPY, *PYTHON]),
    "step1-hybrid-debug": ("step1", None, ["-DHPY_ABI_HYBRID", *HPY, *PYTHON]),
    "step1-cpython": ("step1", ".so", ["-DHPY_ABI_CPYTHON", *HPY, *PYTHON]),
    "step2-hybrid": ("step2", None, ["-DHPY_ABI_HYBRID", *HPY, *PYTHON]),
    "step2-hybrid-debug": ("step2", None, ["-DHPY_ABI_HYBRID", *HPY, *PYTHON]),
    "step2-cpython": ("step2", ".so", ["-DHPY_ABI_CPYTHON", *HPY, *PYTHON]),
    "step3-universal": ("step3", ".hpy0.so", ["-DHPY_ABI_UNIVERSAL", *HPY]),
    "step3-universal-debug": ("step3", ".hpy0.so", ["-DHPY_ABI_UNIVERSAL", *HPY]),
    "step3-cpython": ("step3", ".so", ["-DHPY_ABI_CPYTHON", *HPY, *PYTHON]),
}


def build(step, directory):
    """Compile a step to a shared library in `directory`; its path."""
    folder, suffix, flags = STEPS[step]
    if suffix is None:
        suffix = pytest.importorskip("hpy.devel.abitag").get_hpy_ext_suffix("hybrid")
    library = directory / f"points{suffix}"
    made = os.environ.get("HPY_EXAMPLES")  # a folder of universal libraries that were made before
    if made and step == "step3-universal":
        return Path(made) / library.name
    compiler = shlex.split(os.environ.get("CC", "cc")) + CFLAGS.split()
    extra = shlex.split(os.environ.get("HPY_TEST_CFLAGS", ""))
    source = HERE / folder / "points.c"
    subprocess.run([*compiler, *flags, *extra, source, "-o", library], check=True)
    return library


def load(path, debug=False):
    """Load a library, whichever its ABI is."""
    spec = ModuleSpec("points", ExtensionFileLoader("points", str(path)), origin=str(path))
    if ".hpy0" in path.name:
        universal = pytest.importorskip("hpy.universal")
        return universal.load("points", str(path), spec, debug=debug)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", params=list(STEPS))
def built(request, tmp_path_factory):
    """One of the modules under test."""
    step = request.param
    return load(build(step, tmp_path_factory.mktemp(step)), debug=step.endswith("-debug"))


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


@pytest.fixture
def points(built, monkeypatch):
    """The module, where pickle finds it."""
    monkeypatch.setitem(sys.modules, "points", built)
    return built
