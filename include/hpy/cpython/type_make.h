/*
 * The CPython ABI: how CPython makes a type from a specification, with bases and a metaclass.
 */
#ifndef HPY_CPYTHON_TYPE_MAKE_H
#define HPY_CPYTHON_TYPE_MAKE_H

#if _HPY_MOVES_MEMBERS

/*
 * Before 3.12, CPython allocates each type that it makes from a specification as an instance of
 * `type`, and puts its members behind that. The struct of a metaclass belongs in between. So the
 * draft has as many members more as take that room, and afterwards the true ones are moved up.
 */

/* Lets the descriptors of the members find them at their new place. */
HPyAPI_INLINE void _HPyType_MoveDescriptors(PyTypeObject *type, size_t distance)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(type->tp_dict, &position, &name, &value)) {
        if (Py_IS_TYPE(value, &PyMemberDescr_Type) && PyDescr_TYPE(value) == type) {
            PyMemberDescrObject *descriptor = (PyMemberDescrObject *)value;
            descriptor->d_member =
                (struct PyMemberDef *)(void *)((char *)descriptor->d_member + distance);
        }
    }
}

HPyAPI_INLINE int _HPyType_SetType(const _HPyType_Draft *draft, PyTypeObject *type)
{
    size_t reserved = _HPyType_CountReserved(draft->metaclass);
    size_t members = draft->member_count - reserved;
    size_t distance = (size_t)(draft->metaclass->tp_basicsize - PyType_Type.tp_basicsize);
    char *place = (char *)type + PyType_Type.tp_basicsize;
    if (reserved > 0) {
        if (PyDict_DelItemString(type->tp_dict, _HPY_RESERVED_MEMBER) < 0) {
            return -1;
        }
        memmove(place + distance, place, members * sizeof(_HPyMemberDef));
        memset(place, 0, distance);
        memset(place + distance + members * sizeof(_HPyMemberDef), 0, sizeof(_HPyMemberDef));
        _HPyType_MoveDescriptors(type, distance);
        type->tp_members = (struct PyMemberDef *)(void *)(place + distance);
        Py_SET_SIZE((PyVarObject *)type, (Py_ssize_t)members);
        PyType_Modified(type);
    }
    Py_INCREF(draft->metaclass);
    Py_SET_TYPE((PyObject *)type, draft->metaclass);
    return 0;
}

HPyAPI_INLINE PyObject *_HPyType_Make(const _HPyType_Draft *draft, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpecWithBases(spec, draft->bases);
    if (type != NULL && draft->metaclass != &PyType_Type &&
        _HPyType_SetType(draft, (PyTypeObject *)type) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

#elif !_HPY_LIMITED_BEFORE(0x030C0000)

/* The older function is used where it will do: it still accepts bases whose metaclass has a
   constructor of its own. */
HPyAPI_INLINE PyObject *_HPyType_Make(const _HPyType_Draft *draft, PyType_Spec *spec)
{
    if (draft->metaclass == &PyType_Type) {
        return PyType_FromSpecWithBases(spec, draft->bases);
    }
    return PyType_FromMetaclass(draft->metaclass, NULL, spec, draft->bases);
}

#else

/*
 * The limited API before 3.12 makes no types with a metaclass. One that adds nothing to the struct
 * of `type` can be set afterwards. CPython 3.12 and later takes that of the bases by itself.
 */
HPyAPI_INLINE int _HPyType_SetType(const _HPyType_Draft *draft, PyObject *type)
{
    if (Py_TYPE(type) == draft->metaclass) {
        return 0;
    }
    if (_HPyType_BasicSize(draft->metaclass) != _HPyType_BasicSize(&PyType_Type)) {
        PyErr_Format(PyExc_TypeError,
                     "%s: a metaclass with a struct needs the limited API of CPython 3.12: define "
                     "Py_LIMITED_API as 0x030C0000 or later",
                     draft->spec->name);
        return -1;
    }
    Py_INCREF((PyObject *)draft->metaclass);
    Py_SET_TYPE(type, draft->metaclass);
    return 0;
}

HPyAPI_INLINE PyObject *_HPyType_Make(const _HPyType_Draft *draft, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpecWithBases(spec, draft->bases);
    if (type != NULL && _HPyType_SetType(draft, type) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

#endif

/* The type's name, as long-lived as CPython needs it: until 3.10 it keeps the pointer. */
HPyAPI_INLINE const char *_HPyType_Name(const char *name)
{
#if PY_VERSION_HEX < 0x030B0000 || _HPY_LIMITED_BEFORE(0x030B0000)
    return (const char *)_HPy_Intern(name, strlen(name) + 1);
#else
    return name;
#endif
}

#endif /* HPY_CPYTHON_TYPE_MAKE_H */
