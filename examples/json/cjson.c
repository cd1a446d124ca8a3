/*
 * cjson: `hpyjson.c` as it is written for the Python/C API, to compare with. The same functions,
 * the same algorithms and the same shared headers; what differs is how Python is talked to.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "print.h"
#include "scan.h"
#include "stream.h"

static PyObject *decode_error_type;

/* What the caller wants of a reader. NULL: no such function. All are borrowed. */
typedef struct {
    PyObject *object_hook;
    PyObject *parse_float;
    int allow_nan;
    int unique_names;
} Options;

/* Names of members come again and again: those met first are kept for the rest of the document. */
#define NAME_SLOTS 128
#define NAME_LENGTH 64

typedef struct {
    const char *text;
    size_t length;
    PyObject *str;
} NameSlot;

typedef struct {
    const Options *options;
    js_reader in;
    NameSlot names[NAME_SLOTS];
} Reader;

/* The bytes of a str or bytes object. `holder`, if not NULL, is what keeps them alive. */
typedef struct {
    const char *data;
    Py_ssize_t length;
    PyObject *holder;
} Text;

/* ---- what reading and writing share ---- */

static PyObject *none_as_null(PyObject *object)
{
    return object == Py_None ? NULL : object;
}

/* Of a `str` with lone surrogates, which UTF-8 proper has no form for: each as three bytes. */
static bool open_surrogates(PyObject *str, Text *text)
{
    text->holder = NULL;
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError))
        return false;
    PyErr_Clear();
    text->holder = PyUnicode_AsEncodedString(str, "utf-8", "surrogatepass");
    if (text->holder == NULL)
        return false;
    text->length = PyBytes_GET_SIZE(text->holder);
    text->data = PyBytes_AS_STRING(text->holder);
    return true;
}

/* The UTF-8 of `str`. */
static bool open_str(PyObject *str, Text *text)
{
    text->holder = NULL;
    text->data = PyUnicode_AsUTF8AndSize(str, &text->length);
    return text->data != NULL || open_surrogates(str, text);
}

static bool open_text(PyObject *source, Text *text)
{
    if (PyUnicode_Check(source))
        return open_str(source, text);
    if (!PyBytes_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "the JSON text must be str or bytes");
        return false;
    }
    text->holder = NULL;
    text->length = PyBytes_GET_SIZE(source);
    text->data = PyBytes_AS_STRING(source);
    return true;
}

static void close_text(const Text *text)
{
    Py_XDECREF(text->holder);
}

/* ---- errors of the text ---- */

static bool set_number(PyObject *object, const char *name, size_t value)
{
    PyObject *number = PyLong_FromSize_t(value);
    bool ok = number != NULL && PyObject_SetAttrString(object, name, number) == 0;
    Py_XDECREF(number);
    return ok;
}

static bool set_string(PyObject *object, const char *name, const char *value)
{
    PyObject *string = PyUnicode_FromString(value);
    bool ok = string != NULL && PyObject_SetAttrString(object, name, string) == 0;
    Py_XDECREF(string);
    return ok;
}

/* Raise JSONDecodeError for what is wrong at `place`. */
static void raise_decode_error(const char *problem, js_place place)
{
    PyObject *error = PyObject_CallFunction(
        decode_error_type, "N",
        PyUnicode_FromFormat("%s: line %zu, column %zu", problem, place.line, place.column));
    if (error != NULL && set_string(error, "msg", problem) && set_number(error, "pos", place.pos) &&
        set_number(error, "lineno", place.line) && set_number(error, "colno", place.column))
        PyErr_SetObject(decode_error_type, error);
    Py_XDECREF(error);
}

/* ---- reading ---- */

static PyObject *read_value(Reader *r, size_t depth);

static PyObject *fail(Reader *r, const char *where, const char *problem)
{
    js_fail(&r->in, where, problem);
    return NULL;
}

