/*
 * Text from a printf-like format: HPyUnicode_FromFormat, HPyUnicode_FromFormatV, HPyErr_Format.
 *
 * The format is ASCII. A unit is `%[0][width][.precision]TYPE`:
 *
 * | unit              | argument                           | gives                               |
 * |-------------------|------------------------------------|-------------------------------------|
 * | `%%`              |                                    | a percent sign                      |
 * | `%c`              | int                                | the character with this code point  |
 * | `%d` `%i`         | int                                | decimal                             |
 * | `%ld` `%li`       | long                               | decimal                             |
 * | `%lld` `%lli`     | long long                          | decimal                             |
 * | `%zd` `%zi`       | HPy_ssize_t                        | decimal                             |
 * | `%u` `%lu` `%llu` | unsigned int, long, long long      | decimal                             |
 * | `%zu`             | size_t                             | decimal                             |
 * | `%x`              | unsigned int                       | hexadecimal, lower case             |
 * | `%p`              | void *                             | `0x` and the address in hexadecimal |
 * | `%s`              | const char *                       | UTF-8 text, decoded with "replace"  |
 * | `%U`              | HPy, a str                         | the str                             |
 * | `%V`              | HPy, a str or HPy_NULL, and        | the str, or, if it is HPy_NULL, the |
 * |                   | const char *                       | C string as `%s` does               |
 * | `%S` `%R` `%A`    | HPy                                | str(), repr(), ascii() of it        |
 *
 * - The width is the least number of characters; blanks fill up on the left. A `0` before it fills
 *   integers with zeros instead.
 * - The precision is the least number of digits of an integer; for text it is the most that is
 *   taken: characters of a Python object, bytes of a C string, which then needs no NUL behind them.
 * - `%c` and `%p` take neither; text takes no `0`.
 *
 * Mistakes in the format, and null pointers and handles where text is asked for, are SystemErrors;
 * a byte in the format that is not ASCII and a width or precision that HPy_ssize_t cannot hold are
 * ValueErrors; `%c` out of range is an OverflowError.
 */
#ifndef HPY_FORMAT_H
#define HPY_FORMAT_H

HPyAPI_INLINE HPy HPyErr_Format(HPyContext *ctx, HPy h_type, const char *fmt, ...);

/* The text so far: `done` (null as long as there is none), then the ASCII in `text`. */
typedef struct {
    HPy done;
    size_t used;
    char text[240];
} _HPyFormat_Out;

/* One unit. A width or precision that is not given is -1. */
typedef struct {
    HPy_ssize_t width;
    HPy_ssize_t precision;
    bool zero;
    char size; /* 0, 'l', 'L' for "ll", 'z' */
    char type;
} _HPyFormat_Unit;

/* The functions below return 0, or -1 with an exception, where nothing else is said. */

HPyAPI_INLINE int _HPyFormat_Join(HPyContext *ctx, _HPyFormat_Out *out, HPy piece)
{
    HPy sum;
    if (HPy_IsNull(piece)) {
        return -1;
    }
    sum = HPy_IsNull(out->done) ? HPy_Dup(ctx, piece) : HPy_Add(ctx, out->done, piece);
    HPy_Close(ctx, piece);
    if (HPy_IsNull(sum)) {
        return -1;
    }
    HPy_Close(ctx, out->done);
    out->done = sum;
    return 0;
}

HPyAPI_INLINE int _HPyFormat_Flush(HPyContext *ctx, _HPyFormat_Out *out)
{
    size_t used = out->used;
    out->used = 0;
    if (used == 0) {
        return 0;
    }
    return _HPyFormat_Join(ctx, out,
                           HPyUnicode_DecodeASCII(ctx, out->text, (HPy_ssize_t)used, NULL));
}

/* Appends a str, and closes it. */
HPyAPI_INLINE int _HPyFormat_Str(HPyContext *ctx, _HPyFormat_Out *out, HPy piece)
{
    if (HPy_IsNull(piece)) {
        return -1;
    }
    if (_HPyFormat_Flush(ctx, out) < 0) {
        HPy_Close(ctx, piece);
        return -1;
    }
    return _HPyFormat_Join(ctx, out, piece);
}

