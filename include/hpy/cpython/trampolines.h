/*
 * The CPython ABI: the functions of an extension that CPython calls. Each has the prototype that
 * the Python/C API demands, and calls the author's function with the library's context.
 */
#ifndef HPY_CPYTHON_TRAMPOLINES_H
#define HPY_CPYTHON_TRAMPOLINES_H

#include "../generated/trampolines_cpython.h"

/* Python's tuple of arguments becomes an array. */
HPyAPI_INLINE int _HPyType_Init(HPyFunc_initproc author, PyObject *self, PyObject *args,
                                PyObject *kw)
{
    _HPyItems array;
    int status;
    if (_HPyItems_Open(&array, args) < 0) {
        return -1;
    }
    status = author(_HPY_CONTEXT, _py2h(self), array.items, (HPy_ssize_t)array.count, _py2h(kw));
    _HPyItems_Close(&array);
    return status;
}

#define _HPyFunc_TRAMPOLINE_HPyFunc_INITPROC(SYM, IMPL)                                            \
    static int SYM(PyObject *_self, PyObject *_args, PyObject *_kw)                                \
    {                                                                                              \
        return _HPyType_Init(IMPL, _self, _args, _kw);                                             \
    }

HPyAPI_INLINE PyObject *_HPyType_New(HPyFunc_newfunc author, PyTypeObject *type, PyObject *args,
                                     PyObject *kw)
{
    _HPyItems array;
    HPy made;
    if (_HPyItems_Open(&array, args) < 0) {
        return NULL;
    }
    made = author(_HPY_CONTEXT, _py2h((PyObject *)type), array.items, (HPy_ssize_t)array.count,
                  _py2h(kw));
    _HPyItems_Close(&array);
    return _h2py(made);
}

#define _HPyFunc_TRAMPOLINE_HPyFunc_NEWFUNC(SYM, IMPL)                                             \
    static PyObject *SYM(PyTypeObject *_type, PyObject *_args, PyObject *_kw)                      \
    {                                                                                              \
        return _HPyType_New(IMPL, _type, _args, _kw);                                              \
    }

/* Gets no context: HPy's tp_dealloc calls the author's function itself. */
#define _HPyFunc_TRAMPOLINE_HPyFunc_DESTROYFUNC(SYM, IMPL)                                         \
    static void SYM(void *_data)                                                                   \
    {                                                                                              \
        IMPL(_data);                                                                               \
    }

/* Gets no context: the struct instead of the object, and fields instead of objects. */
#define _HPyFunc_TRAMPOLINE_HPyFunc_TRAVERSEPROC(SYM, IMPL)                                        \
    static int SYM(PyObject *_self, visitproc _visit, void *_arg)                                  \
    {                                                                                              \
        return _HPyType_TraverseStruct(_self, IMPL, _visit, _arg);                                 \
    }

/* Calls a finalizer: CPython demands that the current exception is the same afterwards. */
HPyAPI_INLINE void _HPyType_Finalize(PyObject *self, HPyFunc_destructor finalizer)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    finalizer(_HPY_CONTEXT, _py2h(self));
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(self);
    }
    PyErr_Restore(type, value, traceback);
}

#define _HPyFunc_TRAMPOLINE_HPyFunc_DESTRUCTOR(SYM, IMPL)                                          \
    static void SYM(PyObject *_self)                                                               \
    {                                                                                              \
        _HPyType_Finalize(_self, IMPL);                                                            \
    }

/* Gets no context: what is in the capsule instead of the capsule. */
#define _HPyFunc_TRAMPOLINE_HPyFunc_CAPSULE_DESTRUCTOR(SYM, IMPL)                                  \
    static void SYM(PyObject *_capsule)                                                            \
    {                                                                                              \
        const char *_name = PyCapsule_GetName(_capsule);                                           \
        IMPL(_name, PyCapsule_GetPointer(_capsule, _name), PyCapsule_GetContext(_capsule));        \
    }

#endif /* HPY_CPYTHON_TRAMPOLINES_H */
