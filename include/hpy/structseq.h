/*
 * Tuples whose items have names: HPyStructSequence_NewType, HPyStructSequence_New.
 *
 * In the CPython ABI of 3.11 and later, and its limited API, such a type is a `PyStructSequence`,
 * else a `collections.namedtuple`. Items, attributes, `n_fields`, `n_sequence_fields` and
 * `n_unnamed_fields` are the same; repr, pickling, and what calling the type expects are not.
 */
#ifndef HPY_STRUCTSEQ_H
#define HPY_STRUCTSEQ_H

/** One item. Replaces `PyStructSequence_Field`. */
typedef struct {
    /**
     * Its name, or HPyStructSequence_UnnamedField for an item that is reached by its index only.
     * NULL ends the array of fields.
     */
    const char *name;
    /** Its documentation, UTF-8, or NULL. */
    const char *doc;
} HPyStructSequence_Field;

/**
 * What a type is made from. Strings must live as long as the type. Replaces
 * `PyStructSequence_Desc`.
 */
typedef struct {
    /** The full name, "module.Name". */
    const char *name;
    /** The type's documentation, UTF-8, or NULL. */
    const char *doc;
    /** The items, then one whose name is NULL. */
    HPyStructSequence_Field *fields;
} HPyStructSequence_Desc;

#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)
_HPY_ASSERT_SIZE(HPyStructSequence_Field, 16);
_HPY_ASSERT_SIZE(HPyStructSequence_Desc, 24);
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#    define _HPY_ONE_DEFINITION __declspec(selectany)
#else
#    define _HPY_ONE_DEFINITION __attribute__((weak))
#endif

/**
 * The name of an item without a name. One address in all translation units of a library; a
 * constant, so that a static initialiser may have it. Replaces `PyStructSequence_UnnamedField`.
 */
HPy_HIDDEN_SYMBOL _HPY_ONE_DEFINITION extern const char HPyStructSequence_UnnamedField[];
const char HPyStructSequence_UnnamedField[] = "unnamed field";

/* The number of fields; -1 with an exception where the description is no good. */
HPyAPI_INLINE HPy_ssize_t _HPyStructSequence_Count(HPyContext *ctx,
                                                   const HPyStructSequence_Desc *desc)
{
    HPy_ssize_t n = 0;
    if (desc->name == NULL || desc->fields == NULL) {
        HPyErr_SetString(ctx, ctx->h_SystemError,
                         "HPyStructSequence_NewType: the description needs a name and fields");
        return -1;
    }
    while (desc->fields[n].name != NULL) {
        n++;
    }
    return n;
}

HPyAPI_INLINE HPy _HPyStructSequence_TypeError(HPyContext *ctx, HPy type)
{
    return HPyErr_Format(ctx, ctx->h_TypeError,
                         "HPyStructSequence_New needs a struct sequence type, got %R", type);
}

/* Whether `type`, a struct sequence type, takes n values; sets a TypeError if not. */
HPyAPI_INLINE bool _HPyStructSequence_Takes(HPyContext *ctx, HPy type, HPy_ssize_t n)
{
    HPy_ssize_t expected;
    HPy h = HPy_GetAttr_s(ctx, type, "n_fields");
    if (HPy_IsNull(h)) {
        if (HPyErr_ExceptionMatches(ctx, ctx->h_AttributeError)) {
            _HPyStructSequence_TypeError(ctx, type);
        }
        return false;
    }
    expected = HPyLong_AsSsize_t(ctx, h);
    HPy_Close(ctx, h);
    if (expected != n && !HPyErr_Occurred(ctx)) {
        HPyErr_Format(ctx, ctx->h_TypeError, "%R takes %zd values, got %zd", type, expected, n);
    }
    return expected == n;
}

/* Before 3.11, CPython does not export the name of unnamed fields, which it knows by its address.
 */
#if defined(HPY_ABI_CPYTHON) && PY_VERSION_HEX >= 0x030B0000 && !_HPY_LIMITED_BEFORE(0x030B0000)

HPyAPI_INLINE HPy _HPyStructSequence_Make(HPyContext *ctx, const HPyStructSequence_Desc *desc,
                                          HPy_ssize_t n)
{
    HPy result;
    PyObject *type;
    PyStructSequence_Desc copy;
    HPy_ssize_t i;
    copy.name = desc->name;
    copy.doc = desc->doc;
    copy.n_in_sequence = (int)n;
    copy.fields = PyMem_New(PyStructSequence_Field, (size_t)n + 1);
    if (copy.fields == NULL) {
        return HPyErr_NoMemory(ctx);
    }
    for (i = 0; i <= n; i++) {
        const char *name = desc->fields[i].name;
        copy.fields[i].name =
            name == HPyStructSequence_UnnamedField ? PyStructSequence_UnnamedField : name;
        copy.fields[i].doc = desc->fields[i].doc;
    }
    type = (PyObject *)PyStructSequence_NewType(&copy);
    PyMem_Free(copy.fields);
    result = HPy_FromPyObject(ctx, type);
    Py_XDECREF(type);
    return result;
}

