/*
 * hpyjson: reads and writes JSON. An example of an extension written for HPy: one source, and both
 * an ordinary CPython extension (-DHPY_ABI_CPYTHON) and a library for every interpreter that speaks
 * HPy (-DHPY_ABI_UNIVERSAL).
 *
 * `cjson.c` is the same program written for the Python/C API.
 */
#include <hpy.h>

#include "print.h"
#include "scan.h"
#include "stream.h"

static HPyGlobal decode_error_type;

/* What the caller wants of a reader. HPy_NULL: no such function. */
typedef struct {
    HPy object_hook;
    HPy parse_float;
    int allow_nan;
    int unique_names;
} Options;

/* Names of members come again and again: those met first are kept for the rest of the document. */
#define NAME_SLOTS 128
#define NAME_LENGTH 64

typedef struct {
    const char *text;
    size_t length;
    HPy str;
} NameSlot;

typedef struct {
    HPyContext *ctx;
    const Options *options;
    js_reader in;
    NameSlot names[NAME_SLOTS];
} Reader;

/* The bytes of a str or bytes object. `holder`, if not null, is what keeps them alive. */
typedef struct {
    const char *data;
    HPy_ssize_t length;
    HPy holder;
} Text;

/* ---- what reading and writing share ---- */

static HPy none_as_null(HPyContext *ctx, HPy h)
{
    return HPy_Is(ctx, h, ctx->h_None) ? HPy_NULL : h;
}

/* Of a `str` with lone surrogates, which UTF-8 proper has no form for: each as three bytes. */
static bool open_surrogates(HPyContext *ctx, HPy str, Text *text)
{
    HPy args;
    text->holder = HPy_NULL;
    if (!HPyErr_ExceptionMatches(ctx, ctx->h_UnicodeEncodeError))
        return false;
    HPyErr_Clear(ctx);
    args = HPy_BuildValue(ctx, "(ss)", "utf-8", "surrogatepass");
    if (HPy_IsNull(args))
        return false;
    text->holder = HPy_CallMethodTupleDict_s(ctx, "encode", str, args, HPy_NULL);
    HPy_Close(ctx, args);
    if (HPy_IsNull(text->holder))
        return false;
    text->length = HPyBytes_Size(ctx, text->holder);
    text->data = HPyBytes_AsString(ctx, text->holder);
    return true;
}

/* The UTF-8 of `str`. */
static bool open_str(HPyContext *ctx, HPy str, Text *text)
{
    text->holder = HPy_NULL;
    text->data = HPyUnicode_AsUTF8AndSize(ctx, str, &text->length);
    return text->data != NULL || open_surrogates(ctx, str, text);
}

static bool open_text(HPyContext *ctx, HPy source, Text *text)
{
    if (HPyUnicode_Check(ctx, source))
        return open_str(ctx, source, text);
    if (!HPyBytes_Check(ctx, source)) {
        HPyErr_SetString(ctx, ctx->h_TypeError, "the JSON text must be str or bytes");
        return false;
    }
    text->holder = HPy_NULL;
    text->length = HPyBytes_Size(ctx, source);
    text->data = HPyBytes_AsString(ctx, source);
    return true;
}

static void close_text(HPyContext *ctx, const Text *text)
{
    if (!HPy_IsNull(text->holder))
        HPy_Close(ctx, text->holder);
}

/* ---- errors of the text ---- */

static bool set_number(HPyContext *ctx, HPy object, const char *name, size_t value)
{
    HPy number = HPyLong_FromSize_t(ctx, value);
    bool ok = !HPy_IsNull(number) && HPy_SetAttr_s(ctx, object, name, number) == 0;
    HPy_Close(ctx, number);
    return ok;
}

static bool set_string(HPyContext *ctx, HPy object, const char *name, const char *value)
{
    HPy string = HPyUnicode_FromString(ctx, value);
    bool ok = !HPy_IsNull(string) && HPy_SetAttr_s(ctx, object, name, string) == 0;
    HPy_Close(ctx, string);
    return ok;
}

/* Raise JSONDecodeError for what is wrong at `place`. */
static void raise_decode_error(HPyContext *ctx, const char *problem, js_place place)
{
    HPy type = HPyGlobal_Load(ctx, decode_error_type), error = HPy_NULL;
    HPy message =
        HPyUnicode_FromFormat(ctx, "%s: line %zu, column %zu", problem, place.line, place.column);
    if (!HPy_IsNull(message))
        error = HPy_Call(ctx, type, &message, 1, HPy_NULL);
    if (!HPy_IsNull(error) && set_string(ctx, error, "msg", problem) &&
        set_number(ctx, error, "pos", place.pos) && set_number(ctx, error, "lineno", place.line) &&
        set_number(ctx, error, "colno", place.column))
        HPyErr_SetObject(ctx, type, error);
    HPy_Close(ctx, error);
    HPy_Close(ctx, message);
    HPy_Close(ctx, type);
}

