/*
 * The CPython ABI: lists and tuples that are filled before anybody else can see their items.
 *
 * A builder is an object under construction, or 0 if there was no memory for one. Nothing but the
 * builder refers to it; who asks the garbage collector for all objects finds it empty, because its
 * size is 0 until it is built. A list keeps the true size in `allocated`. A tuple has no other
 * place for it, so a small one has it in the lowest bits of the builder, which are zero in an
 * address; of others a list is made first.
 *
 * An error before that is kept for the end: an item that is missing is an empty place, and an index
 * outside the size makes the size -1.
 */
#ifndef HPY_CPYTHON_BUILDER_SHORT_H
#define HPY_CPYTHON_BUILDER_SHORT_H

#if _HPY_SHORT

/* The bits of a tuple's builder that are its size. */
#    define _HPY_BUILDER_SIZE 15

typedef struct {
    PyObject *object;
    PyObject **items;
    size_t size;
} _HPyUnfinished;

HPyAPI_INLINE _HPyUnfinished _HPyUnfinished_List(PyObject *list)
{
    _HPyUnfinished unfinished;
    unfinished.object = list;
    unfinished.items = ((PyListObject *)list)->ob_item;
    unfinished.size = (size_t)((PyListObject *)list)->allocated;
    return unfinished;
}

/* That of a builder which has a small tuple; else its size is 0, and there may be no object at all.
 */
HPyAPI_INLINE _HPyUnfinished _HPyUnfinished_SmallTuple(HPyTupleBuilder builder)
{
    const intptr_t address = builder._tup & ~(intptr_t)_HPY_BUILDER_SIZE;
    _HPyUnfinished unfinished;
    unfinished.size = (size_t)builder._tup & _HPY_BUILDER_SIZE;
    unfinished.object = (PyObject *)address;
    unfinished.items = (PyObject **)(address + (intptr_t)offsetof(PyTupleObject, ob_item));
    return unfinished;
}

HPyAPI_INLINE void _HPyUnfinished_SetSize(PyObject *object, Py_ssize_t size)
{
    ((PyVarObject *)object)->ob_size = size;
}

/* Hides the items of a new object, or forgets the exception that there is none: the end raises it.
 */
HPyAPI_INLINE PyObject *_HPyUnfinished_Start(PyObject *object)
{
    if (object == NULL) {
        PyErr_Clear();
    } else {
        _HPyUnfinished_SetSize(object, 0);
    }
    return object;
}

/* Puts an item into its place, and releases the old one last; 0 if there is no such place. */
HPyAPI_INLINE int _HPyUnfinished_Put(_HPyUnfinished unfinished, HPy_ssize_t index, PyObject *item)
{
    PyObject *old;
    if ((size_t)index >= unfinished.size) {
        return 0;
    }
    old = unfinished.items[index];
    unfinished.items[index] = item;
    Py_XINCREF(item);
    Py_XDECREF(old);
    return 1;
}

/* How many items there are before the first that is missing. */
HPyAPI_INLINE size_t _HPyUnfinished_CountSet(_HPyUnfinished unfinished)
{
    size_t i = 0;
    while (i < unfinished.size && unfinished.items[i] != NULL) {
        i++;
    }
    return i;
}

/* The object has its true size when it is released. */
HPyAPI_INLINE void _HPyUnfinished_Discard(_HPyUnfinished unfinished)
{
    _HPyUnfinished_SetSize(unfinished.object, (Py_ssize_t)unfinished.size);
    Py_DECREF(unfinished.object);
}

/* Raises what went wrong before the end. */
HPyAPI_INLINE PyObject *_HPyUnfinished_Fail(_HPyUnfinished unfinished, const char *name)
{
    _HPyBuilder_Raise(name, unfinished.size,
                      Py_SIZE(unfinished.object) != 0 ? unfinished.size
                                                      : _HPyUnfinished_CountSet(unfinished));
    _HPyUnfinished_Discard(unfinished);
    return NULL;
}

/* Shows the object to the world if it is complete; else discards it, and NULL with an exception. */
HPyAPI_INLINE PyObject *_HPyUnfinished_Finish(_HPyUnfinished unfinished, const char *name)
{
    if (Py_SIZE(unfinished.object) != 0 || _HPyUnfinished_CountSet(unfinished) != unfinished.size) {
        return _HPyUnfinished_Fail(unfinished, name);
    }
    _HPyUnfinished_SetSize(unfinished.object, (Py_ssize_t)unfinished.size);
    return unfinished.object;
}

HPyAPI_INLINE void _HPyUnfinished_SetListItem(PyObject *list, HPy_ssize_t index, PyObject *item)
{
    if (list != NULL && !_HPyUnfinished_Put(_HPyUnfinished_List(list), index, item)) {
        _HPyUnfinished_SetSize(list, -1);
    }
}

