"""Exceptions: set, asked for, forgotten, reported; exception classes; warnings."""

import contextlib
import errno
import inspect
import os
import signal
import sys
import threading
import warnings
import weakref
from functools import partial

import pytest
from outcomes import Boom, attempt, each, functions, outcome, raises_memory_error

SOURCE = r"""
#include <errno.h>
#include <signal.h>

/* What sets an exception gives HPy_NULL; Python would complain of a value in its place. */
FUNCTION(HPyErr_SetString, return HPyErr_SetString(ctx, args[0], text(ctx, args[1]));)
FUNCTION(HPyErr_SetObject, return HPyErr_SetObject(ctx, args[0], or_null(ctx, args[1]));)
FUNCTION(HPyErr_NoMemory, return HPyErr_NoMemory(ctx);)
FUNCTION(HPyErr_SetFromErrnoWithFilename,
    const char *filename = text(ctx, args[2]);
    errno = (int)size(ctx, args[1]);
    return HPyErr_SetFromErrnoWithFilename(ctx, args[0], filename);)
FUNCTION(HPyErr_SetFromErrno,
    errno = (int)size(ctx, args[1]);
    return HPyErr_SetFromErrno(ctx, args[0]);)
FUNCTION(HPyErr_SetFromErrnoWithFilenameObject,
    errno = (int)size(ctx, args[1]);
    return HPyErr_SetFromErrnoWithFilenameObject(ctx, args[0], or_null(ctx, args[2]));)
FUNCTION(HPyErr_SetFromErrnoWithFilenameObjects,
    HPy first = or_null(ctx, args[2]);
    HPy second = or_null(ctx, args[3]);
    errno = (int)size(ctx, args[1]);
    return HPyErr_SetFromErrnoWithFilenameObjects(ctx, args[0], first, second);)

FUNCTION(interrupted,
    raise((int)size(ctx, args[0]));
    errno = EINTR;
    return HPyErr_SetFromErrno(ctx, ctx->h_OSError);)

FUNCTION(replaced,
    HPyErr_SetObject(ctx, args[0], args[1]);
    return HPyErr_SetString(ctx, ctx->h_KeyError, "the second");)

/* Sets nothing, or an exception, and asks. */
static void set(HPyContext *ctx, HPy exception)
{
    if (!HPy_Is(ctx, exception, ctx->h_Ellipsis)) {
        HPy type = HPy_Type(ctx, exception);
        HPyErr_SetObject(ctx, type, exception);
        HPy_Close(ctx, type);
    }
}
FUNCTION(HPyErr_Occurred,
    set(ctx, args[0]);
    int occurred = HPyErr_Occurred(ctx);
    HPyErr_Clear(ctx);
    return HPyLong_FromLong(ctx, occurred);)
FUNCTION(HPyErr_ExceptionMatches,
    set(ctx, args[0]);
    int matches = HPyErr_ExceptionMatches(ctx, args[1]);
    HPyErr_Clear(ctx);
    return HPyLong_FromLong(ctx, matches);)
FUNCTION(HPyErr_Clear,
    set(ctx, args[0]);
    HPyErr_Clear(ctx);
    return HPyLong_FromLong(ctx, HPyErr_Occurred(ctx));)
FUNCTION(HPyErr_WriteUnraisable,
    set(ctx, args[0]);
    HPyErr_WriteUnraisable(ctx, or_null(ctx, args[1]));
    return HPyLong_FromLong(ctx, HPyErr_Occurred(ctx));)

FUNCTION(HPyErr_NewException,
    HPy base = or_null(ctx, args[1]);
    return HPyErr_NewException(ctx, text(ctx, args[0]), base, or_null(ctx, args[2]));)
FUNCTION(HPyErr_NewExceptionWithDoc,
    HPy base = or_null(ctx, args[2]);
    HPy dict = or_null(ctx, args[3]);
    return HPyErr_NewExceptionWithDoc(ctx, text(ctx, args[0]), text(ctx, args[1]), base, dict);)

FUNCTION(HPyErr_WarnEx,
    HPy category = or_null(ctx, args[0]);
    int status = HPyErr_WarnEx(ctx, category, text(ctx, args[1]), size(ctx, args[2]));
    return number(ctx, status);)
"""


class Strange(Exception):
    """An exception whose constructor has its own ideas."""

    def __init__(self, message):
        super().__init__(message, "and more")


