/*
 * The CPython ABI: methods of types and functions of modules.
 */
#ifndef HPY_CPYTHON_METHOD_H
#define HPY_CPYTHON_METHOD_H

/* How CPython calls the trampoline of a method; -1 for a signature that no method can have. */
HPyAPI_INLINE int _HPyMethod_Flags(HPyFunc_Signature signature)
{
    switch (signature) {
    case HPyFunc_NOARGS:
        return METH_NOARGS;
    case HPyFunc_O:
        return METH_O;
    case HPyFunc_VARARGS:
        return _HPY_METH_FASTCALL;
    case HPyFunc_KEYWORDS:
        return _HPY_METH_FASTCALL | METH_KEYWORDS;
    default:
        return -1;
    }
}

/* Fills the C API's definition of a method; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyMethod_Fill(PyMethodDef *def, const HPyMeth *method)
{
    int flags = _HPyMethod_Flags(method->signature);
    if (flags < 0) {
        PyErr_SetString(PyExc_ValueError, "Unsupported HPyMeth signature");
        return -1;
    }
    if (method->name == NULL || method->cpy_trampoline == NULL) {
        PyErr_SetString(PyExc_SystemError,
                        "HPyMeth with no name or no function: declare it with HPyDef_METH");
        return -1;
    }
    def->ml_name = method->name;
    def->ml_meth = method->cpy_trampoline;
    def->ml_flags = flags;
    def->ml_doc = method->doc;
    return 0;
}

#endif /* HPY_CPYTHON_METHOD_H */