/* ---- reading ---- */

static HPy read_value(Reader *r, size_t depth);

static HPy fail(Reader *r, const char *where, const char *problem)
{
    js_fail(&r->in, where, problem);
    return HPy_NULL;
}

/* What `function` makes of `value`, which is closed; `value` itself if there is no function. */
static HPy apply(HPyContext *ctx, HPy function, HPy value)
{
    HPy result;
    if (HPy_IsNull(function) || HPy_IsNull(value))
        return value;
    result = HPy_Call(ctx, function, &value, 1, HPy_NULL);
    HPy_Close(ctx, value);
    return result;
}

static HPy new_str(Reader *r, const js_string *s)
{
    if (s->ascii != NULL)
        return HPyUnicode_DecodeASCII(r->ctx, s->ascii, (HPy_ssize_t)s->length, NULL);
    return HPyUnicode_FromWideChar(r->ctx, r->in.wide, (HPy_ssize_t)s->length);
}

static HPy read_string(Reader *r)
{
    js_string s;
    return js_scan_string(&r->in, &s) ? new_str(r, &s) : HPy_NULL;
}

/* A name in front of a member. The table keeps it if `*owned` comes back false. */
static HPy read_name(Reader *r, bool *owned)
{
    js_string s;
    NameSlot *slot;
    HPy name;
    *owned = true;
    if (!js_scan_string(&r->in, &s))
        return HPy_NULL;
    if (s.ascii == NULL || s.length > NAME_LENGTH)
        return new_str(r, &s);
    slot = &r->names[js_hash(s.ascii, s.length) % NAME_SLOTS];
    if (slot->text != NULL && slot->length == s.length &&
        memcmp(slot->text, s.ascii, s.length) == 0) {
        *owned = false;
        return slot->str;
    }
    name = new_str(r, &s);
    if (slot->text == NULL && !HPy_IsNull(name)) {
        slot->text = s.ascii;
        slot->length = s.length;
        slot->str = name;
        *owned = false;
    }
    return name;
}

static void forget_names(Reader *r)
{
    size_t i;
    for (i = 0; i < NAME_SLOTS; i++) {
        if (r->names[i].text != NULL)
            HPy_Close(r->ctx, r->names[i].str);
    }
}

static bool store_member(Reader *r, HPy dict, HPy name, HPy value, const char *where)
{
    if (r->options->unique_names) {
        int found = HPy_Contains(r->ctx, dict, name);
        if (found != 0)
            return found > 0 && js_fail(&r->in, where, "the name is in the object already");
    }
    return HPy_SetItem(r->ctx, dict, name, value) == 0;
}

static bool read_member(Reader *r, HPy dict, size_t depth)
{
    bool owned, ok = false;
    int quote = js_peek(&r->in);
    const char *where = r->in.at;
    HPy name, value;
    if (quote != '"')
        return js_fail(&r->in, where, "expected a name in double quotes");
    name = read_name(r, &owned);
    if (HPy_IsNull(name))
        return false;
    if (js_peek(&r->in) == ':') {
        r->in.at++;
        value = read_value(r, depth + 1);
        if (!HPy_IsNull(value)) {
            ok = store_member(r, dict, name, value, where);
            HPy_Close(r->ctx, value);
        }
    } else {
        js_fail(&r->in, r->in.at, "expected ':'");
    }
    if (owned)
        HPy_Close(r->ctx, name);
    return ok;
}

static bool read_members(Reader *r, HPy dict, size_t depth)
{
    int more;
    if (js_take_empty(&r->in, '}'))
        return true;
    do {
        if (!read_member(r, dict, depth))
            return false;
        more = js_after_item(&r->in, '}', "expected ',' or '}'");
    } while (more > 0);
    return more == 0;
}

static HPy read_object(Reader *r, size_t depth)
{
    HPy dict = HPyDict_New(r->ctx);
    if (!HPy_IsNull(dict) && read_members(r, dict, depth))
        return apply(r->ctx, r->options->object_hook, dict);
    HPy_Close(r->ctx, dict);
    return HPy_NULL;
}

