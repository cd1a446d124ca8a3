"""How setuptools builds HPy extensions.

An HPy extension is an extension module like any other, so it joins the distribution's
``ext_modules`` and setuptools does with it what it always does: platform wheels, editable installs,
``sdist``, ``-j``. What differs (flags, file names, directories, stubs, the wheel's tag) is in
subclasses of the commands concerned, made for each distribution over whatever classes the project
has chosen. Nothing of setuptools is patched.
"""

import copy
import os
import re
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension
from setuptools.errors import ModuleError, OptionError, SetupError

from hpy.devel._stub import stub_path, write_stub
from hpy.devel.abitag import HPY_ABIS, get_hpy_ext_suffix

_DEFAULT_ABI = "cpython" if sys.implementation.name == "cpython" else "universal"

_GLOBAL_OPTIONS = [
    ("hpy-abi=", None, f"ABI of HPy extensions: {', '.join(HPY_ABIS)} (default: {_DEFAULT_ABI})"),
    ("hpy-limited-api=", None, "the oldest CPython that abi3 or abi3t extensions are for"),
    ("hpy-no-stub", None, "leave libraries to the import hook: write no stub modules"),
    ("hpy-use-static-libs", None, "accepted for compatibility with HPy 0.9; has no effect"),
]


def check_extensions(attr, value):
    """Raise SetupError unless `value` is a list or tuple of extensions."""
    is_list = isinstance(value, (list, tuple))
    if not is_list or not all(isinstance(item, Extension) for item in value):
        raise SetupError(f"{attr} must be a list of setuptools.Extension, not {value!r}")


def fix_distribution(dist, devel):
    """Do what :meth:`hpy.devel.HPyDevel.fix_distribution` says."""
    dist.global_options = [*dist.global_options, *_GLOBAL_OPTIONS]
    if dist.hpy_ext_modules:
        dist.ext_modules = [*(dist.ext_modules or []), *dist.hpy_ext_modules]
    for command, mixin in _MIXINS.items():
        try:
            base = dist.get_command_class(command)
        except (ModuleError, ImportError):
            continue  # not there, so never run: bdist_wheel before setuptools 70.1, without wheel
        dist.cmdclass[command] = type(base.__name__, (mixin, base), {"hpy_devel": devel})


def _abi(dist):
    """Give the ABI to build for: the option, else the environment, else the interpreter's own."""
    option = getattr(dist, "hpy_abi", None)
    abi = option or os.environ.get("HPY_ABI") or _DEFAULT_ABI
    if abi not in HPY_ABIS:
        source = "--hpy-abi" if option else "the environment variable HPY_ABI"
        raise OptionError(
            f"{source} is {abi!r}, which is not an HPy ABI: choose one of {', '.join(HPY_ABIS)}"
        )
    return abi


def _is_for_cpython(dist):
    """Whether the extensions are CPython's own kind, with an entry point and no stub."""
    return _abi(dist) in ("cpython", *_OLDEST)


_OLDEST = {"abi3": 9, "abi3t": 15}
"""The stable ABIs, and the minor version of the first CPython that each can be for."""


def _limited_minor(dist):
    """Give the minor version of the CPython whose limited API the extensions use."""
    abi = _abi(dist)
    oldest = _OLDEST[abi]
    option = getattr(dist, "hpy_limited_api", None) or os.environ.get("HPY_LIMITED_API")
    version = option or f"3.{oldest}"
    match = re.fullmatch(r"3\.(\d+)", version)
    if not match or int(match[1]) < oldest:
        raise OptionError(
            f"--hpy-limited-api is {version!r}: for {abi} it must be the version of a CPython, "
            f"3.{oldest} or later"
        )
    if abi == "abi3" and sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise OptionError(
            "a free-threaded CPython loads no abi3 extensions: choose another --hpy-abi, such as "
            "abi3t"
        )
    if sys.version_info < (3, oldest):
        raise OptionError(
            f"{abi} extensions are built with CPython 3.{oldest} or later: choose another --hpy-abi"
        )
    return int(match[1])


def _abi_macros(dist):
    """Give the macros that choose the ABI."""
    abi = _abi(dist)
    if abi in _OLDEST:
        version = f"0x03{_limited_minor(dist):02X}0000"
        macro = "Py_LIMITED_API" if abi == "abi3" else "Py_TARGET_ABI3T"
        return [("HPY_ABI_CPYTHON", None), (macro, version)]
    return [(f"HPY_ABI_{abi.upper()}", None)]


def _wants_stubs(dist):
    if _is_for_cpython(dist):
        return False
    return not (getattr(dist, "hpy_no_stub", None) or os.environ.get("HPY_NO_STUB", "0") != "0")


class _Build:
    """Keeps the directories of the ABIs apart, so that no build takes up another's files."""

    def finalize_options(self):
        platlib, temp, lib = self.build_platlib, self.build_temp, self.build_lib
        super().finalize_options()
        abi = _abi(self.distribution)
        if abi == "cpython":
            return
        if platlib is None:
            self.build_platlib += f"-hpy-{abi}"
        if temp is None:
            self.build_temp += f"-hpy-{abi}"
        if lib is None and self.distribution.has_ext_modules():
            self.build_lib = self.build_platlib


