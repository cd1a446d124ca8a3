/*
 * The CPython ABI: tp_dealloc of HPy types that have something to release.
 */
#ifndef HPY_CPYTHON_TYPE_DEALLOC_H
#define HPY_CPYTHON_TYPE_DEALLOC_H

#if defined(_MSC_VER)
#    define _HPY_THREAD_LOCAL __declspec(thread)
#else
#    define _HPY_THREAD_LOCAL __thread
#endif

/* How many deallocations may run inside each other before objects are put off. */
#define _HPY_DEEPEST_DEALLOC 50

/* With one interpreter lock, all threads count together up to that. Only beyond it a thread counts
   its own, whose variable takes a call. */
#if _HPY_SHORT && !defined(HPY_MOD_MULTIPLE_INTERPRETERS)
#    define _HPY_COUNTS_TOGETHER 1
#else
#    define _HPY_COUNTS_TOGETHER 0
#endif

/* The limited API has no function that finalizes a dying object before 3.15. */
#define _HPY_FINALIZES_BY_CLASS _HPY_LIMITED_BEFORE(0x030F0000)

/* The deallocations of a thread. */
typedef struct {
    int depth;
    /* Dead objects that wait for the outermost deallocation. */
    PyObject **waiting;
    size_t count;
    size_t capacity;
#if _HPY_FINALIZES_BY_CLASS
    /* The object whose finalizer CPython is about to run, see _HPyType_FinalizeDying. */
    PyObject *finalizing;
#endif
} _HPyType_Dying;

HPy_UNUSED static _HPY_THREAD_LOCAL _HPyType_Dying _HPyType_dying;

HPyAPI_INLINE void _HPyType_Dealloc(PyObject *self);

/* Keeps a dead object for the outermost deallocation; 0 if there is no memory for that. */
HPyAPI_INLINE int _HPyType_PutOff(_HPyType_Dying *dying, PyObject *self)
{
    if (dying->count == dying->capacity) {
        size_t capacity = dying->capacity == 0 ? 64 : 2 * dying->capacity;
        PyObject **waiting = (PyObject **)realloc(dying->waiting, capacity * sizeof(*waiting));
        if (waiting == NULL) {
            return 0;
        }
        dying->waiting = waiting;
        dying->capacity = capacity;
    }
    if (PyType_IS_GC(Py_TYPE(self))) {
        PyObject_GC_UnTrack(self);
    }
    dying->waiting[dying->count++] = self;
    return 1;
}

/* Whether objects of a level are deallocated as those of a class written in Python. */
HPyAPI_INLINE int _HPyType_HasClassDealloc(PyTypeObject *level)
{
    return _HPY_TP(level, destructor, dealloc) == _HPyLibrary_Shared.class_dealloc;
}

/* The record of a level whose part of an object HPy releases, or NULL. */
HPyAPI_INLINE const _HPyType_Record *_HPyType_ReleasedRecord(PyTypeObject *level)
{
    const _HPyType_Record *record = _HPyType_OwnRecord(level);
    return record == NULL || (record->flags & _HPY_RECORD_LEGACY_DEALLOC) ? NULL : record;
}

#if !_HPY_LIMITED

/* Empties the `__slots__` of a class written in Python. */
HPyAPI_INLINE void _HPyType_ClearSlots(PyObject *self, PyTypeObject *level)
{
    const _HPyMemberDef *member = (const _HPyMemberDef *)(void *)level->tp_members;
    for (; member != NULL && member->name != NULL; member++) {
        if (member->type == HPyMember_OBJECT_EX && !(member->flags & _HPY_MEMBER_READONLY)) {
            PyObject **slot = (PyObject **)(void *)((char *)self + member->offset);
            Py_CLEAR(*slot);
        }
    }
}

/* Empties the `__dict__`, which a class written in Python may have added. */
HPyAPI_INLINE void _HPyType_ClearDict(PyObject *self)
{
    PyObject **dict;
#    if PY_VERSION_HEX >= 0x030D0000
    if (PyType_HasFeature(Py_TYPE(self), Py_TPFLAGS_MANAGED_DICT)) {
        PyObject_ClearManagedDict(self);
        return;
    }
#    endif
    dict = _PyObject_GetDictPtr(self);
    if (dict != NULL) {
        Py_CLEAR(*dict);
    }
}

#endif

