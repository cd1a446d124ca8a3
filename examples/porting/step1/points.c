/*
 * points, step 1: a module of HPy with the functions of step 0, which are as they were.
 */
#include <hpy.h>
#include <structmember.h>

#include "../vector.h"

typedef struct {
    PyObject_HEAD
    Py_ssize_t dimensions;
    double *coords;
    PyObject *label;
} Point;

static PyTypeObject *Point_type;

static bool is_point(PyObject *object)
{
    return PyObject_TypeCheck(object, Point_type);
}

/* ---- making and releasing points ---- */

/* A new point whose coordinates are zero. */
static Point *make_point(PyTypeObject *type, Py_ssize_t dimensions)
{
    Point *point = (Point *)type->tp_alloc(type, 0);
    if (point == NULL)
        return NULL;
    point->label = Py_None;
    Py_INCREF(Py_None);
    point->coords = calloc((size_t)dimensions + 1, sizeof(double));
    if (point->coords == NULL) {
        Py_DECREF(point);
        PyErr_NoMemory();
        return NULL;
    }
    point->dimensions = dimensions;
    return point;
}

/* Point(*coords, label=None) */
static PyObject *Point_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"label", NULL};
    PyObject *label = Py_None;
    PyObject *positional = PyTuple_New(0);
    if (positional == NULL)
        return NULL;
    int parsed = PyArg_ParseTupleAndKeywords(positional, kwds, "|$O:Point", names, &label);
    Py_DECREF(positional);
    if (!parsed)
        return NULL;
    Point *point = make_point(type, PyTuple_GET_SIZE(args));
    if (point == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < point->dimensions; i++) {
        point->coords[i] = PyFloat_AsDouble(PyTuple_GET_ITEM(args, i));
        if (point->coords[i] == -1.0 && PyErr_Occurred()) {
            Py_DECREF(point);
            return NULL;
        }
    }
    Py_INCREF(label);
    Py_SETREF(point->label, label);
    return (PyObject *)point;
}

static int Point_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Point *)self)->label);
    return 0;
}

static int Point_clear(PyObject *self)
{
    Py_CLEAR(((Point *)self)->label);
    return 0;
}

static void Point_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Point *)self)->label);
    free(((Point *)self)->coords);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- attributes ---- */

static PyMemberDef Point_members[] = {
    {"dimensions", T_PYSSIZET, offsetof(Point, dimensions), READONLY, "how many coordinates"},
    {"label", T_OBJECT, offsetof(Point, label), 0, "any object"},
    {NULL, 0, 0, 0, NULL},
};

static PyObject *Point_get_coords(PyObject *self, void *closure)
{
    Point *point = (Point *)self;
    PyObject *result = PyTuple_New(point->dimensions);
    for (Py_ssize_t i = 0; result != NULL && i < point->dimensions; i++) {
        PyObject *coord = PyFloat_FromDouble(point->coords[i]);
        if (coord == NULL)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, coord);
    }
    return result;
}

