/*
 * The CPython ABI: attributes and items whose names are C strings.
 *
 * An extension asks for the same few names again and again, mostly with literals. So a name is made
 * once, interned as the names in Python code are, which CPython's attribute caches rely on, and
 * found again by the address of its text. The text is compared as well: what is at an address may
 * change. The table needs one lock that protects it; where there is none, names are made each time.
 */
#ifndef HPY_CPYTHON_NAMES_H
#define HPY_CPYTHON_NAMES_H

#if defined(Py_GIL_DISABLED) || defined(HPY_MOD_MULTIPLE_INTERPRETERS)
#    define _HPY_KEEP_NAMES 0
#else
#    define _HPY_KEEP_NAMES 1
#endif

#if _HPY_KEEP_NAMES

#    define _HPY_NAMES 256
/* Longer texts are hardly names, and would stay in memory. */
#    define _HPY_LONGEST_NAME 64

typedef struct {
    /* Where the extension has it. */
    const char *text;
    /* A copy, for its characters may change. */
    char *copy;
    PyObject *object;
} _HPyName;

/* The place of a name in the table; NULL without memory for one. Literals lie close to each other,
   at any address. */
HPyAPI_INLINE _HPyName *_HPyName_Place(const char *text)
{
    uintptr_t address = (uintptr_t)text;
    _HPyName *table = (_HPyName *)_HPyLibrary_Shared.names;
    if (table == NULL) {
        table = (_HPyName *)calloc(_HPY_NAMES, sizeof(_HPyName));
        _HPyLibrary_Shared.names = table;
    }
    return table == NULL ? NULL : &table[(address ^ address >> 8) % _HPY_NAMES];
}

/* Puts a name into its place. The old object goes last: its end may use the table. */
HPyAPI_INLINE void _HPyName_Keep(_HPyName *place, const char *text, PyObject *object)
{
    size_t size = strlen(text) + 1;
    char *copy = size > _HPY_LONGEST_NAME ? NULL : (char *)malloc(size);
    if (copy != NULL) {
        PyObject *old = place->object;
        memcpy(copy, text, size);
        free(place->copy);
        place->text = text;
        place->copy = copy;
        Py_INCREF(object);
        place->object = object;
        Py_XDECREF(old);
    }
}

/* The name as a str, a new reference; NULL with an exception set. */
HPyAPI_INLINE PyObject *_HPyName_Get(const char *text)
{
    PyObject *object;
    _HPyName *place = _HPyName_Place(text);
    if (place != NULL && place->text == text && strcmp(place->copy, text) == 0) {
        Py_INCREF(place->object);
        return place->object;
    }
    object = PyUnicode_InternFromString(text);
    if (place != NULL && object != NULL) {
        _HPyName_Keep(place, text, object);
    }
    return object;
}

#else

HPyAPI_INLINE PyObject *_HPyName_Get(const char *text)
{
    return PyUnicode_FromString(text);
}

#endif

HPyAPI_INLINE HPy HPy_GetAttr_s(HPyContext *ctx, HPy obj, const char *utf8_name)
{
    PyObject *value, *name = _HPyName_Get(utf8_name);
    (void)ctx;
    if (name == NULL) {
        return HPy_NULL;
    }
    value = PyObject_GetAttr(_h2py(obj), name);
    Py_DECREF(name);
    return _py2h(value);
}

/* Names that cannot be made are no attributes. */
HPyAPI_INLINE int HPy_HasAttr_s(HPyContext *ctx, HPy obj, const char *utf8_name)
{
    int result;
    PyObject *name = _HPyName_Get(utf8_name);
    (void)ctx;
    if (name == NULL) {
        PyErr_Clear();
        return 0;
    }
    result = PyObject_HasAttr(_h2py(obj), name);
    Py_DECREF(name);
    return result;
}

HPyAPI_INLINE int HPy_SetAttr_s(HPyContext *ctx, HPy obj, const char *utf8_name, HPy value)
{
    int status;
    PyObject *name = _HPyName_Get(utf8_name);
    (void)ctx;
    if (name == NULL) {
        return -1;
    }
    status = PyObject_SetAttr(_h2py(obj), name, _h2py(value));
    Py_DECREF(name);
    return status;
}

HPyAPI_INLINE HPy HPy_GetItem_s(HPyContext *ctx, HPy obj, const char *utf8_key)
{
    PyObject *value, *key = _HPyName_Get(utf8_key);
    (void)ctx;
    if (key == NULL) {
        return HPy_NULL;
    }
    value = PyObject_GetItem(_h2py(obj), key);
    Py_DECREF(key);
    return _py2h(value);
}

HPyAPI_INLINE int HPy_SetItem_s(HPyContext *ctx, HPy obj, const char *utf8_key, HPy value)
{
    int status;
    PyObject *key = _HPyName_Get(utf8_key);
    (void)ctx;
    if (key == NULL) {
        return -1;
    }
    status = PyObject_SetItem(_h2py(obj), key, _h2py(value));
    Py_DECREF(key);
    return status;
}

HPyAPI_INLINE int HPy_DelItem_s(HPyContext *ctx, HPy obj, const char *utf8_key)
{
    int status;
    PyObject *key = _HPyName_Get(utf8_key);
    (void)ctx;
    if (key == NULL) {
        return -1;
    }
    status = PyObject_DelItem(_h2py(obj), key);
    Py_DECREF(key);
    return status;
}

#endif /* HPY_CPYTHON_NAMES_H */
