/*
 * The CPython ABI: making objects of HPy types.
 */
#ifndef HPY_CPYTHON_TYPE_INSTANCE_H
#define HPY_CPYTHON_TYPE_INSTANCE_H

/* An object of a builtin's subclass, made valid by the builtin's own constructor. */
HPyAPI_INLINE PyObject *_HPyType_AllocateBuiltin(PyTypeObject *type, PyTypeObject *builtin)
{
    PyObject *object;
    PyObject *no_arguments = PyTuple_New(0);
    if (no_arguments == NULL) {
        return NULL;
    }
    object = _HPY_TP(builtin, newfunc, new)(type, no_arguments, NULL);
    Py_DECREF(no_arguments);
    return object;
}

/* Memory for an object, zeros behind what the builtin needs. */
HPyAPI_INLINE PyObject *_HPyType_Allocate(PyTypeObject *type, const _HPyType_Record *record)
{
    PyTypeObject *builtin = type;
    if (record != NULL && record->shape != HPyType_BuiltinShape_Legacy &&
        _HPyType_Base(type) != &PyBaseObject_Type) {
        while (PyType_HasFeature(builtin, Py_TPFLAGS_HEAPTYPE)) {
            builtin = _HPyType_Base(builtin);
        }
        if (builtin != &PyBaseObject_Type && _HPY_TP(builtin, newfunc, new) != NULL) {
            return _HPyType_AllocateBuiltin(type, builtin);
        }
    }
    return _HPY_TP(type, allocfunc, alloc)(type, 0);
}

/* An object of any type; apart, so that the usual way has no registers to save for it. `data` is
   set as for _HPy_New. */
HPy_UNUSED _HPY_NEVER_INLINE static PyObject *_HPyType_NewAny(PyTypeObject *type, void **data)
{
    const _HPyType_Record *record = _HPyType_FindRecord(type);
    PyObject *object = _HPyType_Allocate(type, record);
    void *payload = NULL;
    if (object != NULL) {
        _HPyType_SetDefaultCall(object, type, record);
        payload = record == NULL ? (void *)object : _HPyType_Struct(object, record);
    }
    memcpy(data, &payload, sizeof(payload));
    return object;
}

/* memcpy, because the variable behind `data` is a pointer to some struct, not a void pointer. */
HPyAPI_INLINE HPy _HPy_New(HPyContext *ctx, HPy h_type, void **data)
{
    PyTypeObject *type = (PyTypeObject *)_h2py(h_type);
#if _HPY_KEEP_OBJECTS
    const _HPyType_Record *record;
    PyObject *object;
    void *payload;
#endif
    (void)ctx;
    if (!PyType_Check(_h2py(h_type))) {
        PyErr_SetString(PyExc_TypeError, "HPy_New needs a type as its first argument");
        return HPy_NULL;
    }
#if _HPY_KEEP_OBJECTS
    record = _HPyType_OwnRecord(type);
    if (record != NULL && (record->flags & _HPY_RECORD_KEPT) &&
        (object = _HPyType_TakeKept(type, record->kept_words)) != NULL) {
        _HPyType_SetDefaultCall(object, type, record);
        payload = (char *)object + record->struct_offset;
        memcpy(data, &payload, sizeof(payload));
        return _py2h(_HPyType_Revive(object, type));
    }
#endif
    return _py2h(_HPyType_NewAny(type, data));
}

HPyAPI_INLINE HPy HPyType_GenericNew(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs,
                                     HPy kw)
{
    void *data;
    (void)args;
    (void)nargs;
    (void)kw;
    return _HPy_New(ctx, type, &data);
}

#endif /* HPY_CPYTHON_TYPE_INSTANCE_H */
