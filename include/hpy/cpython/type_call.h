/*
 * The CPython ABI: the call protocol. Objects are called through a vectorcall word in themselves.
 */
#ifndef HPY_CPYTHON_TYPE_CALL_H
#define HPY_CPYTHON_TYPE_CALL_H

/* Where objects of a type have their call function; 0 if they have none. */
HPyAPI_INLINE size_t _HPyType_CallOffset(PyTypeObject *type, const _HPyType_Record *record)
{
#if _HPY_LIMITED
    (void)type;
    return record == NULL ? 0 : record->call_offset;
#else
    (void)record;
    return (size_t)type->tp_vectorcall_offset;
#endif
}

/* The call function of an object. */
HPyAPI_INLINE cpy_vectorcallfunc *_HPyType_CallWord(PyObject *self, size_t offset)
{
    return (cpy_vectorcallfunc *)(void *)((char *)self + offset);
}

/* Gives an object the call function of its type, if that has one. */
HPyAPI_INLINE void _HPyType_SetDefaultCall(PyObject *self, PyTypeObject *type,
                                           const _HPyType_Record *record)
{
    size_t offset = _HPyType_CallOffset(type, record);
    if (record != NULL && record->default_call != NULL && offset > 0) {
        *_HPyType_CallWord(self, offset) = record->default_call;
    }
}

#if _HPY_LIMITED_BEFORE(0x030C0000)

/* Calls with the items of a dict as the last arguments. They are kept alive meanwhile: the function
   may change the dict. */
HPyAPI_INLINE PyObject *_HPyType_CallKeywords(cpy_vectorcallfunc function, PyObject *self,
                                              PyObject *args, PyObject *kwargs)
{
    PyObject *name, *value, *result = NULL;
    Py_ssize_t i, position = 0, nargs = PyTuple_Size(args), count = PyDict_Size(kwargs);
    PyObject *names = PyTuple_New(count), *values = PyTuple_New(count);
    PyObject **array = (PyObject **)PyMem_Malloc((size_t)(nargs + count) * sizeof(PyObject *));
    if (names == NULL || values == NULL || array == NULL) {
        PyErr_NoMemory();
    } else {
        for (i = 0; i < nargs; i++) {
            array[i] = PyTuple_GetItem(args, i);
        }
        for (i = 0; PyDict_Next(kwargs, &position, &name, &value); i++) {
            Py_INCREF(name);
            PyTuple_SetItem(names, i, name);
            Py_INCREF(value);
            PyTuple_SetItem(values, i, value);
            array[nargs + i] = value;
        }
        result = function(self, array, (size_t)nargs, names);
    }
    PyMem_Free(array);
    Py_XDECREF(values);
    Py_XDECREF(names);
    return result;
}

/* What PyVectorcall_Call does, which the limited API has since 3.12. */
HPyAPI_INLINE PyObject *_HPyType_CallVector(cpy_vectorcallfunc function, PyObject *self,
                                            PyObject *args, PyObject *kwargs)
{
    _HPyItems array;
    PyObject *result;
    if (kwargs != NULL && PyDict_Size(kwargs) > 0) {
        return _HPyType_CallKeywords(function, self, args, kwargs);
    }
    if (_HPyItems_Open(&array, args) < 0) {
        return NULL;
    }
    result = function(self, _h2py_array(array.items), array.count, NULL);
    _HPyItems_Close(&array);
    return result;
}

#else

HPyAPI_INLINE PyObject *_HPyType_CallVector(cpy_vectorcallfunc function, PyObject *self,
                                            PyObject *args, PyObject *kwargs)
{
    (void)function;
    return PyVectorcall_Call(self, args, kwargs);
}

#endif

/* tp_call of types with the call protocol. Objects that were not made by HPy_New have no call
   function yet. */
HPyAPI_INLINE PyObject *_HPyType_Call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *type = Py_TYPE(self);
    const _HPyType_Record *record = _HPyType_FindRecord(type);
    cpy_vectorcallfunc *word = _HPyType_CallWord(self, _HPyType_CallOffset(type, record));
    if (*word == NULL) {
        _HPyType_SetDefaultCall(self, type, record);
    }
    if (*word == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "this object has no call function: HPy_SetCallFunction sets one");
        return NULL;
    }
    return _HPyType_CallVector(*word, self, args, kwargs);
}

/* Whether HPy made the type that gives objects their call function. */
HPyAPI_INLINE int _HPyType_HasCallProtocol(PyTypeObject *type)
{
#if _HPY_LIMITED
    return _HPyType_CallOffset(type, _HPyType_FindRecord(type)) > 0;
#else
    while (type->tp_base != NULL &&
           type->tp_vectorcall_offset == type->tp_base->tp_vectorcall_offset) {
        type = type->tp_base;
    }
    return type->tp_vectorcall_offset > 0 && _HPyType_OwnRecord(type) != NULL;
#endif
}

HPyAPI_INLINE int HPy_SetCallFunction(HPyContext *ctx, HPy h, HPyCallFunction *func)
{
    PyObject *self = _h2py(h);
    PyTypeObject *type = Py_TYPE(self);
    size_t offset;
    (void)ctx;
    if (!_HPyType_HasCallProtocol(type)) {
        PyErr_Format(PyExc_TypeError,
                     "HPy_SetCallFunction: %R does not implement the HPy call protocol; "
                     "give it an HPy_tp_call slot",
                     type);
        return -1;
    }
    offset = _HPyType_CallOffset(type, _HPyType_FindRecord(type));
    *_HPyType_CallWord(self, offset) = func->cpy_trampoline;
    return 0;
}

#endif /* HPY_CPYTHON_TYPE_CALL_H */
