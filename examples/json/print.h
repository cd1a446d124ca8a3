/*
 * Writing JSON: the part that needs no Python object. Shared by `hpyjson.c` and `cjson.c`, like
 * `scan.h`.
 */
#ifndef EXAMPLE_JSON_PRINT_H
#define EXAMPLE_JSON_PRINT_H

#include "scan.h"

#include <math.h>

/* A text that is being made. A `js_put…` that finds no memory is false and sets `no_memory`. */
typedef struct {
    char *data;
    size_t length, room;
    const char *indent; /* one level of it, or NULL: everything on one line */
    size_t indent_length;
    bool ascii_only; /* write other characters as escapes */
    bool has_other;  /* there are other characters than ASCII in `data` */
    bool no_memory;
} js_writer;

static inline bool js_reserve(js_writer *w, size_t more)
{
    size_t room;
    char *data;
    if (more <= w->room - w->length)
        return true;
    room = w->room * 2 + more + 256;
    data = room > more ? (char *)realloc(w->data, room) : NULL;
    if (data == NULL) {
        w->no_memory = true;
        return false;
    }
    w->data = data;
    w->room = room;
    return true;
}

static inline bool js_put(js_writer *w, const char *text, size_t length)
{
    if (!js_reserve(w, length))
        return false;
    memcpy(w->data + w->length, text, length);
    w->length += length;
    return true;
}

static inline bool js_put_char(js_writer *w, char c)
{
    if (!js_reserve(w, 1))
        return false;
    w->data[w->length++] = c;
    return true;
}

/* Indent each level by `text`, which is UTF-8 and must outlive the writing. */
static inline void js_set_indent(js_writer *w, const char *text, size_t length)
{
    size_t i;
    w->indent = text;
    w->indent_length = length;
    for (i = 0; i < length; i++)
        w->has_other |= (unsigned char)text[i] >= 0x80;
}

static inline bool js_put_line(js_writer *w, size_t depth)
{
    if (!js_put_char(w, '\n'))
        return false;
    while (depth-- > 0) {
        if (!js_put(w, w->indent, w->indent_length))
            return false;
    }
    return true;
}

/* What stands before an item of a list or a dictionary that is `depth` levels deep. */
static inline bool js_put_before_item(js_writer *w, bool first, size_t depth)
{
    if (w->indent != NULL)
        return (first || js_put_char(w, ',')) && js_put_line(w, depth + 1);
    return first || js_put(w, ", ", 2);
}

/* The bracket that ends a list or a dictionary that is `depth` levels deep and not empty. */
static inline bool js_put_end(js_writer *w, char bracket, size_t depth)
{
    return (w->indent == NULL || js_put_line(w, depth)) && js_put_char(w, bracket);
}

/* ---- strings ---- */

static inline char *js_put_unit(char *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'u';
    *out++ = hex[unit >> 12];
    *out++ = hex[(unit >> 8) & 15];
    *out++ = hex[(unit >> 4) & 15];
    *out++ = hex[unit & 15];
    return out;
}

/* One character as an escape: at most twelve bytes. */
static inline char *js_put_escape(char *out, uint32_t code)
{
    static const char values[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *value = code != 0 && code < 0x80 ? strchr(values, (int)code) : NULL;
    if (value != NULL) {
        *out++ = '\\';
        *out++ = names[value - values];
        return out;
    }
    if (code > 0xFFFF) {
        out = js_put_unit(out, 0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    return js_put_unit(out, code);
}

/* The character at `p` that cannot stand for itself; the address behind it, or NULL. The text is
 * valid UTF-8. */
static inline const char *js_put_special(js_writer *w, const char *p, const char *end)
{
    uint32_t code = 0;
    const char *next = js_decode_utf8(p, end, &code);
    if (code >= 0x80 && !w->ascii_only) {
        w->has_other = true;
        return js_put(w, p, (size_t)(next - p)) ? next : NULL;
    }
    if (!js_reserve(w, 12))
        return NULL;
    w->length = (size_t)(js_put_escape(w->data + w->length, code) - w->data);
    return next;
}

/* A string in quotes. `text` is UTF-8, in which surrogates may stand alone. */
static inline bool js_put_string(js_writer *w, const char *text, size_t length)
{
    const char *end = text + length;
    if (!js_reserve(w, length + 2))
        return false;
    w->data[w->length++] = '"';
    for (;;) {
        const char *run = js_plain_run(text, end);
        if (!js_put(w, text, (size_t)(run - text)))
            return false;
        if (run == end)
            return js_put_char(w, '"');
        text = js_put_special(w, run, end);
        if (text == NULL)
            return false;
    }
}

/* ---- numbers ---- */

/* Write the digits of `value`, at least `width`, so that they end at `end`; where they begin. */
static inline char *js_digits_before(char *end, uint64_t value, int width)
{
    for (; value > 0 || width > 0; value /= 10, width--)
        *--end = (char)('0' + value % 10);
    return end;
}

static inline bool js_put_integer(js_writer *w, int64_t value)
{
    char digits[24], *end = digits + sizeof digits;
    char *start = js_digits_before(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 1);
    if (value < 0)
        *--start = '-';
    return js_put(w, start, (size_t)(end - start));
}

/*
 * A number that has a decimal form of at most 15 digits and needs no exponent is that form: no two
 * such forms are the same double, so none is shorter. Returns false, and writes nothing, if `value`
 * has none.
 */
static inline bool js_short_decimal(double value, uint64_t *digits, int *decimals)
{
    double size = fabs(value);
    if (FLT_EVAL_METHOD != 0 || !(size >= 1e-4 && size < 1e15))
        return false;
    *decimals = 0;
    while (*decimals < 18 && size * js_power_of_ten[*decimals] < 1e14)
        ++*decimals;
    *digits = (uint64_t)(size * js_power_of_ten[*decimals] + 0.5);
    return *digits <= UINT64_C(1000000000000000) &&
           (double)*digits / js_power_of_ten[*decimals] == size;
}

/* What `js_short_decimal` found, at least one digit on either side of the point. */
static inline bool js_put_decimal(js_writer *w, bool negative, uint64_t digits, int decimals)
{
    char text[40], *point = text + 20, *end;
    uint64_t unit = (uint64_t)js_power_of_ten[decimals];
    char *start = js_digits_before(point, digits / unit, 1);
    if (negative)
        *--start = '-';
    *point = '.';
    end = point + 1 + (decimals > 0 ? decimals : 1);
    js_digits_before(end, digits % unit, decimals > 0 ? decimals : 1);
    while (end[-1] == '0' && end - point > 2)
        end--;
    return js_put(w, start, (size_t)(end - start));
}

#endif /* EXAMPLE_JSON_PRINT_H */
