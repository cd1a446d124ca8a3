/*
 * The CPython ABI: globals of modules that several threads or interpreters run at once. The
 * variable holds a number; the library has a table of values for each interpreter.
 */
#ifndef HPY_CPYTHON_GLOBALS_H
#define HPY_CPYTHON_GLOBALS_H

/* The values of one interpreter. It is never freed: what is freed when the interpreter ends are the
   objects. */
typedef struct _HPyGlobals_s {
    struct _HPyGlobals_s *next;
    /* The interpreter's number, which no other gets. */
    int64_t interpreter;
    intptr_t count;
    PyObject **values;
} _HPyGlobals;

typedef struct {
    _HPyLock lock;
    /* How many globals have a number; the first has 1. */
    intptr_t count;
    _HPyGlobals *first;
} _HPyGlobals_Table;

_HPY_ONE_A_LIBRARY _HPyGlobals_Table _HPyGlobals_Shared;

/* The values of the running interpreter; NULL if it has none. Under the lock. */
HPyAPI_INLINE _HPyGlobals *_HPyGlobals_Find(void)
{
    int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    _HPyGlobals *globals = _HPyGlobals_Shared.first;
    while (globals != NULL && globals->interpreter != interpreter) {
        globals = globals->next;
    }
    return globals;
}

/* Where the running interpreter keeps the global `index`; NULL without memory. Under the lock. */
HPyAPI_INLINE PyObject **_HPyGlobals_Place(intptr_t index)
{
    _HPyGlobals *globals = _HPyGlobals_Find();
    if (globals == NULL) {
        globals = (_HPyGlobals *)calloc(1, sizeof(*globals));
        if (globals == NULL) {
            return NULL;
        }
        globals->interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
        globals->next = _HPyGlobals_Shared.first;
        _HPyGlobals_Shared.first = globals;
    }
    if (index > globals->count) {
        size_t size = (size_t)index * sizeof(PyObject *);
        PyObject **values = (PyObject **)realloc(globals->values, size);
        if (values == NULL) {
            return NULL;
        }
        memset(values + globals->count, 0, size - (size_t)globals->count * sizeof(PyObject *));
        globals->values = values;
        globals->count = index;
    }
    return &globals->values[index - 1];
}

HPyAPI_INLINE void HPyGlobal_Store(HPyContext *ctx, HPyGlobal *global, HPy h)
{
    PyObject **place, *old = NULL;
    (void)ctx;
    Py_XINCREF(_h2py(h));
    _HPyLock_Wait(&_HPyGlobals_Shared.lock);
    if (global->_i == 0) {
        global->_i = ++_HPyGlobals_Shared.count;
    }
    place = _HPyGlobals_Place(global->_i);
    if (place != NULL) {
        old = *place;
        *place = _h2py(h);
    }
    _HPyLock_Release(&_HPyGlobals_Shared.lock);
    if (place == NULL) {
        Py_FatalError("HPyGlobal_Store: no memory for the table of globals");
    }
    Py_XDECREF(old);
}

HPyAPI_INLINE HPy HPyGlobal_Load(HPyContext *ctx, HPyGlobal global)
{
    _HPyGlobals *globals;
    PyObject *value = NULL;
    (void)ctx;
    _HPyLock_Wait(&_HPyGlobals_Shared.lock);
    globals = _HPyGlobals_Find();
    if (globals != NULL && global._i != 0 && global._i <= globals->count) {
        value = globals->values[global._i - 1];
        Py_XINCREF(value);
    }
    _HPyLock_Release(&_HPyGlobals_Shared.lock);
    return _py2h(value);
}

#endif /* HPY_CPYTHON_GLOBALS_H */