/* Appends ASCII. */
HPyAPI_INLINE int _HPyFormat_Text(HPyContext *ctx, _HPyFormat_Out *out, const char *s, size_t n)
{
    if (n > sizeof(out->text)) {
        return _HPyFormat_Str(ctx, out, HPyUnicode_DecodeASCII(ctx, s, (HPy_ssize_t)n, NULL));
    }
    if (n > sizeof(out->text) - out->used && _HPyFormat_Flush(ctx, out) < 0) {
        return -1;
    }
    memcpy(out->text + out->used, s, n);
    out->used += n;
    return 0;
}

/* A str of n times the same character. */
HPyAPI_INLINE HPy _HPyFormat_Repeat(HPyContext *ctx, char c, size_t n)
{
    HPy one = HPyUnicode_DecodeASCII(ctx, &c, 1, NULL);
    HPy times = HPyLong_FromSize_t(ctx, n);
    HPy result = HPy_NULL;
    if (!HPy_IsNull(one) && !HPy_IsNull(times)) {
        result = HPy_Multiply(ctx, one, times);
    }
    HPy_Close(ctx, one);
    HPy_Close(ctx, times);
    return result;
}

/* Appends what is missing to `width`: as many characters c as `have` is smaller. */
HPyAPI_INLINE int _HPyFormat_Fill(HPyContext *ctx, _HPyFormat_Out *out, char c, size_t have,
                                  HPy_ssize_t width)
{
    size_t n;
    if (width < 0 || (size_t)width <= have) {
        return 0;
    }
    n = (size_t)width - have;
    if (n > sizeof(out->text) - out->used) {
        return _HPyFormat_Str(ctx, out, _HPyFormat_Repeat(ctx, c, n));
    }
    memset(out->text + out->used, c, n);
    out->used += n;
    return 0;
}

HPyAPI_INLINE int _HPyFormat_Integer(HPyContext *ctx, _HPyFormat_Out *out,
                                     const _HPyFormat_Unit *unit, unsigned long long magnitude,
                                     bool negative)
{
    const unsigned base = unit->type == 'x' ? 16 : 10;
    char digits[24];
    char *const end = digits + sizeof(digits);
    char *first = end;
    size_t n, sign = negative ? 1 : 0;
    HPy_ssize_t least = unit->precision;
    do {
        *--first = "0123456789abcdef"[magnitude % base];
        magnitude /= base;
    } while (magnitude != 0);
    n = (size_t)(end - first);
    if (unit->zero && unit->width - (HPy_ssize_t)sign > least) {
        least = unit->width - (HPy_ssize_t)sign;
    }
    if (_HPyFormat_Fill(ctx, out, ' ', sign + (least > (HPy_ssize_t)n ? (size_t)least : n),
                        unit->width) < 0) {
        return -1;
    }
    if (_HPyFormat_Text(ctx, out, "-", sign) < 0 || _HPyFormat_Fill(ctx, out, '0', n, least) < 0) {
        return -1;
    }
    return _HPyFormat_Text(ctx, out, first, n);
}

HPyAPI_INLINE int _HPyFormat_Signed(HPyContext *ctx, _HPyFormat_Out *out,
                                    const _HPyFormat_Unit *unit, va_list *args)
{
    long long value;
    switch (unit->size) {
    case 'l':
        value = va_arg(*args, long);
        break;
    case 'L':
        value = va_arg(*args, long long);
        break;
    case 'z':
        value = va_arg(*args, HPy_ssize_t);
        break;
    default:
        value = va_arg(*args, int);
    }
    return _HPyFormat_Integer(ctx, out, unit,
                              value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value,
                              value < 0);
}

HPyAPI_INLINE int _HPyFormat_Unsigned(HPyContext *ctx, _HPyFormat_Out *out,
                                      const _HPyFormat_Unit *unit, va_list *args)
{
    unsigned long long value;
    switch (unit->size) {
    case 'l':
        value = va_arg(*args, unsigned long);
        break;
    case 'L':
        value = va_arg(*args, unsigned long long);
        break;
    case 'z':
        value = va_arg(*args, size_t);
        break;
    default:
        value = va_arg(*args, unsigned int);
    }
    return _HPyFormat_Integer(ctx, out, unit, value, false);
}

HPyAPI_INLINE int _HPyFormat_Pointer(HPyContext *ctx, _HPyFormat_Out *out, const void *pointer)
{
    const _HPyFormat_Unit hex = {-1, -1, false, 'L', 'x'};
    if (_HPyFormat_Text(ctx, out, "0x", 2) < 0) {
        return -1;
    }
    return _HPyFormat_Integer(ctx, out, &hex, (unsigned long long)(uintptr_t)pointer, false);
}

