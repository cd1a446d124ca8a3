/*
 * What PyPy 7.3 does otherwise, each in a few lines: compiled with the headers that lie in PyPy's
 * own library, and loaded by PyPy alone. pypy7.3.py says what is to be seen.
 */
#include <hpy.h>

#define METHOD(NAME)                                                                               \
    HPyDef_METH(NAME, #NAME, HPyFunc_VARARGS)                                                      \
    static HPy NAME##_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)

/* A struct with a number and a field. */
typedef struct {
    unsigned long long number;
    HPyField link;
} Plain;

static long destroyed;

HPyDef_MEMBER(Plain_number, "number", HPyMember_ULONGLONG, offsetof(Plain, number))
HPyDef_MEMBER(Plain_link, "link", HPyMember_OBJECT, offsetof(Plain, link))
HPyDef_SLOT(Plain_new, HPy_tp_new)
static HPy Plain_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t n, HPy kw)
{
    void *data;
    return _HPy_New(ctx, type, &data);
}
HPyDef_SLOT(Plain_traverse, HPy_tp_traverse)
static int Plain_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Plain *)self)->link);
    return 0;
}
HPyDef_SLOT(Plain_destroy, HPy_tp_destroy)
static void Plain_destroy_impl(void *self)
{
    (void)self;
    destroyed++;
}
HPyDef_GETSET(Plain_stays, "stays")
static HPy Plain_stays_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPy_Dup(ctx, ctx->h_None);
}
static int Plain_stays_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    HPyErr_SetString(ctx, ctx->h_LookupError, "the setter");
    return -1;
}
HPyDef_GET(Plain_only_read, "only_read")
static HPy Plain_only_read_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPy_Dup(ctx, ctx->h_None);
}
static HPyDef *Plain_defines[] = {&Plain_number,  &Plain_link,  &Plain_new,       &Plain_traverse,
                                  &Plain_destroy, &Plain_stays, &Plain_only_read, NULL};
static HPyType_Spec Plain_spec = {
    .name = "proofs.Plain",
    .basicsize = sizeof(Plain),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = Plain_defines,
};

/* A type with a struct over a builtin, of the builtin's shape or of another. */
HPyDef_METH(Shaped_load, "load", HPyFunc_NOARGS)
static HPy Shaped_load_impl(HPyContext *ctx, HPy self)
{
    Plain *data = ctx->ctx_AsStruct_Long(ctx, self);
    return HPyLong_FromUnsignedLongLong(ctx, data->number);
}
HPyDef_METH(Shaped_store, "store", HPyFunc_O)
static HPy Shaped_store_impl(HPyContext *ctx, HPy self, HPy value)
{
    Plain *data = ctx->ctx_AsStruct_Type(ctx, self);
    HPyField_Store(ctx, self, &data->link, value);
    return HPy_Dup(ctx, ctx->h_None);
}
static HPyDef *Shaped_defines[] = {&Shaped_load, &Shaped_store, &Plain_traverse, NULL};

METHOD(shaped)
{
    HPyType_Spec spec = {
        .name = "proofs.Shaped",
        .basicsize = sizeof(Plain),
        .builtin_shape = (HPyType_BuiltinShape)HPyLong_AsLong(ctx, args[0]),
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
        .defines = Shaped_defines,
    };
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, args[nargs - 1]},
        {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &spec, nargs > 1 ? params : NULL);
}

METHOD(plain)
{
    return HPyType_FromSpec(ctx, &Plain_spec, NULL);
}

METHOD(shape)
{
    return HPyLong_FromLong(ctx, ctx->ctx_Type_GetBuiltinShape(ctx, args[0]));
}

METHOD(derived)
{
    HPyType_SpecParam params[] = {
        {HPyType_SpecParam_Base, args[0]},
        {(HPyType_SpecParam_Kind)0, HPy_NULL},
    };
    return HPyType_FromSpec(ctx, &Plain_spec, params);
}

METHOD(count)
{
    return HPyLong_FromLong(ctx, destroyed);
}

/* A type whose objects are called, and another call function. */
typedef struct {
    void *call;
} Caller;
HPyDef_SLOT(Caller_call, HPy_tp_call)
static HPy Caller_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy kwnames)
{
    return HPyLong_FromLong(ctx, 1);
}
HPyDef_CALL_FUNCTION(other_call)
static HPy other_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t n, HPy kwnames)
{
    return HPyLong_FromLong(ctx, 2);
}
static HPyDef *Caller_defines[] = {&Caller_call, NULL};
static HPyType_Spec Caller_spec = {
    .name = "proofs.Caller",
    .basicsize = sizeof(Caller),
    .defines = Caller_defines,
};
METHOD(caller)
{
    return HPyType_FromSpec(ctx, &Caller_spec, NULL);
}
METHOD(set_call_function)
{
    int status = HPy_SetCallFunction(ctx, args[0], &other_call);
    return status < 0 ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

/* A buffer of one byte. */
static char byte;
HPyDef_SLOT(Buffer_get, HPy_bf_getbuffer)
static int Buffer_get_impl(HPyContext *ctx, HPy self, HPy_buffer *view, int flags)
{
    view->buf = &byte;
    view->obj = HPy_Dup(ctx, self);
    view->len = 1;
    view->itemsize = 1;
    view->readonly = 1;
    view->ndim = 0;
    view->format = NULL;
    view->shape = view->strides = view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}
static HPyDef *Buffer_defines[] = {&Buffer_get, NULL};
static HPyType_Spec Buffer_spec = {.name = "proofs.Buffer", .defines = Buffer_defines};
METHOD(buffer)
{
    return HPyType_FromSpec(ctx, &Buffer_spec, NULL);
}

/* A type with a comparison, and no hash. */
HPyDef_SLOT(Comparing_compare, HPy_tp_richcompare)
static HPy Comparing_compare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    return HPy_Dup(ctx, ctx->h_NotImplemented);
}
static HPyDef *Comparing_defines[] = {&Comparing_compare, NULL};
static HPyType_Spec Comparing_spec = {.name = "proofs.Comparing", .defines = Comparing_defines};
METHOD(comparing)
{
    return HPyType_FromSpec(ctx, &Comparing_spec, NULL);
}