static PyGetSetDef Point_getset[] = {
    {"coords", Point_get_coords, NULL, "the coordinates as a tuple", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- methods ---- */

static bool same_dimensions(Point *a, Point *b)
{
    if (a->dimensions == b->dimensions)
        return true;
    PyErr_Format(PyExc_ValueError, "points of %zd and %zd dimensions", a->dimensions,
                 b->dimensions);
    return false;
}

static PyObject *Point_distance(PyObject *self, PyObject *other)
{
    if (!is_point(other)) {
        PyErr_SetString(PyExc_TypeError, "distance() needs a Point");
        return NULL;
    }
    Point *a = (Point *)self, *b = (Point *)other;
    if (!same_dimensions(a, b))
        return NULL;
    return PyFloat_FromDouble(vector_distance(a->coords, b->coords, (size_t)a->dimensions));
}

static PyObject *Point_move(PyObject *self, PyObject *args)
{
    Point *point = (Point *)self;
    Py_ssize_t axis;
    double distance;
    if (!PyArg_ParseTuple(args, "nd:move", &axis, &distance))
        return NULL;
    if (axis < 0 || axis >= point->dimensions) {
        PyErr_SetString(PyExc_IndexError, "no such axis");
        return NULL;
    }
    point->coords[axis] += distance;
    Py_RETURN_NONE;
}

/* For pickle and copy: how to make the point again. */
static PyObject *Point_reduce(PyObject *self, PyObject *noargs)
{
    PyObject *coords = Point_get_coords(self, NULL);
    if (coords == NULL)
        return NULL;
    return Py_BuildValue("(ON(O))", Py_TYPE(self), coords, ((Point *)self)->label);
}

static PyObject *Point_setstate(PyObject *self, PyObject *state)
{
    PyObject *label;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "__setstate__() needs a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "O:__setstate__", &label))
        return NULL;
    Py_INCREF(label);
    Py_SETREF(((Point *)self)->label, label);
    Py_RETURN_NONE;
}

static PyMethodDef Point_methods[] = {
    {"distance", Point_distance, METH_O, "the distance to another point"},
    {"move", Point_move, METH_VARARGS, "moves the point along an axis"},
    {"__reduce__", Point_reduce, METH_NOARGS, NULL},
    {"__setstate__", Point_setstate, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* ---- operators ---- */

static PyObject *Point_repr(PyObject *self)
{
    PyObject *coords = Point_get_coords(self, NULL);
    if (coords == NULL)
        return NULL;
    PyObject *text = PyUnicode_FromFormat("Point%R", coords);
    Py_DECREF(coords);
    return text;
}

static PyObject *Point_richcompare(PyObject *self, PyObject *other, int op)
{
    if (!is_point(other) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    Point *a = (Point *)self, *b = (Point *)other;
    bool equal =
        a->dimensions == b->dimensions && vector_equal(a->coords, b->coords, (size_t)a->dimensions);
    return PyBool_FromLong(equal == (op == Py_EQ));
}

/* a + scale * b */
static PyObject *combine(PyObject *left, double scale, PyObject *right)
{
    if (!is_point(left) || !is_point(right))
        Py_RETURN_NOTIMPLEMENTED;
    Point *a = (Point *)left, *b = (Point *)right;
    if (!same_dimensions(a, b))
        return NULL;
    Point *result = make_point(Point_type, a->dimensions);
    if (result != NULL)
        vector_combine(result->coords, a->coords, scale, b->coords, (size_t)a->dimensions);
    return (PyObject *)result;
}

static PyObject *Point_add(PyObject *left, PyObject *right)
{
    return combine(left, 1, right);
}

static PyObject *Point_subtract(PyObject *left, PyObject *right)
{
    return combine(left, -1, right);
}

static PyObject *scaled(double scale, Point *point)
{
    Point *result = make_point(Point_type, point->dimensions);
    if (result != NULL)
        vector_scale(result->coords, scale, point->coords, (size_t)point->dimensions);
    return (PyObject *)result;
}

/* point * number, number * point */
static PyObject *Point_multiply(PyObject *left, PyObject *right)
{
    PyObject *point = is_point(left) ? left : right;
    PyObject *number = is_point(left) ? right : left;
    if (!PyNumber_Check(number) || is_point(number))
        Py_RETURN_NOTIMPLEMENTED;
    double scale = PyFloat_AsDouble(number);
    if (scale == -1.0 && PyErr_Occurred())
        return NULL;
    return scaled(scale, (Point *)point);
}

static PyObject *Point_negative(PyObject *self)
{
    return scaled(-1, (Point *)self);
}

static PyObject *Point_absolute(PyObject *self)
{
    Point *point = (Point *)self;
    return PyFloat_FromDouble(vector_length(point->coords, (size_t)point->dimensions));
}

static int Point_bool(PyObject *self)
{
    Point *point = (Point *)self;
    return vector_length(point->coords, (size_t)point->dimensions) != 0;
}

/* ---- sequence and buffer ---- */

static Py_ssize_t Point_length(PyObject *self)
{
    return ((Point *)self)->dimensions;
}

static bool check_index(Point *point, Py_ssize_t index)
{
    if (index >= 0 && index < point->dimensions)
        return true;
    PyErr_SetString(PyExc_IndexError, "no such coordinate");
    return false;
}

static PyObject *Point_item(PyObject *self, Py_ssize_t index)
{
    Point *point = (Point *)self;
    return check_index(point, index) ? PyFloat_FromDouble(point->coords[index]) : NULL;
}

static int Point_set_item(PyObject *self, Py_ssize_t index, PyObject *value)
{
    Point *point = (Point *)self;
    if (!check_index(point, index))
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "coordinates cannot be deleted");
        return -1;
    }
    double coord = PyFloat_AsDouble(value);
    if (coord == -1.0 && PyErr_Occurred())
        return -1;
    point->coords[index] = coord;
    return 0;
}

static int Point_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    Point *point = (Point *)self;
    view->buf = point->coords;
    view->len = point->dimensions * (Py_ssize_t)sizeof(double);
    view->itemsize = sizeof(double);
    view->readonly = 0;
    view->ndim = 1;
    view->format = (flags & PyBUF_FORMAT) ? "d" : NULL;
    view->shape = (flags & PyBUF_ND) ? &point->dimensions : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    view->obj = self;
    Py_INCREF(self);
    return 0;
}

/* ---- the type ---- */

static PyType_Slot Point_slots[] = {
    {Py_tp_doc, "Point(*coords, label=None)"},
    {Py_tp_new, (void *)Point_new},
    {Py_tp_traverse, (void *)Point_traverse},
    {Py_tp_clear, (void *)Point_clear},
    {Py_tp_dealloc, (void *)Point_dealloc},
    {Py_tp_members, Point_members},
    {Py_tp_getset, Point_getset},
    {Py_tp_methods, Point_methods},
    {Py_tp_repr, (void *)Point_repr},
    {Py_tp_richcompare, (void *)Point_richcompare},
    {Py_nb_add, (void *)Point_add},
    {Py_nb_subtract, (void *)Point_subtract},
    {Py_nb_multiply, (void *)Point_multiply},
    {Py_nb_negative, (void *)Point_negative},
    {Py_nb_absolute, (void *)Point_absolute},
    {Py_nb_bool, (void *)Point_bool},
    {Py_sq_length, (void *)Point_length},
    {Py_sq_item, (void *)Point_item},
    {Py_sq_ass_item, (void *)Point_set_item},
    {Py_bf_getbuffer, (void *)Point_getbuffer},
    {0, NULL},
};

static HPyType_Spec Point_spec = {
    .name = "points.Point",
    .basicsize = sizeof(Point),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = HPyType_BuiltinShape_Legacy,
    .legacy_slots = Point_slots,
};

/* ---- the module ---- */

/* Adds a part of a point to the sum, which the first point makes. */
static bool add_part(Point **sum, PyObject *item, double part)
{
    if (!is_point(item)) {
        PyErr_SetString(PyExc_TypeError, "centroid() needs a sequence of Points");
        return false;
    }
    Point *point = (Point *)item;
    if (*sum == NULL)
        *sum = make_point(Point_type, point->dimensions);
    if (*sum == NULL || !same_dimensions(*sum, point))
        return false;
    vector_combine((*sum)->coords, (*sum)->coords, part, point->coords, (size_t)point->dimensions);
    return true;
}

/* The mean of the points of a sequence. */
static PyObject *centroid(PyObject *module, PyObject *points)
{
    Point *sum = NULL;
    Py_ssize_t count = PySequence_Size(points);
    if (count == 0)
        PyErr_SetString(PyExc_ValueError, "the centroid of no points");
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(points, i);
        bool added = item != NULL && add_part(&sum, item, 1.0 / (double)count);
        Py_XDECREF(item);
        if (!added) {
            Py_XDECREF(sum);
            return NULL;
        }
    }
    return (PyObject *)sum;
}

static PyMethodDef module_methods[] = {
    {"centroid", centroid, METH_O, "the mean of the points of a sequence"},
    {NULL, NULL, 0, NULL},
};

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    HPy type = HPyType_FromSpec(ctx, &Point_spec, NULL);
    if (HPy_IsNull(type))
        return -1;
    Point_type = (PyTypeObject *)HPy_AsPyObject(ctx, type);
    int status = HPy_SetAttr_s(ctx, module, "Point", type);
    HPy_Close(ctx, type);
    return status;
}

static HPyDef *module_defines[] = {&module_exec, NULL};

static HPyModuleDef module_def = {
    .doc = "Points with any number of dimensions.",
    .legacy_methods = module_methods,
    .defines = module_defines,
};

HPy_MODINIT(points, module_def)
