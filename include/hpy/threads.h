/*
 * Fields in modules that define HPY_MOD_GIL_NOT_USED.
 *
 * The API hands a field over by value. Between the caller's reading it and the taking of a
 * reference another thread might store into it, and release the object. So here a field is read and
 * written under a lock: one of a few that the library has, chosen by the field's address. It costs
 * an atomic exchange, and needs nothing of the host.
 */
#ifndef HPY_THREADS_H
#define HPY_THREADS_H

#ifdef HPY_MOD_GIL_NOT_USED

#    define _HPY_FIELD_LOCKS 64

_HPY_ONE_A_LIBRARY _HPyLock _HPyField_Locks[_HPY_FIELD_LOCKS];

/*
 * Who holds the lock may have to wait until all other threads stand still, in the middle of
 * storing. So others wait for it as threads do that leave Python.
 */
HPyAPI_INLINE _HPyLock *_HPyField_Lock(HPyContext *ctx, const HPyField *field)
{
    _HPyLock *lock = &_HPyField_Locks[(uintptr_t)field / sizeof(HPyField) % _HPY_FIELD_LOCKS];
    while (!_HPyLock_Try(lock)) {
        HPyThreadState state = HPy_LeavePythonExecution(ctx);
        HPy_ReenterPythonExecution(ctx, state);
    }
    return lock;
}

HPyAPI_INLINE HPy _HPyField_LoadShared(HPyContext *ctx, HPy source_object,
                                       const HPyField *source_field)
{
    _HPyLock *lock = _HPyField_Lock(ctx, source_field);
    HPy h = HPyField_Load(ctx, source_object, *source_field);
    _HPyLock_Release(lock);
    return h;
}

/* The old object is kept until the lock is free, because its end may run any code. */
HPyAPI_INLINE void _HPyField_StoreShared(HPyContext *ctx, HPy target_object, HPyField *target_field,
                                         HPy h)
{
    _HPyLock *lock = _HPyField_Lock(ctx, target_field);
    HPy old = target_field->_i == 0 ? HPy_NULL : HPyField_Load(ctx, target_object, *target_field);
    HPyField_Store(ctx, target_object, target_field, h);
    _HPyLock_Release(lock);
    HPy_Close(ctx, old);
}

HPyAPI_INLINE bool _HPyField_IsNullShared(const HPyField *field)
{
#    if _HPY_GNU
    return __atomic_load_n(&field->_i, __ATOMIC_RELAXED) == 0;
#    else
    return *(const volatile intptr_t *)&field->_i == 0;
#    endif
}

#    define HPyField_Load(ctx, source_object, source_field)                                        \
        _HPyField_LoadShared(ctx, source_object, &(source_field))
#    define HPyField_Store(ctx, target_object, target_field, h)                                    \
        _HPyField_StoreShared(ctx, target_object, target_field, h)
#    undef HPyField_IsNull
#    define HPyField_IsNull(field) _HPyField_IsNullShared(&(field))

#endif /* HPY_MOD_GIL_NOT_USED */

#endif /* HPY_THREADS_H */
