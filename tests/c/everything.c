/*
 * Every kind of definition and every slot with a function, once: what check_everything.py checks.
 * Compiled as C99 to C23 and as C++11 to C++20 (test_headers.py), so the descriptions of types and
 * of the module name no members. No other header is included, because an extension needs none.
 */
#include <hpy.h>

/* Methods: each signature, with and without options. */

HPyDef_METH(no_arguments, "no_arguments", HPyFunc_NOARGS, .doc = "Nothing in, the module out.")
static HPy no_arguments_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}

HPyDef_METH(one, "one", HPyFunc_O)
static HPy one_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    return HPyTuple_Pack(ctx, 1, arg);
}

HPyDef_METH_IMPL(several, "several", take_several, HPyFunc_VARARGS, .doc = "A tuple of all.")
static HPy take_several(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    (void)self;
    return HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs);
}

HPyDef_METH_IMPL(keywords, "keywords", take_keywords, HPyFunc_KEYWORDS)
static HPy take_keywords(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    HPy names = HPy_IsNull(kwnames) ? ctx->h_None : kwnames;
    HPy_ssize_t given = HPy_IsNull(kwnames) ? 0 : HPy_Length(ctx, kwnames);
    HPy values = HPyTuple_FromArray(ctx, args, (HPy_ssize_t)nargs + given);
    HPy result = HPyTuple_Pack(ctx, 3, self, values, names);
    HPy_Close(ctx, values);
    return result;
}

/* A name that the C library has too. */
HPyDef_METH(capget, "capget", HPyFunc_NOARGS)
static HPy capget_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, 1234);
}

/* A capsule with a destructor. */

static long freed;

HPyCapsule_DESTRUCTOR(free_pointer)
static void free_pointer_impl(const char *name, void *pointer, void *context)
{
    if (strcmp(name, "everything") == 0 && context == &freed) {
        free(pointer);
        freed++;
    }
}

HPyDef_METH(capsule, "capsule", HPyFunc_NOARGS)
static HPy capsule_impl(HPyContext *ctx, HPy self)
{
    void *pointer = malloc(16);
    HPy result = HPyCapsule_New(ctx, pointer, "other", NULL);
    (void)self;
    if (HPy_IsNull(result) || HPyCapsule_SetContext(ctx, result, &freed) < 0 ||
        HPyCapsule_SetName(ctx, result, "everything") < 0 ||
        HPyCapsule_SetPointer(ctx, result, pointer) < 0 ||
        HPyCapsule_SetDestructor(ctx, result, &free_pointer) < 0) {
        return HPy_NULL;
    }
    if (HPyCapsule_GetContext(ctx, result) != &freed ||
        HPyCapsule_GetPointer(ctx, result, "everything") != pointer ||
        strcmp(HPyCapsule_GetName(ctx, result), "everything") != 0) {
        HPyErr_SetString(ctx, ctx->h_RuntimeError, "a capsule forgot something");
    }
    return result;
}

HPyDef_METH(capsules_freed, "capsules_freed", HPyFunc_NOARGS)
static HPy capsules_freed_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, freed);
}

/* A type with members, attributes, fields, and what happens when its objects go. */

typedef struct {
    long number;
    double real;
    uint32_t word;
    bool flag;
    HPyField item;
} Thing;
HPyType_HELPERS(Thing)

static long destroyed;
static long finalized;

HPyDef_MEMBER(Thing_number, "number", HPyMember_LONG, offsetof(Thing, number))
HPyDef_MEMBER(Thing_real, "real", HPyMember_DOUBLE, offsetof(Thing, real), .readonly = 1)
HPyDef_MEMBER(Thing_word, "word", HPyMember_UINT, offsetof(Thing, word), .doc = "A word.")
HPyDef_MEMBER(Thing_flag, "flag", HPyMember_BOOL, offsetof(Thing, flag), .readonly = 1,
              .doc = "A flag.")

