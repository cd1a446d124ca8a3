/*
 * What `cargo xtask bench micro` counts the instructions of, written for HPy; `cmicro.c` is the
 * same for the Python/C API.
 */
#include <hpy.h>

HPyDef_METH(no_argument, "no_argument", HPyFunc_NOARGS)
static HPy no_argument_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(one_object, "one_object", HPyFunc_O)
static HPy one_object_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    return HPy_Dup(ctx, arg);
}

HPyDef_METH(two_longs, "two_longs", HPyFunc_VARARGS)
static HPy two_longs_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    long a, b;
    (void)self;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "ll", &a, &b))
        return HPy_NULL;
    return HPyLong_FromLong(ctx, a + b);
}

/* ---- a type ---- */

typedef struct {
    long x;
    long y;
} Point;

HPyType_HELPERS(Point)

HPyDef_SLOT(Point_new, HPy_tp_new)
static HPy Point_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Point *point;
    HPy self = HPy_New(ctx, type, &point);
    (void)args;
    (void)nargs;
    (void)kw;
    if (HPy_IsNull(self))
        return HPy_NULL;
    point->x = 1;
    point->y = 2;
    return self;
}

HPyDef_SLOT(Point_add, HPy_nb_add)
static HPy Point_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    (void)right;
    return HPy_Dup(ctx, left);
}

HPyDef_METH(Point_sum, "sum", HPyFunc_NOARGS)
static HPy Point_sum_impl(HPyContext *ctx, HPy self)
{
    Point *point = Point_AsStruct(ctx, self);
    return HPyLong_FromLong(ctx, point->x + point->y);
}

HPyDef_GET(Point_double, "double")
static HPy Point_double_get(HPyContext *ctx, HPy self, void *closure)
{
    (void)closure;
    return HPyLong_FromLong(ctx, 2 * Point_AsStruct(ctx, self)->x);
}

HPyDef_MEMBER(Point_x, "x", HPyMember_LONG, offsetof(Point, x))
HPyDef_MEMBER(Point_y, "y", HPyMember_LONG, offsetof(Point, y))

static HPyDef *Point_defines[] = {&Point_new, &Point_add, &Point_sum, &Point_double,
                                  &Point_x,   &Point_y,   NULL};

static HPyType_Spec Point_spec = {
    .name = "hpymicro.Point",
    .basicsize = sizeof(Point),
    .flags = HPy_TPFLAGS_DEFAULT,
    .builtin_shape = SHAPE(Point),
    .defines = Point_defines,
};

HPyDef_METH(new_type, "new_type", HPyFunc_NOARGS)
static HPy new_type_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyType_FromSpec(ctx, &Point_spec, NULL);
}

/* ---- loops over one function of the API ---- */

HPyDef_METH(get_item, "get_item", HPyFunc_VARARGS)
static HPy get_item_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy list;
    long times;
    (void)self;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "Ol", &list, &times))
        return HPy_NULL;
    while (times-- > 0) {
        HPy item = HPy_GetItem_i(ctx, list, 3);
        if (HPy_IsNull(item))
            return HPy_NULL;
        HPy_Close(ctx, item);
    }
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(set_item, "set_item", HPyFunc_VARARGS)
static HPy set_item_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy list;
    long times;
    (void)self;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "Ol", &list, &times))
        return HPy_NULL;
    while (times-- > 0) {
        if (HPy_SetItem_i(ctx, list, 3, ctx->h_None) < 0)
            return HPy_NULL;
    }
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(get_attr, "get_attr", HPyFunc_VARARGS)
static HPy get_attr_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy object, name;
    long times;
    (void)self;
    if (!HPyArg_Parse(ctx, NULL, args, nargs, "OOl", &object, &name, &times))
        return HPy_NULL;
    while (times-- > 0) {
        HPy value = HPy_GetAttr(ctx, object, name);
        if (HPy_IsNull(value))
            return HPy_NULL;
        HPy_Close(ctx, value);
    }
    return HPy_Dup(ctx, ctx->h_None);
}

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    return HPyHelpers_AddType(ctx, module, "Point", &Point_spec, NULL) ? 0 : -1;
}

static HPyDef *module_defines[] = {&no_argument, &one_object, &two_longs,   &new_type, &get_item,
                                   &set_item,    &get_attr,   &module_exec, NULL};

static HPyModuleDef module_def = {.doc = "Small functions to measure.", .defines = module_defines};

HPy_MODINIT(hpymicro, module_def)
