/* A parser of nested lists, `(add 1 (mul 2.5 x))`, for HPy; `cparser.c` is the same for the
   Python/C API. */
#include <hpy.h>
#include <stdlib.h>
#include "reader.h"

typedef struct {
    const char *p;
    const char *end;
} Reader;

static HPy read_token(HPyContext *ctx, Reader *reader)
{
    const char *start = reader->p;
    reader->p = token_end(start, reader->end);
    switch (token_kind(start, reader->p)) {
    case INTEGER:
        return HPyLong_FromLong(ctx, token_integer(start, reader->p));
    case REAL:
        return HPyFloat_FromDouble(ctx, strtod(start, NULL));
    default:
        return HPyUnicode_DecodeASCII(ctx, start, reader->p - start, NULL);
    }
}

/* The list whose opening bracket has been read. */
static HPy read_list(HPyContext *ctx, Reader *reader)
{
    HPy list = HPyList_New(ctx, 0);
    if (HPy_IsNull(list))
        return HPy_NULL;
    for (;;) {
        HPy item;
        int nested, status;
        reader->p = skip_blanks(reader->p, reader->end);
        if (reader->p == reader->end) {
            HPyErr_SetString(ctx, ctx->h_ValueError, "a list does not end");
            break;
        }
        if (*reader->p == ')') {
            reader->p++;
            return list;
        }
        nested = *reader->p == '(';
        reader->p += nested;
        item = nested ? read_list(ctx, reader) : read_token(ctx, reader);
        if (HPy_IsNull(item))
            break;
        status = HPyList_Append(ctx, list, item);
        HPy_Close(ctx, item);
        if (status < 0)
            break;
    }
    HPy_Close(ctx, list);
    return HPy_NULL;
}

HPyDef_METH(parse, "parse", HPyFunc_O)
static HPy parse_impl(HPyContext *ctx, HPy self, HPy text)
{
    Reader reader;
    HPy_ssize_t size;
    (void)self;
    reader.p = HPyUnicode_AsUTF8AndSize(ctx, text, &size);
    if (reader.p == NULL)
        return HPy_NULL;
    reader.end = reader.p + size;
    if (size == 0 || *reader.p != '(')
        return HPyErr_SetString(ctx, ctx->h_ValueError, "a list begins with a bracket");
    reader.p++;
    return read_list(ctx, &reader);
}

/* Adds the numbers in nested lists. */
static int add_up(HPyContext *ctx, HPy object, double *sum)
{
    if (HPyList_Check(ctx, object)) {
        HPy_ssize_t length = HPy_Length(ctx, object);
        for (HPy_ssize_t i = 0; i < length; i++) {
            HPy item = HPy_GetItem_i(ctx, object, i);
            int status = HPyUnicode_Check(ctx, item) ? 0 : add_up(ctx, item, sum);
            HPy_Close(ctx, item);
            if (status < 0)
                return -1;
        }
        return 0;
    }
    if (HPy_TypeCheck(ctx, object, ctx->h_LongType)) {
        long value = HPyLong_AsLong(ctx, object);
        if (value == -1 && HPyErr_Occurred(ctx))
            return -1;
        *sum += (double)value;
    } else if (HPy_TypeCheck(ctx, object, ctx->h_FloatType))
        *sum += HPyFloat_AsDouble(ctx, object);
    return 0;
}

HPyDef_METH(total, "total", HPyFunc_O)
static HPy total_impl(HPyContext *ctx, HPy self, HPy object)
{
    double sum = 0;
    (void)self;
    return add_up(ctx, object, &sum) < 0 ? HPy_NULL : HPyFloat_FromDouble(ctx, sum);
}

static HPyDef *module_defines[] = {&parse, &total, NULL};
static HPyModuleDef module_def = {.defines = module_defines};

HPy_MODINIT(hpyparser, module_def)
