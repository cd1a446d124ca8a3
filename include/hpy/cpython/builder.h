/*
 * The CPython ABI: lists and tuples that are filled before anybody else can see them.
 *
 * A builder is the address of the object under construction, or 0 if there was no memory for one.
 * Nothing but the builder refers to the object, and the garbage collector does not know it, until
 * it is built. An error before that is kept for the end: an item that is missing is an empty
 * place, and an index outside the size is marked in the size itself, which then is the complement
 * of the true one, and so negative.
 */
#ifndef HPY_CPYTHON_BUILDER_H
#define HPY_CPYTHON_BUILDER_H

/* Hides a new object from the garbage collector, or forgets the exception that there is none. */
HPyAPI_INLINE intptr_t _HPyBuilder_Start(PyObject *object)
{
    if (object == NULL) {
        PyErr_Clear();
    } else {
        PyObject_GC_UnTrack(object);
    }
    return (intptr_t)object;
}

#if !_HPY_LIMITED
HPyAPI_INLINE PyObject **_HPyBuilder_Items(PyObject *object, int is_list)
{
    return is_list ? ((PyListObject *)object)->ob_item : ((PyTupleObject *)object)->ob_item;
}
#endif

/* The item at a place that exists; NULL if the place is empty. */
HPyAPI_INLINE PyObject *_HPyBuilder_Get(PyObject *object, int is_list, HPy_ssize_t index)
{
#if _HPY_LIMITED
    return is_list ? PyList_GetItem(object, index) : PyTuple_GetItem(object, index);
#else
    return _HPyBuilder_Items(object, is_list)[index];
#endif
}

/* Fills a place that exists; the old item is released last. */
HPyAPI_INLINE void _HPyBuilder_Put(PyObject *object, int is_list, HPy_ssize_t index, PyObject *item)
{
    Py_XINCREF(item);
#if _HPY_LIMITED
    if (is_list) {
        PyList_SetItem(object, index, item);
    } else {
        PyTuple_SetItem(object, index, item);
    }
#else
    {
        PyObject *old = _HPyBuilder_Get(object, is_list, index);
        _HPyBuilder_Items(object, is_list)[index] = item;
        Py_XDECREF(old);
    }
#endif
}

/* Sets an item; an index that is none marks the object. */
HPyAPI_INLINE void _HPyBuilder_Set(PyObject *object, int is_list, HPy_ssize_t index, HPy item)
{
    HPy_ssize_t size = Py_SIZE(object);
    if (index < 0 || index >= size) {
        Py_SET_SIZE((PyVarObject *)object, size < 0 ? size : ~size);
        return;
    }
    _HPyBuilder_Put(object, is_list, index, _h2py(item));
}

/* Releases an object that is not to be built. */
HPyAPI_INLINE void _HPyBuilder_Discard(PyObject *object)
{
    if (object != NULL) {
        HPy_ssize_t size = Py_SIZE(object);
        Py_SET_SIZE((PyVarObject *)object, size < 0 ? ~size : size);
        Py_DECREF(object);
    }
}

/* Raises what went wrong before the end. An exception that is already set says why an item is
   missing, so it stays; either survives the release of the items. */
HPyAPI_INLINE HPy _HPyBuilder_Fail(PyObject *object, HPy_ssize_t missing, const char *builder)
{
    PyObject *type, *value, *traceback;
    if (!PyErr_Occurred()) {
        if (Py_SIZE(object) < 0) {
            PyErr_Format(PyExc_SystemError,
                         "%s_Set was given an index that is not from 0 to size - 1; the size is "
                         "%zd",
                         builder, (Py_ssize_t)~Py_SIZE(object));
        } else {
            PyErr_Format(PyExc_SystemError,
                         "%s_Build: item %zd was never set, or was set to HPy_NULL", builder,
                         (Py_ssize_t)missing);
        }
    }
    PyErr_Fetch(&type, &value, &traceback);
    _HPyBuilder_Discard(object);
    PyErr_Restore(type, value, traceback);
    return HPy_NULL;
}

/* Shows the object to the world if it is complete. */
HPyAPI_INLINE HPy _HPyBuilder_Finish(PyObject *object, int is_list, const char *builder)
{
    HPy_ssize_t index = 0;
    HPy_ssize_t size = Py_SIZE(object);
    while (index < size && _HPyBuilder_Get(object, is_list, index) != NULL) {
        index++;
    }
    if (index != size) {
        return _HPyBuilder_Fail(object, index, builder);
    }
    PyObject_GC_Track(object);
    return _py2h(object);
}

HPyAPI_INLINE HPyListBuilder HPyListBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyListBuilder builder;
    (void)ctx;
    builder._lst = _HPyBuilder_Start(PyList_New(size));
    return builder;
}

HPyAPI_INLINE void HPyListBuilder_Set(HPyContext *ctx, HPyListBuilder builder, HPy_ssize_t index,
                                      HPy h_item)
{
    PyObject *list = (PyObject *)builder._lst;
    (void)ctx;
    if (list != NULL) {
        _HPyBuilder_Set(list, 1, index, h_item);
    }
}

HPyAPI_INLINE HPy HPyListBuilder_Build(HPyContext *ctx, HPyListBuilder builder)
{
    PyObject *list = (PyObject *)builder._lst;
    (void)ctx;
    if (list == NULL) {
        return _py2h(PyErr_NoMemory());
    }
    return _HPyBuilder_Finish(list, 1, "HPyListBuilder");
}

HPyAPI_INLINE void HPyListBuilder_Cancel(HPyContext *ctx, HPyListBuilder builder)
{
    (void)ctx;
    _HPyBuilder_Discard((PyObject *)builder._lst);
}

/* The empty tuple is a shared object that cannot be marked, so an empty list stands for it. */
HPyAPI_INLINE HPyTupleBuilder HPyTupleBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyTupleBuilder builder;
    (void)ctx;
    builder._tup = _HPyBuilder_Start(size == 0 ? PyList_New(0) : PyTuple_New(size));
    return builder;
}

/* Of the empty list no item is touched. */
HPyAPI_INLINE void HPyTupleBuilder_Set(HPyContext *ctx, HPyTupleBuilder builder, HPy_ssize_t index,
                                       HPy h_item)
{
    PyObject *tuple = (PyObject *)builder._tup;
    (void)ctx;
    if (tuple != NULL) {
        _HPyBuilder_Set(tuple, 0, index, h_item);
    }
}

HPyAPI_INLINE HPy HPyTupleBuilder_Build(HPyContext *ctx, HPyTupleBuilder builder)
{
    PyObject *tuple = (PyObject *)builder._tup;
    (void)ctx;
    if (tuple == NULL) {
        return _py2h(PyErr_NoMemory());
    }
    if (Py_SIZE(tuple) == 0) {
        Py_DECREF(tuple);
        return _py2h(PyTuple_New(0));
    }
    return _HPyBuilder_Finish(tuple, 0, "HPyTupleBuilder");
}

HPyAPI_INLINE void HPyTupleBuilder_Cancel(HPyContext *ctx, HPyTupleBuilder builder)
{
    (void)ctx;
    _HPyBuilder_Discard((PyObject *)builder._tup);
}

#endif /* HPY_CPYTHON_BUILDER_H */
