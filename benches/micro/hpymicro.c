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

HPyDef_METH(two_objects, "two_objects", HPyFunc_VARARGS)
static HPy two_objects_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    (void)self;
    return HPy_Dup(ctx, args[nargs - 1]);
}

HPyDef_METH(keywords, "keywords", HPyFunc_KEYWORDS)
static HPy keywords_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy names)
{
    (void)self;
    return HPy_Dup(ctx, args[nargs - 1 + (HPy_IsNull(names) ? 0 : HPy_Length(ctx, names))]);
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

HPyDef_METH(parsed_keywords, "parsed_keywords", HPyFunc_KEYWORDS)
static HPy parsed_keywords_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kw)
{
    static const char *names[] = {"a", "b", NULL};
    long a, b;
    (void)self;
    if (!HPyArg_ParseKeywords(ctx, NULL, args, nargs, kw, "ll", names, &a, &b))
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

HPyDef_SLOT(Point_init, HPy_tp_init)
static int Point_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    (void)args;
    (void)nargs;
    (void)kw;
    Point_AsStruct(ctx, self)->x = 3;
    return 0;
}

HPyDef_SLOT(Point_add, HPy_nb_add)
static HPy Point_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    (void)right;
    return HPy_Dup(ctx, left);
}

HPyDef_SLOT(Point_negative, HPy_nb_negative)
static HPy Point_negative_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}

HPyDef_SLOT(Point_bool, HPy_nb_bool)
static int Point_bool_impl(HPyContext *ctx, HPy self)
{
    return Point_AsStruct(ctx, self)->x != 0;
}

HPyDef_SLOT(Point_hash, HPy_tp_hash)
static HPy_hash_t Point_hash_impl(HPyContext *ctx, HPy self)
{
    return Point_AsStruct(ctx, self)->x;
}

HPyDef_SLOT(Point_compare, HPy_tp_richcompare)
static HPy Point_compare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    (void)op;
    return HPyBool_FromLong(ctx, HPy_Is(ctx, self, other));
}

HPyDef_SLOT(Point_length, HPy_sq_length)
static HPy_ssize_t Point_length_impl(HPyContext *ctx, HPy self)
{
    return Point_AsStruct(ctx, self)->y;
}

HPyDef_SLOT(Point_item, HPy_sq_item)
static HPy Point_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index)
{
    (void)index;
    return HPy_Dup(ctx, self);
}

HPyDef_SLOT(Point_contains, HPy_sq_contains)
static int Point_contains_impl(HPyContext *ctx, HPy self, HPy object)
{
    return HPy_Is(ctx, self, object);
}

HPyDef_SLOT(Point_subscript, HPy_mp_subscript)
static HPy Point_subscript_impl(HPyContext *ctx, HPy self, HPy key)
{
    (void)self;
    return HPy_Dup(ctx, key);
}

HPyDef_SLOT(Point_set_subscript, HPy_mp_ass_subscript)
static int Point_set_subscript_impl(HPyContext *ctx, HPy self, HPy key, HPy value)
{
    (void)ctx;
    (void)self;
    (void)key;
    (void)value;
    return 0;
}

HPyDef_METH(Point_sum, "sum", HPyFunc_NOARGS)
static HPy Point_sum_impl(HPyContext *ctx, HPy self)
{
    Point *point = Point_AsStruct(ctx, self);
    return HPyLong_FromLong(ctx, point->x + point->y);
}

HPyDef_GETSET(Point_double, "double")
static HPy Point_double_get(HPyContext *ctx, HPy self, void *closure)
{
    (void)closure;
    return HPyLong_FromLong(ctx, 2 * Point_AsStruct(ctx, self)->x);
}
static int Point_double_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    (void)ctx;
    (void)self;
    (void)value;
    (void)closure;
    return 0;
}

HPyDef_MEMBER(Point_x, "x", HPyMember_LONG, offsetof(Point, x))
HPyDef_MEMBER(Point_y, "y", HPyMember_LONG, offsetof(Point, y))

static HPyDef *Point_defines[] = {
    &Point_new,  &Point_init,     &Point_add,       &Point_negative,
    &Point_bool, &Point_hash,     &Point_compare,   &Point_length,
    &Point_item, &Point_contains, &Point_subscript, &Point_set_subscript,
    &Point_sum,  &Point_double,   &Point_x,         &Point_y,
    NULL};

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

/* A type with a field, which the collector knows, and that can be called. */
typedef struct {
    HPyField value;
} Node;

HPyType_HELPERS(Node)

HPyDef_SLOT(Node_new, HPy_tp_new)
static HPy Node_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Node *node;
    (void)args;
    (void)nargs;
    (void)kw;
    return HPy_New(ctx, type, &node);
}

