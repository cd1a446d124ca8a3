"""Modules: what a definition says and what the import gives; slots; libraries of several files."""

import sys
import types

import pytest
import support
from outcomes import attempt

# The functions and slots of all modules below, which are in one library.
SOURCE = r"""
HPyDef_METH(noargs, "noargs", HPyFunc_NOARGS, .doc = "noargs($module)\n--\n\nThe module: caf\u00e9")
static HPy noargs_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}
HPyDef_METH(o, "o", HPyFunc_O)
static HPy o_impl(HPyContext *ctx, HPy self, HPy arg)
{
    return HPyTuple_Pack(ctx, 2, self, arg);
}
HPyDef_METH(varargs, "varargs", HPyFunc_VARARGS)
static HPy varargs_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    return HPyTuple_FromArray(ctx, (HPy *)args, (HPy_ssize_t)nargs);
}
HPyDef_METH_IMPL(keywords, "caf\u00e9", any_name, HPyFunc_KEYWORDS)
static HPy any_name(HPyContext *ctx, HPy self, const HPy *args, size_t nargs, HPy kwnames)
{
    size_t nkw = HPy_IsNull(kwnames) ? 0 : (size_t)HPy_Length(ctx, kwnames);
    HPy values = HPyTuple_FromArray(ctx, (HPy *)args, (HPy_ssize_t)(nargs + nkw));
    HPy result = HPyTuple_Pack(ctx, 2, values, nkw == 0 ? ctx->h_None : kwnames);
    HPy_Close(ctx, values);
    return result;
}
HPyDef_METH(raises, "raises", HPyFunc_NOARGS)
static HPy raises_impl(HPyContext *ctx, HPy self)
{
    return HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
}
HPyDef_METH(silent, "silent", HPyFunc_NOARGS)
static HPy silent_impl(HPyContext *ctx, HPy self)
{
    return HPy_NULL;
}

/* Appends to the module's list `order`. */
static int note(HPyContext *ctx, HPy mod, const char *text)
{
    HPy name = HPyUnicode_FromString(ctx, text);
    HPy list = HPy_GetAttr_s(ctx, mod, "order");
    if (HPy_IsNull(list)) {
        HPyErr_Clear(ctx);
        list = HPyList_New(ctx, 0);
        HPy_SetAttr_s(ctx, mod, "order", list);
    }
    int status = HPyList_Append(ctx, list, name);
    HPy_Close(ctx, list);
    HPy_Close(ctx, name);
    return status;
}

/* Whether an exec slot behind one that fails has run. */
static int has_run;
HPyDef_METH(get_has_run, "has_run", HPyFunc_NOARGS)
static HPy get_has_run_impl(HPyContext *ctx, HPy self)
{
    return HPyBool_FromBool(ctx, has_run);
}

/* A copy of what the module has. */
static int look(HPyContext *ctx, HPy mod)
{
    HPy dict = HPy_GetAttr_s(ctx, mod, "__dict__");
    HPy copy = HPyDict_Copy(ctx, dict);
    int status = HPy_SetAttr_s(ctx, mod, "seen", copy);
    HPy_Close(ctx, dict);
    HPy_Close(ctx, copy);
    return status;
}

static int boom(HPyContext *ctx, int status)
{
    HPyErr_SetString(ctx, ctx->h_LookupError, "boom");
    return status;
}

#define EXEC(NAME, RESULT)                                                                       \
    HPyDef_SLOT(NAME, HPy_mod_exec)                                                              \
    static int NAME##_impl(HPyContext *ctx, HPy mod) { return RESULT; }
EXEC(exec, note(ctx, mod, "exec"))
EXEC(exec_second, note(ctx, mod, "second"))
EXEC(exec_third, note(ctx, mod, "third"))
EXEC(exec_look, look(ctx, mod))
EXEC(exec_raises, boom(ctx, -1))
EXEC(exec_never, (has_run = 1, 0))
EXEC(exec_silent, -1)
EXEC(exec_forgets, boom(ctx, 0))

static HPy make_namespace(HPyContext *ctx, HPy spec)
{
    HPy types = HPyImport_ImportModule(ctx, "types");
    HPy made = HPy_CallMethodTupleDict_s(ctx, "SimpleNamespace", types, HPy_NULL, HPy_NULL);
    HPy_Close(ctx, types);
    HPy_SetAttr_s(ctx, made, "seen", spec);
    return made;
}

#define CREATE(NAME, RESULT)                                                                     \
    HPyDef_SLOT(NAME, HPy_mod_create)                                                            \
    static HPy NAME##_impl(HPyContext *ctx, HPy spec) { return RESULT; }
CREATE(create, make_namespace(ctx, spec))
CREATE(create_other, HPy_Dup(ctx, spec))
CREATE(create_raises, HPyErr_SetString(ctx, ctx->h_LookupError, "boom"))
CREATE(create_silent, HPy_NULL)
CREATE(create_forgets, (boom(ctx, 0), HPy_Dup(ctx, spec)))
CREATE(create_module, HPyImport_ImportModule(ctx, "types"))

/* What does not belong into a module, or is not complete. */
HPyDef_MEMBER(member, "member", HPyMember_INT, 0)
HPyDef_GET(attribute, "attribute")
static HPy attribute_get(HPyContext *ctx, HPy self, void *closure)
{
    return HPy_Dup(ctx, self);
}
HPyDef_SLOT(repr, HPy_tp_repr)
static HPy repr_impl(HPyContext *ctx, HPy self)
{
    return HPy_Dup(ctx, self);
}
static HPyDef unknown_kind = {.kind = (HPyDef_Kind)77};
static HPyDef exec_null = {.kind = HPyDef_Kind_Slot, .slot = {.slot = HPy_mod_exec}};
static HPyDef create_null = {.kind = HPyDef_Kind_Slot, .slot = {.slot = HPy_mod_create}};
static HPyDef signature = {
    .kind = HPyDef_Kind_Meth, .meth = {.name = "signature", .signature = HPyFunc_INQUIRY},
};
static HPyGlobal global;
static HPyGlobal *globals[] = {&global, NULL};
"""

