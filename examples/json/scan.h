/*
 * Reading JSON: the part that needs no Python object.
 *
 * `hpyjson.c` and `cjson.c` both include this header, so that what differs between them is the API
 * they talk to Python with, and nothing else. Every function is static: an extension that includes
 * it exports nothing more.
 */
#ifndef EXAMPLE_JSON_SCAN_H
#define EXAMPLE_JSON_SCAN_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Values may be nested this deep. The readers and writers recurse, and C's stack is finite. */
#define JS_MAX_DEPTH 1000

#define JS_EVERY_BYTE UINT64_C(0x0101010101010101)

/* A text that is being read. The first problem stays; `at` is where to go on while there is none.
 */
typedef struct {
    const char *begin, *at, *end;
    const char *problem;    /* one sentence, or NULL */
    const char *problem_at; /* where in the text */
    bool no_memory;
    wchar_t *wide; /* the characters of the last string that was not plain ASCII */
    size_t wide_room;
} js_reader;

/* A string of the text: `ascii` points into it, or is NULL and the characters are in the reader's
 * `wide`. */
typedef struct {
    const char *ascii;
    size_t length;
} js_string;

typedef enum {
    JS_INT,      /* `integer` is the value */
    JS_REAL,     /* `real` is the value, exactly rounded */
    JS_BIG_INT,  /* too many digits for C: convert the text */
    JS_LONG_REAL /* rounding it takes more than one step: convert the text */
} js_number_kind;

typedef struct {
    js_number_kind kind;
    const char *text;
    size_t length;
    int64_t integer;
    double real;
} js_number;

/* A place as people count, in characters: `pos` starts at 0, the others at 1. */
typedef struct {
    size_t pos, line, column;
} js_place;

#define JS_START                                                                                   \
    {                                                                                              \
        0, 1, 1                                                                                    \
    }

/* Powers of ten that a double holds exactly. */
static const double js_power_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline js_reader js_reader_over(const char *text, size_t length)
{
    js_reader r = {text, text, text + length, NULL, NULL, false, NULL, 0};
    return r;
}

static inline bool js_fail(js_reader *r, const char *where, const char *problem)
{
    if (r->problem == NULL) {
        r->problem = problem;
        r->problem_at = where;
    }
    return false;
}

/* Move `place` over the characters from `from` to `to`. */
static inline void js_advance(js_place *place, const char *from, const char *to)
{
    for (; from < to; from++) {
        if (((unsigned char)*from & 0xC0) == 0x80)
            continue;
        place->pos++;
        place->column++;
        if (*from == '\n') {
            place->line++;
            place->column = 1;
        }
    }
}

