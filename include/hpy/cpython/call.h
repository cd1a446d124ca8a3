/*
 * The CPython ABI: calling objects.
 */
#ifndef HPY_CPYTHON_CALL_H
#define HPY_CPYTHON_CALL_H

#if _HPY_LIMITED_BEFORE(0x030C0000)

/* Calls with an array of arguments, which the limited API takes only since 3.12. The names are of
   the last arguments, behind `nargs` others. */
HPyAPI_INLINE PyObject *_HPy_Vectorcall(PyObject *callable, const HPy *args, size_t nargs,
                                        PyObject *names)
{
    Py_ssize_t i, count = names == NULL ? 0 : PyTuple_Size(names);
    PyObject *keywords = NULL, *result = NULL;
    PyObject *positional = _h2py(HPyTuple_FromArray(_HPY_CONTEXT, args, (HPy_ssize_t)nargs));
    if (positional == NULL) {
        return NULL;
    }
    if (count > 0) {
        keywords = PyDict_New();
    }
    for (i = 0; keywords != NULL && i < count; i++) {
        if (PyDict_SetItem(keywords, PyTuple_GetItem(names, i), _h2py(args[nargs + (size_t)i])) <
            0) {
            Py_CLEAR(keywords);
        }
    }
    if (count == 0 || keywords != NULL) {
        result = PyObject_Call(callable, positional, keywords);
    }
    Py_XDECREF(keywords);
    Py_DECREF(positional);
    return result;
}

HPyAPI_INLINE PyObject *_HPy_VectorcallMethod(PyObject *name, const HPy *args, size_t nargs,
                                              PyObject *names)
{
    PyObject *result, *method = PyObject_GetAttr(_h2py(args[0]), name);
    if (method == NULL) {
        return NULL;
    }
    result = _HPy_Vectorcall(method, args + 1, nargs - 1, names);
    Py_DECREF(method);
    return result;
}

#else

HPyAPI_INLINE PyObject *_HPy_Vectorcall(PyObject *callable, const HPy *args, size_t nargs,
                                        PyObject *names)
{
    return PyObject_Vectorcall(callable, _h2py_array(args), nargs, names);
}

HPyAPI_INLINE PyObject *_HPy_VectorcallMethod(PyObject *name, const HPy *args, size_t nargs,
                                              PyObject *names)
{
    return PyObject_VectorcallMethod(name, _h2py_array(args), nargs, names);
}

#endif

/* Calls with keywords from a dict, or with none. */
HPyAPI_INLINE PyObject *_HPy_CallDict(PyObject *callable, PyObject *keywords)
{
#if _HPY_LIMITED
    PyObject *result, *args = PyTuple_New(0);
    if (args == NULL) {
        return NULL;
    }
    result = PyObject_Call(callable, args, keywords);
    Py_DECREF(args);
    return result;
#else
    return PyObject_VectorcallDict(callable, NULL, 0, keywords);
#endif
}

HPyAPI_INLINE HPy HPy_CallTupleDict(HPyContext *ctx, HPy callable, HPy args, HPy kw)
{
    (void)ctx;
    if (!HPy_IsNull(args) && !PyTuple_Check(_h2py(args))) {
        PyErr_SetString(PyExc_TypeError, "HPy_CallTupleDict: args must be a tuple or HPy_NULL");
        return HPy_NULL;
    }
    if (!HPy_IsNull(kw) && !PyDict_Check(_h2py(kw))) {
        PyErr_SetString(PyExc_TypeError, "HPy_CallTupleDict: kw must be a dict or HPy_NULL");
        return HPy_NULL;
    }
    if (HPy_IsNull(args)) {
        return _py2h(_HPy_CallDict(_h2py(callable), _h2py(kw)));
    }
    return _py2h(PyObject_Call(_h2py(callable), _h2py(args), _h2py(kw)));
}

/* Whether this can be the names of keyword arguments; sets a TypeError if not. */
HPyAPI_INLINE int _HPy_CheckNames(HPy kwnames, const char *function)
{
    if (HPy_IsNull(kwnames) || PyTuple_Check(_h2py(kwnames))) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "%s: kwnames must be a tuple or HPy_NULL", function);
    return 0;
}

HPyAPI_INLINE HPy HPy_Call(HPyContext *ctx, HPy callable, const HPy *args, size_t nargs,
                           HPy kwnames)
{
    (void)ctx;
    if (!_HPy_CheckNames(kwnames, "HPy_Call")) {
        return HPy_NULL;
    }
    return _py2h(_HPy_Vectorcall(_h2py(callable), args, nargs, _h2py(kwnames)));
}

HPyAPI_INLINE HPy HPy_CallMethod(HPyContext *ctx, HPy name, const HPy *args, size_t nargs,
                                 HPy kwnames)
{
    (void)ctx;
    if (nargs == 0) {
        PyErr_SetString(PyExc_TypeError,
                        "HPy_CallMethod: args[0] must be the receiver, but nargs is 0");
        return HPy_NULL;
    }
    if (!_HPy_CheckNames(kwnames, "HPy_CallMethod")) {
        return HPy_NULL;
    }
    return _py2h(_HPy_VectorcallMethod(_h2py(name), args, nargs, _h2py(kwnames)));
}

#endif /* HPY_CPYTHON_CALL_H */
