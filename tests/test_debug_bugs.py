"""Every class of findings: what commits the bug is reported, and its correct twin is not.

The table of them in docs/debug/README.md says what the runs said. HPY_WRITE_DOCS=1 writes it, in
one process: `HPY_WRITE_DOCS=1 pytest tests/test_debug_bugs.py`.
"""

import os
import re
import sys

import pytest
import support
from debug_bugs import BUGS, TITLES, run

README = support.ROOT / "docs" / "debug" / "README.md"
BEGIN, END = "<!-- begin: tests/test_debug_bugs.py -->\n", "<!-- end: tests/test_debug_bugs.py -->"
WRITE = os.environ.get("HPY_WRITE_DOCS")
HEAD = """\
| code | the bug | its program | reported at | twin |
|---|---|---|---|---|
"""

DETECTED = """
import textwrap
from hpy.debug import LeakDetector
with LeakDetector():
    exec(textwrap.dedent({program!r}), globals())
"""

RAISING = """
import textwrap
try:
    exec(textwrap.dedent({program!r}), globals())
except Exception as error:
    print(type(error).__name__)
"""

HOOKED = """
import textwrap
from hpy.universal import _debug
called = []
_debug.set_on_invalid_handle(lambda: called.append("handle"))
_debug.set_on_invalid_builder_handle(lambda: called.append("builder"))
raised = ""
try:
    exec(textwrap.dedent({program!r}), globals())
except Exception as error:
    raised = type(error).__name__
code, message = _debug.last_finding()
print(*called, code, message.partition(":")[0], raised)
"""


def environment(bug):
    """The environment variables of the bug's processes."""
    traces = {"HPY_DEBUG_TRACES": "8"} if bug.leak else {}
    return {"HPY_DEBUG_ACTION": "abort", **traces, **bug.environment}


@pytest.fixture(scope="module")
def rows():
    """The rows of the table that this process has seen, by the names of their bugs."""
    return {}


def test_every_class_has_a_bug():
    assert set(TITLES) - {bug.code for bug in BUGS} == set()
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert sorted(BUGS, key=lambda bug: bug.code) == BUGS


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_bug_is_reported_with_its_place(bug, rows):
    program = DETECTED.format(program=bug.program) if bug.leak else bug.program
    done = run(bug.compiled(bug.wrong), program, **environment(bug))
    said = done.stderr
    assert done.returncode == (1 if bug.leak else -bug.signal), done
    assert f"{bug.code}: {TITLES[bug.code]}\n" in said
    assert f"  in {bug.place}" in said or bug.leak
    assert f"docs/debug/{bug.code}.md" in said
    line, function, is_whole = bug.line()
    file = re.escape(f"{bug.name}.c")
    found = re.search(rf" at \S*\b{file}:(\d+) in {function}$", said, re.MULTILINE)
    assert found, said
    # Optimised code may begin at any line of a short function.
    assert line <= int(found[1]) <= line + (3 if is_whole else 0), said
    shown = f"{bug.name}.c:{line} in {function}{', as a whole' if is_whole else ''}"
    place = f"{bug.place}, {shown}" if bug.place else shown
    row = f"| {bug.code} | {TITLES[bug.code]} | `{bug.name}` | {place} | silent |"
    rows[bug.name] = row
    assert WRITE or row in table(), "HPY_WRITE_DOCS=1 writes the table"


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_its_correct_twin_is_silent(bug):
    program = DETECTED.format(program=bug.program)
    done = run(bug.compiled(bug.right), program, **environment(bug))
    assert (done.returncode, done.stderr) == (0, ""), done


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.soft], ids=str)
def test_a_soft_finding_is_a_warning(bug):
    program = RAISING.format(program=bug.program)
    raised = f"{bug.raises}\n".lstrip()
    path = bug.compiled(bug.wrong)
    done = run(path, program, HPY_DEBUG_ACTION="")
    assert (done.returncode, done.stdout) == (0, raised), done
    assert done.stderr.startswith(f"{bug.code}: {TITLES[bug.code]}\n")
    done = run(path, program, HPY_DEBUG_ACTION="raise")
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout in (raised, "SystemError\n"), done


@pytest.mark.parametrize("bug", [bug for bug in BUGS if not bug.leak], ids=str)
def test_a_hook_is_called_instead(bug):
    done = run(bug.compiled(bug.wrong), HOOKED.format(program=bug.program), **environment(bug))
    if bug.hook is None:
        assert done.returncode == -bug.signal, done
        return
    raised = bug.raises.split()
    if bug.code == "HPY-D002" and sys.implementation.name == "rustpython":
        # Its handles are no addresses, which an object may still be found at.
        raised = ["SystemError"]
    assert done.stdout.split() == [bug.hook, bug.code, bug.code, *raised], done


def table():
    """The rows of the table in the documentation."""
    text = README.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    return text.removeprefix(HEAD).splitlines()


def test_the_table_has_a_row_for_each_bug(rows):
    if WRITE:
        before, _, after = README.read_text("utf-8").partition(BEGIN)
        lines = "".join(rows[bug.name] + "\n" for bug in BUGS)
        README.write_text(before + BEGIN + HEAD + lines + END + after.partition(END)[2], "utf-8")
    names = [row.split("`")[1] for row in table()]
    assert names == [bug.name for bug in BUGS]
