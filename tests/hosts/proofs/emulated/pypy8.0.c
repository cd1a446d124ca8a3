/* What PyPy 8.0 does otherwise than CPython, over its Python/C API and without HPy. pypy8.0.py says
 * what each shows. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* An object with a reference in its struct, which the collector is told of. */
typedef struct {
    PyObject_HEAD
    PyObject *link;
} Holder;

static long destroyed;

static int Holder_traverse(PyObject *self, visitproc visit, void *arg)
{
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
    destroyed++;
    type->tp_free(self);
    Py_DECREF(type);
}
static PyObject *Holder_add(PyObject *left, PyObject *right)
{
    return PyUnicode_FromString("nb_add");
}
static PyObject *Holder_concat(PyObject *left, PyObject *right)
{
    return PyUnicode_FromString("sq_concat");
}
static Py_hash_t Holder_hash(PyObject *self)
{
    return -1;
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
    {Py_tp_dealloc, Holder_dealloc}, {Py_tp_traverse, Holder_traverse},
    {Py_tp_clear, Holder_clear},     {Py_tp_hash, Holder_hash},
    {Py_tp_getset, Holder_getset},   {Py_nb_add, Holder_add},
    {Py_sq_concat, Holder_concat},   {0, NULL},
};

/* A type below a class that is written in Python. */
static PyObject *holder_below(PyObject *self, PyObject *base)
{
    PyType_Spec spec = {
        .name = "proofs.Holder",
        .basicsize = sizeof(Holder),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = Holder_slots,
    };
    PyObject *bases = PyTuple_Pack(1, base);
    PyObject *type = PyType_FromSpecWithBases(&spec, bases);
    Py_DECREF(bases);
    return type;
}

static PyObject *count_destroyed(PyObject *self, PyObject *arg)
{
    return PyLong_FromLong(destroyed);
}
static PyObject *tuple_of(PyObject *self, PyObject *item)
{
    return PyTuple_Pack(1, item);
}
static PyObject *write_unraisable(PyObject *self, PyObject *place)
{
    PyErr_SetString(PyExc_LookupError, "in C");
    PyErr_WriteUnraisable(place);
    Py_RETURN_NONE;
}
static PyObject *eval_code(PyObject *self, PyObject *code)
{
    PyObject *globals = PyDict_New();
    Py_XDECREF(PyEval_EvalCode(code, globals, globals));
    return globals;
}
/* What CPython does when a type is made by `metaclass`. */
static PyObject *set_type(PyObject *self, PyObject *args)
{
    PyObject *object = PyTuple_GetItem(args, 0);
    Py_SET_TYPE(object, (PyTypeObject *)Py_NewRef(PyTuple_GetItem(args, 1)));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"holder_below", holder_below, METH_O},
    {"count_destroyed", count_destroyed, METH_NOARGS},
    {"tuple_of", tuple_of, METH_O},
    {"write_unraisable", write_unraisable, METH_O},
    {"eval_code", eval_code, METH_O},
    {"set_type", set_type, METH_VARARGS},
    {NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "proofs", NULL, 0, methods};

PyMODINIT_FUNC PyInit_proofs(void)
{
    return PyModule_Create(&definition);
}