static bool read_items(Reader *r, HPy list, size_t depth)
{
    int more;
    if (js_take_empty(&r->in, ']'))
        return true;
    do {
        HPy item = read_value(r, depth + 1);
        bool ok = !HPy_IsNull(item) && HPyList_Append(r->ctx, list, item) == 0;
        HPy_Close(r->ctx, item);
        if (!ok)
            return false;
        more = js_after_item(&r->in, ']', "expected ',' or ']'");
    } while (more > 0);
    return more == 0;
}

static HPy read_list(Reader *r, size_t depth)
{
    HPy list = HPyList_New(r->ctx, 0);
    if (!HPy_IsNull(list) && read_items(r, list, depth))
        return list;
    HPy_Close(r->ctx, list);
    return HPy_NULL;
}

/* What `convert` makes of the digits of a number that C alone would not get exactly. */
static HPy convert_digits(HPyContext *ctx, const js_number *n, HPy (*convert)(HPyContext *, HPy))
{
    HPy digits = HPyUnicode_DecodeASCII(ctx, n->text, (HPy_ssize_t)n->length, NULL), result;
    if (HPy_IsNull(digits))
        return HPy_NULL;
    result = convert(ctx, digits);
    HPy_Close(ctx, digits);
    return result;
}

static HPy read_number(Reader *r)
{
    HPyContext *ctx = r->ctx;
    js_number n;
    if (!js_scan_number(&r->in, &n))
        return HPy_NULL;
    if (n.kind == JS_INT)
        return HPyLong_FromInt64_t(ctx, n.integer);
    if (n.kind == JS_BIG_INT)
        return convert_digits(ctx, &n, HPy_Long);
    if (!HPy_IsNull(r->options->parse_float))
        return apply(ctx, r->options->parse_float,
                     HPyUnicode_DecodeASCII(ctx, n.text, (HPy_ssize_t)n.length, NULL));
    if (n.kind == JS_REAL)
        return HPyFloat_FromDouble(ctx, n.real);
    return convert_digits(ctx, &n, HPy_Float);
}

static HPy read_special_float(Reader *r, const char *where, double value)
{
    if (!r->options->allow_nan)
        return fail(r, where, "NaN and infinities are not allowed");
    return HPyFloat_FromDouble(r->ctx, value);
}

static HPy read_word(Reader *r)
{
    HPyContext *ctx = r->ctx;
    const char *where = r->in.at;
    if (js_take_word(&r->in, "null", 4))
        return HPy_Dup(ctx, ctx->h_None);
    if (js_take_word(&r->in, "true", 4))
        return HPy_Dup(ctx, ctx->h_True);
    if (js_take_word(&r->in, "false", 5))
        return HPy_Dup(ctx, ctx->h_False);
    if (js_take_word(&r->in, "NaN", 3))
        return read_special_float(r, where, NAN);
    if (js_take_word(&r->in, "Infinity", 8))
        return read_special_float(r, where, INFINITY);
    if (js_take_word(&r->in, "-Infinity", 9))
        return read_special_float(r, where, -INFINITY);
    return fail(r, where, "expected a value");
}

static HPy read_value(Reader *r, size_t depth)
{
    int first = js_peek(&r->in);
    if (first == '"')
        return read_string(r);
    if (js_at_number(&r->in, first))
        return read_number(r);
    if (first != '{' && first != '[')
        return read_word(r);
    if (depth >= JS_MAX_DEPTH)
        return HPyErr_SetString(r->ctx, r->ctx->h_RecursionError,
                                "the JSON text is nested too deeply");
    return first == '{' ? read_object(r, depth) : read_list(r, depth);
}

/* The one value that is in `text`, which begins at `place` of the user's document. */
static HPy read_document(HPyContext *ctx, const char *text, size_t length, const Options *options,
                         js_place place)
{
    Reader r = {ctx, options, js_reader_over(text, length), {{NULL, 0, HPy_NULL}}};
    HPy value = read_value(&r, 0);
    if (!HPy_IsNull(value) && js_peek(&r.in) >= 0) {
        HPy_Close(ctx, value);
        value = fail(&r, r.in.at, "expected the end of the text");
    }
    if (r.in.problem != NULL) {
        js_advance(&place, text, r.in.problem_at);
        raise_decode_error(ctx, r.in.problem, place);
    } else if (r.in.no_memory) {
        HPyErr_NoMemory(ctx);
    }
    forget_names(&r);
    free(r.in.wide);
    return value;
}