HPyDef_GET(Thing_doubled, "doubled", .doc = "Twice the number.")
static HPy Thing_doubled_get(HPyContext *ctx, HPy self, void *closure)
{
    (void)closure;
    return HPyLong_FromLong(ctx, 2 * Thing_AsStruct(ctx, self)->number);
}

HPyDef_GETSET(Thing_item, "item", .doc = "Any object.", .closure = &destroyed)
static HPy Thing_item_get(HPyContext *ctx, HPy self, void *closure)
{
    Thing *thing = Thing_AsStruct(ctx, self);
    if (closure != &destroyed || HPyField_IsNull(thing->item)) {
        return HPy_Dup(ctx, ctx->h_None);
    }
    return HPyField_Load(ctx, self, thing->item);
}
static int Thing_item_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    (void)closure;
    HPyField_Store(ctx, self, &Thing_AsStruct(ctx, self)->item, value);
    return 0;
}

HPyDef_SET(Thing_written, "written")
static int Thing_written_set(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    (void)closure;
    Thing_AsStruct(ctx, self)->number = HPyLong_AsLong(ctx, value);
    return HPyErr_Occurred(ctx) ? -1 : 0;
}

HPyDef_GET_IMPL(Thing_real2, "real2", get_real)
static HPy get_real(HPyContext *ctx, HPy self, void *closure)
{
    (void)closure;
    return HPyFloat_FromDouble(ctx, Thing_AsStruct(ctx, self)->real);
}

HPyDef_SET_IMPL(Thing_real3, "real3", set_real, .closure = NULL)
static int set_real(HPyContext *ctx, HPy self, HPy value, void *closure)
{
    (void)closure;
    Thing_AsStruct(ctx, self)->real = HPyFloat_AsDouble(ctx, value);
    return HPyErr_Occurred(ctx) ? -1 : 0;
}

HPyDef_GETSET_IMPL(Thing_real4, "real4", get_real, set_real, .doc = "The real number.")

HPyDef_METH(Thing_itself, "itself", HPyFunc_NOARGS)
static HPy Thing_itself_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}

HPyDef_SLOT(Thing_new, HPy_tp_new)
static HPy Thing_new_impl(HPyContext *ctx, HPy type, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Thing *thing;
    HPy result = HPy_New(ctx, type, &thing);
    (void)args;
    if (HPy_IsNull(result)) {
        return HPy_NULL;
    }
    thing->number = (long)nargs;
    thing->flag = !HPy_IsNull(kw);
    return result;
}

HPyDef_SLOT(Thing_init, HPy_tp_init)
static int Thing_init_impl(HPyContext *ctx, HPy self, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    (void)kw;
    if (nargs > 0) {
        Thing_AsStruct(ctx, self)->number += HPyLong_AsLong(ctx, args[0]);
    }
    return HPyErr_Occurred(ctx) ? -1 : 0;
}

HPyDef_SLOT(Thing_destroy, HPy_tp_destroy)
static void Thing_destroy_impl(void *data)
{
    destroyed += ((Thing *)data)->number;
}

HPyDef_SLOT(Thing_finalize, HPy_tp_finalize)
static void Thing_finalize_impl(HPyContext *ctx, HPy self)
{
    finalized += Thing_AsStruct(ctx, self)->number;
}

HPyDef_SLOT(Thing_traverse, HPy_tp_traverse)
static int Thing_traverse_impl(void *data, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Thing *)data)->item);
    return 0;
}

HPyDef_SLOT(Thing_call, HPy_tp_call)
static HPy Thing_call_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    return take_keywords(ctx, self, args, nargs, kwnames);
}

HPyDef_CALL_FUNCTION(call_otherwise)
static HPy call_otherwise_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs,
                               HPy kwnames)
{
    (void)args;
    (void)kwnames;
    return HPyLong_FromLong(ctx, Thing_AsStruct(ctx, self)->number + (long)nargs);
}

