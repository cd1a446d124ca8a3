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

static PyObject *two_objects(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)self;
    Py_INCREF(args[nargs - 1]);
    return args[nargs - 1];
}

static PyObject *keywords(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *names)
{
    PyObject *last = args[nargs - 1 + (names == NULL ? 0 : PyTuple_GET_SIZE(names))];
    (void)self;
    Py_INCREF(last);
    return last;
}

static PyObject *two_longs(PyObject *self, PyObject *args)
{
    long a, b;
    (void)self;
    if (!PyArg_ParseTuple(args, "ll", &a, &b))
        return NULL;
    return PyLong_FromLong(a + b);
}

static PyObject *parsed_keywords(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"a", "b", NULL};
    long a, b;
    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ll", names, &a, &b))
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

static int Point_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    ((Point *)self)->x = 3;
    return 0;
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

static PyObject *Point_negative(PyObject *self)
{
    Py_INCREF(self);
    return self;
}

static int Point_bool(PyObject *self)
{
    return ((Point *)self)->x != 0;
}

static Py_hash_t Point_hash(PyObject *self)
{
    return ((Point *)self)->x;
}

static PyObject *Point_compare(PyObject *self, PyObject *other, int op)
{
    (void)op;
    return PyBool_FromLong(self == other);
}

static Py_ssize_t Point_length(PyObject *self)
{
    return ((Point *)self)->y;
}

static PyObject *Point_item(PyObject *self, Py_ssize_t index)
{
    (void)index;
    Py_INCREF(self);
    return self;
}

static int Point_contains(PyObject *self, PyObject *object)
{
    return self == object;
}

static PyObject *Point_subscript(PyObject *self, PyObject *key)
{
    (void)self;
    Py_INCREF(key);
    return key;
}

static int Point_set_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    (void)self;
    (void)key;
    (void)value;
    return 0;
}

static PyObject *Point_sum(Point *self, PyObject *ignored)
{
    (void)ignored;
    return PyLong_FromLong(self->x + self->y);
}

static PyObject *Point_get(Point *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(2 * self->x);
}

static int Point_set(Point *self, PyObject *value, void *closure)
{
    (void)self;
    (void)value;
    (void)closure;
    return 0;
}

static PyMethodDef Point_methods[] = {
    {"sum", (PyCFunction)Point_sum, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Point_getset[] = {
    {"double", (getter)Point_get, (setter)Point_set, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef Point_members[] = {
    {"x", T_LONG, offsetof(Point, x), 0, NULL},
    {"y", T_LONG, offsetof(Point, y), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Point_slots[] = {
    {Py_tp_new, Point_new},
    {Py_tp_init, Point_init},
    {Py_tp_dealloc, Point_dealloc},
    {Py_tp_hash, Point_hash},
    {Py_tp_richcompare, Point_compare},
    {Py_nb_add, Point_add},
    {Py_nb_negative, Point_negative},
    {Py_nb_bool, Point_bool},
    {Py_sq_length, Point_length},
    {Py_sq_item, Point_item},
    {Py_sq_contains, Point_contains},
    {Py_mp_subscript, Point_subscript},
    {Py_mp_ass_subscript, Point_set_subscript},
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

/* A type with a reference, which the collector knows, and that can be called. */
typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *value;
} Node;

static PyObject *Node_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    (void)self;
    (void)nargsf;
    (void)names;
    Py_INCREF(args[0]);
    return args[0];
}

static PyObject *Node_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *names)
{
    Node *self = (Node *)((PyTypeObject *)type)->tp_alloc((PyTypeObject *)type, 0);
    (void)args;
    (void)nargsf;
    (void)names;
    if (self != NULL)
        self->call = Node_call;
    return (PyObject *)self;
}

static int Node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Node *)self)->value);
    return 0;
}

static int Node_clear(PyObject *self)
{
    Py_CLEAR(((Node *)self)->value);
    return 0;
}

static void Node_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Node_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef Node_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Node, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Node_slots[] = {
    {Py_tp_dealloc, Node_dealloc}, {Py_tp_traverse, Node_traverse}, {Py_tp_clear, Node_clear},
    {Py_tp_members, Node_members}, {Py_tp_call, PyVectorcall_Call}, {0, NULL},
};

static PyType_Spec Node_spec = {
    .name = "cmicro.Node",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = Node_slots,
};

/* ---- loops over one function of the API ---- */

static PyObject *global;

