/* Small conveniences over the API: HPyHelpers_AddType, HPyHelpers_PackArgsAndKeywords. */
#ifndef HPY_HELPERS_H
#define HPY_HELPERS_H

/**
 * Makes a type and stores it as an attribute.
 * @param obj where to store it, usually the module
 * @param name the name of the attribute, UTF-8
 * @param hpyspec what the type is made from, as for HPyType_FromSpec
 * @param params the bases and the metaclass, as for HPyType_FromSpec, or NULL
 * @return 1, or 0 with an exception set
 * Since 0.9.0. Replaces PyModule_AddType.
 */
HPyAPI_INLINE int HPyHelpers_AddType(HPyContext *ctx, HPy obj, const char *name,
                                     HPyType_Spec *hpyspec, HPyType_SpecParam *params)
{
    int status;
    HPy type = HPyType_FromSpec(ctx, hpyspec, params);
    if (HPy_IsNull(type)) {
        return 0;
    }
    status = HPy_SetAttr_s(ctx, obj, name, type);
    HPy_Close(ctx, type);
    return status == 0;
}

/* The dict of n names and their values; HPy_NULL with an exception. */
HPyAPI_INLINE HPy _HPyHelpers_PackDict(HPyContext *ctx, const HPy *values, HPy names, HPy_ssize_t n)
{
    HPy_ssize_t i;
    int status = 0;
    HPy dict = HPyDict_New(ctx);
    for (i = 0; !HPy_IsNull(dict) && i < n; i++) {
        HPy name = HPy_GetItem_i(ctx, names, i);
        status = HPy_IsNull(name) ? -1 : HPy_SetItem(ctx, dict, name, values[i]);
        HPy_Close(ctx, name);
        if (status < 0) {
            HPy_Close(ctx, dict);
            dict = HPy_NULL;
        }
    }
    return dict;
}

/**
 * Packs the arguments of an HPyFunc_KEYWORDS function into a tuple and a dict, for instance to
 * pass them on with HPy_CallTupleDict.
 * @param args the positional arguments, and behind them those given by keyword
 * @param nargs how many positional ones there are
 * @param kwnames the tuple of the keywords, or HPy_NULL
 * @param out_pos_args a new handle to the tuple; HPy_NULL if there are no positional arguments
 * @param out_kwds a new handle to the dict; HPy_NULL if there are no keywords
 * @return 1, or 0 with an exception set: SystemError if an out pointer is null, TypeError if
 *     kwnames is not a tuple. Both results are HPy_NULL then
 * Since 0.9.0.
 */
HPyAPI_INLINE int HPyHelpers_PackArgsAndKeywords(HPyContext *ctx, const HPy *args, size_t nargs,
                                                 HPy kwnames, HPy *out_pos_args, HPy *out_kwds)
{
    HPy_ssize_t n = 0;
    if (out_pos_args == NULL || out_kwds == NULL) {
        HPyErr_SetString(ctx, ctx->h_SystemError,
                         "HPyHelpers_PackArgsAndKeywords needs both out_pos_args and out_kwds");
        return 0;
    }
    *out_pos_args = *out_kwds = HPy_NULL;
    if (!HPy_IsNull(kwnames)) {
        if (!HPyTuple_Check(ctx, kwnames)) {
            HPyErr_SetString(ctx, ctx->h_TypeError,
                             "HPyHelpers_PackArgsAndKeywords: kwnames must be a tuple or HPy_NULL");
            return 0;
        }
        n = HPy_Length(ctx, kwnames);
    }
    if (n > 0) {
        *out_kwds = _HPyHelpers_PackDict(ctx, args + nargs, kwnames, n);
    }
    if (n < 0 || (n > 0 && HPy_IsNull(*out_kwds))) {
        return 0;
    }
    if (nargs > 0) {
        *out_pos_args = HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs);
        if (HPy_IsNull(*out_pos_args)) {
            HPy_Close(ctx, *out_kwds);
            *out_kwds = HPy_NULL;
            return 0;
        }
    }
    return 1;
}

#endif /* HPY_HELPERS_H */
