"""The headers alone: which compilers and standards take them, what a library exports, which
mistakes are errors of the compilation. Sources and the script that uses them are in tests/c.

$HPY_OLD_PYTHON names a Python with hpy 0.9.0; libraries made here are then loaded there too.
"""

import ctypes
import shutil
import subprocess
import sys
import sysconfig
import textwrap

import pytest
from support import (
    ABIS,
    INCLUDE,
    LIMITED_APIS,
    ROOT,
    abi_macros,
    limited_names,
    old_python,
    tomllib,
)

SOURCES = ROOT / "tests" / "c"
MODES = ("universal", *(abi for abi in ABIS if abi not in ("universal", "debug")), "hybrid")
STRICT = ("-Wall", "-Wextra", "-Werror")
SHARED = ("-shared", "-fPIC", "-fvisibility=hidden")
STANDARDS = {
    "gcc": ("c99", "gnu99", "c11", "c17", "gnu2x"),
    "clang": ("c99", "gnu99", "c11", "c17", "gnu2x"),
    "g++": ("c++11", "c++14", "c++17", "c++20"),
    "clang++": ("c++11", "c++14", "c++17", "c++20"),
}
OPTIMISATIONS = (("-O0", "-g", "-Wfatal-errors"), ("-O2",))


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)


def includes(mode):
    """Only our own include path counts for warnings; Python's is a system path."""
    ours = ["-I", INCLUDE, *abi_macros(mode)]
    return ours if mode == "universal" else [*ours, "-isystem", sysconfig.get_path("include")]


def compiler(name):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def skip_without_nullptr(tmp_path, name, standard):
    """Skips a test where the compiler takes no extension, with HPy or without: Python.h of 3.13
    says `nullptr` in all that is newer than C17, and the first compilers of C2x had none.
    """
    path = tmp_path / "plain.c"
    path.write_text("#include <Python.h>\nvoid clear(PyObject *x) { Py_CLEAR(x); }\n")
    command = [name, "-c", f"-std={standard}", *includes("cpython"), path]
    if "nullptr" in run(*command, "-o", tmp_path / "plain.o").stderr:
        pytest.skip("Python.h wants nullptr, which this compiler does not have in C2x")


def compile_to(output, *sources, mode="universal", flags=(), compiler="gcc"):
    """Compiles; a warning is a failure."""
    command = [compiler, *SHARED, *STRICT, *includes(mode), *flags, *sources, "-o", output]
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return output


def refusal(tmp_path, source, *flags):
    """What the compiler says of a source that it must refuse."""
    path = tmp_path / "refused.c"
    path.write_text(textwrap.dedent(source))
    done = run("gcc", "-c", *flags, "-I", INCLUDE, path, "-o", tmp_path / "refused.o")
    assert done.returncode != 0
    return done.stderr


def exported(library):
    lines = run("nm", "-D", "--defined-only", library).stdout.splitlines()
    return {line.split()[-1] for line in lines}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("optimisation", OPTIMISATIONS, ids=" ".join)
@pytest.mark.parametrize(
    "name, standard", [(name, standard) for name in STANDARDS for standard in STANDARDS[name]]
)
def test_no_warning(tmp_path, name, standard, optimisation, mode):
    """Universal mode has no warning under -Wpedantic either; Python.h has, in C99."""
    flags = [f"-std={standard}", *optimisation]
    if mode == "universal":
        flags.append("-Wpedantic")
    elif standard == "gnu2x":
        skip_without_nullptr(tmp_path, compiler(name), standard)
    if "++" in name:
        flags += ["-x", "c++"]
    compile_to(
        tmp_path / "everything.so",
        SOURCES / "everything.c",
        mode=mode,
        flags=flags,
        compiler=compiler(name),
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STANDARDS)
def test_each_signature(tmp_path, name, mode):
    """Each signature with a prototype can be declared, defined and given a trampoline."""
    description = tomllib.loads((ROOT / "api" / "signatures.toml").read_text())["signature"]
    signatures = [s["name"] for s in description if "returns" in s]
    if mode in LIMITED_APIS:
        signatures = [name for name in signatures if name not in limited_names(mode)]
    lines = ["#include <hpy.h>"]
    for signature in signatures:
        lines.append(f"HPyFunc_DECLARE({signature}_impl, {signature});")
        lines.append(f"HPyFunc_TRAMPOLINE({signature}, {signature}_trampoline, {signature}_impl)")
    path = tmp_path / "signatures.c"
    path.write_text("\n".join(lines) + "\n")
    flags = ["-c", "-Wno-unused-function", "-Wno-undefined-internal"]
    flags += ["-Wno-unused-but-set-variable", "-Wno-error"]
    if "++" in name:
        flags += ["-x", "c++"]
    command = [compiler(name), *includes(mode), *flags, path, "-o", tmp_path / "signatures.o"]
    done = run(*command)
    assert done.returncode == 0, done.stderr


