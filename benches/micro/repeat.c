/*
 * Calls a Python callable again and again, as the interpreter does: with its arguments in an array.
 *
 * callgrind counts what happens inside `hpy_bench_repeat` only, and writes one report each time it
 * returns.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

__attribute__((noinline)) static int hpy_bench_repeat(PyObject *callable, PyObject *const *args,
                                                      size_t nargs, PyObject *names, long times,
                                                      PyObject *after)
{
    while (times-- > 0) {
        PyObject *result = PyObject_Vectorcall(callable, args, nargs, names);
        if (result == NULL)
            return -1;
        Py_DECREF(result);
    }
    if (after == Py_None)
        return 0;
    PyObject *result = PyObject_CallNoArgs(after);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *repeat(PyObject *self, PyObject *args)
{
    PyObject *callable, *arguments, *names, *after;
    long times;
    size_t nargs;
    (void)self;
    if (!PyArg_ParseTuple(args, "OO!O!lO", &callable, &PyTuple_Type, &arguments, &PyTuple_Type,
                          &names, &times, &after))
        return NULL;
    nargs = (size_t)(PyTuple_GET_SIZE(arguments) - PyTuple_GET_SIZE(names));
    if (hpy_bench_repeat(callable, ((PyTupleObject *)arguments)->ob_item, nargs,
                         PyTuple_GET_SIZE(names) == 0 ? NULL : names, times, after) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"repeat", repeat, METH_VARARGS,
     "repeat(callable, arguments, names, times, after)\n--\n\n"
     "Call `times` times, the last of the arguments by the keywords `names`; then call `after`,\n"
     "which may be None."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "repeat",
    .m_methods = module_methods,
};

PyMODINIT_FUNC PyInit_repeat(void)
{
    return PyModuleDef_Init(&module_def);
}
