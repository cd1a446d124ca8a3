/*
 * The CPython ABI: exceptions, source code, context variables, leaving Python.
 */
#ifndef HPY_CPYTHON_EXECUTION_H
#define HPY_CPYTHON_EXECUTION_H

HPyAPI_INLINE HPy_NO_RETURN void HPy_FatalError(HPyContext *ctx, const char *message)
{
    (void)ctx;
    Py_FatalError(message);
}

HPyAPI_INLINE int HPyErr_Occurred(HPyContext *ctx)
{
    (void)ctx;
    return PyErr_Occurred() != NULL;
}

HPyAPI_INLINE HPy HPy_Compile_s(HPyContext *ctx, const char *utf8_source, const char *utf8_filename,
                                HPy_SourceKind kind)
{
    int start;
    (void)ctx;
    switch (kind) {
    case HPy_SourceKind_Expr:
        start = Py_eval_input;
        break;
    case HPy_SourceKind_File:
        start = Py_file_input;
        break;
    case HPy_SourceKind_Single:
        start = Py_single_input;
        break;
    default:
        PyErr_SetString(PyExc_SystemError,
                        "HPy_Compile_s: the kind of source must be HPy_SourceKind_Expr, "
                        "HPy_SourceKind_File or HPy_SourceKind_Single");
        return HPy_NULL;
    }
    return _py2h(Py_CompileString(utf8_source, utf8_filename, start));
}

HPyAPI_INLINE int32_t HPyContextVar_Get(HPyContext *ctx, HPy context_var, HPy default_value,
                                        HPy *result)
{
    PyObject *value = NULL;
    int status = _HPY_CONTEXTVAR_GET(_h2py(context_var), _h2py(default_value), &value);
    (void)ctx;
    *result = _py2h(value);
    return status;
}

HPyAPI_INLINE HPyThreadState HPy_LeavePythonExecution(HPyContext *ctx)
{
    HPyThreadState state;
    (void)ctx;
    state._i = (intptr_t)PyEval_SaveThread();
    return state;
}

HPyAPI_INLINE void HPy_ReenterPythonExecution(HPyContext *ctx, HPyThreadState state)
{
    (void)ctx;
    PyEval_RestoreThread((PyThreadState *)state._i);
}

#endif /* HPY_CPYTHON_EXECUTION_H */