HPyDef_METH(
    loads, "loads", HPyFunc_KEYWORDS,
    .doc =
        "loads(text, *, object_hook=None, parse_float=None, allow_nan=True, unique_names=False)\n"
        "--\n\n"
        "The value that a JSON text means. The text is str, or bytes in UTF-8.\n\n"
        "object_hook(dict) and parse_float(str) replace what is made of objects and of numbers\n"
        "with a fraction or an exponent. allow_nan=False rejects NaN, Infinity and -Infinity.\n"
        "unique_names=True rejects an object with a name twice; otherwise the last one counts.\n"
        "Raises JSONDecodeError for a malformed text.")
static HPy loads_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    static const char *keywords[] = {"",          "object_hook",  "parse_float",
                                     "allow_nan", "unique_names", NULL};
    static const js_place start = JS_START;
    Options options = {ctx->h_None, ctx->h_None, 1, 0};
    HPy source, value = HPy_NULL;
    HPyTracker tracker;
    Text text;
    size_t mark;
    (void)self;
    if (!HPyArg_ParseKeywords(ctx, &tracker, args, nargs, kwnames, "O|$OOpp:loads", keywords,
                              &source, &options.object_hook, &options.parse_float,
                              &options.allow_nan, &options.unique_names))
        return HPy_NULL;
    options.object_hook = none_as_null(ctx, options.object_hook);
    options.parse_float = none_as_null(ctx, options.parse_float);
    if (open_text(ctx, source, &text)) {
        mark = HPyBytes_Check(ctx, source) ? js_byte_order_mark(text.data, (size_t)text.length) : 0;
        value = read_document(ctx, text.data + mark, (size_t)text.length - mark, &options, start);
        close_text(ctx, &text);
    }
    HPyTracker_Close(ctx, tracker);
    return value;
}

/* ---- writing ---- */

typedef struct {
    HPyContext *ctx;
    js_writer out;
    HPy fallback; /* `default=`, or HPy_NULL */
    int sort_keys;
    int allow_nan;
} Writer;

static bool write_value(Writer *w, HPy value, size_t depth);

static bool write_surrogates(Writer *w, HPy str)
{
    Text text;
    bool ok = open_surrogates(w->ctx, str, &text) &&
              js_put_string(&w->out, text.data, (size_t)text.length);
    close_text(w->ctx, &text);
    return ok;
}

static bool write_string(Writer *w, HPy str)
{
    HPy_ssize_t length;
    const char *data = HPyUnicode_AsUTF8AndSize(w->ctx, str, &length);
    return data == NULL ? write_surrogates(w, str) : js_put_string(&w->out, data, (size_t)length);
}

/* What Python makes of a number that C does not write. Closes `text`, which may be null. */
static bool write_digits(Writer *w, HPy text)
{
    HPy_ssize_t length;
    const char *digits = HPy_IsNull(text) ? NULL : HPyUnicode_AsUTF8AndSize(w->ctx, text, &length);
    bool ok = digits != NULL && js_put(&w->out, digits, (size_t)length);
    HPy_Close(w->ctx, text);
    return ok;
}

static bool write_big_integer(Writer *w, HPy value)
{
    HPy repr;
    bool ok;
    if (!HPyErr_ExceptionMatches(w->ctx, w->ctx->h_OverflowError))
        return false;
    HPyErr_Clear(w->ctx);
    /* that of `int`, whatever a subclass may say */
    repr = HPy_GetAttr_s(w->ctx, w->ctx->h_LongType, "__repr__");
    ok = !HPy_IsNull(repr) && write_digits(w, HPy_Call(w->ctx, repr, &value, 1, HPy_NULL));
    HPy_Close(w->ctx, repr);
    return ok;
}

static bool write_integer(Writer *w, HPy value)
{
    int64_t number = HPyLong_AsInt64_t(w->ctx, value);
    if (number == -1 && HPyErr_Occurred(w->ctx))
        return write_big_integer(w, value);
    if (number == 1 && HPy_Is(w->ctx, value, w->ctx->h_True))
        return js_put(&w->out, "true", 4);
    if (number == 0 && HPy_Is(w->ctx, value, w->ctx->h_False))
        return js_put(&w->out, "false", 5);
    return js_put_integer(&w->out, number);
}

static bool write_special_float(Writer *w, double value)
{
    if (!w->allow_nan) {
        HPyErr_SetString(w->ctx, w->ctx->h_ValueError,
                         "NaN and infinities are not allowed: allow_nan is false");
        return false;
    }
    return isnan(value) ? js_put(&w->out, "NaN", 3)
           : value > 0  ? js_put(&w->out, "Infinity", 8)
                        : js_put(&w->out, "-Infinity", 9);
}

