/*
 * The types of the Python/C API that occur in HPy's structs: opaque in universal mode, where there
 * is no Python.h, and Python's own in the other modes.
 */
#ifndef HPY_CPY_TYPES_H
#define HPY_CPY_TYPES_H

#ifdef Py_PYTHON_H
/** `PyObject` */
typedef PyObject cpy_PyObject;
/** `PyMethodDef` */
typedef PyMethodDef cpy_PyMethodDef;
/** `Py_buffer`; opaque where the limited API does not have it. */
#    if _HPY_LIMITED_BEFORE(0x030B0000)
typedef struct _cpy_Py_buffer_s cpy_Py_buffer;
#    else
typedef Py_buffer cpy_Py_buffer;
#    endif
#else
/** `PyObject` */
typedef struct _cpy_PyObject_s cpy_PyObject;
/** `PyMethodDef` */
typedef struct _cpy_PyMethodDef_s cpy_PyMethodDef;
/** `Py_buffer` */
typedef struct _cpy_Py_buffer_s cpy_Py_buffer;
#endif

/** `PyCFunction` */
typedef cpy_PyObject *(*cpy_PyCFunction)(cpy_PyObject *self, cpy_PyObject *args);
/** `vectorcallfunc` */
typedef cpy_PyObject *(*cpy_vectorcallfunc)(cpy_PyObject *callable, cpy_PyObject *const *args,
                                            size_t nargsf, cpy_PyObject *kwnames);
/** `getter` */
typedef cpy_PyObject *(*cpy_getter)(cpy_PyObject *self, void *closure);
/** `setter` */
typedef int (*cpy_setter)(cpy_PyObject *self, cpy_PyObject *value, void *closure);
/** `visitproc` */
typedef int (*cpy_visitproc)(cpy_PyObject *object, void *arg);
/** `PyCapsule_Destructor` */
typedef void (*cpy_PyCapsule_Destructor)(cpy_PyObject *capsule);

#endif /* HPY_CPY_TYPES_H */
