"""What `hpy.universal` has in Python on RustPython: attributes of modules, and the import system.

It runs once, when the interpreter starts, with the native module as `universal`.
"""

import _imp
import atexit
import importlib._bootstrap_external
import importlib.machinery
import sys

universal = globals()["universal"]


class LoadError(ImportError, RuntimeError):
    """A file cannot be loaded as a universal extension; `name` and `path` say which."""

    __module__ = "hpy.universal"


def _set(module, name, value):
    # A create slot can make any object, and some refuse attributes.
    try:
        setattr(module, name, value)
    except AttributeError:
        pass


def _begin(module, spec, path):
    """Give a module what the import system gives others before they are executed."""
    _set(module, "__file__", path)
    if not isinstance(spec, importlib.machinery.ModuleSpec):
        return False
    _set(module, "__spec__", spec)
    _set(module, "__loader__", spec.loader)
    _set(module, "__package__", spec.parent)
    if spec.name in sys.modules:
        return False
    spec._initializing = True
    sys.modules[spec.name] = module
    return True


def _end(module, spec, entered):
    """Take back what was only for the time of the execution."""
    if entered:
        if sys.modules.get(spec.name) is module:
            del sys.modules[spec.name]
        spec._initializing = False


_watched = set()


def _watch(debug, trace):
    """Let debug and trace mode, which the environment asked for, say something at the end."""
    if debug and "debug" not in _watched:
        _watched.add("debug")
        atexit.register(universal._debug._tell_leaks)
    if trace and "trace" not in _watched:
        _watched.add("trace")
        importlib.import_module("hpy.trace._environment").apply()


# Named as for CPython, a library that was compiled for import without a stub is found, too.
_SUFFIXES = (".hpy0.so", ".abi3.so", ".so")


def _let_extensions_be_imported():
    """Give the import system what it asks of an interpreter that has extension modules.

    RustPython answers that there are none, so its file finders look for none.
    """
    _imp.extension_suffixes = lambda: list(_SUFFIXES)
    _imp.create_dynamic = lambda spec, file=None: universal._load_from_spec(spec)
    _imp.exec_dynamic = lambda module: 0  # it was executed when it was made
    importlib.machinery.EXTENSION_SUFFIXES[:] = _SUFFIXES
    loaders = importlib._bootstrap_external._get_supported_file_loaders()
    hook = importlib.machinery.FileFinder.path_hook(*loaders)
    others = [h for h in sys.path_hooks if getattr(h, "__name__", "") != hook.__name__]
    sys.path_hooks[:] = [*others, hook]
    sys.path_importer_cache.clear()


class _Package:
    """Makes an empty package `hpy` where there is none: programs may import `hpy.universal`."""

    def find_spec(self, name, path=None, target=None):
        if name == "hpy":
            return importlib.machinery.ModuleSpec(name, None, is_package=True)
        return None


class _Own:
    """Finds and loads `hpy.universal` itself, which is part of the interpreter."""

    def find_spec(self, name, path=None, target=None):
        if name == "hpy.universal":
            return importlib.machinery.ModuleSpec(name, self, origin="built-in")
        return None

    def create_module(self, spec):
        return universal

    def exec_module(self, module):
        """Do nothing: the module was executed when the interpreter started."""


universal.LoadError = LoadError
universal._begin = _begin
universal._end = _end
universal._watch = _watch
sys.modules["hpy.universal._debug"] = universal._debug
sys.modules["hpy.universal._trace"] = universal._trace
sys.meta_path.insert(0, _Own())
sys.meta_path.append(_Package())
_let_extensions_be_imported()
