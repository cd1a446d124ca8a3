/*
 * The CPython ABI: small blocks of memory that trackers and builders use again and again, where an
 * interpreter lock makes that safe.
 */
#ifndef HPY_CPYTHON_POOL_H
#define HPY_CPYTHON_POOL_H

/* What trackers and builders of the usual size need. */
#define _HPY_POOL_BLOCK (11 * sizeof(void *))

/* Where one lock protects them. */
#if defined(Py_GIL_DISABLED) || defined(HPY_MOD_MULTIPLE_INTERPRETERS)
#    define _HPY_KEEP_BLOCKS 0
#else
#    define _HPY_KEEP_BLOCKS 1
#endif

/* A block of any content, or NULL. Each that is kept begins with the address of the next. */
HPyAPI_INLINE void *_HPyPool_Take(void)
{
#if _HPY_KEEP_BLOCKS
    void *block = _HPyLibrary_Shared.pool;
    if (block != NULL) {
        _HPyLibrary_Shared.pool = *(void **)block;
        return block;
    }
#endif
    return PyMem_Malloc(_HPY_POOL_BLOCK);
}

HPyAPI_INLINE void _HPyPool_Give(void *block)
{
#if _HPY_KEEP_BLOCKS
    *(void **)block = _HPyLibrary_Shared.pool;
    _HPyLibrary_Shared.pool = block;
#else
    PyMem_Free(block);
#endif
}

#endif /* HPY_CPYTHON_POOL_H */
