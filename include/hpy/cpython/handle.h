/*
 * The CPython ABI: between handles and objects.
 */
#ifndef HPY_CPYTHON_HANDLE_H
#define HPY_CPYTHON_HANDLE_H

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

/* The items of a tuple as an array of handles, which lives as long as the tuple. */
HPyAPI_INLINE const HPy *_HPy_TupleItems(PyObject *tuple)
{
    return (const HPy *)(const void *)((PyTupleObject *)tuple)->ob_item;
}

#endif /* HPY_CPYTHON_HANDLE_H */
