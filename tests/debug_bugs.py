"""The bugs that debug mode finds, each committed by a C program, and its correct twin.

A class of findings is shown by one entry or more of `BUGS`. `test_debug_bugs.py` runs them: the
wrong program must be reported with the code, the place and the C line; the right one must end in
silence. The table in `docs/debug/README.md` is made of the same runs.

To add a class: an entry here, one in `crates/hpy-debug/src/findings.rs`, and its page in
`docs/debug`. Then `HPY_WRITE_DOCS=1 pytest tests/test_debug_bugs.py` writes the table.
"""

import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from typing import Optional

import support

FINDINGS = (support.ROOT / "crates" / "hpy-debug" / "src" / "findings.rs").read_text("utf-8")

TITLES = dict(re.findall(r'^ +[A-Z_]+ = "(HPY-D\d+)", \w+,\s+"(.+)",$', FINDINGS, re.MULTILINE))
"""The title of each class of findings, by its code."""

HEAD = """
HPy_UNUSED static HPy none(HPyContext *ctx)
{
    return HPy_Dup(ctx, ctx->h_None);
}
HPy_UNUSED static HPy done(HPyContext *ctx)
{
    return HPyErr_Occurred(ctx) ? HPy_NULL : none(ctx);
}
"""
"""What every program may use: results, the second where an exception may be set."""


@dataclass(frozen=True)
class Bug:
    """A bug, and its twin that does the same in a correct way."""

    code: str
    name: str
    """The C file is called so in messages."""
    place: str
    """The function of the API and the argument, as the message has them; "" for leaks."""
    wrong: str
    """The body of the function `demo`, or definitions (`HPyDef_…`) and functions between
    `FUNCTION(name)` and `END`. The line of the bug has the comment `/* here */`; without it, the
    message names the function as a whole."""
    right: str
    """The same without the bug."""
    prelude: str = ""
    """C that both begin with."""
    program: str = "mod.demo('thing')"
    """What Python does with the module `mod`."""
    types: str = ""
    """The names of types to create: `support.module_source`."""
    globals: str = ""
    """The names of the HPyGlobals of the module."""
    abi: str = "universal"
    environment: dict = field(default_factory=dict)
    """Environment variables of both."""
    signal: int = signal.SIGABRT
    """How the wrong process ends, unless it is a leak."""
    leak: bool = False
    """It is reported by a LeakDetector around the program."""
    soft: bool = False
    """It is a warning unless HPY_DEBUG_ACTION says more."""
    where: str = ""
    """The C function that the message names as a whole, if it is not `demo`."""
    hook: Optional[str] = "handle"
    """Whose hook is called instead, if it is set: "handle", "builder"; None: the process ends."""
    raises: str = ""
    """The exception that the program ends with after the hook was called; "": it goes on."""

    def __str__(self):
        """Name the test."""
        return f"{self.code[4:]}-{self.name}"

    def source(self, part):
        """Return the C source of `self.wrong` or `self.right`."""
        part = textwrap.dedent(part).strip("\n")
        if not re.search(r"^(FUNCTION|HPyDef_\w+)\(", part, re.MULTILINE):
            part = f"FUNCTION(demo)\n{part}\nEND"
        return f"{textwrap.dedent(self.prelude).strip()}\n\n{part}\n".lstrip("\n")

    def compiled(self, part):
        """Return the path of the extension made of `self.wrong` or `self.right`."""
        source = f'#line 1 "{self.name}.c"\n{self.source(part)}'
        return compiled(source, types=self.types, globals=self.globals, abi=self.abi)

    def line(self):
        """Return the line and the function of the bug, and whether it is the function as a whole.

        The line of a function as a whole is that of its head.
        """
        heads = {}
        for number, line in enumerate(self.source(self.wrong).splitlines(), 1):
            opened = re.match(r"FUNCTION\((\w+)\)|(?:static )?\w[\w *]*?\b(\w+)_impl\(", line)
            if opened:
                function = f"{opened[1] or opened[2]}_impl"
                heads[function] = number
            if "/* here */" in line:
                return number, function, False
        function = self.where or function
        return heads[function], function, True


def compiled(source, defs="", *, abi="universal", **keywords):
    """Return the path of an extension.

    Lines `FUNCTION(name)` and `END` are around the bodies of methods with one argument, `arg`; they
    are added to `defs`.
    """
    methods = re.findall(r"^FUNCTION\((\w+)\)$", source, flags=re.MULTILINE)
    function = (
        r'HPyDef_METH(\1, "\1", HPyFunc_O) '
        r"static HPy \1_impl(HPyContext *ctx, HPy self, HPy arg) {"
    )
    source = re.sub(r"^FUNCTION\((\w+)\)$", function, source, flags=re.MULTILINE)
    source = re.sub(r"^END$", "}", source, flags=re.MULTILINE)
    defs = ", ".join([*support.names(defs), *methods])
    complete = support.module_source(HEAD + source, defs, name="debugged", **keywords)
    return support.compile_extension(complete, "debugged", abi)


