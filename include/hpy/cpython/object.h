/*
 * The CPython ABI: handles, and questions that any object answers.
 */
#ifndef HPY_CPYTHON_OBJECT_H
#define HPY_CPYTHON_OBJECT_H

HPyAPI_INLINE HPy HPy_Dup(HPyContext *ctx, HPy h)
{
    (void)ctx;
    Py_XINCREF(_h2py(h));
    return h;
}

HPyAPI_INLINE void HPy_Close(HPyContext *ctx, HPy h)
{
    (void)ctx;
    Py_XDECREF(_h2py(h));
}

HPyAPI_INLINE int HPy_Is(HPyContext *ctx, HPy obj, HPy other)
{
    (void)ctx;
    return obj._i == other._i;
}

HPyAPI_INLINE HPy HPy_FromPyObject(HPyContext *ctx, cpy_PyObject *obj)
{
    (void)ctx;
    Py_XINCREF(obj);
    return _py2h(obj);
}

HPyAPI_INLINE cpy_PyObject *HPy_AsPyObject(HPyContext *ctx, HPy h)
{
    (void)ctx;
    Py_XINCREF(_h2py(h));
    return _h2py(h);
}

HPyAPI_INLINE void _HPy_Dump(HPyContext *ctx, HPy h)
{
    (void)ctx;
    if (HPy_IsNull(h)) {
        fprintf(stderr, "HPy_NULL\n");
        return;
    }
    _HPY_DUMP(_h2py(h));
}

HPyAPI_INLINE HPy HPy_Type(HPyContext *ctx, HPy obj)
{
    PyObject *type = (PyObject *)Py_TYPE(_h2py(obj));
    (void)ctx;
    Py_INCREF(type);
    return _py2h(type);
}

/* By which CPython tells int, list, tuple, bytes, str, dict, BaseException and type. */
#define _HPY_SUBCLASS_FLAGS (0xffUL << 24)

