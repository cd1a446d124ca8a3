/*
 * The CPython ABI: the record behind each type that HPy makes, and where objects keep their struct.
 *
 * The address of a type's record is in the heap type's `as_sequence.was_sq_slice`, a word that
 * CPython has kept unused and zero since 3.0 and that a Python subclass does not inherit. Records
 * begin alike whoever makes them (this header in any library, the runtime of the universal ABI),
 * so one hierarchy of types may have several makers. They are never freed or changed.
 *
 * The limited API reaches no such word. There the record is the documentation of the first entry in
 * `tp_members`, which CPython copies into the type and a Python subclass does not inherit either;
 * the attribute that CPython makes of the entry is removed. Only other libraries for the limited
 * API find that record: for all other makers such a type is a foreign class, and theirs are foreign
 * here.
 */
#ifndef HPY_CPYTHON_TYPE_RECORD_H
#define HPY_CPYTHON_TYPE_RECORD_H

/* "HPYTYPE1" in a little-endian word. */
#define _HPY_RECORD_MAGIC UINT64_C(0x3145505954594850)

#if _HPY_LIMITED
/* The name of the member whose documentation is the record. */
#    define _HPY_RECORD_MEMBER "__hpy_record__"
#endif

/* The type's tp_dealloc is the author's own: it frees the object, whatever is derived from it. */
#define _HPY_RECORD_LEGACY_DEALLOC 1
/* The type's tp_traverse and tp_clear are the author's own. */
#define _HPY_RECORD_LEGACY_TRAVERSE 2
/* The record ends with `object_members`. */
#define _HPY_RECORD_OBJECT_MEMBERS 4
/* Objects can have weak references. Only in the limited API; else the type itself is asked. */
#define _HPY_RECORD_WEAK_REFERENCES 8

/* Objects are one block of memory, of `kept_words` words: see type_keep.h. Only where the maker is
   this header with the full API. */
#define _HPY_RECORD_KEPT 16

typedef struct {
    uint64_t magic;
    int32_t shape;
    int32_t flags;
    /* Where the struct is in the object; for variable-sized shapes, where the items begin. */
    size_t struct_offset;
    size_t struct_size;
    HPyFunc_traverseproc traverse;
    HPyFunc_destroyfunc destroy;
    /* What objects are called through unless they have a call function of their own, or NULL. */
    cpy_vectorcallfunc default_call;
    /* Offsets in the struct of members that are references, ended by -1. Only if the flags say so:
       not every maker has this member. */
    const HPy_ssize_t *object_members;
#if _HPY_LIMITED
    /* Where objects have their call function; 0 if they have none. */
    size_t call_offset;
#else
    size_t kept_words;
    /* HPy_tp_new and HPy_tp_init, and the slots that the type has as long as nobody assigns to its
       `__new__` or `__init__`: see type_construct.h. */
    HPyFunc_newfunc create;
    HPyFunc_initproc init;
    newfunc tp_new;
    initproc tp_init;
#endif
} _HPyType_Record;

#if UINTPTR_MAX == UINT64_MAX
_HPY_ASSERT_MEMBER(_HPyType_Record, flags, 12);
_HPY_ASSERT_MEMBER(_HPyType_Record, struct_offset, 16);
_HPY_ASSERT_MEMBER(_HPyType_Record, struct_size, 24);
_HPY_ASSERT_MEMBER(_HPyType_Record, traverse, 32);
_HPY_ASSERT_MEMBER(_HPyType_Record, destroy, 40);
_HPY_ASSERT_MEMBER(_HPyType_Record, default_call, 48);
_HPY_ASSERT_MEMBER(_HPyType_Record, object_members, 56);
#endif

/* What the place of the record in a heap type refers to, or NULL. */
HPyAPI_INLINE const void *_HPyType_RecordPlace(PyTypeObject *type)
{
#if _HPY_LIMITED
    const _HPyMemberDef *first = (const _HPyMemberDef *)PyType_GetSlot(type, Py_tp_members);
    if (first == NULL || first->name == NULL || strcmp(first->name, _HPY_RECORD_MEMBER) != 0) {
        return NULL;
    }
    return first->doc;
#else
    return ((PyHeapTypeObject *)type)->as_sequence.was_sq_slice;
#endif
}

/* The record of exactly this type, or NULL if HPy did not make it. */
HPyAPI_INLINE const _HPyType_Record *_HPyType_OwnRecord(PyTypeObject *type)
{
    const _HPyType_Record *record;
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)) {
        return NULL;
    }
    record = (const _HPyType_Record *)_HPyType_RecordPlace(type);
    return record != NULL && record->magic == _HPY_RECORD_MAGIC ? record : NULL;
}

/* The nearest record of the type and of the types that its layout comes from, or NULL. */
HPyAPI_INLINE const _HPyType_Record *_HPyType_FindRecord(PyTypeObject *type)
{
    const _HPyType_Record *record = NULL;
    while (type != NULL && record == NULL) {
        record = _HPyType_OwnRecord(type);
        type = _HPyType_Base(type);
    }
    return record;
}

/*
 * Shapes.
 */

/* A shape as CPython sees it. */
typedef struct {
    PyTypeObject *builtin;
    size_t struct_offset;
    /* The struct lies behind the items, see _HPyType_BehindItems. */
    int variable;
} _HPyType_Layout;

