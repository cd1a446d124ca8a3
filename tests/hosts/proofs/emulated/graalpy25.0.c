/* What GraalPy 25.0 does otherwise than CPython, over its Python/C API and without HPy.
 * graalpy25.0.py says what each shows. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <signal.h>
#include <structmember.h>

/* An object with a reference in its struct, which the collector is told of. */
typedef struct {
    PyObject_HEAD
    PyObject *link;
} Holder;

static int Holder_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Holder *)self)->link);
    return 0;
}
static int Holder_clear(PyObject *self)
{
    Py_CLEAR(((Holder *)self)->link);
    return 0;
}
static void Holder_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Holder_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}
static PyObject *Holder_add(PyObject *left, PyObject *right)
{
    return PyUnicode_FromString("nb_add");
}
static PyObject *Holder_get_link(PyObject *self, void *closure)
{
    PyObject *link = ((Holder *)self)->link;
    return Py_NewRef(link == NULL ? Py_None : link);
}
static int Holder_set_link(PyObject *self, PyObject *value, void *closure)
{
    Py_XSETREF(((Holder *)self)->link, Py_NewRef(value));
    return 0;
}
static PyGetSetDef Holder_getset[] = {
    {"link", Holder_get_link, Holder_set_link, "what it holds", NULL},
    {NULL},
};
static PyType_Slot Holder_slots[] = {
    {Py_tp_dealloc, Holder_dealloc}, {Py_tp_traverse, Holder_traverse}, {Py_tp_clear, Holder_clear},
    {Py_tp_getset, Holder_getset},   {Py_nb_add, Holder_add},           {0, NULL},
};
static PyType_Spec Holder_spec = {
    .name = "proofs.Holder",
    .basicsize = sizeof(Holder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = Holder_slots,
};

/* A type whose objects have some bytes more than those of its base. */
static PyType_Slot no_slots[] = {{0, NULL}};
static PyObject *larger(PyObject *self, PyObject *base)
{
    PyType_Spec spec = {
        .name = "proofs.Larger",
        .basicsize = (int)((PyTypeObject *)base)->tp_basicsize + 64,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = no_slots,
    };
    PyObject *bases = PyTuple_Pack(1, base);
    PyObject *type = PyType_FromSpecWithBases(&spec, bases);
    Py_DECREF(bases);
    return type;
}

/* A type with a member, made by a metaclass. */
static PyMemberDef number_members[] = {{"number", T_LONG, sizeof(PyObject), 0, NULL}, {NULL}};
static PyType_Slot number_slots[] = {{Py_tp_members, number_members}, {0, NULL}};
static PyType_Spec number_spec = {
    .name = "proofs.Number",
    .basicsize = sizeof(PyObject) + sizeof(long),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = number_slots,
};
static PyObject *number_of(PyObject *self, PyObject *metaclass)
{
    return PyType_FromMetaclass((PyTypeObject *)metaclass, NULL, &number_spec, NULL);
}

/* What C code has of an object, as a number: negative if no address of the system is so. */
static PyObject *address(PyObject *self, PyObject *object)
{
    return PyLong_FromLongLong((long long)(intptr_t)object);
}
static PyObject *same(PyObject *self, PyObject *object)
{
    return Py_NewRef(object);
}
static PyObject *size_of_tuple(PyObject *self, PyObject *arg)
{
    return PyLong_FromSize_t(sizeof(PyTupleObject));
}
static PyObject *tuple_of(PyObject *self, PyObject *item)
{
    return PyTuple_Pack(1, item);
}
static PyObject *negative(PyObject *self, PyObject *object)
{
    return PyNumber_Negative(object);
}
static PyObject *write_unraisable(PyObject *self, PyObject *place)
{
    PyErr_SetString(PyExc_LookupError, "in C");
    PyErr_WriteUnraisable(place);
    Py_RETURN_NONE;
}
/* How long the list is, to which a signal's handler adds, once signals have been looked at. */
static PyObject *after_a_signal(PyObject *self, PyObject *list)
{
    raise(SIGUSR1);
    if (PyErr_CheckSignals() < 0)
        return NULL;
    return PyLong_FromSsize_t(PyList_Size(list));
}

static PyMethodDef methods[] = {
    {"larger", larger, METH_O},
    {"number_of", number_of, METH_O},
    {"address", address, METH_O},
    {"same", same, METH_O, "same($module, object)\n--\n\nThe object."},
    {"size_of_tuple", size_of_tuple, METH_NOARGS},
    {"tuple_of", tuple_of, METH_O},
    {"negative", negative, METH_O},
    {"write_unraisable", write_unraisable, METH_O},
    {"after_a_signal", after_a_signal, METH_O},
    {NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "proofs", NULL, -1, methods};

PyMODINIT_FUNC PyInit_proofs(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyModule_AddObject(module, "Holder", PyType_FromSpec(&Holder_spec)) < 0)
        return NULL;
    return module;
}
