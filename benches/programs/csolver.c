/* Linear equations between variables, written as Python expressions, for the Python/C API;
   `hpysolver.c` is the same for HPy. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include "gauss.h"

typedef struct {
    PyObject_HEAD
    long index;
    double value;
} Variable;

typedef struct {
    PyObject_HEAD
    PyObject *variable;
    double factor;
} Term;

/* A sum of terms, in a tuple, and a constant. */
typedef struct {
    PyObject_HEAD
    PyObject *terms;
    double constant;
} Sum;

static PyTypeObject *Variable_Type, *Term_Type, *Sum_Type;

/* ---- making them ---- */

static PyObject *new_term(PyObject *variable, double factor)
{
    Term *self = (Term *)Term_Type->tp_alloc(Term_Type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(variable);
    self->variable = variable;
    self->factor = factor;
    return (PyObject *)self;
}

/* Takes over the reference to the terms, which may be NULL with an exception. */
static PyObject *new_sum(PyObject *terms, double constant)
{
    Sum *self = terms == NULL ? NULL : (Sum *)Sum_Type->tp_alloc(Sum_Type, 0);
    if (self == NULL) {
        Py_XDECREF(terms);
        return NULL;
    }
    self->terms = terms;
    self->constant = constant;
    return (PyObject *)self;
}

static PyObject *Variable_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Variable *self;
    long index;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "l:Variable", &index))
        return NULL;
    self = (Variable *)type->tp_alloc(type, 0);
    if (self != NULL)
        self->index = index;
    return (PyObject *)self;
}

/* ---- operators ---- */

/* `variable * number`, `number * variable` */
static PyObject *Variable_multiply(PyObject *left, PyObject *right)
{
    PyObject *variable = Py_IS_TYPE(left, Variable_Type) ? left : right;
    double factor = PyFloat_AsDouble(variable == left ? right : left);
    if (factor == -1.0 && PyErr_Occurred())
        return NULL;
    return new_term(variable, factor);
}

/* The terms of a sum and another term. */
static PyObject *terms_and(PyObject *terms, PyObject *term)
{
    Py_ssize_t size = PyTuple_GET_SIZE(terms);
    PyObject *result = PyTuple_New(size + 1);
    if (result == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *item = PyTuple_GET_ITEM(terms, i);
        Py_INCREF(item);
        PyTuple_SET_ITEM(result, i, item);
    }
    Py_INCREF(term);
    PyTuple_SET_ITEM(result, size, term);
    return result;
}

/* `term + term`, `term + number` */
static PyObject *Term_add(PyObject *left, PyObject *right)
{
    double constant;
    if (!Py_IS_TYPE(left, Term_Type))
        Py_RETURN_NOTIMPLEMENTED;
    if (Py_IS_TYPE(right, Term_Type))
        return new_sum(PyTuple_Pack(2, left, right), 0);
    constant = PyFloat_AsDouble(right);
    if (constant == -1.0 && PyErr_Occurred())
        return NULL;
    return new_sum(PyTuple_Pack(1, left), constant);
}

/* `sum + term`, `sum + number` */
static PyObject *Sum_add(PyObject *left, PyObject *right)
{
    Sum *self = (Sum *)left;
    double constant;
    if (!Py_IS_TYPE(left, Sum_Type))
        Py_RETURN_NOTIMPLEMENTED;
    if (Py_IS_TYPE(right, Term_Type))
        return new_sum(terms_and(self->terms, right), self->constant);
    constant = PyFloat_AsDouble(right);
    if (constant == -1.0 && PyErr_Occurred())
        return NULL;
    Py_INCREF(self->terms);
    return new_sum(self->terms, self->constant + constant);
}

/* ---- solving ---- */

/* Puts the equation `sum == 0` into a row of the matrix. */
static int fill_row(double *row, long size, PyObject *object)
{
    Sum *sum = (Sum *)object;
    if (!Py_IS_TYPE(object, Sum_Type)) {
        PyErr_SetString(PyExc_TypeError, "an equation is a sum");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(sum->terms); i++) {
        Term *term = (Term *)PyTuple_GET_ITEM(sum->terms, i);
        long index = ((Variable *)term->variable)->index;
        if (index < 0 || index >= size) {
            PyErr_SetString(PyExc_IndexError, "no such variable");
            return -1;
        }
        row[index] += term->factor;
    }
    row[size] = -sum->constant;
    return 0;
}