/* What `function` makes of `value`, whose reference is taken; without a function, `value`. */
static PyObject *apply(PyObject *function, PyObject *value)
{
    PyObject *result;
    if (function == NULL || value == NULL)
        return value;
    result = PyObject_CallOneArg(function, value);
    Py_DECREF(value);
    return result;
}

static PyObject *new_str(Reader *r, const js_string *s)
{
    if (s->ascii != NULL)
        return PyUnicode_DecodeASCII(s->ascii, (Py_ssize_t)s->length, NULL);
    return PyUnicode_FromWideChar(r->in.wide, (Py_ssize_t)s->length);
}

static PyObject *read_string(Reader *r)
{
    js_string s;
    return js_scan_string(&r->in, &s) ? new_str(r, &s) : NULL;
}

/* A name in front of a member. The table keeps it if `*owned` comes back false. */
static PyObject *read_name(Reader *r, bool *owned)
{
    js_string s;
    NameSlot *slot;
    PyObject *name;
    *owned = true;
    if (!js_scan_string(&r->in, &s))
        return NULL;
    if (s.ascii == NULL || s.length > NAME_LENGTH)
        return new_str(r, &s);
    slot = &r->names[js_hash(s.ascii, s.length) % NAME_SLOTS];
    if (slot->text != NULL && slot->length == s.length &&
        memcmp(slot->text, s.ascii, s.length) == 0) {
        *owned = false;
        return slot->str;
    }
    name = new_str(r, &s);
    if (slot->text == NULL && name != NULL) {
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
    for (i = 0; i < NAME_SLOTS; i++)
        Py_XDECREF(r->names[i].str);
}

static bool store_member(Reader *r, PyObject *dict, PyObject *name, PyObject *value,
                         const char *where)
{
    if (r->options->unique_names) {
        int found = PyDict_Contains(dict, name);
        if (found != 0)
            return found > 0 && js_fail(&r->in, where, "the name is in the object already");
    }
    return PyDict_SetItem(dict, name, value) == 0;
}

static bool read_member(Reader *r, PyObject *dict, size_t depth)
{
    bool owned, ok = false;
    int quote = js_peek(&r->in);
    const char *where = r->in.at;
    PyObject *name, *value;
    if (quote != '"')
        return js_fail(&r->in, where, "expected a name in double quotes");
    name = read_name(r, &owned);
    if (name == NULL)
        return false;
    if (js_peek(&r->in) == ':') {
        r->in.at++;
        value = read_value(r, depth + 1);
        if (value != NULL) {
            ok = store_member(r, dict, name, value, where);
            Py_DECREF(value);
        }
    } else {
        js_fail(&r->in, r->in.at, "expected ':'");
    }
    if (owned)
        Py_DECREF(name);
    return ok;
}

static bool read_members(Reader *r, PyObject *dict, size_t depth)
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

static PyObject *read_object(Reader *r, size_t depth)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && read_members(r, dict, depth))
        return apply(r->options->object_hook, dict);
    Py_XDECREF(dict);
    return NULL;
}

static bool read_items(Reader *r, PyObject *list, size_t depth)
{
    int more;
    if (js_take_empty(&r->in, ']'))
        return true;
    do {
        PyObject *item = read_value(r, depth + 1);
        bool ok = item != NULL && PyList_Append(list, item) == 0;
        Py_XDECREF(item);
        if (!ok)
            return false;
        more = js_after_item(&r->in, ']', "expected ',' or ']'");
    } while (more > 0);
    return more == 0;
}

static PyObject *read_list(Reader *r, size_t depth)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && read_items(r, list, depth))
        return list;
    Py_XDECREF(list);
    return NULL;
}

static PyObject *read_big_integer(const js_number *n)
{
    PyObject *digits = PyUnicode_DecodeASCII(n->text, (Py_ssize_t)n->length, NULL), *result;
    if (digits == NULL)
        return NULL;
    result = PyNumber_Long(digits);
    Py_DECREF(digits);
    return result;
}

