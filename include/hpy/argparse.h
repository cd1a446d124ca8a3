/*
 * Arguments of a call to C values: HPyArg_Parse, HPyArg_ParseKeywords, HPyArg_ParseKeywordsDict.
 *
 * | unit | Python argument | C variable, whose address is passed                     |
 * |------|-----------------|---------------------------------------------------------|
 * | `b`  | int             | unsigned char; OverflowError outside of 0 to UCHAR_MAX  |
 * | `B`  | int             | unsigned char, the lowest bits                          |
 * | `h`  | int             | short; OverflowError where it does not fit              |
 * | `H`  | int             | unsigned short, the lowest bits                         |
 * | `i`  | int             | int; OverflowError where it does not fit                |
 * | `I`  | int             | unsigned int, the lowest bits                           |
 * | `l`  | int             | long; OverflowError where it does not fit               |
 * | `k`  | int             | unsigned long, the lowest bits                          |
 * | `L`  | int             | long long; OverflowError where it does not fit          |
 * | `K`  | int             | unsigned long long, the lowest bits                     |
 * | `n`  | int             | HPy_ssize_t; OverflowError where it does not fit        |
 * | `f`  | float           | float                                                   |
 * | `d`  | float           | double                                                  |
 * | `p`  | any             | int: 1 if the object is true, else 0                    |
 * | `s`  | str with no NUL | const char *, UTF-8; lives as long as the object does   |
 * | `O`  | any             | HPy, which the caller must not close                    |
 *
 * | in the format | means                                                                       |
 * |---------------|-----------------------------------------------------------------------------|
 * | `|`           | the arguments that follow are optional                                      |
 * | `$`           | those that follow are optional and keyword-only; not for HPyArg_Parse       |
 * | `:name`       | ends the format: the function's name, for the messages of exceptions        |
 * | `;message`    | ends the format: the whole message of the exceptions that the parser raises |
 *
 * The variable of an argument that is not given is left as it is: initialise it with the default.
 *
 * Wrong arguments are TypeErrors: one is missing, there are too many, an unknown keyword, one given
 * both by position and by keyword. Mistakes in the format are SystemErrors. What the conversion of
 * an argument raises is left as it is.
 *
 * `ht` may be null where `O` is not used, and always for HPyArg_Parse. Otherwise a new HPyTracker
 * is stored there: it holds the handles that the parser had to make, the caller may add others, and
 * closes it with HPyTracker_Close when done with the arguments. After a failure there is none to
 * close: it is zero.
 */
#ifndef HPY_ARGPARSE_H
#define HPY_ARGPARSE_H

/* One call of a parser. */
typedef struct {
    const HPy *args;
    size_t nargs;
    const char *fmt;
    const char **keywords; /* null in HPyArg_Parse */
    size_t nkeywords;      /* without keywords: more than there can be units */
    size_t nblank;         /* the first of them are blank: for positional-only arguments */
    HPy *named;    /* the value given for each keyword, or HPy_NULL; null if there is none at all */
    HPy unknown;   /* the first keyword given that is not in `keywords`; owned */
    HPyTracker ht; /* owns what the parser had to make; zero while there is none */
    bool keep;     /* objects get handles of their own: `args` may be closed before they are used */
    const void *const *outs; /* where values go next, if `list` is null */
    va_list *list;           /* the same */
} _HPyArg_Call;

/* Where the next value goes. Pointers to objects are all passed alike. */
HPyAPI_INLINE void *_HPyArg_Next(_HPyArg_Call *call)
{
    return call->list == NULL ? (void *)(uintptr_t)*call->outs++ : va_arg(*call->list, void *);
}

HPyAPI_INLINE bool _HPyArg_IsUnit(char c)
{
    switch (c) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'i':
    case 'I':
    case 'l':
    case 'k':
    case 'L':
    case 'K':
    case 'n':
    case 'f':
    case 'd':
    case 'p':
    case 's':
    case 'O':
        return true;
    default:
        return false;
    }
}

/* The functions below return 1, or 0 with an exception, where nothing else is said. */