/*
 * Releases what the levels from `level` on own, and returns the first that does it itself. First
 * all fields, then all structs: a destroy function may run no Python code, a field's end may.
 *
 * What CPython does for classes written in Python is done here too, because its function for that
 * starts from the object's type and would come back. In the limited API such a base has nothing to
 * release: _HPyType_CheckReleased refuses others.
 */
HPyAPI_INLINE PyTypeObject *_HPyType_ReleaseLevels(PyObject *self, PyTypeObject *first)
{
    const _HPyType_Record *record;
    PyTypeObject *level;
    for (level = first;; level = _HPyType_Base(level)) {
        record = _HPyType_ReleasedRecord(level);
        if (record != NULL) {
            _HPyType_VisitFields(self, record, _HPyType_ClearField, NULL);
        } else if (_HPyType_HasClassDealloc(level)) {
#if !_HPY_LIMITED
            _HPyType_ClearSlots(self, level);
            _HPyType_ClearDict(self);
#endif
        } else {
            break;
        }
    }
    for (; first != level; first = _HPyType_Base(first)) {
        record = _HPyType_ReleasedRecord(first);
        if (record != NULL && record->destroy != NULL) {
            record->destroy(_HPyType_Struct(self, record));
        }
    }
    return level;
}

#if _HPY_FINALIZES_BY_CLASS

/*
 * Runs the finalizer; 0, or -1 if the object lives on. CPython's tp_dealloc of classes runs it
 * first, and calls the tp_dealloc of the base next. For an object of exactly this type it takes the
 * type itself for the base; so it comes back to _HPyType_Dealloc, which only notes that.
 */
HPyAPI_INLINE int _HPyType_FinalizeDying(PyObject *self)
{
    _HPyType_Dying *dying = &_HPyType_dying;
    PyObject *outer = dying->finalizing;
    int is_dead;
    dying->finalizing = self;
    _HPyLibrary_Shared.class_dealloc(self);
    is_dead = dying->finalizing == NULL;
    dying->finalizing = outer;
    return is_dead ? 0 : -1;
}

#else

HPyAPI_INLINE int _HPyType_FinalizeDying(PyObject *self)
{
    return PyObject_CallFinalizerFromDealloc(self);
}

#endif

HPyAPI_INLINE int _HPyType_HasWeakReferences(PyTypeObject *type)
{
#if _HPY_LIMITED
    const _HPyType_Record *record = _HPyType_OwnRecord(type);
    return record != NULL && (record->flags & _HPY_RECORD_WEAK_REFERENCES);
#else
    return type->tp_weaklistoffset != 0;
#endif
}

/*
 * The record of a type that was made here, directly below `object`, and leaves nothing to do but
 * its own struct; else NULL.
 */
HPyAPI_INLINE const _HPyType_Record *_HPyType_OnlyLevel(PyTypeObject *type)
{
    if (_HPY_TP(type, destructor, dealloc) != _HPyType_Dealloc ||
        _HPyType_Base(type) != &PyBaseObject_Type || _HPY_TP(type, destructor, finalize) != NULL ||
        _HPyType_HasWeakReferences(type)) {
        return NULL;
    }
    return _HPyType_ReleasedRecord(type);
}

/* What _HPyType_ReleaseAny comes to for such a type. */
HPyAPI_INLINE void _HPyType_ReleaseOnly(PyObject *self, PyTypeObject *type,
                                        const _HPyType_Record *record)
{
    if (PyType_IS_GC(type)) {
        PyObject_GC_UnTrack(self);
    }
    _HPyType_VisitFields(self, record, _HPyType_ClearField, NULL);
    if (record->destroy != NULL) {
        record->destroy(_HPyType_Struct(self, record));
    }
#if _HPY_KEEP_OBJECTS
    if (!(record->flags & _HPY_RECORD_KEPT) || !_HPyType_Keep(self, type, record->kept_words))
#endif
    {
        _HPY_TP(type, freefunc, free)(self);
    }
    Py_DECREF(type);
}

