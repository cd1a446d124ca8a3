/*
 * Definitions: what a type or a module consists of.
 *
 * A definition is made by one of the macros below, at file level, and listed in the array
 * `defines` of a type or a module:
 *
 *     HPyDef_METH(double_it, "double_it", HPyFunc_O, .doc = "Twice the argument.")
 *     static HPy double_it_impl(HPyContext *ctx, HPy self, HPy arg)
 *     {
 *         return HPy_Add(ctx, arg, arg);
 *     }
 *
 *     static HPyDef *module_defines[] = {&double_it, NULL};
 *
 * The macros declare the author's functions as `static` and define an `HPyDef` that other files of
 * the same library may name in an `extern HPyDef double_it;` and nobody else can see.
 *
 * Options such as `.doc = …` come last, in the order in which they are documented, in C and in
 * C++ from C++11 on. No semicolon is needed behind a macro; a compiler accepts one, and remarks on
 * it under -Wpedantic in C.
 *
 * Hosts only read definitions; they live as long as the library.
 */
#ifndef HPY_DEFS_H
#define HPY_DEFS_H

/** Which member of an `HPyDef` counts. */
typedef enum {
    /** A slot of a type or a module. */
    HPyDef_Kind_Slot = 1,
    /** A method of a type or a function of a module. */
    HPyDef_Kind_Meth = 2,
    /** A member of a C struct that is an attribute. */
    HPyDef_Kind_Member = 3,
    /** An attribute with functions that get and set it. */
    HPyDef_Kind_GetSet = 4,
} HPyDef_Kind;

/** A slot. Replaces `PyType_Slot` and `PyModuleDef_Slot`. */
typedef struct {
    /** Which one. */
    HPySlot_Slot slot;
    /** The author's function, of the slot's signature. */
    HPyCFunction impl;
    /** The function that Python/C API code calls instead. */
    cpy_PyCFunction cpy_trampoline;
} HPySlot;

/** A method or function. Replaces `PyMethodDef`. */
typedef struct {
    /** Its name in Python, UTF-8. */
    const char *name;
    /** The author's function. */
    HPyCFunction impl;
    /** The function that Python/C API code calls instead. */
    cpy_PyCFunction cpy_trampoline;
    /** `HPyFunc_VARARGS`, `HPyFunc_KEYWORDS`, `HPyFunc_NOARGS` or `HPyFunc_O`. */
    HPyFunc_Signature signature;
    /** Its documentation string, UTF-8, or NULL. */
    const char *doc;
} HPyMeth;

/** A member of the C struct. Replaces `PyMemberDef`. */
typedef struct {
    /** Its name in Python, UTF-8. */
    const char *name;
    /** Its C type. */
    HPyMember_FieldType type;
    /** Its place in the struct, from `offsetof`. */
    HPy_ssize_t offset;
    /** 1 if Python may not assign to it. */
    int readonly;
    /** Its documentation string, UTF-8, or NULL. */
    const char *doc;
} HPyMember;

/** An attribute made of functions. Replaces `PyGetSetDef`. */
typedef struct {
    /** Its name in Python, UTF-8. */
    const char *name;
    /** The author's getter, or NULL. */
    HPyFunc_getter getter_impl;
    /** The author's setter, or NULL for a read-only attribute. */
    HPyFunc_setter setter_impl;
    /** The function that Python/C API code calls instead of the getter. */
    cpy_getter getter_cpy_trampoline;
    /** The function that Python/C API code calls instead of the setter. */
    cpy_setter setter_cpy_trampoline;
    /** Its documentation string, UTF-8, or NULL. */
    const char *doc;
    /** Handed to both functions. */
    void *closure;
} HPyGetSet;

/** One definition of a type or a module. */
typedef struct {
    /** Which of the others counts. */
    HPyDef_Kind kind;
    _HPY_EXTENSION union {
        HPySlot slot;
        HPyMeth meth;
        HPyMember member;
        HPyGetSet getset;
    };
} HPyDef;

/** What runs when a capsule goes, see `HPyCapsule_DESTRUCTOR`. Both members are needed. */
typedef struct {
    /** The function that Python/C API code calls. */
    cpy_PyCapsule_Destructor cpy_trampoline;
    /** The author's function. */
    HPyFunc_Capsule_Destructor impl;
} HPyCapsule_Destructor;

/** How an object is called, see `HPyDef_CALL_FUNCTION` and `HPy_SetCallFunction`. */
typedef struct {
    /** The function that Python/C API code calls. */
    cpy_vectorcallfunc cpy_trampoline;
    /** The author's function. */
    HPyFunc_keywords impl;
} HPyCallFunction;

