/*
 * Finding the JSON values in a stream that arrives in pieces: the part that needs no Python object.
 * Shared by `hpyjson.c` and `cjson.c`, like `scan.h`.
 */
#ifndef EXAMPLE_JSON_STREAM_H
#define EXAMPLE_JSON_STREAM_H

#include "print.h"
#include "scan.h"

/* Where a search for the end of one value stands, to go on with the next piece of the stream. */
typedef struct {
    size_t start, at;
    size_t depth;
    enum { JS_BETWEEN, JS_IN_SCALAR, JS_IN_STRING, JS_IN_NEST } state;
    bool escaped;
} js_splitter;

static inline bool js_ends_scalar(char c)
{
    return js_is_space(c) || c == '"' || c == '[' || c == '{';
}

/* One byte of a string within or without a nest. True if it ends a value. */
static inline bool js_split_string(js_splitter *s, char c)
{
    if (s->escaped || c == '\\') {
        s->escaped = !s->escaped;
        return false;
    }
    if (c != '"')
        return false;
    s->state = s->depth > 0 ? JS_IN_NEST : JS_BETWEEN;
    return s->depth == 0;
}

/* One byte of a list or a dictionary, outside strings. True if it ends a value. */
static inline bool js_split_nest(js_splitter *s, char c)
{
    if (c == '"')
        s->state = JS_IN_STRING;
    else if (c == '[' || c == '{')
        s->depth++;
    else if ((c == ']' || c == '}') && --s->depth == 0)
        s->state = JS_BETWEEN;
    return s->state == JS_BETWEEN;
}

static inline void js_split_begin(js_splitter *s, char c)
{
    s->start = s->at;
    s->escaped = false;
    s->depth = c == '[' || c == '{';
    s->state = c == '"' ? JS_IN_STRING : s->depth ? JS_IN_NEST : JS_IN_SCALAR;
}

/*
 * Go on through `text`, of which more may follow. True if a value ends: it is text[start..at). It
 * need not be right; a reader finds that out. Each byte is looked at once, however small the pieces
 * are.
 */
static inline bool js_split(js_splitter *s, const char *text, size_t length)
{
    for (; s->at < length; s->at++) {
        char c = text[s->at];
        bool ended = false;
        switch (s->state) {
        case JS_BETWEEN:
            if (!js_is_space(c))
                js_split_begin(s, c);
            break;
        case JS_IN_STRING:
            ended = js_split_string(s, c);
            break;
        case JS_IN_NEST:
            ended = js_split_nest(s, c);
            break;
        case JS_IN_SCALAR:
            if (js_ends_scalar(c)) {
                s->state = JS_BETWEEN;
                return true;
            }
            break;
        }
        if (ended) {
            s->at++;
            return true;
        }
    }
    return false;
}

/* What has arrived of a stream and is not decoded. `place` begins as JS_START, all else as 0. */
typedef struct {
    js_writer text;
    js_splitter splitter;
    size_t done;    /* bytes of `text` that are dealt with */
    js_place place; /* where they end */
} js_stream;

/* The text of one value of the stream; `place` is where it begins in the whole of the stream. */
typedef struct {
    const char *text;
    size_t length;
    js_place place;
} js_piece;

static inline size_t js_stream_pending(const js_stream *s)
{
    return s->text.length - s->done;
}

/* Add what has arrived. No piece may be in use: the text moves. False if there is no memory. */
static inline bool js_stream_add(js_stream *s, const char *data, size_t length)
{
    s->text.length -= s->done;
    s->splitter.at -= s->done;
    s->splitter.start -= s->done;
    if (s->done > 0)
        memmove(s->text.data, s->text.data + s->done, s->text.length);
    s->done = 0;
    return js_put(&s->text, data, length);
}

static inline void js_stream_skip(js_stream *s, size_t to)
{
    js_advance(&s->place, s->text.data + s->done, s->text.data + to);
    s->done = to;
}

/* The next value that has arrived completely; false if there is none. */
static inline bool js_stream_next(js_stream *s, js_piece *piece)
{
    if (!js_split(&s->splitter, s->text.data, s->text.length))
        return false;
    js_stream_skip(s, s->splitter.start);
    piece->text = s->text.data + s->splitter.start;
    piece->length = s->splitter.at - s->splitter.start;
    piece->place = s->place;
    js_stream_skip(s, s->splitter.at);
    return true;
}

/* If the stream is inside a value: true, and where that begins. */
static inline bool js_stream_is_inside(js_stream *s, js_place *place)
{
    if (s->splitter.state == JS_BETWEEN)
        return false;
    js_stream_skip(s, s->splitter.start);
    *place = s->place;
    return true;
}

#endif /* EXAMPLE_JSON_STREAM_H */