HPyDef_METH(Thing_use_other_call, "use_other_call", HPyFunc_NOARGS)
static HPy Thing_use_other_call_impl(HPyContext *ctx, HPy self)
{
    if (HPy_SetCallFunction(ctx, self, &call_otherwise) < 0) {
        return HPy_NULL;
    }
    return HPy_Dup(ctx, ctx->h_None);
}

static HPyDef *Thing_defines[] = {
    &Thing_number,  &Thing_real,     &Thing_word,     &Thing_flag,  &Thing_doubled,
    &Thing_item,    &Thing_real2,    &Thing_real3,    &Thing_real4, &Thing_written,
    &Thing_itself,  &Thing_new,      &Thing_init,     &Thing_call,  &Thing_use_other_call,
    &Thing_destroy, &Thing_finalize, &Thing_traverse, NULL};
static HPyType_Spec Thing_spec = {"everything.Thing",
                                  sizeof(Thing),
                                  0,
                                  HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC | HPy_TPFLAGS_BASETYPE,
                                  SHAPE(Thing),
                                  NULL,
                                  Thing_defines,
                                  "Members and functions."};

HPyDef_METH(gone, "gone", HPyFunc_NOARGS)
static HPy gone_impl(HPyContext *ctx, HPy self)
{
    HPy all[2];
    HPy result;
    (void)self;
    all[0] = HPyLong_FromLong(ctx, finalized);
    all[1] = HPyLong_FromLong(ctx, destroyed);
    result = HPyTuple_FromArray(ctx, all, 2);
    HPy_Close(ctx, all[0]);
    HPy_Close(ctx, all[1]);
    return result;
}

/* A type with every other slot. Each function returns its name and its arguments. */

static HPy report(HPyContext *ctx, const char *name, HPy a, HPy b)
{
    HPy text = HPyUnicode_FromString(ctx, name);
    HPy result = HPyTuple_Pack(ctx, 3, text, a, b);
    HPy_Close(ctx, text);
    return result;
}

