/* The smallest useful extension, for the Python/C API; `hpyminimal.c` is the same for HPy. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *answer(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    return PyLong_FromLong(42);
}

static PyMethodDef module_methods[] = {
    {"answer", answer, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {PyModuleDef_HEAD_INIT, .m_name = "cminimal",
                                 .m_methods = module_methods};

PyMODINIT_FUNC PyInit_cminimal(void)
{
    return PyModuleDef_Init(&module_def);
}
