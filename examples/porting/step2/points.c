/*
 * points, step 2: methods and operators are HPy. What touches `label`, and the buffer, is not yet.
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
HPyType_LEGACY_HELPERS(Point)

static HPyGlobal Point_type;

static bool is_point(HPyContext *ctx, HPy object)
{
    HPy type = HPyGlobal_Load(ctx, Point_type);
    bool result = HPy_TypeCheck(ctx, object, type);
    HPy_Close(ctx, type);
    return result;
}

/* ---- making and releasing points ---- */

/* A new point whose coordinates are zero. */
static HPy make_point(HPyContext *ctx, HPy type, HPy_ssize_t dimensions, Point **result)
{
    Point *point;
    HPy object = HPy_New(ctx, type, &point);
    if (HPy_IsNull(object))
        return HPy_NULL;
    point->label = Py_None;
    Py_INCREF(Py_None);
    point->coords = calloc((size_t)dimensions + 1, sizeof(double));
    if (point->coords == NULL) {
        HPy_Close(ctx, object);
        return HPyErr_NoMemory(ctx);
    }
    point->dimensions = dimensions;
    *result = point;
    return object;
}

/* The same for results of operators. */
static HPy make_plain_point(HPyContext *ctx, HPy_ssize_t dimensions, Point **result)
{
    HPy type = HPyGlobal_Load(ctx, Point_type);
    HPy object = make_point(ctx, type, dimensions, result);
    HPy_Close(ctx, type);
    return object;
}

static bool set_coords(HPyContext *ctx, Point *point, const HPy *coords)
{
    for (HPy_ssize_t i = 0; i < point->dimensions; i++) {
        point->coords[i] = HPyFloat_AsDouble(ctx, coords[i]);
        if (point->coords[i] == -1.0 && HPyErr_Occurred(ctx))
            return false;
    }
    return true;
}

/* Point(*coords, label=None) */
HPyDef_SLOT(Point_new, HPy_tp_new)
static HPy Point_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    static const char *names[] = {"label", NULL};
    HPyTracker tracker;
    HPy label = ctx->h_None;
    /* The keywords alone: positional arguments are any number of coordinates. */
    if (!HPyArg_ParseKeywordsDict(ctx, &tracker, args + nargs, 0, kw, "|$O:Point", names, &label))
        return HPy_NULL;
    Point *point;
    HPy object = make_point(ctx, type, nargs, &point);
    if (!HPy_IsNull(object)) {
        Py_SETREF(point->label, HPy_AsPyObject(ctx, label));
        if (!set_coords(ctx, point, args)) {
            HPy_Close(ctx, object);
            object = HPy_NULL;
        }
    }
    HPyTracker_Close(ctx, tracker);
    return object;
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

HPyDef_GET(Point_coords, "coords", .doc = "the coordinates as a tuple")
static HPy Point_coords_get(HPyContext *ctx, HPy self, void *closure)
{
    Point *point = Point_AsStruct(ctx, self);
    HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, point->dimensions);
    for (HPy_ssize_t i = 0; i < point->dimensions; i++) {
        HPy coord = HPyFloat_FromDouble(ctx, point->coords[i]);
        if (HPy_IsNull(coord)) {
            HPyTupleBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyTupleBuilder_Set(ctx, builder, i, coord);
        HPy_Close(ctx, coord);
    }
    return HPyTupleBuilder_Build(ctx, builder);
}

/* ---- methods ---- */

static bool same_dimensions(HPyContext *ctx, Point *a, Point *b)
{
    if (a->dimensions == b->dimensions)
        return true;
    HPyErr_Format(ctx, ctx->h_ValueError, "points of %zd and %zd dimensions", a->dimensions,
                  b->dimensions);
    return false;
}

HPyDef_METH(Point_distance, "distance", HPyFunc_O, .doc = "the distance to another point")
static HPy Point_distance_impl(HPyContext *ctx, HPy self, HPy other)
{
    if (!is_point(ctx, other))
        return HPyErr_SetString(ctx, ctx->h_TypeError, "distance() needs a Point");
    Point *a = Point_AsStruct(ctx, self), *b = Point_AsStruct(ctx, other);
    if (!same_dimensions(ctx, a, b))
        return HPy_NULL;
    return HPyFloat_FromDouble(ctx, vector_distance(a->coords, b->coords, (size_t)a->dimensions));
}

