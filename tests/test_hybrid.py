"""The Hybrid ABI: one module of HPy and Python/C API, for one version of one interpreter.

What its types and functions can do is tested in api/test_legacy*.py; here is how such a file is
found, built and loaded, and what is said where it does not belong.
"""

import importlib.machinery
import importlib.util
import shutil
import sys
import sysconfig

import pytest
import support
from venvs import Environment

from hpy.devel.abitag import get_hpy_ext_suffix

universal = support.universal()

EXT_SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
SUFFIX = get_hpy_ext_suffix("hybrid")
KIND = "free-threaded CPython" if support.FREE_THREADED else "CPython"
RUNNING = f"{KIND} {sys.version_info.major}.{sys.version_info.minor}"

# A function of each kind. What replaces `@EARLY@` stands before HPy_MODINIT.
MIXED = """
#include <hpy.h>

HPyDef_METH(hpy_abi, "hpy_abi", HPyFunc_NOARGS)
static HPy hpy_abi_impl(HPyContext *ctx, HPy self)
{
    return HPyUnicode_FromString(ctx, HPY_ABI);
}

static PyObject *legacy_sum(PyObject *self, PyObject *args)
{
    PyObject *a, *b;
    if (!PyArg_ParseTuple(args, "OO", &a, &b))
        return NULL;
    return PyNumber_Add(a, b);
}

static PyMethodDef legacy_methods[] = {
    {"legacy_sum", legacy_sum, METH_VARARGS, "The sum of two objects."},
    {NULL, NULL, 0, NULL},
};
static HPyDef *defines[] = {&hpy_abi, NULL};
static HPyModuleDef moduledef = {.legacy_methods = legacy_methods, .defines = defines};
@EARLY@
HPy_MODINIT(NAME, moduledef)
"""
CHECK = "assert m.hpy_abi() == 'hybrid' and m.legacy_sum(40, 2) == 42"

# What the headers of another version would say.
OTHER_VERSION = "#undef PY_MINOR_VERSION\n#define PY_MINOR_VERSION 4"


def mixed(path, *, abi="hybrid", early=""):
    """Puts the module at `path`; its name is what the file name begins with."""
    name = path.name.partition(".")[0]
    if name == "__init__":
        name = path.parent.name
    source = MIXED.replace("@EARLY@", early).replace("NAME", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(support.compile_extension(source, name, abi), path)
    return path


def spec_of(name, path):
    loader = importlib.machinery.ExtensionFileLoader(name, str(path))
    return importlib.util.spec_from_file_location(name, str(path), loader=loader)


def by_load(name, path):
    return universal.load(name, str(path), spec_of(name, path))


def by_bootstrap(name, path):
    spec = spec_of(name, path)
    return universal._load_bootstrap(name, name, "", str(path), spec.loader, spec, {})


def by_spec(name, path):
    return universal._load_from_spec(spec_of(name, path))


def by_machinery(name, path):
    spec = spec_of(name, path)
    return importlib.util.module_from_spec(spec)


def refusal(how, name, path):
    with pytest.raises(universal.LoadError) as caught:
        how(name, path)
    error = caught.value
    assert isinstance(error, ImportError)
    assert (error.name, error.path) == (name, str(path))
    return str(error)


# --- Another interpreter's files -----------------------------------------------------------------


@pytest.mark.parametrize("how", [by_load, by_bootstrap, by_spec])
def test_a_file_for_this_version_is_loaded(tmp_path, how):
    m = how("mixed", mixed(tmp_path / f"mixed{SUFFIX}"))
    assert m.hpy_abi() == "hybrid"
    assert m.legacy_sum([1], [2]) == [1, 2]
    assert m.legacy_sum.__doc__ == "The sum of two objects."
    with pytest.raises(TypeError):
        m.legacy_sum(1)


@pytest.mark.parametrize("how", [by_load, by_bootstrap, by_spec])
@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("cp34", "CPython 3.4"),
        ("cp399", "CPython 3.99"),
        ("cp399t", "free-threaded CPython 3.99"),
        ("pypy39-pp73", "the interpreter with the ABI tag 'pypy39-pp73'"),
    ],
)
def test_a_file_for_another_interpreter_is_refused(tmp_path, how, tag, wanted):
    path = mixed(tmp_path / f"mixed.hpy0-{tag}.so")
    message = refusal(how, "mixed", path)
    assert f"'mixed' from '{path}'" in message
    assert f"it is a hybrid extension for {wanted}, and this is {RUNNING}." in message
    assert f"Install the package that was built for {RUNNING}" in message
    assert "--hpy-abi=hybrid" in message
    assert "--hpy-abi=universal" in message


