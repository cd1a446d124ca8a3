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
        static _HPyModule module;                                                                  \
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
    size_t count = 1;
    for (def = hpydef->defines; def != NULL && *def != NULL; def++) {
        count++;
    }
    for (legacy = hpydef->legacy_methods; legacy != NULL && legacy->ml_name != NULL; legacy++) {
        count++;
    }
    module->def.m_slots = (PyModuleDef_Slot *)_HPy_Calloc(count, sizeof(PyModuleDef_Slot));
    module->def.m_methods = (PyMethodDef *)_HPy_Calloc(count, sizeof(PyMethodDef));
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

/* Fills the definition, the first time that the module is imported. */
HPyAPI_INLINE int _HPyModule_Prepare(_HPyModule *module, const char *name,
                                     const HPyModuleDef *hpydef)
{
    static const PyModuleDef_Base base = PyModuleDef_HEAD_INIT;
    memset(module, 0, sizeof(*module));
    module->def.m_base = base;
    module->def.m_doc = hpydef->doc;
    if (_HPyModule_Allocate(module, hpydef) < 0 || _HPyModule_AddAll(module, hpydef) < 0 ||
        _HPyModule_Check(module, hpydef) < 0) {
        PyMem_Free(module->def.m_slots);
        PyMem_Free(module->def.m_methods);
        return -1;
    }
    module->def.m_name = name;
    return 0;
}

/* What PyInit_NAME returns. */
HPyAPI_INLINE PyObject *_HPyModule_Init(_HPyModule *module, const char *name,
                                        const HPyModuleDef *hpydef)
{
    if (_HPyLibrary_Init() < 0 ||
        (module->def.m_name == NULL && _HPyModule_Prepare(module, name, hpydef) < 0)) {
        return NULL;
    }
    return PyModuleDef_Init(&module->def);
}

#endif /* HPY_CPYTHON_MODULE_H */
