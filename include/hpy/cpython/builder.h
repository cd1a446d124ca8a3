/*
 * The CPython ABI: lists and tuples that nobody sees before they are complete, where their structs
 * are hidden or other threads run meanwhile; elsewhere see builder_short.h.
 *
 * A builder is the address of the items, with a head in front, or 0 if there was no memory for
 * them. The list or tuple is made at the end. An error before that is kept for the end, too.
 */
#ifndef HPY_CPYTHON_BUILDER_H
#define HPY_CPYTHON_BUILDER_H

/* Raises why a builder has no result: the item at `missing` was never set, or, where that is the
   size, an index was outside. An exception that is already set says why an item is missing, so it
   stays. */
HPyAPI_INLINE void _HPyBuilder_Raise(const char *name, size_t size, size_t missing)
{
    if (PyErr_Occurred()) {
        return;
    }
    if (missing == size) {
        PyErr_Format(PyExc_SystemError,
                     "%s_Set was given an index that is not from 0 to size - 1; the size is %zu",
                     name, size);
    } else {
        PyErr_Format(PyExc_SystemError, "%s_Build: item %zu was never set, or was set to HPy_NULL",
                     name, missing);
    }
}

#if !_HPY_SHORT

/* How many items a block of the pool has place for. */
#    define _HPY_BUILDER_FEW 9

typedef struct {
    HPy_ssize_t size;
    /* Whether there was an index that is none. */
    intptr_t outside;
    /* References, or NULL. */
    PyObject *items[1];
} _HPyBuilder;

HPy_STATIC_ASSERT(sizeof(_HPyBuilder) + (_HPY_BUILDER_FEW - 1) * sizeof(PyObject *) ==
                      _HPY_POOL_BLOCK,
                  "a builder of few items is a block of the pool");

/* The end raises the exception that there is no memory, or that the size is negative. */
HPyAPI_INLINE intptr_t _HPyBuilder_Start(HPy_ssize_t size)
{
    _HPyBuilder *builder = NULL;
    HPy_ssize_t i;
    if ((size_t)size <= _HPY_BUILDER_FEW) {
        builder = (_HPyBuilder *)_HPyPool_Take();
        for (i = 0; builder != NULL && i < size; i++) {
            builder->items[i] = NULL;
        }
    } else if ((size_t)size < (size_t)PY_SSIZE_T_MAX / sizeof(PyObject *) / 2) {
        builder = (_HPyBuilder *)calloc(1, sizeof(_HPyBuilder) + (size_t)size * sizeof(PyObject *));
    }
    if (builder != NULL) {
        builder->size = size;
        builder->outside = 0;
    }
    return (intptr_t)builder;
}

/* Sets an item; the old one is released last. */
HPyAPI_INLINE void _HPyBuilder_Set(_HPyBuilder *builder, HPy_ssize_t index, PyObject *item)
{
    PyObject *old;
    if (builder == NULL) {
        return;
    }
    if ((size_t)index >= (size_t)builder->size) {
        builder->outside = 1;
        return;
    }
    old = builder->items[index];
    builder->items[index] = item;
    Py_XINCREF(item);
    Py_XDECREF(old);
}

HPyAPI_INLINE void _HPyBuilder_Free(_HPyBuilder *builder)
{
    if (builder->size <= _HPY_BUILDER_FEW) {
        _HPyPool_Give(builder);
    } else {
        free(builder);
    }
}

HPyAPI_INLINE void _HPyBuilder_Cancel(_HPyBuilder *builder)
{
    HPy_ssize_t i;
    if (builder != NULL) {
        for (i = 0; i < builder->size; i++) {
            Py_XDECREF(builder->items[i]);
        }
        _HPyBuilder_Free(builder);
    }
}

/* How many items there are before the first that is missing. */
HPyAPI_INLINE HPy_ssize_t _HPyBuilder_CountSet(const _HPyBuilder *builder)
{
    HPy_ssize_t i = 0;
    while (i < builder->size && builder->items[i] != NULL) {
        i++;
    }
    return i;
}

