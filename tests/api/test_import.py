"""Imports from C."""

import os.path
import sys
import xml.dom

import pytest
from outcomes import Boom, attempt, functions

SOURCE = """
FUNCTION(HPyImport_ImportModule, return HPyImport_ImportModule(ctx, text(ctx, args[0]));)
"""


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a good and a bad module, which is forgotten after the test."""
    folder = tmp_path / "hpy_imported"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "fine.py").write_text("value = 42\n")
    (folder / "naïve.py").write_text("value = 43\n", encoding="utf-8")
    (folder / "raises.py").write_text("from outcomes import Boom\nraise Boom('in a module')\n")
    (folder / "wrong.py").write_text("no Python\n")
    (folder / "needs.py").write_text("import hpy_imported.missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder.name
    for name in list(sys.modules):
        if name.split(".")[0] == folder.name:
            del sys.modules[name]


@pytest.mark.api("HPyImport_ImportModule")
def test_import(mod, package, no_leak):
    assert mod.HPyImport_ImportModule(b"sys") is sys
    assert mod.HPyImport_ImportModule(b"os.path") is os.path
    assert mod.HPyImport_ImportModule(b"xml.dom") is xml.dom
    fine = mod.HPyImport_ImportModule(f"{package}.fine".encode())
    assert fine.value == 42
    assert sys.modules[f"{package}.fine"] is fine
    assert mod.HPyImport_ImportModule(f"{package}.naïve".encode()).value == 43
    no_leak(lambda: mod.HPyImport_ImportModule(b"os.path"), os.path)


@pytest.mark.api("HPyImport_ImportModule", case="error")
def test_import_fails(mod, package, no_leak):
    def load(name):
        return mod.HPyImport_ImportModule(name if isinstance(name, bytes) else name.encode())

    with pytest.raises(ModuleNotFoundError, match="hpy_no_such_module"):
        load("hpy_no_such_module")
    with pytest.raises(ModuleNotFoundError):
        load(f"{package}.missing")
    with pytest.raises(ModuleNotFoundError, match="missing"):
        load(f"{package}.needs")
    with pytest.raises(ModuleNotFoundError, match="not a package"):
        load(f"{package}.fine.inner")
    with pytest.raises(Boom, match="in a module"):
        load(f"{package}.raises")
    assert f"{package}.raises" not in sys.modules
    with pytest.raises(SyntaxError):
        load(f"{package}.wrong")
    with pytest.raises(ValueError, match="mpty module name"):
        load("")
    with pytest.raises(UnicodeDecodeError):
        load(b"\xff")
    no_leak(lambda: attempt(load, b"hpy_no_such_module"))
    no_leak(lambda: attempt(load, f"{package}.raises"), rounds=50)
    no_leak(lambda: attempt(load, b"\xff"))