static bool write_float(Writer *w, HPy value)
{
    double number = HPyFloat_AsDouble(w->ctx, value);
    uint64_t digits;
    int decimals;
    HPy plain;
    bool ok;
    if (!isfinite(number))
        return write_special_float(w, number);
    if (js_short_decimal(number, &digits, &decimals))
        return js_put_decimal(&w->out, number < 0, digits, decimals);
    plain = HPyFloat_FromDouble(w->ctx, number); /* whatever `repr` of a subclass may say */
    ok = !HPy_IsNull(plain) && write_digits(w, HPy_Repr(w->ctx, plain));
    HPy_Close(w->ctx, plain);
    return ok;
}

static bool write_sequence(Writer *w, HPy sequence, size_t depth)
{
    HPy_ssize_t i, length = HPy_Length(w->ctx, sequence);
    if (length <= 0)
        return length == 0 && js_put(&w->out, "[]", 2);
    if (!js_put_char(&w->out, '['))
        return false;
    for (i = 0; i < length; i++) {
        HPy item = HPy_GetItem_i(w->ctx, sequence, i);
        bool ok = !HPy_IsNull(item) && js_put_before_item(&w->out, i == 0, depth) &&
                  write_value(w, item, depth + 1);
        HPy_Close(w->ctx, item);
        if (!ok)
            return false;
    }
    return js_put_end(&w->out, ']', depth);
}

static bool type_error(Writer *w, HPy value, const char *format)
{
    HPy type = HPy_Type(w->ctx, value);
    if (!HPy_IsNull(type))
        HPyErr_Format(w->ctx, w->ctx->h_TypeError, format, HPyType_GetName(w->ctx, type));
    HPy_Close(w->ctx, type);
    return false;
}

/* A key, which JSON knows as strings only: numbers and constants are put into quotes. */
static bool write_key(Writer *w, HPy key, size_t depth)
{
    HPyContext *ctx = w->ctx;
    if (HPyUnicode_Check(ctx, key))
        return write_string(w, key);
    if (HPy_TypeCheck(ctx, key, ctx->h_LongType) || HPy_TypeCheck(ctx, key, ctx->h_FloatType) ||
        HPy_Is(ctx, key, ctx->h_None))
        return js_put_char(&w->out, '"') && write_value(w, key, depth) && js_put_char(&w->out, '"');
    return type_error(w, key, "a key must be str, int, float, bool or None, not %s");
}

static bool write_member(Writer *w, HPy dict, HPy key, size_t depth)
{
    HPy value = HPy_GetItem(w->ctx, dict, key);
    bool ok = !HPy_IsNull(value) && write_key(w, key, depth) && js_put(&w->out, ": ", 2) &&
              write_value(w, value, depth + 1);
    HPy_Close(w->ctx, value);
    return ok;
}

static bool write_members(Writer *w, HPy dict, HPy keys, size_t depth)
{
    HPy_ssize_t i, length = HPy_Length(w->ctx, keys);
    if (length <= 0)
        return length == 0 && js_put(&w->out, "{}", 2);
    if (!js_put_char(&w->out, '{'))
        return false;
    for (i = 0; i < length; i++) {
        HPy key = HPy_GetItem_i(w->ctx, keys, i);
        bool ok = !HPy_IsNull(key) && js_put_before_item(&w->out, i == 0, depth) &&
                  write_member(w, dict, key, depth);
        HPy_Close(w->ctx, key);
        if (!ok)
            return false;
    }
    return js_put_end(&w->out, '}', depth);
}

static bool sort_list(HPyContext *ctx, HPy list)
{
    HPy none = HPy_CallMethodTupleDict_s(ctx, "sort", list, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, none);
    return !HPy_IsNull(none);
}

/* `default=` may run any code and so change the dict: a list of its keys is walked through. */
static bool write_dict(Writer *w, HPy dict, size_t depth)
{
    HPy keys = HPyDict_Keys(w->ctx, dict);
    bool ok = !HPy_IsNull(keys) && (!w->sort_keys || sort_list(w->ctx, keys)) &&
              write_members(w, dict, keys, depth);
    HPy_Close(w->ctx, keys);
    return ok;
}

static bool write_other(Writer *w, HPy value, size_t depth)
{
    HPy replacement;
    bool ok;
    if (HPy_IsNull(w->fallback))
        return type_error(w, value,
                          "JSON has no form for %s: give default= a function that converts it");
    replacement = HPy_Call(w->ctx, w->fallback, &value, 1, HPy_NULL);
    ok = !HPy_IsNull(replacement) && write_value(w, replacement, depth + 1);
    HPy_Close(w->ctx, replacement);
    return ok;
}

