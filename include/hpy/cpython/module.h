/*
 * The CPython ABI: modules, initialized in two phases by CPython's own machinery.
 */
#ifndef HPY_CPYTHON_MODULE_H
#define HPY_CPYTHON_MODULE_H

/* Modules share the context of their library. */
#define HPY_MOD_EMBEDDABLE(NAME)

#define HPy_MODINIT(NAME, DEF)                                                                     \
    _HPY_EXTERN_C HPy_EXPORTED_SYMBOL PyObject *PyInit_##NAME(void);                               \
    PyObject *PyInit_##NAME(void)                                                                  \
    {                                                                                              \
        static _HPyModule *module;                                                                 \
        return _HPyModule_Init(&module, #NAME, &DEF);                                              \
    }

/* A definition of the C API, and what its create slot calls. */
typedef struct {
    PyModuleDef def;
    HPyFunc_mod_create create;
    size_t method_count;
    size_t slot_count;
} _HPyModule;

HPyAPI_INLINE int _HPyModule_Fail(const char *message)
{
    PyErr_SetString(PyExc_SystemError, message);
    return -1;
}

/* The create slot: the author's, whose result is checked. */
HPyAPI_INLINE PyObject *_HPyModule_Create(PyObject *spec, PyModuleDef *def)
{
    PyObject *made = _h2py(((_HPyModule *)def)->create(_HPY_CONTEXT, _py2h(spec)));
    if (made != NULL && PyModule_Check(made)) {
        Py_DECREF(made);
        _HPyModule_Fail("HPy_mod_create slot returned a builtin module object. This is currently "
                        "not supported.");
        return NULL;
    }
    return made;
}

HPyAPI_INLINE void _HPyModule_PushSlot(_HPyModule *module, int slot, void *value)
{
    module->def.m_slots[module->slot_count].slot = slot;
    module->def.m_slots[module->slot_count].value = value;
    module->slot_count++;
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
        _HPyModule_PushSlot(module, Py_mod_exec, (void *)slot->cpy_trampoline);
        return 0;
    }
    if (module->create != NULL) {
        return _HPyModule_Fail("HPyModuleDef has more than one HPy_mod_create slot; keep one");
    }
    module->create = (HPyFunc_mod_create)slot->impl;
    _HPyModule_PushSlot(module, Py_mod_create, (void *)_HPyModule_Create);
    return 0;
}

HPyAPI_INLINE int _HPyModule_AddDefinition(_HPyModule *module, const HPyDef *def)
{
    switch (def->kind) {
    case HPyDef_Kind_Slot:
        return _HPyModule_AddSlot(module, &def->slot);
    case HPyDef_Kind_Meth:
        return _HPyMethod_Fill(&module->def.m_methods[module->method_count++], &def->meth);
    default:
        return _HPyModule_Fail("HPyModuleDef.defines has a definition that does not belong into a "
                               "module; allowed are methods and slots");
    }
}

/* Memory for slots and methods, with a zeroed entry at the end of each. It lives as long as the
   library. */
HPyAPI_INLINE int _HPyModule_Allocate(_HPyModule *module, const HPyModuleDef *hpydef)
{
    const PyMethodDef *legacy;
    HPyDef **def;
    size_t count = 3; /* the end, and what the module supports */
    for (def = hpydef->defines; def != NULL && *def != NULL; def++) {
        count++;
    }
    for (legacy = hpydef->legacy_methods; legacy != NULL && legacy->ml_name != NULL; legacy++) {
        count++;
    }
    module->def.m_slots = (PyModuleDef_Slot *)calloc(count, sizeof(PyModuleDef_Slot));
    module->def.m_methods = (PyMethodDef *)calloc(count, sizeof(PyMethodDef));
    if (module->def.m_slots == NULL || module->def.m_methods == NULL) {
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
        module->def.m_methods[module->method_count++] = *legacy;
    }
    return 0;
}

HPyAPI_INLINE int _HPyModule_Check(const _HPyModule *module, const HPyModuleDef *hpydef)
{
    int only_create = hpydef->doc == NULL && hpydef->size == 0 && hpydef->globals == NULL &&
                      module->method_count == 0 && module->slot_count == 1;
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

/* Says what the module supports, to a CPython that asks. */
HPyAPI_INLINE void _HPyModule_AddSupport(_HPyModule *module)
{
#if defined(Py_mod_multiple_interpreters) && _HPY_SUPPORTS_INTERPRETERS
    _HPyModule_PushSlot(module, Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED);
#endif
#if defined(Py_mod_gil) && _HPY_SUPPORTS_NO_LOCK
    _HPyModule_PushSlot(module, Py_mod_gil, Py_MOD_GIL_NOT_USED);
#endif
    (void)module;
}

HPyAPI_INLINE void _HPyModule_Free(_HPyModule *module)
{
    if (module != NULL) {
        free(module->def.m_slots);
        free(module->def.m_methods);
        free(module);
    }
}

/* Makes the definition; NULL with an exception if it cannot be. */
HPyAPI_INLINE _HPyModule *_HPyModule_Prepare(const char *name, const HPyModuleDef *hpydef)
{
    static const PyModuleDef_Base base = PyModuleDef_HEAD_INIT;
    _HPyModule *module = (_HPyModule *)calloc(1, sizeof(*module));
    if (module == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    module->def.m_base = base;
    module->def.m_doc = hpydef->doc;
    module->def.m_name = name;
    if (_HPyModule_Allocate(module, hpydef) < 0 || _HPyModule_AddAll(module, hpydef) < 0 ||
        _HPyModule_Check(module, hpydef) < 0) {
        _HPyModule_Free(module);
        return NULL;
    }
    _HPyModule_AddSupport(module);
    return module;
}

/* What PyInit_NAME returns. Several interpreters may come at once: one makes what all use. */
HPyAPI_INLINE PyObject *_HPyModule_Init(_HPyModule **place, const char *name,
                                        const HPyModuleDef *hpydef)
{
    _HPyLock *lock = &_HPyLibrary_Shared.lock;
    _HPyModule *mine = NULL, *module;
    if (_HPyLibrary_Init() < 0) {
        return NULL;
    }
    _HPyLock_Wait(lock);
    module = *place;
    _HPyLock_Release(lock);
    if (module == NULL) {
        mine = _HPyModule_Prepare(name, hpydef);
        if (mine == NULL) {
            return NULL;
        }
        _HPyLock_Wait(lock);
        if (*place == NULL) {
            *place = mine;
            mine = NULL;
        }
        module = *place;
        _HPyLock_Release(lock);
    }
    _HPyModule_Free(mine);
    return PyModuleDef_Init(&module->def);
}

#endif /* HPY_CPYTHON_MODULE_H */
