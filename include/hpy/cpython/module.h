/*
 * The CPython ABI: modules, initialized in two phases by CPython's own machinery.
 */
#ifndef HPY_CPYTHON_MODULE_H
#define HPY_CPYTHON_MODULE_H

/* Modules share the context of their library. */
#define HPY_MOD_EMBEDDABLE(NAME)

#if _HPY_ABI3T
#    define _HPY_MODULE_ENTRY(NAME) PySlot *PyModExport_##NAME(void)
typedef PySlot _HPyModuleSlot;
#else
#    define _HPY_MODULE_ENTRY(NAME) PyObject *PyInit_##NAME(void)
typedef PyModuleDef_Slot _HPyModuleSlot;
#endif

/* The name of an entry's function is all that CPython knows at first; the two other functions are
   those that it gets in slots. */
#define HPy_MODINIT(NAME, DEF)                                                                     \
    static PyObject *_HPyModule_Create_##NAME(PyObject *spec, PyModuleDef *def);                   \
    static int _HPyModule_Execute_##NAME(PyObject *module);                                        \
    static _HPyModuleEntry _HPyModule_Entry_##NAME = {                                             \
        #NAME, &DEF, _HPyModule_Create_##NAME, _HPyModule_Execute_##NAME, NULL,                    \
    };                                                                                             \
    static PyObject *_HPyModule_Create_##NAME(PyObject *spec, PyModuleDef *def)                    \
    {                                                                                              \
        (void)def;                                                                                 \
        return _HPyModule_Create(_HPyModule_Entry_##NAME.made, spec);                              \
    }                                                                                              \
    static int _HPyModule_Execute_##NAME(PyObject *module)                                         \
    {                                                                                              \
        return _HPyModule_Execute(&DEF, module);                                                   \
    }                                                                                              \
    _HPY_EXTERN_C HPy_EXPORTED_SYMBOL _HPY_MODULE_ENTRY(NAME);                                     \
    _HPY_MODULE_ENTRY(NAME)                                                                        \
    {                                                                                              \
        return _HPyModule_Init(&_HPyModule_Entry_##NAME);                                          \
    }

/* What CPython is told of a module. */
typedef struct {
#if !_HPY_ABI3T
    PyModuleDef def;
#endif
    PyMethodDef *methods;
    _HPyModuleSlot *slots;
    size_t method_count;
    size_t slot_count;
    int is_executed;
    HPyFunc_mod_create create;
} _HPyModule;

/* A module of the source. */
typedef struct {
    const char *name;
    const HPyModuleDef *def;
    PyObject *(*create)(PyObject *spec, PyModuleDef *def);
    int (*execute)(PyObject *module);
    _HPyModule *made;
} _HPyModuleEntry;

HPyAPI_INLINE int _HPyModule_Fail(const char *message)
{
    PyErr_SetString(PyExc_SystemError, message);
    return -1;
}

/* The create slot: the author's, whose result is checked. */
HPyAPI_INLINE PyObject *_HPyModule_Create(const _HPyModule *module, PyObject *spec)
{
    PyObject *made = _h2py(module->create(_HPY_CONTEXT, _py2h(spec)));
    if (made != NULL && PyModule_Check(made)) {
        Py_DECREF(made);
        _HPyModule_Fail("HPy_mod_create slot returned a builtin module object. This is currently "
                        "not supported.");
        return NULL;
    }
    return made;
}

/* The author's exec slots, in their order: CPython lets a module have only one in abi3t. Whatever
   is wrong with an exception that is set, CPython says. */
HPyAPI_INLINE int _HPyModule_Execute(const HPyModuleDef *hpydef, PyObject *module)
{
    HPyDef **def;
    int result = 0;
    for (def = hpydef->defines; *def != NULL && result == 0 && !PyErr_Occurred(); def++) {
        if ((*def)->kind == HPyDef_Kind_Slot && (*def)->slot.slot == HPy_mod_exec) {
            result = ((inquiry)(void (*)(void))(*def)->slot.cpy_trampoline)(module);
        }
    }
    return result;
}

HPyAPI_INLINE void _HPyModule_PushSlot(_HPyModule *module, int slot, void *value)
{
    _HPyModuleSlot *place = &module->slots[module->slot_count++];
#if _HPY_ABI3T
    place->sl_id = (uint16_t)slot;
    place->sl_flags = PySlot_INTPTR | PySlot_STATIC; /* all of it lives as long as the library */
    place->sl_ptr = value;
#else
    place->slot = slot;
    place->value = value;
#endif
}

HPyAPI_INLINE int _HPyModule_AddSlot(_HPyModule *module, const HPySlot *slot)
{
    if (slot->slot != HPy_mod_create && slot->slot != HPy_mod_exec) {
        PyErr_Format(PyExc_SystemError,
                     "HPyModuleDef.defines has the slot %d, which does not belong into a module; "
                     "allowed are HPy_mod_create and HPy_mod_exec",
                     (int)slot->slot);
        return -1;
    }
    if (slot->impl == NULL || slot->cpy_trampoline == NULL) {
        return _HPyModule_Fail(
            "HPyModuleDef has a slot with no function: declare it with HPyDef_SLOT");
    }
    if (slot->slot == HPy_mod_exec) {
        module->is_executed = 1;
        return 0;
    }
    if (module->create != NULL) {
        return _HPyModule_Fail("HPyModuleDef has more than one HPy_mod_create slot; keep one");
    }
    module->create = (HPyFunc_mod_create)slot->impl;
    return 0;
}

HPyAPI_INLINE int _HPyModule_AddDefinition(_HPyModule *module, const HPyDef *def)
{
    switch (def->kind) {
    case HPyDef_Kind_Slot:
        return _HPyModule_AddSlot(module, &def->slot);
    case HPyDef_Kind_Meth:
        return _HPyMethod_Fill(&module->methods[module->method_count++], &def->meth);
    default:
        return _HPyModule_Fail("HPyModuleDef.defines has a definition that does not belong into a "
                               "module; allowed are methods and slots");
    }
}

/* Memory for slots and methods, with a zeroed entry at the end of each. It lives as long as the
   library. */
HPyAPI_INLINE int _HPyModule_Allocate(_HPyModule *module, const HPyModuleDef *hpydef)
{
    const size_t most_slots = 9; /* all that is pushed below, and the end */
    const PyMethodDef *legacy;
    HPyDef **def;
    size_t count = 1;
    for (def = hpydef->defines; def != NULL && *def != NULL; def++) {
        count++;
    }
    for (legacy = hpydef->legacy_methods; legacy != NULL && legacy->ml_name != NULL; legacy++) {
        count++;
    }
    module->slots = (_HPyModuleSlot *)calloc(most_slots, sizeof(_HPyModuleSlot));
    module->methods = (PyMethodDef *)calloc(count, sizeof(PyMethodDef));
    if (module->slots == NULL || module->methods == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

HPyAPI_INLINE int _HPyModule_AddAll(_HPyModule *module, const HPyModuleDef *hpydef)
{
    const PyMethodDef *legacy;
    HPyDef **def;
    for (def = hpydef->defines; def != NULL && *def != NULL; def++) {
        if (_HPyModule_AddDefinition(module, *def) < 0) {
            return -1;
        }
    }
    for (legacy = hpydef->legacy_methods; legacy != NULL && legacy->ml_name != NULL; legacy++) {
        module->methods[module->method_count++] = *legacy;
    }
    return 0;
}

HPyAPI_INLINE int _HPyModule_Check(const _HPyModule *module, const HPyModuleDef *hpydef)
{
    int only_create = hpydef->doc == NULL && hpydef->size == 0 && hpydef->globals == NULL &&
                      module->method_count == 0 && !module->is_executed;
    if (module->create != NULL && !only_create) {
        return _HPyModule_Fail(
            "HPyModuleDef defines a HPy_mod_create slot and something else. The create slot makes "
            "the whole object, so doc, legacy_methods, globals, methods and HPy_mod_exec slots "
            "would be ignored: leave them out, or leave the create slot out");
    }
    if (hpydef->size < 0) {
        return _HPyModule_Fail("HPy does not permit HPyModuleDef.size < 0");
    }
    if (hpydef->size > 0) {
        return _HPyModule_Fail("HPy has no module state, HPyModuleDef.size > 0 is not supported; "
                               "keep objects in HPyGlobal variables");
    }
    return 0;
}

/* The second number of the running CPython's version, which may be later than that of the headers
   if these have the limited API: "3.12.1 (main, ...". */
HPyAPI_INLINE long _HPyModule_RunningMinor(void)
{
    return strtol(Py_GetVersion() + 2, NULL, 10);
}

/* Slots that the headers of an older limited API do not name. */
#ifdef Py_mod_multiple_interpreters
#    define _HPY_MOD_MULTIPLE_INTERPRETERS Py_mod_multiple_interpreters
#else
#    define _HPY_MOD_MULTIPLE_INTERPRETERS 3
#endif
#ifdef Py_mod_gil
#    define _HPY_MOD_GIL Py_mod_gil
#else
#    define _HPY_MOD_GIL 4
#endif

/* Says what the module supports, to a CPython that asks: about several interpreters since 3.12,
   about the interpreter lock since 3.13. An older one refuses those slots. */
HPyAPI_INLINE void _HPyModule_AddSupport(_HPyModule *module)
{
    long minor = _HPyModule_RunningMinor();
    if (_HPY_SUPPORTS_INTERPRETERS && minor >= 12) {
        _HPyModule_PushSlot(module, _HPY_MOD_MULTIPLE_INTERPRETERS,
                            (void *)2); /* each may have a lock of its own */
    }
    if (_HPY_SUPPORTS_NO_LOCK && minor >= 13) {
        _HPyModule_PushSlot(module, _HPY_MOD_GIL, (void *)1); /* the lock is not used */
    }
}

/* Hands everything to CPython. */
HPyAPI_INLINE void _HPyModule_Describe(_HPyModule *module, const _HPyModuleEntry *entry)
{
    if (module->create != NULL) {
        _HPyModule_PushSlot(module, Py_mod_create, (void *)entry->create);
    }
    if (module->is_executed) {
        _HPyModule_PushSlot(module, Py_mod_exec, (void *)entry->execute);
    }
    _HPyModule_AddSupport(module);
#if _HPY_ABI3T
    PyABIInfo_VAR(abi);
    _HPyModule_PushSlot(module, Py_mod_abi, &abi);
    _HPyModule_PushSlot(module, Py_mod_name, (void *)entry->name);
    _HPyModule_PushSlot(module, Py_mod_methods, module->methods);
    if (entry->def->doc != NULL) {
        _HPyModule_PushSlot(module, Py_mod_doc, (void *)entry->def->doc);
    }
#else
    static const PyModuleDef_Base base = PyModuleDef_HEAD_INIT;
    module->def.m_base = base;
    module->def.m_doc = entry->def->doc;
    module->def.m_name = entry->name;
    module->def.m_methods = module->methods;
    module->def.m_slots = module->slots;
#endif
}

HPyAPI_INLINE void _HPyModule_Free(_HPyModule *module)
{
    if (module != NULL) {
        free(module->slots);
        free(module->methods);
        free(module);
    }
}

/* Makes the definition; NULL with an exception if it cannot be. */
HPyAPI_INLINE _HPyModule *_HPyModule_Prepare(const _HPyModuleEntry *entry)
{
    _HPyModule *module = (_HPyModule *)calloc(1, sizeof(*module));
    if (module == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (_HPyModule_Allocate(module, entry->def) < 0 || _HPyModule_AddAll(module, entry->def) < 0 ||
        _HPyModule_Check(module, entry->def) < 0) {
        _HPyModule_Free(module);
        return NULL;
    }
    _HPyModule_Describe(module, entry);
    return module;
}

/* What the entry returns: slots or an object; NULL with an exception set. Several interpreters may
   come at once: one makes what all use. */
#if _HPY_ABI3T
#    define _HPY_MODULE_INITIALIZED(module) ((module)->slots)
HPyAPI_INLINE PySlot *_HPyModule_Init(_HPyModuleEntry *entry)
#else
#    define _HPY_MODULE_INITIALIZED(module) PyModuleDef_Init(&(module)->def)
HPyAPI_INLINE PyObject *_HPyModule_Init(_HPyModuleEntry *entry)
#endif
{
    _HPyLock *lock = &_HPyLibrary_Shared.lock;
    _HPyModule *mine = NULL, *module;
    if (_HPyLibrary_Init() < 0) {
        return NULL;
    }
    _HPyLock_Wait(lock);
    module = entry->made;
    _HPyLock_Release(lock);
    if (module == NULL) {
        mine = _HPyModule_Prepare(entry);
        if (mine == NULL) {
            return NULL;
        }
        _HPyLock_Wait(lock);
        if (entry->made == NULL) {
            entry->made = mine;
            mine = NULL;
        }
        module = entry->made;
        _HPyLock_Release(lock);
    }
    _HPyModule_Free(mine);
    return _HPY_MODULE_INITIALIZED(module);
}

#endif /* HPY_CPYTHON_MODULE_H */