HPyAPI_INLINE PyObject *_HPyUnfinished_FinishList(PyObject *list, const char *name)
{
    return list == NULL ? PyErr_NoMemory() : _HPyUnfinished_Finish(_HPyUnfinished_List(list), name);
}

HPyAPI_INLINE void _HPyUnfinished_CancelList(PyObject *list)
{
    if (list != NULL) {
        _HPyUnfinished_Discard(_HPyUnfinished_List(list));
    }
}

HPyAPI_INLINE HPyListBuilder HPyListBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyListBuilder builder;
    (void)ctx;
    builder._lst = (intptr_t)_HPyUnfinished_Start(PyList_New(size));
    return builder;
}

HPyAPI_INLINE void HPyListBuilder_Set(HPyContext *ctx, HPyListBuilder builder, HPy_ssize_t index,
                                      HPy h_item)
{
    (void)ctx;
    _HPyUnfinished_SetListItem((PyObject *)builder._lst, index, _h2py(h_item));
}

HPyAPI_INLINE HPy HPyListBuilder_Build(HPyContext *ctx, HPyListBuilder builder)
{
    (void)ctx;
    return _py2h(_HPyUnfinished_FinishList((PyObject *)builder._lst, "HPyListBuilder"));
}

HPyAPI_INLINE void HPyListBuilder_Cancel(HPyContext *ctx, HPyListBuilder builder)
{
    (void)ctx;
    _HPyUnfinished_CancelList((PyObject *)builder._lst);
}

HPyAPI_INLINE HPyTupleBuilder HPyTupleBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyTupleBuilder builder;
    (void)ctx;
    if (size < 1 || size > _HPY_BUILDER_SIZE) {
        builder._tup = (intptr_t)_HPyUnfinished_Start(PyList_New(size));
        return builder;
    }
    builder._tup = (intptr_t)_HPyUnfinished_Start(PyTuple_New(size));
    if (builder._tup != 0) {
        builder._tup |= size;
    }
    return builder;
}

HPyAPI_INLINE void HPyTupleBuilder_Set(HPyContext *ctx, HPyTupleBuilder builder, HPy_ssize_t index,
                                       HPy h_item)
{
    _HPyUnfinished tuple = _HPyUnfinished_SmallTuple(builder);
    (void)ctx;
    if (_HPyUnfinished_Put(tuple, index, _h2py(h_item))) {
        return;
    }
    if (tuple.size == 0) {
        _HPyUnfinished_SetListItem((PyObject *)builder._tup, index, _h2py(h_item));
    } else {
        _HPyUnfinished_SetSize(tuple.object, -1);
    }
}

/* The tuple of a builder that has a list. */
HPyAPI_INLINE PyObject *_HPyUnfinished_TupleFromList(PyObject *list)
{
    PyObject *tuple, *finished = _HPyUnfinished_FinishList(list, "HPyTupleBuilder");
    if (finished == NULL) {
        return NULL;
    }
    tuple = PyList_AsTuple(finished);
    Py_DECREF(finished);
    return tuple;
}

HPyAPI_INLINE int _HPyUnfinished_IsTracked(PyObject *object)
{
#    if _HPY_KNOWS_GC_HEAD
    return *(const uintptr_t *)(const void *)((char *)object - _HPY_GC_HEAD) != 0;
#    else
    return PyObject_GC_IsTracked(object);
#    endif
}

HPyAPI_INLINE HPy HPyTupleBuilder_Build(HPyContext *ctx, HPyTupleBuilder builder)
{
    _HPyUnfinished unfinished = _HPyUnfinished_SmallTuple(builder);
    PyObject *tuple;
    (void)ctx;
    if (unfinished.size == 0) {
        return _py2h(_HPyUnfinished_TupleFromList((PyObject *)builder._tup));
    }
    tuple = _HPyUnfinished_Finish(unfinished, "HPyTupleBuilder");
    /* The collector forgets tuples that it finds empty. */
    if (tuple != NULL && !_HPyUnfinished_IsTracked(tuple)) {
        PyObject_GC_Track(tuple);
    }
    return _py2h(tuple);
}

HPyAPI_INLINE void HPyTupleBuilder_Cancel(HPyContext *ctx, HPyTupleBuilder builder)
{
    _HPyUnfinished tuple = _HPyUnfinished_SmallTuple(builder);
    (void)ctx;
    if (tuple.size == 0) {
        _HPyUnfinished_CancelList((PyObject *)builder._tup);
    } else {
        _HPyUnfinished_Discard(tuple);
    }
}

#endif

#endif /* HPY_CPYTHON_BUILDER_SHORT_H */
