/*
 * Helpers that are written with the API itself, and so the same in each mode.
 */
#ifndef HPY_INLINE_HELPERS_H
#define HPY_INLINE_HELPERS_H

/*
 * Objects.
 */

/**
 * `HPy_New(ctx, type, &pointer)`: a new object of an HPy type, its C struct filled with zeros.
 *
 * @param type the type, made by HPyType_FromSpec, or a subclass
 * @param data address of a pointer to the C struct; it is set to the struct, or to NULL on failure
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyObject_New, PyObject_GC_New and tp_alloc.
 */
#define HPy_New(ctx, type, data) (_HPy_New((ctx), (type), (void **)(data)))

/**
 * Deletes an attribute.
 *
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyObject_DelAttr.
 */
HPyAPI_INLINE int HPy_DelAttr(HPyContext *ctx, HPy obj, HPy name)
{
    return HPy_SetAttr(ctx, obj, name, HPy_NULL);
}

/**
 * Deletes an attribute.
 *
 * @param utf8_name its name, UTF-8
 * @return 0, or -1 with an exception set
 * Since 0.9.0. Replaces PyObject_DelAttrString.
 */
HPyAPI_INLINE int HPy_DelAttr_s(HPyContext *ctx, HPy obj, const char *utf8_name)
{
    return HPy_SetAttr_s(ctx, obj, utf8_name, HPy_NULL);
}

/* Calls a method that was looked up, or failed to be; consumes its handle. */
HPyAPI_INLINE HPy _HPy_CallAndClose(HPyContext *ctx, HPy method, HPy args, HPy kw)
{
    HPy result;
    if (HPy_IsNull(method)) {
        return HPy_NULL;
    }
    result = HPy_CallTupleDict(ctx, method, args, kw);
    HPy_Close(ctx, method);
    return result;
}

/**
 * Calls a method.
 *
 * @param name the method's name, a str
 * @param receiver the object
 * @param args a tuple, or HPy_NULL for no positional arguments
 * @param kw a dict, or HPy_NULL for no keyword arguments
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0.
 */
HPyAPI_INLINE HPy HPy_CallMethodTupleDict(HPyContext *ctx, HPy name, HPy receiver, HPy args, HPy kw)
{
    return _HPy_CallAndClose(ctx, HPy_GetAttr(ctx, receiver, name), args, kw);
}

/**
 * Calls a method; like HPy_CallMethodTupleDict with a name in C.
 *
 * @param utf8_name the method's name, UTF-8
 * Since 0.9.0.
 */
HPyAPI_INLINE HPy HPy_CallMethodTupleDict_s(HPyContext *ctx, const char *utf8_name, HPy receiver,
                                            HPy args, HPy kw)
{
    return _HPy_CallAndClose(ctx, HPy_GetAttr_s(ctx, receiver, utf8_name), args, kw);
}

/**
 * A tuple of `n` objects.
 *
 * @param n the number of arguments that follow, each an HPy; they are borrowed
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyTuple_Pack.
 */
HPyAPI_INLINE HPy HPyTuple_Pack(HPyContext *ctx, HPy_ssize_t n, ...)
{
    HPy few[8];
    HPy *items = few;
    HPy result;
    va_list arguments;
    few[0] = HPy_NULL; /* else gcc warns where n is 0 */
    if (n > 8) {
        items = (HPy *)malloc((size_t)n * sizeof(HPy));
        if (items == NULL) {
            return HPyErr_NoMemory(ctx);
        }
    }
    va_start(arguments, n);
    for (HPy_ssize_t i = 0; i < n; i++) {
        items[i] = va_arg(arguments, HPy);
    }
    va_end(arguments);
    result = HPyTuple_FromArray(ctx, items, n);
    if (items != few) {
        free(items);
    }
    return result;
}

/**
 * Ends a function with the truth of `a op b` for two C values, as `HPy_tp_richcompare` needs it.
 * Replaces Py_RETURN_RICHCOMPARE.
 *
 * @param a, b values that C can compare
 * @param op an HPy_RichCmpOp; another value gives NotImplemented
 */
#define HPy_RETURN_RICHCOMPARE(ctx, a, b, op)                                                      \
    do {                                                                                           \
        switch (op) {                                                                              \
        case HPy_LT:                                                                               \
            return HPyBool_FromBool(ctx, (a) < (b));                                               \
        case HPy_LE:                                                                               \
            return HPyBool_FromBool(ctx, (a) <= (b));                                              \
        case HPy_EQ:                                                                               \
            return HPyBool_FromBool(ctx, (a) == (b));                                              \
        case HPy_NE:                                                                               \
            return HPyBool_FromBool(ctx, (a) != (b));                                              \
        case HPy_GT:                                                                               \
            return HPyBool_FromBool(ctx, (a) > (b));                                               \
        case HPy_GE:                                                                               \
            return HPyBool_FromBool(ctx, (a) >= (b));                                              \
        default:                                                                                   \
            return HPy_Dup(ctx, (ctx)->h_NotImplemented);                                          \
        }                                                                                          \
    } while (0)