HPyDef_METH(Point_move, "move", HPyFunc_VARARGS, .doc = "moves the point along an axis")
static HPy Point_move_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    Point *point = Point_AsStruct(ctx, self);
    HPy_ssize_t axis;
    double distance;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "nd:move", &axis, &distance))
        return HPy_NULL;
    if (axis < 0 || axis >= point->dimensions)
        return HPyErr_SetString(ctx, ctx->h_IndexError, "no such axis");
    point->coords[axis] += distance;
    return HPy_Dup(ctx, ctx->h_None);
}

/* For pickle and copy: how to make the point again. */
static PyObject *Point_reduce(PyObject *self, PyObject *noargs)
{
    PyObject *coords = PyObject_GetAttrString(self, "coords");
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
    {"__reduce__", Point_reduce, METH_NOARGS, NULL},
    {"__setstate__", Point_setstate, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* ---- operators ---- */

HPyDef_SLOT(Point_repr, HPy_tp_repr)
static HPy Point_repr_impl(HPyContext *ctx, HPy self)
{
    HPy coords = HPy_GetAttr_s(ctx, self, "coords");
    if (HPy_IsNull(coords))
        return HPy_NULL;
    HPy text = HPyUnicode_FromFormat(ctx, "Point%R", coords);
    HPy_Close(ctx, coords);
    return text;
}

HPyDef_SLOT(Point_richcompare, HPy_tp_richcompare)
static HPy Point_richcompare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    if (!is_point(ctx, other) || (op != HPy_EQ && op != HPy_NE))
        return HPy_Dup(ctx, ctx->h_NotImplemented);
    Point *a = Point_AsStruct(ctx, self), *b = Point_AsStruct(ctx, other);
    bool equal =
        a->dimensions == b->dimensions && vector_equal(a->coords, b->coords, (size_t)a->dimensions);
    return HPyBool_FromBool(ctx, equal == (op == HPy_EQ));
}

/* a + scale * b */
static HPy combine(HPyContext *ctx, HPy left, double scale, HPy right)
{
    if (!is_point(ctx, left) || !is_point(ctx, right))
        return HPy_Dup(ctx, ctx->h_NotImplemented);
    Point *a = Point_AsStruct(ctx, left), *b = Point_AsStruct(ctx, right), *sum;
    if (!same_dimensions(ctx, a, b))
        return HPy_NULL;
    HPy result = make_plain_point(ctx, a->dimensions, &sum);
    if (!HPy_IsNull(result))
        vector_combine(sum->coords, a->coords, scale, b->coords, (size_t)a->dimensions);
    return result;
}

HPyDef_SLOT(Point_add, HPy_nb_add)
static HPy Point_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    return combine(ctx, left, 1, right);
}

HPyDef_SLOT(Point_subtract, HPy_nb_subtract)
static HPy Point_subtract_impl(HPyContext *ctx, HPy left, HPy right)
{
    return combine(ctx, left, -1, right);
}

static HPy scaled(HPyContext *ctx, double scale, Point *point)
{
    Point *product;
    HPy result = make_plain_point(ctx, point->dimensions, &product);
    if (!HPy_IsNull(result))
        vector_scale(product->coords, scale, point->coords, (size_t)point->dimensions);
    return result;
}

/* point * number, number * point */
HPyDef_SLOT(Point_multiply, HPy_nb_multiply)
static HPy Point_multiply_impl(HPyContext *ctx, HPy left, HPy right)
{
    HPy point = is_point(ctx, left) ? left : right;
    HPy number = is_point(ctx, left) ? right : left;
    if (!HPyNumber_Check(ctx, number) || is_point(ctx, number))
        return HPy_Dup(ctx, ctx->h_NotImplemented);
    double scale = HPyFloat_AsDouble(ctx, number);
    if (scale == -1.0 && HPyErr_Occurred(ctx))
        return HPy_NULL;
    return scaled(ctx, scale, Point_AsStruct(ctx, point));
}

HPyDef_SLOT(Point_negative, HPy_nb_negative)
static HPy Point_negative_impl(HPyContext *ctx, HPy self)
{
    return scaled(ctx, -1, Point_AsStruct(ctx, self));
}

HPyDef_SLOT(Point_absolute, HPy_nb_absolute)
static HPy Point_absolute_impl(HPyContext *ctx, HPy self)
{
    Point *point = Point_AsStruct(ctx, self);
    return HPyFloat_FromDouble(ctx, vector_length(point->coords, (size_t)point->dimensions));
}

HPyDef_SLOT(Point_bool, HPy_nb_bool)
static int Point_bool_impl(HPyContext *ctx, HPy self)
{
    Point *point = Point_AsStruct(ctx, self);
    return vector_length(point->coords, (size_t)point->dimensions) != 0;
}

