/*
 * The CPython ABI: what a type is made from, sorted for CPython.
 */
#ifndef HPY_CPYTHON_TYPE_DRAFT_H
#define HPY_CPYTHON_TYPE_DRAFT_H

/* Whether the struct of a metaclass is made room for in its types, see type.h. */
#if PY_VERSION_HEX < 0x030C0000 && !_HPY_LIMITED
#    define _HPY_MOVES_MEMBERS 1
/* The members that make room for the struct of a metaclass, see type.h. */
#    define _HPY_RESERVED_MEMBER "__hpy_reserved__"
#else
#    define _HPY_MOVES_MEMBERS 0
#endif

/* A type in the making. The arrays are the draft's own, and ended by a zeroed entry. */
typedef struct {
    const HPyType_Spec *spec;
    _HPyType_Layout layout;
    /* A new tuple. */
    PyObject *bases;
    /* Borrowed. */
    PyTypeObject *metaclass;
    HPyFunc_traverseproc traverse;
    HPyFunc_destroyfunc destroy;
    HPyFunc_newfunc create;
    HPyFunc_initproc init;
    /* HPy_tp_call */
    cpy_vectorcallfunc call;
    /* `__vectorcalloffset__` */
    const HPyMember *call_member;
    int has_members;
    int legacy_dealloc;
    int legacy_traverse;
    /* `__vectorcalloffset__` and `__weaklistoffset__`; 0 without. */
    Py_ssize_t legacy_call_offset;
    Py_ssize_t legacy_weak_offset;
    /* What becomes of `spec->flags`. */
    unsigned long flags;
    PyType_Slot *slots;
    size_t slot_count;
    PyMethodDef *methods;
    size_t method_count;
    PyGetSetDef *getsets;
    size_t getset_count;
    _HPyMemberDef *members;
    size_t member_count;
    HPy_ssize_t *object_members;
    size_t object_member_count;
} _HPyType_Draft;

/* Slots that are added to the author's: methods, getsets, members, doc, traverse, clear, dealloc.
 */
#define _HPY_ADDED_SLOTS 7
/* Members that are added in the limited API: the record, and the place of the call function. */
#define _HPY_ADDED_MEMBERS 2

HPyAPI_INLINE void _HPyType_FreeDraft(_HPyType_Draft *draft)
{
    Py_XDECREF(draft->bases);
    PyMem_Free(draft->slots);
    PyMem_Free(draft->methods);
    PyMem_Free(draft->getsets);
    PyMem_Free(draft->members);
    PyMem_Free(draft->object_members);
}

HPyAPI_INLINE void _HPyType_AddSlot(_HPyType_Draft *draft, int slot, void *value)
{
    draft->slots[draft->slot_count].slot = slot;
    draft->slots[draft->slot_count].pfunc = value;
    draft->slot_count++;
}

/*
 * Memory. Every definition may be of any kind, and a table among the legacy slots counts with all
 * its entries.
 */

HPyAPI_INLINE size_t _HPyType_CountLegacy(const PyType_Slot *legacy)
{
    size_t count = 0;
    for (; legacy != NULL && legacy->slot != 0; legacy++) {
        size_t entries = 0;
        if (legacy->slot == Py_tp_methods) {
            const PyMethodDef *methods = (const PyMethodDef *)legacy->pfunc;
            for (; methods[entries].ml_name != NULL; entries++) {
            }
        } else if (legacy->slot == Py_tp_members) {
            const _HPyMemberDef *members = (const _HPyMemberDef *)legacy->pfunc;
            for (; members[entries].name != NULL; entries++) {
            }
        } else if (legacy->slot == Py_tp_getset) {
            const PyGetSetDef *getsets = (const PyGetSetDef *)legacy->pfunc;
            for (; getsets[entries].name != NULL; entries++) {
            }
        }
        count += 1 + entries;
    }
    return count;
}

/* The number of members that together have the size of what the metaclass adds to `type`. */
HPyAPI_INLINE size_t _HPyType_CountReserved(PyTypeObject *metaclass)
{
#if _HPY_MOVES_MEMBERS
    size_t added = (size_t)(metaclass->tp_basicsize - PyType_Type.tp_basicsize);
    return (added + sizeof(_HPyMemberDef) - 1) / sizeof(_HPyMemberDef);
#else
    (void)metaclass;
    return 0;
#endif
}