# The modules: definitions, and other fields of the HPyModuleDef.
MODULES = {
    "empty": ("", {}),
    "functions": ("noargs, o, varargs, keywords, raises, silent, get_has_run", {}),
    "documented": ("", {"doc": '"What it is: caf\\u00e9."'}),
    "ordered": ("exec_third, noargs, exec, exec_second, o, exec", {"doc": '"text"'}),
    "looks": ("exec_look, noargs", {"doc": '"text"'}),
    "exec_fails": ("exec, exec_raises, exec_never", {}),
    "exec_is_silent": ("exec_silent", {}),
    "exec_is_forgetful": ("exec_forgets", {}),
    "created": ("create", {}),
    "create_fails": ("create_raises", {}),
    "create_is_silent": ("create_silent", {}),
    "create_is_forgetful": ("create_forgets", {}),
    "create_gives_module": ("create_module", {}),
}

ALONE = "^HPyModuleDef defines a HPy_mod_create slot"
MISPLACED = "HPyModuleDef.defines has .* does not belong into a module"

# Modules with a wrong definition: what is raised, and as above.
WRONG = {
    "negative_size": (SystemError, "HPy does not permit HPyModuleDef.size < 0", "", {"size": -1}),
    "positive_size": (SystemError, "HPyModuleDef.size > 0 is not supported", "", {"size": 8}),
    "with_member": (SystemError, MISPLACED, "member", {}),
    "with_attribute": (SystemError, MISPLACED, "noargs, attribute", {}),
    "with_type_slot": (SystemError, MISPLACED, "repr", {}),
    "with_unknown_kind": (SystemError, MISPLACED, "unknown_kind", {}),
    "with_signature": (ValueError, "Unsupported HPyMeth signature", "signature", {}),
    "exec_without_function": (SystemError, "no function", "exec_null", {}),
    "create_without_function": (SystemError, "no function", "create_null", {}),
    "two_create_slots": (SystemError, "more than one HPy_mod_create", "create, create_other", {}),
    "create_and_doc": (SystemError, ALONE, "create", {"doc": '"text"'}),
    "create_and_size": (SystemError, "HPyModuleDef", "create", {"size": 1}),
    "create_and_globals": (SystemError, ALONE, "create", {"globals": "globals"}),
    "create_and_exec": (SystemError, ALONE, "create, exec", {}),
    "exec_and_create": (SystemError, ALONE, "exec, create", {}),
    "create_and_function": (SystemError, ALONE, "create, noargs", {}),
}