#define UNARY(NAME)                                                                                \
    HPyDef_SLOT(NAME, HPy_##NAME)                                                                  \
    static HPy NAME##_impl(HPyContext *ctx, HPy self)                                              \
    {                                                                                              \
        return report(ctx, #NAME, self, ctx->h_None);                                              \
    }
#define BINARY(NAME)                                                                               \
    HPyDef_SLOT(NAME, HPy_##NAME)                                                                  \
    static HPy NAME##_impl(HPyContext *ctx, HPy self, HPy other)                                   \
    {                                                                                              \
        return report(ctx, #NAME, self, other);                                                    \
    }
#define TERNARY(NAME)                                                                              \
    HPyDef_SLOT(NAME, HPy_##NAME)                                                                  \
    static HPy NAME##_impl(HPyContext *ctx, HPy self, HPy second, HPy third)                       \
    {                                                                                              \
        (void)self;                                                                                \
        return report(ctx, #NAME, second, third);                                                  \
    }
#define INDEXED(NAME)                                                                              \
    HPyDef_SLOT(NAME, HPy_##NAME)                                                                  \
    static HPy NAME##_impl(HPyContext *ctx, HPy self, HPy_ssize_t index)                           \
    {                                                                                              \
        HPy number = HPyLong_FromSsize_t(ctx, index);                                              \
        HPy result = report(ctx, #NAME, self, number);                                             \
        HPy_Close(ctx, number);                                                                    \
        return result;                                                                             \
    }

UNARY(nb_absolute)
UNARY(nb_invert)
UNARY(nb_negative)
UNARY(nb_positive)
BINARY(nb_add)
BINARY(nb_and)
BINARY(nb_divmod)
BINARY(nb_floor_divide)
BINARY(nb_lshift)
BINARY(nb_matrix_multiply)
BINARY(nb_multiply)
BINARY(nb_or)
BINARY(nb_remainder)
BINARY(nb_rshift)
BINARY(nb_subtract)
BINARY(nb_true_divide)
BINARY(nb_xor)
BINARY(nb_inplace_add)
BINARY(nb_inplace_and)
BINARY(nb_inplace_floor_divide)
BINARY(nb_inplace_lshift)
BINARY(nb_inplace_matrix_multiply)
BINARY(nb_inplace_multiply)
BINARY(nb_inplace_or)
BINARY(nb_inplace_remainder)
BINARY(nb_inplace_rshift)
BINARY(nb_inplace_subtract)
BINARY(nb_inplace_true_divide)
BINARY(nb_inplace_xor)
TERNARY(nb_power)
TERNARY(nb_inplace_power)
BINARY(mp_subscript)
BINARY(sq_concat)
BINARY(sq_inplace_concat)
INDEXED(sq_item)
INDEXED(sq_repeat)
INDEXED(sq_inplace_repeat)

static long assigned;

HPyDef_SLOT(nb_bool, HPy_nb_bool)
static int nb_bool_impl(HPyContext *ctx, HPy self)
{
    (void)ctx;
    (void)self;
    return 0;
}

HPyDef_SLOT(nb_int, HPy_nb_int)
static HPy nb_int_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, 11);
}

HPyDef_SLOT(nb_index, HPy_nb_index)
static HPy nb_index_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, 12);
}

HPyDef_SLOT(nb_float, HPy_nb_float)
static HPy nb_float_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyFloat_FromDouble(ctx, 1.5);
}

HPyDef_SLOT(mp_length, HPy_mp_length)
static HPy_ssize_t mp_length_impl(HPyContext *ctx, HPy self)
{
    (void)ctx;
    (void)self;
    return 13;
}

HPyDef_SLOT(mp_ass_subscript, HPy_mp_ass_subscript)
static int mp_ass_subscript_impl(HPyContext *ctx, HPy self, HPy key, HPy value)
{
    (void)self;
    assigned = HPyLong_AsLong(ctx, key) + (HPy_IsNull(value) ? 0 : HPyLong_AsLong(ctx, value));
    return 0;
}

HPyDef_SLOT(sq_length, HPy_sq_length)
static HPy_ssize_t sq_length_impl(HPyContext *ctx, HPy self)
{
    (void)ctx;
    (void)self;
    return 14;
}

HPyDef_SLOT(sq_ass_item, HPy_sq_ass_item)
static int sq_ass_item_impl(HPyContext *ctx, HPy self, HPy_ssize_t index, HPy value)
{
    (void)self;
    assigned = 1000 + (long)index + (HPy_IsNull(value) ? 0 : HPyLong_AsLong(ctx, value));
    return 0;
}

HPyDef_SLOT(sq_contains, HPy_sq_contains)
static int sq_contains_impl(HPyContext *ctx, HPy self, HPy item)
{
    (void)self;
    return HPyLong_AsLong(ctx, item) == 7;
}

HPyDef_SLOT(tp_repr, HPy_tp_repr)
static HPy tp_repr_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyUnicode_FromString(ctx, "the repr");
}

HPyDef_SLOT(tp_str, HPy_tp_str)
static HPy tp_str_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyUnicode_FromString(ctx, "the str");
}

HPyDef_SLOT(tp_hash, HPy_tp_hash)
static HPy_hash_t tp_hash_impl(HPyContext *ctx, HPy self)
{
    (void)ctx;
    (void)self;
    return 15;
}

HPyDef_SLOT(tp_richcompare, HPy_tp_richcompare)
static HPy tp_richcompare_impl(HPyContext *ctx, HPy self, HPy other, HPy_RichCmpOp op)
{
    (void)self;
    HPy_RETURN_RICHCOMPARE(ctx, 16, HPyLong_AsLong(ctx, other), op);
}

static long exported;

/* The limited API has buffers since 3.11. */
#if !defined(Py_LIMITED_API) || Py_LIMITED_API >= 0x030B0000
#    define HAS_BUFFERS
static char memory[] = "some bytes";

HPyDef_SLOT(bf_getbuffer, HPy_bf_getbuffer)
static int bf_getbuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *view, int flags)
{
    (void)flags;
    memset(view, 0, sizeof(*view));
    view->buf = memory;
    view->len = 10;
    view->itemsize = 1;
    view->readonly = 1;
    view->ndim = 1;
    view->shape = &view->len;
    view->strides = &view->itemsize;
    view->obj = HPy_Dup(ctx, self);
    exported++;
    return 0;
}