/* The character behind the number is not one that could belong to it, so no copy is needed. */
static PyObject *read_long_real(const js_number *n)
{
    char *end;
    double value = PyOS_string_to_double(n->text, &end, NULL);
    return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
}

static PyObject *read_number(Reader *r)
{
    js_number n;
    if (!js_scan_number(&r->in, &n))
        return NULL;
    if (n.kind == JS_INT)
        return PyLong_FromLongLong(n.integer);
    if (n.kind == JS_BIG_INT)
        return read_big_integer(&n);
    if (r->options->parse_float != NULL)
        return apply(r->options->parse_float,
                     PyUnicode_DecodeASCII(n.text, (Py_ssize_t)n.length, NULL));
    if (n.kind == JS_REAL)
        return PyFloat_FromDouble(n.real);
    return read_long_real(&n);
}

static PyObject *read_special_float(Reader *r, const char *where, double value)
{
    if (!r->options->allow_nan)
        return fail(r, where, "NaN and infinities are not allowed");
    return PyFloat_FromDouble(value);
}

static PyObject *read_word(Reader *r)
{
    const char *where = r->in.at;
    if (js_take_word(&r->in, "null", 4))
        Py_RETURN_NONE;
    if (js_take_word(&r->in, "true", 4))
        Py_RETURN_TRUE;
    if (js_take_word(&r->in, "false", 5))
        Py_RETURN_FALSE;
    if (js_take_word(&r->in, "NaN", 3))
        return read_special_float(r, where, NAN);
    if (js_take_word(&r->in, "Infinity", 8))
        return read_special_float(r, where, INFINITY);
    if (js_take_word(&r->in, "-Infinity", 9))
        return read_special_float(r, where, -INFINITY);
    return fail(r, where, "expected a value");
}

static PyObject *read_value(Reader *r, size_t depth)
{
    int first = js_peek(&r->in);
    if (first == '"')
        return read_string(r);
    if (js_at_number(&r->in, first))
        return read_number(r);
    if (first != '{' && first != '[')
        return read_word(r);
    if (depth >= JS_MAX_DEPTH) {
        PyErr_SetString(PyExc_RecursionError, "the JSON text is nested too deeply");
        return NULL;
    }
    return first == '{' ? read_object(r, depth) : read_list(r, depth);
}

/* The one value that is in `text`, which begins at `place` of the user's document. */
static PyObject *read_document(const char *text, size_t length, const Options *options,
                               js_place place)
{
    Reader r = {options, js_reader_over(text, length), {{NULL, 0, NULL}}};
    PyObject *value = read_value(&r, 0);
    if (value != NULL && js_peek(&r.in) >= 0) {
        Py_DECREF(value);
        value = fail(&r, r.in.at, "expected the end of the text");
    }
    if (r.in.problem != NULL) {
        js_advance(&place, text, r.in.problem_at);
        raise_decode_error(r.in.problem, place);
    } else if (r.in.no_memory) {
        PyErr_NoMemory();
    }
    forget_names(&r);
    free(r.in.wide);
    return value;
}

PyDoc_STRVAR(
    loads_doc,
    "loads(text, *, object_hook=None, parse_float=None, allow_nan=True, unique_names=False)\n"
    "--\n\n"
    "The value that a JSON text means. The text is str, or bytes in UTF-8.");

static PyObject *loads(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", "object_hook", "parse_float", "allow_nan", "unique_names", NULL};
    static const js_place start = JS_START;
    Options options = {Py_None, Py_None, 1, 0};
    PyObject *source, *value;
    Text text;
    size_t mark;
    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOpp:loads", keywords, &source,
                                     &options.object_hook, &options.parse_float, &options.allow_nan,
                                     &options.unique_names))
        return NULL;
    options.object_hook = none_as_null(options.object_hook);
    options.parse_float = none_as_null(options.parse_float);
    if (!open_text(source, &text))
        return NULL;
    mark = PyBytes_Check(source) ? js_byte_order_mark(text.data, (size_t)text.length) : 0;
    value = read_document(text.data + mark, (size_t)text.length - mark, &options, start);
    close_text(&text);
    return value;
}

