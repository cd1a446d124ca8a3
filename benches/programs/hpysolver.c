/* Linear equations between variables, written as Python expressions, for HPy; `csolver.c` is the
   same for the Python/C API. */
#include <hpy.h>
#include "gauss.h"

typedef struct {
    long index;
    double value;
} Variable;

typedef struct {
    HPyField variable;
    double factor;
} Term;

/* A sum of terms, in a tuple, and a constant. */
typedef struct {
    HPyField terms;
    double constant;
} Sum;

HPyType_HELPERS(Variable)
HPyType_HELPERS(Term)
HPyType_HELPERS(Sum)

static HPyGlobal Variable_Type, Term_Type, Sum_Type;

/* ---- making them ---- */

static HPy new_term(HPyContext *ctx, HPy variable, double factor)
{
    Term *term;
    HPy type = HPyGlobal_Load(ctx, Term_Type);
    HPy self = HPy_New(ctx, type, &term);
    HPy_Close(ctx, type);
    if (HPy_IsNull(self))
        return HPy_NULL;
    HPyField_Store(ctx, self, &term->variable, variable);
    term->factor = factor;
    return self;
}

/* Takes over the handle of the terms, which may be HPy_NULL with an exception. */
static HPy new_sum(HPyContext *ctx, HPy type, HPy terms, double constant)
{
    Sum *sum;
    HPy self = HPy_IsNull(terms) ? HPy_NULL : HPy_New(ctx, type, &sum);
    if (!HPy_IsNull(self)) {
        HPyField_Store(ctx, self, &sum->terms, terms);
        sum->constant = constant;
    }
    HPy_Close(ctx, terms);
    return self;
}

HPyDef_SLOT(Variable_new, HPy_tp_new)
static HPy Variable_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Variable *variable;
    HPy self;
    long index;
    (void)kw;
    if (!HPyArg_Parse(ctx, NULL, args, (size_t)nargs, "l:Variable", &index))
        return HPy_NULL;
    self = HPy_New(ctx, type, &variable);
    if (!HPy_IsNull(self))
        variable->index = index;
    return self;
}

/* ---- operators ---- */

/* `variable * number`, `number * variable` */
HPyDef_SLOT(Variable_multiply, HPy_nb_multiply)
static HPy Variable_multiply_impl(HPyContext *ctx, HPy left, HPy right)
{
    HPy type = HPyGlobal_Load(ctx, Variable_Type);
    int first = HPy_TypeCheck(ctx, left, type);
    double factor = HPyFloat_AsDouble(ctx, first ? right : left);
    HPy_Close(ctx, type);
    if (factor == -1.0 && HPyErr_Occurred(ctx))
        return HPy_NULL;
    return new_term(ctx, first ? left : right, factor);
}

/* The terms of a sum and another term. */
static HPy terms_and(HPyContext *ctx, HPy terms, HPy term)
{
    HPy_ssize_t size = HPy_Length(ctx, terms);
    HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, size + 1);
    for (HPy_ssize_t i = 0; i < size; i++) {
        HPy item = HPy_GetItem_i(ctx, terms, i);
        HPyTupleBuilder_Set(ctx, builder, i, item);
        HPy_Close(ctx, item);
    }
    HPyTupleBuilder_Set(ctx, builder, size, term);
    return HPyTupleBuilder_Build(ctx, builder);
}

/* `term + term`, `term + number`, of a term on the left */
static HPy add_to_term(HPyContext *ctx, HPy term_type, HPy left, HPy right)
{
    double constant = 0;
    HPy sum_type, terms, sum;
    if (HPy_TypeCheck(ctx, right, term_type)) {
        terms = HPyTuple_Pack(ctx, 2, left, right);
    } else {
        constant = HPyFloat_AsDouble(ctx, right);
        if (constant == -1.0 && HPyErr_Occurred(ctx))
            return HPy_NULL;
        terms = HPyTuple_Pack(ctx, 1, left);
    }
    sum_type = HPyGlobal_Load(ctx, Sum_Type);
    sum = new_sum(ctx, sum_type, terms, constant);
    HPy_Close(ctx, sum_type);
    return sum;
}