HPyDef_SLOT(bf_releasebuffer, HPy_bf_releasebuffer)
static void bf_releasebuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *view)
{
    (void)ctx;
    (void)self;
    if (view->buf == memory && view->len == 10) {
        exported--;
    }
}
#endif

HPyDef_SLOT_IMPL(Slots_new, HPyType_GenericNew, HPy_tp_new)

static HPyDef *Slots_defines[] = {&nb_absolute,
                                  &nb_invert,
                                  &nb_negative,
                                  &nb_positive,
                                  &nb_add,
                                  &nb_and,
                                  &nb_divmod,
                                  &nb_floor_divide,
                                  &nb_lshift,
                                  &nb_matrix_multiply,
                                  &nb_multiply,
                                  &nb_or,
                                  &nb_remainder,
                                  &nb_rshift,
                                  &nb_subtract,
                                  &nb_true_divide,
                                  &nb_xor,
                                  &nb_inplace_add,
                                  &nb_inplace_and,
                                  &nb_inplace_floor_divide,
                                  &nb_inplace_lshift,
                                  &nb_inplace_matrix_multiply,
                                  &nb_inplace_multiply,
                                  &nb_inplace_or,
                                  &nb_inplace_remainder,
                                  &nb_inplace_rshift,
                                  &nb_inplace_subtract,
                                  &nb_inplace_true_divide,
                                  &nb_inplace_xor,
                                  &nb_power,
                                  &nb_inplace_power,
                                  &nb_bool,
                                  &nb_int,
                                  &nb_index,
                                  &nb_float,
                                  &mp_subscript,
                                  &mp_length,
                                  &mp_ass_subscript,
                                  &tp_repr,
                                  &tp_str,
                                  &tp_hash,
                                  &tp_richcompare,
#ifdef HAS_BUFFERS
                                  &bf_getbuffer,
                                  &bf_releasebuffer,
#endif
                                  &Slots_new,
                                  NULL};
static HPyType_Spec Slots_spec = {
    "everything.Slots", 0,   0, HPy_TPFLAGS_DEFAULT, HPyType_BuiltinShape_Object, NULL,
    Slots_defines,      NULL};

static HPyDef *Sequence_defines[] = {&sq_concat,   &sq_inplace_concat, &sq_item,
                                     &sq_repeat,   &sq_inplace_repeat, &sq_length,
                                     &sq_ass_item, &sq_contains,       NULL};
static HPyType_Spec Sequence_spec = {
    "everything.Sequence", 0,   0, HPy_TPFLAGS_DEFAULT, HPyType_BuiltinShape_Object, NULL,
    Sequence_defines,      NULL};

HPyDef_METH(last_assigned, "last_assigned", HPyFunc_NOARGS)
static HPy last_assigned_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, assigned);
}

HPyDef_METH(buffers_exported, "buffers_exported", HPyFunc_NOARGS)
static HPy buffers_exported_impl(HPyContext *ctx, HPy self)
{
    (void)self;
    return HPyLong_FromLong(ctx, exported);
}

/* Helpers of the headers. */

HPyDef_METH(adjust, "adjust", HPyFunc_VARARGS)
static HPy adjust_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy_ssize_t start, stop, step, count;
    HPy items[3];
    HPy result;
    (void)self;
    if (nargs != 2 || HPySlice_Unpack(ctx, args[0], &start, &stop, &step) < 0) {
        return HPy_NULL;
    }
    count = HPySlice_AdjustIndices(ctx, HPyLong_AsSsize_t(ctx, args[1]), &start, &stop, step);
    items[0] = HPyLong_FromSsize_t(ctx, start);
    items[1] = HPyLong_FromSsize_t(ctx, stop);
    items[2] = HPyLong_FromSsize_t(ctx, count);
    result = HPyTuple_Pack(ctx, 3, items[0], items[1], items[2]);
    HPy_Close(ctx, items[0]);
    HPy_Close(ctx, items[1]);
    HPy_Close(ctx, items[2]);
    return result;
}