/* What may hold other values, or may become one that does. */
static bool write_nested(Writer *w, HPy value, size_t depth)
{
    HPyContext *ctx = w->ctx;
    if (depth >= JS_MAX_DEPTH) {
        HPyErr_SetString(ctx, ctx->h_RecursionError,
                         "the value is nested too deeply, or contains itself");
        return false;
    }
    if (HPyDict_Check(ctx, value))
        return write_dict(w, value, depth);
    if (HPyList_Check(ctx, value) || HPyTuple_Check(ctx, value))
        return write_sequence(w, value, depth);
    return write_other(w, value, depth);
}

static bool write_value(Writer *w, HPy value, size_t depth)
{
    HPyContext *ctx = w->ctx;
    if (HPyUnicode_Check(ctx, value))
        return write_string(w, value);
    if (HPy_TypeCheck(ctx, value, ctx->h_LongType))
        return write_integer(w, value);
    if (HPy_Is(ctx, value, ctx->h_None))
        return js_put(&w->out, "null", 4);
    if (HPy_TypeCheck(ctx, value, ctx->h_FloatType))
        return write_float(w, value);
    return write_nested(w, value, depth);
}

/* Set the indentation, whose text is `holder`'s: the caller closes that when all is written. */
static bool set_indent(Writer *w, HPy indent, HPy *holder)
{
    HPyContext *ctx = w->ctx;
    HPy_ssize_t length;
    const char *text;
    *holder = HPy_NULL;
    if (HPy_Is(ctx, indent, ctx->h_None))
        return true;
    if (HPyUnicode_Check(ctx, indent)) {
        *holder = HPy_Dup(ctx, indent);
    } else {
        HPy blank = HPyUnicode_FromString(ctx, " ");
        *holder = HPy_IsNull(blank) ? HPy_NULL : HPy_Multiply(ctx, blank, indent);
        HPy_Close(ctx, blank);
    }
    if (HPy_IsNull(*holder))
        return false;
    text = HPyUnicode_AsUTF8AndSize(ctx, *holder, &length);
    if (text == NULL)
        return false;
    js_set_indent(&w->out, text, (size_t)length);
    return true;
}

/* What has been written, as str. */
static HPy finish(Writer *w)
{
    HPyContext *ctx = w->ctx;
    HPy bytes, text;
    if (!w->out.has_other)
        return HPyUnicode_DecodeASCII(ctx, w->out.data, (HPy_ssize_t)w->out.length, NULL);
    bytes = HPyBytes_FromStringAndSize(ctx, w->out.data, (HPy_ssize_t)w->out.length);
    if (HPy_IsNull(bytes))
        return HPy_NULL;
    text = HPyUnicode_FromEncodedObject(ctx, bytes, "utf-8", "surrogatepass");
    HPy_Close(ctx, bytes);
    return text;
}

static HPy write_document(Writer *w, HPy value, HPy indent)
{
    HPy holder, text = HPy_NULL;
    if (set_indent(w, indent, &holder) && write_value(w, value, 0))
        text = finish(w);
    else if (w->out.no_memory)
        HPyErr_NoMemory(w->ctx);
    HPy_Close(w->ctx, holder);
    free(w->out.data);
    return text;
}

HPyDef_METH(
    dumps, "dumps", HPyFunc_KEYWORDS,
    .doc =
        "dumps(obj, *, indent=None, sort_keys=False, ensure_ascii=True, default=None, "
        "allow_nan=True)\n"
        "--\n\n"
        "The JSON text that means `obj`: dict, list, tuple, str, int, float, bool, None.\n\n"
        "indent is a number of blanks or a text for each level; None puts all on one line.\n"
        "ensure_ascii=False writes other characters as they are. default(obj) converts what has\n"
        "no form in JSON. allow_nan=False raises ValueError for NaN and infinities.")
static HPy dumps_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    static const char *keywords[] = {"",        "indent",    "sort_keys", "ensure_ascii",
                                     "default", "allow_nan", NULL};
    Writer w = {.ctx = ctx, .fallback = ctx->h_None, .allow_nan = 1};
    HPy value, text, indent = ctx->h_None;
    int ascii_only = 1;
    HPyTracker tracker;
    (void)self;
    if (!HPyArg_ParseKeywords(ctx, &tracker, args, nargs, kwnames, "O|$OppOp:dumps", keywords,
                              &value, &indent, &w.sort_keys, &ascii_only, &w.fallback,
                              &w.allow_nan))
        return HPy_NULL;
    w.fallback = none_as_null(ctx, w.fallback);
    w.out.ascii_only = ascii_only;
    text = write_document(&w, value, indent);
    HPyTracker_Close(ctx, tracker);
    return text;
}