HPyDef_SLOT(Node_call, HPy_tp_call)
static HPy Node_call_impl(HPyContext *ctx, HPy callable, const HPy *args, size_t nargs, HPy names)
{
    (void)callable;
    (void)nargs;
    (void)names;
    return HPy_Dup(ctx, args[0]);
}

HPyDef_SLOT(Node_traverse, HPy_tp_traverse)
static int Node_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Node *)self)->value);
    return 0;
}

static HPyDef *Node_defines[] = {&Node_new, &Node_call, &Node_traverse, NULL};

static HPyType_Spec Node_spec = {
    .name = "hpymicro.Node",
    .basicsize = sizeof(Node),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Node),
    .defines = Node_defines,
};

/* ---- loops over one function of the API ---- */

static HPyGlobal global;

#define LOOP(NAME, ...)                                                                            \
    HPyDef_METH(NAME, #NAME, HPyFunc_VARARGS)                                                      \
    static HPy NAME##_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)               \
    {                                                                                              \
        HPy a, b;                                                                                  \
        long times, count = 0;                                                                     \
        (void)self;                                                                                \
        if (!HPyArg_Parse(ctx, NULL, args, nargs, "OOl", &a, &b, &times))                          \
            return HPy_NULL;                                                                       \
        while (times-- > 0) {                                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        return HPyLong_FromLong(ctx, count);                                                       \
    }

#define CLOSE(HANDLE)                                                                              \
    HPy r = HANDLE;                                                                                \
    if (HPy_IsNull(r))                                                                             \
        return HPy_NULL;                                                                           \
    HPy_Close(ctx, r);

#define CLOSE_AFTER(HANDLE, STATUS)                                                                \
    HPy r = HANDLE;                                                                                \
    if (HPy_IsNull(r) || STATUS < 0)                                                               \
        return HPy_NULL;                                                                           \
    HPy_Close(ctx, r);

#define CHECK(STATUS)                                                                              \
    if (STATUS < 0)                                                                                \
        return HPy_NULL;

LOOP(dup_close, HPy_Close(ctx, HPy_Dup(ctx, a));)
LOOP(is_, count += HPy_Is(ctx, a, b);)
LOOP(type_, HPy_Close(ctx, HPy_Type(ctx, a));)
LOOP(type_check, count += HPy_TypeCheck(ctx, a, b);)
LOOP(list_check, count += HPyList_Check(ctx, a);)
LOOP(unicode_check, count += HPyUnicode_Check(ctx, a);)
LOOP(long_check, count += HPy_TypeCheck(ctx, a, ctx->h_LongType);)
LOOP(callable_check, count += HPyCallable_Check(ctx, a);)
LOOP(long_from_small, CLOSE(HPyLong_FromLong(ctx, times & 15)))
LOOP(long_from, CLOSE(HPyLong_FromLong(ctx, times + 1000)))
LOOP(long_as, count += HPyLong_AsLong(ctx, a);)
LOOP(float_from, CLOSE(HPyFloat_FromDouble(ctx, (double)times)))
LOOP(float_as, count += (long)HPyFloat_AsDouble(ctx, a);)
LOOP(unicode_from, CLOSE(HPyUnicode_FromString(ctx, "twelve bytes")))
LOOP(unicode_as, HPy_ssize_t size;
     if (HPyUnicode_AsUTF8AndSize(ctx, a, &size) == NULL) return HPy_NULL; count += size;)
LOOP(bytes_from, CLOSE(HPyBytes_FromStringAndSize(ctx, "twelve bytes", 12)))
LOOP(bytes_as, count += *HPyBytes_AsString(ctx, a);)
LOOP(bytes_size, count += HPyBytes_Size(ctx, a);)
LOOP(length, count += HPy_Length(ctx, a);)
LOOP(is_true, count += HPy_IsTrue(ctx, a);)
LOOP(get_item_i, CLOSE(HPy_GetItem_i(ctx, a, 3)))
LOOP(get_item, CLOSE(HPy_GetItem(ctx, a, b)))
LOOP(get_item_s, CLOSE(HPy_GetItem_s(ctx, a, "attribute")))
LOOP(set_item_i, CHECK(HPy_SetItem_i(ctx, a, 3, b)))
LOOP(set_item, CHECK(HPy_SetItem(ctx, a, b, b)))
LOOP(set_item_s, CHECK(HPy_SetItem_s(ctx, a, "attribute", b)))
LOOP(contains, count += HPy_Contains(ctx, a, b);)
LOOP(get_attr, CLOSE(HPy_GetAttr(ctx, a, b)))
LOOP(get_attr_s, CLOSE(HPy_GetAttr_s(ctx, a, "attribute")))
LOOP(set_attr_s, CHECK(HPy_SetAttr_s(ctx, a, "attribute", b)))
LOOP(has_attr_s, count += HPy_HasAttr_s(ctx, a, "attribute");)
LOOP(add, CLOSE(HPy_Add(ctx, a, b)))
LOOP(compare, count += HPy_RichCompareBool(ctx, a, b, HPy_LT);)
LOOP(hash, count += HPy_Hash(ctx, a);)
LOOP(tuple_pack, CLOSE(HPyTuple_Pack(ctx, 2, a, b)))
LOOP(tuple_builder, HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, 3);
     for (HPy_ssize_t i = 0; i < 3; i++) HPyTupleBuilder_Set(ctx, builder, i, a);
     CLOSE(HPyTupleBuilder_Build(ctx, builder)))
LOOP(list_builder, HPyListBuilder builder = HPyListBuilder_New(ctx, 3);
     for (HPy_ssize_t i = 0; i < 3; i++) HPyListBuilder_Set(ctx, builder, i, a);
     CLOSE(HPyListBuilder_Build(ctx, builder)))
LOOP(list_append, CLOSE_AFTER(HPyList_New(ctx, 0), HPyList_Append(ctx, r, a)))
LOOP(dict_new, CLOSE(HPyDict_New(ctx)))
LOOP(call, CLOSE(HPy_Call(ctx, a, &b, 1, HPy_NULL)))
LOOP(call_tuple, CLOSE(HPy_CallTupleDict(ctx, a, b, HPy_NULL)))
LOOP(call_method, CLOSE(HPy_CallMethod(ctx, b, &a, 1, HPy_NULL)))
LOOP(err_occurred, count += HPyErr_Occurred(ctx);)
LOOP(err_set, HPyErr_SetString(ctx, ctx->h_ValueError, "no"); HPyErr_Clear(ctx);)
LOOP(tracker, HPyTracker tracker = HPyTracker_New(ctx, 3); for (int i = 0; i < 3; i++)
         CHECK(HPyTracker_Add(ctx, tracker, HPy_Dup(ctx, a))) HPyTracker_Close(ctx, tracker);)
LOOP(build_value, CLOSE(HPy_BuildValue(ctx, "(ii)", 1000, 2000)))
LOOP(field_store, HPyField_Store(ctx, a, &Node_AsStruct(ctx, a)->value, b);)
LOOP(field_load, CLOSE(HPyField_Load(ctx, a, Node_AsStruct(ctx, a)->value)))
LOOP(global_store, HPyGlobal_Store(ctx, &global, b);)
LOOP(global_load, CLOSE(HPyGlobal_Load(ctx, global)))

/* ---- the module ---- */

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    return HPyHelpers_AddType(ctx, module, "Point", &Point_spec, NULL) &&
                   HPyHelpers_AddType(ctx, module, "Node", &Node_spec, NULL)
               ? 0
               : -1;
}

