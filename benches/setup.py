"""Builds one source with the HPy that is installed, for the column of HPy 0.9."""

import os
from pathlib import Path

from setuptools import Extension, setup

source = Path(os.environ["HPY_BENCH_SOURCE"])

setup(
    name=source.stem,
    version="1",
    py_modules=[],
    hpy_ext_modules=[Extension(source.stem, [str(source)], extra_compile_args=["-O2", "-g"])],
)
