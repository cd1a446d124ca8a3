/*
 * Handles and the small value types of the API.
 *
 * Every one of them is opaque: what the integer inside means is the host's own affair and differs
 * from host to host and from mode to mode.
 */
#ifndef HPY_TYPES_H
#define HPY_TYPES_H

/** A signed size or index; as wide as a pointer. Replaces `Py_ssize_t`. */
typedef intptr_t HPy_ssize_t;
/** The hash of an object. Replaces `Py_hash_t`. */
typedef intptr_t HPy_hash_t;
/** One Unicode code point. Replaces `Py_UCS4`. */
typedef uint32_t HPy_UCS4;

/** The largest `HPy_ssize_t`. Replaces `PY_SSIZE_T_MAX`. */
#define HPY_SSIZE_T_MAX INTPTR_MAX
/** The smallest `HPy_ssize_t`. Replaces `PY_SSIZE_T_MIN`. */
#define HPY_SSIZE_T_MIN INTPTR_MIN

/**
 * The functions and constants of the host. Each function that Python calls gets one as its first
 * parameter and hands it on; it is valid during that call.
 */
typedef struct _HPyContext_s HPyContext;

/**
 * A handle: a reference to a Python object that its owner closes exactly once, with `HPy_Close`.
 *
 * Two handles of one object need not be equal (`HPy_Is` tells), and a handle must not outlive the
 * call in which it was made: what has to stay is stored in an `HPyField` or an `HPyGlobal`.
 * Replaces `PyObject *`.
 */
typedef struct _HPy_s {
    intptr_t _i;
} HPy;

/**
 * A reference to a Python object from inside the C struct of another one, visited by that type's
 * `HPy_tp_traverse`. Written by `HPyField_Store`, read by `HPyField_Load`; zero is «nothing».
 */
typedef struct _HPyField_s {
    intptr_t _i;
} HPyField;

/**
 * A reference to a Python object from a static variable, listed in `HPyModuleDef.globals`. Written
 * by `HPyGlobal_Store`, read by `HPyGlobal_Load`; zero is «nothing».
 */
typedef struct _HPyGlobal_s {
    intptr_t _i;
} HPyGlobal;

/** A list under construction, see `HPyListBuilder_New`. */
typedef struct _HPyListBuilder_s {
    intptr_t _lst;
} HPyListBuilder;

/** A tuple under construction, see `HPyTupleBuilder_New`. */
typedef struct _HPyTupleBuilder_s {
    intptr_t _tup;
} HPyTupleBuilder;

/** A set of handles that are closed together, see `HPyTracker_New`. */
typedef struct _HPyTracker_s {
    intptr_t _i;
} HPyTracker;

/** What `HPy_LeavePythonExecution` gives and `HPy_ReenterPythonExecution` takes. */
typedef struct _HPyThreadState_s {
    intptr_t _i;
} HPyThreadState;

/*
 * Null values.
 */
#ifdef __cplusplus
/** The handle of nothing: failure as a result, «absent» as an argument. Replaces `NULL`. */
#    define HPy_NULL (HPy())
/** The field that refers to nothing. */
#    define HPyField_NULL (HPyField())
#else
/** The handle of nothing: failure as a result, «absent» as an argument. Replaces `NULL`. */
#    define HPy_NULL ((HPy){0})
/** The field that refers to nothing. */
#    define HPyField_NULL ((HPyField){0})
#endif

/** Whether the handle is `HPy_NULL`. */
#define HPy_IsNull(handle) ((handle)._i == 0)
/** Whether the field refers to nothing. */
#define HPyField_IsNull(field) ((field)._i == 0)

/**
 * The handle whose representation `HPy_AsVoidP` gave, for callbacks that carry a `void *`.
 *
 * It is the same handle, not a new one: still valid only during the call that owns it.
 */
HPyAPI_INLINE HPy HPy_FromVoidP(void *pointer)
{
    HPy handle;
    handle._i = (intptr_t)pointer;
    return handle;
}

