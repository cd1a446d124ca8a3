"""Binaries across releases: those of hpy 0.9.0 load and work here, ours load and work there.

$HPY_OLD_PYTHON names a Python with hpy 0.9.0 and a setuptools that it works with (`cargo xtask
test` makes it). What our headers can do in the old runtime is in test_headers.py; here is a whole
extension, examples/json, in both directions.
"""

import importlib.util
import subprocess
from pathlib import Path

import pytest
import support

EXAMPLE = support.ROOT / "examples" / "json"
DOCUMENT = '{"list": [1, 2.5, "text \\u00e9", null, true], "nested": {"big": 12345678901234567890}}'

# All options are given: the parser in 0.9.0's headers crashes when a truth value is absent.
LOADS = {"object_hook": None, "parse_float": None, "allow_nan": True, "unique_names": False}
DUMPS = {"indent": 2, "sort_keys": True, "ensure_ascii": True, "default": None, "allow_nan": True}

SETUP = """
from setuptools import Extension, setup
setup(name="across", hpy_ext_modules=[Extension(%r, [%r], include_dirs=[%r])])
"""


@pytest.fixture(scope="module")
def old_python():
    return support.old_python()


@pytest.fixture(scope="module")
def build_with_old(old_python, tmp_path_factory):
    """Compiles a source with hpy 0.9.0's headers and build integration."""

    def build(name, source):
        folder = tmp_path_factory.mktemp("old")
        (folder / "setup.py").write_text(SETUP % (name, str(source), str(source.parent)))
        command = [old_python, "-E", "setup.py", "--hpy-abi=universal", "build_ext", "--inplace"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder / f"{name}.hpy0.so"

    return build


def load_here(name, path):
    spec = importlib.util.spec_from_file_location(name, str(path))
    return support.universal().load(name, str(path), spec)


def test_old_extension_works_here(build_with_old):
    import json

    hpyjson = load_here("hpyjson", build_with_old("hpyjson", EXAMPLE / "hpyjson.c"))
    expected = json.loads(DOCUMENT)
    assert hpyjson.loads(DOCUMENT, **LOADS) == expected
    assert json.loads(hpyjson.dumps(expected, **DUMPS)) == expected
    with pytest.raises(hpyjson.JSONDecodeError) as caught:
        hpyjson.loads("[1,\n x]", **LOADS)
    assert caught.value.lineno == 2


def test_old_extension_does_not_leak_here(build_with_old, no_leak):
    hpyjson = load_here("hpyjson", build_with_old("hpyjson", EXAMPLE / "hpyjson.c"))

    def use():
        hpyjson.dumps(hpyjson.loads(DOCUMENT, **LOADS), **DUMPS)
        with pytest.raises(ValueError):
            hpyjson.loads("{", **LOADS)

    no_leak(use)


def test_our_extension_works_in_old(old_python, tmp_path):
    source = (EXAMPLE / "hpyjson.c").read_text()
    library = support.compile_extension(
        source, "hpyjson", "universal", flags=["-I", str(EXAMPLE), "-O2"]
    )
    script = f"""
import importlib.util, json
import hpy.universal
assert hpy.universal.get_version()[0].startswith("0.9.0"), hpy.universal.get_version()
path = {str(library)!r}
for mode in (hpy.universal.MODE_UNIVERSAL, hpy.universal.MODE_DEBUG):
    spec = importlib.util.spec_from_file_location("hpyjson", path)
    hpyjson = hpy.universal.load("hpyjson", path, spec, mode=mode)
    text = {DOCUMENT!r}
    assert hpyjson.loads(text) == json.loads(text)
    assert json.loads(hpyjson.dumps(json.loads(text), sort_keys=True)) == json.loads(text)
    try:
        hpyjson.loads("[1,\\n x]")
    except hpyjson.JSONDecodeError as error:
        assert error.lineno == 2
    else:
        raise AssertionError("no error")
print("works")
"""
    done = subprocess.run([old_python, "-I", "-c", script], capture_output=True, text=True)
    assert done.stdout == "works\n", done.stderr


def test_minimal_binary_is_small(tmp_path):
    """The headers bring what is used, not everything."""
    source = (Path(__file__).parent / "c" / "minimal.c").read_text()
    library = support.compile_extension(source, "minimal", "universal", flags=["-O2", "-s", "-g0"])
    assert library.stat().st_size < 35_000
