/*
 * The CPython ABI: capsules.
 */
#ifndef HPY_CPYTHON_CAPSULE_H
#define HPY_CPYTHON_CAPSULE_H

/* Whether the destructor is NULL or complete; sets a ValueError if not. */
HPyAPI_INLINE int _HPyCapsule_CheckDestructor(const HPyCapsule_Destructor *destructor)
{
    if (destructor == NULL || (destructor->cpy_trampoline != NULL && destructor->impl != NULL)) {
        return 1;
    }
    PyErr_SetString(PyExc_ValueError,
                    "a capsule destructor must be defined with HPyCapsule_DESTRUCTOR: its "
                    "cpy_trampoline or its impl is NULL");
    return 0;
}

HPyAPI_INLINE HPy HPyCapsule_New(HPyContext *ctx, void *pointer, const char *utf8_name,
                                 HPyCapsule_Destructor *destructor)
{
    (void)ctx;
    if (!_HPyCapsule_CheckDestructor(destructor)) {
        return HPy_NULL;
    }
    return _py2h(
        PyCapsule_New(pointer, utf8_name, destructor == NULL ? NULL : destructor->cpy_trampoline));
}

/**
 * The pointer inside a capsule.
 *
 * @param utf8_name must be the capsule's name, or both NULL
 * @return the pointer, or NULL with an exception set
 * Since 0.9.0. Replaces PyCapsule_GetPointer.
 */
HPyAPI_INLINE void *HPyCapsule_GetPointer(HPyContext *ctx, HPy capsule, const char *utf8_name)
{
    (void)ctx;
    return PyCapsule_GetPointer(_h2py(capsule), utf8_name);
}

/**
 * The name of a capsule.
 *
 * @return the pointer that was given as its name; NULL is a name too: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyCapsule_GetName.
 */
HPyAPI_INLINE const char *HPyCapsule_GetName(HPyContext *ctx, HPy capsule)
{
    (void)ctx;
    return PyCapsule_GetName(_h2py(capsule));
}

/**
 * The context pointer of a capsule.
 *
 * @return the pointer that was set, or NULL if none was: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyCapsule_GetContext.
 */
HPyAPI_INLINE void *HPyCapsule_GetContext(HPyContext *ctx, HPy capsule)
{
    (void)ctx;
    return PyCapsule_GetContext(_h2py(capsule));
}

/**
 * Changes the pointer inside a capsule.
 *
 * @param pointer not NULL
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyCapsule_SetPointer.
 */
HPyAPI_INLINE int HPyCapsule_SetPointer(HPyContext *ctx, HPy capsule, void *pointer)
{
    (void)ctx;
    return PyCapsule_SetPointer(_h2py(capsule), pointer);
}

/**
 * Changes the name of a capsule.
 *
 * @param name not copied: it must live as long as the capsule; may be NULL
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyCapsule_SetName.
 */
HPyAPI_INLINE int HPyCapsule_SetName(HPyContext *ctx, HPy capsule, const char *name)
{
    (void)ctx;
    return PyCapsule_SetName(_h2py(capsule), name);
}

/**
 * Changes the context pointer of a capsule.
 *
 * @param context may be NULL
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyCapsule_SetContext.
 */
HPyAPI_INLINE int HPyCapsule_SetContext(HPyContext *ctx, HPy capsule, void *context)
{
    (void)ctx;
    return PyCapsule_SetContext(_h2py(capsule), context);
}

/**
 * Changes what runs when a capsule goes.
 *
 * @param destructor made by HPyCapsule_DESTRUCTOR, or NULL for nothing
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyCapsule_SetDestructor.
 */
HPyAPI_INLINE int HPyCapsule_SetDestructor(HPyContext *ctx, HPy capsule,
                                           HPyCapsule_Destructor *destructor)
{
    (void)ctx;
    if (!_HPyCapsule_CheckDestructor(destructor)) {
        return -1;
    }
    return PyCapsule_SetDestructor(_h2py(capsule),
                                   destructor == NULL ? NULL : destructor->cpy_trampoline);
}

#endif /* HPY_CPYTHON_CAPSULE_H */
