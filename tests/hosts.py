"""Which tests cannot pass on an interpreter, and why.

`tests/hosts/NAME.toml` lists them by what the interpreter does otherwise. Such a test is expected
to fail, and it is a failure if it passes. An interpreter without such a list passes all.

A pytest plugin: `pytest -p hosts`, with this folder in PYTHONPATH. Our tests have it anyway.
"""

import sys
from pathlib import Path

import pytest
import support

HOSTS = Path(__file__).resolve().parent / "hosts"


def name():
    """The interpreter's name: cpython3.14t, pypy7.3, graalpy24.2."""
    implementation = sys.implementation
    if implementation.name == "graalpy":
        digits = implementation.cache_tag[len("graalpy") :].partition("-")[0]
        return f"graalpy{digits[:2]}.{digits[2:]}"
    version = getattr(sys, "pypy_version_info", sys.version_info)
    text = f"{implementation.name}{version[0]}.{version[1]}"
    if implementation.name == "cpython":
        text += "t" * support.FREE_THREADED + "d" * support.DEBUG_BUILD
    return text


def defects():
    """What this interpreter does otherwise, as its list has it."""
    file = HOSTS / f"{name()}.toml"
    if not file.exists():
        return []
    return support.tomllib.loads(file.read_text(encoding="utf-8"))["defect"]


def pytest_collection_modifyitems(items):
    expect_defects(items)


def expect_defects(items, suite="tests"):
    """Marks the collected tests that cannot pass here; `suite` is the list that names them."""
    marks = {}
    for defect in defects():
        mark = pytest.mark.xfail(reason=defect["what"], run="not_run" not in defect, strict=True)
        marks.update(dict.fromkeys(defect.get(suite, ()), mark))
    for item in items:
        mark = marks.get(item.nodeid.removeprefix("tests/").removeprefix("test/"))
        if mark is not None:
            item.add_marker(mark)
