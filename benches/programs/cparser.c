/* A parser of nested lists, `(add 1 (mul 2.5 x))`, for the Python/C API; `hpyparser.c` is the same
   for HPy. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "reader.h"

typedef struct {
    const char *p;
    const char *end;
} Reader;

static PyObject *read_token(Reader *reader)
{
    const char *start = reader->p;
    reader->p = token_end(start, reader->end);
    switch (token_kind(start, reader->p)) {
    case INTEGER:
        return PyLong_FromLong(token_integer(start, reader->p));
    case REAL:
        return PyFloat_FromDouble(strtod(start, NULL));
    default:
        return PyUnicode_DecodeASCII(start, reader->p - start, NULL);
    }
}

/* The list whose opening bracket has been read. */
static PyObject *read_list(Reader *reader)
{
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    for (;;) {
        PyObject *item;
        int nested, status;
        reader->p = skip_blanks(reader->p, reader->end);
        if (reader->p == reader->end) {
            PyErr_SetString(PyExc_ValueError, "a list does not end");
            break;
        }
        if (*reader->p == ')') {
            reader->p++;
            return list;
        }
        nested = *reader->p == '(';
        reader->p += nested;
        item = nested ? read_list(reader) : read_token(reader);
        if (item == NULL)
            break;
        status = PyList_Append(list, item);
        Py_DECREF(item);
        if (status < 0)
            break;
    }
    Py_DECREF(list);
    return NULL;
}

static PyObject *parse(PyObject *self, PyObject *text)
{
    Reader reader;
    Py_ssize_t size;
    (void)self;
    reader.p = PyUnicode_AsUTF8AndSize(text, &size);
    if (reader.p == NULL)
        return NULL;
    reader.end = reader.p + size;
    if (size == 0 || *reader.p != '(') {
        PyErr_SetString(PyExc_ValueError, "a list begins with a bracket");
        return NULL;
    }
    reader.p++;
    return read_list(&reader);
}

/* Adds the numbers in nested lists. */
static int add_up(PyObject *object, double *sum)
{
    if (PyList_CheckExact(object)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(object); i++) {
            PyObject *item = PyList_GET_ITEM(object, i);
            if (!PyUnicode_CheckExact(item) && add_up(item, sum) < 0)
                return -1;
        }
        return 0;
    }
    if (PyFloat_CheckExact(object))
        *sum += PyFloat_AS_DOUBLE(object);
    else if (PyLong_CheckExact(object)) {
        long value = PyLong_AsLong(object);
        if (value == -1 && PyErr_Occurred())
            return -1;
        *sum += (double)value;
    }
    return 0;
}

static PyObject *total(PyObject *self, PyObject *object)
{
    double sum = 0;
    (void)self;
    return add_up(object, &sum) < 0 ? NULL : PyFloat_FromDouble(sum);
}

static PyMethodDef module_methods[] = {
    {"parse", parse, METH_O, NULL},
    {"total", total, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {PyModuleDef_HEAD_INIT, .m_name = "cparser",
                                 .m_methods = module_methods};

PyMODINIT_FUNC PyInit_cparser(void)
{
    return PyModuleDef_Init(&module_def);
}
