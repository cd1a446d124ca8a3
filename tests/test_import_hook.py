"""The import hook: `import foo` finds `foo.hpy0.so`.

Everything is done in a virtual environment of its own, because the hook is there from the start of
the interpreter.
"""

import shutil
import sys

import pytest
import support
from venvs import Environment

SUFFIX = ".hpy0.so"


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("hook") / "venv", "hpy")


@pytest.fixture
def folder(tmp_path):
    """A folder with `universal_one.hpy0.so`."""
    library(tmp_path / f"universal_one{SUFFIX}", "universal_one")
    return tmp_path


def library(path, name, abi="universal"):
    """Puts an extension that knows its ABI at `path`."""
    source = f"""
        HPyDef_METH(abi, "abi", HPyFunc_NOARGS)
        static HPy abi_impl(HPyContext *ctx, HPy self)
        {{
            return HPyUnicode_FromString(ctx, "{abi}");
        }}
    """
    complete = support.module_source(source, "abi", name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(support.compile_extension(complete, name, abi), path)


def test_a_library_is_imported_as_it_lies(environment, folder):
    code = "import universal_one as m; print(m.abi(), m.__file__, m.__name__, m.__spec__.origin)"
    path = folder / f"universal_one{SUFFIX}"
    assert environment.output(code, cwd=folder) == f"universal {path} universal_one {path}"


def test_isolated_mode_imports_from_site_packages(environment, tmp_path):
    target = environment.site_packages / f"isolated_one{SUFFIX}"
    library(target, "isolated_one")
    code = "import isolated_one as m; print(m.abi())"
    # Isolated mode reads no PYTHON_GIL, without which a free-threaded Python warns of each library.
    unlocked = ["-X", "gil=0"] if support.FREE_THREADED else []
    assert environment.output(code, cwd=tmp_path, flags=["-I", *unlocked]) == "universal"


def test_packages_and_submodules(environment, tmp_path):
    library(tmp_path / "pack" / f"__init__{SUFFIX}", "pack")
    library(tmp_path / "pack" / f"sub{SUFFIX}", "sub")
    (tmp_path / "pack" / "data.txt").write_text("resource")
    code = """if True:
        import importlib.resources, pack, pack.sub
        print(pack.abi(), pack.sub.abi(), pack.sub.__name__, pack.sub.__package__)
        print(pack.__path__, pack.__spec__.loader.is_package("pack"))
        print(pack.sub.__spec__.loader.is_package("pack.sub"))
        print(importlib.resources.files("pack").joinpath("data.txt").read_text())
    """
    assert environment.output(code, cwd=tmp_path).splitlines() == [
        "universal universal pack.sub pack",
        f"['{tmp_path / 'pack'}'] True",
        "False",
        "resource",
    ]


def test_a_reload_gives_the_same_module(environment, folder):
    code = """if True:
        import importlib, universal_one
        universal_one.mark = 1
        print(importlib.reload(universal_one) is universal_one, universal_one.mark)
    """
    assert environment.output(code, cwd=folder) == "True 1"


def test_it_can_be_imported_again(environment, folder):
    code = """if True:
        import sys, universal_one as first
        del sys.modules["universal_one"]
        import universal_one as second
        print(first is second, second.abi())
    """
    assert environment.output(code, cwd=folder) == "False universal"


def test_the_universal_library_goes_before_the_others(environment, folder):
    library(folder / "universal_one.so", "universal_one", "cpython")
    (folder / "universal_one.py").write_text("def abi(): return 'source'")
    code = "import universal_one as m; print(m.abi())"
    assert environment.output(code, cwd=folder) == "universal"


def test_other_imports_stay_as_they_are(environment, tmp_path):
    library(tmp_path / "plain.so", "plain", "cpython")
    (tmp_path / "source.py").write_text("value = 1")
    (tmp_path / "space").mkdir()
    shutil.make_archive(str(tmp_path / "archive"), "zip", tmp_path, "source.py")
    code = """if True:
        import sys
        import plain, source, space
        print(type(plain.__loader__).__name__, type(source.__loader__).__name__, space.__file__)
        del sys.modules["source"], sys.path[0]
        sys.path.insert(0, "archive.zip")
        import source
        print(type(source.__loader__).__name__)
    """
    assert environment.output(code, cwd=tmp_path).splitlines() == [
        "ExtensionFileLoader SourceFileLoader None",
        "zipimporter",
    ]


def test_a_wrong_library_is_an_import_error(environment, tmp_path):
    (tmp_path / f"broken{SUFFIX}").write_bytes(b"not a library")
    code = """if True:
        try:
            import broken
        except ImportError as error:
            import sys
            print("broken" in str(error), "broken" in sys.modules)
    """
    assert environment.output(code, cwd=tmp_path) == "True False"


def test_installing_repairs_finders_that_exist(environment, folder):
    # -S: nothing is installed at start-up, as for a package that is only on PYTHONPATH.
    code = f"""if True:
        import sys
        sys.path.append({str(environment.site_packages)!r})
        try:
            import universal_one
        except ImportError:
            print("not found")
        import hpy._import_hook
        hpy._import_hook.install()
        import universal_one
        print(universal_one.abi())
    """
    assert environment.output(code, cwd=folder, flags=["-S"]).splitlines() == [
        "not found",
        "universal",
    ]


def test_installing_twice_changes_nothing(environment, folder):
    code = """if True:
        import sys, hpy._import_hook
        before = list(sys.path_hooks)
        hpy._import_hook.install()
        finder = sys.path_hooks[-1](".")
        found = [suffix for suffix, _ in finder._loaders].count(hpy._import_hook.SUFFIX)
        print(sys.path_hooks == before, found)
    """
    assert environment.output(code, cwd=folder) == "True 1"


def test_start_up_imports_the_hook_and_nothing_else(environment, tmp_path):
    # What makes the hook quick: 0.5 ms, where importing importlib.machinery alone takes as long.
    code = "import sys; print(*sorted(sys.modules))"
    with_hook = set(environment.output(code, cwd=tmp_path).split())
    bare = Environment(tmp_path / "bare")
    # Reading any such file takes modules, for its encoding and, from 3.15 on, for what it names.
    (bare.site_packages / "other.pth").write_text("# not empty, or the encoding is not looked up\n")
    (bare.site_packages / "other.start").write_text("time:time\n")
    without = set(bare.output(code, cwd=tmp_path).split())
    assert with_hook - without == {"hpy", "hpy._abi", "hpy._import_hook"}


@pytest.mark.skipif(sys.version_info < (3, 15), reason="only Python 3.15 reads .start files")
def test_either_start_up_file_suffices(tmp_path):
    for kept in ("pth", "start"):
        environment = Environment(tmp_path / kept, "hpy")
        for other in environment.site_packages.glob("hpy_import_hook.*"):
            if other.suffix != f".{kept}":
                other.unlink()
        library(tmp_path / f"universal_one{SUFFIX}", "universal_one")
        code = "import universal_one as m; print(m.abi())"
        assert environment.output(code, cwd=tmp_path) == "universal"