HPyAPI_INLINE int HPy_TypeCheck(HPyContext *ctx, HPy obj, HPy type)
{
    PyTypeObject *own = Py_TYPE(_h2py(obj)), *wanted = (PyTypeObject *)_h2py(type);
    (void)ctx;
    if (own == wanted) {
        return 1;
    }
#if _HPY_SHORT
    /* Most builtin types are directly below `object`, and have no other base. */
    if (own->tp_base == &PyBaseObject_Type && !(own->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        return wanted == &PyBaseObject_Type;
    }
#endif
#ifndef Py_GIL_DISABLED
    /* A subclass of one of the types that have a flag has the flag as well. So an object without
       it is no instance; and one with it is, of the type that is directly below `object`. */
    if (_HPY_TYPE_FLAGS(wanted) & ~_HPY_TYPE_FLAGS(own) & _HPY_SUBCLASS_FLAGS) {
        return 0;
    }
#    if _HPY_SHORT
    if ((wanted->tp_flags & _HPY_SUBCLASS_FLAGS) && wanted->tp_base == &PyBaseObject_Type) {
        return 1;
    }
#    endif
#endif
    return PyType_IsSubtype(own, wanted);
}

HPyAPI_INLINE int HPyType_IsSubtype(HPyContext *ctx, HPy sub, HPy type)
{
    (void)ctx;
    return PyType_IsSubtype((PyTypeObject *)_h2py(sub), (PyTypeObject *)_h2py(type));
}

#if _HPY_LIMITED

/* A heap type owns its name as a str, which has the text. Other types live for ever, and CPython
   makes the str anew: so they get a copy of it. */
HPyAPI_INLINE const char *HPyType_GetName(HPyContext *ctx, HPy type)
{
    HPy_ssize_t size;
    const char *text = NULL;
    PyObject *name = _HPyLimited_TypeName(_h2py(type));
    (void)ctx;
    if (name != NULL) {
        text = _HPyLimited_AsUTF8AndSize(name, &size);
        if (text != NULL && !PyType_HasFeature((PyTypeObject *)_h2py(type), Py_TPFLAGS_HEAPTYPE)) {
            text = (const char *)_HPy_Intern(text, (size_t)size + 1);
        }
        Py_DECREF(name);
    }
    return text;
}

#else

/* The text belongs to the type: a heap type owns its name as a str, other types live for ever. */
HPyAPI_INLINE const char *HPyType_GetName(HPyContext *ctx, HPy type)
{
    PyTypeObject *object = (PyTypeObject *)_h2py(type);
    const char *dot;
    (void)ctx;
    if (PyType_HasFeature(object, Py_TPFLAGS_HEAPTYPE)) {
        return PyUnicode_AsUTF8(((PyHeapTypeObject *)object)->ht_name);
    }
    dot = strrchr(object->tp_name, '.');
    return dot == NULL ? object->tp_name : dot + 1;
}

#endif

HPyAPI_INLINE HPy_hash_t HPy_Hash(HPyContext *ctx, HPy obj)
{
    (void)ctx;
    return PyObject_Hash(_h2py(obj));
}

/*
 * Items by index. `HPy_GetItem_i(obj, i)` is `obj[i]`, whatever `obj` is: exact
 * lists and tuples with an index from 0 are served without making an int.
 */

/* `object[idx]` through an int; a new reference, or NULL with an exception. */
HPyAPI_INLINE PyObject *_HPy_GetItemByKey(PyObject *object, HPy_ssize_t idx)
{
    PyObject *item;
    PyObject *key = PyLong_FromSsize_t(idx);
    if (key == NULL) {
        return NULL;
    }
    item = PyObject_GetItem(object, key);
    Py_DECREF(key);
    return item;
}

/* `object[idx] = value`, or `del object[idx]` if there is no value. */
HPyAPI_INLINE int _HPy_SetItemByKey(PyObject *object, HPy_ssize_t idx, PyObject *value)
{
    int status;
    PyObject *key = PyLong_FromSsize_t(idx);
    if (key == NULL) {
        return -1;
    }
    status = value == NULL ? PyObject_DelItem(object, key) : PyObject_SetItem(object, key, value);
    Py_DECREF(key);
    return status;
}

#if _HPY_LIMITED

HPyAPI_INLINE HPy HPy_GetItem_i(HPyContext *ctx, HPy obj, HPy_ssize_t idx)
{
    PyObject *item, *object = _h2py(obj);
    (void)ctx;
    if (idx >= 0 && PyList_CheckExact(object) && idx < PyList_Size(object)) {
        item = PyList_GetItem(object, idx);
    } else if (idx >= 0 && PyTuple_CheckExact(object) && idx < PyTuple_Size(object)) {
        item = PyTuple_GetItem(object, idx);
    } else {
        return _py2h(_HPy_GetItemByKey(object, idx));
    }
    Py_XINCREF(item);
    return _py2h(item);
}

/* PyList_SetItem consumes a reference, and releases the old item last. */
HPyAPI_INLINE int HPy_SetItem_i(HPyContext *ctx, HPy obj, HPy_ssize_t idx, HPy value)
{
    PyObject *object = _h2py(obj);
    (void)ctx;
    if (HPy_IsNull(value)) {
        PyErr_SetString(PyExc_SystemError,
                        "HPy_SetItem_i: the value is HPy_NULL; HPy_DelItem_i deletes an item");
        return -1;
    }
    if (idx >= 0 && PyList_CheckExact(object) && idx < PyList_Size(object)) {
        Py_INCREF(_h2py(value));
        return PyList_SetItem(object, idx, _h2py(value));
    }
    return _HPy_SetItemByKey(object, idx, _h2py(value));
}

#else

/* Other threads may resize the list of a free-threaded Python meanwhile. Py_SIZE, because the
   macros for lists and tuples look at the type once more where assert does. */
HPyAPI_INLINE HPy HPy_GetItem_i(HPyContext *ctx, HPy obj, HPy_ssize_t idx)
{
    PyObject *item, *object = _h2py(obj);
    (void)ctx;
#    if _HPY_SHORT
    if (PyList_CheckExact(object)) {
        if ((size_t)idx < (size_t)Py_SIZE(object)) {
            item = ((PyListObject *)object)->ob_item[idx];
            Py_INCREF(item);
            return _py2h(item);
        }
        return _py2h(_HPy_GetItemByKey(object, idx));
    }
#    endif
    if (PyTuple_CheckExact(object) && (size_t)idx < (size_t)Py_SIZE(object)) {
        item = ((PyTupleObject *)object)->ob_item[idx];
        Py_INCREF(item);
        return _py2h(item);
    }
    return _py2h(_HPy_GetItemByKey(object, idx));
}

/* The old item may be missing: HPyList_New makes lists with empty places, which the general way
   does not expect. It goes last, because its end may run code that uses the list. */
HPyAPI_INLINE int HPy_SetItem_i(HPyContext *ctx, HPy obj, HPy_ssize_t idx, HPy value)
{
    PyObject *object = _h2py(obj);
    (void)ctx;
    if (HPy_IsNull(value)) {
        PyErr_SetString(PyExc_SystemError,
                        "HPy_SetItem_i: the value is HPy_NULL; HPy_DelItem_i deletes an item");
        return -1;
    }
    if (PyList_CheckExact(object) && (size_t)idx < (size_t)PyList_GET_SIZE(object)) {
#    if _HPY_SHORT
        PyObject **slot = &((PyListObject *)object)->ob_item[idx], *old = *slot;
        Py_INCREF(_h2py(value));
        *slot = _h2py(value);
        Py_XDECREF(old);
        return 0;
#    else
        Py_INCREF(_h2py(value));
        return PyList_SetItem(object, idx, _h2py(value));
#    endif
    }
    return _HPy_SetItemByKey(object, idx, _h2py(value));
}

#endif

HPyAPI_INLINE int HPy_DelItem_i(HPyContext *ctx, HPy obj, HPy_ssize_t idx)
{
    (void)ctx;
    return _HPy_SetItemByKey(_h2py(obj), idx, NULL);
}

#endif /* HPY_CPYTHON_OBJECT_H */