static inline bool js_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The length of the byte order mark that some programs put in front of UTF-8, or 0. */
static inline size_t js_byte_order_mark(const char *text, size_t length)
{
    return length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* Skip blanks; the next byte, which is not consumed, or -1 at the end. */
static inline int js_peek(js_reader *r)
{
    while (r->at < r->end && js_is_space(*r->at))
        r->at++;
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

/* Behind an item: 1 if another follows, 0 if `bracket` ends them, -1 for a problem. */
static inline int js_after_item(js_reader *r, char bracket, const char *expected)
{
    int next = js_peek(r);
    if (next != ',' && next != bracket) {
        js_fail(r, r->at, expected);
        return -1;
    }
    r->at++;
    return next == ',';
}

/* Consume the bracket that begins a list or an object, and, if it is empty, the `bracket` that ends
 * it: then true. */
static inline bool js_take_empty(js_reader *r, char bracket)
{
    r->at++;
    if (js_peek(r) != bracket)
        return false;
    r->at++;
    return true;
}

/* Consume `word` if it comes next. */
static inline bool js_take_word(js_reader *r, const char *word, size_t length)
{
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* The end of the run of ASCII characters that stand for themselves in a JSON string. */
static inline const char *js_plain_run(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t eight, quote, backslash;
        memcpy(&eight, p, 8);
        quote = eight ^ (JS_EVERY_BYTE * '"');
        backslash = eight ^ (JS_EVERY_BYTE * '\\');
        /* A byte's top bit ends up set where it was set, or where the subtraction went below zero.
         */
        if ((eight | (eight - JS_EVERY_BYTE * 0x20) | (quote - JS_EVERY_BYTE) |
             (backslash - JS_EVERY_BYTE)) &
            (JS_EVERY_BYTE * 0x80))
            break;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\')
        p++;
    return p;
}

/* A hash of a name, for the readers' table of those they have met. It looks at both ends only. */
static inline size_t js_hash(const char *text, size_t length)
{
    uint64_t first = 0, last = 0;
    if (length >= 8) {
        memcpy(&first, text, 8);
        memcpy(&last, text + length - 8, 8);
    } else if (length >= 4) {
        memcpy(&first, text, 4);
        memcpy(&last, text + length - 4, 4);
    } else if (length > 0) {
        first = (unsigned char)text[0];
        last = ((uint64_t)(unsigned char)text[length / 2] << 8) | (unsigned char)text[length - 1];
    }
    first = (first ^ length) * UINT64_C(0x9E3779B97F4A7C15);
    last = (last ^ (first >> 29)) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (size_t)(last >> 40);
}

/* ---- strings ---- */

static inline wchar_t *js_put_wide(wchar_t *out, uint32_t code)
{
    if (WCHAR_MAX <= 0xFFFF && code > 0xFFFF) {
        *out++ = (wchar_t)(0xD800 + ((code - 0x10000) >> 10));
        code = 0xDC00 + ((code - 0x10000) & 0x3FF);
    }
    *out++ = (wchar_t)code;
    return out;
}

/*
 * The character that begins at `p`; the address behind it, or NULL if the bytes are not UTF-8.
 * Lone surrogates pass: a Python str may have them.
 */
static inline const char *js_decode_utf8(const char *p, const char *end, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*p++;
    int more = lead < 0x80 ? 0 : lead < 0xC0 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    int i;
    if (more < 0 || lead > 0xF4 || end - p < more)
        return NULL;
    *code = more == 0 ? lead : lead & (0x3F >> more);
    for (i = 0; i < more; i++, p++) {
        if (((unsigned char)*p & 0xC0) != 0x80)
            return NULL;
        *code = (*code << 6) | ((unsigned char)*p & 0x3F);
    }
    return *code < smallest[more] || *code > 0x10FFFF ? NULL : p;
}

/* Four hexadecimal digits at `p`, or -1. */
static inline int32_t js_hex4(const char *p, const char *end)
{
    int32_t value = 0;
    int i;
    if (end - p < 4)
        return -1;
    for (i = 0; i < 4; i++) {
        char c = p[i], lower = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                   : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The character that the escape at `p` (behind the backslash) means; the address behind it, or
 * NULL. */
static inline const char *js_decode_escape(js_reader *r, const char *p, const char *end,
                                           uint32_t *code)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name;
    int32_t unit, low;
    if (*p != 'u') {
        name = *p != '\0' ? strchr(names, *p) : NULL;
        if (name == NULL) {
            js_fail(r, p - 1, "unknown escape");
            return NULL;
        }
        *code = (unsigned char)values[name - names];
        return p + 1;
    }
    unit = js_hex4(++p, end);
    if (unit < 0) {
        js_fail(r, p, "expected four hexadecimal digits");
        return NULL;
    }
    p += 4;
    *code = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        low = js_hex4(p + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            *code = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            p += 6;
        }
    }
    return p;
}

/* The quote that ends the string whose characters begin at `p`, or NULL. */
static inline const char *js_closing_quote(const char *p, const char *end)
{
    while (p < end && *p != '"')
        p += *p == '\\' ? 2 : 1;
    return p < end ? p : NULL;
}

/* Room for a string of `length` bytes: no character has more wide characters than bytes. */
static inline bool js_reserve_wide(js_reader *r, size_t length)
{
    wchar_t *wide;
    if (length <= r->wide_room)
        return true;
    wide = length <= SIZE_MAX / sizeof(wchar_t)
               ? (wchar_t *)realloc(r->wide, length * sizeof(wchar_t))
               : NULL;
    if (wide == NULL) {
        r->no_memory = true;
        return false;
    }
    r->wide = wide;
    r->wide_room = length;
    return true;
}

/* A string that is not plain ASCII; `r->at` is behind its opening quote. */
static inline bool js_scan_wide_string(js_reader *r, js_string *s)
{
    const char *p = r->at, *end = js_closing_quote(p, r->end), *next;
    wchar_t *out;
    if (end == NULL)
        return js_fail(r, r->at - 1, "the string does not end");
    if (!js_reserve_wide(r, (size_t)(end - p)))
        return false;
    out = r->wide;
    while (p < end) {
        uint32_t code;
        const char *run = js_plain_run(p, end);
        while (p < run)
            *out++ = (wchar_t)*p++;
        if (p == end)
            break;
        if ((unsigned char)*p < 0x20)
            return js_fail(r, p, "a control character must be escaped");
        next = *p == '\\' ? js_decode_escape(r, p + 1, end, &code) : js_decode_utf8(p, end, &code);
        if (next == NULL)
            return js_fail(r, p, "not valid UTF-8"); /* an escape has said what is wrong already */
        out = js_put_wide(out, code);
        p = next;
    }
    s->ascii = NULL;
    s->length = (size_t)(out - r->wide);
    r->at = end + 1;
    return true;
}

/* The string whose opening quote is at `r->at`. */
static inline bool js_scan_string(js_reader *r, js_string *s)
{
    const char *start = ++r->at, *run = js_plain_run(start, r->end);
    if (run == r->end || *run != '"')
        return js_scan_wide_string(r, s);
    s->ascii = start;
    s->length = (size_t)(run - start);
    r->at = run + 1;
    return true;
}

/* ---- numbers ---- */

static inline const char *js_digits(const char *p, const char *end, uint64_t *value)
{
    for (; p < end && (unsigned char)(*p - '0') < 10; p++)
        *value = *value * 10 + (uint64_t)(*p - '0');
    return p;
}

/* The exponent behind the `e` at `p`, within bounds; the address behind it, or NULL. */
static inline const char *js_scan_exponent(js_reader *r, const char *p, int64_t *exponent)
{
    const char *digits = ++p;
    int64_t value = 0;
    if (p < r->end && (*p == '-' || *p == '+'))
        p++;
    if (p == r->end || (unsigned char)(*p - '0') >= 10) {
        js_fail(r, p, "expected a digit");
        return NULL;
    }
    for (; p < r->end && (unsigned char)(*p - '0') < 10; p++)
        value = value < 100000 ? value * 10 + (*p - '0') : value;
    *exponent = *digits == '-' ? -value : value;
    return p;
}

/*
 * Up to 2^53 both the digits and a power of ten up to 22 are exact doubles, so one multiplication
 * or division rounds correctly. Where C computes in wider registers it would round twice.
 */
static inline bool js_exact_real(uint64_t digits, size_t count, int64_t exponent, double *value)
{
    *value = 0;
    if (FLT_EVAL_METHOD != 0 || count > 19 || digits > (UINT64_C(1) << 53) || exponent < -22 ||
        exponent > 22)
        return false;
    *value = exponent < 0 ? (double)digits / js_power_of_ten[-exponent]
                          : (double)digits * js_power_of_ten[exponent];
    return true;
}

/* What follows at `p` the `count` digits `value` of a number; the address behind it, or NULL. */
static inline const char *js_scan_real(js_reader *r, const char *p, uint64_t value, size_t count,
                                       js_number *n)
{
    const char *digits;
    int64_t exponent = 0, decimals = 0;
    if (*p == '.') {
        digits = ++p;
        p = js_digits(p, r->end, &value);
        decimals = p - digits;
        if (decimals == 0) {
            js_fail(r, p, "expected a digit");
            return NULL;
        }
    }
    if (p < r->end && (*p == 'e' || *p == 'E')) {
        p = js_scan_exponent(r, p, &exponent);
        if (p == NULL)
            return NULL;
    }
    n->kind = js_exact_real(value, count + (size_t)decimals, exponent - decimals, &n->real)
                  ? JS_REAL
                  : JS_LONG_REAL;
    return p;
}

/* Whether a value that begins with `first` is a number: -Infinity is a word. */
static inline bool js_at_number(const js_reader *r, int first)
{
    if (first == '-')
        return r->end - r->at < 2 || r->at[1] != 'I';
    return first >= '0' && first <= '9';
}

/* The number that begins at `r->at` with a digit or a minus sign. */
static inline bool js_scan_number(js_reader *r, js_number *n)
{
    bool negative = *r->at == '-';
    const char *digits = r->at + negative, *p;
    uint64_t value = 0;
    size_t count;
    p = digits < r->end && *digits == '0' ? digits + 1 : js_digits(digits, r->end, &value);
    count = (size_t)(p - digits);
    if (count == 0)
        return js_fail(r, p, "expected a digit");
    if (p < r->end && (*p == '.' || *p == 'e' || *p == 'E')) {
        p = js_scan_real(r, p, value, count, n);
        if (p == NULL)
            return false;
        n->real = negative ? -n->real : n->real;
    } else {
        n->kind = count <= 18 ? JS_INT : JS_BIG_INT;
        n->integer = (int64_t)(value & INT64_MAX);
        n->integer = negative ? -n->integer : n->integer;
    }
    n->text = r->at;
    n->length = (size_t)(p - r->at);
    r->at = p;
    return true;
}

#endif /* EXAMPLE_JSON_SCAN_H */
