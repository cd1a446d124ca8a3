# cython: language_level=3
"""The measured functions, for Cython."""


def no_argument():
    pass


def one_object(object):
    return object


def two_longs(long a, long b):
    return a + b


cdef class Point:
    cdef long x, y

    def __cinit__(self):
        self.x = 1
        self.y = 2

    def sum(self):
        return self.x + self.y
