"""Builds the measured functions with cffi, into the folder that is given. It has no objects."""

import sys

from cffi import FFI

ffi = FFI()
ffi.cdef("void no_argument(void); long two_longs(long a, long b);")
ffi.set_source(
    "rival",
    """
    static void no_argument(void) {}
    static long two_longs(long a, long b) { return a + b; }
    """,
    extra_compile_args=["-O2", "-g"],
)
ffi.compile(tmpdir=sys.argv[1])
