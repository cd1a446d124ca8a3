/*
 * The CPython ABI: between handles and objects.
 */
#ifndef HPY_CPYTHON_HANDLE_H
#define HPY_CPYTHON_HANDLE_H

/* Arrays of up to so many arguments are copied to the stack. */
#define _HPY_FEW_ITEMS 8

/* The object behind a handle; the reference stays the handle's. */
HPyAPI_INLINE PyObject *_h2py(HPy h)
{
    return (PyObject *)h._i;
}

/* The handle of an object, which takes over the caller's reference. */
HPyAPI_INLINE HPy _py2h(PyObject *object)
{
    HPy h;
    h._i = (intptr_t)object;
    return h;
}

/* An array of handles as one of objects; both are arrays of addresses. */
HPyAPI_INLINE PyObject *const *_h2py_array(const HPy *handles)
{
    return (PyObject *const *)(const void *)handles;
}

/* The items of a tuple as an array of handles: its own, or in the limited API a copy. */
typedef struct {
    const HPy *items;
    size_t count;
#if _HPY_LIMITED
    HPy few[_HPY_FEW_ITEMS];
#endif
} _HPyItems;

#if _HPY_LIMITED

/* 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyItems_Open(_HPyItems *array, PyObject *tuple)
{
    HPy *copy = array->few;
    size_t i;
    array->count = (size_t)PyTuple_Size(tuple);
    if (array->count > _HPY_FEW_ITEMS) {
        copy = (HPy *)PyMem_Malloc(array->count * sizeof(HPy));
        if (copy == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    for (i = 0; i < array->count; i++) {
        copy[i] = _py2h(PyTuple_GetItem(tuple, (Py_ssize_t)i));
    }
    array->items = copy;
    return 0;
}

HPyAPI_INLINE void _HPyItems_Close(_HPyItems *array)
{
    if (array->items != array->few) {
        PyMem_Free((void *)(uintptr_t)array->items);
    }
}

#else

HPyAPI_INLINE int _HPyItems_Open(_HPyItems *array, PyObject *tuple)
{
    array->items = (const HPy *)(const void *)((PyTupleObject *)tuple)->ob_item;
    array->count = (size_t)PyTuple_GET_SIZE(tuple);
    return 0;
}

HPyAPI_INLINE void _HPyItems_Close(_HPyItems *array)
{
    (void)array;
}

#endif

/* The number of positional arguments of a vectorcall, whose highest bit is a flag. */
HPyAPI_INLINE size_t _HPy_NArgs(size_t nargsf)
{
    return nargsf & ~((size_t)1 << (8 * sizeof(size_t) - 1));
}

#endif /* HPY_CPYTHON_HANDLE_H */