/* Finalizes and releases an object, and drops its reference to its type. */
HPyAPI_INLINE void _HPyType_ReleaseAny(PyObject *self, PyTypeObject *type)
{
    PyTypeObject *level = type;
    PyTypeObject *base;
    int base_drops_type;
    while (_HPY_TP(level, destructor, dealloc) != _HPyType_Dealloc) {
        level = _HPyType_Base(level);
    }
    /* An outer type, a Python subclass for one, has run the finalizer already. */
    if (level == type && _HPY_TP(type, destructor, finalize) != NULL &&
        _HPyType_FinalizeDying(self) < 0) {
        return;
    }
    if (PyType_IS_GC(type)) {
        PyObject_GC_UnTrack(self);
    }
    if (_HPyType_HasWeakReferences(level)) {
        PyObject_ClearWeakRefs(self);
    }
    base = _HPyType_ReleaseLevels(self, level);
    /* The tp_dealloc of a heap type drops the reference of every object that it frees. */
    base_drops_type = PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE);
    if (PyType_IS_GC(base)) {
        PyObject_GC_Track(self);
    }
    _HPY_TP(base, destructor, dealloc)(self);
    if (!base_drops_type) {
        Py_DECREF(type);
    }
}

HPyAPI_INLINE void _HPyType_Release(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    const _HPyType_Record *record = _HPyType_OnlyLevel(type);
    if (record != NULL) {
        _HPyType_ReleaseOnly(self, type, record);
    } else {
        _HPyType_ReleaseAny(self, type);
    }
}

/* Long chains of objects are released in a loop rather than by recursion. */
HPyAPI_INLINE void _HPyType_DeallocInThread(PyObject *self)
{
    _HPyType_Dying *dying = &_HPyType_dying;
#if _HPY_GNU
    /* Keeps the address: gcc would ask for it at each use, 13 instructions. */
    __asm__("" : "+r"(dying));
#endif
#if _HPY_FINALIZES_BY_CLASS
    if (dying->finalizing == self) {
        dying->finalizing = NULL;
        return;
    }
#endif
    if (dying->depth >= _HPY_DEEPEST_DEALLOC && _HPyType_PutOff(dying, self)) {
        return;
    }
    dying->depth++;
    _HPyType_Release(self);
    if (dying->depth == 1 && dying->waiting != NULL) {
        while (dying->count > 0) {
            _HPyType_Release(dying->waiting[--dying->count]);
        }
        free(dying->waiting);
        dying->waiting = NULL;
        dying->capacity = 0;
    }
    dying->depth--;
}

#if _HPY_KEEP_OBJECTS

/* What _HPyType_ReleaseAny comes to for a type whose memory is kept: the struct is at a fixed
   place. Leaves one deallocation. */
HPyAPI_INLINE void _HPyType_ReleaseKept(PyObject *self, const _HPyType_Record *record)
{
    PyTypeObject *type = Py_TYPE(self);
    if (PyType_IS_GC(type)) {
        PyObject_GC_UnTrack(self);
    }
    _HPyType_VisitStruct((char *)self + record->struct_offset, record, _HPyType_ClearField, NULL);
    if (record->destroy != NULL) {
        record->destroy((char *)self + record->struct_offset);
    }
    _HPyLibrary_Shared.deallocations--;
    type = Py_TYPE(self); /* read again: to save it over the calls takes longer */
    if (!_HPyType_Keep(self, type, record->kept_words)) {
        type->tp_free(self);
    }
    Py_DECREF(type);
}

#endif

/* Apart, so that the usual way has no registers to save for it. */
HPy_UNUSED _HPY_NEVER_INLINE static void _HPyType_DeallocAny(PyObject *self)
{
#if _HPY_COUNTS_TOGETHER
    if (_HPyLibrary_Shared.deallocations < _HPY_DEEPEST_DEALLOC) {
        _HPyLibrary_Shared.deallocations++;
        _HPyType_Release(self);
        _HPyLibrary_Shared.deallocations--;
        return;
    }
#endif
    _HPyType_DeallocInThread(self);
}

HPyAPI_INLINE void _HPyType_Dealloc(PyObject *self)
{
#if _HPY_KEEP_OBJECTS
    const _HPyType_Record *record = _HPyType_OwnRecord(Py_TYPE(self));
    if (record != NULL && (record->flags & _HPY_RECORD_KEPT) &&
        Py_TYPE(self)->tp_finalize == NULL &&
        _HPyLibrary_Shared.deallocations < _HPY_DEEPEST_DEALLOC) {
        _HPyLibrary_Shared.deallocations++;
        _HPyType_ReleaseKept(self, record);
        return;
    }
#endif
    _HPyType_DeallocAny(self);
}

#endif /* HPY_CPYTHON_TYPE_DEALLOC_H */