def definition(name, defines, fields):
    """The C text that defines one module."""
    entries = "".join(f"&{entry}, " for entry in support.names(defines))
    members = "".join(f", .{field} = {value}" for field, value in fields.items())
    return (
        f"static HPyDef *{name}_defines[] = {{{entries}NULL}};\n"
        f"static HPyModuleDef {name}_def = {{.defines = {name}_defines{members}}};\n"
        f"HPy_MODINIT({name}, {name}_def)\n"
    )


@pytest.fixture
def library(compile, abi):
    """The path of the library with all modules."""
    modules = {**MODULES, **{name: wrong[2:] for name, wrong in WRONG.items()}}
    definitions = [definition(name, *modules[name]) for name in modules]
    return compile("\n".join(["#include <hpy.h>", SOURCE, *definitions]), "library", abi)


@pytest.fixture
def load(library, abi):
    """load(name): a module of the library, loaded anew."""
    return lambda name: support.load(library, name, abi)


def test_functions(load, no_leak):
    mod = load("functions")
    cafe = mod.café
    assert mod.noargs() is mod
    assert mod.o(1) == (mod, 1)
    assert mod.varargs() == ()
    assert mod.varargs(1, 2, 3) == (1, 2, 3)
    assert cafe(1, 2) == ((1, 2), None)
    assert cafe(1, x=2, y=3) == ((1, 2, 3), ("x", "y"))
    for function, args in [(mod.noargs, (1,)), (mod.o, ()), (mod.o, (1, 2))]:
        with pytest.raises(TypeError):
            function(*args)
    for function in (mod.noargs, mod.o, mod.varargs):
        with pytest.raises(TypeError, match="no keyword arguments"):
            function(key=1)
    with pytest.raises(LookupError, match="boom"):
        mod.raises()
    value = object()
    no_leak(lambda: (mod.noargs(), mod.o(value), mod.varargs(value), cafe(x=value)), mod, value)
    no_leak(lambda: attempt(mod.raises), mod)


@pytest.mark.skipif(support.DEBUG_BUILD, reason="a debug build of CPython ends the process")
def test_function_fails_and_does_not_say_why(load):
    with pytest.raises(SystemError):
        load("functions").silent()


def test_attributes_of_functions(load):
    mod = load("functions")
    for function, name in [(mod.noargs, "noargs"), (mod.café, "caf\xe9")]:
        assert type(function) is types.BuiltinFunctionType
        assert (function.__name__, function.__qualname__) == (name, name)
        assert (function.__module__, function.__self__) == ("functions", mod)
    assert mod.noargs.__doc__ == "The module: caf\xe9"
    assert mod.noargs.__text_signature__ == "($module)"
    assert mod.o.__doc__ is None


def test_doc(load):
    assert load("documented").__doc__ == "What it is: caf\xe9."
    assert load("empty").__doc__ is None


def test_a_definition_of_nothing(compile, abi):
    source = "#include <hpy.h>\nstatic HPyModuleDef def;\nHPy_MODINIT(testmod, def)\n"
    mod = support.load(compile(source, "testmod", abi), "testmod", abi)
    assert type(mod) is types.ModuleType
    assert mod.__name__ == "testmod"


@pytest.mark.parametrize("name", ["functions", "package.functions", "outer.inner.functions"])
def test_attributes_of_the_import_system(library, load, name):
    mod = load(name)
    assert mod.__name__ == mod.__spec__.name == mod.noargs.__module__ == name
    assert mod.__package__ == mod.__spec__.parent == name.rpartition(".")[0]
    assert mod.__file__ == mod.__spec__.origin == str(library)
    assert mod.__loader__ is mod.__spec__.loader
    assert repr(mod) == f"<module {name!r} from {str(library)!r}>"