/**
 * Defines the slot `SLOT` with the function `SYM_impl`, which the author writes below.
 *
 * @param SYM the definition's name
 * @param SLOT an `HPySlot_Slot`, written out; it decides the function's prototype
 */
#define HPyDef_SLOT(SYM, SLOT) _HPyDef_SLOT(SYM, SYM##_impl, SLOT, HPySlot_SIG(SLOT))

/**
 * Defines the slot `SLOT` with the function `IMPL`; else like `HPyDef_SLOT`.
 */
#define HPyDef_SLOT_IMPL(SYM, IMPL, SLOT) _HPyDef_SLOT(SYM, IMPL, SLOT, HPySlot_SIG(SLOT))

/**
 * `HPyDef_METH(SYM, NAME, SIG [, .doc = TEXT])` defines a method of a type or a function of a
 * module with the function `SYM_impl`, which the author writes below.
 *
 * @param SYM the definition's name
 * @param NAME the method's name in Python
 * @param SIG `HPyFunc_NOARGS`, `HPyFunc_O`, `HPyFunc_VARARGS` or `HPyFunc_KEYWORDS`, written out
 */
#define HPyDef_METH(SYM, NAME, ...) _HPyDef_METH(SYM, NAME, SYM##_impl, __VA_ARGS__, )

/**
 * `HPyDef_METH_IMPL(SYM, NAME, IMPL, SIG [, .doc = TEXT])` names the function; else like
 * `HPyDef_METH`.
 */
#define HPyDef_METH_IMPL(SYM, NAME, IMPL, ...) _HPyDef_METH(SYM, NAME, IMPL, __VA_ARGS__, )

/**
 * `HPyDef_MEMBER(SYM, NAME, TYPE, OFFSET [, .readonly = 1] [, .doc = TEXT])` makes a member of the
 * C struct an attribute.
 *
 * @param SYM the definition's name
 * @param NAME the attribute's name in Python
 * @param TYPE the member's `HPyMember_FieldType`
 * @param OFFSET `offsetof(STRUCT, MEMBER)`
 */
#define HPyDef_MEMBER(SYM, NAME, TYPE, ...) _HPyDef_MEMBER(SYM, NAME, TYPE, __VA_ARGS__, )

/**
 * `HPyDef_GET(SYM, NAME [, .doc = TEXT] [, .closure = POINTER])` defines a read-only attribute
 * with the getter `SYM_get`, which the author writes below.
 */
#define HPyDef_GET(SYM, ...) _HPyDef_GET(SYM, SYM##_get, __VA_ARGS__, )

/**
 * `HPyDef_GET_IMPL(SYM, NAME, GETTER [, .doc = TEXT] [, .closure = POINTER])` names the getter;
 * else like `HPyDef_GET`.
 */
#define HPyDef_GET_IMPL(SYM, NAME, ...) _HPyDef_GET_IMPL(SYM, NAME, __VA_ARGS__, )

/**
 * `HPyDef_SET(SYM, NAME [, .doc = TEXT] [, .closure = POINTER])` defines a write-only attribute
 * with the setter `SYM_set`, which the author writes below. A null `value` means deletion.
 */
#define HPyDef_SET(SYM, ...) _HPyDef_SET(SYM, SYM##_set, __VA_ARGS__, )

/**
 * `HPyDef_SET_IMPL(SYM, NAME, SETTER [, .doc = TEXT] [, .closure = POINTER])` names the setter;
 * else like `HPyDef_SET`.
 */
#define HPyDef_SET_IMPL(SYM, NAME, ...) _HPyDef_SET_IMPL(SYM, NAME, __VA_ARGS__, )

/**
 * `HPyDef_GETSET(SYM, NAME [, .doc = TEXT] [, .closure = POINTER])` defines an attribute with the
 * getter `SYM_get` and the setter `SYM_set`, which the author writes below.
 */
#define HPyDef_GETSET(SYM, ...) _HPyDef_GETSET(SYM, SYM##_get, SYM##_set, __VA_ARGS__, )

/**
 * `HPyDef_GETSET_IMPL(SYM, NAME, GETTER, SETTER [, .doc = TEXT] [, .closure = POINTER])` names the
 * functions; else like `HPyDef_GETSET`.
 */
#define HPyDef_GETSET_IMPL(SYM, NAME, GETTER, ...)                                                 \
    _HPyDef_GETSET_IMPL(SYM, NAME, GETTER, __VA_ARGS__, )

/**
 * Defines `static HPyCapsule_Destructor SYM` with the function `SYM_impl`, which the author writes
 * below: `static void SYM_impl(const char *name, void *pointer, void *context)`.
 *
 * It gets no context: it may free memory, and not call the API. Replaces `PyCapsule_Destructor`.
 */