/* ---- writing ---- */

typedef struct {
    js_writer out;
    PyObject *fallback; /* `default=`, or NULL */
    int sort_keys;
    int allow_nan;
} Writer;

static bool write_value(Writer *w, PyObject *value, size_t depth);

static bool write_surrogates(Writer *w, PyObject *str)
{
    Text text;
    bool ok = open_surrogates(str, &text) && js_put_string(&w->out, text.data, (size_t)text.length);
    close_text(&text);
    return ok;
}

static bool write_string(Writer *w, PyObject *str)
{
    Py_ssize_t length;
    const char *data = PyUnicode_AsUTF8AndSize(str, &length);
    return data == NULL ? write_surrogates(w, str) : js_put_string(&w->out, data, (size_t)length);
}

static bool write_big_integer(Writer *w, PyObject *value)
{
    PyObject *text = PyLong_Type.tp_repr(value); /* whatever `repr` of a subclass may say */
    Py_ssize_t length;
    const char *digits = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
    bool ok = digits != NULL && js_put(&w->out, digits, (size_t)length);
    Py_XDECREF(text);
    return ok;
}

static bool write_integer(Writer *w, PyObject *value)
{
    int overflow;
    long long number;
    if (value == Py_True)
        return js_put(&w->out, "true", 4);
    if (value == Py_False)
        return js_put(&w->out, "false", 5);
    number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow ? write_big_integer(w, value) : js_put_integer(&w->out, number);
}

static bool write_special_float(Writer *w, double value)
{
    if (!w->allow_nan) {
        PyErr_SetString(PyExc_ValueError, "NaN and infinities are not allowed: allow_nan is false");
        return false;
    }
    return isnan(value) ? js_put(&w->out, "NaN", 3)
           : value > 0  ? js_put(&w->out, "Infinity", 8)
                        : js_put(&w->out, "-Infinity", 9);
}

static bool write_float(Writer *w, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    uint64_t digits;
    int decimals;
    char *text;
    bool ok;
    if (!isfinite(number))
        return write_special_float(w, number);
    if (js_short_decimal(number, &digits, &decimals))
        return js_put_decimal(&w->out, number < 0, digits, decimals);
    text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (text == NULL)
        return false;
    ok = js_put(&w->out, text, strlen(text));
    PyMem_Free(text);
    return ok;
}

/* `default=` may run any code, and so change the sequence: each item is held while it is written.
 */
static bool write_sequence(Writer *w, PyObject *sequence, size_t depth)
{
    Py_ssize_t i;
    if (PySequence_Fast_GET_SIZE(sequence) == 0)
        return js_put(&w->out, "[]", 2);
    if (!js_put_char(&w->out, '['))
        return false;
    for (i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(sequence, i);
        bool ok;
        Py_INCREF(item);
        ok = js_put_before_item(&w->out, i == 0, depth) && write_value(w, item, depth + 1);
        Py_DECREF(item);
        if (!ok)
            return false;
    }
    return js_put_end(&w->out, ']', depth);
}

static bool type_error(PyObject *value, const char *format)
{
    PyErr_Format(PyExc_TypeError, format, Py_TYPE(value)->tp_name);
    return false;
}

/* A key, which JSON knows as strings only: numbers and constants are put into quotes. */
static bool write_key(Writer *w, PyObject *key, size_t depth)
{
    if (PyUnicode_Check(key))
        return write_string(w, key);
    if (PyLong_Check(key) || PyFloat_Check(key) || key == Py_None)
        return js_put_char(&w->out, '"') && write_value(w, key, depth) && js_put_char(&w->out, '"');
    return type_error(key, "a key must be str, int, float, bool or None, not %s");
}