class Refusing(Exception):
    """An exception that cannot be made."""

    def __init__(self, *args):
        raise Boom("in the constructor")


class PlainClass:
    """Takes what OSError takes, and is no exception."""

    def __init__(self, *args):
        pass


@pytest.fixture
def mod(module):
    return module(*functions(SOURCE))


def raised(function, *args):
    """The exception that a call raises."""
    with pytest.raises(BaseException) as info:
        function(*args)
    return info.value


NO_EXCEPTION_CLASSES = [int, None, "ValueError", ValueError(), (ValueError,), PlainClass]


@pytest.mark.api("HPyErr_SetString")
def test_set_string(mod, no_leak):
    for cls in (ValueError, KeyError, OSError, SystemExit, UserWarning, Strange):
        error = raised(mod.HPyErr_SetString, cls, b"caf\xc3\xa9")
        assert type(error) is cls
        assert error.args == cls("caf\xe9").args
    assert raised(mod.HPyErr_SetString, ValueError, b"").args == ("",)
    no_leak(lambda: attempt(mod.HPyErr_SetString, Strange, b"message"), Strange)


@pytest.mark.api("HPyErr_SetString", case="error")
def test_set_string_fails(mod, no_leak):
    for wrong in NO_EXCEPTION_CLASSES:
        assert type(raised(mod.HPyErr_SetString, wrong, b"message")) is SystemError
    assert type(raised(mod.HPyErr_SetString, Refusing, b"message")) is Boom
    no_leak(lambda: attempt(mod.HPyErr_SetString, PlainClass, b"message"), PlainClass)
    no_leak(lambda: attempt(mod.HPyErr_SetString, Refusing, b"message"), Refusing)


@pytest.mark.api("HPyErr_SetObject")
def test_set_object(mod, no_leak):
    for value, args in [
        ("text", ("text",)),
        (12, (12,)),
        ((1, 2), (1, 2)),
        ((), ()),
        (None, ()),
        (..., ()),
        ([1], ([1],)),
        (KeyError, (KeyError,)),
    ]:
        error = raised(mod.HPyErr_SetObject, ValueError, value)
        assert (type(error), error.args) == (ValueError, args)
    no_leak(lambda: attempt(mod.HPyErr_SetObject, Strange, "message"), Strange)


@pytest.mark.api("HPyErr_SetObject")
def test_set_object_to_an_exception(mod, no_leak):
    missing = KeyError("missing")
    assert raised(mod.HPyErr_SetObject, KeyError, missing) is missing
    assert raised(mod.HPyErr_SetObject, LookupError, missing) is missing
    wrapped = raised(mod.HPyErr_SetObject, ValueError, missing)
    assert (type(wrapped), wrapped.args) == (ValueError, (missing,))
    missing.__traceback__ = None
    plain = KeyError("again")

    def use():
        attempt(mod.HPyErr_SetObject, KeyError, plain)
        plain.__traceback__ = None

    no_leak(use, plain)


@pytest.mark.api("HPyErr_SetObject", case="error")
def test_set_object_fails(mod, no_leak):
    for wrong in NO_EXCEPTION_CLASSES:
        assert type(raised(mod.HPyErr_SetObject, wrong, "value")) is SystemError
    for value in ("value", (1, 2), None, ...):
        assert type(raised(mod.HPyErr_SetObject, Refusing, value)) is Boom
    assert type(raised(mod.HPyErr_SetObject, Strange, (1, 2, 3))) is TypeError
    no_leak(lambda: attempt(mod.HPyErr_SetObject, Refusing, (1, 2)), Refusing)


@pytest.mark.api("HPyErr_SetString", "HPyErr_SetObject")
def test_the_last_exception_counts(mod, no_leak):
    first = ValueError("the first")
    error = raised(mod.replaced, ValueError, first)
    assert (type(error), error.args) == (KeyError, ("the second",))
    no_leak(lambda: attempt(mod.replaced, ValueError, first), first)


@pytest.mark.api("HPyErr_SetString")
def test_what_is_handled_is_the_context(mod):
    handled = KeyError("handled")
    try:
        raise handled
    except KeyError:
        error = raised(mod.HPyErr_SetString, ValueError, b"new")
    assert error.__context__ is handled


@pytest.mark.api("HPyErr_NoMemory")
def test_no_memory(mod, no_leak):
    assert type(raised(mod.HPyErr_NoMemory)) is MemoryError
    no_leak(lambda: attempt(mod.HPyErr_NoMemory))