/* ---- Decoder: values out of a stream that arrives in pieces ---- */

typedef struct {
    HPyField object_hook, parse_float; /* None: no such function */
    HPyField ready; /* the list of values that `feed` has still to hand out, or null */
    int allow_nan, unique_names;
    js_stream stream;
    HPy_ssize_t count; /* of the values decoded */
    bool busy;
} Decoder;

HPyType_HELPERS(Decoder)

HPyDef_SLOT(Decoder_new, HPy_tp_new)
static HPy Decoder_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    static const char *keywords[] = {"object_hook", "parse_float", "allow_nan", "unique_names",
                                     NULL};
    static const js_place start = JS_START;
    Options options = {ctx->h_None, ctx->h_None, 1, 0};
    HPyTracker tracker;
    Decoder *decoder;
    HPy self;
    if (!HPyArg_ParseKeywordsDict(ctx, &tracker, args, nargs, kw, "|$OOpp:Decoder", keywords,
                                  &options.object_hook, &options.parse_float, &options.allow_nan,
                                  &options.unique_names))
        return HPy_NULL;
    self = HPy_New(ctx, type, &decoder);
    if (!HPy_IsNull(self)) {
        HPyField_Store(ctx, self, &decoder->object_hook, options.object_hook);
        HPyField_Store(ctx, self, &decoder->parse_float, options.parse_float);
        decoder->allow_nan = options.allow_nan;
        decoder->unique_names = options.unique_names;
        decoder->stream.place = start;
    }
    HPyTracker_Close(ctx, tracker);
    return self;
}

HPyDef_SLOT(Decoder_traverse, HPy_tp_traverse)
static int Decoder_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    Decoder *decoder = (Decoder *)self;
    HPy_VISIT(&decoder->object_hook);
    HPy_VISIT(&decoder->parse_float);
    HPy_VISIT(&decoder->ready);
    return 0;
}

HPyDef_SLOT(Decoder_destroy, HPy_tp_destroy)
static void Decoder_destroy_impl(void *self)
{
    free(((Decoder *)self)->stream.text.data);
}

/* Append the values that have arrived completely to `list`. A malformed one is dropped. */
static bool decode_pieces(HPyContext *ctx, Decoder *decoder, const Options *options, HPy list)
{
    js_piece piece;
    bool ok = true;
    while (ok && js_stream_next(&decoder->stream, &piece)) {
        HPy value = read_document(ctx, piece.text, piece.length, options, piece.place);
        ok = !HPy_IsNull(value) && HPyList_Append(ctx, list, value) == 0;
        decoder->count += ok;
        HPy_Close(ctx, value);
    }
    return ok;
}

/* Decode. The user's functions may not use the decoder meanwhile: its text would move. */
static bool decode_guarded(HPyContext *ctx, HPy self, Decoder *decoder, HPy list)
{
    HPy hook = HPyField_Load(ctx, self, decoder->object_hook);
    HPy parse = HPyField_Load(ctx, self, decoder->parse_float);
    Options options = {none_as_null(ctx, hook), none_as_null(ctx, parse), decoder->allow_nan,
                       decoder->unique_names};
    bool ok;
    decoder->busy = true;
    ok = decode_pieces(ctx, decoder, &options, list);
    decoder->busy = false;
    HPy_Close(ctx, hook);
    HPy_Close(ctx, parse);
    return ok;
}

/* The list of values to hand out: a new one, or what an exception has left. */
static HPy take_ready(HPyContext *ctx, HPy self, Decoder *decoder)
{
    HPy list;
    if (HPyField_IsNull(decoder->ready))
        return HPyList_New(ctx, 0);
    list = HPyField_Load(ctx, self, decoder->ready);
    HPyField_Store(ctx, self, &decoder->ready, HPy_NULL);
    return list;
}

static HPy decode_more(HPyContext *ctx, HPy self, const char *data, size_t length)
{
    Decoder *decoder = Decoder_AsStruct(ctx, self);
    HPy list;
    if (decoder->busy)
        return HPyErr_SetString(ctx, ctx->h_RuntimeError,
                                "the decoder is being used already, by a hook or a thread");
    if (!js_stream_add(&decoder->stream, data, length))
        return HPyErr_NoMemory(ctx);
    list = take_ready(ctx, self, decoder);
    if (HPy_IsNull(list) || decode_guarded(ctx, self, decoder, list))
        return list;
    HPyField_Store(ctx, self, &decoder->ready, list);
    HPy_Close(ctx, list);
    return HPy_NULL;
}

