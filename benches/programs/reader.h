/* What both parsers share: where a token ends, and what it is. */
#include <string.h>

enum { SYMBOL, INTEGER, REAL };

/* The kind of the token from `p` to `end`: of digits, maybe with a sign or a point. */
static inline int token_kind(const char *p, const char *end)
{
    int kind = INTEGER, digits = 0;
    p += p != end && (*p == '-' || *p == '+');
    for (; p != end; p++) {
        if (*p == '.' && kind == INTEGER)
            kind = REAL;
        else if (*p >= '0' && *p <= '9')
            digits++;
        else
            return SYMBOL;
    }
    return digits > 0 && digits < 18 ? kind : SYMBOL;
}

static inline const char *token_end(const char *p, const char *end)
{
    while (p != end && *p != '(' && *p != ')' && *p != ' ' && *p != '\n')
        p++;
    return p;
}

static inline const char *skip_blanks(const char *p, const char *end)
{
    while (p != end && (*p == ' ' || *p == '\n'))
        p++;
    return p;
}

static inline long token_integer(const char *p, const char *end)
{
    int negative = *p == '-';
    long value = 0;
    for (p += *p == '-' || *p == '+'; p != end; p++)
        value = 10 * value + (*p - '0');
    return negative ? -value : value;
}