/* Raises an exception of the given type with a message in the style that the format asks for. */
HPyAPI_INLINE int _HPyArg_Fail(HPyContext *ctx, HPy type, const char *fmt, const char *message, ...)
{
    const char *end = strpbrk(fmt, ":;");
    HPy text;
    va_list vl;
    if (end != NULL && *end == ';') {
        HPyErr_SetString(ctx, type, end + 1);
        return 0;
    }
    va_start(vl, message);
    text = HPyUnicode_FromFormatV(ctx, message, vl);
    va_end(vl);
    if (!HPy_IsNull(text)) {
        HPyErr_Format(ctx, type, "%s%s %U", end == NULL ? "function" : end + 1,
                      end == NULL ? "" : "()", text);
        HPy_Close(ctx, text);
    }
    return 0;
}

HPyAPI_INLINE int _HPyArg_TypeError(HPyContext *ctx, const char *fmt, const char *message)
{
    return _HPyArg_Fail(ctx, ctx->h_TypeError, fmt, "%s", message);
}

/* An int that must lie between min and max. `kind` is for the message. */
HPyAPI_INLINE int _HPyArg_Bounded(HPyContext *ctx, const char *fmt, HPy arg, long min, long max,
                                  const char *kind, long *value)
{
    *value = HPyLong_AsLong(ctx, arg);
    if (*value == -1 && HPyErr_Occurred(ctx)) {
        return 0;
    }
    if (*value < min || *value > max) {
        return _HPyArg_Fail(ctx, ctx->h_OverflowError, fmt, "%s integer is %s", kind,
                            *value < min ? "less than minimum" : "greater than maximum");
    }
    return 1;
}

/* b, h, i */
HPyAPI_INLINE int _HPyArg_Small(HPyContext *ctx, const char *fmt, char unit, HPy arg, void *out)
{
    long v;
    switch (unit) {
    case 'b':
        if (!_HPyArg_Bounded(ctx, fmt, arg, 0, UCHAR_MAX, "unsigned byte", &v)) {
            return 0;
        }
        *(unsigned char *)out = (unsigned char)v;
        return 1;
    case 'h':
        if (!_HPyArg_Bounded(ctx, fmt, arg, SHRT_MIN, SHRT_MAX, "signed short", &v)) {
            return 0;
        }
        *(short *)out = (short)v;
        return 1;
    default:
        if (!_HPyArg_Bounded(ctx, fmt, arg, INT_MIN, INT_MAX, "signed", &v)) {
            return 0;
        }
        *(int *)out = (int)v;
        return 1;
    }
}

/* B, H, I, k */
HPyAPI_INLINE int _HPyArg_Mask(HPyContext *ctx, char unit, HPy arg, void *out)
{
    unsigned long v = HPyLong_AsUnsignedLongMask(ctx, arg);
    if (v == (unsigned long)-1 && HPyErr_Occurred(ctx)) {
        return 0;
    }
    switch (unit) {
    case 'B':
        *(unsigned char *)out = (unsigned char)v;
        break;
    case 'H':
        *(unsigned short *)out = (unsigned short)v;
        break;
    case 'I':
        *(unsigned int *)out = (unsigned int)v;
        break;
    default:
        *(unsigned long *)out = v;
    }
    return 1;
}

/* s */
HPyAPI_INLINE int _HPyArg_Text(HPyContext *ctx, const char *fmt, HPy arg, void *out)
{
    HPy_ssize_t size;
    const char *text;
    if (!HPyUnicode_Check(ctx, arg)) {
        return _HPyArg_TypeError(ctx, fmt, "a str is required");
    }
    text = HPyUnicode_AsUTF8AndSize(ctx, arg, &size);
    if (text == NULL) {
        return 0;
    }
    if (strlen(text) != (size_t)size) {
        return _HPyArg_Fail(ctx, ctx->h_ValueError, fmt, "embedded null character");
    }
    *(const char **)out = text;
    return 1;
}

