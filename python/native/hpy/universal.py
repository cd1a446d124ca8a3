"""Loads extensions that were compiled for HPy's universal ABI, through the interpreter's own HPy.

Importing is done by `import`: a universal library called `foo.hpy0.so` is found by the import hook
that the package installs. The functions here are for loading by hand; they do what those of the
same names do on CPython.
"""

import builtins
import os
import shutil
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import EXTENSION_SUFFIXES
from types import ModuleType

import _hpy_universal as _host

from hpy import _debug, _trace
from hpy._abi import HPY_ABI_TAG, parse_ext_suffix

MODE_UNIVERSAL, MODE_DEBUG, MODE_TRACE = 0, 1, 2

_MODES = ("universal", "debug", "trace")
"""The modes that have a number, in its order."""

_watched = set()
"""Of which modes the environment was read."""

UNREPAIRED = "HPY_UNREPAIRED"
"""The environment variable that leaves the interpreter's context as it is."""


class LoadError(ImportError, RuntimeError):
    """A file cannot be loaded as a universal extension; `name` and `path` say which."""


def load(name, path, spec, debug=False, mode=-1):
    """Load a universal extension and return its module.

    `name` is the module's name; its last part is the name given to HPy_MODINIT. `path` is the
    library, whose file name must carry the ABI tag (`foo.hpy0.so`). `spec` describes the module:
    its attribute `name` becomes the module's `__name__`; None stands for `name`. `mode` is one of
    the MODE_… constants; -1 means that `debug` decides.

    Raises LoadError if the file is not a universal extension for this interpreter.
    """
    if mode == -1:
        mode = MODE_DEBUG if debug else MODE_UNIVERSAL
    if mode not in range(len(_MODES)):
        raise ValueError(
            f"{mode} is no HPy mode. Use hpy.universal.MODE_UNIVERSAL (0), MODE_DEBUG (1) or "
            "MODE_TRACE (2)."
        )
    # PyPy has no loader for `.so`, so what makes a spec from a file name gives None.
    full = name if spec is None else spec.name
    return _load(name, full, path, spec, _MODES[mode])


def _load_bootstrap(name, ext_name, package, file, loader, spec, env):
    """Load a universal extension on behalf of a generated Python stub.

    `name` is the name given to HPy_MODINIT, `ext_name` the full name of the module. `env` is a
    mapping in which `HPY` chooses the mode, and `HPY_LOG` asks for a line about each load.
    """
    _set(spec, "origin", file)
    module = _load(name, ext_name, file, spec, _chosen_mode(ext_name, env))
    _set(module, "__package__", package)
    _set(module, "__loader__", loader)
    return module


def _load_from_spec(spec):
    """Load the universal extension that a module spec describes.

    The environment variables `HPY` and `HPY_LOG` count.
    """
    return _load(spec.name, spec.name, spec.origin, spec, _chosen_mode(spec.name, os.environ))


def get_version():
    """Give the release and the source revision of this module."""
    return _native.version()


def _chosen_mode(name, env):
    value, mode = env.get("HPY"), "universal"
    if value is not None:
        mode = _native.mode(value, name)
        if not isinstance(mode, str):
            raise _error(name, *mode)
    if env.get("HPY_LOG") is not None:
        context = "" if mode == "universal" else f" with a {mode} context"
        print(f"Loading {name!r} in HPy universal mode{context}")
    _watch(mode)
    return mode


def _load(symbol, name, path, spec, mode):
    path = os.fspath(path)
    problem = _native.check(symbol, path, _TAG, True)
    if problem:
        raise _error(symbol, *problem)
    # The host makes the module under the name whose last part it looks for in the library.
    last = symbol.rpartition(".")[2]
    full = name if name.rpartition(".")[2] == last else last
    module = _load_in_mode(symbol, full, name, path, spec, mode)
    if full != name:
        _set(module, "__name__", name)
    _set(module, "__file__", path)
    if isinstance(spec, ModuleSpec):
        _set(module, "__spec__", spec)
        _set(module, "__loader__", spec.loader)
        _set(module, "__package__", spec.parent)
    if sys.implementation.name == "pypy":
        _name_module_of_functions(module)
    return module


def _name_module_of_functions(module):
    """Tell the functions of a module where they are from, which PyPy does not."""
    for thing in vars(module).values() if isinstance(module, ModuleType) else ():
        if type(thing).__name__ == "extension_function" and thing.__module__ is None:
            thing.__module__ = module.__name__


def _load_in_mode(symbol, full, name, path, spec, mode):
    if mode == "universal":
        return _host.load(full, path, spec)
    if sys.implementation.name == "graalpy":
        raise NotImplementedError(
            f"Cannot load the HPy extension module {name!r} in {mode} mode: on GraalPy some calls "
            "of an extension in this mode end inside the interpreter. Use CPython or PyPy for it, "
            "or leave the module out of the environment variable HPY."
        )
    made = _native.stand_in(symbol, name, path, _TAG, mode)
    if not isinstance(made, str):
        raise _error(symbol, *made)
    try:
        return _host.load(full, made, spec)
    finally:
        shutil.rmtree(os.path.dirname(made), ignore_errors=True)


def _watch(mode):
    """Tell what these modes have to tell when the process ends, as the environment asks for it."""
    if "debug" in mode:
        _debug.watch()
    if "trace" in mode and "trace" not in _watched:
        from hpy.trace import _environment

        _watched.add("trace")
        _environment.apply()


def _set(thing, attribute, value):
    # A create slot can make any object, and a spec may be any object, too.
    try:
        setattr(thing, attribute, value)
    except AttributeError:
        pass


def _error(name, kind, message, path, advice):
    if kind != "LoadError":
        return getattr(builtins, kind)(message)
    error = LoadError(message, name=name, path=path)
    if advice and hasattr(error, "add_note"):
        error.add_note(advice)
    return error


def _running():
    try:
        return parse_ext_suffix(EXTENSION_SUFFIXES[0])[0]
    except ValueError:
        return ""  # no hybrid extension is for an interpreter without a tag


_TAG = _running()


def _open_native():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"_native.{HPY_ABI_TAG}.so")
    return _host.load("_native", path, ModuleSpec("hpy._native", None, origin=path))


def _put_right():
    """Put the interpreter's context right where it is not that of the ABI; see docs/hosts.md."""
    repair = not os.environ.get(UNREPAIRED)
    layout = _native.layout(repair)
    if layout == "unknown":
        raise ImportError(
            f"hpy does not know the HPy of this interpreter ({sys.version.splitlines()[-1]}): the "
            "functions are not where the ABI has them, and extensions would crash. Use one of the "
            "interpreters in docs/hosts.md, or report this one."
        )
    if repair and sys.implementation.name == "pypy":
        _native.repair()
    return layout


_native = _open_native()
_LAYOUT = _put_right()
for _part in (_debug, _trace):
    _part.start(_native)
    sys.modules[f"{__name__}.{_part.__name__.rpartition('.')[2]}"] = _part
