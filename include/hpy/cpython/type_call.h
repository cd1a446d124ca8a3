/*
 * The CPython ABI: the call protocol. Objects are called through a vectorcall word in themselves.
 */
#ifndef HPY_CPYTHON_TYPE_CALL_H
#define HPY_CPYTHON_TYPE_CALL_H

/* Where an object of the type has its call function. */
HPyAPI_INLINE vectorcallfunc *_HPyType_CallWord(PyObject *self, PyTypeObject *type)
{
    return (vectorcallfunc *)(void *)((char *)self + type->tp_vectorcall_offset);
}

/* Gives an object the call function of its type, if that has one. */
HPyAPI_INLINE void _HPyType_SetDefaultCall(PyObject *self, PyTypeObject *type,
                                           const _HPyType_Record *record)
{
    if (record != NULL && record->default_call != NULL && type->tp_vectorcall_offset > 0) {
        *_HPyType_CallWord(self, type) = record->default_call;
    }
}

/* tp_call of types with the call protocol. Objects that were not made by HPy_New have no call
   function yet. */
HPyAPI_INLINE PyObject *_HPyType_Call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyTypeObject *type = Py_TYPE(self);
    if (*_HPyType_CallWord(self, type) == NULL) {
        _HPyType_SetDefaultCall(self, type, _HPyType_FindRecord(type));
    }
    if (*_HPyType_CallWord(self, type) == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "this object has no call function: HPy_SetCallFunction sets one");
        return NULL;
    }
    return PyVectorcall_Call(self, args, kwargs);
}

/* Whether HPy made the type that gives objects their call function. */
HPyAPI_INLINE int _HPyType_HasCallProtocol(PyTypeObject *type)
{
    while (type->tp_base != NULL &&
           type->tp_vectorcall_offset == type->tp_base->tp_vectorcall_offset) {
        type = type->tp_base;
    }
    return type->tp_vectorcall_offset > 0 && _HPyType_OwnRecord(type) != NULL;
}

HPyAPI_INLINE int HPy_SetCallFunction(HPyContext *ctx, HPy h, HPyCallFunction *func)
{
    PyObject *self = _h2py(h);
    (void)ctx;
    if (!_HPyType_HasCallProtocol(Py_TYPE(self))) {
        PyErr_Format(PyExc_TypeError,
                     "HPy_SetCallFunction: type '%.200s' does not implement the HPy call protocol; "
                     "give it an HPy_tp_call slot",
                     Py_TYPE(self)->tp_name);
        return -1;
    }
    *_HPyType_CallWord(self, Py_TYPE(self)) = func->cpy_trampoline;
    return 0;
}

#endif /* HPY_CPYTHON_TYPE_CALL_H */
