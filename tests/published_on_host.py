"""A pytest plugin that runs the published suite of hpy 0.9.0 without distutils.

`pytest -p published_on_host`, with this folder in PYTHONPATH. The suite builds its extensions with
distutils, inside the Python that it tests; here one call of the C compiler does the same, once for
all Pythons. What the host is known not to pass is in `tests/hosts`, under `published`.
"""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType, SimpleNamespace

import hosts
import support

from hpy.devel.abitag import get_hpy_ext_suffix


class CompileError(Exception):
    """The C compiler refused an extension; the suite asks for the class by this name."""


def stand_in():
    """Makes what the suite imports of distutils."""
    distutils = ModuleType("distutils")
    distutils.core = ModuleType("distutils.core")
    distutils.core.Extension = lambda name, **fields: SimpleNamespace(name=name, **fields)
    distutils.errors = ModuleType("distutils.errors")
    distutils.errors.CompileError = CompileError
    for module in (distutils, distutils.core, distutils.errors):
        sys.modules[module.__name__] = module


def c_compile(tmpdir, ext, hpy_devel, hpy_abi, compiler_verbose=0, debug=None):
    """Compiles an extension of the suite and returns the path of the library.

    It is kept by its sources in the cache of our tests, and copied to where distutils makes it.
    """
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-shared", "-fPIC", *ext.extra_compile_args, *ext.extra_link_args]
    command += ["-DHPY", f"-DHPY_ABI_{hpy_abi.upper()}"]
    # As setuptools does: Python.h is refused in universal mode.
    forbidden = [support.INCLUDE / "hpy" / "forbid_python_h"] if hpy_abi == "universal" else []
    for folder in (*forbidden, support.INCLUDE, *(ext.include_dirs or ())):
        command += ["-I", str(folder)]
    if hpy_abi != "universal":
        command += ["-I", sysconfig.get_path("include")]
    sources = [Path(tmpdir, source) for source in ext.sources]
    texts = [source.read_bytes() for source in sources]
    key = hashlib.sha256(repr((command, texts)).encode()).hexdigest()[:32]
    library = support.cache_folder() / "published" / key / f"{ext.name}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        made = library.with_suffix(f".{os.getpid()}")
        # What the compiler says is looked for in the output of the process.
        done = subprocess.run([*command, *map(str, sources), "-o", str(made)])
        if done.returncode != 0:
            raise CompileError(shlex.join(command))
        made.replace(library)
    return str(shutil.copy(library, Path(tmpdir, ext.name + get_hpy_ext_suffix(hpy_abi))))


def pytest_collection_modifyitems(items):
    if "test.support" in sys.modules:
        sys.modules["test.support"].c_compile = c_compile
    hosts.expect_defects(items, "published")


stand_in()
