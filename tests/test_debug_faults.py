"""Faults in memory that debug mode protects: who says what before the process ends."""

import signal
import sys

import pytest
from debug_bugs import BUGS, compiled, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="memory is not protected there")

FAULT = next(bug for bug in BUGS if bug.name == "text_written")
QUIET = {"HPY": "", "HPY_DEBUG_ACTION": "", "HPY_DEBUG_TRACES": ""}


@pytest.fixture(scope="module")
def library():
    return FAULT.compiled(FAULT.wrong)


@pytest.mark.parametrize(
    "variable", ["HPY=debug", "HPY_DEBUG_ACTION=warn", "HPY_DEBUG_TRACES=4", "HPY=debugged:debug"]
)
def test_the_environment_asks_for_the_message(library, variable):
    name, _, value = variable.partition("=")
    done = run(library, FAULT.program, **{**QUIET, name: value})
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.startswith("HPY-D040: ")


def test_who_loads_by_hand_asks_for_the_message(library):
    done = run(library, FAULT.program, **QUIET)
    assert (done.returncode, done.stderr) == (-signal.SIGSEGV, "")
    program = "import hpy.debug\nhpy.debug.report_faults()\nhpy.debug.report_faults()\n"
    done = run(library, program + FAULT.program, **QUIET)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.startswith("HPY-D040: ")
    assert done.stderr.count("HPY-D040: ") == 1


@pytest.mark.parametrize("first", ["faulthandler", "hpy.debug"])
def test_the_signal_goes_on_to_who_handles_it(library, first):
    calls = ["import faulthandler; faulthandler.enable()"]
    calls.insert(first == "faulthandler", "import hpy.debug; hpy.debug.report_faults()")
    done = run(library, "\n".join([*calls, FAULT.program]), **QUIET)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.count("HPY-D040: ") == 1, done.stderr
    assert "Fatal Python error: Segmentation fault" in done.stderr


def test_a_fault_elsewhere_is_none_of_ours(library):
    program = "import ctypes; ctypes.string_at(16)"
    done = run(library, program, **{**QUIET, "HPY_DEBUG_ACTION": "abort"})
    assert (done.returncode, done.stderr) == (-signal.SIGSEGV, "")


def test_a_signal_that_was_sent_ends_the_process(library):
    program = "import os, signal; os.kill(os.getpid(), signal.SIGBUS)"
    done = run(library, program, **{**QUIET, "HPY_DEBUG_ACTION": "abort"})
    assert done.returncode == -signal.SIGBUS


def test_a_handler_in_python_is_called(library):
    program = """
    import signal
    signal.signal(signal.SIGBUS, lambda *_: print("called"))
    import hpy.debug, os
    hpy.debug.report_faults()
    os.kill(os.getpid(), signal.SIGBUS)
    """
    done = run(library, program, **QUIET)
    assert (done.returncode, done.stdout) == (0, "called\n"), done


def test_another_thread_faults():
    source = """
    FUNCTION(demo)
        const char *text = HPyUnicode_AsUTF8AndSize(ctx, arg, NULL);
        ((char *)text)[1] = 'x';
        return none(ctx);
    END
    """
    program = """
    import threading
    thread = threading.Thread(target=mod.demo, args=("thing",))
    thread.start()
    thread.join()
    """
    done = run(compiled(source.replace("\n    ", "\n")), program, HPY_DEBUG_ACTION="abort")
    assert done.returncode == -signal.SIGSEGV
    assert "used at" in done.stderr and "in demo_impl" in done.stderr, done
