/*
 * The CPython ABI: where a new type's struct is, and how its objects are called and released.
 *
 * CPython chooses the base that the layout comes from. So a type gets its final size, its call
 * function's place and its record when CPython has made it, before anybody uses it. In the limited
 * API all that is settled beforehand, see type_limited.h.
 */
#ifndef HPY_CPYTHON_TYPE_LAYOUT_H
#define HPY_CPYTHON_TYPE_LAYOUT_H

/* The layout of a type. */
typedef struct {
    PyTypeObject *base;
    Py_ssize_t basicsize;
    /* Where objects have their call function; 0 if they have none. */
    Py_ssize_t call_offset;
    /* CPython may call that directly. */
    int is_called;
} _HPyType_Place;

HPyAPI_INLINE int _HPyType_Fail(const _HPyType_Draft *draft, const char *reason)
{
    PyErr_Format(PyExc_TypeError, "%s: %s", draft->spec->name, reason);
    return -1;
}

/* Whether the objects of a class that HPy did not make are larger than those of its base. */
HPyAPI_INLINE int _HPyType_AddsFields(PyTypeObject *type)
{
    PyTypeObject *base = _HPyType_Base(type);
    return _HPyType_BasicSize(type) != _HPyType_BasicSize(base) ||
           _HPyType_ItemSize(type) != _HPyType_ItemSize(base);
}

/* Refuses a struct that would overlap what the base has at its place; `object` has nothing. */
HPyAPI_INLINE int _HPyType_CheckBase(const _HPyType_Draft *draft, PyTypeObject *base)
{
    const _HPyType_Record *record;
    for (; base != draft->layout.builtin && base != &PyBaseObject_Type;
         base = _HPyType_Base(base)) {
        record = _HPyType_OwnRecord(base);
        if (record != NULL && record->struct_size > 0) {
            if (record->shape != (int32_t)draft->spec->builtin_shape) {
                return _HPyType_Fail(draft, "the builtin_shape is not that of the base");
            }
            if ((size_t)draft->spec->basicsize < record->struct_size) {
                return _HPyType_Fail(draft, "the struct is smaller than that of the base");
            }
            return 0;
        }
        if (record == NULL && _HPyType_AddsFields(base)) {
            return _HPyType_Fail(draft, "the base's memory layout is not that of the type's "
                                        "builtin_shape; choose the shape of the base, or no "
                                        "struct (.basicsize = 0)");
        }
    }
    return 0;
}

/* The same for a legacy struct, which begins with that of the base. */
HPyAPI_INLINE int _HPyType_CheckLegacyBase(const _HPyType_Draft *draft, PyTypeObject *base)
{
    const _HPyType_Record *record = _HPyType_FindRecord(base);
    if (record != NULL && record->shape != HPyType_BuiltinShape_Legacy) {
        PyErr_SetString(PyExc_TypeError,
                        "A legacy type should not inherit its memory layout from a pure type");
        return -1;
    }
    if (draft->spec->basicsize > 0 && draft->spec->basicsize < _HPyType_BasicSize(base)) {
        return _HPyType_Fail(draft, "the struct is smaller than that of the base");
    }
    return 0;
}

/* The size of objects with the struct of the draft. A struct behind items needs room wherever they
   end. */
HPyAPI_INLINE Py_ssize_t _HPyType_ObjectSize(const _HPyType_Draft *draft)
{
    size_t size = draft->layout.struct_offset + (size_t)draft->spec->basicsize;
    if (draft->layout.variable) {
        size += _HPY_STRUCT_ALIGN;
    }
    return (Py_ssize_t)_HPY_ALIGN_UP(size, sizeof(void *));
}

#if !_HPY_LIMITED

/* The size with which CPython is to make the type: 0, which means that of the base, if a base has
   more than the struct. */
