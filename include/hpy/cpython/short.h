/*
 * The CPython ABI: shorter ways than the functions of the Python/C API, for objects of exactly the
 * builtin types, whose structs Python's own headers show. Anything else goes the way of those
 * functions; and so does everything with the limited API, which hides the structs, and in a
 * free-threaded Python, where another thread may change the object meanwhile.
 */
#ifndef HPY_CPYTHON_SHORT_H
#define HPY_CPYTHON_SHORT_H

#if _HPY_LIMITED || defined(Py_GIL_DISABLED)
#    define _HPY_SHORT 0
#else
#    define _HPY_SHORT 1
#endif

/* Whether it is known what the garbage collector has in front of an object: two words, of which the
   first is zero in an object that it does not know. */
#if _HPY_SHORT && PY_VERSION_HEX < 0x030F0000
#    define _HPY_KNOWS_GC_HEAD 1
#    define _HPY_GC_HEAD (2 * sizeof(void *))
#else
#    define _HPY_KNOWS_GC_HEAD 0
#endif

/*
 * Containers.
 */

HPyAPI_INLINE HPy_ssize_t HPy_Length(HPyContext *ctx, HPy h)
{
    (void)ctx;
#if _HPY_SHORT
    if (PyList_CheckExact(_h2py(h)) || PyTuple_CheckExact(_h2py(h))) {
        return Py_SIZE(_h2py(h));
    }
#endif
    return PyObject_Length(_h2py(h));
}

/* The value of a str in a dict is read at once. A missing key goes the long way, which looks again
   and raises the exception. */
HPyAPI_INLINE HPy HPy_GetItem(HPyContext *ctx, HPy obj, HPy key)
{
    (void)ctx;
#if _HPY_SHORT
    if (PyDict_CheckExact(_h2py(obj)) && PyUnicode_CheckExact(_h2py(key))) {
        PyObject *value = PyDict_GetItemWithError(_h2py(obj), _h2py(key));
        if (value != NULL) {
            Py_INCREF(value);
            return _py2h(value);
        }
        PyErr_Clear();
    }
#endif
    return _py2h(PyObject_GetItem(_h2py(obj), _h2py(key)));
}

HPyAPI_INLINE int HPy_SetItem(HPyContext *ctx, HPy obj, HPy key, HPy value)
{
    (void)ctx;
#if _HPY_SHORT
    if (PyDict_CheckExact(_h2py(obj)) && !HPy_IsNull(key) && !HPy_IsNull(value)) {
        return PyDict_SetItem(_h2py(obj), _h2py(key), _h2py(value));
    }
#endif
    return PyObject_SetItem(_h2py(obj), _h2py(key), _h2py(value));
}

/* A list has room for more than it holds. */
HPyAPI_INLINE int HPyList_Append(HPyContext *ctx, HPy h_list, HPy h_item)
{
    (void)ctx;
#if _HPY_SHORT
    if (PyList_CheckExact(_h2py(h_list)) && !HPy_IsNull(h_item)) {
        PyListObject *list = (PyListObject *)_h2py(h_list);
        Py_ssize_t size = Py_SIZE(list);
        if (size < list->allocated) {
            Py_INCREF(_h2py(h_item));
            list->ob_item[size] = _h2py(h_item);
            Py_SET_SIZE((PyVarObject *)list, size + 1);
            return 0;
        }
    }
#endif
    return PyList_Append(_h2py(h_list), _h2py(h_item));
}

/*
 * Numbers.
 */

HPyAPI_INLINE double HPyFloat_AsDouble(HPyContext *ctx, HPy h)
{
    (void)ctx;
#if _HPY_SHORT
    if (PyFloat_CheckExact(_h2py(h))) {
        return PyFloat_AS_DOUBLE(_h2py(h));
    }
#endif
    return PyFloat_AsDouble(_h2py(h));
}

