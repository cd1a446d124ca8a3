"""Builds hpymicro with the HPy that is installed, for the column of HPy 0.9."""

from setuptools import Extension, setup

setup(
    name="hpymicro",
    version="1",
    py_modules=[],
    hpy_ext_modules=[Extension("hpymicro", ["hpymicro.c"], extra_compile_args=["-O2", "-g"])],
)
