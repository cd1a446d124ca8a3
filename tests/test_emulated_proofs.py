"""What interpreters do otherwise over whose C API the runtime works is shown without HPy.

`tests/hosts/NAME.toml` names the proofs of each difference; `tests/hosts/proofs/emulated/NAME.py`
has a function for each, which takes the module that is made of NAME.c, a plain extension for the
Python/C API of that interpreter.
"""

import hashlib
import importlib.machinery
import importlib.util
import os
import shlex
import sysconfig

import hosts
import pytest
import support

PROOFS = hosts.HOSTS / "proofs" / "emulated"
SOURCE = PROOFS / f"{hosts.name()}.c"
DEFECTS = hosts.defects() if SOURCE.exists() else []


def load(path, name, loader_class):
    loader = loader_class(name, str(path))
    spec = importlib.util.spec_from_file_location(name, str(path), loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def proofs():
    """The compiled module."""
    source = SOURCE.read_text(encoding="utf-8")
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC"]
    command += ["-I", sysconfig.get_path("include")]
    key = hashlib.sha256(repr((source, command)).encode()).hexdigest()[:32]
    library = support.cache_folder() / "proofs" / key / "proofs.so"
    if not library.exists():
        support.build([source], command, library, ".c")
    return load(library, "proofs", importlib.machinery.ExtensionFileLoader)


@pytest.mark.skipif(not DEFECTS, reason="the runtime is over no other C API than CPython's")
@pytest.mark.parametrize(
    "defect", DEFECTS, ids=lambda defect: "universal-" + "+".join(defect["proofs"])
)
def test_a_reason_is_the_interpreters_own(defect, proofs):
    script = load(SOURCE.with_suffix(".py"), "script", importlib.machinery.SourceFileLoader)
    for proof in defect["proofs"]:
        getattr(script, proof)(proofs)
