/*
 * The CPython ABI: making types.
 */
#ifndef HPY_CPYTHON_TYPE_H
#define HPY_CPYTHON_TYPE_H

#if !_HPY_LIMITED

/* The type that a draft describes, as a new reference; NULL with an exception set. */
HPyAPI_INLINE PyObject *_HPyType_FromDraft(_HPyType_Draft *draft)
{
    PyObject *type;
    PyType_Spec spec;
    spec.name = _HPyType_Name(draft->spec->name);
    if (spec.name == NULL || _HPyType_CompleteSlots(draft) < 0) {
        return NULL;
    }
    spec.basicsize = _HPyType_FirstSize(draft);
    spec.itemsize = draft->spec->itemsize;
    spec.flags = (unsigned int)(draft->flags | Py_TPFLAGS_DEFAULT);
    spec.slots = draft->slots;
    type = _HPyType_Make(draft, &spec);
    if (type != NULL && _HPyType_Finish(draft, (PyTypeObject *)type) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

#endif

HPyAPI_INLINE HPy HPyType_FromSpec(HPyContext *ctx, HPyType_Spec *spec, HPyType_SpecParam *params)
{
    PyObject *type = NULL;
    _HPyType_Draft draft;
    (void)ctx;
    memset(&draft, 0, sizeof(draft));
    draft.spec = spec;
    /* The flag of the call protocol comes with the place of the call function. */
    draft.flags = spec->flags & ~HPy_TPFLAGS_HAVE_VECTORCALL;
    if (_HPyType_CheckSpec(&draft) == 0 && _HPyType_ReadParams(&draft, params) == 0 &&
        _HPyType_ReadSpec(&draft) == 0) {
        type = _HPyType_FromDraft(&draft);
    }
    _HPyType_FreeDraft(&draft);
    return _py2h(type);
}

#endif /* HPY_CPYTHON_TYPE_H */
