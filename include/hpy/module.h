/*
 * Modules: what a module consists of, and how the library offers it.
 *
 *     static HPyModuleDef moduledef = {
 *         .doc = "What the module is for.",
 *         .defines = module_defines,
 *     };
 *     HPy_MODINIT(name, moduledef)
 *
 * Two macros are defined by each mode (universal/module.h, cpython/module.h):
 *
 * `HPy_MODINIT(NAME, DEF)` ends a module. `NAME` is the last component of the module's full name,
 * written out; `DEF` is an `HPyModuleDef`, not its address. It exports the functions by which the
 * interpreter finds the module, and replaces `PyInit_NAME` with `PyModuleDef_Init`.
 *
 * `HPY_MOD_EMBEDDABLE(NAME)` stands in front of the first definition of a module that shares its
 * library with others. Each such module is one source file, compiled with `HPY_EMBEDDED_MODULES`
 * defined; without that, the macro is empty.
 */
#ifndef HPY_MODULE_H
#define HPY_MODULE_H

/*
 * What a module supports beyond what each module does. An author defines these in front of hpy.h,
 * in each source file of the extension. A host that does not know them takes the module for one
 * that supports neither.
 *
 * `HPY_MOD_GIL_NOT_USED`: its functions may run in several threads at once, where Python runs
 * without an interpreter lock. C variables that more than one thread changes are the author's to
 * protect. Fields and globals may be loaded and stored at any time; the field itself must then be
 * written where `HPyField_Load` and `HPyField_IsNull` want one, not a copy of it. Without it, a
 * free-threaded Python switches its lock on when the module is imported.
 *
 * `HPY_MOD_MULTIPLE_INTERPRETERS`: several interpreters of one process may import it, also those
 * with a lock of their own. What it keeps in globals belongs to each interpreter; other C variables
 * are shared by them, and must not hold handles. Without it, only the main interpreter imports it.
 */
#ifdef HPY_MOD_GIL_NOT_USED
#    define _HPY_SUPPORTS_NO_LOCK 1
#else
#    define _HPY_SUPPORTS_NO_LOCK 0
#endif
#ifdef HPY_MOD_MULTIPLE_INTERPRETERS
#    define _HPY_SUPPORTS_INTERPRETERS 2
#else
#    define _HPY_SUPPORTS_INTERPRETERS 0
#endif

/** The description of a module. Replaces `PyModuleDef`. */
typedef struct {
    /** The documentation string, UTF-8, or NULL. */
    const char *doc;
    /** Must be 0: state is kept in globals. */
    HPy_ssize_t size;
    /** Functions written for the Python/C API, or NULL. Not in universal mode. */
    cpy_PyMethodDef *legacy_methods;
    /**
     * The module's functions and slots (`HPy_mod_exec`, `HPy_mod_create`), ended by NULL; or NULL.
     */
    HPyDef **defines;
    /** The addresses of all `HPyGlobal` variables of the module, ended by NULL; or NULL. */
    HPyGlobal **globals;
} HPyModuleDef;

#if UINTPTR_MAX == UINT64_MAX && !defined(HPY_NO_LAYOUT_CHECKS)
_HPY_ASSERT_SIZE(HPyModuleDef, 40);
_HPY_ASSERT_MEMBER(HPyModuleDef, doc, 0);
_HPY_ASSERT_MEMBER(HPyModuleDef, size, 8);
_HPY_ASSERT_MEMBER(HPyModuleDef, legacy_methods, 16);
_HPY_ASSERT_MEMBER(HPyModuleDef, defines, 24);
_HPY_ASSERT_MEMBER(HPyModuleDef, globals, 32);
#endif

#endif /* HPY_MODULE_H */
