/*
 * Import of a universal library by CPython's own machinery, as it lies on disk.
 *
 * Besides what HPy hosts look for, a library exports PyInit_NAME. Named `foo.so` or `foo.abi3.so`,
 * it is found by every CPython; PyInit_foo returns a module definition whose create slot imports
 * the package hpy and hands it the module's spec. Hosts that read HPy libraries themselves never
 * call it.
 *
 * The functions of Python that this takes are weak symbols: where there are none, the library
 * still loads, and PyInit_NAME does nothing. They are all in the limited API. Their names here
 * differ from Python's because Python.h, if the mode has it, declares those.
 *
 * Define HPY_NO_STUB_FREE_IMPORT to leave PyInit_NAME out.
 */
#ifndef HPY_UNIVERSAL_STUB_FREE_H
#define HPY_UNIVERSAL_STUB_FREE_H

#if !_HPY_GNU || defined(_WIN32) || UINTPTR_MAX != UINT64_MAX || defined(HPY_NO_STUB_FREE_IMPORT)
#    define _HPY_STUB_FREE_INIT(NAME)
#else

/* Binds a declaration to a symbol of Python that need not exist. */
#    define _HPY_WEAK_PYTHON(symbol)                                                               \
        __asm__(_HPY_STRING(__USER_LABEL_PREFIX__) #symbol)                                        \
            __attribute__((weak, visibility("default")))

extern cpy_PyObject *_HPyStub_ModuleDef_Init(void *def) _HPY_WEAK_PYTHON(PyModuleDef_Init);
extern int _HPyStub_SetGIL(cpy_PyObject *module, void *gil)
    _HPY_WEAK_PYTHON(PyUnstable_Module_SetGIL);
extern cpy_PyObject *_HPyStub_ImportModule(const char *name)
    _HPY_WEAK_PYTHON(PyImport_ImportModule);
extern cpy_PyObject *_HPyStub_GetAttr(cpy_PyObject *object, const char *name)
    _HPY_WEAK_PYTHON(PyObject_GetAttrString);
extern int _HPyStub_HasAttr(cpy_PyObject *object, const char *name)
    _HPY_WEAK_PYTHON(PyObject_HasAttrString);
extern cpy_PyObject *_HPyStub_CallMethod(cpy_PyObject *object, const char *name, const char *format,
                                         ...) _HPY_WEAK_PYTHON(PyObject_CallMethod);
extern void _HPyStub_DecRef(cpy_PyObject *object) _HPY_WEAK_PYTHON(Py_DecRef);
extern int _HPyStub_ExceptionMatches(cpy_PyObject *exception)
    _HPY_WEAK_PYTHON(PyErr_ExceptionMatches);
extern void _HPyStub_Fetch(cpy_PyObject **type, cpy_PyObject **value, cpy_PyObject **traceback)
    _HPY_WEAK_PYTHON(PyErr_Fetch);
extern cpy_PyObject *_HPyStub_Format(cpy_PyObject *exception, const char *format, ...)
    _HPY_WEAK_PYTHON(PyErr_Format);
extern cpy_PyObject *_HPyStub_GetRaisedException(void) _HPY_WEAK_PYTHON(PyErr_GetRaisedException);
extern cpy_PyObject *_HPyStub_ImportError _HPY_WEAK_PYTHON(PyExc_ImportError);
extern cpy_PyObject *_HPyStub_ModuleNotFoundError _HPY_WEAK_PYTHON(PyExc_ModuleNotFoundError);

/* Replaces the «not found» of the package hpy by what the user can do about it. */
HPyAPI_INLINE void _HPyStub_SayWhatIsMissing(cpy_PyObject *spec)
{
    cpy_PyObject *name, *type, *value, *traceback;
    _HPyStub_Fetch(&type, &value, &traceback);
    name = _HPyStub_GetAttr(spec, "name");
    if (name != NULL) {
        _HPyStub_Format(_HPyStub_ImportError,
                        "module '%S' is an HPy universal binary and needs the package hpy (%S); "
                        "install it with: python -m pip install hpy",
                        name, value != NULL ? value : type);
    }
    _HPyStub_DecRef(name);
    _HPyStub_DecRef(type);
    _HPyStub_DecRef(value);
    _HPyStub_DecRef(traceback);
}

/* Loads through a package hpy whose loader takes a path, such as 0.9's. */
HPyAPI_INLINE cpy_PyObject *_HPyStub_LoadPath(cpy_PyObject *universal, cpy_PyObject *spec)
{
    cpy_PyObject *module = NULL;
    cpy_PyObject *name = _HPyStub_GetAttr(spec, "name");
    cpy_PyObject *path = name != NULL ? _HPyStub_GetAttr(spec, "origin") : NULL;
    if (path != NULL) {
        module = _HPyStub_CallMethod(universal, "load", "(OOO)", name, path, spec);
    }
    _HPyStub_DecRef(path);
    _HPyStub_DecRef(name);
    return module;
}

/* The create slot: the package hpy makes the module. */
HPyAPI_INLINE cpy_PyObject *_HPyStub_Create(cpy_PyObject *spec, HPy_UNUSED void *def)
{
    cpy_PyObject *module;
    cpy_PyObject *universal = _HPyStub_ImportModule("hpy.universal");
    if (universal == NULL) {
        if (_HPyStub_ExceptionMatches(_HPyStub_ModuleNotFoundError)) {
            _HPyStub_SayWhatIsMissing(spec);
        }
        return NULL;
    }
    if (_HPyStub_HasAttr(universal, "_load_from_spec")) {
        module = _HPyStub_CallMethod(universal, "_load_from_spec", "(O)", spec);
    } else {
        module = _HPyStub_LoadPath(universal, spec);
    }
    _HPyStub_DecRef(universal);
    return module;
}

typedef cpy_PyObject *(*_HPyStub_CreateFunc)(cpy_PyObject *spec, void *def);

/* A `PyModuleDef_Slot`, whose value is the create function or a number. */
typedef struct {
    int id;
    _HPyStub_CreateFunc value;
} _HPyStub_Slot;

/* A `PyModuleDef` from the member `m_init` on; the same in both kinds of build. */
typedef struct {
    void *init;
    HPy_ssize_t index;
    void *copy;
    const char *name;
    const char *doc;
    HPy_ssize_t size;
    void *methods;
    _HPyStub_Slot *slots;
    void *traverse;
    void *clear;
    void *free;
} _HPyStub_ModuleDef;

/* The `PyModuleDef` of a build with the global interpreter lock. */
typedef struct {
    HPy_ssize_t refcount;
    void *type;
    _HPyStub_ModuleDef def;
} _HPyStub_LockedDef;

/* The `PyModuleDef` of a free-threaded build. */
typedef struct {
    uintptr_t thread;
    uint16_t flags;
    uint8_t mutex;
    uint8_t gc_bits;
    uint32_t local_refcount;
    HPy_ssize_t shared_refcount;
    void *type;
    _HPyStub_ModuleDef def;
} _HPyStub_FreeThreadedDef;

_HPY_ASSERT_SIZE(_HPyStub_LockedDef, 104);
_HPY_ASSERT_MEMBER(_HPyStub_LockedDef, def.name, 40);
_HPY_ASSERT_MEMBER(_HPyStub_LockedDef, def.slots, 72);
_HPY_ASSERT_SIZE(_HPyStub_FreeThreadedDef, 120);
_HPY_ASSERT_MEMBER(_HPyStub_FreeThreadedDef, def.name, 56);
_HPY_ASSERT_MEMBER(_HPyStub_FreeThreadedDef, def.slots, 88);

/* The head of an object. A free-threaded Python wants to see that it is static: the flag
   «statically allocated» (4), and an immortal local reference count. */
#    define _HPY_STUB_LOCKED_HEAD 1, NULL
#    define _HPY_STUB_FREE_THREADED_HEAD 0, 4, 0, 0, UINT32_MAX, 0, NULL
/* Py_mod_create */
#    define _HPY_STUB_CREATE_SLOT                                                                  \
        {                                                                                          \
            1, _HPyStub_Create                                                                     \
        }
/* Py_mod_multiple_interpreters, since 3.12: one with a lock of its own (2). */
#    if _HPY_SUPPORTS_INTERPRETERS
#        define _HPY_STUB_INTERPRETERS_SLOT {3, (_HPyStub_CreateFunc)(uintptr_t)2},
#    else
#        define _HPY_STUB_INTERPRETERS_SLOT
#    endif
/* Py_mod_gil, since 3.13: not used (1). */
#    if _HPY_SUPPORTS_NO_LOCK
#        define _HPY_STUB_GIL_SLOT {4, (_HPyStub_CreateFunc)(uintptr_t)1},
#    else
#        define _HPY_STUB_GIL_SLOT
#    endif

#    define _HPY_STUB_DEF(NAME, SLOTS)                                                             \
        {                                                                                          \
            NULL, 0, NULL, NAME, NULL, 0, NULL, SLOTS, NULL, NULL, NULL                            \
        }

#    define _HPY_STUB_FREE_INIT(NAME)                                                              \
        _HPY_EXPORT(cpy_PyObject *, PyInit_##NAME, (void))                                         \
        {                                                                                          \
            static _HPyStub_Slot slots[] = {_HPY_STUB_CREATE_SLOT, {0, NULL}};                     \
            static _HPyStub_Slot slots_since_312[] = {_HPY_STUB_CREATE_SLOT,                       \
                                                      _HPY_STUB_INTERPRETERS_SLOT{0, NULL}};       \
            static _HPyStub_Slot free_threaded_slots[] = {                                         \
                _HPY_STUB_CREATE_SLOT, _HPY_STUB_INTERPRETERS_SLOT _HPY_STUB_GIL_SLOT{0, NULL}};   \
            static _HPyStub_LockedDef locked = {_HPY_STUB_LOCKED_HEAD,                             \
                                                _HPY_STUB_DEF(#NAME, slots)};                      \
            static _HPyStub_LockedDef locked_since_312 = {_HPY_STUB_LOCKED_HEAD,                   \
                                                          _HPY_STUB_DEF(#NAME, slots_since_312)};  \
            static _HPyStub_FreeThreadedDef free_threaded = {                                      \
                _HPY_STUB_FREE_THREADED_HEAD, _HPY_STUB_DEF(#NAME, free_threaded_slots)};          \
            void *def = &locked;                                                                   \
            if (_HPyStub_ModuleDef_Init == NULL) {                                                 \
                return NULL;                                                                       \
            }                                                                                      \
            if (_HPyStub_SetGIL != NULL) {                                                         \
                def = &free_threaded;                                                              \
            } else if (_HPyStub_GetRaisedException != NULL) {                                      \
                def = &locked_since_312;                                                           \
            }                                                                                      \
            return _HPyStub_ModuleDef_Init(def);                                                   \
        }
#endif

#endif /* HPY_UNIVERSAL_STUB_FREE_H */
