/*
 * The CPython ABI: calling objects.
 */
#ifndef HPY_CPYTHON_CALL_H
#define HPY_CPYTHON_CALL_H

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
        return _py2h(PyObject_VectorcallDict(_h2py(callable), NULL, 0, _h2py(kw)));
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
    return _py2h(PyObject_Vectorcall(_h2py(callable), _h2py_array(args), nargs, _h2py(kwnames)));
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
    return _py2h(PyObject_VectorcallMethod(_h2py(name), _h2py_array(args), nargs, _h2py(kwnames)));
}

#endif /* HPY_CPYTHON_CALL_H */
