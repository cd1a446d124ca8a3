"""What ends the process, or prints to its standard error stream: each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
import support
from outcomes import functions

SOURCE = r"""
FUNCTION(HPy_FatalError, HPy_FatalError(ctx, text(ctx, args[0]));)
FUNCTION(fatal_outside,
    HPy_BEGIN_LEAVE_PYTHON(ctx)
    HPy_FatalError(ctx, "outside of Python");
    HPy_END_LEAVE_PYTHON(ctx)
    return HPy_NULL;)
FUNCTION(_HPy_Dump,
    _HPy_Dump(ctx, or_null(ctx, args[0]));
    return HPyBool_FromBool(ctx, HPyErr_Occurred(ctx));)
FUNCTION(dump_with_an_exception,
    HPyErr_SetString(ctx, ctx->h_LookupError, "stays");
    _HPy_Dump(ctx, args[0]);
    return HPy_NULL;)
FUNCTION(dump_outside,
    HPyThreadState state = HPy_LeavePythonExecution(ctx);
    _HPy_Dump(ctx, args[0]);
    HPy_ReenterPythonExecution(ctx, state);
    return HPy_Dup(ctx, args[0]);)
"""

RUN = """
import sys
sys.path.insert(0, {tests!r})
import support
mod = support.load({path!r}, "testmod", {abi!r})
print("loaded", flush=True)
{code}
print("done")
"""


@pytest.fixture
def run(compile, abi):
    """run(code): the result of a process that runs Python code with the module `mod`."""
    path = str(compile(support.module_source(*functions(SOURCE)), "testmod", abi))
    tests = str(Path(support.__file__).parent)

    def in_process(code):
        command = [sys.executable, "-c", RUN.format(tests=tests, path=path, abi=abi, code=code)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return in_process


@pytest.mark.api("HPy_FatalError")
@pytest.mark.parametrize("call", ["HPy_FatalError(b'caf\\xc3\\xa9: boom')", "fatal_outside()"])
def test_fatal_error(run, call):
    result = run(f"import atexit; atexit.register(print, 'cleaning up'); mod.{call}")
    assert result.stdout.split() == ["loaded"]
    # Java says first which options it was given.
    first = next(line for line in result.stderr.splitlines() if not line.startswith("NOTE: "))
    assert first.startswith("Fatal Python error: ")
    assert first.endswith("outside of Python" if "outside" in call else "caf\xe9: boom")
    assert result.returncode != 0
    if sys.platform != "win32":
        assert result.returncode == -6, "not ended by abort"


@pytest.mark.api("_HPy_Dump")
def test_dump(run):
    result = run(
        """
class Strange:
    def __repr__(self):
        return 42
class Named:
    def __repr__(self):
        return "its repr"
assert mod._HPy_Dump(Named()) is False
assert mod._HPy_Dump(...) is False
assert mod._HPy_Dump(Strange()) is False
assert mod._HPy_Dump("caf\\xe9") is False
assert mod._HPy_Dump(mod) is False
assert mod.dump_outside(Named) is Named
try:
    mod.dump_with_an_exception(12345)
except LookupError as error:
    assert error.args == ("stays",)
else:
    raise AssertionError
"""
    )
    assert (result.stdout.split(), result.returncode) == (["loaded", "done"], 0), result.stderr
    for expected in ("its repr", "Named", "Strange", "HPy_NULL", "caf", "12345", "module"):
        assert expected in result.stderr


@pytest.mark.api("_HPy_Dump")
def test_dump_leaks_nothing(module, no_leak, capfd):
    mod = module(*functions(SOURCE))
    value = object()
    no_leak(lambda: mod._HPy_Dump(value), value)
    assert "object object at" in capfd.readouterr().err