static HPyDef *module_defines[] = {&no_argument,
                                   &one_object,
                                   &two_objects,
                                   &keywords,
                                   &two_longs,
                                   &parsed_keywords,
                                   &new_type,
                                   &module_exec,
                                   &dup_close,
                                   &is_,
                                   &type_,
                                   &type_check,
                                   &list_check,
                                   &unicode_check,
                                   &long_check,
                                   &callable_check,
                                   &long_from_small,
                                   &long_from,
                                   &long_as,
                                   &float_from,
                                   &float_as,
                                   &unicode_from,
                                   &unicode_as,
                                   &bytes_from,
                                   &bytes_as,
                                   &bytes_size,
                                   &length,
                                   &is_true,
                                   &get_item_i,
                                   &get_item,
                                   &get_item_s,
                                   &set_item_i,
                                   &set_item,
                                   &set_item_s,
                                   &contains,
                                   &get_attr,
                                   &get_attr_s,
                                   &set_attr_s,
                                   &has_attr_s,
                                   &add,
                                   &compare,
                                   &hash,
                                   &tuple_pack,
                                   &tuple_builder,
                                   &list_builder,
                                   &list_append,
                                   &dict_new,
                                   &call,
                                   &call_tuple,
                                   &call_method,
                                   &err_occurred,
                                   &err_set,
                                   &tracker,
                                   &build_value,
                                   &field_store,
                                   &field_load,
                                   &global_store,
                                   &global_load,
                                   NULL};

static HPyGlobal *module_globals[] = {&global, NULL};

static HPyModuleDef module_def = {
    .doc = "Small functions to measure.",
    .defines = module_defines,
    .globals = module_globals,
};

HPy_MODINIT(hpymicro, module_def)
