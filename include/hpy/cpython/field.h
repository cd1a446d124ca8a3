/*
 * The CPython ABI: references in C structs and in static variables. Either is the address of an
 * object that it owns, or 0. Globals belong to the library: several imports of it share them. (But
 * see globals.h.)
 */
#ifndef HPY_CPYTHON_FIELD_H
#define HPY_CPYTHON_FIELD_H

/* Stores a new reference to an object, or nothing. The old object is released last, because its
   end may run code that reads the place. */
HPyAPI_INLINE void _HPy_Store(intptr_t *place, PyObject *object)
{
    PyObject *old = (PyObject *)*place;
    Py_XINCREF(object);
#ifdef HPY_MOD_GIL_NOT_USED
    __atomic_store_n(place, (intptr_t)object, __ATOMIC_RELAXED); /* see _HPyField_IsNullShared */
#else
    *place = (intptr_t)object;
#endif
    Py_XDECREF(old);
}

/* A new handle of what is stored. */
HPyAPI_INLINE HPy _HPy_Load(intptr_t stored)
{
    Py_XINCREF((PyObject *)stored);
    return _py2h((PyObject *)stored);
}

HPyAPI_INLINE void HPyField_Store(HPyContext *ctx, HPy target_object, HPyField *target_field, HPy h)
{
    (void)ctx;
    (void)target_object;
    _HPy_Store(&target_field->_i, _h2py(h));
}

HPyAPI_INLINE HPy HPyField_Load(HPyContext *ctx, HPy source_object, HPyField source_field)
{
    (void)ctx;
    (void)source_object;
    return _HPy_Load(source_field._i);
}

#if _HPY_SUPPORTS_NO_LOCK || _HPY_SUPPORTS_INTERPRETERS
#    include "globals.h"
#else

HPyAPI_INLINE void HPyGlobal_Store(HPyContext *ctx, HPyGlobal *global, HPy h)
{
    (void)ctx;
    _HPy_Store(&global->_i, _h2py(h));
}

HPyAPI_INLINE HPy HPyGlobal_Load(HPyContext *ctx, HPyGlobal global)
{
    (void)ctx;
    return _HPy_Load(global._i);
}

#endif

#endif /* HPY_CPYTHON_FIELD_H */
