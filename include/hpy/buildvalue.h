/*
 * Python values from C values: HPy_BuildValue.
 *
 * | unit      | argument                      | gives                                            |
 * |-----------|-------------------------------|--------------------------------------------------|
 * | `i` `I`   | int, unsigned int             | int                                              |
 * | `l` `k`   | long, unsigned long           | int                                              |
 * | `L` `K`   | long long, unsigned long long | int                                              |
 * | `n`       | HPy_ssize_t                   | int                                              |
 * | `f` `d`   | float, double                 | float                                            |
 * | `s`       | const char *                  | str, from UTF-8; None for a null pointer         |
 * | `O` `S`   | HPy                           | the object; the argument stays the caller's      |
 * | `(...)`   | those of the units inside     | tuple                                            |
 * | `[...]`   | those of the units inside     | list                                             |
 * | `{k:v,}`  | those of the units inside     | dict                                             |
 *
 * Blanks may stand anywhere, commas also between the units of a tuple or list. `N`, which steals a
 * reference in the C API, is not supported: pass `O` and close the handle.
 *
 * Mistakes in the format are SystemErrors. Where an exception is set nothing is made, so that the
 * result of a call that failed can be passed on unchecked; HPy_NULL without one is a SystemError.
 */
#ifndef HPY_BUILDVALUE_H
#define HPY_BUILDVALUE_H

/* Where we are in the format, and in the arguments. */
typedef struct {
    const char *p;
    va_list args;
} _HPyBuild;

HPyAPI_INLINE HPy _HPyBuild_Value(HPyContext *ctx, _HPyBuild *b);

/* Raises a SystemError: the `problem`, such as "unmatched", and the character concerned. */
HPyAPI_INLINE HPy _HPyBuild_Fail(HPyContext *ctx, const char *problem, char c)
{
    return HPyErr_Format(ctx, ctx->h_SystemError,
                         "%s '%c' in the format string passed to HPy_BuildValue", problem,
                         (int)(unsigned char)c);
}

/* Moves on to the next character that is not blank, and returns it. */
HPyAPI_INLINE char _HPyBuild_SkipBlanks(_HPyBuild *b)
{
    while (*b->p == ' ' || *b->p == '\t') {
        b->p++;
    }
    return *b->p;
}

/* The same, also over commas. */
HPyAPI_INLINE char _HPyBuild_SkipCommas(_HPyBuild *b)
{
    while (_HPyBuild_SkipBlanks(b) == ',') {
        b->p++;
    }
    return *b->p;
}

/* How many units stand at p before `close`; -1 if another bracket or the end comes first. */
HPyAPI_INLINE HPy_ssize_t _HPyBuild_Count(const char *p, char close)
{
    HPy_ssize_t n = 0, depth = 0;
    for (; depth > 0 || *p != close; p++) {
        switch (*p) {
        case '\0':
            return -1;
        case ' ':
        case '\t':
        case ',':
            break;
        case '(':
        case '[':
        case '{':
            n += depth == 0;
            depth++;
            break;
        case ')':
        case ']':
        case '}':
            if (depth == 0) {
                return -1;
            }
            depth--;
            break;
        default:
            n += depth == 0;
        }
    }
    return n;
}

/* How many values of a tuple are kept on the stack until it is made. */
#define _HPY_BUILD_FEW 8

/* The tuple of n values, not more than a few. The first may be there already, and is taken over;
   the others stand at the position. */
HPyAPI_INLINE HPy _HPyBuild_FewTuple(HPyContext *ctx, _HPyBuild *b, HPy first, HPy_ssize_t n)
{
    HPy items[_HPY_BUILD_FEW], tuple = HPy_NULL;
    HPy_ssize_t i, made;
    items[0] = first;
    for (made = !HPy_IsNull(first); made < n; made++) {
        items[made] = _HPyBuild_Value(ctx, b);
        if (HPy_IsNull(items[made])) {
            break;
        }
    }
    if (made == n) {
        tuple = HPyTuple_FromArray(ctx, items, n);
    }
    for (i = 0; i < made; i++) {
        HPy_Close(ctx, items[i]);
    }
    return tuple;
}