/* Raises what went wrong before the end, which survives the release of the items. */
HPyAPI_INLINE HPy _HPyBuilder_Fail(_HPyBuilder *builder, const char *name)
{
    PyObject *type, *value, *traceback;
    if (builder == NULL) {
        return _py2h(PyErr_NoMemory());
    }
    _HPyBuilder_Raise(name, (size_t)builder->size,
                      (size_t)(builder->outside ? builder->size : _HPyBuilder_CountSet(builder)));
    PyErr_Fetch(&type, &value, &traceback);
    _HPyBuilder_Cancel(builder);
    PyErr_Restore(type, value, traceback);
    return HPy_NULL;
}

HPyAPI_INLINE int _HPyBuilder_IsComplete(const _HPyBuilder *builder)
{
    return builder != NULL && !builder->outside && _HPyBuilder_CountSet(builder) == builder->size;
}

/* Hands the items over to what they were set for, which may be NULL with an exception. */
HPyAPI_INLINE HPy _HPyBuilder_Finish(_HPyBuilder *builder, PyObject *made, int is_list)
{
#    if _HPY_LIMITED
    HPy_ssize_t i;
#    endif
    if (made == NULL) {
        _HPyBuilder_Cancel(builder);
        return HPy_NULL;
    }
#    if _HPY_LIMITED
    for (i = 0; i < builder->size; i++) {
        if (is_list) {
            PyList_SetItem(made, i, builder->items[i]);
        } else {
            PyTuple_SetItem(made, i, builder->items[i]);
        }
    }
#    else
    if (builder->size > 0) {
        memcpy(is_list ? ((PyListObject *)made)->ob_item : ((PyTupleObject *)made)->ob_item,
               builder->items, (size_t)builder->size * sizeof(PyObject *));
    }
#    endif
    _HPyBuilder_Free(builder);
    return _py2h(made);
}

HPyAPI_INLINE HPyListBuilder HPyListBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyListBuilder builder;
    (void)ctx;
    builder._lst = _HPyBuilder_Start(size);
    return builder;
}

HPyAPI_INLINE void HPyListBuilder_Set(HPyContext *ctx, HPyListBuilder builder, HPy_ssize_t index,
                                      HPy h_item)
{
    (void)ctx;
    _HPyBuilder_Set((_HPyBuilder *)builder._lst, index, _h2py(h_item));
}

HPyAPI_INLINE HPy HPyListBuilder_Build(HPyContext *ctx, HPyListBuilder builder)
{
    _HPyBuilder *items = (_HPyBuilder *)builder._lst;
    (void)ctx;
    if (!_HPyBuilder_IsComplete(items)) {
        return _HPyBuilder_Fail(items, "HPyListBuilder");
    }
    return _HPyBuilder_Finish(items, PyList_New(items->size), 1);
}

HPyAPI_INLINE void HPyListBuilder_Cancel(HPyContext *ctx, HPyListBuilder builder)
{
    (void)ctx;
    _HPyBuilder_Cancel((_HPyBuilder *)builder._lst);
}

HPyAPI_INLINE HPyTupleBuilder HPyTupleBuilder_New(HPyContext *ctx, HPy_ssize_t size)
{
    HPyTupleBuilder builder;
    (void)ctx;
    builder._tup = _HPyBuilder_Start(size);
    return builder;
}

HPyAPI_INLINE void HPyTupleBuilder_Set(HPyContext *ctx, HPyTupleBuilder builder, HPy_ssize_t index,
                                       HPy h_item)
{
    (void)ctx;
    _HPyBuilder_Set((_HPyBuilder *)builder._tup, index, _h2py(h_item));
}

HPyAPI_INLINE HPy HPyTupleBuilder_Build(HPyContext *ctx, HPyTupleBuilder builder)
{
    _HPyBuilder *items = (_HPyBuilder *)builder._tup;
    (void)ctx;
    if (!_HPyBuilder_IsComplete(items)) {
        return _HPyBuilder_Fail(items, "HPyTupleBuilder");
    }
    return _HPyBuilder_Finish(items, PyTuple_New(items->size), 0);
}

HPyAPI_INLINE void HPyTupleBuilder_Cancel(HPyContext *ctx, HPyTupleBuilder builder)
{
    (void)ctx;
    _HPyBuilder_Cancel((_HPyBuilder *)builder._tup);
}

#endif

#endif /* HPY_CPYTHON_BUILDER_H */