HPyAPI_INLINE int _HPyType_FirstSize(const _HPyType_Draft *draft)
{
    Py_ssize_t size = draft->spec->basicsize == 0 ? 0 : _HPyType_ObjectSize(draft);
    Py_ssize_t i;
    for (i = 0; i < PyTuple_GET_SIZE(draft->bases); i++) {
        if (((PyTypeObject *)PyTuple_GET_ITEM(draft->bases, i))->tp_basicsize > size) {
            return 0;
        }
    }
    return (int)size;
}

#endif

/* Fills the record's place of the struct, and makes the type's objects large enough. A type without
   a struct has that of its base. */
HPyAPI_INLINE int _HPyType_PlaceStruct(const _HPyType_Draft *draft, _HPyType_Place *place,
                                       _HPyType_Record *record)
{
    const _HPyType_Record *inherited = _HPyType_FindRecord(place->base);
    int legacy = draft->spec->builtin_shape == HPyType_BuiltinShape_Legacy;
    record->magic = _HPY_RECORD_MAGIC;
    if (legacy && _HPyType_CheckLegacyBase(draft, place->base) < 0) {
        return -1;
    }
    if (draft->spec->basicsize == 0 && inherited != NULL) {
        record->shape = inherited->shape;
        record->struct_offset = inherited->struct_offset;
        record->struct_size = inherited->struct_size;
        return 0;
    }
    record->shape = (int32_t)draft->spec->builtin_shape;
    record->struct_offset = draft->layout.struct_offset;
    record->struct_size = (size_t)draft->spec->basicsize;
    if (draft->spec->basicsize > 0) {
        if (!legacy && _HPyType_CheckBase(draft, place->base) < 0) {
            return -1;
        }
        if (_HPyType_ObjectSize(draft) > place->basicsize) {
            place->basicsize = _HPyType_ObjectSize(draft);
        }
    }
    return 0;
}

/* Appends a hidden word for the call function to the type's objects. */
HPyAPI_INLINE int _HPyType_AddCallWord(const _HPyType_Draft *draft, _HPyType_Place *place)
{
    Py_ssize_t end = (Py_ssize_t)_HPY_ALIGN_UP((size_t)place->basicsize, sizeof(void *));
    if (draft->layout.variable || draft->spec->itemsize > 0 ||
        (_HPyType_ItemSize(place->base) > 0 && draft->layout.builtin != &PyType_Type)) {
        return _HPyType_Fail(draft, "HPy_tp_call is not supported for types with variable size");
    }
    if (draft->spec->basicsize == 0 && draft->spec->builtin_shape == HPyType_BuiltinShape_Legacy) {
        return _HPyType_Fail(draft, "HPy_tp_call needs a struct: set .basicsize to its size");
    }
    place->call_offset = end;
    place->basicsize = end + (Py_ssize_t)sizeof(void *);
    return 0;
}

/* Finds or makes the place of the call function. A struct that is larger than the base's covers
   the base's hidden word. */
HPyAPI_INLINE int _HPyType_PlaceCall(const _HPyType_Draft *draft, _HPyType_Place *place,
                                     _HPyType_Record *record)
{
    const _HPyType_Record *inherited = _HPyType_FindRecord(place->base);
    cpy_vectorcallfunc inherited_call = inherited == NULL ? NULL : inherited->default_call;
    record->default_call = draft->call != NULL ? draft->call : inherited_call;
    if (draft->call_member != NULL) {
        place->call_offset = (Py_ssize_t)draft->layout.struct_offset + draft->call_member->offset;
    } else if (draft->legacy_call_offset == 0 &&
               (inherited_call == NULL ? draft->call != NULL : draft->spec->basicsize > 0)) {
        if (_HPyType_AddCallWord(draft, place) < 0) {
            return -1;
        }
    } else if (!(draft->spec->flags & HPy_TPFLAGS_HAVE_VECTORCALL)) {
        return 0;
    }
    if (place->call_offset <= 0) {
        PyErr_Format(PyExc_ValueError,
                     "%s: HPy_TPFLAGS_HAVE_VECTORCALL needs a member __vectorcalloffset__",
                     draft->spec->name);
        return -1;
    }
    place->is_called = 1;
    return 0;
}