static bool write_member(Writer *w, PyObject *dict, PyObject *key, size_t depth)
{
    PyObject *value = PyDict_GetItemWithError(dict, key);
    bool ok;
    if (value == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_KeyError, key);
        return false;
    }
    Py_INCREF(value);
    ok = write_key(w, key, depth) && js_put(&w->out, ": ", 2) && write_value(w, value, depth + 1);
    Py_DECREF(value);
    return ok;
}

static bool write_members(Writer *w, PyObject *dict, PyObject *keys, size_t depth)
{
    Py_ssize_t i, length = PyList_GET_SIZE(keys);
    if (length == 0)
        return js_put(&w->out, "{}", 2);
    if (!js_put_char(&w->out, '{'))
        return false;
    for (i = 0; i < length; i++) {
        if (!js_put_before_item(&w->out, i == 0, depth) ||
            !write_member(w, dict, PyList_GET_ITEM(keys, i), depth))
            return false;
    }
    return js_put_end(&w->out, '}', depth);
}

/* `default=` may run any code and so change the dict: a list of its keys is walked through. */
static bool write_dict(Writer *w, PyObject *dict, size_t depth)
{
    PyObject *keys = PyDict_Keys(dict);
    bool ok = keys != NULL && (!w->sort_keys || PyList_Sort(keys) == 0) &&
              write_members(w, dict, keys, depth);
    Py_XDECREF(keys);
    return ok;
}

static bool write_other(Writer *w, PyObject *value, size_t depth)
{
    PyObject *replacement;
    bool ok;
    if (w->fallback == NULL)
        return type_error(value,
                          "JSON has no form for %s: give default= a function that converts it");
    replacement = PyObject_CallOneArg(w->fallback, value);
    ok = replacement != NULL && write_value(w, replacement, depth + 1);
    Py_XDECREF(replacement);
    return ok;
}

/* What may hold other values, or may become one that does. */
static bool write_nested(Writer *w, PyObject *value, size_t depth)
{
    if (depth >= JS_MAX_DEPTH) {
        PyErr_SetString(PyExc_RecursionError, "the value is nested too deeply, or contains itself");
        return false;
    }
    if (PyDict_Check(value))
        return write_dict(w, value, depth);
    if (PyList_Check(value) || PyTuple_Check(value))
        return write_sequence(w, value, depth);
    return write_other(w, value, depth);
}

static bool write_value(Writer *w, PyObject *value, size_t depth)
{
    if (PyUnicode_Check(value))
        return write_string(w, value);
    if (PyLong_Check(value))
        return write_integer(w, value);
    if (value == Py_None)
        return js_put(&w->out, "null", 4);
    if (PyFloat_Check(value))
        return write_float(w, value);
    return write_nested(w, value, depth);
}

/* Set the indentation, whose text is `holder`'s: the caller releases that when all is written. */
static bool set_indent(Writer *w, PyObject *indent, PyObject **holder)
{
    Py_ssize_t length;
    const char *text;
    *holder = NULL;
    if (indent == Py_None)
        return true;
    if (PyUnicode_Check(indent)) {
        Py_INCREF(indent);
        *holder = indent;
    } else {
        PyObject *blank = PyUnicode_FromString(" ");
        *holder = blank == NULL ? NULL : PyNumber_Multiply(blank, indent);
        Py_XDECREF(blank);
    }
    if (*holder == NULL)
        return false;
    text = PyUnicode_AsUTF8AndSize(*holder, &length);
    if (text == NULL)
        return false;
    js_set_indent(&w->out, text, (size_t)length);
    return true;
}

/* What has been written, as str. */
static PyObject *finish(Writer *w)
{
    if (!w->out.has_other)
        return PyUnicode_DecodeASCII(w->out.data, (Py_ssize_t)w->out.length, NULL);
    return PyUnicode_DecodeUTF8(w->out.data, (Py_ssize_t)w->out.length, "surrogatepass");
}

