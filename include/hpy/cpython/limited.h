/*
 * The CPython ABI: what the limited API has no single function for.
 */
#ifndef HPY_CPYTHON_LIMITED_H
#define HPY_CPYTHON_LIMITED_H

HPyAPI_INLINE const char *HPyType_GetName(HPyContext *ctx, HPy type);

/* Zeroed memory for PyMem_Free, or NULL: 3.9 declares PyMem_Calloc only outside of the limited API.
 */
HPyAPI_INLINE void *_HPy_Calloc(size_t count, size_t size)
{
    void *memory = PyMem_Malloc(count * size);
    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

#if _HPY_LIMITED

/* Since 3.10 in the limited API; 3.9 has it with the same meaning. */
#    ifndef METH_FASTCALL
#        define _HPY_METH_FASTCALL 0x0080
#    else
#        define _HPY_METH_FASTCALL METH_FASTCALL
#    endif

/* The text inside a str, which lives as long as that. Before 3.10 the limited API reaches it by
   the parser of arguments, which takes bytes as well. */
HPyAPI_INLINE const char *_HPyLimited_AsUTF8AndSize(PyObject *object, HPy_ssize_t *size)
{
#    if _HPY_LIMITED_BEFORE(0x030A0000)
    const char *text = NULL;
    Py_ssize_t length = 0;
    if (!PyUnicode_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "HPyUnicode_AsUTF8AndSize needs a str");
        return NULL;
    }
    if (!PyArg_Parse(object, "s#", &text, &length)) {
        return NULL;
    }
    if (size != NULL) {
        *size = length;
    }
    return text;
#    else
    return PyUnicode_AsUTF8AndSize(object, size);
#    endif
}

/*
 * Context variables, by the methods that Python code uses.
 */

/* The type of context variables, as a new reference; NULL with an exception set. */
HPyAPI_INLINE PyObject *_HPyLimited_ContextVarType(void)
{
    PyObject *type, *module = PyImport_ImportModule("_contextvars");
    if (module == NULL) {
        return NULL;
    }
    type = PyObject_GetAttrString(module, "ContextVar");
    Py_DECREF(module);
    return type;
}

/* 1 if the object is a context variable, else -1 with an exception set. */
HPyAPI_INLINE int _HPyLimited_CheckContextVar(PyObject *object)
{
    PyObject *type = _HPyLimited_ContextVarType();
    int is_instance = type == NULL ? -1 : PyObject_IsInstance(object, type);
    Py_XDECREF(type);
    if (is_instance == 0) {
        PyErr_SetString(PyExc_TypeError, "an instance of ContextVar was expected");
        return -1;
    }
    return is_instance;
}

HPyAPI_INLINE PyObject *_HPyLimited_NewContextVar(const char *name, PyObject *default_value)
{
    PyObject *keywords, *args = NULL, *variable = NULL, *type = _HPyLimited_ContextVarType();
    if (type == NULL) {
        return NULL;
    }
    keywords = PyDict_New();
    if (keywords != NULL &&
        (default_value == NULL || PyDict_SetItemString(keywords, "default", default_value) == 0)) {
        args = Py_BuildValue("(s)", name);
    }
    if (args != NULL) {
        variable = PyObject_Call(type, args, keywords);
    }
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_DECREF(type);
    return variable;
}

HPyAPI_INLINE PyObject *_HPyLimited_SetContextVar(PyObject *variable, PyObject *value)
{
    if (_HPyLimited_CheckContextVar(variable) < 0) {
        return NULL;
    }
    return PyObject_CallMethod(variable, "set", "(O)", value);
}

/* Without a default of the caller and of the variable, a missing value is no error. */
HPyAPI_INLINE int _HPyLimited_GetContextVar(PyObject *variable, PyObject *default_value,
                                            PyObject **value)
{
    *value = NULL;
    if (_HPyLimited_CheckContextVar(variable) < 0) {
        return -1;
    }
    if (default_value != NULL) {
        *value = PyObject_CallMethod(variable, "get", "(O)", default_value);
    } else {
        *value = PyObject_CallMethod(variable, "get", NULL);
        if (*value == NULL && PyErr_ExceptionMatches(PyExc_LookupError)) {
            PyErr_Clear();
            return 0;
        }
    }
    return *value == NULL ? -1 : 0;
}

/* The name of a type as a str, whatever the metaclass says; NULL with an exception set. */
HPyAPI_INLINE PyObject *_HPyLimited_TypeName(PyObject *type)
{
#    if _HPY_LIMITED_BEFORE(0x030B0000)
    PyObject *attribute = NULL, *name = NULL;
    PyObject *attributes = PyObject_GetAttrString((PyObject *)&PyType_Type, "__dict__");
    if (attributes != NULL) {
        attribute = PyMapping_GetItemString(attributes, "__name__");
        Py_DECREF(attributes);
    }
    if (attribute != NULL) {
        name = PyObject_CallMethod(attribute, "__get__", "(O)", type);
        Py_DECREF(attribute);
    }
    return name;
#    else
    return PyType_GetName((PyTypeObject *)type);
#    endif
}

/* Tells people about an object, wherever the thread is. A pending exception survives. */
HPyAPI_INLINE void _HPyLimited_Dump(PyObject *object)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *type, *value, *traceback, *repr, *text = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    repr = PyObject_Repr(object);
    if (repr != NULL) {
        text = PyUnicode_AsEncodedString(repr, "utf-8", "backslashreplace");
    }
    PyErr_Clear();
    fprintf(stderr, "object at %p, type %s, %ld references: %s\n", (void *)object,
            HPyType_GetName(_HPY_CONTEXT, _py2h((PyObject *)Py_TYPE(object))),
            (long)Py_REFCNT(object),
            text == NULL ? "<the repr raises an exception>" : PyBytes_AsString(text));
    Py_XDECREF(text);
    Py_XDECREF(repr);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
}

#    define _HPY_CONTEXTVAR_GET _HPyLimited_GetContextVar
#    define _HPY_DUMP _HPyLimited_Dump
#    define _HPY_BYTES_SIZE PyBytes_Size
#    define _HPY_TYPE_FLAGS PyType_GetFlags
#    define _HPY_TUPLE_SIZE PyTuple_Size
#    define _HPY_TUPLE_GET PyTuple_GetItem
#    define _HPY_TUPLE_SET PyTuple_SetItem
#else
#    define _HPY_METH_FASTCALL METH_FASTCALL
#    define _HPY_CONTEXTVAR_GET PyContextVar_Get
#    define _HPY_DUMP _PyObject_Dump
#    define _HPY_BYTES_SIZE PyBytes_GET_SIZE
#    define _HPY_TYPE_FLAGS(type) ((type)->tp_flags)
#    define _HPY_TUPLE_SIZE PyTuple_GET_SIZE
#    define _HPY_TUPLE_GET PyTuple_GET_ITEM
#    define _HPY_TUPLE_SET PyTuple_SET_ITEM
#endif

#endif /* HPY_CPYTHON_LIMITED_H */
