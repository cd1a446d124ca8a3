/*
 * Functions of the universal and hybrid modes that are more than one call through the context.
 */
#ifndef HPY_UNIVERSAL_FUNCTIONS_H
#define HPY_UNIVERSAL_FUNCTIONS_H

#include "../generated/functions_universal.h"

/**
 * Prints the message and what Python was doing, and ends the process. It does not return.
 *
 * @param message UTF-8
 * Since 0.9.0. Replaces Py_FatalError.
 */
HPyAPI_INLINE HPy_NO_RETURN void HPy_FatalError(HPyContext *ctx, const char *message)
{
    ctx->ctx_FatalError(ctx, message);
    abort();
}

/* The address that the author gave stays in here, so that the variable behind it may be kept in a
   register; memcpy, because that variable is a pointer to some struct, not a void pointer. */
HPyAPI_INLINE HPy _HPy_New(HPyContext *ctx, HPy h_type, void **data)
{
    void *payload = NULL;
    HPy object = ctx->ctx_New(ctx, h_type, &payload);
    memcpy(data, &payload, sizeof(payload));
    return object;
}

#ifdef HPY_ABI_HYBRID
/**
 * A handle of an object of the Python/C API.
 *
 * @param obj borrowed; NULL gives HPy_NULL
 * @return a new handle
 * Since 0.9.0.
 */
HPyAPI_INLINE HPy HPy_FromPyObject(HPyContext *ctx, cpy_PyObject *obj)
{
    return ctx->ctx_FromPyObject(ctx, obj);
}

/**
 * The object behind a handle, for the Python/C API.
 *
 * @param h borrowed; HPy_NULL gives NULL
 * @return a new reference, released with Py_DECREF
 * Since 0.9.0.
 */
HPyAPI_INLINE cpy_PyObject *HPy_AsPyObject(HPyContext *ctx, HPy h)
{
    return ctx->ctx_AsPyObject(ctx, h);
}
#else
#    define _HPY_LEGACY_TEXT "Cannot use legacy functions when targeting the HPy Universal ABI"
#    if _HPY_HAS_ATTRIBUTE(error)
#        define _HPY_LEGACY __attribute__((error(_HPY_LEGACY_TEXT)))
#    elif _HPY_HAS_ATTRIBUTE(unavailable)
#        define _HPY_LEGACY __attribute__((unavailable(_HPY_LEGACY_TEXT)))
#    else
#        define _HPY_LEGACY
#    endif
/** Not in universal mode: a call is an error of the compilation. */
extern _HPY_LEGACY HPy HPy_FromPyObject(HPyContext *ctx, cpy_PyObject *obj);
/** Not in universal mode: a call is an error of the compilation. */
extern _HPY_LEGACY cpy_PyObject *HPy_AsPyObject(HPyContext *ctx, HPy h);
#endif

/**
 * The pointer inside a capsule.
 *
 * @param utf8_name must be the capsule's name, or both NULL
 * @return the pointer, or NULL with an exception set
 * Since 0.9.0. Replaces PyCapsule_GetPointer.
 */
HPyAPI_INLINE void *HPyCapsule_GetPointer(HPyContext *ctx, HPy capsule, const char *utf8_name)
{
    return HPyCapsule_Get(ctx, capsule, HPyCapsule_key_Pointer, utf8_name);
}

/**
 * The name of a capsule.
 *
 * @return the pointer that was given as its name; NULL is a name too: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyCapsule_GetName.
 */
HPyAPI_INLINE const char *HPyCapsule_GetName(HPyContext *ctx, HPy capsule)
{
    return (const char *)HPyCapsule_Get(ctx, capsule, HPyCapsule_key_Name, NULL);
}

/**
 * The context pointer of a capsule.
 *
 * @return the pointer that was set, or NULL if none was: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyCapsule_GetContext.
 */
HPyAPI_INLINE void *HPyCapsule_GetContext(HPyContext *ctx, HPy capsule)
{
    return HPyCapsule_Get(ctx, capsule, HPyCapsule_key_Context, NULL);
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
    return HPyCapsule_Set(ctx, capsule, HPyCapsule_key_Pointer, pointer);
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
    return HPyCapsule_Set(ctx, capsule, HPyCapsule_key_Name, (void *)(uintptr_t)name);
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
    return HPyCapsule_Set(ctx, capsule, HPyCapsule_key_Context, context);
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
    return HPyCapsule_Set(ctx, capsule, HPyCapsule_key_Destructor, destructor);
}

#endif /* HPY_UNIVERSAL_FUNCTIONS_H */