HPyAPI_INLINE HPy _HPyStructSequence_Fill(HPyContext *ctx, HPy h_type, HPy_ssize_t n,
                                          const HPy *items)
{
    PyTypeObject *type = (PyTypeObject *)HPy_AsPyObject(ctx, h_type);
    PyObject *sequence = NULL;
    HPy result;
    HPy_ssize_t i;
    /* A Python class that poses as a struct sequence type can be derived from; a real one cannot.
     */
    if (PyType_Check((PyObject *)type) && PyType_IsSubtype(type, &PyTuple_Type) &&
        !PyType_HasFeature(type, Py_TPFLAGS_BASETYPE)) {
        sequence = PyStructSequence_New(type);
    } else {
        _HPyStructSequence_TypeError(ctx, h_type);
    }
    Py_DECREF(type);
    for (i = 0; sequence != NULL && i < n; i++) {
        PyStructSequence_SetItem(sequence, i, HPy_AsPyObject(ctx, items[i]));
    }
    result = HPy_FromPyObject(ctx, sequence);
    Py_XDECREF(sequence);
    return result;
}

#else

/* The list of the names. namedtuple makes a name from the index for one that it does not allow. */
HPyAPI_INLINE HPy _HPyStructSequence_Names(HPyContext *ctx, const HPyStructSequence_Desc *desc,
                                           HPy_ssize_t n)
{
    HPyListBuilder builder = HPyListBuilder_New(ctx, n);
    HPy_ssize_t i;
    for (i = 0; i < n; i++) {
        HPy name = HPyUnicode_FromString(ctx, desc->fields[i].name);
        if (HPy_IsNull(name)) {
            HPyListBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyListBuilder_Set(ctx, builder, i, name);
        HPy_Close(ctx, name);
    }
    return HPyListBuilder_Build(ctx, builder);
}

/* A default for each field: None. */
HPyAPI_INLINE HPy _HPyStructSequence_Defaults(HPyContext *ctx, HPy_ssize_t n)
{
    HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, n);
    HPy_ssize_t i;
    for (i = 0; i < n; i++) {
        HPyTupleBuilder_Set(ctx, builder, i, ctx->h_None);
    }
    return HPyTupleBuilder_Build(ctx, builder);
}

/* The positional arguments of namedtuple: the type's name, the fields' names. */
HPyAPI_INLINE HPy _HPyStructSequence_Args(HPyContext *ctx, const HPyStructSequence_Desc *desc,
                                          HPy_ssize_t n)
{
    const char *dot = strrchr(desc->name, '.');
    HPy args, names = _HPyStructSequence_Names(ctx, desc, n);
    if (HPy_IsNull(names)) {
        return HPy_NULL;
    }
    args = HPy_BuildValue(ctx, "(sO)", dot == NULL ? desc->name : dot + 1, names);
    HPy_Close(ctx, names);
    return args;
}

/* The keyword arguments of namedtuple. */
HPyAPI_INLINE HPy _HPyStructSequence_Keywords(HPyContext *ctx, const HPyStructSequence_Desc *desc,
                                              HPy_ssize_t n)
{
    const char *dot = strrchr(desc->name, '.');
    HPy kw, module, defaults = _HPyStructSequence_Defaults(ctx, n);
    if (HPy_IsNull(defaults)) {
        return HPy_NULL;
    }
    module = dot == NULL ? HPyUnicode_FromString(ctx, "builtins")
                         : _HPyFormat_DecodeUTF8(ctx, desc->name, (size_t)(dot - desc->name));
    kw = HPy_BuildValue(ctx, "{s:O,s:O,s:O}", "rename", ctx->h_True, "defaults", defaults, "module",
                        module);
    HPy_Close(ctx, module);
    HPy_Close(ctx, defaults);
    return kw;
}

/* Calls namedtuple. Closes both handles. */
HPyAPI_INLINE HPy _HPyStructSequence_NamedTuple(HPyContext *ctx, HPy args, HPy kw)
{
    HPy type = HPy_NULL, factory = HPy_NULL, module = HPy_NULL;
    if (!HPy_IsNull(args) && !HPy_IsNull(kw)) {
        module = HPyImport_ImportModule(ctx, "collections");
    }
    if (!HPy_IsNull(module)) {
        factory = HPy_GetAttr_s(ctx, module, "namedtuple");
    }
    if (!HPy_IsNull(factory)) {
        type = HPy_CallTupleDict(ctx, factory, args, kw);
    }
    HPy_Close(ctx, factory);
    HPy_Close(ctx, module);
    HPy_Close(ctx, kw);
    HPy_Close(ctx, args);
    return type;
}

/* Stores an attribute, and closes the value. 0, or -1 with an exception. */
HPyAPI_INLINE int _HPyStructSequence_SetAttr(HPyContext *ctx, HPy obj, const char *name, HPy value)
{
    int status = HPy_IsNull(value) ? -1 : HPy_SetAttr_s(ctx, obj, name, value);
    HPy_Close(ctx, value);
    return status;
}