/* Converts an argument, and stores it. Inline, because `unit` is mostly a constant. */
HPyAPI_INLINE _HPY_ALWAYS_INLINE int _HPyArg_Convert(HPyContext *ctx, const char *fmt, char unit,
                                                     HPy arg, void *out)
{
    switch (unit) {
    case 'b':
    case 'h':
    case 'i':
        return _HPyArg_Small(ctx, fmt, unit, arg, out);
    case 'B':
    case 'H':
    case 'I':
    case 'k':
        return _HPyArg_Mask(ctx, unit, arg, out);
    case 'l': {
        long v = HPyLong_AsLong(ctx, arg);
        *(long *)out = v;
        return v != -1 || !HPyErr_Occurred(ctx);
    }
    case 'L': {
        long long v = HPyLong_AsLongLong(ctx, arg);
        *(long long *)out = v;
        return v != -1 || !HPyErr_Occurred(ctx);
    }
    case 'K': {
        unsigned long long v = HPyLong_AsUnsignedLongLongMask(ctx, arg);
        *(unsigned long long *)out = v;
        return v != (unsigned long long)-1 || !HPyErr_Occurred(ctx);
    }
    case 'n': {
        /* HPyLong_AsSsize_t does not call __index__, as these and all other units do */
        HPy_ssize_t v = sizeof(v) == 8 ? (HPy_ssize_t)HPyLong_AsInt64_t(ctx, arg)
                                       : (HPy_ssize_t)HPyLong_AsInt32_t(ctx, arg);
        *(HPy_ssize_t *)out = v;
        return v != -1 || !HPyErr_Occurred(ctx);
    }
    case 'f': {
        double v = HPyFloat_AsDouble(ctx, arg);
        *(float *)out = (float)v;
        return v != -1.0 || !HPyErr_Occurred(ctx);
    }
    case 'd': {
        double v = HPyFloat_AsDouble(ctx, arg);
        *(double *)out = v;
        return v != -1.0 || !HPyErr_Occurred(ctx);
    }
    case 'p': {
        int v = HPy_IsTrue(ctx, arg);
        *(int *)out = v;
        return v >= 0;
    }
    case 's':
        return _HPyArg_Text(ctx, fmt, arg, out);
    default: /* O */
        *(HPy *)out = arg;
        return 1;
    }
}

/* The i-th argument is not given. */
HPyAPI_INLINE int _HPyArg_Absent(HPyContext *ctx, const _HPyArg_Call *call, size_t i, bool optional)
{
    if (i >= call->nkeywords) {
        return _HPyArg_TypeError(ctx, call->fmt, "mismatched args (too few keywords for fmt)");
    }
    if (!optional) {
        return _HPyArg_TypeError(ctx, call->fmt,
                                 call->keywords == NULL ? "required positional argument missing"
                                                        : "no value for required argument");
    }
    return 1;
}

/* What is left to check at the end of the units. */
HPyAPI_INLINE int _HPyArg_End(HPyContext *ctx, const _HPyArg_Call *call, size_t nunits, char end)
{
    if (end != '\0' && end != ':' && end != ';') {
        return _HPyArg_Fail(ctx, ctx->h_SystemError, call->fmt, "unknown arg format code");
    }
    if (nunits > call->nkeywords) {
        return _HPyArg_TypeError(ctx, call->fmt, "mismatched args (too few keywords for fmt)");
    }
    if (nunits < call->nkeywords && call->keywords != NULL) {
        return _HPyArg_TypeError(ctx, call->fmt, "mismatched args (too many keywords for fmt)");
    }
    if (nunits < call->nargs) {
        return _HPyArg_TypeError(ctx, call->fmt, "mismatched args (too many arguments for fmt)");
    }
    if (!HPy_IsNull(call->unknown)) {
        return _HPyArg_Fail(ctx, ctx->h_TypeError, call->fmt,
                            "got an unexpected keyword argument %R", call->unknown);
    }
    return 1;
}

/* What was given for the i-th keyword, or HPy_NULL. */
HPyAPI_INLINE HPy _HPyArg_Named(const _HPyArg_Call *call, size_t i)
{
    return call->named != NULL && i < call->nkeywords ? call->named[i] : HPy_NULL;
}

