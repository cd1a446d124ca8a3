/*
 * What differs between compilers, in one place. Names that begin with an underscore are for the
 * headers themselves.
 */
#ifndef HPY_MACROS_H
#define HPY_MACROS_H

#if defined(__GNUC__)
#    define _HPY_GNU 1
#else
#    define _HPY_GNU 0
#endif

#ifdef __has_attribute
#    define _HPY_HAS_ATTRIBUTE(attribute) __has_attribute(attribute)
#else
#    define _HPY_HAS_ATTRIBUTE(attribute) 0
#endif

/** Marks a parameter or variable that may stay unused. */
#if _HPY_GNU
#    define HPy_UNUSED __attribute__((unused))
#else
#    define HPy_UNUSED
#endif

/** Begins a function of the API that lives in a header: each translation unit has its own copy. */
#define HPyAPI_INLINE HPy_UNUSED static inline

/* For a function of the headers that is worth its place at each call, or only once. */
#if _HPY_GNU
#    define _HPY_ALWAYS_INLINE __attribute__((always_inline))
#    define _HPY_NEVER_INLINE __attribute__((noinline))
#else
#    define _HPY_ALWAYS_INLINE
#    define _HPY_NEVER_INLINE
#endif

/** Marks a function that does not return. */
#if _HPY_GNU
#    define HPy_NO_RETURN __attribute__((noreturn))
#elif defined(_MSC_VER)
#    define HPy_NO_RETURN __declspec(noreturn)
#else
#    define HPy_NO_RETURN
#endif

/** Marks a symbol that the loader of modules looks up, also under `-fvisibility=hidden`. */
#if defined(_WIN32)
#    define HPy_EXPORTED_SYMBOL __declspec(dllexport)
#elif _HPY_GNU
#    define HPy_EXPORTED_SYMBOL __attribute__((visibility("default")))
#else
#    define HPy_EXPORTED_SYMBOL
#endif

/**
 * Marks a symbol that the translation units of one library share and nobody else sees. So a
 * definition may be named like a function of another library.
 */
#if _HPY_GNU && !defined(_WIN32)
#    define HPy_HIDDEN_SYMBOL __attribute__((visibility("hidden")))
#else
#    define HPy_HIDDEN_SYMBOL
#endif

/** The linkage of names that a host looks up. */
#ifdef __cplusplus
#    define _HPY_EXTERN_C extern "C"
#else
#    define _HPY_EXTERN_C
#endif

/*
 * abi3: the CPython ABI with Py_LIMITED_API defined. What the limited API lacks is written in
 * another way, or is an error of the compilation where it is used.
 */
#if defined(HPY_ABI_CPYTHON) && defined(Py_LIMITED_API)
#    define _HPY_LIMITED 1
/* Whether the limited API is that of an older CPython than `version`, a number like 0x030C0000. */
#    define _HPY_LIMITED_BEFORE(version) (Py_LIMITED_API + 0 < version)
#else
#    define _HPY_LIMITED 0
#    define _HPY_LIMITED_BEFORE(version) 0
#endif

/* abi3t: one file for CPython with and without the interpreter lock, in which the limited API does
   not say what a PyObject is. Python.h decides, see its pyabi.h. */
#if _HPY_LIMITED && defined(_Py_OPAQUE_PYOBJECT)
#    define _HPY_ABI3T 1
#else
#    define _HPY_ABI3T 0
#endif

/* Before something that an older standard lacks and every supported compiler has. */
#if _HPY_GNU
#    define _HPY_EXTENSION __extension__
#else
#    define _HPY_EXTENSION
#endif

/* A string literal of what `token` expands to, which may be nothing. */
#define _HPY_STRING(token) _HPY_STRING_EXPANDED(token)
#define _HPY_STRING_EXPANDED(token) "" #token

/** Fails the compilation with `message` when `condition` is false. */
#ifdef __cplusplus
#    define HPy_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#    define HPy_STATIC_ASSERT(condition, message) _HPY_EXTENSION _Static_assert(condition, message)
#endif

/* The layouts are ABI; these compare what this compiler makes of them. */
#define _HPY_ASSERT_SIZE(type, size)                                                               \
    HPy_STATIC_ASSERT(sizeof(type) == (size), #type " has not the size that the ABI gives it")
#define _HPY_ASSERT_MEMBER(type, member, offset)                                                   \
    HPy_STATIC_ASSERT(offsetof(type, member) == (offset),                                          \
                      #type "." #member " is not where the ABI has it")

/*
 * Around a definition that a macro makes: the initializer names its members also before C++20, and
 * leaves out the options that were not given. The user has no part in either, so no warning.
 */
#if _HPY_GNU
#    define _HPY_DEFINITION_BEGIN                                                                  \
        _Pragma("GCC diagnostic push")                                                             \
            _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"") _HPY_EXTENSION
#    define _HPY_DEFINITION_END _Pragma("GCC diagnostic pop")
#else
#    define _HPY_DEFINITION_BEGIN
#    define _HPY_DEFINITION_END
#endif

#endif /* HPY_MACROS_H */
