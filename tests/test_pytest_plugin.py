"""The pytest plugin: what it switches on, what fails, and what it shows."""

import importlib.metadata
import os
import re
import subprocess
import sys

import leaky
import pytest

INSTALLED = any(
    point.value == "pytest_hpy"
    for distribution in importlib.metadata.distributions()
    for point in distribution.entry_points
)
"""Whether pytest finds the plugin by itself; not where hpy is only on PYTHONPATH."""

HEAD = """
import hpy._import_hook; hpy._import_hook.install()
import leaky, pytest
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The path of the extension `leaky`."""
    return leaky.compiled(tmp_path_factory.mktemp("leaky"))


@pytest.fixture
def run(path, tmp_path):
    """run(tests, *options, **environment): what pytest says about tests that can import `leaky`."""

    def run(tests, *options, **environment):
        (tmp_path / "test_it.py").write_text(HEAD + tests)
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("HPY", "PYTEST"))}
        search = os.pathsep.join([str(path.parent), os.environ.get("PYTHONPATH", "")])
        plugin = [] if INSTALLED else ["-p", "hpy._pytest_plugin"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *options],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**variables, "PYTHONPATH": search, **environment},
        )

    return run


def outcomes(done):
    """The counts of the last line: {"passed": 1, "failed": 2}."""
    lines = done.stdout.strip().splitlines()
    return {what: int(count) for count, what in re.findall(r"(\d+) ([a-z]+)", lines[-1])}


LEAK = """
def test_leak():
    leaky.leak("forgotten")
    leaky.leak("too")

def test_good():
    assert leaky.call(dict) == {}
"""


def test_a_test_that_leaks_fails_with_its_report(run):
    done = run(LEAK, "--hpy-debug", HPY_DEBUG_TRACES="8")
    assert done.returncode == 1 and outcomes(done)["failed"] == outcomes(done)["passed"] == 1
    assert "HPy debug mode: 2 unclosed handles\n" in done.stdout
    section = re.search(r"^-+ HPy debug mode -+$(.*?)^=", done.stdout, re.DOTALL | re.MULTILINE)[1]
    assert (
        f"2 handles opened at {leaky_file(section)}:{leaky.line('leaked')} in leak_impl\n"
        in section
    )
    assert "| HPy_Dup(ctx, arg); // leaked\n" in section
    assert "the objects: 'forgotten', 'too'\n" in section
    assert done.stdout.count("opened at") == 1
    assert done.stderr == ""


def leaky_file(text):
    """The path of the C source, as a report has it."""
    return re.search(r"\S+leaky\.c", text)[0]


def test_without_the_option_nothing_is_checked(run):
    assert outcomes(run(LEAK)) == {"passed": 2}


