/*
 * The CPython ABI: conversions between C integers and int.
 *
 * Which objects are accepted follows the Python/C API: the signed and the masking conversions take
 * anything with `__index__`, the unsigned ones only int. Where long has 64 bits its conversions
 * are taken for int64_t too, because CPython has made them the faster ones.
 */
#ifndef HPY_CPYTHON_LONG_H
#define HPY_CPYTHON_LONG_H

HPyAPI_INLINE HPy HPyLong_FromInt32_t(HPyContext *ctx, int32_t value)
{
    (void)ctx;
    return _py2h(PyLong_FromLong((long)value));
}

HPyAPI_INLINE HPy HPyLong_FromUInt32_t(HPyContext *ctx, uint32_t value)
{
    (void)ctx;
    return _py2h(PyLong_FromUnsignedLong((unsigned long)value));
}

HPyAPI_INLINE HPy HPyLong_FromInt64_t(HPyContext *ctx, int64_t v)
{
    (void)ctx;
    return _py2h(sizeof(long) == 8 ? PyLong_FromLong((long)v) : PyLong_FromLongLong((long long)v));
}

HPyAPI_INLINE HPy HPyLong_FromUInt64_t(HPyContext *ctx, uint64_t v)
{
    (void)ctx;
    return _py2h(sizeof(long) == 8 ? PyLong_FromUnsignedLong((unsigned long)v)
                                   : PyLong_FromUnsignedLongLong((unsigned long long)v));
}

/* A value that does not fit is not -1, so no exception is set yet. */
HPyAPI_INLINE int32_t HPyLong_AsInt32_t(HPyContext *ctx, HPy h)
{
    long value = PyLong_AsLong(_h2py(h));
    (void)ctx;
    if (value != (int32_t)value) {
        PyErr_SetString(PyExc_OverflowError,
                        "the int does not fit into int32_t (-2147483648 to 2147483647)");
        return -1;
    }
    return (int32_t)value;
}

HPyAPI_INLINE uint32_t HPyLong_AsUInt32_t(HPyContext *ctx, HPy h)
{
    unsigned long value = PyLong_AsUnsignedLong(_h2py(h));
    (void)ctx;
    if (value != (uint32_t)value) {
        if (value != (unsigned long)-1 || !PyErr_Occurred()) {
            PyErr_SetString(PyExc_OverflowError,
                            "the int does not fit into uint32_t (0 to 4294967295)");
        }
        return (uint32_t)-1;
    }
    return (uint32_t)value;
}

HPyAPI_INLINE uint32_t HPyLong_AsUInt32_tMask(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (uint32_t)PyLong_AsUnsignedLongMask(_h2py(h));
}

HPyAPI_INLINE uint64_t HPyLong_AsUInt64_t(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return sizeof(long) == 8 ? (uint64_t)PyLong_AsUnsignedLong(_h2py(h))
                             : (uint64_t)PyLong_AsUnsignedLongLong(_h2py(h));
}

HPyAPI_INLINE uint64_t HPyLong_AsUInt64_tMask(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (uint64_t)PyLong_AsUnsignedLongLongMask(_h2py(h));
}

#endif /* HPY_CPYTHON_LONG_H */