/* The layout of a shape; `builtin` is NULL for a number that is no shape. */
HPyAPI_INLINE _HPyType_Layout _HPyType_GetLayout(int shape)
{
    _HPyType_Layout layout = {NULL, 0, 0};
    switch (shape) {
    case HPyType_BuiltinShape_Legacy:
        layout.builtin = &PyBaseObject_Type;
        break;
    case HPyType_BuiltinShape_Object:
        layout.builtin = &PyBaseObject_Type;
        layout.struct_offset = _HPY_OBJECT_PLACE;
        break;
    case HPyType_BuiltinShape_Type:
        layout.builtin = &PyType_Type;
        layout.struct_offset = _HPY_PLACE(Type, PyHeapTypeObject);
        break;
    case HPyType_BuiltinShape_Float:
        layout.builtin = &PyFloat_Type;
        layout.struct_offset = _HPY_PLACE(Float, PyFloatObject);
        break;
    case HPyType_BuiltinShape_Unicode:
        layout.builtin = &PyUnicode_Type;
        layout.struct_offset = _HPY_PLACE(Unicode, PyUnicodeObject);
        break;
    case HPyType_BuiltinShape_List:
        layout.builtin = &PyList_Type;
        layout.struct_offset = _HPY_PLACE(List, PyListObject);
        break;
    case HPyType_BuiltinShape_Dict:
        layout.builtin = &PyDict_Type;
        layout.struct_offset = _HPY_PLACE(Dict, PyDictObject);
        break;
#if !_HPY_LIMITED
    case HPyType_BuiltinShape_Long:
        layout.builtin = &PyLong_Type;
        layout.variable = 1;
        layout.struct_offset = (size_t)PyLong_Type.tp_basicsize;
        break;
#endif
    case HPyType_BuiltinShape_Tuple:
        layout.builtin = &PyTuple_Type;
        layout.variable = 1;
        layout.struct_offset = _HPY_TUPLE_BASICSIZE;
        break;
    default:
        break;
    }
    return layout;
}

/* The place behind the items of a tuple. */
HPyAPI_INLINE void *_HPyType_BehindItems(PyObject *object)
{
    size_t end = _HPY_TUPLE_BASICSIZE + sizeof(PyObject *) * (size_t)Py_SIZE(object);
    return (char *)object + _HPY_ALIGN_UP(end, _HPY_STRUCT_ALIGN);
}

#if _HPY_LIMITED

/* HPyType_HELPERS is an error for this shape. */
HPyAPI_INLINE void *_HPy_AsStruct_Long(HPyContext *ctx, HPy h)
{
    (void)ctx;
    (void)h;
    return NULL;
}

#else

/* The place behind the digits of an int. */
HPyAPI_INLINE void *_HPyType_BehindDigits(PyObject *object)
{
#    if PY_VERSION_HEX >= 0x030C0000
    /* The number of digits is above the three lowest bits of the tag. */
    size_t digits = (size_t)(((PyLongObject *)object)->long_value.lv_tag >> 3);
#    else
    /* The size of a negative int is negative. */
    size_t digits = (size_t)(Py_SIZE(object) < 0 ? -Py_SIZE(object) : Py_SIZE(object));
#    endif
    size_t end = (size_t)PyLong_Type.tp_basicsize + (size_t)PyLong_Type.tp_itemsize * digits;
    return (char *)object + _HPY_ALIGN_UP(end, _HPY_STRUCT_ALIGN);
}

HPyAPI_INLINE void *_HPy_AsStruct_Long(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return _HPyType_BehindDigits(_h2py(h));
}

#endif

/* The struct of an object of whose type this is a record. */
HPyAPI_INLINE void *_HPyType_Struct(PyObject *object, const _HPyType_Record *record)
{
    switch (record->shape) {
#if !_HPY_LIMITED
    case HPyType_BuiltinShape_Long:
        return _HPyType_BehindDigits(object);
#endif
    case HPyType_BuiltinShape_Tuple:
        return _HPyType_BehindItems(object);
    default:
        return (char *)object + record->struct_offset;
    }
}

/* The struct of an object whose type, or a base of it, HPy made; else the object's address. */
HPyAPI_INLINE void *_HPyType_FindStruct(PyObject *object)
{
    const _HPyType_Record *record = _HPyType_FindRecord(Py_TYPE(object));
    return record == NULL ? (void *)object : _HPyType_Struct(object, record);
}

HPyAPI_INLINE HPyType_BuiltinShape _HPyType_GetBuiltinShape(HPyContext *ctx, HPy h_type)
{
    const _HPyType_Record *record = _HPyType_FindRecord((PyTypeObject *)_h2py(h_type));
    (void)ctx;
    return record == NULL ? HPyType_BuiltinShape_Legacy : (HPyType_BuiltinShape)record->shape;
}

/*
 * The struct of an object of known shape.
 */

HPyAPI_INLINE void *_HPy_AsStruct_Legacy(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return _h2py(h);
}

HPyAPI_INLINE void *_HPy_AsStruct_Object(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_OBJECT_PLACE;
}

HPyAPI_INLINE void *_HPy_AsStruct_Type(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_PLACE(Type, PyHeapTypeObject);
}

HPyAPI_INLINE void *_HPy_AsStruct_Float(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_PLACE(Float, PyFloatObject);
}

HPyAPI_INLINE void *_HPy_AsStruct_Unicode(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_PLACE(Unicode, PyUnicodeObject);
}

HPyAPI_INLINE void *_HPy_AsStruct_Tuple(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return _HPyType_BehindItems(_h2py(h));
}

HPyAPI_INLINE void *_HPy_AsStruct_List(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_PLACE(List, PyListObject);
}

HPyAPI_INLINE void *_HPy_AsStruct_Dict(HPyContext *ctx, HPy h)
{
    (void)ctx;
    return (char *)_h2py(h) + _HPY_PLACE(Dict, PyDictObject);
}

#endif /* HPY_CPYTHON_TYPE_RECORD_H */
