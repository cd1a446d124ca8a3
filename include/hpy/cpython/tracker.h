/*
 * The CPython ABI: handles that are closed together.
 *
 * A tracker is the address of one block of memory: its head and behind it the first handles. If
 * there are more, the handles move to an array of their own; the head stays where it is. Blocks
 * of the usual size come from the pool.
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

HPy_STATIC_ASSERT(sizeof(_HPyTracker_Block) + _HPY_TRACKER_USUAL_SIZE * sizeof(HPy) ==
                      _HPY_POOL_BLOCK,
                  "a tracker of the usual size is a block of the pool");

/* Frees a block without an array of its own. */
HPyAPI_INLINE void _HPyTracker_Free(_HPyTracker_Block *block)
{
    if (block->capacity == _HPY_TRACKER_USUAL_SIZE + 1) {
        _HPyPool_Give(block);
    } else {
        PyMem_Free(block);
    }
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
        block = (_HPyTracker_Block *)_HPyPool_Take();
    } else if (capacity < (size_t)PY_SSIZE_T_MAX / sizeof(HPy) - sizeof(_HPyTracker_Block)) {
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