HPyDef_METH(
    Decoder_feed, "feed", HPyFunc_O,
    .doc = "feed(chunk)\n--\n\n"
           "Take the next piece of the stream, str or bytes; the list of values it completes.\n"
           "If one is malformed, JSONDecodeError is raised and that value is dropped; what came\n"
           "before it and after it is returned by the next call.")
static HPy Decoder_feed_impl(HPyContext *ctx, HPy self, HPy chunk)
{
    HPy list;
    Text text;
    if (!open_text(ctx, chunk, &text))
        return HPy_NULL;
    list = decode_more(ctx, self, text.data, (size_t)text.length);
    close_text(ctx, &text);
    return list;
}

HPyDef_METH(
    Decoder_close, "close", HPyFunc_NOARGS,
    .doc =
        "close()\n--\n\n"
        "End the stream; the list of the values that are left, such as a number at its very end.\n"
        "Raises JSONDecodeError if it ends inside a value.")
static HPy Decoder_close_impl(HPyContext *ctx, HPy self)
{
    Decoder *decoder = Decoder_AsStruct(ctx, self);
    HPy list = decode_more(ctx, self, "\n", 1); /* a blank, which ends a number */
    js_place place;
    if (HPy_IsNull(list) || !js_stream_is_inside(&decoder->stream, &place))
        return list;
    HPyField_Store(ctx, self, &decoder->ready, list);
    HPy_Close(ctx, list);
    raise_decode_error(ctx, "the stream ends inside the value that begins here", place);
    return HPy_NULL;
}

HPyDef_GET(Decoder_pending, "pending",
           .doc = "How many bytes of the stream wait for the rest of their value.")
static HPy Decoder_pending_get(HPyContext *ctx, HPy self, void *closure)
{
    (void)closure;
    return HPyLong_FromSize_t(ctx, js_stream_pending(&Decoder_AsStruct(ctx, self)->stream));
}

HPyDef_MEMBER(Decoder_count, "count", HPyMember_HPYSSIZET, offsetof(Decoder, count), .readonly = 1,
              .doc = "How many values have been decoded.")

static HPyDef *Decoder_defines[] = {
    &Decoder_new,   &Decoder_traverse, &Decoder_destroy, &Decoder_feed,
    &Decoder_close, &Decoder_pending,  &Decoder_count,   NULL};

static HPyType_Spec Decoder_spec = {
    .name = "hpyjson.Decoder",
    .doc =
        "Decoder(*, object_hook=None, parse_float=None, allow_nan=True, unique_names=False)\n--\n\n"
        "Decodes a stream of JSON values, one after the other, that arrives in pieces.\n"
        "The arguments are those of loads().",
    .basicsize = sizeof(Decoder),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .builtin_shape = SHAPE(Decoder),
    .defines = Decoder_defines,
};

/* ---- the module ---- */

static bool add_decode_error(HPyContext *ctx, HPy module)
{
    HPy type = HPyErr_NewExceptionWithDoc(
        ctx, "hpyjson.JSONDecodeError",
        "A malformed JSON text.\n\nmsg: what is wrong; pos: where, in characters "
        "from 0; lineno, colno: the same as line and column, from 1.",
        ctx->h_ValueError, HPy_NULL);
    bool ok = !HPy_IsNull(type) && HPy_SetAttr_s(ctx, module, "JSONDecodeError", type) == 0;
    if (ok)
        HPyGlobal_Store(ctx, &decode_error_type, type);
    HPy_Close(ctx, type);
    return ok;
}

HPyDef_SLOT(module_exec, HPy_mod_exec)
static int module_exec_impl(HPyContext *ctx, HPy module)
{
    if (!add_decode_error(ctx, module))
        return -1;
    return HPyHelpers_AddType(ctx, module, "Decoder", &Decoder_spec, NULL) ? 0 : -1;
}

static HPyDef *module_defines[] = {&loads, &dumps, &module_exec, NULL};

static HPyGlobal *module_globals[] = {&decode_error_type, NULL};

static HPyModuleDef module_def = {
    .doc = "Reads and writes JSON.",
    .defines = module_defines,
    .globals = module_globals,
};

HPy_MODINIT(hpyjson, module_def)
