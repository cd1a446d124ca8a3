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