HPyDef_SLOT(Term_add, HPy_nb_add)
static HPy Term_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    HPy type = HPyGlobal_Load(ctx, Term_Type);
    HPy sum = HPy_TypeCheck(ctx, left, type) ? add_to_term(ctx, type, left, right)
                                             : HPy_Dup(ctx, ctx->h_NotImplemented);
    HPy_Close(ctx, type);
    return sum;
}

/* `sum + term`, `sum + number`, of a sum on the left */
static HPy add_to_sum(HPyContext *ctx, HPy sum_type, HPy left, HPy right)
{
    Sum *self = Sum_AsStruct(ctx, left);
    double constant = self->constant, number;
    HPy terms = HPyField_Load(ctx, left, self->terms), more;
    HPy term_type = HPyGlobal_Load(ctx, Term_Type);
    int is_term = HPy_TypeCheck(ctx, right, term_type);
    HPy_Close(ctx, term_type);
    if (!is_term) {
        number = HPyFloat_AsDouble(ctx, right);
        if (number == -1.0 && HPyErr_Occurred(ctx)) {
            HPy_Close(ctx, terms);
            return HPy_NULL;
        }
        return new_sum(ctx, sum_type, terms, constant + number);
    }
    more = terms_and(ctx, terms, right);
    HPy_Close(ctx, terms);
    return new_sum(ctx, sum_type, more, constant);
}

HPyDef_SLOT(Sum_add, HPy_nb_add)
static HPy Sum_add_impl(HPyContext *ctx, HPy left, HPy right)
{
    HPy type = HPyGlobal_Load(ctx, Sum_Type);
    HPy sum = HPy_TypeCheck(ctx, left, type) ? add_to_sum(ctx, type, left, right)
                                             : HPy_Dup(ctx, ctx->h_NotImplemented);
    HPy_Close(ctx, type);
    return sum;
}

/* ---- solving ---- */

/* Adds the factor of a term to a row of the matrix. */
static int fill_place(HPyContext *ctx, double *row, long size, HPy h_term)
{
    Term *term = Term_AsStruct(ctx, h_term);
    HPy variable = HPyField_Load(ctx, h_term, term->variable);
    long index = Variable_AsStruct(ctx, variable)->index;
    HPy_Close(ctx, variable);
    if (index < 0 || index >= size) {
        HPyErr_SetString(ctx, ctx->h_IndexError, "no such variable");
        return -1;
    }
    row[index] += term->factor;
    return 0;
}

/* Puts the equation `sum == 0` into a row of the matrix. */
static int fill_row(HPyContext *ctx, HPy type, double *row, long size, HPy h_sum)
{
    Sum *sum;
    HPy terms;
    HPy_ssize_t length;
    int status = 0;
    if (!HPy_TypeCheck(ctx, h_sum, type)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "an equation is a sum");
        return -1;
    }
    sum = Sum_AsStruct(ctx, h_sum);
    terms = HPyField_Load(ctx, h_sum, sum->terms);
    length = HPy_Length(ctx, terms);
    for (HPy_ssize_t i = 0; status == 0 && i < length; i++) {
        HPy term = HPy_GetItem_i(ctx, terms, i);
        status = fill_place(ctx, row, size, term);
        HPy_Close(ctx, term);
    }
    HPy_Close(ctx, terms);
    row[size] = -sum->constant;
    return status;
}

static int set_value(HPyContext *ctx, HPy type, HPy variable, double value)
{
    if (!HPy_TypeCheck(ctx, variable, type)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "not a variable");
        return -1;
    }
    Variable_AsStruct(ctx, variable)->value = value;
    return 0;
}

static int fill_matrix(HPyContext *ctx, double *matrix, long size, HPy sums)
{
    HPy type = HPyGlobal_Load(ctx, Sum_Type);
    int status = 0;
    for (long i = 0; status == 0 && i < size; i++) {
        HPy sum = HPy_GetItem_i(ctx, sums, i);
        status = fill_row(ctx, type, matrix + i * (size + 1), size, sum);
        HPy_Close(ctx, sum);
    }
    HPy_Close(ctx, type);
    return status;
}