/* The compiler may not see that nothing happens between two operations on an object. */
#define KEEP(object) __asm__ volatile("" : "+r"(object)::"memory")

#define LOOP(NAME, ...)                                                                            \
    static PyObject *NAME##_loop(PyObject *self, PyObject *args)                                   \
    {                                                                                              \
        PyObject *a, *b;                                                                           \
        long times, count = 0;                                                                     \
        (void)self;                                                                                \
        if (!PyArg_ParseTuple(args, "OOl", &a, &b, &times))                                        \
            return NULL;                                                                           \
        while (times-- > 0) {                                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        return PyLong_FromLong(count);                                                             \
    }

#define CLOSE(OBJECT)                                                                              \
    PyObject *r = OBJECT;                                                                          \
    if (r == NULL)                                                                                 \
        return NULL;                                                                               \
    Py_DECREF(r);

#define CLOSE_AFTER(OBJECT, STATUS)                                                                \
    PyObject *r = OBJECT;                                                                          \
    if (r == NULL || STATUS < 0)                                                                   \
        return NULL;                                                                               \
    Py_DECREF(r);

#define CHECK(STATUS)                                                                              \
    if (STATUS < 0)                                                                                \
        return NULL;

LOOP(dup_close, Py_INCREF(a); KEEP(a); Py_DECREF(a);)
LOOP(is_, KEEP(a); count += a == b;)
LOOP(type_, PyObject *r = (PyObject *)Py_TYPE(a); Py_INCREF(r); KEEP(r); Py_DECREF(r);)
LOOP(type_check, KEEP(a); count += PyObject_TypeCheck(a, (PyTypeObject *)b);)
LOOP(list_check, KEEP(a); count += PyList_Check(a);)
LOOP(unicode_check, KEEP(a); count += PyUnicode_Check(a);)
LOOP(long_check, KEEP(a); count += PyLong_Check(a);)
LOOP(callable_check, count += PyCallable_Check(a);)
LOOP(long_from_small, CLOSE(PyLong_FromLong(times & 15)))
LOOP(long_from, CLOSE(PyLong_FromLong(times + 1000)))
LOOP(long_as, count += PyLong_AsLong(a);)
LOOP(float_from, CLOSE(PyFloat_FromDouble((double)times)))
LOOP(float_as, count += (long)PyFloat_AsDouble(a);)
LOOP(unicode_from, CLOSE(PyUnicode_FromString("twelve bytes")))
LOOP(unicode_as, Py_ssize_t size; if (PyUnicode_AsUTF8AndSize(a, &size) == NULL) return NULL;
     count += size;)
LOOP(bytes_from, CLOSE(PyBytes_FromStringAndSize("twelve bytes", 12)))
LOOP(bytes_as, count += *PyBytes_AsString(a);)
LOOP(bytes_size, count += PyBytes_Size(a);)
LOOP(length, count += PyObject_Length(a);)
LOOP(is_true, count += PyObject_IsTrue(a);)
LOOP(get_item_i, CLOSE(PySequence_GetItem(a, 3)))
LOOP(get_item, CLOSE(PyObject_GetItem(a, b)))
LOOP(get_item_s, CLOSE(PyMapping_GetItemString(a, "attribute")))
LOOP(set_item_i, CHECK(PySequence_SetItem(a, 3, b)))
LOOP(set_item, CHECK(PyObject_SetItem(a, b, b)))
LOOP(set_item_s, CHECK(PyMapping_SetItemString(a, "attribute", b)))
LOOP(contains, count += PySequence_Contains(a, b);)
LOOP(get_attr, CLOSE(PyObject_GetAttr(a, b)))
LOOP(get_attr_s, CLOSE(PyObject_GetAttrString(a, "attribute")))
LOOP(set_attr_s, CHECK(PyObject_SetAttrString(a, "attribute", b)))
LOOP(has_attr_s, count += PyObject_HasAttrString(a, "attribute");)
LOOP(add, CLOSE(PyNumber_Add(a, b)))
LOOP(compare, count += PyObject_RichCompareBool(a, b, Py_LT);)
LOOP(hash, count += PyObject_Hash(a);)
LOOP(tuple_pack, CLOSE(PyTuple_Pack(2, a, b)))
LOOP(
    tuple_builder, PyObject *r = PyTuple_New(3); if (r == NULL) return NULL;
    for (Py_ssize_t i = 0; i < 3; i++) {
        Py_INCREF(a);
        PyTuple_SET_ITEM(r, i, a);
    } Py_DECREF(r);)
LOOP(
    list_builder, PyObject *r = PyList_New(3); if (r == NULL) return NULL;
    for (Py_ssize_t i = 0; i < 3; i++) {
        Py_INCREF(a);
        PyList_SET_ITEM(r, i, a);
    } Py_DECREF(r);)
LOOP(list_append, CLOSE_AFTER(PyList_New(0), PyList_Append(r, a)))
LOOP(dict_new, CLOSE(PyDict_New()))
LOOP(call, CLOSE(PyObject_Vectorcall(a, &b, 1, NULL)))
LOOP(call_tuple, CLOSE(PyObject_Call(a, b, NULL)))
LOOP(call_method, CLOSE(PyObject_VectorcallMethod(b, &a, 1, NULL)))
LOOP(err_occurred, count += PyErr_Occurred() != NULL;)
LOOP(err_set, PyErr_SetString(PyExc_ValueError, "no"); PyErr_Clear();)
LOOP(tracker, Py_INCREF(a); Py_INCREF(a); Py_INCREF(a); KEEP(a); Py_DECREF(a); Py_DECREF(a);
     Py_DECREF(a);)
LOOP(build_value, CLOSE(Py_BuildValue("(ii)", 1000, 2000)))
LOOP(field_store, PyObject *old = ((Node *)a)->value; Py_INCREF(b); ((Node *)a)->value = b;
     Py_XDECREF(old);)
LOOP(field_load, PyObject *r = ((Node *)a)->value; Py_INCREF(r); KEEP(r); Py_DECREF(r);)
LOOP(global_store, PyObject *old = global; Py_INCREF(b); global = b; Py_XDECREF(old);)
LOOP(global_load, PyObject *r = global; Py_INCREF(r); KEEP(r); Py_DECREF(r);)

/* ---- the module ---- */

static int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    int status;
    if (type == NULL)
        return -1;
    if (spec == &Node_spec)
        ((PyTypeObject *)type)->tp_vectorcall = Node_vectorcall;
    status = PyObject_SetAttrString(module, name, type);
    Py_DECREF(type);
    return status;
}

