/*
 * Functions that the first minor version of the universal ABI does not have, written with those
 * that it has: the members of the context behind them do not exist on every host, and a library
 * that asks for the first minor version must not touch them. Their documentation is beside the
 * others' in generated/functions_universal.h.
 */
#ifndef HPY_UNIVERSAL_FALLBACKS_H
#define HPY_UNIVERSAL_FALLBACKS_H

/* Calls something that was looked up, or failed to be, and consumes its handle. */
HPyAPI_INLINE HPy _HPyFallback_Call(HPyContext *ctx, HPy function, const HPy *args, HPy_ssize_t n)
{
    HPy result = HPy_NULL;
    HPy tuple = HPy_IsNull(function) ? HPy_NULL : HPyTuple_FromArray(ctx, args, n);
    if (!HPy_IsNull(tuple)) {
        result = HPy_CallTupleDict(ctx, function, tuple, HPy_NULL);
    }
    HPy_Close(ctx, tuple);
    HPy_Close(ctx, function);
    return result;
}

HPyAPI_INLINE HPy HPy_GetIter(HPyContext *ctx, HPy obj)
{
    return _HPyFallback_Call(ctx, HPy_GetItem_s(ctx, ctx->h_Builtins, "iter"), &obj, 1);
}

HPyAPI_INLINE HPy HPyIter_Next(HPyContext *ctx, HPy obj)
{
    HPy next = HPy_GetItem_s(ctx, ctx->h_Builtins, "next");
    HPy item = _HPyFallback_Call(ctx, next, &obj, 1);
    if (HPy_IsNull(item) && HPyErr_ExceptionMatches(ctx, ctx->h_StopIteration)) {
        HPyErr_Clear(ctx);
    }
    return item;
}

/* Whether a class itself has an attribute: 1, 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyFallback_Defines(HPyContext *ctx, HPy cls, const char *name)
{
    HPy key = HPyUnicode_FromString(ctx, name);
    HPy attributes = HPy_IsNull(key) ? HPy_NULL : HPy_GetAttr_s(ctx, cls, "__dict__");
    int result = HPy_IsNull(attributes) ? -1 : HPy_Contains(ctx, attributes, key);
    HPy_Close(ctx, attributes);
    HPy_Close(ctx, key);
    return result;
}

/* Looks at the classes one by one: an attribute of the type may be the metaclass's. */
HPyAPI_INLINE int HPyIter_Check(HPyContext *ctx, HPy obj)
{
    HPy type = HPy_Type(ctx, obj);
    HPy classes = HPy_GetAttr_s(ctx, type, "__mro__");
    HPy_ssize_t n = HPy_IsNull(classes) ? -1 : HPy_Length(ctx, classes);
    int result = n < 0 ? -1 : 0;
    for (HPy_ssize_t i = 0; i < n && result == 0; i++) {
        HPy cls = HPy_GetItem_i(ctx, classes, i);
        result = HPy_IsNull(cls) ? -1 : _HPyFallback_Defines(ctx, cls, "__next__");
        HPy_Close(ctx, cls);
    }
    HPy_Close(ctx, classes);
    HPy_Close(ctx, type);
    if (result < 0) {
        HPyErr_Clear(ctx);
    }
    return result > 0;
}

HPyAPI_INLINE HPy HPySlice_New(HPyContext *ctx, HPy start, HPy stop, HPy step)
{
    HPy args[3];
    args[0] = HPy_IsNull(start) ? ctx->h_None : start;
    args[1] = HPy_IsNull(stop) ? ctx->h_None : stop;
    args[2] = HPy_IsNull(step) ? ctx->h_None : step;
    return _HPyFallback_Call(ctx, HPy_Dup(ctx, ctx->h_SliceType), args, 3);
}

HPyAPI_INLINE HPy _HPyFallback_Slice(HPyContext *ctx, HPy_ssize_t start, HPy_ssize_t end)
{
    HPy slice = HPy_NULL;
    HPy from = HPyLong_FromSsize_t(ctx, start);
    HPy to = HPyLong_FromSsize_t(ctx, end);
    if (!HPy_IsNull(from) && !HPy_IsNull(to)) {
        slice = HPySlice_New(ctx, from, to, HPy_NULL);
    }
    HPy_Close(ctx, from);
    HPy_Close(ctx, to);
    return slice;
}

HPyAPI_INLINE HPy HPy_GetSlice(HPyContext *ctx, HPy obj, HPy_ssize_t start, HPy_ssize_t end)
{
    HPy slice = _HPyFallback_Slice(ctx, start, end);
    HPy result = HPy_IsNull(slice) ? HPy_NULL : HPy_GetItem(ctx, obj, slice);
    HPy_Close(ctx, slice);
    return result;
}

HPyAPI_INLINE int HPy_SetSlice(HPyContext *ctx, HPy obj, HPy_ssize_t start, HPy_ssize_t end,
                               HPy value)
{
    HPy slice = _HPyFallback_Slice(ctx, start, end);
    int result = HPy_IsNull(slice) ? -1 : HPy_SetItem(ctx, obj, slice, value);
    HPy_Close(ctx, slice);
    return result;
}

HPyAPI_INLINE int HPy_DelSlice(HPyContext *ctx, HPy obj, HPy_ssize_t start, HPy_ssize_t end)
{
    HPy slice = _HPyFallback_Slice(ctx, start, end);
    int result = HPy_IsNull(slice) ? -1 : HPy_DelItem(ctx, obj, slice);
    HPy_Close(ctx, slice);
    return result;
}

HPyAPI_INLINE int HPyList_Insert(HPyContext *ctx, HPy h_list, HPy_ssize_t index, HPy h_item)
{
    HPy args[3];
    HPy result = HPy_NULL;
    if (!HPyList_Check(ctx, h_list)) {
        HPyErr_SetString(ctx, ctx->h_SystemError, "HPyList_Insert needs a list");
        return -1;
    }
    args[0] = h_list;
    args[1] = HPyLong_FromSsize_t(ctx, index);
    args[2] = h_item;
    if (!HPy_IsNull(args[1])) {
        HPy insert = HPy_GetAttr_s(ctx, ctx->h_ListType, "insert");
        result = _HPyFallback_Call(ctx, insert, args, 3);
    }
    HPy_Close(ctx, args[1]);
    HPy_Close(ctx, result);
    return HPy_IsNull(result) ? -1 : 0;
}

#endif /* HPY_UNIVERSAL_FALLBACKS_H */
