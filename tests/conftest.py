"""Fixtures of the tests of the C API. How to write such a test: support.py."""

import gc

import pytest
import support
from hosts import pytest_collection_modifyitems  # noqa: F401 - a hook


@pytest.fixture(params=support.ABIS)
def abi(request):
    """The ABI that the test's extensions are compiled for.

    A test for other ones says `@pytest.mark.parametrize("abi", ["hybrid"])`.
    """
    return request.param


@pytest.fixture(scope="session")
def compile():
    """compile(source, name, abi, *, language="c", flags=()): the path of a compiled extension.

    `source` is complete, with `#include <hpy.h>` and HPy_MODINIT.
    """
    return support.compile_extension


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "finding(*codes): what debug mode finds, because the test does wrong on purpose"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Keeps the collector away from the thousands of tests, which it would walk at each check."""
    if hasattr(gc, "freeze"):
        gc.collect()
        gc.freeze()


@pytest.fixture
def debugged(abi, request):
    """Fails the test if its extensions are loaded in debug mode, and that finds something."""
    if abi not in support.DEBUG:
        yield
        return
    expected = {code for mark in request.node.iter_markers("finding") for code in mark.args}
    with support.checked(*expected):
        yield


@pytest.fixture
def module(abi, debugged):
    """module(source, defs, *, types, globals, name, language, flags): a loaded module.

    The arguments are those of `support.module_source` and `support.compile_extension`.
    """

    def make(source, defs="", *, types="", globals="", name="testmod", language="c", flags=()):
        complete = support.module_source(source, defs, types=types, globals=globals, name=name)
        path = support.compile_extension(complete, name, abi, language=language, flags=flags)
        return support.load(path, name, abi)

    return make


@pytest.fixture
def no_leak():
    """no_leak(function, *tracked, rounds=200): fails if calling `function` leaks references."""
    return support.no_leak