def test_the_setting_is_the_same_as_the_option(run, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nhpy_debug = true\n")
    assert outcomes(run(LEAK)) == {"failed": 1, "passed": 1}
    assert outcomes(run(LEAK, "-o", "hpy_debug=false")) == {"passed": 2}


def test_the_environment_says_which_modules(run):
    assert outcomes(run(LEAK, "--hpy-debug", HPY="other:debug")) == {"passed": 2}
    assert outcomes(run(LEAK, "--hpy-debug", HPY="leaky:debug")) == {"failed": 1, "passed": 1}
    assert outcomes(run(LEAK, "--hpy-debug", HPY="universal")) == {"failed": 1, "passed": 1}


def test_each_phase_is_checked(run):
    tests = """
@pytest.fixture
def before():
    leaky.leak("in setup")

@pytest.fixture
def after():
    yield
    leaky.leak("in teardown")

def test_before(before): pass
def test_after(after): pass
"""
    done = run(tests, "--hpy-debug")
    assert outcomes(done) == {"passed": 1, "errors": 2}
    assert "at setup of test_before" in done.stdout and "at teardown of test_after" in done.stdout
    assert "'in setup'" in done.stdout and "'in teardown'" in done.stdout


def test_markers(run):
    tests = """
@pytest.mark.no_hpy_debug
def test_exempt():
    leaky.leak(1)

def test_plain():
    leaky.leak(2)

@pytest.mark.hpy_debug
def test_marked():
    leaky.leak(3)

@pytest.mark.xfail(strict=True)
def test_known():
    leaky.leak(4)
"""
    strict = "--strict-markers"
    done = run(tests, "--hpy-debug", strict)
    assert outcomes(done) == {"failed": 2, "passed": 1, "xfailed": 1}
    # Without the option, a marked test is checked where debug mode is on.
    assert outcomes(run(tests, strict, HPY="debug"))["failed"] == 2
    assert "FAILED test_it.py::test_marked" in run(tests, strict, HPY="debug").stdout


def test_a_failure_of_the_test_itself_comes_first(run):
    done = run("def test_it():\n    leaky.leak('x')\n    assert 1 == 2", "--hpy-debug")
    assert "assert 1 == 2" in done.stdout and "FAILED test_it.py::test_it - assert" in done.stdout
    assert "1 unclosed handle:" in done.stdout


def test_a_finding_fails_the_test_and_is_shown(run):
    tests = """
def test_it():
    leaky.close_twice("x")

def test_other():
    assert leaky.call(dict) == {}
"""
    done = run(tests, "--hpy-debug")
    assert outcomes(done) == {"failed": 1, "passed": 1}
    assert "HPy debug mode: HPY-D003: a handle is closed twice\n" in done.stdout
    assert "| HPy_Close(ctx, h); // again\n" in done.stdout
    assert "test_it.py:6 in test_it\n" in done.stdout


def test_what_a_hook_is_called_for_does_not_fail_the_test(run):
    tests = """
from hpy.universal import _debug

def test_it():
    called = []
    _debug.set_on_invalid_handle(lambda: called.append(1))
    leaky.close_twice("x")
    _debug.set_on_invalid_handle(None)
    assert called == [1]
"""
    assert outcomes(run(tests, "--hpy-debug")) == {"passed": 1}


@pytest.mark.parametrize("how", [{"option": "--hpy-debug"}, {"HPY": "debug"}], ids=str)
def test_the_last_message_is_not_captured(run, how):
    tests = "def test_it():\n    leaky.keep_context()\n    leaky.use_context()\n"
    done = run(
        tests, *filter(None, [how.get("option")]), **{k: v for k, v in how.items() if k == "HPY"}
    )
    assert done.returncode < 0
    assert "HPY-D013: a context is used after its call\n" in done.stderr
    assert "test_it.py:6 in test_it" in done.stderr


def test_what_is_left_open_by_imports_fails_the_run(run):
    done = run("leaky.leak('imported')\ndef test_it(): pass\n", "--hpy-debug")
    assert outcomes(done) == {"passed": 1} and done.returncode == 1
    assert "while the tests were collected" in done.stdout and "'imported'" in done.stdout
    assert done.stderr == ""


def test_the_processes_of_xdist(run):
    pytest.importorskip("xdist")
    tests = "leaky.leak('imported')\n" + LEAK
    done = run(tests, "--hpy-debug", "-n", "2")
    assert outcomes(done) == {"failed": 1, "passed": 1} and done.returncode == 1
    assert "the objects: 'forgotten', 'too'\n" in done.stdout
    assert done.stdout.count("the object: 'imported'") == 1


def test_colour(run):
    assert "\x1b[1;31mHPY-D001" in run(LEAK, "--hpy-debug", "--color=yes").stdout
    assert "\x1b" not in run(LEAK, "--hpy-debug", "--color=no").stdout


def test_help(run):
    said = re.sub(r"\s+", " ", run("", "--help").stdout)
    assert "--hpy-debug Load universal and hybrid HPy extensions in debug mode" in said
    assert "hpy_debug (bool): The same as --hpy-debug." in said
    assert "@pytest.mark.no_hpy_debug" in run("", "--markers").stdout


def test_the_plugin_imports_nothing_until_it_is_used():
    code = "import sys, hpy._pytest_plugin; print({'hpy.debug', 'hpy.universal'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr


def test_the_package_works_without_pytest():
    code = """
import sys
sys.modules["pytest"] = None  # what is not installed cannot be imported
import hpy.debug
print(hpy.debug.leaks())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "nothing is unclosed\n", done.stderr