static int module_exec(PyObject *module)
{
    if (add_type(module, "Point", &Point_spec) < 0)
        return -1;
    return add_type(module, "Node", &Node_spec);
}

#define METHOD(NAME)                                                                               \
    {                                                                                              \
#        NAME, NAME##_loop, METH_VARARGS, NULL                                                     \
    }

static PyMethodDef module_methods[] = {
    {"no_argument", no_argument, METH_NOARGS, NULL},
    {"one_object", one_object, METH_O, NULL},
    {"two_objects", (PyCFunction)(void (*)(void))two_objects, METH_FASTCALL, NULL},
    {"keywords", (PyCFunction)(void (*)(void))keywords, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"two_longs", two_longs, METH_VARARGS, NULL},
    {"parsed_keywords", (PyCFunction)(void (*)(void))parsed_keywords, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"new_type", new_type, METH_NOARGS, NULL},
    METHOD(dup_close),
    METHOD(is_),
    METHOD(type_),
    METHOD(type_check),
    METHOD(list_check),
    METHOD(unicode_check),
    METHOD(long_check),
    METHOD(callable_check),
    METHOD(long_from_small),
    METHOD(long_from),
    METHOD(long_as),
    METHOD(float_from),
    METHOD(float_as),
    METHOD(unicode_from),
    METHOD(unicode_as),
    METHOD(bytes_from),
    METHOD(bytes_as),
    METHOD(bytes_size),
    METHOD(length),
    METHOD(is_true),
    METHOD(get_item_i),
    METHOD(get_item),
    METHOD(get_item_s),
    METHOD(set_item_i),
    METHOD(set_item),
    METHOD(set_item_s),
    METHOD(contains),
    METHOD(get_attr),
    METHOD(get_attr_s),
    METHOD(set_attr_s),
    METHOD(has_attr_s),
    METHOD(add),
    METHOD(compare),
    METHOD(hash),
    METHOD(tuple_pack),
    METHOD(tuple_builder),
    METHOD(list_builder),
    METHOD(list_append),
    METHOD(dict_new),
    METHOD(call),
    METHOD(call_tuple),
    METHOD(call_method),
    METHOD(err_occurred),
    METHOD(err_set),
    METHOD(tracker),
    METHOD(build_value),
    METHOD(field_store),
    METHOD(field_load),
    METHOD(global_store),
    METHOD(global_load),
    {NULL, NULL, 0, NULL},
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
