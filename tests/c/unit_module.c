/* A module whose definitions are in another file, unit_definitions.c. */
#include <hpy.h>

extern HPyDef answer;
extern HPyDef pass_on;

static HPyDef *defines[] = {&answer, &pass_on, NULL};
static HPyModuleDef moduledef = {"", 0, NULL, defines, NULL};
HPy_MODINIT(units, moduledef)
