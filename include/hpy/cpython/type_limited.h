/*
 * The CPython ABI: making types with the limited API.
 *
 * It does not let a finished type be changed. So the base, from which the layout comes, is found
 * out first; size, functions and record follow from it and go into the specification.
 */
#ifndef HPY_CPYTHON_TYPE_LIMITED_H
#define HPY_CPYTHON_TYPE_LIMITED_H

#if _HPY_LIMITED

/* Which of several bases CPython takes the layout from shows a type made for the purpose. */
HPyAPI_INLINE PyTypeObject *_HPyType_BestBase(const _HPyType_Draft *draft)
{
    PyType_Slot no_slots[] = {{0, NULL}};
    PyType_Spec spec = {"hpy.probe", 0, 0, Py_TPFLAGS_DEFAULT, no_slots};
    PyTypeObject *base;
    PyObject *probe;
    if (PyTuple_Size(draft->bases) == 1) {
        return (PyTypeObject *)PyTuple_GetItem(draft->bases, 0);
    }
    probe = PyType_FromSpecWithBases(&spec, draft->bases);
    if (probe == NULL) {
        return NULL;
    }
    base = _HPyType_Base((PyTypeObject *)probe);
    Py_DECREF(probe);
    return base;
}

/* The base, and what a type gets from it if it adds nothing; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyType_InheritPlace(const _HPyType_Draft *draft, _HPyType_Place *place)
{
    const _HPyType_Record *inherited;
    place->base = _HPyType_BestBase(draft);
    if (place->base == NULL) {
        return -1;
    }
    inherited = _HPyType_FindRecord(place->base);
    place->basicsize = _HPyType_BasicSize(place->base);
    place->call_offset = draft->legacy_call_offset;
    if (place->call_offset == 0 && inherited != NULL) {
        place->call_offset = (Py_ssize_t)inherited->call_offset;
    }
    return place->basicsize < 0 ? -1 : 0;
}

/* Fills what only the record of the limited API has. */
HPyAPI_INLINE int _HPyType_CompleteRecord(const _HPyType_Draft *draft, const _HPyType_Place *place,
                                          _HPyType_Record *record)
{
    Py_ssize_t weak_offset = draft->legacy_weak_offset;
    if (weak_offset == 0) {
        weak_offset = _HPyType_ReadNumber(place->base, "__weakrefoffset__");
        if (weak_offset == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    if (weak_offset != 0) {
        record->flags |= _HPY_RECORD_WEAK_REFERENCES;
    }
    record->call_offset = (size_t)place->call_offset;
    return 0;
}

/* Refuses a base that was written in Python and has something to release: the limited API does not
   reach its `__slots__` and `__dict__`. */
HPyAPI_INLINE int _HPyType_CheckReleased(const _HPyType_Draft *draft, PyTypeObject *base)
{
    for (; PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE); base = _HPyType_Base(base)) {
        if (_HPyType_OwnRecord(base) == NULL && _HPyType_HasClassDealloc(base) &&
            PyType_IS_GC(base)) {
            return _HPyType_Fail(draft, "HPy_tp_traverse, HPy_tp_destroy and object members are "
                                        "not possible with a base that is written in Python in "
                                        "the limited API; leave out Py_LIMITED_API");
        }
    }
    return 0;
}

/* Adds the functions that the record calls for. */
HPyAPI_INLINE int _HPyType_AddFunctions(_HPyType_Draft *draft, PyTypeObject *base,
                                        const _HPyType_Record *record)
{
    if (PyType_IS_GC(base) && !draft->legacy_traverse) {
        draft->flags |= HPy_TPFLAGS_HAVE_GC;
    }
    if (!_HPyType_HasFields(record) && record->destroy == NULL) {
        return 0;
    }
    _HPyType_AddSlot(draft, Py_tp_dealloc, (void *)_HPyType_Dealloc);
    return _HPyType_CheckReleased(draft, base);
}

/* Adds the members that carry the record and say where the call function is. */
HPyAPI_INLINE int _HPyType_AddHiddenMembers(_HPyType_Draft *draft, const _HPyType_Place *place,
                                            const _HPyType_Record *record)
{
    _HPyMemberDef *member = draft->members;
    void *interned = _HPy_Intern(record, sizeof(*record));
    if (interned == NULL) {
        return -1;
    }
    memmove(member + 1, member, draft->member_count * sizeof(*member));
    draft->member_count++;
    memset(member, 0, sizeof(*member));
    member->name = _HPY_RECORD_MEMBER;
    member->type = HPyMember_NONE;
    member->flags = _HPY_MEMBER_READONLY;
    member->doc = (const char *)interned;
    if (place->is_called && draft->legacy_call_offset == 0) {
        member = &draft->members[draft->member_count++];
        member->name = "__vectorcalloffset__";
        member->type = HPyMember_HPYSSIZET;
        member->flags = _HPY_MEMBER_READONLY;
        member->offset = place->call_offset;
    }
    if (place->is_called) {
        draft->flags |= HPy_TPFLAGS_HAVE_VECTORCALL;
    }
    return 0;
}

/* Takes a member out of the attributes, if CPython has made one of it. */
HPyAPI_INLINE int _HPyType_HideMember(PyObject *type, const char *name)
{
    if (PyObject_SetAttrString(type, name, NULL) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    return 0;
}

/* Settles the layout and puts all that follows from it into the draft. */
HPyAPI_INLINE int _HPyType_CompleteDraft(_HPyType_Draft *draft, _HPyType_Place *place)
{
    _HPyType_Record record;
    memset(&record, 0, sizeof(record));
    if (_HPyType_InheritPlace(draft, place) < 0 ||
        _HPyType_PlaceStruct(draft, place, &record) < 0 ||
        _HPyType_PlaceCall(draft, place, &record) < 0 ||
        _HPyType_PlaceLifecycle(draft, &record) < 0 ||
        _HPyType_CompleteRecord(draft, place, &record) < 0 ||
        _HPyType_AddFunctions(draft, place->base, &record) < 0 ||
        _HPyType_AddHiddenMembers(draft, place, &record) < 0) {
        return -1;
    }
    return _HPyType_CompleteSlots(draft);
}

/* The type that a draft describes, as a new reference; NULL with an exception set. */
HPyAPI_INLINE PyObject *_HPyType_FromDraft(_HPyType_Draft *draft)
{
    _HPyType_Place place = {NULL, 0, 0, 0};
    PyObject *type;
    PyType_Spec spec;
    spec.name = _HPyType_Name(draft->spec->name);
    if (spec.name == NULL || _HPyType_CompleteDraft(draft, &place) < 0) {
        return NULL;
    }
    spec.basicsize = (int)place.basicsize;
    spec.itemsize = draft->spec->itemsize;
    spec.flags = (unsigned int)(draft->flags | Py_TPFLAGS_DEFAULT);
    spec.slots = draft->slots;
    type = _HPyType_Make(draft, &spec);
    if (type != NULL && (_HPyType_HideMember(type, _HPY_RECORD_MEMBER) < 0 ||
                         (draft->legacy_call_offset == 0 &&
                          _HPyType_HideMember(type, "__vectorcalloffset__") < 0))) {
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

#endif

#endif /* HPY_CPYTHON_TYPE_LIMITED_H */
