"""hpy.devel: names of files, and builds of whole projects with setuptools.

The projects are built in a virtual environment of their own, where setuptools finds hpy's keyword
by its entry point. Each build compiles something, so these tests take seconds, not milliseconds.
"""

import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import version

import pytest
import support
from venvs import Environment

from hpy.devel import HPyDevel, get_include
from hpy.devel.abitag import (
    HPY_ABI_TAG,
    HPY_ABI_VERSION,
    HPY_ABI_VERSION_MINOR,
    get_hpy_ext_suffix,
    parse_ext_suffix,
)

EXT_SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
CPYTHON_TAG = parse_ext_suffix()[0]
PYTHON_TAG = CPYTHON_TAG.rstrip("dt")
SETUPTOOLS = int(version("setuptools").partition(".")[0])
SUFFIXES = {
    "cpython": EXT_SUFFIX,
    "abi3": ".abi3.so",
    "abi3t": ".abi3t.so",
    "universal": ".hpy0.so",
    "hybrid": f".hpy0-{CPYTHON_TAG}.so",
}
if support.FREE_THREADED:
    del SUFFIXES["abi3"]
HAS_ABI3T = sys.version_info >= (3, 15)
if not HAS_ABI3T:
    del SUFFIXES["abi3t"]
FOR_CPYTHON = ("cpython", "abi3", "abi3t")
"""The ABIs whose extensions need neither HPy nor a stub."""

# The packages wheel and packaging are for setuptools before 70.1, which has no bdist_wheel itself.
DISTRIBUTIONS = ("hpy", "pip", "setuptools", "wheel", "packaging")

HPY_SOURCE = """
#include <hpy.h>
static HPyModuleDef moduledef = {.doc = HPY_ABI};
HPy_MODINIT(%s, moduledef)
"""

PLAIN_SOURCE = """
#include <Python.h>
static PyModuleDef moduledef = {PyModuleDef_HEAD_INIT, "%s", "plain"};
PyMODINIT_FUNC PyInit_%s(void)
{
    return PyModule_Create(&moduledef);
}
"""


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "tag", "extension"),
    [
        (".cpython-311-x86_64-linux-gnu.so", "cp311", "so"),
        (".cpython-313t-x86_64-linux-gnu.so", "cp313t", "so"),
        (".cpython-310d-darwin.so", "cp310d", "so"),
        (".cp310-win_amd64.pyd", "cp310", "pyd"),
        ("_d.cp310-win_amd64.pyd", "cp310", "pyd"),
        (".pypy311-pp73-x86_64-linux-gnu.so", "pypy311-pp73", "so"),
        (".graalpy242-311-native-x86_64-linux.so", "graalpy242-311-native", "so"),
    ],
)
def test_suffixes_are_parsed(suffix, tag, extension):
    assert parse_ext_suffix(suffix) == (tag, extension)
    assert get_hpy_ext_suffix("cpython", suffix) == suffix
    assert get_hpy_ext_suffix("universal", suffix) == f".hpy0.{extension}"
    for abi in ("abi3", "abi3t"):
        expected = ".pyd" if extension == "pyd" else f".{abi}.so"
        assert get_hpy_ext_suffix(abi, suffix) == expected
    assert get_hpy_ext_suffix("hybrid", suffix) == f".hpy0-{tag}.{extension}"


@pytest.mark.parametrize("suffix", [".so", ".something-1.so"])
def test_a_suffix_without_a_known_tag_is_refused(suffix):
    assert get_hpy_ext_suffix("universal", suffix) == ".hpy0.so"
    with pytest.raises(ValueError, match="no ABI tag is known"):
        get_hpy_ext_suffix("hybrid", suffix)


def test_an_unknown_abi_is_refused():
    with pytest.raises(ValueError, match="'debug' is not an HPy ABI: choose one of cpython, "):
        get_hpy_ext_suffix("debug")


def test_the_versions_are_those_of_the_headers():
    lines = (support.INCLUDE / "hpy" / "version.h").read_text().splitlines()
    macros = dict(line.split()[1:3] for line in lines if line.startswith("#define HPY_ABI_"))
    assert macros == {
        "HPY_ABI_VERSION": str(HPY_ABI_VERSION),
        "HPY_ABI_VERSION_MINOR": str(HPY_ABI_VERSION_MINOR),
        "HPY_ABI_TAG": f'"{HPY_ABI_TAG}"',
    }


# --- Files ---------------------------------------------------------------------------------------