HPyDef_METH(nine, "nine", HPyFunc_O)
static HPy nine_impl(HPyContext *ctx, HPy self, HPy x)
{
    (void)self;
    return HPyTuple_Pack(ctx, 9, x, x, x, x, x, x, x, x, x);
}

HPyDef_METH(call_method, "call_method", HPyFunc_VARARGS)
static HPy call_method_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    HPy by_name, by_text, result = HPy_NULL;
    (void)self;
    if (nargs != 2) {
        return HPyErr_SetString(ctx, ctx->h_TypeError, "an object and a tuple");
    }
    HPy name = HPyUnicode_FromString(ctx, "find");
    by_name = HPy_CallMethodTupleDict(ctx, name, args[0], args[1], HPy_NULL);
    /* Nothing is called while an exception is set: a debug build of CPython ends the process. */
    by_text = HPy_IsNull(by_name)
                  ? HPy_NULL
                  : HPy_CallMethodTupleDict_s(ctx, "find", args[0], args[1], HPy_NULL);
    if (!HPy_IsNull(by_name) && !HPy_IsNull(by_text)) {
        result = HPyTuple_Pack(ctx, 2, by_name, by_text);
    }
    HPy_Close(ctx, name);
    HPy_Close(ctx, by_name);
    HPy_Close(ctx, by_text);
    return result;
}

HPyDef_METH(numbers, "numbers", HPyFunc_O)
static HPy numbers_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy all[6];
    HPy result;
    (void)self;
    all[0] = HPyLong_FromLong(ctx, HPyLong_AsLong(ctx, arg));
    all[1] = HPyLong_FromLongLong(ctx, HPyLong_AsLongLong(ctx, arg));
    all[2] = HPyLong_FromUnsignedLong(ctx, HPyLong_AsUnsignedLongMask(ctx, arg));
    all[3] = HPyLong_FromUnsignedLongLong(ctx, HPyLong_AsUnsignedLongLongMask(ctx, arg));
    all[4] = HPyLong_FromPid(ctx, HPyLong_AsPid(ctx, arg));
    all[5] = HPyBool_FromLong(ctx, HPyLong_AsLong(ctx, arg));
    result = HPyTuple_FromArray(ctx, all, 6);
    for (int i = 0; i < 6; i++) {
        HPy_Close(ctx, all[i]);
    }
    return result;
}

HPyDef_METH(delete_attribute, "delete_attribute", HPyFunc_O)
static HPy delete_attribute_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy name = HPyUnicode_FromString(ctx, "a");
    int failed = HPy_DelAttr(ctx, arg, name) < 0 || HPy_DelAttr_s(ctx, arg, "b") < 0;
    (void)self;
    HPy_Close(ctx, name);
    return failed ? HPy_NULL : HPy_Dup(ctx, ctx->h_None);
}

HPyDef_METH(from_errno, "from_errno", HPyFunc_O)
static HPy from_errno_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    if (HPy_Is(ctx, arg, ctx->h_None)) {
        return HPyErr_SetFromErrno(ctx, ctx->h_OSError);
    }
    return HPyErr_SetFromErrnoWithFilenameObject(ctx, ctx->h_OSError, arg);
}

HPyDef_METH(left_python, "left_python", HPyFunc_O)
static HPy left_python_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy again = HPy_FromVoidP(HPy_AsVoidP(arg));
    (void)self;
    HPy_BEGIN_LEAVE_PYTHON(ctx) assigned = 0;
    HPy_END_LEAVE_PYTHON(ctx) return HPy_Dup(ctx, again);
}