def run(path, code, **environment):
    """Run `code` in a process that has loaded the extension as `mod`, in debug mode."""
    program = textwrap.dedent(
        f"""
        import importlib.util, hpy.universal
        spec = importlib.util.spec_from_file_location("debugged", {str(path)!r})
        mod = hpy.universal.load("debugged", {str(path)!r}, spec, debug=True)
        """
    ) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def told(path, code, **environment):
    """Return what a process says that is ended by a finding."""
    done = run(path, code, **environment)
    assert done.returncode == -signal.SIGABRT, done
    return done.stderr


CLOSED = """
HPy h = HPy_Dup(ctx, arg);
HPy_Close(ctx, h);
"""

KEPT = """
static HPyContext *kept;
FUNCTION(keep)
    kept = ctx;
    return none(ctx);
END
FUNCTION(keep_and_call)
    kept = ctx;
    return HPy_CallTupleDict(ctx, arg, HPy_NULL, HPy_NULL);
END
"""

USE_KEPT = """
FUNCTION(demo)
    return HPy_Repr(kept, arg); /* here */
END
"""

TWICE = """
import importlib.util, hpy.universal
spec = importlib.util.spec_from_file_location("debugged", mod.__file__)
other = hpy.universal.load("debugged", mod.__file__, spec, debug=True)
other.keep("thing")
mod.demo("thing")
"""

USE_OWN = """
FUNCTION(demo)
    return HPy_Repr(ctx, arg);
END
"""

THING = """
typedef struct { int x; } Thing;
HPyType_HELPERS(Thing)
HPyDef_SLOT(Thing_new, HPy_tp_new)
static HPy Thing_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Thing *data;
    return HPy_New(ctx, cls, &data);
}
"""

EXPORTER = """
typedef struct { int x; } Exporter;
HPyType_HELPERS(Exporter)
HPyDef_SLOT(Exporter_new, HPy_tp_new)
static HPy Exporter_new_impl(HPyContext *ctx, HPy cls, const HPy *args, HPy_ssize_t nargs, HPy kw)
{
    Exporter *data;
    return HPy_New(ctx, cls, &data);
}
HPyDef_SLOT(Exporter_getbuffer, HPy_bf_getbuffer)
static int Exporter_getbuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *buffer, int flags)
{
    static char bytes[] = "bytes";
    buffer->buf = bytes;
    buffer->len = buffer->itemsize = 1;
    buffer->readonly = 1;
    buffer->ndim = 0;
    buffer->format = NULL;
    buffer->shape = buffer->strides = buffer->suboffsets = NULL;
    buffer->internal = NULL;
    buffer->obj = HPy_Dup(ctx, self);
    return 0;
}
HPyDef_SLOT(Exporter_releasebuffer, HPy_bf_releasebuffer)
static void Exporter_releasebuffer_impl(HPyContext *ctx, HPy self, HPy_buffer *buffer)
{
}
static HPyDef *Exporter_defines[] = {
    &Exporter_new, &Exporter_getbuffer, &Exporter_releasebuffer, NULL
};
static HPyType_Spec Exporter_spec = {
    .name = "debugged.Exporter", .basicsize = sizeof(Exporter),
    .builtin_shape = SHAPE(Exporter), .defines = Exporter_defines,
};
static HPyGlobal view;
"""

POINT_AND_VECTOR = """
typedef struct { double x, y; } Point;
HPyType_HELPERS(Point)
static HPyType_Spec Point_spec = {
    .name = "debugged.Point", .basicsize = sizeof(Point), .builtin_shape = SHAPE(Point),
};
typedef struct { long x, y; } Vector;
HPyType_HELPERS(Vector)
static HPyType_Spec Vector_spec = {
    .name = "debugged.Vector", .basicsize = sizeof(Vector), .builtin_shape = SHAPE(Vector),
};
"""

HOLDER = """
typedef struct { HPyField item, other; } Holder;
HPyType_HELPERS(Holder)
HPyDef_SLOT(Holder_traverse, HPy_tp_traverse)
static int Holder_traverse_impl(void *self, HPyFunc_visitproc visit, void *arg)
{
    HPy_VISIT(&((Holder *)self)->item);
    HPy_VISIT(&((Holder *)self)->other);
    return 0;
}
static HPyDef *Holder_defines[] = {&Holder_traverse, NULL};
static HPyType_Spec Holder_spec = {
    .name = "debugged.Holder", .basicsize = sizeof(Holder), .builtin_shape = SHAPE(Holder),
    .flags = HPy_TPFLAGS_DEFAULT | HPy_TPFLAGS_HAVE_GC, .defines = Holder_defines,
};
static inline HPy new_holder(HPyContext *ctx, HPy mod, Holder **holder)
{
    HPy type = HPy_GetAttr_s(ctx, mod, "Holder");
    HPy h = HPy_New(ctx, type, holder);
    HPy_Close(ctx, type);
    return h;
}
"""