/** The handle's representation as a pointer, for `HPy_FromVoidP`; not the address of the object. */
HPyAPI_INLINE void *HPy_AsVoidP(HPy handle)
{
    return (void *)handle._i;
}

/** The operator of a rich comparison; the values are those of `Py_LT` and so on. */
typedef enum {
    /** `<` */
    HPy_LT = 0,
    /** `<=` */
    HPy_LE = 1,
    /** `==` */
    HPy_EQ = 2,
    /** `!=` */
    HPy_NE = 3,
    /** `>` */
    HPy_GT = 4,
    /** `>=` */
    HPy_GE = 5,
} HPy_RichCmpOp;

/** What the source given to `HPy_Compile_s` is. */
typedef enum {
    /** One expression. Replaces `Py_eval_input`. */
    HPy_SourceKind_Expr = 0,
    /** A file: any number of statements. Replaces `Py_file_input`. */
    HPy_SourceKind_File = 1,
    /** One interactive statement, whose value is printed. Replaces `Py_single_input`. */
    HPy_SourceKind_Single = 2,
} HPy_SourceKind;

/** Which property of a capsule the universal ABI's two capsule functions are about. */
typedef enum {
    HPyCapsule_key_Pointer = 0,
    HPyCapsule_key_Name = 1,
    HPyCapsule_key_Context = 2,
    HPyCapsule_key_Destructor = 3,
} _HPyCapsule_key;

/**
 * What an object shows of its memory: filled by `HPy_bf_getbuffer`, given back to
 * `HPy_bf_releasebuffer`. Member by member it is a `Py_buffer`, whose documentation holds.
 */
typedef struct {
    /** The first byte. */
    void *buf;
    /** The object that owns the memory: set by `HPy_bf_getbuffer` to a new handle. */
    HPy obj;
    /** The number of bytes. */
    HPy_ssize_t len;
    /** The number of bytes of one item. */
    HPy_ssize_t itemsize;
    /** 1 if the memory must not be written. */
    int readonly;
    /** The number of dimensions. */
    int ndim;
    /** The items' format in the notation of Python's `struct`, or NULL for bytes. */
    char *format;
    /** The number of items in each dimension, or NULL. */
    HPy_ssize_t *shape;
    /** The number of bytes from item to item in each dimension, or NULL. */
    HPy_ssize_t *strides;
    /** As in PEP 3118; NULL when no dimension is reached through pointers. */
    HPy_ssize_t *suboffsets;
    /** The exporter's own. */
    void *internal;
} HPy_buffer;

#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)
_HPY_ASSERT_SIZE(HPy, 8);
_HPY_ASSERT_SIZE(HPyField, 8);
_HPY_ASSERT_SIZE(HPyGlobal, 8);
_HPY_ASSERT_SIZE(HPyListBuilder, 8);
_HPY_ASSERT_SIZE(HPyTupleBuilder, 8);
_HPY_ASSERT_SIZE(HPyTracker, 8);
_HPY_ASSERT_SIZE(HPyThreadState, 8);
_HPY_ASSERT_SIZE(HPy_buffer, 80);
_HPY_ASSERT_MEMBER(HPy_buffer, buf, 0);
_HPY_ASSERT_MEMBER(HPy_buffer, obj, 8);
_HPY_ASSERT_MEMBER(HPy_buffer, len, 16);
_HPY_ASSERT_MEMBER(HPy_buffer, itemsize, 24);
_HPY_ASSERT_MEMBER(HPy_buffer, readonly, 32);
_HPY_ASSERT_MEMBER(HPy_buffer, ndim, 36);
_HPY_ASSERT_MEMBER(HPy_buffer, format, 40);
_HPY_ASSERT_MEMBER(HPy_buffer, shape, 48);
_HPY_ASSERT_MEMBER(HPy_buffer, strides, 56);
_HPY_ASSERT_MEMBER(HPy_buffer, suboffsets, 64);
_HPY_ASSERT_MEMBER(HPy_buffer, internal, 72);
#endif

#endif /* HPY_TYPES_H */
