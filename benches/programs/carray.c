/* An array of numbers, for the Python/C API; `hpyarray.c` is the same for HPy. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct {
    PyObject_HEAD
    Py_ssize_t length;
    double *items;
} Array;

static PyTypeObject *Array_Type;

static Array *new_array(Py_ssize_t length)
{
    Array *self = (Array *)Array_Type->tp_alloc(Array_Type, 0);
    if (self == NULL)
        return NULL;
    self->items = (double *)malloc(length == 0 ? 1 : (size_t)length * sizeof(double));
    if (self->items == NULL) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->length = length;
    return self;
}

static PyObject *Array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *list;
    Array *self;
    (void)type;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!", &PyList_Type, &list))
        return NULL;
    self = new_array(PyList_GET_SIZE(list));
    if (self == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < self->length; i++) {
        self->items[i] = PyFloat_AsDouble(PyList_GET_ITEM(list, i));
        if (self->items[i] == -1.0 && PyErr_Occurred()) {
            Py_DECREF(self);
            return NULL;
        }
    }
    return (PyObject *)self;
}

static void Array_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    free(((Array *)self)->items);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The operand as an array of the same length as `self`, or as a number. */
static int operand(Array *self, PyObject *other, Array **array, double *number)
{
    *array = NULL;
    *number = 0;
    if (Py_IS_TYPE(other, Array_Type)) {
        *array = (Array *)other;
        if ((*array)->length == self->length)
            return 0;
        PyErr_SetString(PyExc_ValueError, "the arrays have different lengths");
        return -1;
    }
    *number = PyFloat_AsDouble(other);
    return *number == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static PyObject *Array_add(PyObject *left, PyObject *right)
{
    Array *self = (Array *)left, *other, *result;
    double number;
    if (!Py_IS_TYPE(left, Array_Type))
        Py_RETURN_NOTIMPLEMENTED;
    if (operand(self, right, &other, &number) < 0)
        return NULL;
    result = new_array(self->length);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < self->length; i++)
        result->items[i] = self->items[i] + (other == NULL ? number : other->items[i]);
    return (PyObject *)result;
}

static PyObject *Array_multiply(PyObject *left, PyObject *right)
{
    Array *self = (Array *)left, *other, *result;
    double number;
    if (!Py_IS_TYPE(left, Array_Type))
        Py_RETURN_NOTIMPLEMENTED;
    if (operand(self, right, &other, &number) < 0)
        return NULL;
    result = new_array(self->length);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < self->length; i++)
        result->items[i] = self->items[i] * (other == NULL ? number : other->items[i]);
    return (PyObject *)result;
}

static Py_ssize_t Array_length(PyObject *self)
{
    return ((Array *)self)->length;
}

static PyObject *Array_item(PyObject *self, Py_ssize_t index)
{
    if (index < 0 || index >= ((Array *)self)->length) {
        PyErr_SetString(PyExc_IndexError, "no such item");
        return NULL;
    }
    return PyFloat_FromDouble(((Array *)self)->items[index]);
}

static int Array_set_item(PyObject *self, Py_ssize_t index, PyObject *value)
{
    double number;
    if (index < 0 || index >= ((Array *)self)->length || value == NULL) {
        PyErr_SetString(PyExc_IndexError, "no such item");
        return -1;
    }
    number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred())
        return -1;
    ((Array *)self)->items[index] = number;
    return 0;
}

static PyObject *Array_sum(PyObject *self, PyObject *ignored)
{
    double sum = 0;
    (void)ignored;
    for (Py_ssize_t i = 0; i < ((Array *)self)->length; i++)
        sum += ((Array *)self)->items[i];
    return PyFloat_FromDouble(sum);
}

static PyObject *Array_tolist(PyObject *self, PyObject *ignored)
{
    Array *array = (Array *)self;
    PyObject *list = PyList_New(array->length);
    (void)ignored;
    for (Py_ssize_t i = 0; list != NULL && i < array->length; i++) {
        PyObject *item = PyFloat_FromDouble(array->items[i]);
        if (item == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyMethodDef Array_methods[] = {
    {"sum", Array_sum, METH_NOARGS, NULL},
    {"tolist", Array_tolist, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Array_slots[] = {
    {Py_tp_new, Array_new},           {Py_tp_dealloc, Array_dealloc}, {Py_nb_add, Array_add},
    {Py_nb_multiply, Array_multiply}, {Py_sq_length, Array_length},   {Py_sq_item, Array_item},
    {Py_sq_ass_item, Array_set_item}, {Py_tp_methods, Array_methods}, {0, NULL},
};

static PyType_Spec Array_spec = {
    .name = "carray.Array",
    .basicsize = sizeof(Array),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Array_slots,
};

static int module_exec(PyObject *module)
{
    Array_Type = (PyTypeObject *)PyType_FromSpec(&Array_spec);
    if (Array_Type == NULL)
        return -1;
    return PyObject_SetAttrString(module, "Array", (PyObject *)Array_Type);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef module_def = {PyModuleDef_HEAD_INIT, .m_name = "carray",
                                 .m_slots = module_slots};

PyMODINIT_FUNC PyInit_carray(void)
{
    return PyModuleDef_Init(&module_def);
}