def test_one_command(tmp_path):
    """No other file, no other flag; and nothing but the module's entry points is exported."""
    library = tmp_path / "minimal.hpy0.so"
    flags = ["-shared", "-fPIC", "-fvisibility=hidden", "-DHPY_ABI_UNIVERSAL", "-I", INCLUDE]
    done = run("cc", *flags, SOURCES / "minimal.c", "-o", library)
    assert (done.returncode, done.stderr) == (0, "")
    assert exported(library) == {
        "HPyInit_minimal",
        "HPyInitGlobalContext_minimal",
        "get_required_hpy_major_version_minimal",
        "get_required_hpy_minor_version_minimal",
        "PyInit_minimal",
    }


def test_linked_strictly(tmp_path):
    """Weak symbols need no library, also where every symbol must be there at once."""
    flags = ["-Wl,-z,now", "-Wl,--no-undefined"]
    compile_to(tmp_path / "minimal.hpy0.so", SOURCES / "minimal.c", flags=flags)


def test_definitions_are_hidden(tmp_path):
    """Even where the build hides nothing: `capget` must not be taken for the C library's."""
    library = compile_to(
        tmp_path / "everything.so", SOURCES / "everything.c", flags=["-fvisibility=default"]
    )
    assert not {name for name in exported(library) if "everything" not in name}


def test_several_files(tmp_path):
    """Definitions in one file, the module in another; all share the context for trampolines."""
    library = compile_to(
        tmp_path / "units.hpy0.so", SOURCES / "unit_module.c", SOURCES / "unit_definitions.c"
    )
    assert "HPyInit_units" in exported(library)


def test_embedded_modules(tmp_path):
    """Two modules in one library: each source has its own context for trampolines."""
    text = """
        #include <hpy.h>
        HPY_MOD_EMBEDDABLE(NAME)
        HPyDef_METH(NAME_f, "f", HPyFunc_NOARGS)
        static HPy NAME_f_impl(HPyContext *ctx, HPy self)
        {
            (void)self;
            return HPyUnicode_FromString(ctx, "NAME");
        }
        static HPyDef *defines[] = {&NAME_f, NULL};
        static HPyModuleDef moduledef = {"", 0, NULL, defines, NULL};
        HPy_MODINIT(NAME, moduledef)
        """
    sources = []
    for name in ("first", "second"):
        sources.append(tmp_path / f"{name}.c")
        sources[-1].write_text(textwrap.dedent(text).replace("NAME", name))
    library = compile_to(
        tmp_path / "both.hpy0.so", *sources, flags=["-DHPY_EMBEDDED_MODULES", "-Wpedantic"]
    )
    assert {"HPyInit_first", "HPyInit_second"} <= exported(library)


def test_versions_are_expanded_where_the_module_is(tmp_path):
    source = tmp_path / "late.c"
    source.write_text(
        "#include <hpy.h>\n#undef HPY_ABI_VERSION\n#define HPY_ABI_VERSION 999\n"
        "static HPyModuleDef moduledef;\nHPy_MODINIT(late, moduledef)\n"
    )
    library = ctypes.CDLL(str(compile_to(tmp_path / "late.so", source)))
    assert library.get_required_hpy_major_version_late() == 999
    assert library.get_required_hpy_minor_version_late() == 0


@pytest.mark.parametrize("flags", [(), ("-DHPY_ABI_UNIVERSAL", "-DHPY_ABI_CPYTHON")])
def test_exactly_one_mode(tmp_path, flags):
    message = refusal(tmp_path, "#include <hpy.h>\n", *flags)
    assert "exactly one of HPY_ABI_CPYTHON, HPY_ABI_UNIVERSAL and HPY_ABI_HYBRID" in message


FORBIDDEN = "It is forbidden to #include <Python.h> when targeting the HPy Universal ABI"


def test_python_h_after_hpy_h(tmp_path):
    """setuptools puts the folder first on the path; see get_include_dir_forbid_python_h."""
    forbid = INCLUDE / "hpy" / "forbid_python_h"
    source = "#include <hpy.h>\n#include <Python.h>\n"
    assert FORBIDDEN in refusal(tmp_path, source, "-DHPY_ABI_UNIVERSAL", "-I", forbid)


def test_python_h_before_hpy_h(tmp_path):
    source = "#include <Python.h>\n#include <hpy.h>\n"
    path = ["-isystem", sysconfig.get_path("include")]
    assert FORBIDDEN in refusal(tmp_path, source, "-DHPY_ABI_UNIVERSAL", *path)