/* A handle of our own for an object, which the tracker closes; HPy_NULL with an exception. */
HPyAPI_INLINE HPy _HPyArg_Keep(HPyContext *ctx, _HPyArg_Call *call, HPy arg)
{
    if (call->ht._i == 0) {
        call->ht = HPyTracker_New(ctx, 0);
        if (call->ht._i == 0) {
            return HPy_NULL;
        }
    }
    arg = HPy_Dup(ctx, arg);
    return HPyTracker_Add(ctx, call->ht, arg) < 0 ? HPy_NULL : arg;
}

/* Converts what is given for the i-th unit, or leaves its variable alone. */
HPyAPI_INLINE int _HPyArg_Unit(HPyContext *ctx, _HPyArg_Call *call, size_t i, char unit,
                               bool optional)
{
    const bool positional = i < call->nargs;
    HPy arg = positional ? call->args[i] : _HPyArg_Named(call, i);
    void *out = _HPyArg_Next(call);
    if (!positional && HPy_IsNull(arg)) {
        return _HPyArg_Absent(ctx, call, i, optional);
    }
    if (positional && call->keep && unit == 'O') {
        arg = _HPyArg_Keep(ctx, call, arg);
        if (HPy_IsNull(arg)) {
            return 0;
        }
    }
    return _HPyArg_Convert(ctx, call->fmt, unit, arg, out);
}

/* Walks through the format once, and converts argument by argument. */
HPyAPI_INLINE int _HPyArg_Walk(HPyContext *ctx, _HPyArg_Call *call)
{
    const char *p = call->fmt;
    size_t i = 0;
    bool optional = false;
    for (;; p++) {
        if (_HPyArg_IsUnit(*p)) {
            if (!_HPyArg_Unit(ctx, call, i++, *p, optional)) {
                return 0;
            }
        } else if (*p == '|') {
            optional = true;
        } else if (*p == '$' && call->keywords != NULL) {
            if (i < call->nargs) {
                return _HPyArg_TypeError(ctx, call->fmt,
                                         "keyword only argument passed as positional argument");
            }
            optional = true;
        } else {
            return _HPyArg_End(ctx, call, i, *p);
        }
    }
}

/* Counts the keywords of the author's list, and checks what only the author can do wrong. */
HPyAPI_INLINE int _HPyArg_CheckKeywords(HPyContext *ctx, _HPyArg_Call *call, const HPyTracker *ht)
{
    const char **k = call->keywords;
    if (ht == NULL && strcspn(call->fmt, "O") < strcspn(call->fmt, ":;")) {
        return _HPyArg_Fail(ctx, ctx->h_SystemError, call->fmt,
                            "format unit 'O' needs an HPyTracker, but ht is NULL");
    }
    while (*k != NULL && **k == '\0') {
        k++;
    }
    call->nblank = (size_t)(k - call->keywords);
    for (; *k != NULL; k++) {
        if (**k == '\0') {
            return _HPyArg_Fail(ctx, ctx->h_SystemError, call->fmt, "empty keyword parameter name");
        }
    }
    call->nkeywords = (size_t)(k - call->keywords);
    return 1;
}

/* The position of a keyword, a str, among those of the author; `nkeywords` if it is unknown. */
HPyAPI_INLINE size_t _HPyArg_FindKeyword(HPyContext *ctx, const _HPyArg_Call *call, HPy keyword)
{
    HPy_ssize_t size;
    size_t i;
    const char *text = HPyUnicode_AsUTF8AndSize(ctx, keyword, &size);
    if (text == NULL) { /* it has no UTF-8 form, so it is none of ours */
        HPyErr_Clear(ctx);
        return call->nkeywords;
    }
    for (i = call->nblank; i < call->nkeywords; i++) {
        const char *name = call->keywords[i];
        if (*name == *text && strcmp(name, text) == 0 && strlen(name) == (size_t)size) {
            break;
        }
    }
    return i;
}