@pytest.mark.api("HPyErr_NoMemory", case="error")
def test_no_memory_without_memory(mod):
    assert raises_memory_error(mod.HPyErr_NoMemory)


def os_error(cls, number, *filenames):
    """The exception that Python makes for the same failure."""
    if not filenames or filenames[0] is ...:
        return cls(number, os.strerror(number))
    if len(filenames) == 1 or filenames[1] is ...:
        return cls(number, os.strerror(number), filenames[0])
    return cls(number, os.strerror(number), filenames[0], 0, filenames[1])


def description(error):
    details = ("errno", "strerror", "filename", "filename2")
    return type(error), error.args, str(error), [getattr(error, d, "none") for d in details]


class MyOSError(OSError):
    pass


NUMBERS = [errno.ENOENT, errno.EACCES, errno.EEXIST, errno.EPIPE, errno.ECHILD, errno.EDOM]
CLASSES = [OSError, PermissionError, MyOSError, ValueError]


@pytest.mark.api("HPyErr_SetFromErrnoWithFilename")
def test_errno_and_a_c_filename(mod, no_leak):
    function = mod.HPyErr_SetFromErrnoWithFilename
    for cls in CLASSES:
        for number in NUMBERS:
            expected = description(os_error(cls, number))
            assert description(raised(function, cls, number, ...)) == expected
            for filename in (b"", b"name", b"caf\xc3\xa9", b"odd \xff"):
                expected = description(os_error(cls, number, os.fsdecode(filename)))
                assert description(raised(function, cls, number, filename)) == expected
    no_leak(lambda: attempt(function, MyOSError, errno.EDOM, b"some name"), MyOSError)
    no_leak(lambda: attempt(function, OSError, errno.ENOENT, ...))


@pytest.mark.api("HPyErr_SetFromErrnoWithFilenameObjects")
def test_errno_and_filenames(mod, no_leak):
    """Also the two helpers that take fewer filenames."""
    first, second = "first.txt", b"second.txt"
    for cls in CLASSES:
        for number in NUMBERS:
            for names in [(), (first,), (second,), (...,), (12,)]:
                expected = description(os_error(cls, number, *names))
                names = (*names, ...)[:1]
                helper = mod.HPyErr_SetFromErrnoWithFilenameObject
                assert description(raised(helper, cls, number, *names)) == expected
                if names == (...,):
                    assert description(raised(mod.HPyErr_SetFromErrno, cls, number)) == expected
            for names in [(..., ...), (first, ...), (first, second), (second, second)]:
                expected = description(os_error(cls, number, *names))
                function = mod.HPyErr_SetFromErrnoWithFilenameObjects
                assert description(raised(function, cls, number, *names)) == expected
    function = mod.HPyErr_SetFromErrnoWithFilenameObjects
    no_leak(lambda: attempt(function, OSError, errno.EXDEV, first, second), first, second)
    no_leak(lambda: attempt(mod.HPyErr_SetFromErrno, MyOSError, errno.EXDEV), MyOSError)


# Functions that set an exception from errno, with the arguments after the number.
FROM_ERRNO = {
    "HPyErr_SetFromErrnoWithFilename": (b"name",),
    "HPyErr_SetFromErrnoWithFilenameObjects": ("first", "second"),
    "HPyErr_SetFromErrnoWithFilenameObject": ("name",),
    "HPyErr_SetFromErrno": (),
}


@pytest.mark.parametrize("name", each(FROM_ERRNO, "error"))
def test_errno_and_a_class_that_does_not_fit(mod, name, no_leak):
    function, rest = getattr(mod, name), (errno.ENOENT, *FROM_ERRNO[name])
    for wrong in (None, 12, "OSError"):
        assert type(raised(function, wrong, *rest)) is TypeError
    assert type(raised(function, PlainClass, *rest)) is SystemError
    assert type(raised(function, Strange, *rest)) is TypeError
    assert type(raised(function, Refusing, *rest)) is Boom
    no_leak(lambda: attempt(function, PlainClass, *rest), PlainClass)
    no_leak(lambda: attempt(function, Refusing, *rest), Refusing)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal for users")
