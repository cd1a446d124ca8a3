/*
 * For test_abi3.py: types that need most of what the limited API does in another way.
 */
#include <hpy.h>

/* ---- an object with fields, a finalizer and an end ---- */

typedef struct {
    HPyField link;
    long number;
} Node;
HPyType_HELPERS(Node)

static long finalized, destroyed;

HPyDef_SLOT(Node_new, HPy_tp_new)
static HPy Node_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Node *node;
    HPy result = HPy_New(ctx, type, &node);
    if (HPy_IsNull(result))
        return HPy_NULL;
    node->number = (long)nargs + (HPy_IsNull(kw) ? 0 : 100 * (long)HPy_Length(ctx, kw));
    if (nargs > 0)
        HPyField_Store(ctx, result, &node->link, args[nargs - 1]);
    return result;
}

HPyDef_SLOT(Node_traverse, HPy_tp_traverse)
static int Node_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Node *)self)->link);
    return 0;
}

HPyDef_SLOT(Node_finalize, HPy_tp_finalize)
static void Node_finalize_impl(HPyContext *ctx, HPy self)
{
    Node *node = Node_AsStruct(ctx, self);
    HPy link = HPyField_Load(ctx, self, node->link);
    finalized++;
    /* A node that is linked to a list puts itself into the list, once, and so lives on. */
    if (!HPy_IsNull(link) && HPyList_Check(ctx, link) && node->number >= 0) {
        node->number = -1;
        HPyList_Append(ctx, link, self);
    }
    HPy_Close(ctx, link);
}

HPyDef_SLOT(Node_destroy, HPy_tp_destroy)
static void Node_destroy_impl(void *self)
{
    (void)self;
    destroyed++;
}

HPyDef_SLOT(Node_call, HPy_tp_call)
static HPy Node_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy_ssize_t names = HPy_IsNull(kwnames) ? 0 : HPy_Length(ctx, kwnames);
    (void)args;
    return HPy_BuildValue(ctx, "(lnn)", Node_AsStruct(ctx, self)->number, (HPy_ssize_t)nargs,
                          names);
}

HPyDef_MEMBER(Node_number, "number", HPyMember_LONG, offsetof(Node, number))

static HPyDef *Node_defines[] = {
    &Node_new, &Node_traverse, &Node_finalize, &Node_destroy, &Node_call, &Node_number, NULL};
static HPyType_Spec Node_spec = {
    .name = "abi3_types.Node",
    .basicsize = sizeof(Node),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Node),
    .defines = Node_defines,
};

/* ---- structs in objects of builtin types ---- */

typedef struct {
    HPyField object;
} Extra;

#define EXTENDED(NAME, SHAPE_NAME)                                                                 \
    typedef Extra NAME;                                                                            \
    HPyType_HELPERS(NAME, HPyType_BuiltinShape_##SHAPE_NAME)                                       \
    HPyDef_MEMBER(NAME##_object, "object", HPyMember_OBJECT, offsetof(Extra, object))              \
    HPyDef_SLOT_IMPL(NAME##_destroy, Node_destroy_impl, HPy_tp_destroy)                            \
    static HPyDef *NAME##_defines[] = {&NAME##_object, &NAME##_destroy, NULL};                     \
    static HPyType_Spec NAME##_spec = {                                                            \
        .name = "abi3_types." #NAME,                                                               \
        .basicsize = sizeof(Extra),                                                                \
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE,                                       \
        .builtin_shape = SHAPE(NAME),                                                              \
        .defines = NAME##_defines,                                                                 \
    };

EXTENDED(Float, Float)
EXTENDED(Str, Unicode)
EXTENDED(Tuple, Tuple)
EXTENDED(List, List)
EXTENDED(Dict, Dict)

/* ---- the module ---- */

HPyDef_METH(counts, "counts", HPyFunc_NOARGS)
static HPy counts_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPy_BuildValue(ctx, "(ll)", finalized, destroyed);
}

HPyDef_METH(text, "text", HPyFunc_O)
static HPy text_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy_ssize_t size = 0;
    const char *text = HPyUnicode_AsUTF8AndSize(ctx, arg, &size);
    (void)self;
    return text == NULL ? HPy_NULL : HPyBytes_FromStringAndSize(ctx, text, size);
}

HPyDef_METH(call, "call", HPyFunc_KEYWORDS)
static HPy call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    (void)self;
    return HPy_Call(ctx, args[0], args + 1, nargs - 1, kwnames);
}

HPyDef_METH(build, "build", HPyFunc_VARARGS)
static HPy build_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, (HPy_ssize_t)nargs);
    size_t i;
    (void)self;
    for (i = 0; i < nargs; i++)
        HPyTupleBuilder_Set(ctx, builder, (HPy_ssize_t)i, args[i]);
    return HPyTupleBuilder_Build(ctx, builder);
}

static int add(HPyContext *ctx, HPy module, const char *name, HPyType_Spec *spec, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base},
                                  {HPyType_SpecParam_End, HPy_NULL}};
    return HPyHelpers_AddType(ctx, module, name, spec, params) ? 0 : -1;
}

HPyDef_SLOT(exec, HPy_mod_exec)
static int exec_impl(HPyContext *ctx, HPy module)
{
    HPy dict = HPyDict_New(ctx);
    HPy dict_type = HPy_Type(ctx, dict);
    HPy real = HPyFloat_FromDouble(ctx, 0.5);
    HPy float_type = HPy_Type(ctx, real);
    int failed = add(ctx, module, "Node", &Node_spec, ctx->h_BaseObjectType) < 0 ||
                 add(ctx, module, "Float", &Float_spec, float_type) < 0 ||
                 add(ctx, module, "Str", &Str_spec, ctx->h_UnicodeType) < 0 ||
                 add(ctx, module, "Tuple", &Tuple_spec, ctx->h_TupleType) < 0 ||
                 add(ctx, module, "List", &List_spec, ctx->h_ListType) < 0 ||
                 add(ctx, module, "Dict", &Dict_spec, dict_type) < 0;
    HPy_Close(ctx, dict);
    HPy_Close(ctx, dict_type);
    HPy_Close(ctx, real);
    HPy_Close(ctx, float_type);
    return failed ? -1 : 0;
}

static HPyDef *module_defines[] = {&counts, &text, &call, &build, &exec, NULL};
static HPyModuleDef module_def = {.defines = module_defines};
HPy_MODINIT(abi3_types, module_def)