/* Puts a value that was given by keyword in its place. */
HPyAPI_INLINE int _HPyArg_Place(HPyContext *ctx, _HPyArg_Call *call, HPy keyword, HPy value)
{
    size_t i;
    if (!HPyUnicode_Check(ctx, keyword)) {
        return _HPyArg_TypeError(ctx, call->fmt, "keywords must be strings");
    }
    i = _HPyArg_FindKeyword(ctx, call, keyword);
    if (i == call->nkeywords) {
        if (HPy_IsNull(call->unknown)) {
            call->unknown = HPy_Dup(ctx, keyword);
        }
        return 1;
    }
    if (i < call->nargs || !HPy_IsNull(call->named[i])) {
        return _HPyArg_Fail(ctx, ctx->h_TypeError, call->fmt, "got multiple values for argument %R",
                            keyword);
    }
    call->named[i] = value;
    return 1;
}

/* Places the values of a tuple of names; they stand behind the positional arguments. */
HPyAPI_INLINE int _HPyArg_PlaceNames(HPyContext *ctx, _HPyArg_Call *call, HPy names, size_t n)
{
    size_t i;
    int ok = 1;
    for (i = 0; ok && i < n; i++) {
        HPy name = HPy_GetItem_i(ctx, names, (HPy_ssize_t)i);
        ok = !HPy_IsNull(name) && _HPyArg_Place(ctx, call, name, call->args[call->nargs + i]);
        HPy_Close(ctx, name);
    }
    return ok;
}

/* Places the value of one key of a dict. */
HPyAPI_INLINE int _HPyArg_PlaceItem(HPyContext *ctx, _HPyArg_Call *call, HPy dict, HPy key)
{
    HPy value = HPy_GetItem(ctx, dict, key);
    if (HPy_IsNull(value) || HPyTracker_Add(ctx, call->ht, value) < 0) {
        return 0;
    }
    return _HPyArg_Place(ctx, call, key, value);
}

/* Places the n values of a dict. */
HPyAPI_INLINE int _HPyArg_PlaceDict(HPyContext *ctx, _HPyArg_Call *call, HPy dict, size_t n)
{
    size_t i;
    int ok;
    HPy keys = HPyDict_Keys(ctx, dict);
    if (HPy_IsNull(keys)) {
        return 0;
    }
    call->ht = HPyTracker_New(ctx, (HPy_ssize_t)n);
    ok = call->ht._i != 0;
    for (i = 0; ok && i < n; i++) {
        HPy key = HPy_GetItem_i(ctx, keys, (HPy_ssize_t)i);
        ok = !HPy_IsNull(key) && _HPyArg_PlaceItem(ctx, call, dict, key);
        HPy_Close(ctx, key);
    }
    HPy_Close(ctx, keys);
    return ok;
}

/* Places the n values of a tuple of names or of a dict. */
HPyAPI_INLINE int _HPyArg_PlaceAll(HPyContext *ctx, _HPyArg_Call *call, HPy kw, size_t n)
{
    if (HPyTuple_Check(ctx, kw)) {
        return _HPyArg_PlaceNames(ctx, call, kw, n);
    }
    if (HPyDict_Check(ctx, kw)) {
        return _HPyArg_PlaceDict(ctx, call, kw, n);
    }
    return _HPyArg_TypeError(ctx, call->fmt, "keywords must be a dict or a tuple of names");
}

/* Walks with keywords. */
HPyAPI_INLINE int _HPyArg_WalkNamed(HPyContext *ctx, _HPyArg_Call *call, HPy kw, size_t n)
{
    HPy few[16];
    size_t size = call->nkeywords * sizeof(HPy);
    int ok;
    call->named = size <= sizeof(few) ? few : (HPy *)malloc(size);
    if (call->named == NULL) {
        HPyErr_NoMemory(ctx);
        return 0;
    }
    memset(call->named, 0, size);
    ok = _HPyArg_PlaceAll(ctx, call, kw, n) && _HPyArg_Walk(ctx, call);
    HPy_Close(ctx, call->unknown);
    if (call->named != few) {
        free(call->named);
    }
    return ok;
}