@pytest.mark.api("HPyErr_SetFromErrnoWithFilenameObjects", case="error")
def test_a_signal_handler_runs_first(mod):
    def handler(number, frame):
        raise Boom("in the handler")

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signal handlers run in the main thread")
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        error = raised(mod.interrupted, signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, lambda number, frame: None)
        quiet = raised(mod.interrupted, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert type(error) is Boom
    assert type(quiet) is InterruptedError


@pytest.mark.api("HPyErr_Occurred")
def test_occurred(mod, no_leak):
    assert mod.HPyErr_Occurred(...) == 0
    error = KeyError("x")
    assert mod.HPyErr_Occurred(error) == 1
    no_leak(lambda: mod.HPyErr_Occurred(error), error)


@pytest.mark.api("HPyErr_ExceptionMatches")
def test_exception_matches(mod, no_leak):
    error = KeyError("x")
    for expected, classes in [
        (1, (KeyError, LookupError, Exception, BaseException)),
        (0, (IndexError, ValueError, type("Derived", (KeyError,), {}), int, None, error, ())),
        (1, ((ValueError, KeyError), (LookupError,), (ValueError, (int, (KeyError,))))),
        (0, ((ValueError, IndexError), (int,), ((),))),
    ]:
        for cls in classes:
            assert mod.HPyErr_ExceptionMatches(error, cls) == expected, cls
            assert mod.HPyErr_ExceptionMatches(..., cls) == 0, cls
    nested = (ValueError, (KeyError,))
    no_leak(lambda: mod.HPyErr_ExceptionMatches(error, nested), error, nested)


@pytest.mark.api("HPyErr_Clear")
def test_clear(mod, no_leak):
    assert mod.HPyErr_Clear(...) == 0
    error = KeyError("x")
    assert mod.HPyErr_Clear(error) == 0
    no_leak(lambda: mod.HPyErr_Clear(error), error)


@pytest.mark.api("HPyErr_WriteUnraisable")
def test_write_unraisable(mod, monkeypatch, no_leak):
    seen = []

    def hook(info):
        seen.append((info.exc_type, info.exc_value, info.object))

    monkeypatch.setattr(sys, "unraisablehook", hook)
    error, place = KeyError("x"), object()
    assert mod.HPyErr_WriteUnraisable(error, place) == 0
    assert mod.HPyErr_WriteUnraisable(error, ...) == 0
    assert seen == [(KeyError, error, place), (KeyError, error, None)]
    seen.clear()
    monkeypatch.setattr(sys, "unraisablehook", lambda info: None)
    error = KeyError("y")

    def use():
        mod.HPyErr_WriteUnraisable(error, place)
        error.__traceback__ = None

    no_leak(use, error, place)


@pytest.mark.api("HPyErr_WriteUnraisable")
def test_write_unraisable_to_a_hook_that_raises(mod, monkeypatch, capfd):
    def hook(info):
        raise Boom("in the hook")

    monkeypatch.setattr(sys, "unraisablehook", hook)
    assert mod.HPyErr_WriteUnraisable(KeyError("x"), ...) == 0
    assert "in the hook" in capfd.readouterr().err


def new_exception(mod, name, doc, base, body):
    """Makes a class by the function that has no `doc`, or by the other."""
    if doc is None:
        return mod.HPyErr_NewException(name, base, body)
    return mod.HPyErr_NewExceptionWithDoc(name, doc, base, body)


NEW = {"HPyErr_NewException": None, "HPyErr_NewExceptionWithDoc": b"What it means: caf\xc3\xa9."}


@pytest.mark.parametrize("name", each(NEW, "good"))
def test_new_exception(mod, name, no_leak):
    make = partial(new_exception, mod)
    doc = NEW[name]
    cls = make(b"package.module.Name", doc, ..., ...)
    assert isinstance(cls, type)
    assert (cls.__module__, cls.__name__, cls.__qualname__) == ("package.module", "Name", "Name")
    assert cls.__bases__ == (Exception,)
    assert cls.__doc__ == (doc and doc.decode())
    assert cls("message").args == ("message",)
    error = cls()
    assert weakref.ref(error)() is error and error.__dict__ == {}
    assert make(b"m.N", doc, LookupError, ...).__bases__ == (LookupError,)
    assert make(b"m.N", doc, (KeyError, ValueError), ...).__bases__ == (KeyError, ValueError)
    body = {"attribute": 12, "method": lambda self: self.attribute + 1}
    cls = make(b"m.N", doc, ..., body)
    assert cls().method() == 13
    assert body["__module__"] == "m"
    assert make(b"m.N", doc, ..., {"__module__": "other"}).__module__ == "other"
    no_leak(lambda: make(b"m.N", doc, ValueError, {"attribute": 12}), rounds=40)


@pytest.mark.api("HPyErr_NewExceptionWithDoc")
def test_new_exception_with_doc_and_without(mod):
    assert mod.HPyErr_NewExceptionWithDoc(b"m.N", ..., ..., ...).__doc__ is None
    assert mod.HPyErr_NewExceptionWithDoc(b"m.N", b"", ..., ...).__doc__ == ""
    body = {"attribute": 12}
    cls = mod.HPyErr_NewExceptionWithDoc(b"m.N", b"the doc", ..., body)
    assert (cls.__doc__, cls.attribute) == ("the doc", 12)


class RefusesHeirs(Exception):
    def __init_subclass__(cls):
        raise Boom("in __init_subclass__")


@pytest.mark.parametrize("name", each(NEW, "error"))
def test_new_exception_fails(mod, name, no_leak):
    make = partial(new_exception, mod)
    doc = NEW[name]
    assert type(raised(make, b"NoModule", doc, ..., ...)) is SystemError
    for base in (12, bool, (ValueError, 12), (ValueError, Exception, ValueError)):
        expected = raised(type, "N", base if type(base) is tuple else (base,), {})
        assert outcome(make, b"m.N", doc, base, ...) == ("raises", type(expected), str(expected))
    assert type(raised(make, b"m.N", doc, RefusesHeirs, ...)) is Boom
    assert type(raised(make, b"m.\xff", doc, ..., ...)) is UnicodeDecodeError
    no_leak(lambda: attempt(make, b"NoModule", doc, ..., ...), rounds=40)
    no_leak(lambda: attempt(make, b"m.N", doc, RefusesHeirs, {}), RefusesHeirs, rounds=40)


@contextlib.contextmanager
def filtered(action, record=True):
    """A time in which warnings are treated in one way; gives the list of those that got through."""
    with warnings.catch_warnings(record=record) as seen:
        warnings.simplefilter(action)
        yield seen


@pytest.mark.api("HPyErr_WarnEx")
def test_warn(mod, no_leak):
    line = inspect.currentframe().f_lineno + 2
    with filtered("always") as seen:
        assert mod.HPyErr_WarnEx(UserWarning, b"caf\xc3\xa9", 1) == 0
        assert mod.HPyErr_WarnEx(..., b"no category", 1) == 0
        assert (lambda: mod.HPyErr_WarnEx(FutureWarning, b"above", 2))() == 0
    assert [w.category for w in seen] == [UserWarning, RuntimeWarning, FutureWarning]
    assert [str(w.message) for w in seen] == ["caf\xe9", "no category", "above"]
    assert [w.lineno for w in seen] == [line, line + 1, line + 2]
    assert {w.filename for w in seen} == {__file__}
    with filtered("ignore"):
        assert mod.HPyErr_WarnEx(UserWarning, b"ignored", 1) == 0
        no_leak(lambda: mod.HPyErr_WarnEx(UserWarning, b"ignored", 1))


@pytest.mark.api("HPyErr_WarnEx")
def test_warn_level(mod):
    def outer():
        return inspect.currentframe().f_lineno, inner()

    def inner():
        mod.HPyErr_WarnEx(UserWarning, b"level", 2)

    with filtered("always") as seen:
        line, _ = outer()
    assert [w.lineno for w in seen] == [line]


@pytest.mark.api("HPyErr_WarnEx", case="error")
def test_warn_fails(mod, no_leak, monkeypatch):
    for wrong in (12, "UserWarning", object):
        assert type(raised(mod.HPyErr_WarnEx, wrong, b"message", 1)) is TypeError
    with filtered("error"):
        error = raised(mod.HPyErr_WarnEx, DeprecationWarning, b"message", 1)
        assert (type(error), error.args) == (DeprecationWarning, ("message",))
        no_leak(lambda: attempt(mod.HPyErr_WarnEx, DeprecationWarning, b"message", 1))

    def show(*args, **kwargs):
        raise Boom("in showwarning")

    monkeypatch.setattr(warnings, "showwarning", show)
    with filtered("always", record=False):
        assert type(raised(mod.HPyErr_WarnEx, UserWarning, b"message", 1)) is Boom
        no_leak(lambda: attempt(mod.HPyErr_WarnEx, UserWarning, b"message", 1))