@pytest.mark.parametrize("optimisation", ["-O0", "-O2"])
@pytest.mark.parametrize("call", ["HPy_AsPyObject(ctx, h)", "HPy_FromPyObject(ctx, 0)"])
def test_legacy_functions(tmp_path, call, optimisation):
    source = f"""
        #include <hpy.h>
        int f(HPyContext *ctx, HPy h);
        int f(HPyContext *ctx, HPy h) {{ (void)h; (void){call}; return 0; }}
        """
    message = refusal(tmp_path, source, "-DHPY_ABI_UNIVERSAL", optimisation)
    assert "Cannot use legacy functions when targeting the HPy Universal ABI" in message


# Import by CPython's own machinery.

FAKE_UNIVERSAL = """
import types

def {function}({parameters}):
    module = types.ModuleType(spec.name)
    module.how = "{function}"
    module.origin = spec.origin
    return module
"""


def stub_free(tmp_path, name="minimal.so"):
    return compile_to(tmp_path / name, SOURCES / "minimal.c")


def python(tmp_path, code):
    """Runs code in a Python without installed packages that finds modules in `tmp_path`."""
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"
    return run(sys.executable, "-S", "-E", "-c", code)


@pytest.mark.parametrize("name", ["minimal.so", "minimal.abi3.so"])
@pytest.mark.parametrize(
    "function, parameters", [("_load_from_spec", "spec"), ("load", "name, path, spec")]
)
def test_import_without_stub(tmp_path, name, function, parameters):
    library = stub_free(tmp_path, name)
    (tmp_path / "hpy").mkdir()
    fake = FAKE_UNIVERSAL.format(function=function, parameters=parameters)
    (tmp_path / "hpy" / "universal.py").write_text(fake)
    done = python(tmp_path, "import minimal; print(minimal.how, minimal.origin)")
    assert done.stdout.split() == [function, str(library)], done.stderr


def test_import_without_stub_says_what_to_install(tmp_path):
    stub_free(tmp_path)
    done = python(tmp_path, "import minimal")
    assert "ImportError: module 'minimal' is an HPy universal binary" in done.stderr
    assert "pip install hpy" in done.stderr


def test_import_without_stub_keeps_other_errors(tmp_path):
    stub_free(tmp_path)
    (tmp_path / "hpy").mkdir()
    (tmp_path / "hpy" / "universal.py").write_text("raise ImportError('built for another machine')")
    done = python(tmp_path, "import minimal")
    assert done.stderr.endswith("ImportError: built for another machine\n")


def test_stub_without_python(tmp_path):
    """In a process without Python the library loads, and PyInit does nothing."""
    library = stub_free(tmp_path)
    (tmp_path / "host.c").write_text(
        textwrap.dedent("""
            #include <dlfcn.h>
            int main(int argc, char **argv)
            {
                void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW) : 0;
                void *(*init)(void), *(*pyinit)(void);
                if (!library)
                    return 1;
                *(void **)&init = dlsym(library, "HPyInit_minimal");
                *(void **)&pyinit = dlsym(library, "PyInit_minimal");
                return init() == 0 || pyinit() != 0;
            }
            """)
    )
    assert run("gcc", tmp_path / "host.c", "-o", tmp_path / "host", "-ldl").returncode == 0
    assert run(tmp_path / "host", library).returncode == 0


def test_stub_can_be_left_out(tmp_path):
    library = compile_to(
        tmp_path / "minimal.so", SOURCES / "minimal.c", flags=["-DHPY_NO_STUB_FREE_IMPORT"]
    )
    assert "PyInit_minimal" not in exported(library)
    assert "Py" not in run("nm", "-D", "--undefined-only", library).stdout


# All of it at work.


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("mode", MODES)
def test_everything(tmp_path, mode, language):
    suffix = ".so" if mode in ("cpython", *LIMITED_APIS) else ".hpy0.so"
    library = compile_to(
        tmp_path / f"everything{suffix}",
        SOURCES / "everything.c",
        mode=mode,
        flags=["-x", language],
        compiler="gcc" if language == "c" else "g++",
    )
    done = run(sys.executable, SOURCES / "check_everything.py", library, mode)
    assert done.stdout == "all of everything.c works\n", done.stderr


@pytest.mark.parametrize("old_mode", [0, 1], ids=["plain", "debug"])
@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("mode", ["universal", "hybrid"])
def test_everything_in_the_old_runtime(tmp_path, mode, language, old_mode):
    """hpy 0.9.0 knows no thunks: this is the test of the trampolines."""
    old = old_python()
    library = compile_to(
        tmp_path / "everything.hpy0.so",
        SOURCES / "everything.c",
        mode=mode,
        flags=["-x", language],
        compiler="gcc" if language == "c" else "g++",
    )
    done = run(old, SOURCES / "check_everything.py", library, mode, old_mode)
    assert done.stdout == "all of everything.c works\n", done.stderr