class _BuildExt:
    """Compiles HPy extensions with their flags, under their names, and with their stubs."""

    def build_extension(self, ext):
        if self.get_ext_fullname(ext.name) not in self._hpy_names():
            super().build_extension(ext)
            return
        super().build_extension(self._with_hpy_flags(ext))
        if _wants_stubs(self.distribution):
            self._write_stub(self.get_ext_fullpath(ext.name))

    def get_ext_filename(self, fullname):
        abi = _abi(self.distribution)
        if abi == "cpython" or fullname not in self._hpy_names():
            return super().get_ext_filename(fullname)
        # The variable is the one by which setuptools is told the suffix when cross-compiling.
        suffix = get_hpy_ext_suffix(abi, os.environ.get("SETUPTOOLS_EXT_SUFFIX"))
        return os.path.join(*fullname.split(".")) + suffix

    def get_ext_fullpath(self, ext_name):
        # The base class asks for the file name by the last part of the dotted name alone, and
        # two extensions, one of them HPy, may have that in common.
        directory = os.path.dirname(super().get_ext_fullpath(ext_name))
        filename = self.get_ext_filename(self.get_ext_fullname(ext_name))
        return os.path.join(directory, os.path.basename(filename))

    def get_export_symbols(self, ext):
        # Others have no PyInit_…, or need not; and the headers mark what is exported.
        is_hpy = self.get_ext_fullname(ext.name) in self._hpy_names()
        if is_hpy and _abi(self.distribution) not in ("cpython", "abi3"):
            return ext.export_symbols
        return super().get_export_symbols(ext)

    def get_outputs(self):
        return sorted({*super().get_outputs(), *map(stub_path, self._stubbed_libraries())})

    def get_output_mapping(self):
        mapping = super().get_output_mapping()
        stubbed = [library for library in self._stubbed_libraries() if library in mapping]
        stubs = {stub_path(library): stub_path(mapping[library]) for library in stubbed}
        return {**mapping, **stubs}

    def copy_extensions_to_source(self):
        super().copy_extensions_to_source()
        if not _wants_stubs(self.distribution):
            return
        for ext in self.distribution.hpy_ext_modules or ():
            library = self.get_ext_fullpath(ext.name)
            if os.path.exists(library):  # an optional extension may have failed
                self._write_stub(library)

    def _hpy_names(self):
        return {self.get_ext_fullname(ext.name) for ext in self.distribution.hpy_ext_modules or ()}

    def _stubbed_libraries(self):
        """Give the libraries with a stub, as they are called in the build directory."""
        if not _wants_stubs(self.distribution):
            return []
        return [os.path.join(self.build_lib, self.get_ext_filename(n)) for n in self._hpy_names()]

    def _write_stub(self, library):
        self.execute(write_stub, (library,), f"writing {stub_path(library)}")

    def _with_hpy_flags(self, ext):
        """Give a copy with what HPy adds; the project's own object and lists stay as they are."""
        abi = _abi(self.distribution)
        include_dirs = self.hpy_devel.get_extra_include_dirs()
        headers = [str(path) for root in include_dirs for path in Path(root).rglob("*.h")]
        forbid = [self.hpy_devel.get_include_dir_forbid_python_h()] if abi == "universal" else []
        ext = copy.copy(ext)
        ext.include_dirs = [*forbid, *ext.include_dirs, *include_dirs]
        ext.define_macros = [("HPY", None), *_abi_macros(self.distribution), *ext.define_macros]
        ext.depends = [*ext.depends, *headers]
        return ext


class _BdistWheel:
    """Tags a wheel whose only native code is universal as good for every Python 3.

    One whose only native code is abi3 is good for every later CPython; abi3t for those, too, that
    run without the interpreter lock.
    """

    def get_tag(self):
        tag = super().get_tag()
        dist = self.distribution
        only_hpy = dist.hpy_ext_modules and len(dist.ext_modules) == len(dist.hpy_ext_modules)
        if only_hpy and _abi(dist) == "universal":
            return "py3", "none", tag[2]
        if only_hpy and _abi(dist) in _OLDEST:
            abis = {"abi3": "abi3", "abi3t": "abi3.abi3t"}[_abi(dist)]
            return f"cp3{_limited_minor(dist)}", abis, tag[2]
        return tag


class _BdistEgg:
    """Leaves HPy's libraries in eggs, by which setuptools before 80 installs, to their own stubs.

    The stubs that setuptools would write over them, in order to import from a zipped egg, lose
    every module with multi-phase initialisation.
    """

    def get_ext_outputs(self):
        libraries, stubbed = super().get_ext_outputs()
        build_ext = self.get_finalized_command("build_ext")
        names = [build_ext.get_ext_fullname(e.name) for e in self.distribution.hpy_ext_modules]
        hpy = {build_ext.get_ext_filename(name) for name in names}
        return libraries, [library for library in stubbed if library not in hpy]

    def zip_safe(self):
        return not self.distribution.hpy_ext_modules and super().zip_safe()


_MIXINS = {
    "build": _Build,
    "build_ext": _BuildExt,
    "bdist_wheel": _BdistWheel,
    "bdist_egg": _BdistEgg,
}