static PyObject *write_document(Writer *w, PyObject *value, PyObject *indent)
{
    PyObject *holder, *text = NULL;
    if (set_indent(w, indent, &holder) && write_value(w, value, 0))
        text = finish(w);
    else if (w->out.no_memory)
        PyErr_NoMemory();
    Py_XDECREF(holder);
    free(w->out.data);
    return text;
}

PyDoc_STRVAR(
    dumps_doc,
    "dumps(obj, *, indent=None, sort_keys=False, ensure_ascii=True, default=None, allow_nan=True)\n"
    "--\n\n"
    "The JSON text that means `obj`: dict, list, tuple, str, int, float, bool, None.");

static PyObject *dumps(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"",        "indent",    "sort_keys", "ensure_ascii",
                               "default", "allow_nan", NULL};
    Writer w = {.fallback = Py_None, .allow_nan = 1};
    PyObject *value, *indent = Py_None;
    int ascii_only = 1;
    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OppOp:dumps", keywords, &value, &indent,
                                     &w.sort_keys, &ascii_only, &w.fallback, &w.allow_nan))
        return NULL;
    w.fallback = none_as_null(w.fallback);
    w.out.ascii_only = ascii_only;
    return write_document(&w, value, indent);
}

/* ---- Decoder: values out of a stream that arrives in pieces ---- */

typedef struct {
    PyObject_HEAD
    PyObject *object_hook, *parse_float; /* NULL: no such function */
    PyObject *ready; /* the list of values that `feed` has still to hand out, or NULL */
    int allow_nan, unique_names;
    js_stream stream;
    Py_ssize_t count; /* of the values decoded */
    bool busy;
} Decoder;

static PyObject *Decoder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"object_hook", "parse_float", "allow_nan", "unique_names", NULL};
    static const js_place start = JS_START;
    Options options = {Py_None, Py_None, 1, 0};
    Decoder *self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOpp:Decoder", keywords, &options.object_hook,
                                     &options.parse_float, &options.allow_nan,
                                     &options.unique_names))
        return NULL;
    self = (Decoder *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->object_hook = none_as_null(options.object_hook);
    self->parse_float = none_as_null(options.parse_float);
    Py_XINCREF(self->object_hook);
    Py_XINCREF(self->parse_float);
    self->allow_nan = options.allow_nan;
    self->unique_names = options.unique_names;
    self->stream.place = start;
    return (PyObject *)self;
}

static int Decoder_traverse(Decoder *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->object_hook);
    Py_VISIT(self->parse_float);
    Py_VISIT(self->ready);
    return 0;
}

static int Decoder_clear(Decoder *self)
{
    Py_CLEAR(self->object_hook);
    Py_CLEAR(self->parse_float);
    Py_CLEAR(self->ready);
    return 0;
}

static void Decoder_dealloc(Decoder *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Decoder_clear(self);
    free(self->stream.text.data);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* Append the values that have arrived completely to `list`. A malformed one is dropped. */
static bool decode_pieces(Decoder *self, const Options *options, PyObject *list)
{
    js_piece piece;
    bool ok = true;
    while (ok && js_stream_next(&self->stream, &piece)) {
        PyObject *value = read_document(piece.text, piece.length, options, piece.place);
        ok = value != NULL && PyList_Append(list, value) == 0;
        self->count += ok;
        Py_XDECREF(value);
    }
    return ok;
}

/* Decode. The user's functions may not use the decoder meanwhile: its text would move. */
static bool decode_guarded(Decoder *self, PyObject *list)
{
    Options options = {self->object_hook, self->parse_float, self->allow_nan, self->unique_names};
    bool ok;
    self->busy = true;
    ok = decode_pieces(self, &options, list);
    self->busy = false;
    return ok;
}

static PyObject *decode_more(Decoder *self, const char *data, size_t length)
{
    PyObject *list;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the decoder is being used already, by a hook or a thread");
        return NULL;
    }
    if (!js_stream_add(&self->stream, data, length))
        return PyErr_NoMemory();
    list = self->ready != NULL ? self->ready : PyList_New(0);
    self->ready = NULL;
    if (list == NULL || decode_guarded(self, list))
        return list;
    self->ready = list;
    return NULL;
}

