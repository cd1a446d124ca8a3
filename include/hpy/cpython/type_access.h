/*
 * The CPython ABI: what is read from types. They have fields, or, in the limited API, slots.
 */
#ifndef HPY_CPYTHON_TYPE_ACCESS_H
#define HPY_CPYTHON_TYPE_ACCESS_H

#if _HPY_LIMITED

#    if _HPY_LIMITED_BEFORE(0x030A0000)
/* The place of a slot in a static type of CPython 3.9, in words; no other version is asked. */
HPyAPI_INLINE size_t _HPyType_PlaceIn39(int slot)
{
    switch (slot) {
    case Py_tp_dealloc:
        return 6;
    case Py_tp_traverse:
        return 23;
    case Py_tp_clear:
        return 24;
    case Py_tp_base:
        return 32;
    case Py_tp_alloc:
        return 38;
    default:
        return 39; /* Py_tp_new */
    }
}
#    endif

/* What the type has in a slot. CPython 3.9 does not tell it for static types; but no release will
   change where that version has it. */
HPyAPI_INLINE void *_HPyType_GetSlot(PyTypeObject *type, int slot)
{
#    if _HPY_LIMITED_BEFORE(0x030A0000)
    if (_HPyLibrary_Shared.host.hides_static_slots &&
        !PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        return ((void **)(void *)type)[_HPyType_PlaceIn39(slot)];
    }
#    endif
    return PyType_GetSlot(type, slot);
}

/* `_HPY_TP(type, inquiry, clear)` is the type's `tp_clear`. */
#    define _HPY_TP(type, ctype, name) ((ctype)_HPyType_GetSlot((type), Py_tp_##name))

/* Where the struct of a shape is; `ctype` is the builtin's struct, which only its maker knows. */
#    define _HPY_PLACE(shape, ctype)                                                               \
        (_HPyLibrary_Shared.host.struct_offsets[HPyType_BuiltinShape_##shape])
#    define _HPY_TUPLE_BASICSIZE (_HPyLibrary_Shared.host.tuple_size)

HPyAPI_INLINE Py_ssize_t _HPyType_BasicSize(PyTypeObject *type)
{
    return _HPyType_ReadNumber(type, "__basicsize__");
}

HPyAPI_INLINE Py_ssize_t _HPyType_ItemSize(PyTypeObject *type)
{
    return _HPyType_ReadNumber(type, "__itemsize__");
}

#else

#    define _HPY_TP(type, ctype, name) ((type)->tp_##name)
#    define _HPY_PLACE(shape, ctype) _HPY_ALIGN_UP(sizeof(ctype), _HPY_STRUCT_ALIGN)
#    define _HPY_TUPLE_BASICSIZE ((size_t)PyTuple_Type.tp_basicsize)

HPyAPI_INLINE Py_ssize_t _HPyType_BasicSize(PyTypeObject *type)
{
    return type->tp_basicsize;
}

HPyAPI_INLINE Py_ssize_t _HPyType_ItemSize(PyTypeObject *type)
{
    return type->tp_itemsize;
}

#endif

/* Where the struct of a type below `object` is. */
#if _HPY_ABI3T
#    define _HPY_OBJECT_PLACE _HPY_PLACE(Object, PyObject)
#else
#    define _HPY_OBJECT_PLACE _HPY_ALIGN_UP(sizeof(PyObject), _HPY_STRUCT_ALIGN)
#endif

/* The type that the type's layout comes from; NULL for `object`. */
HPyAPI_INLINE PyTypeObject *_HPyType_Base(PyTypeObject *type)
{
    return _HPY_TP(type, PyTypeObject *, base);
}

#endif /* HPY_CPYTHON_TYPE_ACCESS_H */
