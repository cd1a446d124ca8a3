/*
 * The CPython ABI: `tp_vectorcall` of types that have HPy_tp_new: what `type.__call__` does,
 * without a tuple of the arguments. CPython does not inherit the slot, so the called type is always
 * one that was made here. The limited API has no such slot.
 */
#ifndef HPY_CPYTHON_TYPE_CONSTRUCT_H
#define HPY_CPYTHON_TYPE_CONSTRUCT_H

#if !_HPY_LIMITED

/* Calls with a tuple and a dict, as `type.__call__` takes them. */
HPyAPI_INLINE PyObject *_HPyType_CallType(PyObject *type, PyObject *const *args, Py_ssize_t nargs,
                                          PyObject *names)
{
    PyObject *keywords = NULL, *made = NULL;
    PyObject *tuple = PyTuple_New(nargs);
    Py_ssize_t i, count = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (i = 0; tuple != NULL && i < nargs; i++) {
        Py_INCREF(args[i]);
        PyTuple_SET_ITEM(tuple, i, args[i]);
    }
    if (count > 0) {
        keywords = PyDict_New();
    }
    for (i = 0; keywords != NULL && i < count; i++) {
        if (PyDict_SetItem(keywords, PyTuple_GET_ITEM(names, i), args[nargs + i]) < 0) {
            Py_CLEAR(keywords);
        }
    }
    if (tuple != NULL && (count == 0 || keywords != NULL)) {
        made = PyType_Type.tp_call(type, tuple, keywords);
    }
    Py_XDECREF(keywords);
    Py_XDECREF(tuple);
    return made;
}

/* Calls the `tp_init` of an object whose type is another than the one that was called. */
HPyAPI_INLINE int _HPyType_InitOther(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    int status = -1;
    PyObject *tuple = _h2py(
        HPyTuple_FromArray(_HPY_CONTEXT, (const HPy *)(const void *)args, (HPy_ssize_t)nargs));
    if (tuple != NULL) {
        status = Py_TYPE(object)->tp_init(object, tuple, NULL);
        Py_DECREF(tuple);
    }
    return status;
}

/* Keywords, and a `__new__` or `__init__` that was replaced, are left to `type.__call__`. */
HPyAPI_INLINE PyObject *_HPyType_Construct(PyObject *called, PyObject *const *args, size_t nargsf,
                                           PyObject *names)
{
    PyTypeObject *type = (PyTypeObject *)called;
    const _HPyType_Record *record = (const _HPyType_Record *)_HPyType_RecordPlace(type);
    Py_ssize_t nargs = (Py_ssize_t)_HPy_NArgs(nargsf);
    const HPy *items = (const HPy *)(const void *)args;
    PyObject *object;
    int status = 0;
    if (names != NULL || type->tp_new != record->tp_new || type->tp_init != record->tp_init) {
        return _HPyType_CallType(called, args, nargs, names);
    }
    object = _h2py(record->create(_HPY_CONTEXT, _py2h(called), items, nargs, HPy_NULL));
    if (object == NULL) {
        return NULL;
    }
    if (Py_TYPE(object) == type) {
        if (record->init != NULL) {
            status = record->init(_HPY_CONTEXT, _py2h(object), items, nargs, HPy_NULL);
        }
    } else if (PyType_IsSubtype(Py_TYPE(object), type)) {
        status = _HPyType_InitOther(object, args, nargs);
    }
    if (status < 0) {
        Py_DECREF(object);
        return NULL;
    }
    return object;
}

/* Lets a new type make its objects that way, if it can: a metaclass may do something else when its
   classes are called, and a base may have a `tp_init` of its own. */
HPyAPI_INLINE void _HPyType_SetConstructor(PyTypeObject *type, _HPyType_Record *record)
{
    record->tp_new = type->tp_new;
    record->tp_init = type->tp_init;
    if (record->create != NULL && Py_TYPE(type) == &PyType_Type &&
        (record->init != NULL || type->tp_init == PyBaseObject_Type.tp_init)) {
        type->tp_vectorcall = _HPyType_Construct;
    }
}

#endif

#endif /* HPY_CPYTHON_TYPE_CONSTRUCT_H */