def test_a_file_for_another_interpreter_is_not_opened(tmp_path):
    # Its constructors would run, and it may need symbols that this interpreter lacks.
    path = tmp_path / "mixed.hpy0-cp34.so"
    path.write_bytes(b"not a library")
    assert "hybrid extension for CPython 3.4" in refusal(by_load, "mixed", path)


@pytest.mark.skipif(not SUFFIX.startswith(".hpy0-cp"), reason="CPython has debug builds")
def test_debug_and_release_builds_share_extensions(tmp_path):
    tag = SUFFIX.split(".")[1]
    other = tag.rstrip("d") if tag.endswith("d") else tag + "d"
    assert by_load("mixed", mixed(tmp_path / f"mixed.{other}.so")).legacy_sum(1, 2) == 3


@pytest.mark.parametrize("how", [by_spec, by_machinery])
def test_a_file_named_for_all_tells_itself_that_it_is_for_another(tmp_path, how):
    path = mixed(tmp_path / "mixed.so", early=OTHER_VERSION)
    message = refusal(how, "mixed", path)
    assert f"it is a hybrid extension for {KIND} 3.4, and this is {RUNNING}." in message


def test_the_version_in_the_file_counts_beside_the_one_in_its_name(tmp_path):
    path = mixed(tmp_path / f"mixed{SUFFIX}", early=OTHER_VERSION)
    assert f"hybrid extension for {KIND} 3.4" in refusal(by_load, "mixed", path)


def test_a_file_with_no_version_of_its_own_is_loaded_by_its_name(tmp_path):
    # Such are those that were compiled with the headers of HPy 0.9.
    early = "#undef _HPY_REQUIRED_INTERPRETER\n#define _HPY_REQUIRED_INTERPRETER(NAME)"
    path = mixed(tmp_path / f"mixed{SUFFIX}", early=early)
    assert b"get_required_interpreter" not in path.read_bytes()
    assert by_load("mixed", path).legacy_sum(1, 2) == 3


def test_only_hybrid_libraries_are_for_one_version(compile):
    source = "#include <hpy.h>\nstatic HPyModuleDef def = {.doc = 0};\nHPy_MODINIT(one, def)"
    for abi in ("cpython", "universal", "hybrid"):
        library = compile(source, "one", abi).read_bytes()
        assert (b"get_required_interpreter_one" in library) == (abi == "hybrid")


# --- Import with no stub -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("hybrid") / "venv", "hpy", "setuptools")


@pytest.mark.parametrize("suffix", [".so", ".abi3.so", EXT_SUFFIX])
def test_under_the_interpreters_own_suffixes_it_needs_no_hook(environment, tmp_path, suffix):
    path = mixed(tmp_path / f"mixed{suffix}")
    code = f"import mixed as m; {CHECK}; print(type(m.__loader__).__name__, m.__file__)"
    assert environment.output(code, cwd=tmp_path) == f"ExtensionFileLoader {path}"


def test_the_hook_finds_it(environment, tmp_path):
    path = mixed(tmp_path / f"mixed{SUFFIX}")
    mixed(tmp_path / "pack" / f"__init__{SUFFIX}")
    mixed(tmp_path / "pack" / f"sub{SUFFIX}")
    code = f"""if True:
        import mixed as m
        {CHECK}
        print(m.__file__, m.__name__, m.__spec__.origin)
        import pack as m
        {CHECK}
        print(m.__path__, m.__spec__.loader.is_package("pack"))
        import pack.sub as m
        {CHECK}
        print(m.__name__, m.__package__, m.__spec__.loader.is_package("pack.sub"))
    """
    assert environment.output(code, cwd=tmp_path).splitlines() == [
        f"{path} mixed {path}",
        f"['{tmp_path / 'pack'}'] True",
        "pack.sub pack False",
    ]