#if _HPY_SHORT
/* Whether this is an int of at most one digit; if so, sets `value` to it. */
HPyAPI_INLINE int _HPyLong_AsSmall(PyObject *object, long *value)
{
    PyLongObject *number = (PyLongObject *)object;
    if (!PyLong_Check(object)) {
        return 0;
    }
#    if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact(number)) {
        return 0;
    }
    *value = (long)PyUnstable_Long_CompactValue(number);
#    else
    /* The size of a negative int is negative. */
    if ((size_t)(Py_SIZE(number) + 1) > 2) {
        return 0;
    }
    *value = (long)Py_SIZE(number) * (long)number->ob_digit[0];
#    endif
    return 1;
}
#endif

HPyAPI_INLINE int64_t HPyLong_AsInt64_t(HPyContext *ctx, HPy h)
{
    (void)ctx;
#if _HPY_SHORT
    long value;
    if (_HPyLong_AsSmall(_h2py(h), &value)) {
        return value;
    }
#endif
    return sizeof(long) == 8 ? (int64_t)PyLong_AsLong(_h2py(h))
                             : (int64_t)PyLong_AsLongLong(_h2py(h));
}

/*
 * Text.
 */

#if _HPY_SHORT
/* Longer texts are as fast in CPython, which copies while it looks. */
#    define _HPY_LONGEST_SHORT_TEXT 256

/* A str of ASCII characters, which are copied; NULL without an exception if this is no such text.
   Texts of up to one character are objects that CPython shares. */
HPyAPI_INLINE PyObject *_HPyUnicode_FromASCII(const char *text, size_t size)
{
    uint64_t word, rest = 0;
    size_t i = 0;
    PyObject *object;
    if (size < 2 || size > _HPY_LONGEST_SHORT_TEXT) {
        return NULL;
    }
    for (; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(&word, text + i, sizeof(word));
        rest |= word;
    }
    for (; i < size; i++) {
        rest |= (unsigned char)text[i];
    }
    if (rest & UINT64_C(0x8080808080808080)) {
        return NULL;
    }
    object = PyUnicode_New((Py_ssize_t)size, 127);
    if (object == NULL) {
        PyErr_Clear();
        return NULL;
    }
    memcpy((PyASCIIObject *)object + 1, text, size);
    return object;
}
#endif

HPyAPI_INLINE HPy HPyUnicode_FromString(HPyContext *ctx, const char *utf8)
{
    (void)ctx;
#if _HPY_SHORT
    PyObject *object = _HPyUnicode_FromASCII(utf8, strlen(utf8));
    if (object != NULL) {
        return _py2h(object);
    }
#endif
    return _py2h(PyUnicode_FromString(utf8));
}

HPyAPI_INLINE HPy HPyUnicode_DecodeASCII(HPyContext *ctx, const char *ascii, HPy_ssize_t size,
                                         const char *errors)
{
    (void)ctx;
#if _HPY_SHORT
    PyObject *object = _HPyUnicode_FromASCII(ascii, (size_t)size);
    if (object != NULL) {
        return _py2h(object);
    }
#endif
    return _py2h(PyUnicode_DecodeASCII(ascii, size, errors));
}

/* Of ASCII characters a str has nothing but their UTF-8. */
HPyAPI_INLINE const char *HPyUnicode_AsUTF8AndSize(HPyContext *ctx, HPy h, HPy_ssize_t *size)
{
    (void)ctx;
#if _HPY_LIMITED
    return _HPyLimited_AsUTF8AndSize(_h2py(h), size);
#else
#    if _HPY_SHORT
    if (PyUnicode_Check(_h2py(h)) && PyUnicode_IS_COMPACT_ASCII(_h2py(h))) {
        PyASCIIObject *object = (PyASCIIObject *)_h2py(h);
        if (size != NULL) {
            *size = object->length;
        }
        return (const char *)(object + 1);
    }
#    endif
    return PyUnicode_AsUTF8AndSize(_h2py(h), size);
#endif
}

#endif /* HPY_CPYTHON_SHORT_H */