PyDoc_STRVAR(
    Decoder_feed_doc,
    "feed(chunk)\n--\n\n"
    "Take the next piece of the stream, str or bytes; the list of the values that it completes.");

static PyObject *Decoder_feed(Decoder *self, PyObject *chunk)
{
    PyObject *list;
    Text text;
    if (!open_text(chunk, &text))
        return NULL;
    list = decode_more(self, text.data, (size_t)text.length);
    close_text(&text);
    return list;
}

PyDoc_STRVAR(Decoder_close_doc,
             "close()\n--\n\nEnd the stream; the list of the values that are left.");

static PyObject *Decoder_close(Decoder *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = decode_more(self, "\n", 1); /* a blank, which ends a number */
    js_place place;
    if (list == NULL || !js_stream_is_inside(&self->stream, &place))
        return list;
    Py_XSETREF(self->ready, list);
    raise_decode_error("the stream ends inside the value that begins here", place);
    return NULL;
}

static PyObject *Decoder_pending(Decoder *self, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(js_stream_pending(&self->stream));
}

static PyMethodDef Decoder_methods[] = {
    {"feed", (PyCFunction)Decoder_feed, METH_O, Decoder_feed_doc},
    {"close", (PyCFunction)Decoder_close, METH_NOARGS, Decoder_close_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Decoder_getset[] = {
    {"pending", (getter)Decoder_pending, NULL, "How many bytes wait for the rest of their value.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef Decoder_members[] = {
    {"count", T_PYSSIZET, offsetof(Decoder, count), READONLY, "How many values have been decoded."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot Decoder_slots[] = {
    {Py_tp_doc, "Decodes a stream of JSON values that arrives in pieces."},
    {Py_tp_new, Decoder_new},
    {Py_tp_traverse, Decoder_traverse},
    {Py_tp_clear, Decoder_clear},
    {Py_tp_dealloc, Decoder_dealloc},
    {Py_tp_methods, Decoder_methods},
    {Py_tp_getset, Decoder_getset},
    {Py_tp_members, Decoder_members},
    {0, NULL},
};

static PyType_Spec Decoder_spec = {
    .name = "cjson.Decoder",
    .basicsize = sizeof(Decoder),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = Decoder_slots,
};

/* ---- the module ---- */

static int add_object(PyObject *module, const char *name, PyObject *object)
{
    int status = object == NULL ? -1 : PyObject_SetAttrString(module, name, object);
    Py_XDECREF(object);
    return status;
}

static int module_exec(PyObject *module)
{
    decode_error_type = PyErr_NewExceptionWithDoc("cjson.JSONDecodeError", "A malformed JSON text.",
                                                  PyExc_ValueError, NULL);
    Py_XINCREF(decode_error_type);
    if (add_object(module, "JSONDecodeError", decode_error_type) < 0)
        return -1;
    return add_object(module, "Decoder", PyType_FromSpec(&Decoder_spec));
}

static PyMethodDef module_methods[] = {
    {"loads", (PyCFunction)(void (*)(void))loads, METH_VARARGS | METH_KEYWORDS, loads_doc},
    {"dumps", (PyCFunction)(void (*)(void))dumps, METH_VARARGS | METH_KEYWORDS, dumps_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,       .m_name = "cjson",       .m_doc = "Reads and writes JSON.",
    .m_methods = module_methods, .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_cjson(void)
{
    return PyModuleDef_Init(&module_def);
}