METHOD(write_unraisable)
{
    HPyErr_SetString(ctx, ctx->h_ValueError, "lost");
    HPyErr_WriteUnraisable(ctx, args[0]);
    return HPy_Dup(ctx, ctx->h_None);
}

HPyGlobal global;
METHOD(store)
{
    HPyGlobal_Store(ctx, &global, args[0]);
    return HPy_Dup(ctx, ctx->h_None);
}
METHOD(load)
{
    return HPyGlobal_Load(ctx, global);
}

METHOD(in_place_power)
{
    return HPy_InPlacePower(ctx, args[0], args[1], ctx->h_None);
}

METHOD(eval)
{
    return HPy_EvalCode(ctx, args[0], args[1], HPy_NULL);
}

METHOD(slice)
{
    return HPySlice_New(ctx, HPy_NULL, HPy_NULL, HPy_NULL);
}
METHOD(is_iterator)
{
    return HPyBool_FromBool(ctx, HPyIter_Check(ctx, args[0]));
}

static long first_calls, second_calls;
HPyCapsule_DESTRUCTOR(first_destructor)
static void first_destructor_impl(const char *name, void *pointer, void *context)
{
    first_calls++;
}
HPyCapsule_DESTRUCTOR(second_destructor)
static void second_destructor_impl(const char *name, void *pointer, void *context)
{
    second_calls++;
}
METHOD(capsule)
{
    HPy capsule = HPyCapsule_New(ctx, &byte, NULL, &first_destructor);
    HPyCapsule_SetDestructor(ctx, capsule, &second_destructor);
    return capsule;
}
METHOD(second_destructor_calls)
{
    return HPyLong_FromLong(ctx, second_calls);
}

/* What a module's spec is while its exec slot runs. */
HPyDef_SLOT(exec, HPy_mod_exec)
static int exec_impl(HPyContext *ctx, HPy mod)
{
    HPy spec = HPy_GetAttr_s(ctx, mod, "__spec__");
    HPy_SetAttr_s(ctx, mod, "early_spec", spec);
    HPy_Close(ctx, spec);
    return 0;
}

METHOD(takes_the_exception)
{
    int is = HPyErr_Occurred(ctx);
    HPyErr_Clear(ctx);
    return HPyBool_FromBool(ctx, is);
}

METHOD(length_of_a_closed_handle)
{
    HPy text = HPyUnicode_FromString(ctx, "four");
    HPy_Close(ctx, text);
    return HPyLong_FromSsize_t(ctx, HPy_Length(ctx, text));
}

static HPyDef *defines[] = {
    &shaped,
    &plain,
    &shape,
    &derived,
    &count,
    &caller,
    &set_call_function,
    &buffer,
    &comparing,
    &write_unraisable,
    &store,
    &load,
    &in_place_power,
    &eval,
    &slice,
    &is_iterator,
    &capsule,
    &second_destructor_calls,
    &exec,
    &length_of_a_closed_handle,
    &takes_the_exception,
    NULL,
};
static HPyGlobal *globals[] = {&global, NULL};
static HPyModuleDef module = {.defines = defines, .globals = globals};
HPy_MODINIT(proofs, module)

/* A module whose exec slot raises and returns 0. */
HPyDef_SLOT(forgetful_exec, HPy_mod_exec)
static int forgetful_exec_impl(HPyContext *ctx, HPy mod)
{
    HPyErr_SetString(ctx, ctx->h_LookupError, "forgotten");
    return 0;
}
static HPyDef *forgetful_defines[] = {&forgetful_exec, NULL};
static HPyModuleDef forgetful_module = {.defines = forgetful_defines};

/* A module that is an object with what its create slot gets. */
HPyDef_SLOT(created_create, HPy_mod_create)
static HPy created_create_impl(HPyContext *ctx, HPy spec)
{
    HPy types = HPyImport_ImportModule(ctx, "types");
    HPy namespace = HPy_GetAttr_s(ctx, types, "SimpleNamespace");
    HPy made = HPy_CallTupleDict(ctx, namespace, HPy_NULL, HPy_NULL);
    HPy_SetAttr_s(ctx, made, "got", spec);
    HPy_Close(ctx, types);
    HPy_Close(ctx, namespace);
    return made;
}
static HPyDef *created_defines[] = {&created_create, NULL};
static HPyModuleDef created_module = {.defines = created_defines};

/* A module whose create slot raises and gives an object. */
HPyDef_SLOT(careless_create, HPy_mod_create)
static HPy careless_create_impl(HPyContext *ctx, HPy spec)
{
    HPyErr_SetString(ctx, ctx->h_LookupError, "careless");
    return HPy_Dup(ctx, spec);
}
static HPyDef *careless_defines[] = {&careless_create, NULL};
static HPyModuleDef careless_module = {.defines = careless_defines};

HPy_MODINIT(careless, careless_module)
HPy_MODINIT(forgetful, forgetful_module)
HPy_MODINIT(created, created_module)
