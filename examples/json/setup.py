from setuptools import Extension, setup

HEADERS = ["print.h", "scan.h", "stream.h"]

setup(
    hpy_ext_modules=[Extension("hpyjson", ["hpyjson.c"], depends=HEADERS)],
    ext_modules=[Extension("cjson", ["cjson.c"], depends=HEADERS)],
)
