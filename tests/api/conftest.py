"""Marks that say which function of the API a test is about.

Every test in this folder carries one or more::

    @pytest.mark.api("HPy_Add", "HPy_Subtract")             # the good case
    @pytest.mark.api("HPy_Add", case="error")               # bad input, or an exception on the way

`test_complete.py` compares the marks with the description in `api/`: a function or slot without a
test is a failing test. A mark counts only if a C source of its file mentions the name, so that it
cannot outlive the call.
"""

import inspect
import re

import pytest

CASES = ("good", "error")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", 'api(*names, case="good"): the functions or slots that the test is about'
    )


@pytest.fixture(scope="session")
def marks(request):
    """The marks of all collected tests: a set of (name, case)."""
    found = set()
    for item in request.session.items:
        for mark in item.iter_markers("api"):
            case = mark.kwargs.get("case", "good")
            assert case in CASES, f"{item.nodeid}: unknown case {case!r}"
            for name in mark.args:
                check_source(item, name)
                found.add((name, case))
    return found


def check_source(item, name):
    """Fails unless the test's file mentions the name (of a slot, `nb_add`) outside of marks."""
    mention = re.sub("^HPy_(?=[a-z]+_)", "", name)
    lines = inspect.getsource(item.module).splitlines()
    mentioned = any(mention in line and "mark.api" not in line for line in lines)
    assert mentioned, f"{item.nodeid} is marked with {name}, which its file does not use"
