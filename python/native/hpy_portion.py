"""Puts the package ``hpy`` beside this file before the one in the interpreter's own library.

``hpy_import_hook.pth`` calls :func:`install` when the interpreter starts. GraalPy's own package
stands earlier on the path than what is installed; so it is not enough that ours is there.
"""

import os
import sys

# What importlib.util has it from; importing that takes longer than everything else here together.
from _frozen_importlib_external import spec_from_file_location

HERE = os.path.dirname(os.path.abspath(__file__))


class Finder:
    """Finds the one package."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Give the package's spec."""
        if name != "hpy":
            return None
        folder = os.path.join(HERE, "hpy")
        file = os.path.join(folder, "__init__.py")
        return spec_from_file_location(name, file, submodule_search_locations=[folder])


def install():
    """Let ``import hpy`` find this project's package, and ``import`` universal extensions."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)
    from hpy import _import_hook

    _import_hook.install()
