/* An array of numbers, for HPy; `carray.c` is the same for the Python/C API. */
#include <hpy.h>
#include <stdlib.h>

typedef struct {
    HPy_ssize_t length;
    double *items;
} Array;

HPyType_HELPERS(Array)

static HPyGlobal Array_Type;

static HPy new_array(HPyContext *ctx, HPy type, HPy_ssize_t length, Array **array)
{
    HPy self = HPy_New(ctx, type, array);
    if (HPy_IsNull(self))
        return HPy_NULL;
    (*array)->items = (double *)malloc(length == 0 ? 1 : (size_t)length * sizeof(double));
    if ((*array)->items == NULL) {
        HPy_Close(ctx, self);
        return HPyErr_NoMemory(ctx);
    }
    (*array)->length = length;
    return self;
}

HPyDef_SLOT(Array_new, HPy_tp_new)
static HPy Array_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Array *array;
    HPy self;
    (void)kw;
    if (nargs != 1 || !HPyList_Check(ctx, args[0]))
        return HPyErr_SetString(ctx, ctx->h_TypeError, "Array() takes a list");
    self = new_array(ctx, type, HPy_Length(ctx, args[0]), &array);
    if (HPy_IsNull(self))
        return HPy_NULL;
    for (HPy_ssize_t i = 0; i < array->length; i++) {
        HPy item = HPy_GetItem_i(ctx, args[0], i);
        double number = HPyFloat_AsDouble(ctx, item);
        bool failed = number == -1.0 && HPyErr_Occurred(ctx);
        array->items[i] = number;
        HPy_Close(ctx, item);
        if (failed) {
            HPy_Close(ctx, self);
            return HPy_NULL;
        }
    }
    return self;
}

HPyDef_SLOT(Array_destroy, HPy_tp_destroy)
static void Array_destroy_impl(void *self)
{
    free(((Array *)self)->items);
}

/* The operand as an array of the same length as `self`, or as a number. */
static int operand(HPyContext *ctx, HPy type, Array *self, HPy other, Array **array, double *number)
{
    *array = NULL;
    *number = 0;
    if (HPy_TypeCheck(ctx, other, type)) {
        *array = Array_AsStruct(ctx, other);
        if ((*array)->length == self->length)
            return 0;
        HPyErr_SetString(ctx, ctx->h_ValueError, "the arrays have different lengths");
        return -1;
    }
    *number = HPyFloat_AsDouble(ctx, other);
    return *number == -1.0 && HPyErr_Occurred(ctx) ? -1 : 0;
}

/* The arguments of `left + right`, and an array for the result; HPy_NULL with an exception. */
static HPy prepare(HPyContext *ctx, HPy left, HPy right, Array **other, double *number,
                   Array **result)
{
    HPy type = HPyGlobal_Load(ctx, Array_Type);
    HPy made = HPy_NULL;
    if (!HPy_TypeCheck(ctx, left, type))
        made = HPy_Dup(ctx, ctx->h_NotImplemented);
    else if (operand(ctx, type, Array_AsStruct(ctx, left), right, other, number) == 0)
        made = new_array(ctx, type, Array_AsStruct(ctx, left)->length, result);
    HPy_Close(ctx, type);
    return made;
}

HPyDef_SLOT(Array_add, HPy_nb_add)
static HPy Array_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    Array *self, *other, *result = NULL;
    double number;
    HPy made = prepare(ctx, left, right, &other, &number, &result);
    if (result == NULL)
        return made;
    self = Array_AsStruct(ctx, left);
    for (HPy_ssize_t i = 0; i < self->length; i++)
        result->items[i] = self->items[i] + (other == NULL ? number : other->items[i]);
    return made;
}

HPyDef_SLOT(Array_multiply, HPy_nb_multiply)
static HPy Array_multiply_impl(HPyContext *ctx, HPy left, HPy right)
{
    Array *self, *other, *result = NULL;
    double number;
    HPy made = prepare(ctx, left, right, &other, &number, &result);
    if (result == NULL)
        return made;
    self = Array_AsStruct(ctx, left);
    for (HPy_ssize_t i = 0; i < self->length; i++)
        result->items[i] = self->items[i] * (other == NULL ? number : other->items[i]);
    return made;
}

HPyDef_SLOT(Array_length, HPy_sq_length)
static HPy_ssize_t Array_length_impl(HPyContext *ctx, HPy self)
{
    return Array_AsStruct(ctx, self)->length;
}

HPyDef_SLOT(Array_item, HPy_sq_item)
static HPy Array_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index)
{
    Array *array = Array_AsStruct(ctx, self);
    if (index < 0 || index >= array->length)
        return HPyErr_SetString(ctx, ctx->h_IndexError, "no such item");
    return HPyFloat_FromDouble(ctx, array->items[index]);
}

HPyDef_SLOT(Array_set_item, HPy_sq_ass_item)
static int Array_set_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index, HPy value)
{
    Array *array = Array_AsStruct(ctx, self);
    double number;
    if (index < 0 || index >= array->length || HPy_IsNull(value)) {
        HPyErr_SetString(ctx, ctx->h_IndexError, "no such item");
        return -1;
    }
    number = HPyFloat_AsDouble(ctx, value);
    if (number == -1.0 && HPyErr_Occurred(ctx))
        return -1;
    array->items[index] = number;
    return 0;
}

HPyDef_METH(Array_sum, "sum", HPyFunc_NOARGS)
static HPy Array_sum_impl(HPyContext *ctx, HPy self)
{
    Array *array = Array_AsStruct(ctx, self);
    double sum = 0;
    for (HPy_ssize_t i = 0; i < array->length; i++)
        sum += array->items[i];
    return HPyFloat_FromDouble(ctx, sum);
}

HPyDef_METH(Array_tolist, "tolist", HPyFunc_NOARGS)
static HPy Array_tolist_impl(HPyContext *ctx, HPy self)
{
    Array *array = Array_AsStruct(ctx, self);
    HPyListBuilder builder = HPyListBuilder_New(ctx, array->length);
    for (HPy_ssize_t i = 0; i < array->length; i++) {
        HPy item = HPyFloat_FromDouble(ctx, array->items[i]);
        if (HPy_IsNull(item)) {
            HPyListBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyListBuilder_Set(ctx, builder, i, item);
        HPy_Close(ctx, item);
    }
    return HPyListBuilder_Build(ctx, builder);
}

static HPyDef *Array_defines[] = {
    &Array_new,  &Array_destroy,  &Array_add, &Array_multiply, &Array_length,
    &Array_item, &Array_set_item, &Array_sum, &Array_tolist,   NULL};

static HPyType_Spec Array_spec = {
    .name = "hpyarray.Array",
    .basicsize = sizeof(Array),
    .flags = HPy_TPFLAGS_DEFAULT,
    .builtin_shape = SHAPE(Array),
    .defines = Array_defines,
};

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    HPy type = HPyType_FromSpec(ctx, &Array_spec, NULL);
    int status = HPy_IsNull(type) ? -1 : HPy_SetAttr_s(ctx, module, "Array", type);
    if (status == 0)
        HPyGlobal_Store(ctx, &Array_Type, type);
    HPy_Close(ctx, type);
    return status;
}

static HPyDef *module_defines[] = {&module_exec, NULL};
static HPyGlobal *module_globals[] = {&Array_Type, NULL};
static HPyModuleDef module_def = {.defines = module_defines, .globals = module_globals};

HPy_MODINIT(hpyarray, module_def)
