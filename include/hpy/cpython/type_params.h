/*
 * The CPython ABI: bases and metaclass of a new type.
 */
#ifndef HPY_CPYTHON_TYPE_PARAMS_H
#define HPY_CPYTHON_TYPE_PARAMS_H

HPyAPI_INLINE int _HPyType_ParamError(PyObject *exception, const char *reason)
{
    PyErr_Format(exception, "HPyType_FromSpec: %s", reason);
    return -1;
}

HPyAPI_INLINE int _HPyType_SetBasesTuple(_HPyType_Draft *draft, PyObject *tuple)
{
    if (draft->bases != NULL) {
        return _HPyType_ParamError(PyExc_TypeError,
                                   "HPyType_SpecParam_BasesTuple is given more than once");
    }
    if (!PyTuple_Check(tuple)) {
        return _HPyType_ParamError(PyExc_TypeError, "HPyType_SpecParam_BasesTuple needs a tuple");
    }
    Py_INCREF(tuple);
    draft->bases = tuple;
    return 0;
}

/* Puts the single bases into a tuple. */
HPyAPI_INLINE int _HPyType_PackBases(_HPyType_Draft *draft, const HPyType_SpecParam *params,
                                     Py_ssize_t count)
{
    Py_ssize_t next = 0;
    if (draft->bases != NULL) {
        return _HPyType_ParamError(
            PyExc_TypeError,
            "give HPyType_SpecParam_Base or HPyType_SpecParam_BasesTuple, not both");
    }
    draft->bases = PyTuple_New(count);
    if (draft->bases == NULL) {
        return -1;
    }
    for (; params->kind != HPyType_SpecParam_End; params++) {
        if (params->kind == HPyType_SpecParam_Base) {
            Py_INCREF(_h2py(params->object));
            _HPY_TUPLE_SET(draft->bases, next++, _h2py(params->object));
        }
    }
    return 0;
}

/* Sorts the parameters. `single` counts the single bases. */
HPyAPI_INLINE int _HPyType_SortParams(_HPyType_Draft *draft, const HPyType_SpecParam *params,
                                      Py_ssize_t *single, PyObject **metaclass)
{
    for (; params->kind != HPyType_SpecParam_End; params++) {
        switch (params->kind) {
        case HPyType_SpecParam_Base:
            ++*single;
            break;
        case HPyType_SpecParam_BasesTuple:
            if (_HPyType_SetBasesTuple(draft, _h2py(params->object)) < 0) {
                return -1;
            }
            break;
        case HPyType_SpecParam_Metaclass:
            if (*metaclass != NULL) {
                return _HPyType_ParamError(PyExc_ValueError,
                                           "HPyType_SpecParam_Metaclass is given more than once");
            }
            *metaclass = _h2py(params->object);
            break;
        default:
            return _HPyType_ParamError(PyExc_TypeError, "unknown kind of HPyType_SpecParam");
        }
    }
    return 0;
}

/* The value of a legacy slot, or NULL. */
HPyAPI_INLINE void *_HPyType_LegacyValue(const _HPyType_Draft *draft, int slot)
{
    const PyType_Slot *legacy = (const PyType_Slot *)draft->spec->legacy_slots;
    for (; legacy != NULL && legacy->slot != 0; legacy++) {
        if (legacy->slot == slot) {
            return legacy->pfunc;
        }
    }
    return NULL;
}

/* The bases that legacy slots name, else `object`, whatever the shape is: as in HPy 0.9. */
HPyAPI_INLINE PyObject *_HPyType_DefaultBases(const _HPyType_Draft *draft)
{
    PyObject *bases = (PyObject *)_HPyType_LegacyValue(draft, Py_tp_bases);
    PyObject *base = (PyObject *)_HPyType_LegacyValue(draft, Py_tp_base);
    if (bases != NULL) {
        Py_INCREF(bases);
        return bases;
    }
    return PyTuple_Pack(1, base != NULL ? base : (PyObject *)&PyBaseObject_Type);
}

/* Checks that all bases are types. A type that names none gets the default. */
HPyAPI_INLINE int _HPyType_CheckBases(_HPyType_Draft *draft)
{
    Py_ssize_t i;
    if (draft->bases == NULL) {
        draft->bases = _HPyType_DefaultBases(draft);
        return draft->bases == NULL ? -1 : 0;
    }
    for (i = 0; i < _HPY_TUPLE_SIZE(draft->bases); i++) {
        if (!PyType_Check(_HPY_TUPLE_GET(draft->bases, i))) {
            PyErr_Format(PyExc_TypeError, "HPyType_FromSpec: base number %zd is not a type", i + 1);
            return -1;
        }
    }
    return 0;
}

HPyAPI_INLINE int _HPyType_HasTypesNew(PyTypeObject *metaclass)
{
    return _HPY_TP(metaclass, newfunc, new) == _HPY_TP(&PyType_Type, newfunc, new);
}

/* The most derived metaclass of the bases. One with a constructor of its own is passed over, as
   CPython does with all of them before 3.12. */
HPyAPI_INLINE PyTypeObject *_HPyType_InheritedMetaclass(const _HPyType_Draft *draft)
{
    PyTypeObject *best = &PyType_Type;
    Py_ssize_t i;
    for (i = 0; i < _HPY_TUPLE_SIZE(draft->bases); i++) {
        PyTypeObject *metaclass = Py_TYPE(_HPY_TUPLE_GET(draft->bases, i));
        if (_HPyType_HasTypesNew(metaclass) && PyType_IsSubtype(metaclass, best)) {
            best = metaclass;
        }
    }
    return best;
}

HPyAPI_INLINE int _HPyType_SetMetaclass(_HPyType_Draft *draft, PyObject *metaclass)
{
    if (metaclass == NULL) {
        draft->metaclass = _HPyType_InheritedMetaclass(draft);
        return 0;
    }
    if (!PyType_Check(metaclass) || !PyType_IsSubtype((PyTypeObject *)metaclass, &PyType_Type)) {
        return _HPyType_ParamError(PyExc_TypeError, "the metaclass must be a subclass of type");
    }
    draft->metaclass = (PyTypeObject *)metaclass;
    if (!_HPyType_HasTypesNew(draft->metaclass)) {
        return _HPyType_ParamError(PyExc_TypeError,
                                   "a metaclass with a constructor (HPy_tp_new) of its own is "
                                   "not supported; use HPy_tp_init");
    }
    return 0;
}

/* Reads the parameters; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyType_ReadParams(_HPyType_Draft *draft, const HPyType_SpecParam *params)
{
    PyObject *metaclass = NULL;
    Py_ssize_t single = 0;
    if (params != NULL) {
        if (_HPyType_SortParams(draft, params, &single, &metaclass) < 0 ||
            (single > 0 && _HPyType_PackBases(draft, params, single) < 0)) {
            return -1;
        }
    }
    if (_HPyType_CheckBases(draft) < 0) {
        return -1;
    }
    return _HPyType_SetMetaclass(draft, metaclass);
}

#endif /* HPY_CPYTHON_TYPE_PARAMS_H */