#define HPyCapsule_DESTRUCTOR(SYM)                                                                 \
    HPyFunc_DECLARE(SYM##_impl, HPyFunc_CAPSULE_DESTRUCTOR);                                       \
    HPyFunc_TRAMPOLINE(HPyFunc_CAPSULE_DESTRUCTOR, SYM##_trampoline, SYM##_impl)                   \
    HPy_UNUSED static HPyCapsule_Destructor SYM = {SYM##_trampoline, SYM##_impl};

/**
 * Defines `static HPyCallFunction SYM` with the function `SYM_impl` of signature
 * `HPyFunc_KEYWORDS`, which the author writes below; for `HPy_SetCallFunction`.
 */
#define HPyDef_CALL_FUNCTION(SYM)                                                                  \
    HPyFunc_DECLARE(SYM##_impl, HPyFunc_KEYWORDS);                                                 \
    HPyFunc_TRAMPOLINE(HPyFunc_KEYWORDS, SYM##_trampoline, SYM##_impl)                             \
    HPy_UNUSED static HPyCallFunction SYM = {(cpy_vectorcallfunc)(HPyCFunction)SYM##_trampoline,   \
                                             SYM##_impl};

/*
 * The definitions themselves. The variable arguments are the options, and a comma that ends them:
 * so there is always at least one, as the standards before C23 and C++20 demand.
 */

#define _HPyDef_DEFINE(SYM, KIND, ...)                                                             \
    _HPY_DEFINITION_BEGIN                                                                          \
    HPy_HIDDEN_SYMBOL HPyDef SYM = {.kind = HPyDef_Kind_##KIND, __VA_ARGS__};                      \
    _HPY_DEFINITION_END

#define _HPyDef_SLOT(SYM, IMPL, SLOT, SIG)                                                         \
    HPyFunc_DECLARE(IMPL, SIG);                                                                    \
    HPyFunc_TRAMPOLINE(SIG, SYM##_trampoline, IMPL)                                                \
    _HPyDef_DEFINE(SYM, Slot,                                                                      \
                   .slot = {.slot = SLOT,                                                          \
                            .impl = (HPyCFunction)IMPL,                                            \
                            .cpy_trampoline = (cpy_PyCFunction)(HPyCFunction)SYM##_trampoline})

#define _HPyDef_METH(SYM, NAME, IMPL, SIG, ...)                                                    \
    HPyFunc_DECLARE(IMPL, SIG);                                                                    \
    HPyFunc_TRAMPOLINE(SIG, SYM##_trampoline, IMPL)                                                \
    _HPyDef_DEFINE(SYM, Meth,                                                                      \
                   .meth = {.name = NAME,                                                          \
                            .impl = (HPyCFunction)IMPL,                                            \
                            .cpy_trampoline = (cpy_PyCFunction)(HPyCFunction)SYM##_trampoline,     \
                            .signature = SIG,                                                      \
                            __VA_ARGS__})

#define _HPyDef_MEMBER(SYM, NAME, TYPE, OFFSET, ...)                                               \
    _HPyDef_DEFINE(                                                                                \
        SYM, Member,                                                                               \
        .member = {.name = NAME, .type = TYPE, .offset = (HPy_ssize_t)(OFFSET), __VA_ARGS__})

#define _HPyDef_GET(SYM, GETTER, NAME, ...) _HPyDef_GET_IMPL(SYM, NAME, GETTER, __VA_ARGS__)
#define _HPyDef_GET_IMPL(SYM, NAME, GETTER, ...)                                                   \
    HPyFunc_DECLARE(GETTER, HPyFunc_GETTER);                                                       \
    HPyFunc_TRAMPOLINE(HPyFunc_GETTER, SYM##_get_trampoline, GETTER)                               \
    _HPyDef_DEFINE(SYM, GetSet,                                                                    \
                   .getset = {.name = NAME,                                                        \
                              .getter_impl = GETTER,                                               \
                              .setter_impl = NULL,                                                 \
                              .getter_cpy_trampoline = SYM##_get_trampoline,                       \
                              .setter_cpy_trampoline = NULL,                                       \
                              __VA_ARGS__})

#define _HPyDef_SET(SYM, SETTER, NAME, ...) _HPyDef_SET_IMPL(SYM, NAME, SETTER, __VA_ARGS__)
#define _HPyDef_SET_IMPL(SYM, NAME, SETTER, ...)                                                   \
    HPyFunc_DECLARE(SETTER, HPyFunc_SETTER);                                                       \
    HPyFunc_TRAMPOLINE(HPyFunc_SETTER, SYM##_set_trampoline, SETTER)                               \
    _HPyDef_DEFINE(SYM, GetSet,                                                                    \
                   .getset = {.name = NAME,                                                        \
                              .getter_impl = NULL,                                                 \
                              .setter_impl = SETTER,                                               \
                              .getter_cpy_trampoline = NULL,                                       \
                              .setter_cpy_trampoline = SYM##_set_trampoline,                       \
                              __VA_ARGS__})

#define _HPyDef_GETSET(SYM, GETTER, SETTER, NAME, ...)                                             \
    _HPyDef_GETSET_IMPL(SYM, NAME, GETTER, SETTER, __VA_ARGS__)
#define _HPyDef_GETSET_IMPL(SYM, NAME, GETTER, SETTER, ...)                                        \
    HPyFunc_DECLARE(GETTER, HPyFunc_GETTER);                                                       \
    HPyFunc_DECLARE(SETTER, HPyFunc_SETTER);                                                       \
    HPyFunc_TRAMPOLINE(HPyFunc_GETTER, SYM##_get_trampoline, GETTER)                               \
    HPyFunc_TRAMPOLINE(HPyFunc_SETTER, SYM##_set_trampoline, SETTER)                               \
    _HPyDef_DEFINE(SYM, GetSet,                                                                    \
                   .getset = {.name = NAME,                                                        \
                              .getter_impl = GETTER,                                               \
                              .setter_impl = SETTER,                                               \
                              .getter_cpy_trampoline = SYM##_get_trampoline,                       \
                              .setter_cpy_trampoline = SYM##_set_trampoline,                       \
                              __VA_ARGS__})

#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)
_HPY_ASSERT_SIZE(HPyDef, 64);
_HPY_ASSERT_MEMBER(HPyDef, kind, 0);
_HPY_ASSERT_MEMBER(HPyDef, slot, 8);
_HPY_ASSERT_MEMBER(HPyDef, meth, 8);
_HPY_ASSERT_MEMBER(HPyDef, member, 8);
_HPY_ASSERT_MEMBER(HPyDef, getset, 8);
_HPY_ASSERT_SIZE(HPySlot, 24);
_HPY_ASSERT_MEMBER(HPySlot, slot, 0);
_HPY_ASSERT_MEMBER(HPySlot, impl, 8);
_HPY_ASSERT_MEMBER(HPySlot, cpy_trampoline, 16);
_HPY_ASSERT_SIZE(HPyMeth, 40);
_HPY_ASSERT_MEMBER(HPyMeth, name, 0);
_HPY_ASSERT_MEMBER(HPyMeth, impl, 8);
_HPY_ASSERT_MEMBER(HPyMeth, cpy_trampoline, 16);
_HPY_ASSERT_MEMBER(HPyMeth, signature, 24);
_HPY_ASSERT_MEMBER(HPyMeth, doc, 32);
_HPY_ASSERT_SIZE(HPyMember, 40);
_HPY_ASSERT_MEMBER(HPyMember, name, 0);
_HPY_ASSERT_MEMBER(HPyMember, type, 8);
_HPY_ASSERT_MEMBER(HPyMember, offset, 16);
_HPY_ASSERT_MEMBER(HPyMember, readonly, 24);
_HPY_ASSERT_MEMBER(HPyMember, doc, 32);
_HPY_ASSERT_SIZE(HPyGetSet, 56);
_HPY_ASSERT_MEMBER(HPyGetSet, name, 0);
_HPY_ASSERT_MEMBER(HPyGetSet, getter_impl, 8);
_HPY_ASSERT_MEMBER(HPyGetSet, setter_impl, 16);
_HPY_ASSERT_MEMBER(HPyGetSet, getter_cpy_trampoline, 24);
_HPY_ASSERT_MEMBER(HPyGetSet, setter_cpy_trampoline, 32);
_HPY_ASSERT_MEMBER(HPyGetSet, doc, 40);
_HPY_ASSERT_MEMBER(HPyGetSet, closure, 48);
_HPY_ASSERT_SIZE(HPyCapsule_Destructor, 16);
_HPY_ASSERT_MEMBER(HPyCapsule_Destructor, cpy_trampoline, 0);
_HPY_ASSERT_MEMBER(HPyCapsule_Destructor, impl, 8);
_HPY_ASSERT_SIZE(HPyCallFunction, 16);
_HPY_ASSERT_MEMBER(HPyCallFunction, cpy_trampoline, 0);
_HPY_ASSERT_MEMBER(HPyCallFunction, impl, 8);
#endif

#endif /* HPY_DEFS_H */