/*
 * Exceptions from errno.
 */

/**
 * Raises an exception from C's errno.
 *
 * @param h_type the exception's class, usually ctx->h_OSError
 * @return always HPy_NULL
 * Since 0.9.0. Replaces PyErr_SetFromErrno.
 */
HPyAPI_INLINE HPy HPyErr_SetFromErrno(HPyContext *ctx, HPy h_type)
{
    return HPyErr_SetFromErrnoWithFilenameObjects(ctx, h_type, HPy_NULL, HPy_NULL);
}

/**
 * Raises an exception from C's errno, about a file.
 *
 * @param h_type the exception's class, usually ctx->h_OSError
 * @param filename what was given as the file's name, or HPy_NULL
 * @return always HPy_NULL
 * Since 0.9.0. Replaces PyErr_SetFromErrnoWithFilenameObject.
 */
HPyAPI_INLINE HPy HPyErr_SetFromErrnoWithFilenameObject(HPyContext *ctx, HPy h_type, HPy filename)
{
    return HPyErr_SetFromErrnoWithFilenameObjects(ctx, h_type, filename, HPy_NULL);
}

/*
 * C's integers. The API has functions for sizes that are the same everywhere; these are for those
 * that are not.
 */

/**
 * An int from a C long.
 *
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyLong_FromLong.
 */
HPyAPI_INLINE HPy HPyLong_FromLong(HPyContext *ctx, long value)
{
#if LONG_MAX == INT32_MAX
    return HPyLong_FromInt32_t(ctx, value);
#else
    return HPyLong_FromInt64_t(ctx, value);
#endif
}

/**
 * An int from a C unsigned long.
 *
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyLong_FromUnsignedLong.
 */
HPyAPI_INLINE HPy HPyLong_FromUnsignedLong(HPyContext *ctx, unsigned long value)
{
#if LONG_MAX == INT32_MAX
    return HPyLong_FromUInt32_t(ctx, value);
#else
    return HPyLong_FromUInt64_t(ctx, value);
#endif
}

/**
 * An int from a C long long.
 *
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyLong_FromLongLong.
 */
HPyAPI_INLINE HPy HPyLong_FromLongLong(HPyContext *ctx, long long value)
{
    return HPyLong_FromInt64_t(ctx, value);
}

/**
 * An int from a C unsigned long long.
 *
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyLong_FromUnsignedLongLong.
 */
HPyAPI_INLINE HPy HPyLong_FromUnsignedLongLong(HPyContext *ctx, unsigned long long value)
{
    return HPyLong_FromUInt64_t(ctx, value);
}

/**
 * An int as a C long; what has `__index__` is converted.
 *
 * @return the value; -1 may mean an exception (OverflowError if it does not fit): check
 *         HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsLong.
 */
HPyAPI_INLINE long HPyLong_AsLong(HPyContext *ctx, HPy h)
{
#if LONG_MAX == INT32_MAX
    return HPyLong_AsInt32_t(ctx, h);
#else
    return HPyLong_AsInt64_t(ctx, h);
#endif
}

/**
 * An int as a C unsigned long.
 *
 * @return the value; (unsigned long)-1 may mean an exception (OverflowError if it does not fit,
 *         TypeError if it is no int): check HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsUnsignedLong.
 */
HPyAPI_INLINE unsigned long HPyLong_AsUnsignedLong(HPyContext *ctx, HPy h)
{
#if LONG_MAX == INT32_MAX
    return HPyLong_AsUInt32_t(ctx, h);
#else
    return HPyLong_AsUInt64_t(ctx, h);
#endif
}

/**
 * The low bits of an int as a C unsigned long; what has `__index__` is converted.
 *
 * @return the value; (unsigned long)-1 may mean an exception: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsUnsignedLongMask.
 */
HPyAPI_INLINE unsigned long HPyLong_AsUnsignedLongMask(HPyContext *ctx, HPy h)
{
#if LONG_MAX == INT32_MAX
    return HPyLong_AsUInt32_tMask(ctx, h);
#else
    return HPyLong_AsUInt64_tMask(ctx, h);
#endif
}