HPyAPI_INLINE int _HPyFormat_Character(HPyContext *ctx, _HPyFormat_Out *out, int code)
{
    wchar_t wide[2];
    HPy_ssize_t n = 0;
    char ascii = (char)code;
    if (code < 0 || code > 0x10ffff) {
        HPyErr_SetString(ctx, ctx->h_OverflowError, "character argument not in range(0x110000)");
        return -1;
    }
    if (code < 0x80) {
        return _HPyFormat_Text(ctx, out, &ascii, 1);
    }
    if (sizeof(wchar_t) == 2 && code > 0xffff) { /* UTF-16: a surrogate pair */
        wide[n++] = (wchar_t)(0xd800 + ((code - 0x10000) >> 10));
        code = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
    wide[n++] = (wchar_t)code;
    return _HPyFormat_Str(ctx, out, HPyUnicode_FromWideChar(ctx, wide, n));
}

/* Appends a str to `width` characters, and closes it. */
HPyAPI_INLINE int _HPyFormat_PaddedStr(HPyContext *ctx, _HPyFormat_Out *out, HPy piece,
                                       HPy_ssize_t width)
{
    if (!HPy_IsNull(piece) && width > 0) {
        HPy_ssize_t n = HPy_Length(ctx, piece);
        if (n < 0 || _HPyFormat_Fill(ctx, out, ' ', (size_t)n, width) < 0) {
            HPy_Close(ctx, piece);
            return -1;
        }
    }
    return _HPyFormat_Str(ctx, out, piece);
}

HPyAPI_INLINE int _HPyFormat_NoNull(HPyContext *ctx, const char *what, const _HPyFormat_Unit *unit)
{
    HPyErr_Format(ctx, ctx->h_SystemError, "%s passed as value for formatting unit '%%%c'", what,
                  unit->type);
    return -1;
}

HPyAPI_INLINE HPy _HPyFormat_DecodeUTF8(HPyContext *ctx, const char *s, size_t n)
{
    HPy result, bytes = HPyBytes_FromStringAndSize(ctx, s, (HPy_ssize_t)n);
    if (HPy_IsNull(bytes)) {
        return HPy_NULL;
    }
    result = HPyUnicode_FromEncodedObject(ctx, bytes, "utf-8", "replace");
    HPy_Close(ctx, bytes);
    return result;
}

HPyAPI_INLINE int _HPyFormat_CString(HPyContext *ctx, _HPyFormat_Out *out,
                                     const _HPyFormat_Unit *unit, const char *s)
{
    size_t n, ascii = 0;
    if (s == NULL) {
        return _HPyFormat_NoNull(ctx, "null c string", unit);
    }
    for (n = 0; (unit->precision < 0 || n < (size_t)unit->precision) && s[n] != '\0'; n++) {
        ascii += (unsigned char)s[n] < 0x80;
    }
    if (ascii < n) {
        return _HPyFormat_PaddedStr(ctx, out, _HPyFormat_DecodeUTF8(ctx, s, n), unit->width);
    }
    if (_HPyFormat_Fill(ctx, out, ' ', n, unit->width) < 0) {
        return -1;
    }
    return _HPyFormat_Text(ctx, out, s, n);
}

/* The str that %U, %V, %S, %R or %A makes of an object: a new handle, or HPy_NULL. */
HPyAPI_INLINE HPy _HPyFormat_Convert(HPyContext *ctx, char type, HPy h)
{
    switch (type) {
    case 'S':
        return HPy_Str(ctx, h);
    case 'R':
        return HPy_Repr(ctx, h);
    case 'A':
        return HPy_ASCII(ctx, h);
    default:
        if (HPyUnicode_Check(ctx, h)) {
            return HPy_Dup(ctx, h);
        }
        return HPyErr_Format(ctx, ctx->h_SystemError, "formatting unit '%%%c' needs a str", type);
    }
}

HPyAPI_INLINE int _HPyFormat_Object(HPyContext *ctx, _HPyFormat_Out *out,
                                    const _HPyFormat_Unit *unit, HPy h)
{
    HPy str;
    if (HPy_IsNull(h)) {
        return _HPyFormat_NoNull(ctx, "HPy_NULL", unit);
    }
    str = _HPyFormat_Convert(ctx, unit->type, h);
    if (!HPy_IsNull(str) && unit->precision >= 0) {
        HPy cut = HPyUnicode_Substring(ctx, str, 0, unit->precision);
        HPy_Close(ctx, str);
        str = cut;
    }
    return _HPyFormat_PaddedStr(ctx, out, str, unit->width);
}

/* %V: two arguments, the second for the case that the first is null. */
HPyAPI_INLINE int _HPyFormat_ObjectOrCString(HPyContext *ctx, _HPyFormat_Out *out,
                                             const _HPyFormat_Unit *unit, va_list *args)
{
    HPy h = va_arg(*args, HPy);
    const char *s = va_arg(*args, const char *);
    if (HPy_IsNull(h)) {
        return _HPyFormat_CString(ctx, out, unit, s);
    }
    return _HPyFormat_Object(ctx, out, unit, h);
}

/* Refuses options that the type of unit does not have. */
HPyAPI_INLINE int _HPyFormat_CheckOptions(HPyContext *ctx, const _HPyFormat_Unit *unit)
{
    if (unit->zero && strchr("cpsUVSRA", unit->type) != NULL) {
        HPyErr_Format(ctx, ctx->h_SystemError, "formatting unit '%%%c' does not support 0-padding",
                      unit->type);
        return -1;
    }
    if ((unit->width >= 0 || unit->precision >= 0) && strchr("cp", unit->type) != NULL) {
        HPyErr_Format(ctx, ctx->h_SystemError,
                      "formatting unit '%%%c' does not support width nor precision", unit->type);
        return -1;
    }
    return 0;
}

HPyAPI_INLINE int _HPyFormat_Append(HPyContext *ctx, _HPyFormat_Out *out,
                                    const _HPyFormat_Unit *unit, va_list *args)
{
    if (_HPyFormat_CheckOptions(ctx, unit) < 0) {
        return -1;
    }
    switch (unit->type) {
    case 'd':
    case 'i':
        return _HPyFormat_Signed(ctx, out, unit, args);
    case 'u':
    case 'x':
        return _HPyFormat_Unsigned(ctx, out, unit, args);
    case 'c':
        return _HPyFormat_Character(ctx, out, va_arg(*args, int));
    case 'p':
        return _HPyFormat_Pointer(ctx, out, va_arg(*args, const void *));
    case 's':
        return _HPyFormat_CString(ctx, out, unit, va_arg(*args, const char *));
    case 'V':
        return _HPyFormat_ObjectOrCString(ctx, out, unit, args);
    default: /* U S R A: _HPyFormat_Parse lets nothing else through */
        return _HPyFormat_Object(ctx, out, unit, va_arg(*args, HPy));
    }
}

/* Reads the digits at *p; -1 where there are none; -2 with an exception. */
HPyAPI_INLINE HPy_ssize_t _HPyFormat_Number(HPyContext *ctx, const char **p, const char *too_big)
{
    HPy_ssize_t n = -1;
    for (; **p >= '0' && **p <= '9'; (*p)++) {
        int digit = **p - '0';
        if (n > (HPY_SSIZE_T_MAX - digit) / 10) {
            HPyErr_SetString(ctx, ctx->h_ValueError, too_big);
            return -2;
        }
        n = (n < 0 ? 0 : n * 10) + digit;
    }
    return n;
}

/* Reads the unit that begins at the '%' at *fmt, and moves *fmt behind it. */
HPyAPI_INLINE int _HPyFormat_Parse(HPyContext *ctx, const char **fmt, _HPyFormat_Unit *unit)
{
    const char *p = *fmt + 1;
    unit->zero = *p == '0';
    unit->width = _HPyFormat_Number(ctx, &p, "width too big");
    unit->precision = -1;
    unit->size = 0;
    if (*p == '.' && unit->width > -2) {
        p++;
        unit->precision = _HPyFormat_Number(ctx, &p, "precision too big");
        if (unit->precision == -1) {
            unit->precision = 0; /* "%.d", as in C */
        }
    }
    if (unit->width == -2 || unit->precision == -2) {
        return -1;
    }
    if (*p == 'l' || *p == 'z') {
        unit->size = *p++;
        if (unit->size == 'l' && *p == 'l') {
            unit->size = 'L';
            p++;
        }
    }
    unit->type = *p;
    if (*p == '\0' || strchr(unit->size ? "diu" : "diuxcpsUVSRA", *p) == NULL) {
        HPyErr_Format(ctx, ctx->h_SystemError, "invalid format string: no such unit: %s", *fmt);
        return -1;
    }
    *fmt = p + 1;
    return 0;
}

/* Appends what stands at *fmt up to the next '%' or the end. */
HPyAPI_INLINE int _HPyFormat_Literal(HPyContext *ctx, _HPyFormat_Out *out, const char **fmt)
{
    const char *p = *fmt, *first = p;
    for (; *p != '\0' && *p != '%'; p++) {
        if ((unsigned char)*p >= 0x80) {
            HPyErr_Format(ctx, ctx->h_ValueError,
                          "expected an ASCII-encoded format string, got a non-ASCII byte: 0x%x",
                          (unsigned)(unsigned char)*p);
            return -1;
        }
    }
    *fmt = p;
    return _HPyFormat_Text(ctx, out, first, (size_t)(p - first));
}

HPyAPI_INLINE int _HPyFormat_All(HPyContext *ctx, _HPyFormat_Out *out, const char *fmt,
                                 va_list *args)
{
    _HPyFormat_Unit unit;
    while (*fmt != '\0') {
        if (*fmt != '%') {
            if (_HPyFormat_Literal(ctx, out, &fmt) < 0) {
                return -1;
            }
        } else if (fmt[1] == '%') {
            if (_HPyFormat_Text(ctx, out, fmt, 1) < 0) {
                return -1;
            }
            fmt += 2;
        } else if (_HPyFormat_Parse(ctx, &fmt, &unit) < 0 ||
                   _HPyFormat_Append(ctx, out, &unit, args) < 0) {
            return -1;
        }
    }
    return _HPyFormat_Flush(ctx, out);
}

/**
 * Makes a str from a format and its arguments in a va_list.
 * @param fmt the format; its units are in the table at the head of this file
 * @param vl the arguments; it is not changed
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyUnicode_FromFormatV.
 */
HPyAPI_INLINE HPy HPyUnicode_FromFormatV(HPyContext *ctx, const char *fmt, va_list vl)
{
    _HPyFormat_Out out;
    va_list args;
    int status;
    out.done = HPy_NULL;
    out.used = 0;
    va_copy(args, vl);
    status = _HPyFormat_All(ctx, &out, fmt, &args);
    va_end(args);
    if (status < 0) {
        HPy_Close(ctx, out.done);
        return HPy_NULL;
    }
    return HPy_IsNull(out.done) ? HPyUnicode_FromString(ctx, "") : out.done;
}

/**
 * Makes a str from a format and its arguments.
 * @param fmt the format; its units, each with the C type of its argument, are in the table at the
 *     head of this file
 * @return a new handle, or HPy_NULL with an exception set
 * Since 0.9.0. Replaces PyUnicode_FromFormat.
 */
HPyAPI_INLINE HPy HPyUnicode_FromFormat(HPyContext *ctx, const char *fmt, ...)
{
    HPy result;
    va_list vl;
    va_start(vl, fmt);
    result = HPyUnicode_FromFormatV(ctx, fmt, vl);
    va_end(vl);
    return result;
}

/**
 * Sets an exception whose message is made from a format. If the message cannot be made, the
 * exception that says why is set instead.
 * @param h_type the exception class
 * @param fmt the format, as HPyUnicode_FromFormat takes it
 * @return always HPy_NULL, so that `return HPyErr_Format(…);` does
 * Since 0.9.0. Replaces PyErr_Format.
 */
HPyAPI_INLINE HPy HPyErr_Format(HPyContext *ctx, HPy h_type, const char *fmt, ...)
{
    HPy message;
    va_list vl;
    HPyErr_Clear(ctx); /* what is replaced must not be set while Python code makes the text */
    va_start(vl, fmt);
    message = HPyUnicode_FromFormatV(ctx, fmt, vl);
    va_end(vl);
    if (!HPy_IsNull(message)) {
        HPyErr_SetObject(ctx, h_type, message);
        HPy_Close(ctx, message);
    }
    return HPy_NULL;
}

#endif /* HPY_FORMAT_H */