/* Gives the type its documentation and its three numbers. 0, or -1 with an exception. */
HPyAPI_INLINE int _HPyStructSequence_Describe(HPyContext *ctx, HPy type,
                                              const HPyStructSequence_Desc *desc, HPy_ssize_t n)
{
    HPy_ssize_t i, unnamed = 0;
    for (i = 0; i < n; i++) {
        unnamed += desc->fields[i].name == HPyStructSequence_UnnamedField;
    }
    if (_HPyStructSequence_SetAttr(ctx, type, "__doc__", HPy_BuildValue(ctx, "s", desc->doc)) < 0 ||
        _HPyStructSequence_SetAttr(ctx, type, "n_fields", HPyLong_FromSsize_t(ctx, n)) < 0 ||
        _HPyStructSequence_SetAttr(ctx, type, "n_sequence_fields", HPyLong_FromSsize_t(ctx, n)) <
            0) {
        return -1;
    }
    return _HPyStructSequence_SetAttr(ctx, type, "n_unnamed_fields",
                                      HPyLong_FromSsize_t(ctx, unnamed));
}

/* Gives the field that is attribute names[i] of the type its documentation. */
HPyAPI_INLINE int _HPyStructSequence_DescribeField(HPyContext *ctx, HPy type, HPy names,
                                                   HPy_ssize_t i, const char *doc)
{
    int status = -1;
    HPy field = HPy_NULL, name = HPy_GetItem_i(ctx, names, i);
    if (!HPy_IsNull(name)) {
        field = HPy_GetAttr(ctx, type, name);
    }
    if (!HPy_IsNull(field)) {
        status = _HPyStructSequence_SetAttr(ctx, field, "__doc__", HPyUnicode_FromString(ctx, doc));
    }
    HPy_Close(ctx, field);
    HPy_Close(ctx, name);
    return status;
}

/* Gives each field its documentation. 0, or -1 with an exception. */
HPyAPI_INLINE int _HPyStructSequence_DescribeFields(HPyContext *ctx, HPy type,
                                                    const HPyStructSequence_Desc *desc,
                                                    HPy_ssize_t n)
{
    int status = 0;
    HPy_ssize_t i;
    HPy names = HPy_GetAttr_s(ctx, type, "_fields");
    if (HPy_IsNull(names)) {
        return -1;
    }
    for (i = 0; status == 0 && i < n; i++) {
        if (desc->fields[i].doc != NULL) {
            status = _HPyStructSequence_DescribeField(ctx, type, names, i, desc->fields[i].doc);
        }
    }
    HPy_Close(ctx, names);
    return status;
}

HPyAPI_INLINE HPy _HPyStructSequence_Make(HPyContext *ctx, const HPyStructSequence_Desc *desc,
                                          HPy_ssize_t n)
{
    HPy type, kw, args = _HPyStructSequence_Args(ctx, desc, n);
    if (HPy_IsNull(args)) {
        return HPy_NULL;
    }
    kw = _HPyStructSequence_Keywords(ctx, desc, n);
    type = _HPyStructSequence_NamedTuple(ctx, args, kw);
    if (HPy_IsNull(type)) {
        return HPy_NULL;
    }
    if (_HPyStructSequence_Describe(ctx, type, desc, n) < 0 ||
        _HPyStructSequence_DescribeFields(ctx, type, desc, n) < 0) {
        HPy_Close(ctx, type);
        return HPy_NULL;
    }
    return type;
}

HPyAPI_INLINE HPy _HPyStructSequence_Fill(HPyContext *ctx, HPy type, HPy_ssize_t n,
                                          const HPy *items)
{
    HPy result, args = HPyTuple_FromArray(ctx, items, n);
    if (HPy_IsNull(args)) {
        return HPy_NULL;
    }
    result = HPy_CallTupleDict(ctx, type, args, HPy_NULL);
    HPy_Close(ctx, args);
    return result;
}

#endif

/**
 * Makes a struct sequence type.
 * @param desc what it is made from
 * @return a new handle to the type, or HPy_NULL with an exception set; SystemError if `desc` has no
 *     name or no fields
 * Since 0.9.0. Replaces PyStructSequence_NewType.
 */
HPyAPI_INLINE HPy HPyStructSequence_NewType(HPyContext *ctx, HPyStructSequence_Desc *desc)
{
    HPy_ssize_t n = _HPyStructSequence_Count(ctx, desc);
    return n < 0 ? HPy_NULL : _HPyStructSequence_Make(ctx, desc, n);
}

/**
 * Makes an instance of a struct sequence type.
 * @param type a type made by HPyStructSequence_NewType
 * @param nargs the number of values; it must be the type's `n_fields`
 * @param args the values; the handles stay the caller's
 * @return a new handle, or HPy_NULL with an exception set; TypeError for another type or another
 *     number
 * Since 0.9.0. Replaces PyStructSequence_New, PyStructSequence_SetItem.
 */
HPyAPI_INLINE HPy HPyStructSequence_New(HPyContext *ctx, HPy type, HPy_ssize_t nargs, HPy *args)
{
    if (!_HPyStructSequence_Takes(ctx, type, nargs)) {
        return HPy_NULL;
    }
    return _HPyStructSequence_Fill(ctx, type, nargs, args);
}

#endif /* HPY_STRUCTSEQ_H */
