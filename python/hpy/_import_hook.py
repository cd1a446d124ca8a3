"""Lets Python find universal and hybrid extensions where it looks for modules.

A universal extension is called ``foo.hpy0.so``, a hybrid one ``foo.hpy0-cp311.so``: suffixes that
no interpreter looks for. This hook teaches the finders of directories the first, and of the second
the one for this interpreter, so that ``import foo`` needs no other file. It is
installed at start-up by ``hpy_import_hook.pth`` (from Python 3.15 on ``hpy_import_hook.start``), so
it must be quick and import nothing that can wait. Where Python reads no such file (``python -S``,
packages that are only on ``PYTHONPATH``), call :func:`install`.
"""

import os
import sys

# The module behind importlib.machinery. It is there from the first moment, whereas importing
# importlib.machinery takes longer than everything else here together.
from _frozen_importlib_external import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder

from hpy._abi import HPY_ABI_TAG, parse_ext_suffix

SUFFIX = f".{HPY_ABI_TAG}{os.path.splitext(EXTENSION_SUFFIXES[0])[1]}"
"""The end of a universal extension's file name: ``.hpy0.so``."""


def _suffixes():
    try:
        tag, extension = parse_ext_suffix(EXTENSION_SUFFIXES[0])
    except ValueError:
        return (SUFFIX,)  # an interpreter with no ABI tag has no hybrid extensions
    return (SUFFIX, f".{HPY_ABI_TAG}-{tag}.{extension}")


SUFFIXES = _suffixes()
"""The ends of file names that the hook finds, in this order: ``.hpy0.so``, ``.hpy0-cp311.so``."""


class HPyExtensionLoader(ExtensionFileLoader):
    """Loads one universal or hybrid extension through :mod:`hpy.universal`.

    The environment variable ``HPY`` chooses the mode, as it does for every other way of import.
    """

    def create_module(self, spec):
        """Load the library and give its module, which has run already."""
        from hpy.universal import _load_from_spec

        return _load_from_spec(spec)

    def exec_module(self, module):
        """Do nothing: loading has run the module, and a reload runs no extension again."""

    def is_package(self, fullname):
        """Tell whether the library is the ``__init__`` of a package."""
        return os.path.basename(self.path).partition(".")[0] == "__init__"


def install():
    """Let directories be searched for HPy's extensions. A second call changes nothing."""
    for index, hook in enumerate(sys.path_hooks):
        if _makes_file_finders(hook):
            sys.path_hooks[index] = _teaching(hook)
            break
    for finder in sys.path_importer_cache.values():
        _teach(finder)


def _makes_file_finders(hook):
    try:
        finder = hook(sys.prefix)
    except ImportError:
        return False
    return type(finder) is FileFinder and not _is_taught(finder)


def _teaching(hook):
    # Wraps the interpreter's hook rather than replace it: what others have configured stays.
    def path_hook_for_universal_extensions(path):
        finder = hook(path)
        _teach(finder)
        return finder

    return path_hook_for_universal_extensions


def _teach(finder):
    # FileFinder offers no other way to add a suffix; the attribute is the same in every Python 3.
    # First place: the CPython ABI is what builds choose by default, so where its library lies
    # beside one of HPy's, that one was asked for.
    if type(finder) is FileFinder and not _is_taught(finder):
        finder._loaders[:0] = [(suffix, HPyExtensionLoader) for suffix in SUFFIXES]


def _is_taught(finder):
    return any(suffix == SUFFIX for suffix, _ in finder._loaders)