def test_each_load_makes_a_module(load, no_leak):
    first, second = load("functions"), load("functions")
    assert first is not second
    assert (first.noargs(), second.noargs()) == (first, second)
    first.attribute = 1
    assert not hasattr(second, "attribute")
    no_leak(lambda: load("functions"))


def test_modules_of_one_library_are_independent(load):
    functions, ordered = load("functions"), load("ordered")
    assert not hasattr(functions, "order")
    assert not hasattr(ordered, "varargs")
    assert (functions.noargs(), ordered.noargs()) == (functions, ordered)
    assert (functions.noargs.__module__, ordered.noargs.__module__) == ("functions", "ordered")


@pytest.mark.api("HPy_mod_exec")
def test_exec_slots_run_in_order(load, no_leak):
    mod = load("ordered")
    assert mod.order == ["third", "exec", "second", "exec"]
    assert mod.noargs() is mod
    assert mod.__doc__ == "text"
    no_leak(lambda: load("ordered"))


@pytest.mark.api("HPy_mod_exec")
def test_exec_gets_a_complete_module(load):
    mod = load("looks")
    for attribute in ("__name__", "__doc__", "__file__", "__spec__", "__loader__", "noargs"):
        assert mod.seen[attribute] is getattr(mod, attribute)


@pytest.mark.api("HPy_mod_exec", case="error")
def test_exec_raises(load, no_leak):
    with pytest.raises(LookupError, match="boom"):
        load("exec_fails")
    assert "exec_fails" not in sys.modules
    assert load("functions").has_run() is False
    no_leak(lambda: attempt(load, "exec_fails"))


@pytest.mark.api("HPy_mod_exec", case="error")
def test_exec_fails_and_does_not_say_why(load, no_leak):
    with pytest.raises(SystemError):
        load("exec_is_silent")
    no_leak(lambda: attempt(load, "exec_is_silent"))


@pytest.mark.api("HPy_mod_exec", case="error")
def test_exec_raises_and_does_not_say_so(load):
    with pytest.raises((LookupError, SystemError)):
        load("exec_is_forgetful")


@pytest.mark.api("HPy_mod_create")
def test_create_makes_any_object(library, load, no_leak):
    made = load("package.created")
    assert type(made) is types.SimpleNamespace
    assert made.seen.name == "package.created"
    assert made.__spec__ is made.seen
    assert made.__file__ == str(library)
    assert load("created") is not load("created")
    no_leak(lambda: load("created"))


@pytest.mark.api("HPy_mod_create", case="error")
def test_create_raises(load, no_leak):
    with pytest.raises(LookupError, match="boom"):
        load("create_fails")
    no_leak(lambda: attempt(load, "create_fails"))


@pytest.mark.api("HPy_mod_create", case="error")
def test_create_fails_and_does_not_say_why(load, no_leak):
    with pytest.raises(SystemError):
        load("create_is_silent")
    no_leak(lambda: attempt(load, "create_is_silent"))


@pytest.mark.api("HPy_mod_create", case="error")
def test_create_raises_and_does_not_say_so(load):
    with pytest.raises((LookupError, SystemError)):
        load("create_is_forgetful")


@pytest.mark.api("HPy_mod_create", case="error")
def test_create_must_not_give_a_module(load, no_leak):
    with pytest.raises(SystemError, match="HPy_mod_create slot returned a builtin module object"):
        load("create_gives_module")
    no_leak(lambda: attempt(load, "create_gives_module"), types)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_definitions(load, name, no_leak):
    error, said, *_ = WRONG[name]
    with pytest.raises(error, match=said):
        load(name)
    no_leak(lambda: attempt(load, name))


def test_a_module_that_the_library_does_not_have(load):
    with pytest.raises(ImportError, match="absent"):
        load("absent")


# Libraries of several files.

