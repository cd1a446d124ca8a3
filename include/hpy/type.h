/*
 * Types: how a type is described, and how its objects' C struct is reached.
 *
 *     typedef struct {
 *         double x, y;
 *     } Point;
 *     HPyType_HELPERS(Point)
 *
 *     static HPyType_Spec Point_spec = {
 *         .name = "geometry.Point",
 *         .basicsize = sizeof(Point),
 *         .flags = HPy_TPFLAGS_DEFAULT,
 *         .builtin_shape = SHAPE(Point),
 *         .defines = Point_defines,
 *     };
 */
#ifndef HPY_TYPE_H
#define HPY_TYPE_H

/** The flags that every type should have. Replaces `Py_TPFLAGS_DEFAULT`. */
#define HPy_TPFLAGS_DEFAULT ((1UL << 9) | (1UL << 18))
/** The type may be subclassed. Replaces `Py_TPFLAGS_BASETYPE`. */
#define HPy_TPFLAGS_BASETYPE (1UL << 10)
/** The struct has a member `__vectorcalloffset__`. Replaces `Py_TPFLAGS_HAVE_VECTORCALL`. */
#define HPy_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
/**
 * Objects take part in the search for reference cycles; the type needs the slot `HPy_tp_traverse`.
 * Replaces `Py_TPFLAGS_HAVE_GC`.
 */
#define HPy_TPFLAGS_HAVE_GC (1UL << 14)

/** The description of a type, for `HPyType_FromSpec`. Replaces `PyType_Spec`. */
typedef struct {
    /** The full name, `"package.module.Type"`, UTF-8. */
    const char *name;
    /** The size of the C struct; 0 if the type adds none. */
    int basicsize;
    /** The size of an item of variable-sized objects, else 0. */
    int itemsize;
    /** `HPy_TPFLAGS_DEFAULT`, and others joined by `|`. */
    unsigned long flags;
    /** Which builtin type the objects extend: `SHAPE(STRUCT)`. */
    HPyType_BuiltinShape builtin_shape;
    /** `PyType_Slot *` of a type of shape Legacy, or NULL. Not in universal mode. */
    void *legacy_slots;
    /** The type's definitions, ended by NULL; or NULL. */
    HPyDef **defines;
    /** The documentation string, UTF-8, or NULL. */
    const char *doc;
} HPyType_Spec;

/** What an `HPyType_SpecParam` says. */
typedef enum {
    /** The end of the array. */
    HPyType_SpecParam_End = 0,
    /** One base class; may come several times. */
    HPyType_SpecParam_Base = 1,
    /** All base classes in a tuple; once, and not beside `HPyType_SpecParam_Base`. */
    HPyType_SpecParam_BasesTuple = 2,
    /** The metaclass; once. */
    HPyType_SpecParam_Metaclass = 3,
} HPyType_SpecParam_Kind;

/**
 * What a type takes from objects that exist only at run time: an array, ended by an entry of kind
 * 0, for `HPyType_FromSpec`.
 */
typedef struct {
    /** What the object is for. */
    HPyType_SpecParam_Kind kind;
    /** The object; borrowed. */
    HPy object;
} HPyType_SpecParam;

/**
 * `HPyType_HELPERS(STRUCT [, SHAPE])` connects a C struct with the types whose objects carry it.
 *
 * It defines `STRUCT *STRUCT_AsStruct(HPyContext *ctx, HPy h)`, which gives the struct inside an
 * object: memory that is valid as long as the object lives. The object's type must be one with
 * this struct and shape; that is not checked here (debug mode does). And it defines what
 * `SHAPE(STRUCT)` says.
 *
 * @param STRUCT the name of the type, not `struct NAME`
 * @param SHAPE an `HPyType_BuiltinShape`, written out; `HPyType_BuiltinShape_Object` if not given
 */
#define HPyType_HELPERS(...) _HPyType_HELPERS(__VA_ARGS__, HPyType_BuiltinShape_Object, )

/**
 * Like `HPyType_HELPERS` for a struct that begins with `PyObject_HEAD`, which only the CPython and
 * hybrid modes have; an error of the compilation in universal mode.
 */