/* Functions that hosts of HPy 0.9.0 do not have. */

HPyDef_METH(iterate, "iterate", HPyFunc_O, .doc = "A list of the items, backwards.")
static HPy iterate_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy item;
    HPy list = HPyList_New(ctx, 0);
    HPy iterator = HPy_GetIter(ctx, arg);
    (void)self;
    if (HPy_IsNull(iterator) || !HPyIter_Check(ctx, iterator) || HPyIter_Check(ctx, list)) {
        HPy_Close(ctx, list);
        return HPy_NULL;
    }
    while (item = HPyIter_Next(ctx, iterator), !HPy_IsNull(item)) {
        HPyList_Insert(ctx, list, 0, item);
        HPy_Close(ctx, item);
    }
    HPy_Close(ctx, iterator);
    if (HPyErr_Occurred(ctx)) {
        HPy_Close(ctx, list);
        return HPy_NULL;
    }
    return list;
}

HPyDef_METH(insert, "insert", HPyFunc_O)
static HPy insert_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    return HPyList_Insert(ctx, arg, -1, arg) < 0 ? HPy_NULL : HPy_Dup(ctx, arg);
}

HPyDef_METH(slices, "slices", HPyFunc_O, .doc = "Changes a list by slices.")
static HPy slices_impl(HPyContext *ctx, HPy self, HPy arg)
{
    HPy part = HPy_GetSlice(ctx, arg, 1, -1);
    (void)self;
    if (HPy_IsNull(part) || HPy_SetSlice(ctx, arg, 0, 2, part) < 0 ||
        HPy_DelSlice(ctx, arg, -2, HPY_SSIZE_T_MAX) < 0) {
        HPy_Close(ctx, part);
        return HPy_NULL;
    }
    return part;
}

HPyDef_METH(new_slice, "new_slice", HPyFunc_O)
static HPy new_slice_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    return HPySlice_New(ctx, arg, HPy_NULL, HPy_NULL);
}

/* The module. */

static HPyGlobal kept;

HPyDef_METH(keep, "keep", HPyFunc_O)
static HPy keep_impl(HPyContext *ctx, HPy self, HPy arg)
{
    (void)self;
    HPyGlobal_Store(ctx, &kept, arg);
    return HPyGlobal_Load(ctx, kept);
}

HPyDef_SLOT(add_types, HPy_mod_exec)
static int add_types_impl(HPyContext *ctx, HPy mod)
{
    HPyType_Spec *specs[] = {&Thing_spec, &Slots_spec, &Sequence_spec};
    const char *names[] = {"Thing", "Slots", "Sequence"};
    for (int i = 0; i < 3; i++) {
        HPy type = HPyType_FromSpec(ctx, specs[i], NULL);
        int failed = HPy_IsNull(type) || HPy_SetAttr_s(ctx, mod, names[i], type) < 0;
        HPy_Close(ctx, type);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

HPyDef_SLOT(add_more, HPy_mod_exec)
static int add_more_impl(HPyContext *ctx, HPy mod)
{
    return HPy_SetAttr_s(ctx, mod, "abi", ctx->h_True);
}

static HPyDef *module_defines[] = {&no_arguments,
                                   &one,
                                   &several,
                                   &keywords,
                                   &capget,
                                   &capsule,
                                   &capsules_freed,
                                   &gone,
                                   &last_assigned,
                                   &buffers_exported,
                                   &adjust,
                                   &nine,
                                   &call_method,
                                   &numbers,
                                   &delete_attribute,
                                   &from_errno,
                                   &left_python,
                                   &keep,
                                   &iterate,
                                   &insert,
                                   &slices,
                                   &new_slice,
                                   &add_types,
                                   &add_more,
                                   NULL};
static HPyGlobal *module_globals[] = {&kept, NULL};
static HPyModuleDef module_def = {"Every kind of definition.", 0, NULL, module_defines,
                                  module_globals};

HPy_MODINIT(everything, module_def)
