/*
 * What PyModule_AddObject is to an init function, for the exec slot of a hybrid module.
 */
#ifndef PORTS_ADD_TYPE_H
#define PORTS_ADD_TYPE_H

#include <hpy.h>

/* Makes `type`, which is ready, the module's attribute `name`; 0, or -1 with an exception. */
static int add_type(HPyContext *ctx, HPy module, const char *name, PyTypeObject *type)
{
    HPy handle = HPy_FromPyObject(ctx, (PyObject *)type);
    if (HPy_IsNull(handle)) {
        return -1;
    }
    int result = HPy_SetAttr_s(ctx, module, name, handle);
    HPy_Close(ctx, handle);
    return result;
}

#endif /* PORTS_ADD_TYPE_H */
