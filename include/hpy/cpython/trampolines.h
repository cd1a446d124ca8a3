/*
 * The CPython ABI: the functions of an extension that CPython calls. Each has the prototype that
 * the Python/C API demands, and calls the author's function with the library's context.
 */
#ifndef HPY_CPYTHON_TRAMPOLINES_H
#define HPY_CPYTHON_TRAMPOLINES_H

#include "../generated/trampolines_cpython.h"

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