FILL_BOTH = """
FUNCTION(demo)
    Holder *holder;
    HPy h = new_holder(ctx, self, &holder);
    HPyField_Store(ctx, h, &holder->item, arg);
    HPyField_Store(ctx, h, &holder->other, arg); /* here */
    return h;
END
"""

BUGS = [
    Bug(
        code="HPY-D001",
        name="handle_left_open",
        place="",
        wrong="""
        HPy text = HPy_Repr(ctx, arg); /* here */
        return HPyLong_FromSsize_t(ctx, HPy_Length(ctx, text));
        """,
        right="""
        HPy text = HPy_Repr(ctx, arg);
        HPy_ssize_t length = HPy_Length(ctx, text);
        HPy_Close(ctx, text);
        return HPyLong_FromSsize_t(ctx, length);
        """,
        leak=True,
    ),
    Bug(
        code="HPY-D002",
        name="use_after_close",
        place="HPy_Repr, argument 'obj'",
        wrong=CLOSED + "return HPy_Repr(ctx, h); /* here */",
        right="""
        HPy h = HPy_Dup(ctx, arg);
        HPy text = HPy_Repr(ctx, h);
        HPy_Close(ctx, h);
        return text;
        """,
    ),
    Bug(
        code="HPY-D003",
        name="double_close",
        place="HPy_Close, argument 'h'",
        wrong=CLOSED + "HPy_Close(ctx, h); /* here */\nreturn none(ctx);",
        right=CLOSED + "h = HPy_NULL;\nHPy_Close(ctx, h);\nreturn none(ctx);",
    ),
    Bug(
        code="HPY-D004",
        name="argument_closed",
        place="HPy_Close, argument 'h'",
        wrong="HPy_Close(ctx, arg); /* here */\nreturn none(ctx);",
        right="HPy h = HPy_Dup(ctx, arg);\nHPy_Close(ctx, h);\nreturn none(ctx);",
    ),
    Bug(
        code="HPY-D005",
        name="argument_returned",
        place="the result",
        wrong="return arg;",
        right="return HPy_Dup(ctx, arg);",
    ),
    Bug(
        code="HPY-D006",
        name="closed_returned",
        place="the result",
        wrong=CLOSED + "return h;",
        right="HPy h = HPy_Dup(ctx, arg);\nreturn h;",
        raises="SystemError",
    ),
    Bug(
        code="HPY-D007",
        name="constant_closed",
        place="HPy_Close, argument 'h'",
        wrong="HPy_Close(ctx, ctx->h_True); /* here */\nreturn none(ctx);",
        right="HPy_Close(ctx, HPy_Dup(ctx, ctx->h_True));\nreturn none(ctx);",
    ),
    Bug(
        code="HPY-D008",
        name="constant_returned",
        place="the result",
        wrong="return ctx->h_None;",
        right="return HPy_Dup(ctx, ctx->h_None);",
    ),
    Bug(
        code="HPY-D009",
        name="forged",
        place="HPy_Length, argument 'h'",
        wrong="""
        HPy h;
        h._i = 0x123450;
        HPy_Length(ctx, h); /* here */
        return done(ctx);
        """,
        right="HPy_Length(ctx, arg);\nreturn done(ctx);",
        raises="SystemError",
    ),
    Bug(
        code="HPY-D010",
        name="null",
        place="HPy_Add, argument 2 'h2'",
        wrong="return HPy_Add(ctx, arg, HPy_NULL); /* here */",
        right="return HPy_Add(ctx, arg, arg);",
        raises="SystemError",
    ),
    Bug(
        code="HPY-D011",
        name="wrong_type",
        place="HPy_TypeCheck, argument 2 'type'",
        wrong="HPy_TypeCheck(ctx, arg, arg); /* here */\nreturn done(ctx);",
        right="HPy_TypeCheck(ctx, arg, ctx->h_TypeType);\nreturn done(ctx);",
        raises="SystemError",
    ),
    Bug(
        code="HPY-D012",
        name="wrong_shape",
        place="_HPy_AsStruct_Object, argument 'h'",
        prelude=THING
        + """
        static HPyDef *Thing_defines[] = {&Thing_new, NULL};
        static HPyType_Spec Thing_spec = {
            .name = "debugged.Thing", .basicsize = sizeof(Thing),
            .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
        };
        """,
        types="Thing",
        wrong="""
        Thing *thing = Thing_AsStruct(ctx, arg); /* here */
        return thing == NULL ? HPy_NULL : none(ctx);
        """,
        right="""
        HPy type = HPy_GetAttr_s(ctx, self, "Thing");
        HPy thing = HPy_CallTupleDict(ctx, type, HPy_NULL, HPy_NULL);
        Thing_AsStruct(ctx, thing)->x = 1;
        HPy_Close(ctx, type);
        return thing;
        """,
        raises="SystemError",
    ),
    Bug(
        code="HPY-D013",
        name="context_kept",
        place="HPy_Repr: Error: Wrong HPy Context! Its call has returned",
        prelude=KEPT,
        wrong=USE_KEPT,
        right=USE_OWN,
        program="mod.keep(1); mod.demo(1)",
        hook=None,
    ),
    Bug(
        code="HPY-D014",
        name="context_of_outer_call",
        place="HPy_Repr: Error: Wrong HPy Context! Its call waits for this one",
        prelude=KEPT,
        wrong=USE_KEPT,
        right=USE_OWN,
        program="mod.keep_and_call(lambda: mod.demo(1))",
        hook=None,
    ),
    Bug(
        code="HPY-D015",
        name="context_of_other_thread",
        place="HPy_Repr: Error: Wrong HPy Context! It belongs to another thread",
        prelude=KEPT,
        wrong=USE_KEPT,
        right=USE_OWN,
        program="""
        import threading
        def other():
            thread = threading.Thread(target=mod.demo, args=(1,))
            thread.start()
            thread.join()
        mod.keep_and_call(other)
        """,
        hook=None,
    ),
    Bug(
        code="HPY-D016",
        name="python_left",
        place="HPyLong_FromInt64_t: Error: Wrong HPy Context! Python has been left",
        wrong="""
        HPy result;
        HPy_BEGIN_LEAVE_PYTHON(ctx);
        result = HPyLong_FromLong(ctx, 1); /* here */
        HPy_END_LEAVE_PYTHON(ctx);
        return result;
        """,
        right="""
        HPy_BEGIN_LEAVE_PYTHON(ctx);
        HPy_END_LEAVE_PYTHON(ctx);
        return HPyLong_FromLong(ctx, 1);
        """,
        hook=None,
    ),
    Bug(
        code="HPY-D017",
        name="api_in_destroy",
        place="HPy_Dup: Error: Wrong HPy Context! This is a destroy function, which gets none",
        prelude=KEPT + THING,
        types="Thing",
        wrong="""
        HPyDef_SLOT(Thing_destroy, HPy_tp_destroy)
        static void Thing_destroy_impl(void *data)
        {
            HPy_Dup(kept, kept->h_None); /* here */
        }
        static HPyDef *Thing_defines[] = {&Thing_new, &Thing_destroy, NULL};
        static HPyType_Spec Thing_spec = {
            .name = "debugged.Thing", .basicsize = sizeof(Thing),
            .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
        };
        FUNCTION(demo)
            kept = ctx;
            HPy_DelItem_i(ctx, arg, 0);
            return none(ctx);
        END
        """,
        right="""
        HPyDef_SLOT(Thing_finalize, HPy_tp_finalize)
        static void Thing_finalize_impl(HPyContext *ctx, HPy thing)
        {
            HPy_Close(ctx, HPy_Type(ctx, thing));
        }
        static HPyDef *Thing_defines[] = {&Thing_new, &Thing_finalize, NULL};
        static HPyType_Spec Thing_spec = {
            .name = "debugged.Thing", .basicsize = sizeof(Thing),
            .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
        };
        FUNCTION(demo)
            HPy_DelItem_i(ctx, arg, 0);
            return none(ctx);
        END
        """,
        program="mod.demo([mod.Thing()])",
        hook=None,
    ),
    Bug(
        code="HPY-D018",
        name="built_twice",
        place="HPyListBuilder_Build, argument 'builder'",
        wrong="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 0);
        HPy_Close(ctx, HPyListBuilder_Build(ctx, builder));
        return HPyListBuilder_Build(ctx, builder); /* here */
        """,
        right="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 0);
        return HPyListBuilder_Build(ctx, builder);
        """,
        hook="builder",
        raises="MemoryError",
    ),
    Bug(
        code="HPY-D018",
        name="another_kind_of_builder",
        place="HPyTupleBuilder_Cancel, argument 'builder'",
        wrong="""
        HPyListBuilder list = HPyListBuilder_New(ctx, 0);
        HPyTupleBuilder tuple;
        tuple._tup = list._lst;
        HPyTupleBuilder_Cancel(ctx, tuple); /* here */
        HPyListBuilder_Cancel(ctx, list);
        return none(ctx);
        """,
        right="""
        HPyListBuilder list = HPyListBuilder_New(ctx, 0);
        HPyListBuilder_Cancel(ctx, list);
        return none(ctx);
        """,
        hook="builder",
    ),
    Bug(
        code="HPY-D019",
        name="tracker_closed_twice",
        place="HPyTracker_Close, argument 'ht'",
        wrong="""
        HPyTracker tracker = HPyTracker_New(ctx, 0);
        HPyTracker_Close(ctx, tracker);
        HPyTracker_Close(ctx, tracker); /* here */
        return none(ctx);
        """,
        right="""
        HPyTracker tracker = HPyTracker_New(ctx, 0);
        HPyTracker_Close(ctx, tracker);
        return none(ctx);
        """,
    ),
    Bug(
        code="HPY-D020",
        name="builder_left",
        place="",
        wrong="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 1); /* here */
        HPyListBuilder_Set(ctx, builder, 0, arg);
        return none(ctx);
        """,
        right="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 1);
        HPyListBuilder_Set(ctx, builder, 0, arg);
        HPyListBuilder_Cancel(ctx, builder);
        return none(ctx);
        """,
        leak=True,
    ),
    Bug(
        code="HPY-D021",
        name="tracker_left",
        place="",
        wrong="""
        HPyTracker tracker = HPyTracker_New(ctx, 1); /* here */
        return HPyTracker_Add(ctx, tracker, HPy_NULL) < 0 ? HPy_NULL : none(ctx);
        """,
        right="""
        HPyTracker tracker = HPyTracker_New(ctx, 1);
        int status = HPyTracker_Add(ctx, tracker, HPy_Repr(ctx, arg));
        HPyTracker_Close(ctx, tracker);
        return status < 0 ? HPy_NULL : none(ctx);
        """,
        leak=True,
    ),
    Bug(
        code="HPY-D022",
        name="item_missing",
        place="HPyTupleBuilder_Build, argument 'builder': item 1 of 2 is not set",
        wrong="""
        HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, 2);
        HPyTupleBuilder_Set(ctx, builder, 0, arg);
        return HPyTupleBuilder_Build(ctx, builder); /* here */
        """,
        right="""
        HPyTupleBuilder builder = HPyTupleBuilder_New(ctx, 2);
        HPyTupleBuilder_Set(ctx, builder, 0, arg);
        HPyTupleBuilder_Set(ctx, builder, 1, arg);
        return HPyTupleBuilder_Build(ctx, builder);
        """,
        hook="builder",
        raises="SystemError",
    ),
    Bug(
        code="HPY-D023",
        name="index_outside",
        place="HPyListBuilder_Set, argument 'index': the index is 1, and the size is 1",
        wrong="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 1);
        HPyListBuilder_Set(ctx, builder, 1, arg); /* here */
        HPyListBuilder_Cancel(ctx, builder);
        return none(ctx);
        """,
        right="""
        HPyListBuilder builder = HPyListBuilder_New(ctx, 1);
        HPyListBuilder_Set(ctx, builder, 0, arg);
        return HPyListBuilder_Build(ctx, builder);
        """,
        hook="builder",
    ),
    Bug(
        code="HPY-D024",
        name="buffer_kept",
        place="",
        prelude=EXPORTER,
        types="Exporter",
        globals="view",
        wrong="""
        FUNCTION(demo)
            HPyGlobal_Store(ctx, &view, arg);
            return none(ctx);
        END
        """,
        right="""
        FUNCTION(demo)
            HPyGlobal_Store(ctx, &view, arg);
            HPy name = HPyUnicode_FromString(ctx, "release");
            HPy result = HPy_CallMethod(ctx, name, &arg, 1, HPy_NULL);
            HPy_Close(ctx, name);
            return result;
        END
        """,
        program="mod.demo(memoryview(mod.Exporter()))",
        where="Exporter_getbuffer_impl",
        leak=True,
    ),
    Bug(
        code="HPY-D025",
        name="call_with_exception",
        place="HPy_Repr: HPy_GetAttr_s has set it",
        wrong="""
        HPy name = HPy_GetAttr_s(ctx, arg, "nothing_of_this_name");
        HPy_Close(ctx, name);
        HPy text = HPy_Repr(ctx, arg); /* here */
        HPy_Close(ctx, text);
        return HPy_NULL;
        """,
        right="""
        HPy name = HPy_GetAttr_s(ctx, arg, "nothing_of_this_name");
        HPyErr_Clear(ctx);
        HPy_Close(ctx, name);
        return HPy_Repr(ctx, arg);
        """,
        raises="AttributeError",
        soft=True,
    ),
    Bug(
        code="HPY-D025",
        name="number_not_checked",
        place="HPyLong_FromInt64_t: HPyLong_AsInt64_t has set it",
        wrong="""
        int64_t number = HPyLong_AsLong(ctx, arg);
        return HPyLong_FromLong(ctx, number + 1); /* here */
        """,
        right="""
        int64_t number = HPyLong_AsLong(ctx, arg);
        if (number == -1 && HPyErr_Occurred(ctx)) {
            HPyErr_Clear(ctx);
            number = -1;
        }
        return HPyLong_FromLong(ctx, number + 1);
        """,
        raises="SystemError",
        soft=True,
    ),
    Bug(
        code="HPY-D026",
        name="null_returned",
        place="the result of the function: it is HPy_NULL",
        wrong="return HPy_Is(ctx, arg, ctx->h_None) ? none(ctx) : HPy_NULL;",
        right="""
        if (HPy_Is(ctx, arg, ctx->h_None))
            return none(ctx);
        return HPyErr_SetString(ctx, ctx->h_ValueError, "None is wanted");
        """,
        program="""
        try:
            mod.demo('thing')
        except ValueError:
            pass
        """,
        raises="SystemError",
        soft=True,
    ),
    Bug(
        code="HPY-D026",
        name="failure_of_a_slot",
        place="the result of the function: it is -1",
        prelude=THING,
        types="Thing",
        wrong="""
        HPyDef_SLOT(Thing_length, HPy_sq_length)
        static HPy_ssize_t Thing_length_impl(HPyContext *ctx, HPy thing)
        {
            return Thing_AsStruct(ctx, thing)->x - 1;
        }
        static HPyDef *Thing_defines[] = {&Thing_new, &Thing_length, NULL};
        static HPyType_Spec Thing_spec = {
            .name = "debugged.Thing", .basicsize = sizeof(Thing),
            .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
        };
        """,
        right="""
        HPyDef_SLOT(Thing_length, HPy_sq_length)
        static HPy_ssize_t Thing_length_impl(HPyContext *ctx, HPy thing)
        {
            return Thing_AsStruct(ctx, thing)->x;
        }
        static HPyDef *Thing_defines[] = {&Thing_new, &Thing_length, NULL};
        static HPyType_Spec Thing_spec = {
            .name = "debugged.Thing", .basicsize = sizeof(Thing),
            .builtin_shape = SHAPE(Thing), .defines = Thing_defines,
        };
        """,
        program="len(mod.Thing())",
        where="Thing_length_impl",
        raises="SystemError",
        soft=True,
    ),
    Bug(
        code="HPY-D027",
        name="result_with_exception",
        place="the result of the function: HPy_GetAttr_s has set the exception",
        wrong="""
        HPy name = HPy_GetAttr_s(ctx, arg, "nothing_of_this_name");
        return HPy_IsNull(name) ? none(ctx) : name;
        """,
        right="""
        HPy name = HPy_GetAttr_s(ctx, arg, "nothing_of_this_name");
        if (!HPy_IsNull(name))
            return name;
        HPyErr_Clear(ctx);
        return none(ctx);
        """,
        raises="SystemError",
        soft=True,
    ),
    Bug(
        code="HPY-D028",
        name="wrong_capsule_name",
        place='HPyCapsule_GetPointer, argument \'name\': it is "a", not "b"',
        prelude="static int carried = 1;",
        wrong="""
        HPy capsule = HPyCapsule_New(ctx, &carried, "a", NULL);
        HPyCapsule_GetPointer(ctx, capsule, "b"); /* here */
        HPy_Close(ctx, capsule);
        return done(ctx);
        """,
        right="""
        HPy capsule = HPyCapsule_New(ctx, &carried, "a", NULL);
        HPyCapsule_GetPointer(ctx, capsule, "a");
        HPy_Close(ctx, capsule);
        return done(ctx);
        """,
        raises="ValueError",
        soft=True,
    ),
    Bug(
        code="HPY-D029",
        name="other_struct",
        place="_HPy_AsStruct_Object, argument 'h'",
        prelude=POINT_AND_VECTOR,
        types="Point, Vector",
        wrong="""
        Point *point = Point_AsStruct(ctx, arg); /* here */
        return point == NULL ? HPy_NULL : HPyFloat_FromDouble(ctx, point->x);
        """,
        right="""
        HPy type = HPy_GetAttr_s(ctx, self, "Point");
        int is_point = HPy_TypeCheck(ctx, arg, type);
        HPy_Close(ctx, type);
        if (is_point)
            return HPyFloat_FromDouble(ctx, Point_AsStruct(ctx, arg)->x);
        return HPyLong_FromLong(ctx, Vector_AsStruct(ctx, arg)->x);
        """,
        program="mod.demo(mod.Vector())",
    ),
    Bug(
        code="HPY-D030",
        name="field_without_traverse",
        place="HPyField_Store, argument 1 'target_object'",
        prelude=HOLDER
        + """
        static HPyType_Spec Bare_spec = {
            .name = "debugged.Bare", .basicsize = sizeof(Holder), .builtin_shape = SHAPE(Holder),
        };
        """,
        types="Holder, Bare",
        wrong="""
        HPy type = HPy_GetAttr_s(ctx, self, "Bare");
        Holder *bare;
        HPy h = HPy_New(ctx, type, &bare);
        HPyField_Store(ctx, h, &bare->item, arg); /* here */
        HPy_Close(ctx, type);
        HPy_Close(ctx, h);
        return done(ctx);
        """,
        right="""
        Holder *holder;
        HPy h = new_holder(ctx, self, &holder);
        HPyField_Store(ctx, h, &holder->item, arg);
        return h;
        """,
    ),
    Bug(
        code="HPY-D031",
        name="traverse_forgets",
        place="HPy_tp_traverse of debugged.Holder",
        types="Holder",
        wrong=HOLDER.replace("HPy_VISIT(&((Holder *)self)->other);", "") + FILL_BOTH,
        right=HOLDER + FILL_BOTH,
    ),
    Bug(
        code="HPY-D032",
        name="field_copied",
        place="HPy_tp_traverse of debugged.Holder",
        prelude=HOLDER,
        types="Holder",
        wrong="""
        Holder *holder;
        HPy h = new_holder(ctx, self, &holder);
        HPyField_Store(ctx, h, &holder->item, arg);
        holder->other = holder->item;
        return h;
        """,
        right="""
        Holder *holder;
        HPy h = new_holder(ctx, self, &holder);
        HPyField_Store(ctx, h, &holder->item, arg);
        HPy item = HPyField_Load(ctx, h, holder->item);
        HPyField_Store(ctx, h, &holder->other, item);
        HPy_Close(ctx, item);
        return h;
        """,
    ),
    Bug(
        code="HPY-D032",
        name="field_released",
        place="HPyField_Load, argument 1 'source_object'",
        prelude=HOLDER,
        types="Holder",
        wrong="""
        Holder *holder;
        HPy h = new_holder(ctx, self, &holder);
        HPyField_Store(ctx, h, &holder->item, arg);
        HPyField item = holder->item;
        HPyField_Store(ctx, h, &holder->item, HPy_NULL);
        HPy_Close(ctx, HPyField_Load(ctx, h, item)); /* here */
        HPy_Close(ctx, h);
        return done(ctx);
        """,
        right="""
        Holder *holder;
        HPy h = new_holder(ctx, self, &holder);
        HPyField_Store(ctx, h, &holder->item, arg);
        HPy item = HPyField_Load(ctx, h, holder->item);
        HPyField_Store(ctx, h, &holder->item, HPy_NULL);
        HPy_Close(ctx, h);
        return item;
        """,
    ),
    Bug(
        code="HPY-D033",
        name="field_of_another",
        place="HPyField_Store, argument 1 'target_object'",
        prelude=HOLDER,
        types="Holder",
        wrong="""
        Holder *first, *second;
        HPy h = new_holder(ctx, self, &first), other = new_holder(ctx, self, &second);
        HPyField_Store(ctx, other, &first->item, arg); /* here */
        HPy_Close(ctx, h);
        HPy_Close(ctx, other);
        return done(ctx);
        """,
        right="""
        Holder *first, *second;
        HPy h = new_holder(ctx, self, &first), other = new_holder(ctx, self, &second);
        HPyField_Store(ctx, h, &first->item, arg);
        HPyField_Store(ctx, other, &second->item, h);
        HPy_Close(ctx, h);
        return other;
        """,
    ),
    Bug(
        code="HPY-D033",
        name="field_loaded_from_another",
        place="HPyField_Load, argument 1 'source_object'",
        prelude=HOLDER,
        types="Holder",
        wrong="""
        Holder *first, *second;
        HPy h = new_holder(ctx, self, &first), other = new_holder(ctx, self, &second);
        HPyField_Store(ctx, h, &first->item, arg);
        HPy_Close(ctx, HPyField_Load(ctx, other, first->item)); /* here */
        HPy_Close(ctx, other);
        HPy_Close(ctx, h);
        return done(ctx);
        """,
        right="""
        Holder *first, *second;
        HPy h = new_holder(ctx, self, &first), other = new_holder(ctx, self, &second);
        HPyField_Store(ctx, h, &first->item, arg);
        HPy_Close(ctx, HPyField_Load(ctx, h, first->item));
        HPy_Close(ctx, other);
        return h;
        """,
    ),
    Bug(
        code="HPY-D034",
        name="global_not_named",
        place="HPyGlobal_Store, argument 'global'",
        prelude="static HPyGlobal named, forgotten;",
        globals="named",
        wrong="""
        HPyGlobal_Store(ctx, &named, arg);
        HPyGlobal_Store(ctx, &forgotten, arg); /* here */
        return done(ctx);
        """,
        right="""
        (void)forgotten;
        HPyGlobal_Store(ctx, &named, arg);
        return done(ctx);
        """,
    ),
    Bug(
        code="HPY-D035",
        name="global_empty",
        place="HPyGlobal_Load, argument 'global'",
        prelude="static HPyGlobal named;",
        globals="named",
        wrong="""
        HPy_Close(ctx, HPyGlobal_Load(ctx, named)); /* here */
        return done(ctx);
        """,
        right="""
        HPyGlobal_Store(ctx, &named, arg);
        HPy_Close(ctx, HPyGlobal_Load(ctx, named));
        return done(ctx);
        """,
        soft=True,
    ),
    Bug(
        code="HPY-D036",
        name="foreign_handle",
        place="HPy_Repr, argument 'obj'",
        prelude="static HPy kept;",
        wrong="""
        FUNCTION(keep)
            kept = HPy_Dup(ctx, arg);
            return none(ctx);
        END
        FUNCTION(demo)
            (void)arg;
            return HPy_Repr(ctx, kept); /* here */
        END
        """,
        right="""
        FUNCTION(keep)
            (void)kept;
            (void)arg;
            return none(ctx);
        END
        FUNCTION(demo)
            return HPy_Repr(ctx, arg);
        END
        """,
        program=TWICE,
    ),
    Bug(
        code="HPY-D036",
        name="foreign_result",
        place="the result of the function",
        prelude="static HPy kept;",
        wrong="""
        FUNCTION(keep)
            kept = HPy_Dup(ctx, arg);
            return none(ctx);
        END
        FUNCTION(demo)
            (void)arg;
            return kept;
        END
        """,
        right="""
        FUNCTION(keep)
            (void)kept;
            (void)arg;
            return none(ctx);
        END
        FUNCTION(demo)
            return HPy_Dup(ctx, arg);
        END
        """,
        program=TWICE,
    ),
    Bug(
        code="HPY-D037",
        name="other_interpreter",
        place="HPy_Repr",
        prelude="#include <Python.h>",
        wrong="""
        PyThreadState *own = PyThreadState_Get();
        Py_NewInterpreter();
        HPy_Close(ctx, HPy_Repr(ctx, arg)); /* here */
        PyThreadState_Swap(own);
        return none(ctx);
        """,
        right="""
        PyThreadState *own = PyThreadState_Get(), *other = Py_NewInterpreter();
        PyThreadState_Swap(own);
        HPy_Close(ctx, HPy_Repr(ctx, arg));
        PyThreadState_Swap(other);
        Py_EndInterpreter(other);
        PyThreadState_Swap(own);
        return none(ctx);
        """,
        abi="hybrid",
        hook=None,
    ),
    Bug(
        code="HPY-D038",
        name="not_attached",
        place="HPy_Repr",
        prelude="#include <Python.h>",
        wrong="""
        PyThreadState *state = PyEval_SaveThread();
        HPy h = HPy_Repr(ctx, arg); /* here */
        PyEval_RestoreThread(state);
        return h;
        """,
        right="""
        PyThreadState *state = PyEval_SaveThread();
        PyEval_RestoreThread(state);
        return HPy_Repr(ctx, arg);
        """,
        abi="hybrid",
        hook=None,
    ),
    Bug(
        code="HPY-D039",
        name="text_after_close",
        place="the memory that HPyUnicode_AsUTF8AndSize gave",
        wrong="""
        HPy h = HPy_Dup(ctx, arg);
        const char *text = HPyUnicode_AsUTF8AndSize(ctx, h, NULL);
        HPy_Close(ctx, h);
        return HPyUnicode_FromString(ctx, text); /* here */
        """,
        right="""
        HPy h = HPy_Dup(ctx, arg);
        HPy copy = HPyUnicode_FromString(ctx, HPyUnicode_AsUTF8AndSize(ctx, h, NULL));
        HPy_Close(ctx, h);
        return copy;
        """,
        signal=signal.SIGSEGV,
        hook=None,
    ),
    Bug(
        code="HPY-D039",
        name="bytes_after_call",
        place="the memory that HPyBytes_AsString gave",
        prelude="static const char *kept;",
        wrong="""
        FUNCTION(keep)
            kept = HPyBytes_AsString(ctx, arg);
            return none(ctx);
        END
        FUNCTION(demo)
            (void)arg;
            return HPyLong_FromLong(ctx, kept[0]); /* here */
        END
        """,
        right="""
        FUNCTION(keep)
            (void)kept;
            return HPyLong_FromLong(ctx, HPyBytes_AsString(ctx, arg)[0]);
        END
        FUNCTION(demo)
            (void)arg;
            return none(ctx);
        END
        """,
        program="mod.keep(b'thing'); mod.demo('thing')",
        signal=signal.SIGSEGV,
        hook=None,
    ),
    Bug(
        code="HPY-D040",
        name="text_written",
        place="the memory that HPyUnicode_AsUTF8AndSize gave",
        wrong="""
        char *text = (char *)HPyUnicode_AsUTF8AndSize(ctx, arg, NULL);
        text[0] = 'T'; /* here */
        return HPyUnicode_FromString(ctx, text);
        """,
        right="""
        char text[] = "?";
        text[0] = HPyUnicode_AsUTF8AndSize(ctx, arg, NULL)[0];
        return HPyUnicode_FromString(ctx, text);
        """,
        signal=signal.SIGSEGV,
        hook=None,
    ),
]
