/*
 * The CPython ABI: the context, one a library.
 */
#ifndef HPY_CPYTHON_CONTEXT_H
#define HPY_CPYTHON_CONTEXT_H

#include "../generated/context_cpython.h"

/* Structs are aligned for any C type. */
#define _HPY_STRUCT_ALIGN ((size_t)16)
#define _HPY_ALIGN_UP(size, alignment) (((size) + (alignment)-1) / (alignment) * (alignment))
/* The number of shapes but Legacy. */
#define _HPY_SHAPES (HPyType_BuiltinShape_Dict + 1)

/* Bytes that are kept for ever, see _HPy_Intern. */
typedef struct _HPyInterned_s {
    struct _HPyInterned_s *next;
    size_t size;
    /* The bytes follow, aligned for anything. */
    union {
        void *pointer;
        long long integer;
        double real;
    } bytes[1];
} _HPyInterned;

/* How many sizes of objects are kept, in words, and how many words in all of each: see type_keep.h.
 */
#define _HPY_KEPT_SIZES 32
#define _HPY_KEPT_WORDS 4096

/* Blocks of one size. Each begins with the address of the next. */
typedef struct {
    void *first;
    size_t words;
} _HPyKept;

#if _HPY_LIMITED
typedef struct {
    /* CPython 3.9, which does not tell the slots of static types. */
    int hides_static_slots;
    /* Where the struct of a type is in its objects, by shape. */
    size_t struct_offsets[_HPY_SHAPES];
    /* The size of an empty tuple. */
    size_t tuple_size;
} _HPyHost;
#endif

/* What the translation units of a library share. */
typedef struct {
    HPyContext context;
    /* What CPython gives to every class that is written in Python, and does not export. */
    destructor class_dealloc;
    traverseproc class_traverse;
    inquiry class_clear;
    _HPyLock lock; /* of what is interned */
    _HPyInterned *interned;
    /* See names.h. */
    void *names;
    /* See pool.h. */
    void *pool;
    /* See type_dealloc.h. */
    int deallocations;
    _HPyKept kept[_HPY_KEPT_SIZES];
#if _HPY_LIMITED
    /* What this CPython is like, which a library for the limited API finds out at run time. */
    _HPyHost host;
#endif
} _HPyLibrary;

/* Zero until _HPyLibrary_Init fills it, when the first module of the library is imported. */
#if defined(_WIN32)
_HPY_ONE_A_LIBRARY _HPyLibrary _HPyLibrary_Shared = {0};
#else
_HPY_ONE_A_LIBRARY _HPyLibrary _HPyLibrary_Shared;
#endif

/* What the functions of this library get as their context. */
#define _HPY_CONTEXT (&_HPyLibrary_Shared.context)

/* Looks at a class made for the purpose. */
HPyAPI_INLINE int _HPyLibrary_ReadClass(_HPyLibrary *library)
{
    PyObject *python_class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "hpy");
    if (python_class == NULL) {
        return -1;
    }
#if _HPY_LIMITED
    library->class_dealloc =
        (destructor)PyType_GetSlot((PyTypeObject *)python_class, Py_tp_dealloc);
    library->class_traverse =
        (traverseproc)PyType_GetSlot((PyTypeObject *)python_class, Py_tp_traverse);
    library->class_clear = (inquiry)PyType_GetSlot((PyTypeObject *)python_class, Py_tp_clear);
#else
    library->class_dealloc = ((PyTypeObject *)python_class)->tp_dealloc;
    library->class_traverse = ((PyTypeObject *)python_class)->tp_traverse;
    library->class_clear = ((PyTypeObject *)python_class)->tp_clear;
#endif
    Py_DECREF(python_class);
    return 0;
}

#if _HPY_LIMITED

/* A number that a type tells of itself, such as `__basicsize__`; -1 with an exception set. */
HPyAPI_INLINE Py_ssize_t _HPyType_ReadNumber(PyTypeObject *type, const char *name)
{
    Py_ssize_t number = -1;
    PyObject *value = PyObject_GetAttrString((PyObject *)type, name);
    if (value != NULL) {
        number = PyLong_AsSsize_t(value);
        Py_DECREF(value);
    }
    return number;
}

HPyAPI_INLINE int _HPyHost_ReadSize(_HPyHost *host, HPyType_BuiltinShape shape,
                                    PyTypeObject *builtin)
{
    Py_ssize_t size = _HPyType_ReadNumber(builtin, "__basicsize__");
    host->struct_offsets[shape] = _HPY_ALIGN_UP((size_t)size, _HPY_STRUCT_ALIGN);
    return size < 0 ? -1 : 0;
}

HPyAPI_INLINE int _HPyHost_Read(_HPyHost *host)
{
    Py_ssize_t tuple_size = _HPyType_ReadNumber(&PyTuple_Type, "__basicsize__");
    host->hides_static_slots = strncmp(Py_GetVersion(), "3.9.", 4) == 0;
    host->tuple_size = (size_t)tuple_size;
    if (tuple_size < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_Object, &PyBaseObject_Type) < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_Type, &PyType_Type) < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_Float, &PyFloat_Type) < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_Unicode, &PyUnicode_Type) < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_List, &PyList_Type) < 0 ||
        _HPyHost_ReadSize(host, HPyType_BuiltinShape_Dict, &PyDict_Type) < 0) {
        return -1;
    }
    return 0;
}

#endif

/* Makes the library ready; 0, or -1 with an exception set. Doing it again does nothing. */
HPyAPI_INLINE int _HPyLibrary_Init(void)
{
    _HPyLibrary *library = &_HPyLibrary_Shared;
    int is_ready;
    _HPyLock_Wait(&library->lock);
    is_ready = library->context.name != NULL;
    _HPyLock_Release(&library->lock);
    if (is_ready) {
        return 0;
    }
    if (_HPyLibrary_ReadClass(library) < 0) {
        return -1;
    }
#if _HPY_LIMITED
    if (_HPyHost_Read(&library->host) < 0) {
        return -1;
    }
#endif
    library->context.abi_version = HPY_ABI_VERSION;
    _HPyContext_SetHandles(&library->context);
    _HPyLock_Wait(&library->lock);
    library->context.name = "HPy CPython ABI";
    _HPyLock_Release(&library->lock);
    return 0;
}

/*
 * A copy of some bytes that lives for ever; the same address for the same bytes. CPython keeps
 * pointers to the tables that types are made from: so a type that is created again and again needs
 * the memory of one. NULL with an exception if there is no memory.
 */
HPyAPI_INLINE void *_HPy_Intern(const void *bytes, size_t size)
{
    _HPyLibrary *library = &_HPyLibrary_Shared;
    _HPyInterned *entry;
    _HPyLock_Wait(&library->lock);
    entry = library->interned;
    while (entry != NULL && (entry->size != size || memcmp(entry->bytes, bytes, size) != 0)) {
        entry = entry->next;
    }
    if (entry == NULL) {
        entry = (_HPyInterned *)malloc(offsetof(_HPyInterned, bytes) + size);
        if (entry != NULL) {
            memcpy(entry->bytes, bytes, size);
            entry->size = size;
            entry->next = library->interned;
            library->interned = entry;
        }
    }
    _HPyLock_Release(&library->lock);
    if (entry == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return entry->bytes;
}

#endif /* HPY_CPYTHON_CONTEXT_H */
