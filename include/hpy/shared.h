/*
 * What the translation units of a library share, and a lock for a few instructions that protects
 * it.
 */
#ifndef HPY_SHARED_H
#define HPY_SHARED_H

/** 0 or 1. A static one is free. */
typedef char _HPyLock;

#if _HPY_GNU
#    define _HPyLock_Try(lock) (!__atomic_test_and_set(lock, __ATOMIC_ACQUIRE))
#    define _HPyLock_Release(lock) __atomic_clear(lock, __ATOMIC_RELEASE)
#else
#    include <intrin.h>
#    define _HPyLock_Try(lock) (_InterlockedExchange8(lock, 1) == 0)
#    define _HPyLock_Release(lock) ((void)_InterlockedExchange8(lock, 0))
#endif

/* For what its holder does without waiting for any other thread. */
HPyAPI_INLINE void _HPyLock_Wait(_HPyLock *lock)
{
    while (!_HPyLock_Try(lock)) {
    }
}

/*
 * Marks a variable that is defined in each translation unit of a library, exists once in the
 * library, and is not seen by others.
 */
#if defined(_WIN32)
#    define _HPY_ONE_A_LIBRARY __declspec(selectany)
#else
#    define _HPY_ONE_A_LIBRARY __attribute__((weak)) HPy_HIDDEN_SYMBOL
#endif

#endif /* HPY_SHARED_H */