def test_the_hook_passes_over_other_versions(environment, tmp_path):
    mixed(tmp_path / "mixed.hpy0-cp34.so")
    code = """if True:
        try:
            import mixed
        except ModuleNotFoundError as error:
            print(error.name)
    """
    assert environment.output(code, cwd=tmp_path) == "mixed"
    mixed(tmp_path / f"mixed{SUFFIX}")
    assert environment.output(f"import mixed as m; {CHECK}", cwd=tmp_path) == ""


def test_universal_before_hybrid_before_the_interpreters_own(environment, tmp_path):
    source = "#include <hpy.h>\nstatic HPyModuleDef def = {.doc = HPY_ABI};\nHPy_MODINIT(one, def)"
    code = "import one; print(one.__doc__)"
    suffixes = {"cpython": EXT_SUFFIX, "hybrid": SUFFIX, "universal": ".hpy0.so"}
    for abi, suffix in suffixes.items():
        shutil.copy(support.compile_extension(source, "one", abi), tmp_path / f"one{suffix}")
        assert environment.output(code, cwd=tmp_path) == abi


def test_the_hook_can_do_without_a_hybrid_suffix(environment, tmp_path):
    # As on an interpreter whose suffix carries no ABI tag.
    code = """if True:
        import _frozen_importlib_external as machinery, hpy._import_hook as hook
        print(*hook.SUFFIXES)
        machinery.EXTENSION_SUFFIXES[:] = hook.EXTENSION_SUFFIXES[:] = [".so"]
        print(*hook._suffixes())
    """
    found = environment.output(code, cwd=tmp_path, flags=["-I"]).splitlines()
    assert found == [f".hpy0.so {SUFFIX}", ".hpy0.so"]


# --- Builds --------------------------------------------------------------------------------------


@pytest.fixture
def project(environment, tmp_path):
    """project(*arguments, **options): runs the setup.py of a project with the hybrid module."""
    source = MIXED.replace("@EARLY@", "").replace("NAME", "mixed")
    (tmp_path / "mixed.c").write_text(source)
    (tmp_path / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "setup(name='p', version='1', hpy_ext_modules=[Extension('mixed', ['mixed.c'])])\n"
    )

    def run(*arguments, **options):
        return environment.run("setup.py", *arguments, cwd=tmp_path, **options)

    return run


@pytest.mark.parametrize("option", [["--hpy-abi=hybrid"], []])
def test_setuptools(environment, project, tmp_path, option):
    project(*option, "build_ext", "--inplace", env={} if option else {"HPY_ABI": "hybrid"})
    assert (tmp_path / f"mixed{SUFFIX}").exists()
    # With the stub alone, and with the hook alone.
    import_it = f"import mixed as m; {CHECK}"
    path = f"import sys; sys.path.append({str(environment.site_packages)!r}); "
    assert environment.output(path + import_it, cwd=tmp_path, flags=["-S"]) == ""
    (tmp_path / "mixed.py").unlink()
    assert environment.output(import_it, cwd=tmp_path) == ""


@pytest.mark.parametrize("option", [["--hpy-no-stub"], []])
def test_setuptools_without_a_stub(environment, project, tmp_path, option):
    env = {} if option else {"HPY_NO_STUB": "1"}
    project("--hpy-abi=hybrid", *option, "build_ext", "--inplace", env=env)
    assert not (tmp_path / "mixed.py").exists()
    assert environment.output(f"import mixed as m; {CHECK}", cwd=tmp_path) == ""


def test_setuptools_refuses_the_same_source_in_universal_mode(project):
    done = project("--hpy-abi=universal", "build_ext", check=False)
    assert done.returncode != 0
    assert "PyObject" in done.stdout


def test_the_stub_of_another_version_says_so(environment, project, tmp_path):
    project("--hpy-abi=hybrid", "build_ext", "--inplace")
    (tmp_path / f"mixed{SUFFIX}").rename(tmp_path / "mixed.hpy0-cp34.so")
    stub = tmp_path / "mixed.py"
    stub.write_text(stub.read_text().replace(SUFFIX, ".hpy0-cp34.so"))
    done = environment.run("-c", "import mixed", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "it is a hybrid extension for CPython 3.4, and this is" in done.stdout
