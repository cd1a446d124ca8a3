/*
 * What `cargo xtask bench micro` counts the instructions of, written for the Python/C API as one
 * would; `hpymicro.c` is the same for HPy.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

static PyObject *no_argument(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    Py_RETURN_NONE;
}

static PyObject *one_object(PyObject *self, PyObject *arg)
{
    (void)self;
    Py_INCREF(arg);
    return arg;
}

static PyObject *two_longs(PyObject *self, PyObject *args)
{
    long a, b;
    (void)self;
    if (!PyArg_ParseTuple(args, "ll", &a, &b))
        return NULL;
    return PyLong_FromLong(a + b);
}

/* ---- a type ---- */

typedef struct {
    PyObject_HEAD
    long x;
    long y;
} Point;

static PyObject *Point_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Point *self = (Point *)type->tp_alloc(type, 0);
    (void)args;
    (void)kwargs;
    if (self == NULL)
        return NULL;
    self->x = 1;
    self->y = 2;
    return (PyObject *)self;
}

static void Point_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *Point_add(PyObject *left, PyObject *right)
{
    (void)right;
    Py_INCREF(left);
    return left;
}

static PyObject *Point_sum(Point *self, PyObject *ignored)
{
    (void)ignored;
    return PyLong_FromLong(self->x + self->y);
}

static PyObject *Point_double(Point *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(2 * self->x);
}

static PyMethodDef Point_methods[] = {
    {"sum", (PyCFunction)Point_sum, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Point_getset[] = {
    {"double", (getter)Point_double, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef Point_members[] = {
    {"x", T_LONG, offsetof(Point, x), 0, NULL},
    {"y", T_LONG, offsetof(Point, y), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Point_slots[] = {
    {Py_tp_new, Point_new},
    {Py_tp_dealloc, Point_dealloc},
    {Py_nb_add, Point_add},
    {Py_tp_methods, Point_methods},
    {Py_tp_getset, Point_getset},
    {Py_tp_members, Point_members},
    {0, NULL},
};

static PyType_Spec Point_spec = {
    .name = "cmicro.Point",
    .basicsize = sizeof(Point),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Point_slots,
};

static PyObject *new_type(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    return PyType_FromSpec(&Point_spec);
}

/* ---- loops over one function of the API ---- */

static PyObject *get_item(PyObject *self, PyObject *args)
{
    PyObject *list;
    long times;
    (void)self;
    if (!PyArg_ParseTuple(args, "Ol", &list, &times))
        return NULL;
    while (times-- > 0) {
        PyObject *item = PySequence_GetItem(list, 3);
        if (item == NULL)
            return NULL;
        Py_DECREF(item);
    }
    Py_RETURN_NONE;
}

static PyObject *set_item(PyObject *self, PyObject *args)
{
    PyObject *list;
    long times;
    (void)self;
    if (!PyArg_ParseTuple(args, "Ol", &list, &times))
        return NULL;
    while (times-- > 0) {
        if (PySequence_SetItem(list, 3, Py_None) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *get_attr(PyObject *self, PyObject *args)
{
    PyObject *object, *name;
    long times;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOl", &object, &name, &times))
        return NULL;
    while (times-- > 0) {
        PyObject *value = PyObject_GetAttr(object, name);
        if (value == NULL)
            return NULL;
        Py_DECREF(value);
    }
    Py_RETURN_NONE;
}

static int module_exec(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&Point_spec);
    int status = type == NULL ? -1 : PyObject_SetAttrString(module, "Point", type);
    Py_XDECREF(type);
    return status;
}

static PyMethodDef module_methods[] = {
    {"no_argument", no_argument, METH_NOARGS, NULL}, {"one_object", one_object, METH_O, NULL},
    {"two_longs", two_longs, METH_VARARGS, NULL},    {"new_type", new_type, METH_NOARGS, NULL},
    {"get_item", get_item, METH_VARARGS, NULL},      {"set_item", set_item, METH_VARARGS, NULL},
    {"get_attr", get_attr, METH_VARARGS, NULL},      {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,       .m_name = "cmicro",      .m_doc = "Small functions to measure.",
    .m_methods = module_methods, .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_cmicro(void)
{
    return PyModuleDef_Init(&module_def);
}
