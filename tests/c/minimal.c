/* The smallest module: what it uses, hpy.h brings along. */
#include <hpy.h>

typedef struct {
    uint32_t word;
    bool flag;
} Pair;

static int sum(int n, ...)
{
    int total = 0;
    va_list numbers;
    va_start(numbers, n);
    while (n-- > 0)
        total += va_arg(numbers, int);
    va_end(numbers);
    return total;
}

HPyDef_METH(answer, "answer", HPyFunc_NOARGS)
static HPy answer_impl(HPyContext *ctx, HPy self)
{
    char *memory = (char *)malloc(offsetof(Pair, flag) + sizeof(bool));
    bool there = memory != NULL;
    (void)self;
    free(memory);
    return HPyLong_FromLong(ctx, there ? sum(2, 40, 2) : 0);
}

static HPyDef *defines[] = {&answer, NULL};
static HPyModuleDef moduledef = {"", 0, NULL, defines, NULL};
HPy_MODINIT(minimal, moduledef)