/* The same of any number. */
HPyAPI_INLINE HPy _HPyBuild_Tuple(HPyContext *ctx, _HPyBuild *b, HPy first, HPy_ssize_t n)
{
    HPyTupleBuilder builder;
    HPy_ssize_t i;
    if (n <= _HPY_BUILD_FEW) {
        return _HPyBuild_FewTuple(ctx, b, first, n);
    }
    builder = HPyTupleBuilder_New(ctx, n);
    for (i = 0; i < n; i++) {
        HPy item = i == 0 && !HPy_IsNull(first) ? first : _HPyBuild_Value(ctx, b);
        if (HPy_IsNull(item)) {
            HPyTupleBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyTupleBuilder_Set(ctx, builder, i, item);
        HPy_Close(ctx, item);
    }
    return HPyTupleBuilder_Build(ctx, builder);
}

/* The list of n values that stand at the position. */
HPyAPI_INLINE HPy _HPyBuild_List(HPyContext *ctx, _HPyBuild *b, HPy_ssize_t n)
{
    HPyListBuilder builder = HPyListBuilder_New(ctx, n);
    HPy_ssize_t i;
    for (i = 0; i < n; i++) {
        HPy item = _HPyBuild_Value(ctx, b);
        if (HPy_IsNull(item)) {
            HPyListBuilder_Cancel(ctx, builder);
            return HPy_NULL;
        }
        HPyListBuilder_Set(ctx, builder, i, item);
        HPy_Close(ctx, item);
    }
    return HPyListBuilder_Build(ctx, builder);
}

/* What stands between an opening bracket, just read, and its closing one. */
HPyAPI_INLINE HPy _HPyBuild_Sequence(HPyContext *ctx, _HPyBuild *b, char open, char close)
{
    HPy result;
    HPy_ssize_t n = _HPyBuild_Count(b->p, close);
    if (n < 0) {
        return _HPyBuild_Fail(ctx, "unmatched", open);
    }
    result = open == '(' ? _HPyBuild_Tuple(ctx, b, HPy_NULL, n) : _HPyBuild_List(ctx, b, n);
    if (!HPy_IsNull(result)) {
        _HPyBuild_SkipCommas(b);
        b->p++; /* the closing bracket */
    }
    return result;
}

/* Adds the `key:value` at the position to the dict. 0, or -1 with an exception. */
HPyAPI_INLINE int _HPyBuild_Entry(HPyContext *ctx, _HPyBuild *b, HPy dict)
{
    int status = -1;
    HPy value, key = _HPyBuild_Value(ctx, b);
    if (HPy_IsNull(key)) {
        return -1;
    }
    if (_HPyBuild_SkipBlanks(b) != ':') {
        _HPyBuild_Fail(ctx, "missing", ':');
        HPy_Close(ctx, key);
        return -1;
    }
    b->p++;
    value = _HPyBuild_Value(ctx, b);
    if (!HPy_IsNull(value)) {
        status = HPy_SetItem(ctx, dict, key, value);
    }
    HPy_Close(ctx, value);
    HPy_Close(ctx, key);
    return status;
}

/* What may follow an entry: a comma, or the end. 0, or -1 with an exception. */
HPyAPI_INLINE int _HPyBuild_EntryEnd(HPyContext *ctx, _HPyBuild *b)
{
    char c = _HPyBuild_SkipBlanks(b);
    if (c == ',') {
        b->p++;
        return 0;
    }
    if (c == '}') {
        return 0;
    }
    if (c == '\0' || c == ')' || c == ']') {
        _HPyBuild_Fail(ctx, "unmatched", '{');
    } else {
        _HPyBuild_Fail(ctx, "missing", ',');
    }
    return -1;
}

/* The dict whose opening bracket has just been read. */
HPyAPI_INLINE HPy _HPyBuild_Dict(HPyContext *ctx, _HPyBuild *b)
{
    char c;
    HPy dict = HPyDict_New(ctx);
    if (HPy_IsNull(dict)) {
        return HPy_NULL;
    }
    while ((c = _HPyBuild_SkipBlanks(b)) != '}') {
        if (c == '\0') {
            _HPyBuild_Fail(ctx, "unmatched", '{');
        } else if (c == ',') {
            _HPyBuild_Fail(ctx, "unexpected", ',');
        } else if (_HPyBuild_Entry(ctx, b, dict) == 0 && _HPyBuild_EntryEnd(ctx, b) == 0) {
            continue;
        }
        HPy_Close(ctx, dict);
        return HPy_NULL;
    }
    b->p++;
    return dict;
}

HPyAPI_INLINE HPy _HPyBuild_Object(HPyContext *ctx, HPy h)
{
    if (HPy_IsNull(h)) {
        HPyErr_SetString(ctx, ctx->h_SystemError, "HPy_NULL object passed to HPy_BuildValue");
    }
    return HPy_Dup(ctx, h);
}

HPyAPI_INLINE HPy _HPyBuild_Text(HPyContext *ctx, const char *utf8)
{
    return utf8 == NULL ? HPy_Dup(ctx, ctx->h_None) : HPyUnicode_FromString(ctx, utf8);
}

/* The value of the unit at the position. */
HPyAPI_INLINE HPy _HPyBuild_Value(HPyContext *ctx, _HPyBuild *b)
{
    char c = _HPyBuild_SkipCommas(b);
    b->p += c != '\0';
    switch (c) {
    case '(':
        return _HPyBuild_Sequence(ctx, b, '(', ')');
    case '[':
        return _HPyBuild_Sequence(ctx, b, '[', ']');
    case '{':
        return _HPyBuild_Dict(ctx, b);
    case 'i':
        return HPyLong_FromLong(ctx, va_arg(b->args, int));
    case 'I':
        return HPyLong_FromUnsignedLong(ctx, va_arg(b->args, unsigned int));
    case 'l':
        return HPyLong_FromLong(ctx, va_arg(b->args, long));
    case 'k':
        return HPyLong_FromUnsignedLong(ctx, va_arg(b->args, unsigned long));
    case 'L':
        return HPyLong_FromLongLong(ctx, va_arg(b->args, long long));
    case 'K':
        return HPyLong_FromUnsignedLongLong(ctx, va_arg(b->args, unsigned long long));
    case 'n':
        return HPyLong_FromSsize_t(ctx, va_arg(b->args, HPy_ssize_t));
    case 'f':
    case 'd':
        return HPyFloat_FromDouble(ctx, va_arg(b->args, double));
    case 's':
        return _HPyBuild_Text(ctx, va_arg(b->args, const char *));
    case 'O':
    case 'S':
        return _HPyBuild_Object(ctx, va_arg(b->args, HPy));
    case 'N':
        return HPyErr_SetString(ctx, ctx->h_SystemError,
                                "HPy_BuildValue does not support the 'N' formatting unit. "
                                "Use 'O' and close the handle afterwards.");
    case '\0':
        return HPyErr_SetString(ctx, ctx->h_SystemError,
                                "the format string passed to HPy_BuildValue ends too early");
    default:
        return _HPyBuild_Fail(ctx, "bad format char", c);
    }
}

/* Raises the error of a format in which a bracket lacks its partner: builds until it meets it. */
HPyAPI_INLINE HPy _HPyBuild_Unmatched(HPyContext *ctx, _HPyBuild *b)
{
    HPy item;
    do {
        item = _HPyBuild_Value(ctx, b);
        HPy_Close(ctx, item);
    } while (!HPy_IsNull(item));
    return HPy_NULL;
}

/* No unit: None. One: its value. Several: a tuple of them. They are counted behind the first, which
   is the only one mostly. */
HPyAPI_INLINE HPy _HPyBuild_All(HPyContext *ctx, _HPyBuild *b)
{
    HPy first;
    HPy_ssize_t more;
    if (_HPyBuild_SkipCommas(b) == '\0') {
        return HPy_Dup(ctx, ctx->h_None);
    }
    first = _HPyBuild_Value(ctx, b);
    if (HPy_IsNull(first) || _HPyBuild_SkipCommas(b) == '\0') {
        return first;
    }
    more = _HPyBuild_Count(b->p, '\0');
    if (more < 0) {
        HPy_Close(ctx, first);
        return _HPyBuild_Unmatched(ctx, b);
    }
    return _HPyBuild_Tuple(ctx, b, first, 1 + more);
}

/**
 * Makes a Python value from C values.
 * @param fmt what to make; its units, each with the C type of its argument, are in the table at
 *     the head of this file. "" makes None, one unit its value, several units a tuple
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces Py_BuildValue.
 */
HPyAPI_INLINE HPy HPy_BuildValue(HPyContext *ctx, const char *fmt, ...)
{
    _HPyBuild b;
    HPy result;
    if (HPyErr_Occurred(ctx)) {
        return HPy_NULL; /* an argument is the result of a call that failed */
    }
    b.p = fmt;
    va_start(b.args, fmt);
    result = _HPyBuild_All(ctx, &b);
    va_end(b.args);
    return result;
}

#endif /* HPY_BUILDVALUE_H */
