/*
 * The CPython ABI: the memory of dead objects, which new ones of the same size get.
 *
 * CPython does the same for its own types. It is done for types directly below `object` with
 * nothing special about their memory, where one interpreter lock protects it, and where the head
 * that the garbage collector has in front of objects is known: two words, zero in an object that it
 * does not know. What is kept are ordinary blocks of CPython's allocator, so anybody may free such
 * an object.
 */
#ifndef HPY_CPYTHON_TYPE_KEEP_H
#define HPY_CPYTHON_TYPE_KEEP_H

#if _HPY_KNOWS_GC_HEAD && !defined(HPY_MOD_MULTIPLE_INTERPRETERS) && !defined(Py_TRACE_REFS)
#    define _HPY_KEEP_OBJECTS 1
#else
#    define _HPY_KEEP_OBJECTS 0
#endif

#if _HPY_KEEP_OBJECTS

/* The size of the type's blocks in words if they can be kept; else 0. */
HPyAPI_INLINE size_t _HPyType_KeptWords(PyTypeObject *type)
{
    size_t size = (size_t)type->tp_basicsize + (PyType_IS_GC(type) ? _HPY_GC_HEAD : 0);
    freefunc usual_free = PyType_IS_GC(type) ? PyObject_GC_Del : PyObject_Free;
    if (type->tp_base != &PyBaseObject_Type || type->tp_itemsize != 0 || type->tp_dictoffset != 0 ||
        type->tp_weaklistoffset != 0 || type->tp_del != NULL ||
        type->tp_alloc != PyType_GenericAlloc || type->tp_free != usual_free ||
        size % sizeof(void *) != 0 || size / sizeof(void *) >= _HPY_KEPT_SIZES) {
        return 0;
    }
    return size / sizeof(void *);
}

/* Zeros some words. They are few mostly: a call of memset, which the compiler would make of a plain
   loop, takes as long as ten of them. The two pairs of four words or fewer overlap. */
HPyAPI_INLINE void _HPyType_ClearWords(uintptr_t *place, size_t words)
{
    volatile uintptr_t *word = place;
    if (words - 2 <= 2) {
        memset(place, 0, 2 * sizeof(*place));
        memset(place + words - 2, 0, 2 * sizeof(*place));
        return;
    }
    for (; word != place + words; word++) {
        *word = 0;
    }
}

/* The memory of a dead object, all zeros behind what every object has; NULL if there is none. */
HPyAPI_INLINE PyObject *_HPyType_TakeKept(PyTypeObject *type, size_t words)
{
    _HPyKept *kept = &_HPyLibrary_Shared.kept[words];
    size_t head = PyType_IS_GC(type) ? _HPY_GC_HEAD : 0;
    void *block = kept->first;
    PyObject *object;
    if (block == NULL) {
        return NULL;
    }
    kept->first = *(void **)block;
    kept->words -= words;
    object = (PyObject *)(void *)((char *)block + head);
    _HPyType_ClearWords((uintptr_t *)(void *)(object + 1),
                        words - (head + sizeof(PyObject)) / sizeof(void *));
    return object;
}

/* Makes an object of such memory, as tp_alloc would. The head of an object that the collector does
   not know is zero. */
HPyAPI_INLINE PyObject *_HPyType_Revive(PyObject *object, PyTypeObject *type)
{
    if (!PyType_IS_GC(type)) {
        return PyObject_Init(object, type);
    }
    memset((char *)object - _HPY_GC_HEAD, 0, _HPY_GC_HEAD);
    PyObject_Init(object, type);
    PyObject_GC_Track(object);
    return object;
}

/* tp_alloc of such types, which a class derived from one may inherit. */
HPyAPI_INLINE PyObject *_HPyType_AllocKept(PyTypeObject *type, Py_ssize_t items)
{
    const _HPyType_Record *record = _HPyType_OwnRecord(type);
    PyObject *object = NULL;
    if (record != NULL && (record->flags & _HPY_RECORD_KEPT)) {
        object = _HPyType_TakeKept(type, record->kept_words);
    }
    return object == NULL ? PyType_GenericAlloc(type, items) : _HPyType_Revive(object, type);
}

/* Keeps the block of a dead object that the collector does not know any more; 0 if enough are. */
HPyAPI_INLINE int _HPyType_Keep(PyObject *object, PyTypeObject *type, size_t words)
{
    _HPyKept *kept = &_HPyLibrary_Shared.kept[words];
    void *block = PyType_IS_GC(type) ? (void *)((char *)object - _HPY_GC_HEAD) : (void *)object;
    if (kept->words >= _HPY_KEPT_WORDS) {
        return 0;
    }
    *(void **)block = kept->first;
    kept->first = block;
    kept->words += words;
    return 1;
}

#endif

#endif /* HPY_CPYTHON_TYPE_KEEP_H */
