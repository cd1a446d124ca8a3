/*
 * The CPython ABI: members, which make fields of the C struct Python attributes.
 */
#ifndef HPY_CPYTHON_TYPE_MEMBER_H
#define HPY_CPYTHON_TYPE_MEMBER_H

/*
 * `PyMemberDef` and what belongs to it. Before 3.12 they are in structmember.h, which this header
 * does not include because it gives the author short macros such as READONLY and T_INT.
 */
typedef struct {
    const char *name;
    int type;
    Py_ssize_t offset;
    int flags;
    const char *doc;
} _HPyMemberDef;

#define _HPY_MEMBER_READONLY 1

#if PY_VERSION_HEX < 0x030C0000
struct PyMemberDef;
PyAPI_FUNC(PyObject *) PyMember_GetOne(const char *, struct PyMemberDef *);
PyAPI_FUNC(int) PyMember_SetOne(char *, struct PyMemberDef *, PyObject *);
#else
_HPY_ASSERT_SIZE(_HPyMemberDef, sizeof(PyMemberDef));
#endif

/* The C API's definition of a member whose struct begins `struct_offset` bytes into the object. */
HPyAPI_INLINE _HPyMemberDef _HPyMember_Def(const HPyMember *member, size_t struct_offset)
{
    _HPyMemberDef def;
    def.name = member->name;
    def.type = (int)member->type;
    def.offset = (Py_ssize_t)struct_offset + member->offset;
    def.flags = member->readonly ? _HPY_MEMBER_READONLY : 0;
    def.doc = member->doc;
    return def;
}

/* Whether the member is a reference. */
HPyAPI_INLINE int _HPyMember_IsObject(const HPyMember *member)
{
    return member->type == HPyMember_OBJECT || member->type == HPyMember_OBJECT_EX;
}

HPyAPI_INLINE void *_HPyType_FindStruct(PyObject *object);

/*
 * A member of a struct whose place depends on the object is an attribute with getter and setter;
 * the closure is its HPyMember. The offset counts from the object, at which CPython looks for the
 * name of its type.
 */
HPyAPI_INLINE _HPyMemberDef _HPyMember_DefIn(PyObject *object, const void *closure)
{
    size_t place = (size_t)((char *)_HPyType_FindStruct(object) - (char *)object);
    return _HPyMember_Def((const HPyMember *)closure, place);
}

HPyAPI_INLINE PyObject *_HPyMember_Get(PyObject *object, void *closure)
{
    _HPyMemberDef def = _HPyMember_DefIn(object, closure);
    return PyMember_GetOne((const char *)object, (struct PyMemberDef *)&def);
}

HPyAPI_INLINE int _HPyMember_Set(PyObject *object, PyObject *value, void *closure)
{
    _HPyMemberDef def = _HPyMember_DefIn(object, closure);
    return PyMember_SetOne((char *)object, (struct PyMemberDef *)&def, value);
}

#endif /* HPY_CPYTHON_TYPE_MEMBER_H */