#ifdef HPY_ABI_UNIVERSAL
#    define HPyType_LEGACY_HELPERS(STRUCT)                                                         \
        HPy_STATIC_ASSERT(sizeof(STRUCT *) == 0,                                                   \
                          "Cannot use HPyType_LEGACY_HELPERS when targeting the HPy Universal "    \
                          "ABI: use HPyType_HELPERS, or build with HPY_ABI_HYBRID");               \
        _HPyType_HELPERS(STRUCT, HPyType_BuiltinShape_Legacy, )
#else
#    define HPyType_LEGACY_HELPERS(STRUCT) _HPyType_HELPERS(STRUCT, HPyType_BuiltinShape_Legacy, )
#endif

/** The shape that `HPyType_HELPERS` was told for `STRUCT`. */
#define SHAPE(STRUCT) ((HPyType_BuiltinShape)STRUCT##_SHAPE)

#define _HPyType_HELPERS(STRUCT, BUILTIN_SHAPE, ...)                                               \
    _HPyShape_CHECK_##BUILTIN_SHAPE enum { STRUCT##_SHAPE = (int)BUILTIN_SHAPE };                  \
    HPyAPI_INLINE STRUCT *STRUCT##_AsStruct(HPyContext *ctx, HPy h)                                \
    {                                                                                              \
        return (STRUCT *)_HPyType_AsStruct_##BUILTIN_SHAPE(ctx, h);                                \
    }

/* The function of each shape. */
#define _HPyType_AsStruct_HPyType_BuiltinShape_Legacy _HPy_AsStruct_Legacy
#define _HPyType_AsStruct_HPyType_BuiltinShape_Object _HPy_AsStruct_Object
#define _HPyType_AsStruct_HPyType_BuiltinShape_Type _HPy_AsStruct_Type
#define _HPyType_AsStruct_HPyType_BuiltinShape_Long _HPy_AsStruct_Long
#define _HPyType_AsStruct_HPyType_BuiltinShape_Float _HPy_AsStruct_Float
#define _HPyType_AsStruct_HPyType_BuiltinShape_Unicode _HPy_AsStruct_Unicode
#define _HPyType_AsStruct_HPyType_BuiltinShape_Tuple _HPy_AsStruct_Tuple
#define _HPyType_AsStruct_HPyType_BuiltinShape_List _HPy_AsStruct_List
#define _HPyType_AsStruct_HPyType_BuiltinShape_Dict _HPy_AsStruct_Dict

/**
 * Visits a field inside an `HPy_tp_traverse` function, whose parameters must be called `visit` and
 * `arg`; returns from that function if the visitor says so. Replaces `Py_VISIT`. A null field is
 * passed over: HPy 0.9's own visitor expects an object.
 *
 * @param field `HPyField *`
 */
#define HPy_VISIT(field)                                                                           \
    do {                                                                                           \
        HPyField *_hpy_field = (field);                                                            \
        int _hpy_visited = HPyField_IsNull(*_hpy_field) ? 0 : visit(_hpy_field, arg);              \
        if (_hpy_visited)                                                                          \
            return _hpy_visited;                                                                   \
    } while (0)

#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)
#    if ULONG_MAX == UINT64_MAX
_HPY_ASSERT_SIZE(HPyType_Spec, 56);
_HPY_ASSERT_MEMBER(HPyType_Spec, name, 0);
_HPY_ASSERT_MEMBER(HPyType_Spec, basicsize, 8);
_HPY_ASSERT_MEMBER(HPyType_Spec, itemsize, 12);
_HPY_ASSERT_MEMBER(HPyType_Spec, flags, 16);
_HPY_ASSERT_MEMBER(HPyType_Spec, builtin_shape, 24);
_HPY_ASSERT_MEMBER(HPyType_Spec, legacy_slots, 32);
_HPY_ASSERT_MEMBER(HPyType_Spec, defines, 40);
_HPY_ASSERT_MEMBER(HPyType_Spec, doc, 48);
#    endif
_HPY_ASSERT_SIZE(HPyType_SpecParam, 16);
_HPY_ASSERT_MEMBER(HPyType_SpecParam, kind, 0);
_HPY_ASSERT_MEMBER(HPyType_SpecParam, object, 8);
#endif

#endif /* HPY_TYPE_H */
