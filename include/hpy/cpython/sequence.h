/*
 * The CPython ABI: bytes, dict, str and tuple, where the Python/C API's function differs from
 * HPy's.
 */
#ifndef HPY_CPYTHON_SEQUENCE_H
#define HPY_CPYTHON_SEQUENCE_H

HPyAPI_INLINE HPy_ssize_t HPyBytes_GET_SIZE(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return _HPY_BYTES_SIZE(_h2py(h));
}

/* The C API makes bytes of any content for a null pointer, to be filled in; HPy has no filling. */
HPyAPI_INLINE HPy HPyBytes_FromStringAndSize(HPyContext *ctx, const char *bytes, HPy_ssize_t len)
{
    (void)ctx;
    if (bytes == NULL) {
        PyErr_SetString(PyExc_ValueError, "NULL char * passed to HPyBytes_FromStringAndSize");
        return HPy_NULL;
    }
    return _py2h(PyBytes_FromStringAndSize(bytes, len));
}

/* The C API's function takes no null in free-threaded builds. */
HPyAPI_INLINE HPy HPyDict_Keys(HPyContext *ctx, HPy h)
{
    (void)ctx;
    if (HPy_IsNull(h)) {
        PyErr_BadInternalCall();
        return HPy_NULL;
    }
    return _py2h(PyDict_Keys(_h2py(h)));
}

HPyAPI_INLINE HPy_UCS4 HPyUnicode_ReadChar(HPyContext *ctx, HPy h, HPy_ssize_t index)
{
    (void)ctx;
    return (HPy_UCS4)PyUnicode_ReadChar(_h2py(h), index);
}

HPyAPI_INLINE HPy HPyTuple_FromArray(HPyContext *ctx, const HPy *items, HPy_ssize_t n)
{
    HPy_ssize_t i;
    PyObject *tuple = PyTuple_New(n);
    (void)ctx;
    if (tuple == NULL) {
        return HPy_NULL;
    }
    for (i = 0; i < n; i++) {
        Py_INCREF(_h2py(items[i]));
        _HPY_TUPLE_SET(tuple, i, _h2py(items[i]));
    }
    return _py2h(tuple);
}

#endif /* HPY_CPYTHON_SEQUENCE_H */