def test_the_headers_are_all_there():
    installed = {path.relative_to(get_include()) for path in files(get_include())}
    assert installed == {path.relative_to(support.INCLUDE) for path in files(support.INCLUDE)}


def files(folder):
    return list(type(support.INCLUDE)(folder).rglob("*.h"))


def test_a_build_needs_headers_only(tmp_path):
    devel = HPyDevel(tmp_path)
    assert devel.get_extra_include_dirs() == [str(tmp_path / "include")]
    forbid = tmp_path / "include" / "hpy" / "forbid_python_h"
    assert devel.get_include_dir_forbid_python_h() == str(forbid)
    assert devel.get_extra_sources() == []
    assert devel.get_ctx_sources() == []
    assert devel.get_static_libs("universal") == []


def test_the_include_directory_is_known_without_setuptools():
    program = "import sys; sys.modules['setuptools'] = None; import hpy.devel as d; d.get_include()"
    subprocess.run([sys.executable, "-c", program], check=True)


# --- Projects ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """An environment for builds that install nothing into it."""
    return Environment(tmp_path_factory.mktemp("devel") / "venv", *DISTRIBUTIONS)


class Project:
    """A project with a setup.py, in a folder of its own."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = environment

    def write(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def hpy_sources(self, *names):
        for name in names:
            self.write(f"{name}.c", HPY_SOURCE % name)

    def setup(self, text):
        """Writes setup.py. `text` is what setup() gets besides the name and the version."""
        self.write(
            "setup.py",
            f"from setuptools import Extension, setup\nsetup(name='proj', version='1', {text})\n",
        )

    def run(self, *arguments, **options):
        return self.environment.run("setup.py", *arguments, cwd=self.folder, **options)

    def pip(self, *arguments, **options):
        offline = ["--no-build-isolation", "--no-deps", "--no-index", "-q"]
        command = ["-m", "pip", "--disable-pip-version-check", *arguments, *offline]
        return self.environment.run(*command, cwd=self.folder, **options)

    def doc(self, name, folder=None):
        code = f"import {name}; print({name}.__doc__)"
        return self.environment.output(code, cwd=folder or self.folder)

    def built(self, pattern):
        """Gives the paths below the build directory that match, as text."""
        found = (self.folder / "build").glob(pattern)
        return sorted(path.relative_to(self.folder / "build").as_posix() for path in found)


@pytest.fixture
def project(tmp_path, template):
    """A project with the HPy extension `one`."""
    project = Project(tmp_path / "project", template)
    project.hpy_sources("one")
    project.setup("hpy_ext_modules=[Extension('one', ['one.c'])]")
    return project


@pytest.fixture(params=SUFFIXES)
def abi(request):
    return request.param


def test_in_place(project, abi):
    project.run(f"--hpy-abi={abi}", "build_ext", "--inplace")
    assert (project.folder / f"one{SUFFIXES[abi]}").exists()
    assert (project.folder / "one.py").exists() == (abi not in FOR_CPYTHON)
    assert project.doc("one") == abi


def test_the_default_is_the_cpython_abi(project):
    project.run("build_ext", "--inplace")
    assert project.doc("one") == "cpython"


def test_each_abi_has_its_directories(project):
    for chosen in SUFFIXES:
        project.run(f"--hpy-abi={chosen}", "build")
    assert len(project.built("lib*")) == len(SUFFIXES)
    assert len(project.built("temp*")) == len(SUFFIXES)
    assert len(project.built("lib*/one*.so")) == len(SUFFIXES)
    assert len(project.built("lib*-hpy-universal/one*")) == 2


def test_a_build_directory_can_be_chosen(project):
    project.run("--hpy-abi=universal", "build", "-b", "elsewhere")
    assert not (project.folder / "build").exists()
    assert len(list(project.folder.glob("elsewhere/lib*-hpy-universal/one.hpy0.so"))) == 1
    project.run("--hpy-abi=universal", "build", "--build-lib=out", "--build-temp=objects")
    assert (project.folder / "out" / "one.hpy0.so").exists()
    assert not (project.folder / "build").exists()


def test_parallel(project, abi):
    names = [f"part{i}" for i in range(6)]
    project.hpy_sources(*names)
    extensions = ", ".join(f"Extension('pkg.{n}', ['{n}.c'])" for n in names)
    project.write("pkg/__init__.py", "")
    project.setup(f"packages=['pkg'], hpy_ext_modules=[{extensions}]")
    project.run(f"--hpy-abi={abi}", "build_ext", "--inplace", "-j", "4")
    for name in names:
        assert project.doc(f"pkg.{name}") == abi


def test_plain_and_hpy_extensions_side_by_side(project):
    # Both are called `one`, each in its package: setuptools knows file names by the last part.
    project.write("plain.c", PLAIN_SOURCE % ("one", "one"))
    project.write("a/__init__.py", "")
    project.write("b/__init__.py", "")
    project.setup(
        "packages=['a', 'b'], ext_modules=[Extension('a.one', ['plain.c'])], "
        "hpy_ext_modules=[Extension('b.one', ['one.c'])]"
    )
    project.run("--hpy-abi=universal", "build_ext", "--inplace")
    assert (project.folder / "a" / f"one{EXT_SUFFIX}").exists()
    assert (project.folder / "b" / "one.hpy0.so").exists()
    assert project.doc("a.one") == "plain"
    assert project.doc("b.one") == "universal"
    assert not (project.folder / "a" / "one.py").exists()


def test_cplusplus(project, abi):
    source = HPY_SOURCE.replace("{.doc = HPY_ABI}", "{HPY_ABI, 0, nullptr, nullptr, nullptr}")
    project.write("two.cpp", source % "two")
    project.setup("hpy_ext_modules=[Extension('two', ['two.cpp'])]")
    project.run(f"--hpy-abi={abi}", "build_ext", "--inplace")
    assert project.doc("two") == abi


def test_debug_build(project, abi):
    done = project.run(f"--hpy-abi={abi}", "build_ext", "--inplace", "--debug", "--verbose")
    assert " -g" in done.stdout
    assert project.doc("one") == abi


def test_the_projects_lists_stay_as_they_are(project, abi):
    project.write(
        "setup.py",
        "from setuptools import Extension, setup\n"
        "dirs, macros = ['mine'], [('MINE', '1')]\n"
        "ext = Extension('one', ['one.c'], include_dirs=dirs, define_macros=macros)\n"
        "mine, plain = [ext], []\n"
        "setup(name='proj', ext_modules=plain, hpy_ext_modules=mine)\n"
        "assert (dirs, macros) == (['mine'], [('MINE', '1')])\n"
        "assert (ext.include_dirs, ext.define_macros, ext.depends) == (dirs, macros, [])\n"
        "assert (mine, plain) == ([ext], [])\n",
    )
    project.run(f"--hpy-abi={abi}", "build_ext", "--inplace")


def test_a_projects_own_command_is_kept(project):
    project.write(
        "setup.py",
        "from setuptools import Extension, setup\n"
        "from setuptools.command.build_ext import build_ext\n"
        "class Mine(build_ext):\n"
        "    def build_extension(self, ext):\n"
        "        print('mine:', ext.name, 'HPY' in dict(ext.define_macros))\n"
        "        super().build_extension(ext)\n"
        "setup(name='proj', cmdclass={'build_ext': Mine},\n"
        "      hpy_ext_modules=[Extension('one', ['one.c'])])\n",
    )
    done = project.run("--hpy-abi=universal", "build_ext", "--inplace")
    assert "mine: one True" in done.stdout
    assert project.doc("one") == "universal"


def test_an_unchanged_extension_is_not_built_again(project):
    project.run("--hpy-abi=universal", "build_ext")
    assert "building 'one'" not in project.run("--hpy-abi=universal", "build_ext").stdout


def test_an_optional_extension_may_fail(project):
    project.write("broken.c", "#error")
    project.setup(
        "hpy_ext_modules=[Extension('one', ['one.c']), "
        "Extension('broken', ['broken.c'], optional=True)]"
    )
    project.run("--hpy-abi=universal", "build_ext", "--inplace")
    assert project.doc("one") == "universal"
    assert not list(project.folder.glob("broken.*[!c]"))


def test_python_h_is_forbidden_in_universal_mode(project):
    project.write("one.c", "#include <Python.h>\n" + HPY_SOURCE % "one")
    done = project.run("--hpy-abi=universal", "build_ext", check=False)
    assert done.returncode != 0
    assert "It is forbidden to #include <Python.h>" in done.stdout


# --- Stubs ---------------------------------------------------------------------------------------


def test_the_stub_needs_no_hook(project, abi):
    if abi in FOR_CPYTHON:
        pytest.skip("CPython's own extensions have no stub")
    project.run(f"--hpy-abi={abi}", "build_ext", "--inplace")
    stub = (project.folder / "one.py").read_text()
    assert "This file is automatically generated by hpy" in stub
    assert "pkg_resources" not in stub
    # -S: no site-packages, and so no hook. HPy is on the path, though.
    code = f"""if True:
        import sys
        sys.path.append({str(project.environment.site_packages)!r})
        import one
        print(one.__doc__, one.__file__, one.__spec__.origin == one.__file__)
    """
    path = project.folder / f"one{SUFFIXES[abi]}"
    done = project.environment.output(code, cwd=project.folder, flags=["-S"])
    assert done == f"{abi} {path} True"


def test_the_stub_says_when_hpy_is_missing(project, tmp_path):
    project.run("--hpy-abi=universal", "build_ext", "--inplace")
    bare = Environment(tmp_path / "bare")
    done = bare.run("-c", "import one", cwd=project.folder, check=False)
    assert "ImportError: one is an HPy extension" in done.stdout
    assert "pip install hpy" in done.stdout


@pytest.mark.parametrize("chosen", ["universal", "hybrid"])
@pytest.mark.parametrize(("option", "env"), [(["--hpy-no-stub"], {}), ([], {"HPY_NO_STUB": "1"})])
def test_a_project_can_do_without_stubs(project, chosen, option, env):
    project.run(f"--hpy-abi={chosen}", *option, "build_ext", "--inplace", env=env)
    assert not (project.folder / "one.py").exists()
    assert project.built("lib*/one*.py") == []
    assert project.doc("one") == chosen


def test_a_stub_overwrites_no_module(project):
    project.write("one.py", "text = 'mine'")
    done = project.run("--hpy-abi=universal", "build_ext", "--inplace", check=False)
    assert done.returncode != 0
    assert "one.py exists and would be overwritten by the stub" in done.stdout
    assert (project.folder / "one.py").read_text() == "text = 'mine'"


# --- Wheels and installs -------------------------------------------------------------------------


@pytest.fixture
def installed(project, tmp_path):
    """The project, with an environment of its own to be installed in."""
    project.environment = Environment(tmp_path / "venv", *DISTRIBUTIONS)
    return project


def wheel(project):
    (path,) = (project.folder / "dist").glob("*.whl")
    return path


def test_universal_wheels_are_for_every_python(project):
    project.pip("wheel", ".", "-w", "dist", env={"HPY_ABI": "universal"})
    path = wheel(project)
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert path.name == f"proj-1-py3-none-{platform}.whl"
    names = zipfile.ZipFile(path).namelist()
    assert {"one.hpy0.so", "one.py"} <= set(names)
    assert not [name for name in names if name.endswith(".h")]


@pytest.mark.parametrize("chosen", ["cpython", "hybrid"])
def test_other_wheels_are_for_this_python(project, chosen):
    project.pip("wheel", ".", "-w", "dist", env={"HPY_ABI": chosen})
    assert f"-{PYTHON_TAG}-{CPYTHON_TAG}-" in wheel(project).name


@pytest.mark.skipif(
    support.FREE_THREADED, reason="a free-threaded CPython loads no abi3 extensions"
)
@pytest.mark.parametrize("oldest", ["3.9", "3.10"])
def test_an_abi3_wheel_is_for_all_later_pythons(project, oldest):
    if oldest == "3.10" and sys.version_info < (3, 10):
        pytest.skip("the headers of 3.9 have no later limited API")
    env = {"HPY_ABI": "abi3"} if oldest == "3.9" else {"HPY_ABI": "abi3", "HPY_LIMITED_API": oldest}
    project.pip("wheel", ".", "-w", "dist", env=env)
    assert f"-cp{oldest.replace('.', '')}-abi3-" in wheel(project).name
    assert "one.abi3.so" in zipfile.ZipFile(wheel(project)).namelist()


@pytest.mark.skipif(not support.FREE_THREADED, reason="needs a free-threaded CPython")
def test_no_abi3_for_a_free_threaded_python(project):
    done = project.run("--hpy-abi=abi3", "build_ext", check=False)
    assert done.returncode != 0
    assert "a free-threaded CPython loads no abi3 extensions" in done.stdout


@pytest.mark.skipif(not HAS_ABI3T, reason="abi3t begins with CPython 3.15")
def test_an_abi3t_wheel_is_for_all_later_pythons_with_and_without_the_lock(project):
    project.pip("wheel", ".", "-w", "dist", env={"HPY_ABI": "abi3t"})
    assert "-cp315-abi3.abi3t-" in wheel(project).name
    assert "one.abi3t.so" in zipfile.ZipFile(wheel(project)).namelist()


@pytest.mark.skipif(HAS_ABI3T, reason="this CPython has abi3t")
def test_no_abi3t_before_it_began(project):
    done = project.run("--hpy-abi=abi3t", "build_ext", check=False)
    assert done.returncode != 0
    assert "abi3t extensions are built with CPython 3.15 or later" in done.stdout


@pytest.mark.parametrize("version", ["3.8", "3", "4.0", "3.x"])
def test_a_limited_api_that_there_is_not(project, version):
    options = ["--hpy-abi=abi3", f"--hpy-limited-api={version}", "build_ext"]
    done = project.run(*options, check=False)
    assert done.returncode != 0
    assert f"--hpy-limited-api is '{version}'" in done.stdout


def test_a_wheel_with_a_plain_extension_is_for_this_python(project):
    project.write("plain.c", PLAIN_SOURCE % ("plain", "plain"))
    project.setup(
        "ext_modules=[Extension('plain', ['plain.c'])], "
        "hpy_ext_modules=[Extension('one', ['one.c'])]"
    )
    project.pip("wheel", ".", "-w", "dist", env={"HPY_ABI": "universal"})
    assert f"-{PYTHON_TAG}-{CPYTHON_TAG}-" in wheel(project).name


def test_pip_install(installed, abi, tmp_path):
    installed.pip("install", ".", env={"HPY_ABI": abi})
    assert installed.doc("one", tmp_path) == abi


@pytest.mark.skipif(SETUPTOOLS < 69, reason="setuptools before 69 passes no global options on")
def test_pip_install_with_a_setting(installed, tmp_path):
    installed.pip("install", ".", "--config-settings=--global-option=--hpy-abi=universal")
    assert installed.doc("one", tmp_path) == "universal"


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_editable_install(installed, abi, mode, tmp_path):
    installed.write("pkg/__init__.py", "")
    installed.setup("packages=['pkg'], hpy_ext_modules=[Extension('pkg.one', ['one.c'])]")
    settings = f"--config-settings=editable_mode={mode}"
    installed.pip("install", "-e", ".", settings, env={"HPY_ABI": abi})
    assert installed.doc("pkg.one", tmp_path) == abi


def test_the_option_goes_before_the_variable(project):
    env = {"HPY_ABI": "hybrid"}
    project.run("--hpy-abi=universal", "build_ext", "--inplace", env=env)
    assert project.doc("one") == "universal"


def test_setup_cfg_can_choose(project):
    project.write("setup.cfg", "[global]\nhpy_abi = universal\n")
    project.run("build_ext", "--inplace")
    assert project.doc("one") == "universal"


def test_the_old_option_is_accepted(project):
    project.run("--hpy-abi=universal", "--hpy-use-static-libs", "build_ext", "--inplace")
    assert project.doc("one") == "universal"


def test_help_lists_the_options(project):
    assert "--hpy-abi" in project.run("--help").stdout


def test_a_source_distribution_has_the_sources(project):
    project.run("sdist")
    assert "one.c" in (project.folder / "proj.egg-info" / "SOURCES.txt").read_text().splitlines()


# --- Mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "env", "source"),
    [
        (["--hpy-abi=debug"], {}, "--hpy-abi is 'debug'"),
        ([], {"HPY_ABI": "debug"}, "the environment variable HPY_ABI is 'debug'"),
    ],
)
def test_an_unknown_abi_stops_the_build(project, options, env, source):
    done = project.run(*options, "build", env=env, check=False)
    assert done.returncode != 0
    assert f"error: {source}, which is not an HPy ABI: choose one of cpython, " in done.stdout


@pytest.mark.parametrize("value", ["'one.c'", "['one.c']", "[('one', {'sources': ['one.c']})]"])
def test_other_things_than_extensions_are_refused(project, value):
    project.setup(f"hpy_ext_modules={value}")
    done = project.run("build", check=False)
    assert done.returncode != 0
    assert "hpy_ext_modules must be a list of setuptools.Extension" in done.stdout


def test_an_empty_list_is_a_project_without_extensions(project):
    project.write("only.py", "value = 1")
    project.setup("hpy_ext_modules=[], py_modules=['only']")
    project.run("build")
    assert project.built("lib/*") == ["lib/only.py"]