static int solve_list(double *matrix, long size, PyObject *sums, PyObject *variables)
{
    for (long i = 0; i < size; i++) {
        if (fill_row(matrix + i * (size + 1), size, PyList_GET_ITEM(sums, i)) < 0)
            return -1;
    }
    if (!gauss(matrix, size)) {
        PyErr_SetString(PyExc_ValueError, "no solution, or several");
        return -1;
    }
    for (long i = 0; i < size; i++) {
        PyObject *variable = PyList_GET_ITEM(variables, i);
        if (!Py_IS_TYPE(variable, Variable_Type)) {
            PyErr_SetString(PyExc_TypeError, "not a variable");
            return -1;
        }
        ((Variable *)variable)->value = matrix[i * (size + 1) + size];
    }
    return 0;
}

static PyObject *solve(PyObject *self, PyObject *args)
{
    PyObject *sums, *variables;
    double *matrix;
    long size;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O!", &PyList_Type, &sums, &PyList_Type, &variables))
        return NULL;
    size = (long)PyList_GET_SIZE(sums);
    if (PyList_GET_SIZE(variables) != size) {
        PyErr_SetString(PyExc_ValueError, "as many variables as equations, please");
        return NULL;
    }
    matrix = (double *)calloc((size_t)(size * (size + 1) + 1), sizeof(double));
    if (matrix == NULL)
        return PyErr_NoMemory();
    status = solve_list(matrix, size, sums, variables);
    free(matrix);
    if (status < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- types ---- */

static void Variable_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static int Term_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Term *)self)->variable);
    return 0;
}

static void Term_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((Term *)self)->variable);
    type->tp_free(self);
    Py_DECREF(type);
}

static int Sum_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Sum *)self)->terms);
    return 0;
}

static void Sum_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((Sum *)self)->terms);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef Variable_members[] = {
    {"value", T_DOUBLE, offsetof(Variable, value), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Variable_slots[] = {
    {Py_tp_new, Variable_new},
    {Py_tp_dealloc, Variable_dealloc},
    {Py_nb_multiply, Variable_multiply},
    {Py_tp_members, Variable_members},
    {0, NULL},
};

static PyType_Slot Term_slots[] = {
    {Py_tp_traverse, Term_traverse},
    {Py_tp_dealloc, Term_dealloc},
    {Py_nb_add, Term_add},
    {0, NULL},
};

static PyType_Slot Sum_slots[] = {
    {Py_tp_traverse, Sum_traverse},
    {Py_tp_dealloc, Sum_dealloc},
    {Py_nb_add, Sum_add},
    {0, NULL},
};

static PyType_Spec Variable_spec = {
    .name = "csolver.Variable",
    .basicsize = sizeof(Variable),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Variable_slots,
};

static PyType_Spec Term_spec = {
    .name = "csolver.Term",
    .basicsize = sizeof(Term),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Term_slots,
};

static PyType_Spec Sum_spec = {
    .name = "csolver.Sum",
    .basicsize = sizeof(Sum),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Sum_slots,
};

static int module_exec(PyObject *module)
{
    Variable_Type = (PyTypeObject *)PyType_FromSpec(&Variable_spec);
    Term_Type = (PyTypeObject *)PyType_FromSpec(&Term_spec);
    Sum_Type = (PyTypeObject *)PyType_FromSpec(&Sum_spec);
    if (Variable_Type == NULL || Term_Type == NULL || Sum_Type == NULL)
        return -1;
    return PyObject_SetAttrString(module, "Variable", (PyObject *)Variable_Type);
}

static PyMethodDef module_methods[] = {
    {"solve", solve, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef module_def = {PyModuleDef_HEAD_INIT, .m_name = "csolver",
                                 .m_methods = module_methods, .m_slots = module_slots};

PyMODINIT_FUNC PyInit_csolver(void)
{
    return PyModuleDef_Init(&module_def);
}