/**
 * An int as a C long long; what has `__index__` is converted.
 *
 * @return the value; -1 may mean an exception (OverflowError if it does not fit): check
 *         HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsLongLong.
 */
HPyAPI_INLINE long long HPyLong_AsLongLong(HPyContext *ctx, HPy h)
{
    return HPyLong_AsInt64_t(ctx, h);
}

/**
 * An int as a C unsigned long long.
 *
 * @return the value; (unsigned long long)-1 may mean an exception (OverflowError if it does not
 *         fit, TypeError if it is no int): check HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsUnsignedLongLong.
 */
HPyAPI_INLINE unsigned long long HPyLong_AsUnsignedLongLong(HPyContext *ctx, HPy h)
{
    return HPyLong_AsUInt64_t(ctx, h);
}

/**
 * The low bits of an int as a C unsigned long long; what has `__index__` is converted.
 *
 * @return the value; (unsigned long long)-1 may mean an exception: check HPyErr_Occurred
 * Since 0.9.0. Replaces PyLong_AsUnsignedLongLongMask.
 */
HPyAPI_INLINE unsigned long long HPyLong_AsUnsignedLongLongMask(HPyContext *ctx, HPy h)
{
    return HPyLong_AsUInt64_tMask(ctx, h);
}

/**
 * True or False from a C long: False for 0.
 *
 * @return a new handle
 * Since 0.9.0. Replaces PyBool_FromLong.
 */
HPyAPI_INLINE HPy HPyBool_FromLong(HPyContext *ctx, long value)
{
    return HPyBool_FromBool(ctx, value != 0);
}

#ifdef _WIN64
/** An int from a process identifier. Since 0.9.0. Replaces PyLong_FromPid. */
#    define HPyLong_FromPid HPyLong_FromLongLong
/** An int as a process identifier. Since 0.9.0. Replaces PyLong_AsPid. */
#    define HPyLong_AsPid HPyLong_AsLongLong
/** The unit of HPyArg_Parse for a process identifier. Since 0.9.0. */
#    define _HPy_PARSE_PID "L"
#else
/** An int from a process identifier. Since 0.9.0. Replaces PyLong_FromPid. */
#    define HPyLong_FromPid HPyLong_FromLong
/** An int as a process identifier. Since 0.9.0. Replaces PyLong_AsPid. */
#    define HPyLong_AsPid HPyLong_AsLong
/** The unit of HPyArg_Parse for a process identifier. Since 0.9.0. */
#    define _HPy_PARSE_PID "i"
#endif

/*
 * Slices.
 */

/* One end of a slice, counted from the end if negative, and brought into the bounds. */
HPyAPI_INLINE HPy_ssize_t _HPySlice_Clip(HPy_ssize_t index, HPy_ssize_t length, HPy_ssize_t step)
{
    HPy_ssize_t lowest = step < 0 ? -1 : 0;
    HPy_ssize_t highest = step < 0 ? length - 1 : length;
    if (index < 0) {
        index += length;
        return index < lowest ? lowest : index;
    }
    return index > highest ? highest : index;
}

/**
 * Brings the ends of a slice, from HPySlice_Unpack, into the bounds of a sequence.
 *
 * @param length the sequence's length
 * @param start, stop in and out: where the slice begins and ends
 * @param step the slice's step, not 0
 * @return the number of items in the slice
 * Since 0.9.0. Replaces PySlice_AdjustIndices.
 */
HPyAPI_INLINE HPy_ssize_t HPySlice_AdjustIndices(HPyContext *ctx, HPy_ssize_t length,
                                                 HPy_ssize_t *start, HPy_ssize_t *stop,
                                                 HPy_ssize_t step)
{
    (void)ctx;
    *start = _HPySlice_Clip(*start, length, step);
    *stop = _HPySlice_Clip(*stop, length, step);
    if (step < 0) {
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    }
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

/*
 * Work without the interpreter.
 */

/**
 * Begins a block in which other threads may run Python, and this one must not touch Python: no
 * handle, no context. Replaces Py_BEGIN_ALLOW_THREADS.
 */
#define HPy_BEGIN_LEAVE_PYTHON(ctx)                                                                \
    {                                                                                              \
        HPyThreadState _hpy_left = HPy_LeavePythonExecution(ctx);

/** Ends the block of HPy_BEGIN_LEAVE_PYTHON. Replaces Py_END_ALLOW_THREADS. */
#define HPy_END_LEAVE_PYTHON(ctx)                                                                  \
    HPy_ReenterPythonExecution(ctx, _hpy_left);                                                    \
    }

#endif /* HPY_INLINE_HELPERS_H */
