"""What interpreters with an HPy of their own do otherwise is shown without our package.

`tests/hosts/NAME.toml` names the proofs of each difference; `tests/hosts/proofs/native/NAME.py`
has them, and NAME.c what they load, compiled with the headers in the interpreter's own library.
"""

import os
import shlex
import subprocess
import sys

import hosts
import pytest

PROOFS = hosts.HOSTS / "proofs" / "native"
SCRIPT = PROOFS / f"{hosts.name()}.py"
# What our own package does not do there has none.
DEFECTS = [one for one in hosts.defects() if one["proofs"]] if SCRIPT.exists() else []
own = pytest.mark.skipif(not DEFECTS, reason="no HPy of the interpreter's own")

# The headers that are in the interpreter's library: those of its own package, not of ours.
WHERE = "import hpy; print(list(hpy.__path__)[0])"


def alone(*arguments):
    """What the interpreter prints that knows nothing of our package."""
    python = os.environ.get("HPY_PYTHON", sys.executable)
    command = [python, "-I", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Whether each proof shows what it is to show, by its name."""
    library = tmp_path_factory.mktemp("proofs") / "proofs.hpy0.so"
    headers = alone("-c", WHERE).strip() + "/devel/include"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-shared", "-fPIC", "-DHPY", "-DHPY_ABI_UNIVERSAL", "-I", headers]
    subprocess.run(
        [*compiler, *flags, str(SCRIPT.with_suffix(".c")), "-o", str(library)], check=True
    )
    lines = [line.partition(" ") for line in alone(SCRIPT, library).splitlines()]
    return {name: what for name, _, what in lines if what in ("shown", "NOT SHOWN")}


@own
@pytest.mark.parametrize(
    "defect", DEFECTS, ids=lambda defect: "universal-" + "+".join(defect["proofs"])
)
def test_a_reason_is_the_interpreters_own(defect, shown):
    for proof in defect["proofs"]:
        assert shown[proof] == "shown", proof


@own
@pytest.mark.parametrize("abi", ["universal"])
def test_each_proof_is_a_reason(abi, shown):
    assert set(shown) == {proof for defect in DEFECTS for proof in defect["proofs"]}
