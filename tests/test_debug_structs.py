"""How debug mode learns which struct is read, and what it knows of fields: no false alarm."""

import gc
import importlib.util
import itertools
import os
import threading

import pytest
import support

TYPES = r"""
#include <stdlib.h>

#define TYPE(NAME, ...)                                                                            \
    HPyType_HELPERS(NAME)                                                                          \
    HPyDef_METH(NAME##_own, "own", HPyFunc_NOARGS)                                                 \
    static HPy NAME##_own_impl(HPyContext *ctx, HPy self)                                          \
    {                                                                                              \
        return HPyLong_FromLong(ctx, NAME##_AsStruct(ctx, self)->x);                               \
    }                                                                                              \
    HPyDef_METH(read_##NAME, "read_" #NAME, HPyFunc_O)                                             \
    static HPy read_##NAME##_impl(HPyContext *ctx, HPy self, HPy arg)                              \
    {                                                                                              \
        NAME *data = NAME##_AsStruct(ctx, arg);                                                    \
        return data == NULL ? HPy_NULL : HPyLong_FromLong(ctx, data->x);                           \
    }                                                                                              \
    static HPyDef *NAME##_defines[] = {&NAME##_own, NULL};

#define SPEC(NAME, STRUCT, DEFINES)                                                                \
    static HPyType_Spec NAME##_spec = {                                                            \
        .name = "testmod." #NAME, .basicsize = sizeof(STRUCT), .builtin_shape = SHAPE(STRUCT),     \
        .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE, .defines = DEFINES,                   \
    };

typedef struct { long x; } Point;
TYPE(Point)
SPEC(Point, Point, Point_defines)
typedef struct { long x, y; } Vector;
TYPE(Vector)
SPEC(Vector, Vector, Vector_defines)

/* No type is called like the struct. */
typedef struct { long x; } Shared;
TYPE(Shared)
HPyDef_METH(Reversed_own, "own", HPyFunc_NOARGS)
static HPy Reversed_own_impl(HPyContext *ctx, HPy self)
{
    return HPyLong_FromLong(ctx, Shared_AsStruct(ctx, self)->x);
}
static HPyDef *Reversed_defines[] = {&Reversed_own, NULL};
SPEC(Forward, Shared, Shared_defines)
SPEC(Reversed, Shared, Reversed_defines)

HPyDef_METH(make, "make", HPyFunc_O)
static HPy make_impl(HPyContext *ctx, HPy self, HPy type)
{
    void *data;
    HPy h = _HPy_New(ctx, type, &data);
    if (!HPy_IsNull(h))
        Shared_AsStruct(ctx, h)->x = 3;
    return h;
}
HPyDef_METH(derive, "derive", HPyFunc_O)
static HPy derive_impl(HPyContext *ctx, HPy self, HPy base)
{
    HPyType_SpecParam params[] = {{HPyType_SpecParam_Base, base}, {0}};
    return HPyType_FromSpec(ctx, &Vector_spec, params);
}
"""
DEFS = "read_Point, read_Vector, read_Shared, make, derive"
COUNTER = itertools.count()


def load(path, mode="debug"):
    """The extension at `path` in a mode."""
    spec = importlib.util.spec_from_file_location("testmod", str(path))
    environment = {"HPY": mode}
    return support.universal()._load_bootstrap(
        "testmod", "testmod", "", str(path), None, spec, environment
    )


needs_thunks = pytest.mark.skipif("HPY_NO_THUNKS" in os.environ, reason="modes combine by thunks")
MODES = [
    "debug",
    pytest.param("debug+trace", marks=needs_thunks),
    pytest.param("trace+debug", marks=needs_thunks),
]


@pytest.fixture(params=["-g -O2", "-g -O0", "-g0 -O2", "-g0 -O0"])
def library(compile, request):
    """The path of an extension with the types, of which nothing has been learned."""
    # A library of its own: what is learned of a place in the code stays.
    source = TYPES + f"\nextern int number{next(COUNTER)};\n"
    source = support.module_source(source, DEFS, types="Point, Vector, Forward, Reversed")
    return compile(source, "testmod", "universal", flags=request.param.split())


@pytest.fixture(params=MODES)
def structs(library, request):
    """The extension in debug mode, alone or with trace mode."""
    return load(library, request.param)