HPyAPI_INLINE int _HPyType_AllocateDraft(_HPyType_Draft *draft)
{
    const HPyType_Spec *spec = draft->spec;
    size_t count = 1 + _HPyType_CountLegacy((const PyType_Slot *)spec->legacy_slots);
    HPyDef **def;
    for (def = spec->defines; def != NULL && *def != NULL; def++) {
        count++;
    }
    draft->slots = (PyType_Slot *)_HPy_Calloc(count + _HPY_ADDED_SLOTS, sizeof(PyType_Slot));
    draft->methods = (PyMethodDef *)_HPy_Calloc(count, sizeof(PyMethodDef));
    draft->getsets = (PyGetSetDef *)_HPy_Calloc(count, sizeof(PyGetSetDef));
    draft->members = (_HPyMemberDef *)_HPy_Calloc(count + _HPY_ADDED_MEMBERS +
                                                      _HPyType_CountReserved(draft->metaclass),
                                                  sizeof(_HPyMemberDef));
    draft->object_members = (HPy_ssize_t *)_HPy_Calloc(count, sizeof(HPy_ssize_t));
    if (draft->slots == NULL || draft->methods == NULL || draft->getsets == NULL ||
        draft->members == NULL || draft->object_members == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/*
 * The legacy slots.
 */

/* Adds one; the entries of tables join those of HPy's definitions. */
HPyAPI_INLINE void _HPyType_ReadLegacySlot(_HPyType_Draft *draft, const PyType_Slot *legacy)
{
    const PyMethodDef *method;
    const _HPyMemberDef *member;
    const PyGetSetDef *getset;
    switch (legacy->slot) {
    case Py_tp_methods:
        for (method = (const PyMethodDef *)legacy->pfunc; method->ml_name != NULL; method++) {
            draft->methods[draft->method_count++] = *method;
        }
        return;
    case Py_tp_members:
        for (member = (const _HPyMemberDef *)legacy->pfunc; member->name != NULL; member++) {
            if (strcmp(member->name, "__vectorcalloffset__") == 0) {
                draft->legacy_call_offset = member->offset;
            } else if (strcmp(member->name, "__weaklistoffset__") == 0) {
                draft->legacy_weak_offset = member->offset;
            }
            draft->members[draft->member_count++] = *member;
        }
        return;
    case Py_tp_getset:
        for (getset = (const PyGetSetDef *)legacy->pfunc; getset->name != NULL; getset++) {
            draft->getsets[draft->getset_count++] = *getset;
        }
        return;
    case Py_tp_dealloc:
        draft->legacy_dealloc = 1;
        break;
    case Py_tp_traverse:
        draft->legacy_traverse = 1;
        break;
    default:
        break;
    }
    _HPyType_AddSlot(draft, legacy->slot, legacy->pfunc);
}

HPyAPI_INLINE int _HPyType_ReadLegacy(_HPyType_Draft *draft)
{
    const PyType_Slot *legacy = (const PyType_Slot *)draft->spec->legacy_slots;
    if (legacy != NULL && draft->spec->builtin_shape != HPyType_BuiltinShape_Legacy) {
        PyErr_SetString(PyExc_TypeError, "cannot specify .legacy_slots without setting "
                                         ".builtin_shape=HPyType_BuiltinShape_Legacy");
        return -1;
    }
    for (; legacy != NULL && legacy->slot != 0; legacy++) {
        _HPyType_ReadLegacySlot(draft, legacy);
    }
    return 0;
}

/*
 * HPy's definitions.
 */

HPyAPI_INLINE int _HPyType_ReadSlot(_HPyType_Draft *draft, const HPySlot *slot)
{
    if (!_HPySlot_IsOfType(slot->slot)) {
        PyErr_Format(PyExc_SystemError, "%s: slot number %d is not one that a type can define",
                     draft->spec->name, (int)slot->slot);
        return -1;
    }
    if (slot->impl == NULL || slot->cpy_trampoline == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "%s: slot number %d has no function: declare it with HPyDef_SLOT",
                     draft->spec->name, (int)slot->slot);
        return -1;
    }
    switch (slot->slot) {
    case HPy_tp_traverse:
        draft->traverse = (HPyFunc_traverseproc)slot->impl;
        return 0;
    case HPy_tp_destroy:
        draft->destroy = (HPyFunc_destroyfunc)slot->impl;
        return 0;
    case HPy_tp_call:
        draft->call = (cpy_vectorcallfunc)(HPyCFunction)slot->cpy_trampoline;
        return 0;
    case HPy_tp_new:
        draft->create = (HPyFunc_newfunc)slot->impl;
        break;
    case HPy_tp_init:
        draft->init = (HPyFunc_initproc)slot->impl;
        break;
    default:
        break;
    }
    _HPyType_AddSlot(draft, (int)slot->slot, (void *)slot->cpy_trampoline);
    return 0;
}

/* A member of a struct at a fixed place is the C API's; else it is served by a getter. */
HPyAPI_INLINE void _HPyType_ReadMember(_HPyType_Draft *draft, HPyMember *member)
{
    PyGetSetDef *getset;
    if (strcmp(member->name, "__vectorcalloffset__") == 0) {
        draft->call_member = member;
        return;
    }
    draft->has_members = 1;
    if (_HPyMember_IsObject(member)) {
        draft->object_members[draft->object_member_count++] = member->offset;
    }
    if (!draft->layout.variable) {
        draft->members[draft->member_count++] = _HPyMember_Def(member, draft->layout.struct_offset);
        return;
    }
    getset = &draft->getsets[draft->getset_count++];
    getset->name = member->name;
    getset->get = _HPyMember_Get;
    getset->set = _HPyMember_Set;
    getset->doc = member->doc;
    getset->closure = member;
}

HPyAPI_INLINE void _HPyType_ReadGetSet(_HPyType_Draft *draft, const HPyGetSet *attribute)
{
    PyGetSetDef *getset = &draft->getsets[draft->getset_count++];
    getset->name = attribute->name;
    getset->get = attribute->getter_cpy_trampoline;
    getset->set = attribute->setter_cpy_trampoline;
    getset->doc = attribute->doc;
    getset->closure = attribute->closure;
}

HPyAPI_INLINE int _HPyType_ReadDefinition(_HPyType_Draft *draft, HPyDef *def)
{
    switch (def->kind) {
    case HPyDef_Kind_Slot:
        return _HPyType_ReadSlot(draft, &def->slot);
    case HPyDef_Kind_Meth:
        return _HPyMethod_Fill(&draft->methods[draft->method_count++], &def->meth);
    case HPyDef_Kind_Member:
        _HPyType_ReadMember(draft, &def->member);
        return 0;
    case HPyDef_Kind_GetSet:
        _HPyType_ReadGetSet(draft, &def->getset);
        return 0;
    default:
        PyErr_Format(PyExc_SystemError, "%s: a definition of the unknown kind %d",
                     draft->spec->name, (int)def->kind);
        return -1;
    }
}

/*
 * Contradictions that show without a look at the bases.
 */

HPyAPI_INLINE int _HPyType_CheckSpec(_HPyType_Draft *draft)
{
    const HPyType_Spec *spec = draft->spec;
    if (spec->name == NULL) {
        PyErr_SetString(PyExc_ValueError, "HPyType_FromSpec: HPyType_Spec.name is NULL");
        return -1;
    }
    if (spec->basicsize < 0 || spec->itemsize < 0) {
        PyErr_Format(PyExc_ValueError, "%s: a size in HPyType_Spec is negative", spec->name);
        return -1;
    }
    draft->layout = _HPyType_GetLayout((int)spec->builtin_shape);
    if (draft->layout.builtin == NULL) {
        PyErr_Format(PyExc_ValueError, "%s: %d is not an HPyType_BuiltinShape%s", spec->name,
                     (int)spec->builtin_shape, _HPY_LIMITED ? " that the limited API has" : "");
        return -1;
    }
    return 0;
}

HPyAPI_INLINE int _HPyType_CheckDefinitions(const _HPyType_Draft *draft)
{
    const HPyType_Spec *spec = draft->spec;
    if (spec->basicsize == 0 && draft->has_members) {
        PyErr_Format(PyExc_TypeError, "%s: members need a struct: set .basicsize to its size",
                     spec->name);
        return -1;
    }
    if (draft->legacy_dealloc && (draft->traverse != NULL || draft->destroy != NULL)) {
        PyErr_Format(PyExc_TypeError,
                     "%s: a legacy tp_dealloc cannot be combined with %s: make one of the two do "
                     "the work",
                     spec->name, draft->traverse != NULL ? "HPy_tp_traverse" : "HPy_tp_destroy");
        return -1;
    }
    if ((spec->flags & HPy_TPFLAGS_HAVE_GC) && draft->traverse == NULL && !draft->legacy_traverse) {
        PyErr_Format(PyExc_ValueError, "%s: HPy_TPFLAGS_HAVE_GC needs HPy_tp_traverse", spec->name);
        return -1;
    }
    if (draft->call != NULL && (draft->call_member != NULL || draft->legacy_call_offset > 0)) {
        PyErr_Format(PyExc_TypeError,
                     "%s: HPy_tp_call and a member __vectorcalloffset__ exclude each other",
                     spec->name);
        return -1;
    }
    return 0;
}

/* Reads the specification; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyType_ReadSpec(_HPyType_Draft *draft)
{
    HPyDef **def;
    if (_HPyType_AllocateDraft(draft) < 0 || _HPyType_ReadLegacy(draft) < 0) {
        return -1;
    }
    for (def = draft->spec->defines; def != NULL && *def != NULL; def++) {
        if (_HPyType_ReadDefinition(draft, *def) < 0) {
            return -1;
        }
    }
    return _HPyType_CheckDefinitions(draft);
}

/*
 * CPython's view.
 */

/* Replaces a table of the draft by an interned one, which it adds as a slot. */
HPyAPI_INLINE int _HPyType_AddTable(_HPyType_Draft *draft, int slot, const void *table,
                                    size_t count, size_t entry)
{
    void *interned;
    if (count == 0) {
        return 0;
    }
    interned = _HPy_Intern(table, (count + 1) * entry);
    if (interned == NULL) {
        return -1;
    }
    _HPyType_AddSlot(draft, slot, interned);
    return 0;
}

#if _HPY_MOVES_MEMBERS
/* Adds members that only make room: all have one name, and so only one gets into the type. */
HPyAPI_INLINE void _HPyType_ReserveMembers(_HPyType_Draft *draft)
{
    size_t reserved = _HPyType_CountReserved(draft->metaclass);
    for (; reserved > 0; reserved--) {
        _HPyMemberDef *member = &draft->members[draft->member_count++];
        member->name = _HPY_RESERVED_MEMBER;
        member->type = HPyMember_NONE;
        member->flags = _HPY_MEMBER_READONLY;
    }
}
#endif

/* Completes the slots. CPython copies members and documentation, and keeps pointers to the rest. */
HPyAPI_INLINE int _HPyType_CompleteSlots(_HPyType_Draft *draft)
{
    if (_HPyType_AddTable(draft, Py_tp_methods, draft->methods, draft->method_count,
                          sizeof(PyMethodDef)) < 0 ||
        _HPyType_AddTable(draft, Py_tp_getset, draft->getsets, draft->getset_count,
                          sizeof(PyGetSetDef)) < 0) {
        return -1;
    }
#if _HPY_MOVES_MEMBERS
    _HPyType_ReserveMembers(draft);
#endif
    if (draft->member_count > 0) {
        _HPyType_AddSlot(draft, Py_tp_members, draft->members);
    }
    if (draft->spec->doc != NULL) {
        _HPyType_AddSlot(draft, Py_tp_doc, (void *)(uintptr_t)draft->spec->doc);
    }
    if ((draft->flags & HPy_TPFLAGS_HAVE_GC) && !draft->legacy_traverse) {
        _HPyType_AddSlot(draft, Py_tp_traverse, (void *)_HPyType_Traverse);
        _HPyType_AddSlot(draft, Py_tp_clear, (void *)_HPyType_Clear);
    }
    if (draft->call != NULL || draft->call_member != NULL) {
        _HPyType_AddSlot(draft, Py_tp_call, (void *)_HPyType_Call);
    }
    return 0;
}

#endif /* HPY_CPYTHON_TYPE_DRAFT_H */