/* Fills what the record says of the release of objects. */
HPyAPI_INLINE int _HPyType_PlaceLifecycle(const _HPyType_Draft *draft, _HPyType_Record *record)
{
    record->traverse = draft->traverse;
    record->destroy = draft->destroy;
    if (draft->legacy_dealloc) {
        record->flags |= _HPY_RECORD_LEGACY_DEALLOC;
    }
    if (draft->legacy_traverse) {
        record->flags |= _HPY_RECORD_LEGACY_TRAVERSE;
    }
    if (draft->traverse == NULL && draft->object_member_count > 0 && !draft->legacy_dealloc) {
        draft->object_members[draft->object_member_count] = -1;
        record->flags |= _HPY_RECORD_OBJECT_MEMBERS;
        record->object_members = (const HPy_ssize_t *)_HPy_Intern(
            draft->object_members, (draft->object_member_count + 1) * sizeof(HPy_ssize_t));
        return record->object_members == NULL ? -1 : 0;
    }
    return 0;
}

/* Whether objects have fields that are released with them. */
HPyAPI_INLINE int _HPyType_HasFields(const _HPyType_Record *record)
{
    return record->traverse != NULL || (record->flags & _HPY_RECORD_OBJECT_MEMBERS);
}

#if !_HPY_LIMITED

/* Gives the type the functions that its record calls for. */
HPyAPI_INLINE void _HPyType_SetFunctions(PyTypeObject *type, const _HPyType_Record *record)
{
    int has_fields = _HPyType_HasFields(record);
    if ((has_fields || PyType_IS_GC(type)) && !(record->flags & _HPY_RECORD_LEGACY_TRAVERSE)) {
        type->tp_traverse = _HPyType_Traverse;
        type->tp_clear = _HPyType_Clear;
    }
    if (has_fields || record->destroy != NULL || (record->flags & _HPY_RECORD_KEPT)) {
        type->tp_dealloc = _HPyType_Dealloc;
    }
}

/* Fills what the record says of how objects come and go. */
HPyAPI_INLINE void _HPyType_PlaceConstruction(const _HPyType_Draft *draft, PyTypeObject *type,
                                              _HPyType_Record *record)
{
    record->create = draft->create;
    record->init = draft->init;
    _HPyType_SetConstructor(type, record);
#    if _HPY_KEEP_OBJECTS
    record->kept_words = draft->layout.variable ? 0 : _HPyType_KeptWords(type);
    if (record->kept_words > 0 && !draft->legacy_dealloc) {
        record->flags |= _HPY_RECORD_KEPT;
        type->tp_alloc = _HPyType_AllocKept;
    }
#    endif
}

/* Makes the new type what the draft says; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyType_Finish(const _HPyType_Draft *draft, PyTypeObject *type)
{
    _HPyType_Place place = {type->tp_base, type->tp_basicsize, type->tp_vectorcall_offset, 0};
    _HPyType_Record record;
    void *interned;
    memset(&record, 0, sizeof(record));
    if (_HPyType_PlaceStruct(draft, &place, &record) < 0 ||
        _HPyType_PlaceCall(draft, &place, &record) < 0 ||
        _HPyType_PlaceLifecycle(draft, &record) < 0) {
        return -1;
    }
    type->tp_basicsize = place.basicsize;
    type->tp_vectorcall_offset = place.call_offset;
    _HPyType_PlaceConstruction(draft, type, &record);
    interned = _HPy_Intern(&record, sizeof(record));
    if (interned == NULL) {
        return -1;
    }
    if (place.is_called) {
        type->tp_flags |= HPy_TPFLAGS_HAVE_VECTORCALL;
    }
    _HPyType_SetFunctions(type, (const _HPyType_Record *)interned);
    ((PyHeapTypeObject *)type)->as_sequence.was_sq_slice = interned;
    return 0;
}

#endif

#endif /* HPY_CPYTHON_TYPE_LAYOUT_H */
