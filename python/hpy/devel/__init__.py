"""Building HPy extensions.

With setuptools, name the extensions in ``hpy_ext_modules``::

    from setuptools import Extension, setup

    setup(name="foo", hpy_ext_modules=[Extension("foo", ["foo.c"])])

and choose the ABI, ``cpython`` (the default on CPython), ``abi3``, ``abi3t``, ``universal`` or
``hybrid``:

- ``python setup.py --hpy-abi=universal build_ext --inplace``
- ``HPY_ABI=universal pip install .``, and so with every other build front end
- ``pip install --config-settings=--global-option=--hpy-abi=universal .`` (setuptools 69 and later)

With ``abi3``, ``--hpy-limited-api=3.11``, or ``HPY_LIMITED_API=3.11``, names the oldest CPython
that the extensions are for; by default it is 3.9. The wheel is tagged for that and all later ones.
``abi3t`` extensions are for CPython 3.15 and later, with the interpreter lock and without.

A universal library ``foo.hpy0.so``, or a hybrid one ``foo.hpy0-cp311.so``, gets a small stub
``foo.py`` beside it, so that every interpreter with HPy can import it. HPy's import hook finds the
library with no stub; ``--hpy-no-stub``, or ``HPY_NO_STUB=1``, leaves it to the hook.

The headers are all that an extension needs: any other build system does with :func:`get_include`
and the macro that chooses the ABI.
"""

import os

__all__ = ["HPyDevel", "get_include", "handle_hpy_ext_modules"]


def get_include():
    """Give the directory that an HPy extension needs on its include path.

    :returns: the absolute path, as text; ``python -m hpy include`` prints the same
    """
    return HPyDevel().get_extra_include_dirs()[0]


class HPyDevel:
    """Where the files are that a build needs, and how setuptools is brought to use them.

    :param base_dir: the directory with ``include/``; by default that of this package
    """

    def __init__(self, base_dir=None):
        self.base_dir = os.fspath(base_dir or os.path.dirname(os.path.abspath(__file__)))

    def get_extra_include_dirs(self):
        """Give the include directories of every HPy extension."""
        return [os.path.join(self.base_dir, "include")]

    def get_include_dir_forbid_python_h(self):
        """Give the directory with a ``Python.h`` that stops the compilation, saying why.

        It goes in front of the interpreter's include directory for the Universal ABI, whose
        extensions know no ``PyObject``.
        """
        return os.path.join(self.base_dir, "include", "hpy", "forbid_python_h")

    def get_extra_sources(self):
        """Give the C sources to compile into every extension: none, the headers hold it all."""
        return []

    def get_ctx_sources(self):
        """Give the C sources to compile into extensions for the CPython ABI: none."""
        return []

    def get_static_libs(self, hpy_abi):
        """Give the static libraries to link extensions with: none, for each ABI."""
        return []

    def fix_distribution(self, dist):
        """Have a setuptools distribution build its ``hpy_ext_modules``.

        :param dist: the distribution. Its ``hpy_ext_modules`` are appended to its ``ext_modules``,
            and its build commands, whichever the project has chosen, learn what HPy needs
        """
        # Only here: hpy.devel itself must be usable where setuptools is not installed.
        from hpy.devel import _setuptools

        _setuptools.fix_distribution(dist, self)


def handle_hpy_ext_modules(dist, attr, value):
    """Handle the keyword ``hpy_ext_modules`` of ``setup()``; setuptools calls this.

    :raises SetupError: the value is not a list of extensions
    """
    from hpy.devel import _setuptools

    _setuptools.check_extensions(attr, value)
    HPyDevel().fix_distribution(dist)