DEFINITIONS = r"""
#include <hpy.h>

typedef struct { long value; } Number;
HPyType_HELPERS(Number)
HPyDef_SLOT(number_repr, HPy_tp_repr)
static HPy number_repr_impl(HPyContext *ctx, HPy self)
{
    return HPyUnicode_FromFormat(ctx, "number %ld", Number_AsStruct(ctx, self)->value);
}
HPyDef_METH(number_new, "number_new", HPyFunc_VARARGS)
static HPy number_new_impl(HPyContext *ctx, HPy self, const HPy *args, size_t nargs)
{
    Number *number;
    HPy object = HPy_New(ctx, args[0], &number);
    if (!HPy_IsNull(object))
        number->value = HPyLong_AsLong(ctx, args[1]);
    return object;
}
HPyDef_SLOT(exec, HPy_mod_exec)
static int exec_impl(HPyContext *ctx, HPy mod)
{
    return HPy_SetAttr_s(ctx, mod, "executed", ctx->h_True);
}
"""
USER = r"""
#include <hpy.h>

extern HPyDef number_new, number_repr, exec;
static HPyDef *Number_defines[] = {&number_repr, NULL};
static HPyType_Spec Number_spec = {
    .name = "testmod.Number", .basicsize = sizeof(long), .defines = Number_defines,
    .builtin_shape = HPyType_BuiltinShape_Object,
};
HPyDef_SLOT(add_type, HPy_mod_exec)
static int add_type_impl(HPyContext *ctx, HPy mod)
{
    return HPyHelpers_AddType(ctx, mod, "Number", &Number_spec, NULL) ? 0 : -1;
}
static HPyDef *defines[] = {&number_new, &exec, &add_type, NULL};
static HPyModuleDef def = {.defines = defines};
HPy_MODINIT(testmod, def)
"""


def test_definitions_of_another_file(compile, abi):
    path = compile([DEFINITIONS, USER], "testmod", abi)
    mod = support.load(path, "testmod", abi)
    assert mod.executed is True
    assert repr(mod.number_new(mod.Number, 12)) == "number 12"


EMBEDDED = r"""
#include <hpy.h>
HPY_MOD_EMBEDDABLE(NAME)

static HPyGlobal global;
HPyDef_SLOT(NAME_exec, HPy_mod_exec)
static int NAME_exec_impl(HPyContext *ctx, HPy mod)
{
    HPyGlobal_Store(ctx, &global, mod);
    return 0;
}
HPyDef_METH(NAME_get, "get", HPyFunc_NOARGS)
static HPy NAME_get_impl(HPyContext *ctx, HPy self)
{
    return HPyGlobal_Load(ctx, global);
}
HPyDef_METH(NAME_clear, "clear", HPyFunc_NOARGS)
static HPy NAME_clear_impl(HPyContext *ctx, HPy self)
{
    HPyGlobal_Store(ctx, &global, HPy_NULL);
    return HPy_Dup(ctx, ctx->h_None);
}
static HPyDef *defines[] = {&NAME_exec, &NAME_get, &NAME_clear, NULL};
static HPyGlobal *globals[] = {&global, NULL};
static HPyModuleDef def = {.doc = "NAME", .defines = defines, .globals = globals};
HPy_MODINIT(NAME, def)
"""


@pytest.mark.parametrize("language", ["c", "c++"])
def test_each_file_a_module(compile, abi, language):
    names = ["first", "second", "third"]
    sources = [EMBEDDED.replace("NAME", name) for name in names]
    flags = ["-DHPY_EMBEDDED_MODULES"]
    path = compile(sources, "library", abi, language=language, flags=flags)
    mods = [support.load(path, name, abi) for name in names]
    assert [mod.__doc__ for mod in mods] == [mod.__name__ for mod in mods] == names
    assert [mod.get() for mod in mods] == mods
    for mod in mods:
        mod.clear()


@pytest.mark.parametrize("visibility", ["hidden", "default"])
def test_definitions_called_like_functions_of_other_libraries(module, visibility):
    """The C library has functions of these names, which must not take the definitions' place."""
    names = ["capget", "glob", "regexec"]
    source = "".join(
        f'HPyDef_METH({name}, "{name}", HPyFunc_NOARGS)\n'
        f"static HPy {name}_impl(HPyContext *ctx, HPy self)\n"
        f'{{ return HPyUnicode_FromString(ctx, "{name}"); }}\n'
        for name in names
    )
    mod = module(source, ", ".join(names), flags=[f"-fvisibility={visibility}"])
    assert [getattr(mod, name)() for name in names] == names