def codes(function, *args):
    """The codes of what debug mode finds in a call."""
    from hpy.universal import _debug

    found = []
    _debug.set_on_invalid_handle(lambda: found.append(_debug.last_finding()[0]))
    try:
        function(*args)
    finally:
        _debug.set_on_invalid_handle(None)
    return found


def test_subclasses_and_other_loads_have_the_struct(structs, library):
    class Python(structs.Point):
        pass

    derived = structs.derive(structs.Point)
    for cls in (structs.Point, Python, derived, type("Deeper", (derived,), {})):
        assert codes(structs.read_Point, cls()) == []
    assert codes(structs.read_Vector, derived()) == []
    again = load(library)
    assert codes(structs.read_Point, again.Point()) == []
    assert codes(again.read_Point, structs.Point()) == []


def test_names_count_in_their_library_only(structs, compile):
    other = TYPES.replace("SPEC(Forward, Shared,", "SPEC(Shared, Shared,")
    path = compile(
        support.module_source(other, DEFS, types="Point, Vector, Shared, Reversed"),
        "testmod",
        "debug",
    )
    assert support.load(path, "testmod", "debug").Shared.__name__ == "Shared"
    assert codes(structs.read_Shared, structs.Forward()) == []


@pytest.mark.parametrize("structs", MODES[:2], indirect=True)  # see docs/debug/HPY-D029.md
def test_another_type_is_found(structs):
    assert codes(structs.read_Point, structs.Point()) == []
    assert codes(structs.read_Point, structs.Vector()) == ["HPY-D029"]
    assert codes(structs.read_Point, structs.Vector()) == ["HPY-D029"]
    assert codes(structs.read_Vector, structs.Vector()) == []
    assert codes(structs.read_Vector, structs.Point()) == ["HPY-D029"]


def test_types_that_share_a_struct(structs):
    assert codes(structs.Forward().own) == []
    assert codes(structs.Reversed().own) == []
    assert codes(structs.make, structs.Forward) == []
    assert codes(structs.make, structs.Reversed) == []
    assert codes(structs.read_Shared, structs.Forward()) == []


STACK = r"""
#include <stdlib.h>
#include <string.h>

/* The items are in memory of their own, which grows. The count is raised after the store. */
typedef struct {
    HPyField first, second;
    HPyField *items;
    long count, room;
} Stack;
HPyType_HELPERS(Stack)

HPyDef_SLOT(Stack_traverse, HPy_tp_traverse)
static int Stack_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    Stack *stack = (Stack *)self;
    HPy_VISIT(&stack->first);
    HPy_VISIT(&stack->second);
    for (long i = 0; i < stack->count; i++)
        HPy_VISIT(&stack->items[i]);
    return 0;
}
HPyDef_SLOT(Stack_destroy, HPy_tp_destroy)
static void Stack_destroy_impl(void *self)
{
    free(((Stack *)self)->items);
}
static inline void grow(Stack *stack)
{
    HPyField *items = calloc(2 * stack->room + 1, sizeof(HPyField));
    for (long i = 0; i < stack->count; i++)
        items[i] = stack->items[i];
    free(stack->items);
    stack->items = items;
    stack->room = 2 * stack->room + 1;
}
HPyDef_METH(Stack_push, "push", HPyFunc_O)
static HPy Stack_push_impl(HPyContext *ctx, HPy self, HPy item)
{
    Stack *stack = Stack_AsStruct(ctx, self);
    if (stack->count == stack->room)
        grow(stack);
    HPyField_Store(ctx, self, &stack->items[stack->count], item);
    stack->count++;
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(Stack_pop, "pop", HPyFunc_NOARGS)
static HPy Stack_pop_impl(HPyContext *ctx, HPy self)
{
    Stack *stack = Stack_AsStruct(ctx, self);
    HPyField *last = &stack->items[--stack->count];
    HPy item = HPyField_Load(ctx, self, *last);
    HPyField_Store(ctx, self, last, HPy_NULL);
    return item;
}
HPyDef_METH(Stack_fill, "fill", HPyFunc_O)
static HPy Stack_fill_impl(HPyContext *ctx, HPy self, HPy item)
{
    HPyField_Store(ctx, self, &Stack_AsStruct(ctx, self)->first, item);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(Stack_move, "move", HPyFunc_NOARGS)
static HPy Stack_move_impl(HPyContext *ctx, HPy self)
{
    Stack *stack = Stack_AsStruct(ctx, self);
    HPyField first = stack->first;
    stack->first = stack->second;
    stack->second = first;
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(Stack_forget, "forget", HPyFunc_O)
static HPy Stack_forget_impl(HPyContext *ctx, HPy self, HPy item)
{
    Stack *stack = Stack_AsStruct(ctx, self);
    HPyField_Store(ctx, self, &stack->items[stack->count], item);
    return HPy_Dup(ctx, ctx->h_None);
}
HPyDef_METH(Stack_steal, "steal", HPyFunc_O)
static HPy Stack_steal_impl(HPyContext *ctx, HPy self, HPy other)
{
    Stack_AsStruct(ctx, self)->second = Stack_AsStruct(ctx, other)->first;
    return HPy_Dup(ctx, ctx->h_None);
}
static HPyDef *Stack_defines[] = {
    &Stack_traverse, &Stack_destroy, &Stack_push, &Stack_pop, &Stack_fill,
    &Stack_move, &Stack_forget, &Stack_steal, NULL,
};
static HPyType_Spec Stack_spec = {
    .name = "testmod.Stack", .basicsize = sizeof(Stack), .builtin_shape = SHAPE(Stack),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_BASETYPE | HPy_TPFLAGS_HAVE_GC,
    .defines = Stack_defines,
};

HPyDef_METH(short_life, "short_life", HPyFunc_O)
static HPy short_life_impl(HPyContext *ctx, HPy self, HPy type)
{
    for (int i = 0; i < 3; i++) {
        Stack *stack;
        HPy h = HPy_New(ctx, type, &stack);
        HPyField_Store(ctx, h, &stack->first, type);
        HPyField_Store(ctx, h, &stack->second, type);
        HPyField_Store(ctx, h, &stack->first, HPy_NULL);
        HPy_Close(ctx, h);
    }
    return HPy_Dup(ctx, ctx->h_None);
}
"""