/* ---- sequence and buffer ---- */

HPyDef_SLOT(Point_length, HPy_sq_length)
static HPy_ssize_t Point_length_impl(HPyContext *ctx, HPy self)
{
    return Point_AsStruct(ctx, self)->dimensions;
}

static bool check_index(HPyContext *ctx, Point *point, HPy_ssize_t index)
{
    if (index >= 0 && index < point->dimensions)
        return true;
    HPyErr_SetString(ctx, ctx->h_IndexError, "no such coordinate");
    return false;
}

HPyDef_SLOT(Point_item, HPy_sq_item)
static HPy Point_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index)
{
    Point *point = Point_AsStruct(ctx, self);
    if (!check_index(ctx, point, index))
        return HPy_NULL;
    return HPyFloat_FromDouble(ctx, point->coords[index]);
}

HPyDef_SLOT(Point_set_item, HPy_sq_ass_item)
static int Point_set_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index, HPy value)
{
    Point *point = Point_AsStruct(ctx, self);
    if (!check_index(ctx, point, index))
        return -1;
    if (HPy_IsNull(value)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "coordinates cannot be deleted");
        return -1;
    }
    double coord = HPyFloat_AsDouble(ctx, value);
    if (coord == -1.0 && HPyErr_Occurred(ctx))
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
    {Py_tp_traverse, (void *)Point_traverse},
    {Py_tp_clear, (void *)Point_clear},
    {Py_tp_dealloc, (void *)Point_dealloc},
    {Py_tp_members, Point_members},
    {Py_tp_methods, Point_methods},
    {Py_bf_getbuffer, (void *)Point_getbuffer},
    {0, NULL},
};

static HPyDef *Point_defines[] = {
    &Point_new,      &Point_coords,   &Point_distance,    &Point_move,
    &Point_repr,     &Point_add,      &Point_subtract,    &Point_multiply,
    &Point_negative, &Point_absolute, &Point_bool,        &Point_length,
    &Point_item,     &Point_set_item, &Point_richcompare, NULL,
};

static HPyType_Spec Point_spec = {
    .name = "points.Point",
    .doc = "Point(*coords, label=None)",
    .basicsize = sizeof(Point),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Point),
    .legacy_slots = Point_slots,
    .defines = Point_defines,
};

/* ---- the module ---- */

/* Adds a part of a point to the sum, which the first point makes. */
static bool add_part(HPyContext *ctx, HPy *result, Point **sum, HPy item, double part)
{
    if (!is_point(ctx, item)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "centroid() needs a sequence of Points");
        return false;
    }
    Point *point = Point_AsStruct(ctx, item);
    if (HPy_IsNull(*result))
        *result = make_plain_point(ctx, point->dimensions, sum);
    if (HPy_IsNull(*result) || !same_dimensions(ctx, *sum, point))
        return false;
    vector_combine((*sum)->coords, (*sum)->coords, part, point->coords, (size_t)point->dimensions);
    return true;
}

/* The mean of the points of a sequence. */
HPyDef_METH(centroid, "centroid", HPyFunc_O, .doc = "the mean of the points of a sequence")
static HPy centroid_impl(HPyContext *ctx, HPy module, HPy points)
{
    HPy result = HPy_NULL;
    Point *sum = NULL;
    HPy_ssize_t count = HPy_Length(ctx, points);
    if (count == 0)
        HPyErr_SetString(ctx, ctx->h_ValueError, "the centroid of no points");
    for (HPy_ssize_t i = 0; i < count; i++) {
        HPy item = HPy_GetItem_i(ctx, points, i);
        bool added = !HPy_IsNull(item) && add_part(ctx, &result, &sum, item, 1.0 / (double)count);
        HPy_Close(ctx, item);
        if (!added) {
            HPy_Close(ctx, result);
            return HPy_NULL;
        }
    }
    return result;
}

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    HPy type = HPyType_FromSpec(ctx, &Point_spec, NULL);
    if (HPy_IsNull(type))
        return -1;
    HPyGlobal_Store(ctx, &Point_type, type);
    int status = HPy_SetAttr_s(ctx, module, "Point", type);
    HPy_Close(ctx, type);
    return status;
}

static HPyDef *module_defines[] = {&centroid, &module_exec, NULL};
static HPyGlobal *module_globals[] = {&Point_type, NULL};

static HPyModuleDef module_def = {
    .doc = "Points with any number of dimensions.",
    .defines = module_defines,
    .globals = module_globals,
};

HPy_MODINIT(points, module_def)