/* Hands a tracker over to the caller who wants one, or closes ours. */
HPyAPI_INLINE int _HPyArg_Finish(HPyContext *ctx, _HPyArg_Call *call, HPyTracker *ht, int ok)
{
    if (ok && ht != NULL) {
        *ht = call->ht._i != 0 ? call->ht : HPyTracker_New(ctx, 0);
        return ht->_i != 0;
    }
    if (call->ht._i != 0) {
        HPyTracker_Close(ctx, call->ht);
    }
    return ok;
}

/* Parses with keywords; `kw` is null, a tuple or a dict. */
HPyAPI_INLINE int _HPyArg_ParseNamed(HPyContext *ctx, HPyTracker *ht, const HPy *args, size_t nargs,
                                     HPy kw, bool keep, const char *fmt, const char **keywords,
                                     va_list *outs)
{
    _HPyArg_Call call = {args, nargs,    fmt, keywords, SIZE_MAX, 0,
                         NULL, HPy_NULL, {0}, keep,     NULL,     outs};
    HPy_ssize_t n = 0;
    int ok;
    if (ht != NULL) {
        ht->_i = 0;
    }
    if (!_HPyArg_CheckKeywords(ctx, &call, ht)) {
        return 0;
    }
    if (!HPy_IsNull(kw)) {
        n = HPy_Length(ctx, kw);
        if (n < 0) {
            return 0;
        }
    }
    ok = n == 0 ? _HPyArg_Walk(ctx, &call) : _HPyArg_WalkNamed(ctx, &call, kw, (size_t)n);
    return _HPyArg_Finish(ctx, &call, ht, ok);
}

/* Parses without keywords; the variables are in an array or in a list. */
HPy_UNUSED _HPY_NEVER_INLINE static int _HPyArg_ParseAny(HPyContext *ctx, HPyTracker *ht,
                                                         const HPy *args, size_t nargs,
                                                         const char *fmt, const void *const *outs,
                                                         va_list *list)
{
    _HPyArg_Call call = {args, nargs,    fmt, NULL,  SIZE_MAX, 0,
                         NULL, HPy_NULL, {0}, false, outs,     list};
    if (ht != NULL) {
        ht->_i = 0;
    }
    return _HPyArg_Finish(ctx, &call, ht, _HPyArg_Walk(ctx, &call));
}

/**
 * Converts positional arguments to C values.
 * @param ht null, or where a new HPyTracker is stored; see the head of this file
 * @param args the arguments
 * @param nargs how many there are
 * @param fmt one unit for each argument; the tables are at the head of this file. A pointer to a C
 *     variable follows for each unit
 * @return 1, or 0 with an exception set
 * Since 0.9.0. Replaces PyArg_ParseTuple, PyArg_Parse, PyArg_UnpackTuple.
 */
HPyAPI_INLINE int HPyArg_Parse(HPyContext *ctx, HPyTracker *ht, const HPy *args, size_t nargs,
                               const char *fmt, ...)
{
    va_list outs;
    int ok;
    va_start(outs, fmt);
    ok = _HPyArg_ParseAny(ctx, ht, args, nargs, fmt, NULL, &outs);
    va_end(outs);
    return ok;
}

#if _HPY_GNU && !defined(__cplusplus)

/*
 * The same for a format that is a literal of at most eight units: the compiler walks through it,
 * and what is left is one conversion for each argument. Wrong numbers of arguments, and formats
 * that are not known at compile time, go the long way.
 */