@pytest.fixture(params=MODES)
def Stack(compile, request):
    """A type with fields in its struct and outside, in debug mode."""
    source = STACK + f"\nextern int number{next(COUNTER)};\n"
    source = support.module_source(source, "short_life", types="Stack")
    mod = load(compile(source, "testmod", "universal"), request.param)
    mod.Stack.short_life = staticmethod(mod.short_life)
    return mod.Stack


def test_fields_that_are_stored_before_they_are_visited(Stack):
    def use():
        stacks = [Stack(), type("Python", (Stack,), {})()]
        items = [object() for _ in range(100)]
        for stack in stacks:
            for item in items:
                stack.push(item)
            assert [stack.pop() for _ in range(40)] == items[:59:-1]
            stack.push(stack)
        gc.collect()

    assert codes(use) == []
    gc.collect()


def test_threads(Stack):
    def use():
        stack = Stack()
        for number in range(100):
            stack.push(number)
            Stack.short_life(Stack)
        assert [stack.pop() for _ in range(100)] == list(reversed(range(100)))

    def run():
        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert codes(run) == []


def test_an_object_that_ends_before_the_call(Stack):
    for _ in range(30):
        assert codes(Stack.short_life, Stack) == []


def test_fields_change_places(Stack):
    def use():
        stack = Stack()
        for item in "abc":
            stack.fill(item)
            stack.move()
        stack.move()

    assert codes(use) == []


def test_a_field_outside_of_the_struct_is_forgotten(Stack):
    stack = Stack()
    stack.push(1)
    stack.push(2)
    assert codes(stack.forget, object()) == ["HPY-D031"]


def test_a_stolen_field(Stack):
    thief, owner = Stack(), Stack()
    owner.fill("text")
    assert codes(thief.steal, owner) == ["HPY-D032"]
    # It is told once, and the object is released once.
    assert codes(thief.steal, owner) == []
    del thief
    assert owner.move() is None


@pytest.mark.parametrize("Stack", MODES[:2], indirect=True)  # see docs/debug/HPY-D032.md
def test_a_stolen_field_is_found_at_the_end_of_the_object(Stack):
    owner = Stack()
    owner.fill("text")
    thieves = [Stack() for _ in range(60)]

    def steal():
        for thief in thieves:
            thief.steal(owner)

    def let_go():
        thieves.clear()
        support.settle()

    early = codes(steal)
    late = codes(let_go)
    assert set(early) == set(late) == {"HPY-D032"}
    assert len(early) + len(late) == 60
