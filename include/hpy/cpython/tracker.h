/*
 * The CPython ABI: handles that are closed together.
 *
 * A tracker is the address of one block of memory: its head and behind it the first handles. If
 * there are more, the handles move to an array of their own; the head stays where it is. Closed
 * blocks of the usual size are used again, where an interpreter lock makes that safe.
 */
#ifndef HPY_CPYTHON_TRACKER_H
#define HPY_CPYTHON_TRACKER_H

/* How many handles a tracker has room for if the author asks for fewer or does not say. */
#define _HPY_TRACKER_USUAL_SIZE 7

typedef struct {
    HPy *handles;
    size_t length;
    /* More than `length`: the next handle must find a place even if there is no memory for more. */
    size_t capacity;
    HPy first[1];
} _HPyTracker_Block;

/* Where one lock protects them. */
#if defined(Py_GIL_DISABLED) || defined(HPY_MOD_MULTIPLE_INTERPRETERS)
#    define _HPY_KEEP_TRACKERS 0
#else
#    define _HPY_KEEP_TRACKERS 1
#endif

/* A closed block of the usual size, or NULL. Each leads to the next. */
HPyAPI_INLINE _HPyTracker_Block *_HPyTracker_Take(void)
{
#if _HPY_KEEP_TRACKERS
    _HPyTracker_Block *block = (_HPyTracker_Block *)_HPyLibrary_Shared.trackers;
    if (block != NULL) {
        _HPyLibrary_Shared.trackers = block->handles;
    }
    return block;
#else
    return NULL;
#endif
}

/* Frees a block without an array of its own, or keeps it. */
HPyAPI_INLINE void _HPyTracker_Free(_HPyTracker_Block *block)
{
#if _HPY_KEEP_TRACKERS
    if (block->capacity == _HPY_TRACKER_USUAL_SIZE + 1) {
        block->handles = (HPy *)_HPyLibrary_Shared.trackers;
        _HPyLibrary_Shared.trackers = block;
        return;
    }
#endif
    PyMem_Free(block);
}

HPyAPI_INLINE HPyTracker HPyTracker_New(HPyContext *ctx, HPy_ssize_t size)
{
    size_t capacity = (size_t)(size < _HPY_TRACKER_USUAL_SIZE ? _HPY_TRACKER_USUAL_SIZE : size) + 1;
    _HPyTracker_Block *block = NULL;
    HPyTracker tracker;
    (void)ctx;
    tracker._i = 0;
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "HPyTracker_New: the size must not be negative");
        return tracker;
    }
    if (size <= _HPY_TRACKER_USUAL_SIZE) {
        block = _HPyTracker_Take();
    }
    if (block == NULL &&
        capacity < (size_t)PY_SSIZE_T_MAX / sizeof(HPy) - sizeof(_HPyTracker_Block)) {
        block = (_HPyTracker_Block *)PyMem_Malloc(sizeof(_HPyTracker_Block) +
                                                  (capacity - 1) * sizeof(HPy));
    }
    if (block == NULL) {
        PyErr_NoMemory();
        return tracker;
    }
    block->handles = block->first;
    block->length = 0;
    block->capacity = capacity;
    tracker._i = (intptr_t)block;
    return tracker;
}

/* Doubles the room; 0, or -1 with an exception set. */
HPyAPI_INLINE int _HPyTracker_Grow(_HPyTracker_Block *block)
{
    HPy *handles = NULL;
    size_t capacity = 2 * block->capacity;
    if (capacity < (size_t)PY_SSIZE_T_MAX / sizeof(HPy)) {
        handles = (HPy *)PyMem_Malloc(capacity * sizeof(HPy));
    }
    if (handles == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(handles, block->handles, block->length * sizeof(HPy));
    if (block->handles != block->first) {
        PyMem_Free(block->handles);
    }
    block->handles = handles;
    block->capacity = capacity;
    return 0;
}

/* There is no room at the beginning only if the caller went on after a failure. */
HPyAPI_INLINE int HPyTracker_Add(HPyContext *ctx, HPyTracker ht, HPy h)
{
    _HPyTracker_Block *block = (_HPyTracker_Block *)ht._i;
    (void)ctx;
    if (block->length == block->capacity && _HPyTracker_Grow(block) < 0) {
        return -1;
    }
    block->handles[block->length++] = h;
    return block->length < block->capacity ? 0 : _HPyTracker_Grow(block);
}

HPyAPI_INLINE void HPyTracker_ForgetAll(HPyContext *ctx, HPyTracker ht)
{
    (void)ctx;
    ((_HPyTracker_Block *)ht._i)->length = 0;
}

/* A null tracker is what a failed HPyArg_Parse leaves behind. */
HPyAPI_INLINE void HPyTracker_Close(HPyContext *ctx, HPyTracker ht)
{
    _HPyTracker_Block *block = (_HPyTracker_Block *)ht._i;
    size_t i;
    (void)ctx;
    if (block == NULL) {
        return;
    }
    for (i = 0; i < block->length; i++) {
        Py_XDECREF(_h2py(block->handles[i]));
    }
    if (block->handles != block->first) {
        PyMem_Free(block->handles);
        PyMem_Free(block);
    } else {
        _HPyTracker_Free(block);
    }
}

#endif /* HPY_CPYTHON_TRACKER_H */