HPyAPI_INLINE _HPY_ALWAYS_INLINE int _HPyArg_ParseLiteral(HPyContext *ctx, HPyTracker *ht,
                                                          const HPy *args, size_t nargs,
                                                          const void *const *outs, size_t nouts)
{
    const char *fmt = (const char *)*outs++;
    const size_t required = strcspn(fmt, "|:;");
    const size_t bar = fmt[required] == '|';
    const size_t units = required + (bar ? strcspn(fmt + required + 1, ":;") : 0);
    const bool known = __builtin_constant_p(units) && units == nouts && units <= 8 &&
                       strspn(fmt, "bBhHiIlkLKnfdpsO") == required &&
                       (!bar || strspn(fmt + required + 1, "bBhHiIlkLKnfdpsO") == units - required);
    if (!known || nargs < required || nargs > units) {
        return _HPyArg_ParseAny(ctx, ht, args, nargs, fmt, outs, NULL);
    }
    if (ht != NULL) {
        ht->_i = 0;
    }
#    define _HPyArg_ONE(i)                                                                         \
        if ((i) < units && ((i) < required || (i) < nargs) &&                                      \
            !_HPyArg_Convert(ctx, fmt, fmt[(i) < required ? (i) : (i) + 1], args[i],               \
                             (void *)(uintptr_t)outs[i])) {                                        \
            return 0;                                                                              \
        }
    _HPyArg_ONE(0);
    _HPyArg_ONE(1);
    _HPyArg_ONE(2);
    _HPyArg_ONE(3);
    _HPyArg_ONE(4);
    _HPyArg_ONE(5);
    _HPyArg_ONE(6);
    _HPyArg_ONE(7);
#    undef _HPyArg_ONE
    if (ht != NULL) {
        *ht = HPyTracker_New(ctx, 0);
        return ht->_i != 0;
    }
    return 1;
}

/* The format and the addresses of the variables go into an array. */
#    define HPyArg_Parse(ctx, ht, args, nargs, ...)                                                \
        _HPyArg_ParseLiteral(ctx, ht, args, nargs, (const void *const[]){__VA_ARGS__},             \
                             sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *) - 1)

#endif

/**
 * Converts the arguments of an HPyFunc_KEYWORDS function to C values.
 * @param ht where a new HPyTracker is stored; null if the format has no `O`
 * @param args the positional arguments, and behind them those given by keyword
 * @param nargs how many positional ones there are
 * @param kwnames the tuple of the keywords, or HPy_NULL
 * @param fmt one unit for each argument; the tables are at the head of this file
 * @param keywords the name of each argument in order, then NULL; "" for positional-only arguments,
 *     which come first. A pointer to a C variable follows for each unit
 * @return 1, or 0 with an exception set
 * Since 0.9.0. Replaces PyArg_ParseTupleAndKeywords.
 */
HPyAPI_INLINE int HPyArg_ParseKeywords(HPyContext *ctx, HPyTracker *ht, const HPy *args,
                                       size_t nargs, HPy kwnames, const char *fmt,
                                       const char *keywords[], ...)
{
    va_list outs;
    int ok;
    va_start(outs, keywords);
    ok = _HPyArg_ParseNamed(ctx, ht, args, nargs, kwnames, false, fmt, keywords, &outs);
    va_end(outs);
    return ok;
}

/**
 * Converts the arguments of an HPy_tp_new or HPy_tp_init function to C values.
 * @param ht where a new HPyTracker is stored; null if the format has no `O`. Without it the text
 *     of an `s` that was given by keyword lives as long as `kw` does
 * @param args the positional arguments
 * @param nargs how many there are
 * @param kw the dict of the arguments given by keyword, or HPy_NULL. Some interpreters give
 *     HPy_tp_new a tuple of the keywords, and the values behind the positional arguments, as for
 *     HPyFunc_KEYWORDS; that is understood as well
 * @param fmt one unit for each argument; the tables are at the head of this file
 * @param keywords the name of each argument in order, then NULL; "" for positional-only arguments,
 *     which come first. A pointer to a C variable follows for each unit
 * @return 1, or 0 with an exception set
 * Since 0.9.0. Replaces PyArg_ParseTupleAndKeywords.
 */
HPyAPI_INLINE int HPyArg_ParseKeywordsDict(HPyContext *ctx, HPyTracker *ht, const HPy *args,
                                           HPy_ssize_t nargs, HPy kw, const char *fmt,
                                           const char *keywords[], ...)
{
    va_list outs;
    int ok;
    va_start(outs, keywords);
    ok = _HPyArg_ParseNamed(ctx, ht, args, (size_t)nargs, kw, true, fmt, keywords, &outs);
    va_end(outs);
    return ok;
}

#endif /* HPY_ARGPARSE_H */