static int set_values(HPyContext *ctx, const double *matrix, long size, HPy variables)
{
    HPy type = HPyGlobal_Load(ctx, Variable_Type);
    int status = 0;
    for (long i = 0; status == 0 && i < size; i++) {
        HPy variable = HPy_GetItem_i(ctx, variables, i);
        status = set_value(ctx, type, variable, matrix[i * (size + 1) + size]);
        HPy_Close(ctx, variable);
    }
    HPy_Close(ctx, type);
    return status;
}

static int solve_list(HPyContext *ctx, double *matrix, long size, HPy sums, HPy variables)
{
    if (fill_matrix(ctx, matrix, size, sums) < 0)
        return -1;
    if (!gauss(matrix, size)) {
        HPyErr_SetString(ctx, ctx->h_ValueError, "no solution, or several");
        return -1;
    }
    return set_values(ctx, matrix, size, variables);
}

HPyDef_METH(solve, "solve", HPyFunc_VARARGS)
static HPy solve_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    double *matrix;
    long size;
    int status;
    (void)self;
    if (nargs != 2 || !HPyList_Check(ctx, args[0]) || !HPyList_Check(ctx, args[1]))
        return HPyErr_SetString(ctx, ctx->h_TypeError, "solve() takes two lists");
    size = (long)HPy_Length(ctx, args[0]);
    if (HPy_Length(ctx, args[1]) != size)
        return HPyErr_SetString(ctx, ctx->h_ValueError, "as many variables as equations, please");
    matrix = (double *)calloc((size_t)(size * (size + 1) + 1), sizeof(double));
    if (matrix == NULL)
        return HPyErr_NoMemory(ctx);
    status = solve_list(ctx, matrix, size, args[0], args[1]);
    free(matrix);
    return status < 0 ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

/* ---- types ---- */

HPyDef_MEMBER(Variable_value, "value", HPyMember_DOUBLE, offsetof(Variable, value))

HPyDef_SLOT(Term_traverse, HPy_tp_traverse)
static int Term_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Term *)self)->variable);
    return 0;
}

HPyDef_SLOT(Sum_traverse, HPy_tp_traverse)
static int Sum_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Sum *)self)->terms);
    return 0;
}

static HPyDef *Variable_defines[] = {&Variable_new, &Variable_multiply, &Variable_value, NULL};
static HPyDef *Term_defines[] = {&Term_traverse, &Term_add, NULL};
static HPyDef *Sum_defines[] = {&Sum_traverse, &Sum_add, NULL};

static HPyType_Spec Variable_spec = {
    .name = "hpysolver.Variable",
    .basicsize = sizeof(Variable),
    .flags = HPy_TPFLAGS_DEFAULT,
    .builtin_shape = SHAPE(Variable),
    .defines = Variable_defines,
};

static HPyType_Spec Term_spec = {
    .name = "hpysolver.Term",
    .basicsize = sizeof(Term),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Term),
    .defines = Term_defines,
};

static HPyType_Spec Sum_spec = {
    .name = "hpysolver.Sum",
    .basicsize = sizeof(Sum),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Sum),
    .defines = Sum_defines,
};

/* Makes a type for the global; 0, or -1 with an exception. */
static int make_type(HPyContext *ctx, HPyGlobal *global, HPyType_Spec *spec)
{
    HPy type = HPyType_FromSpec(ctx, spec, NULL);
    if (HPy_IsNull(type))
        return -1;
    HPyGlobal_Store(ctx, global, type);
    HPy_Close(ctx, type);
    return 0;
}

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    HPy type;
    int status;
    if (make_type(ctx, &Variable_Type, &Variable_spec) < 0 ||
        make_type(ctx, &Term_Type, &Term_spec) < 0 || make_type(ctx, &Sum_Type, &Sum_spec) < 0)
        return -1;
    type = HPyGlobal_Load(ctx, Variable_Type);
    status = HPy_SetAttr_s(ctx, module, "Variable", type);
    HPy_Close(ctx, type);
    return status;
}

static HPyDef *module_defines[] = {&solve, &module_exec, NULL};
static HPyGlobal *module_globals[] = {&Variable_Type, &Term_Type, &Sum_Type, NULL};
static HPyModuleDef module_def = {.defines = module_defines, .globals = module_globals};

HPy_MODINIT(hpysolver, module_def)
