"""Debug mode where the interpreter has HPy itself: what `hpy.universal._debug` is on CPython.

The native half remembers the handles; what is done about findings is decided here.
"""

import collections
import os
import sys

_native = None
"""The native half; :func:`start` sets it."""

ACTIONS = ("abort", "warn", "raise")
UNTOLD = 100
"""So many findings are kept until they are asked for."""

_hooks = {"handle": None, "builder": None}
_untold = collections.deque(maxlen=UNTOLD)
_last = None
_action = None
_copy = None
_tell_leaks = True


def start(native):
    """Read the environment, and let findings come here."""
    global _native, _action
    _native = native
    action = os.environ.get("HPY_DEBUG_ACTION")
    if action:
        if action not in ACTIONS:
            raise _invalid("HPY_DEBUG_ACTION", action, "Use abort, warn or raise.")
        _action = action
    traces = os.environ.get("HPY_DEBUG_TRACES")
    if traces:
        limit, _, every = traces.partition("/")
        try:
            set_handle_stack_trace_limit(int(limit), int(every or 1))
        except ValueError as error:
            advice = "Use the number of C frames to capture for each handle (16), or 16/100."
            raise _invalid("HPY_DEBUG_TRACES", traces, advice) from error
    native.debug_start(_decide)
    if action or traces or "debug" in os.environ.get("HPY", "").lower():
        _report_faults()


def _invalid(name, value, advice):
    return ValueError(f"Invalid environment variable {name}={value!r}. {advice}")


def _decide(code, message, coloured, kind):
    """Decide how to go on after a finding: "go on", "fail" or "abort"."""
    global _last
    _last = (code, message)
    hook = _hooks["builder" if kind == "builder" else "handle"]
    if hook is not None:
        hook()
        return "go on"
    _untold.append((message, kind == "soft"))
    action = _action or ("warn" if kind == "soft" else "abort")
    if action == "warn":
        print(coloured, file=sys.__stderr__, flush=True)
        return "go on"
    if action == "raise":
        return "fail"
    if _copy is not None:
        os.write(_copy, f"\n{message}\n".encode())
    return "abort"


class _Place:
    """Where something was opened, and what may still be done with it."""

    @property
    def where(self):
        """Function, file and line of each C frame, the innermost first."""
        return self._facts()["frames"]

    @property
    def caller(self):
        """None: these interpreters do not tell the running line of Python."""
        return None

    @property
    def history(self):
        """Where it was opened and closed, if that was captured."""
        return self._facts()["history"]

    @property
    def is_traced(self):
        """Whether `where` has the lines of the calls."""
        return self._facts()["traced"]

    @property
    def code(self):
        """The code of the class of findings that it is one of, if it is never closed."""
        return self._facts()["code"]

    @property
    def _may_be_in_use(self):
        return self._facts()["in_use"]


class DebugHandle(_Place):
    """A handle of an extension, open or closed: a live view of its slot."""

    kind = "handle"

    def __init__(self, number):
        self.id = number

    def _facts(self):
        names = ("closed", "copied", "history", "frames", "traced", "in_use", "code")
        return dict(zip(names, _native.debug_handle(self.id)))

    @property
    def obj(self):
        """The object; ValueError if the handle is closed, because the object may be gone."""
        found = _native.debug_object(self.id)
        if not found:
            raise ValueError("the handle is closed, and its object may be gone")
        return found[0]

    @property
    def is_closed(self):
        """Whether the extension may not use the handle any more."""
        return self._facts()["closed"]

    @property
    def raw_data_size(self):
        """How many bytes are kept of the texts that the extension got from it; -1 for none."""
        size = self._facts()["copied"]
        return -1 if size is None else size

    def _force_close(self):
        _native.debug_close(self.id)

    def __eq__(self, other):
        if not isinstance(other, DebugHandle):
            return NotImplemented
        return self.id == other.id

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        try:
            what = f"for {self.obj!r}"
        except ValueError:
            what = "CLOSED"
        return f"<DebugHandle {self.id:#x} {what}>{self.history}"


class DebugResource(_Place):
    """A builder, tracker or buffer of an extension that has not ended."""

    def __init__(self, facts):
        names = ("kind", "code", "history", "frames", "traced", "in_use")
        self._known = dict(zip(names, facts))

    def _facts(self):
        return self._known

    @property
    def kind(self):
        """What it is: "builder", "tracker" or "buffer"."""
        return self._known["kind"]

    def __repr__(self):
        return f"<DebugResource {self.kind}>{self.history}"


def new_generation():
    """Begin a generation and return its number."""
    return _native.debug_generation()


def get_open_handles(generation):
    """Give the open handles of a generation and those after it, in the order of opening."""
    return [DebugHandle(number) for number in _native.debug_handles(True, generation)]


def get_closed_handles(generation=0):
    """Give the closed handles of a generation and those after it that are remembered."""
    return [DebugHandle(number) for number in _native.debug_handles(False, generation)]


def get_open_resources(generation):
    """Give the builders, trackers and buffers that have not ended."""
    return [DebugResource(facts) for facts in _native.debug_resources(generation)]


def get_closed_handles_queue_max_size():
    """Tell how many closed handles are remembered."""
    return _native.debug_limits(None, None)[0]


def set_closed_handles_queue_max_size(size):
    """Set how many closed handles are remembered."""
    _native.debug_limits(_not_negative(size), None)


def get_protected_raw_data_max_size():
    """Tell how many bytes of texts closed handles keep."""
    return _native.debug_limits(None, None)[1]


def set_protected_raw_data_max_size(size):
    """Set how many bytes of texts closed handles keep."""
    _native.debug_limits(None, _not_negative(size))


def set_handle_stack_trace_limit(limit, every=1):
    """Set how many C frames are captured when a handle is opened or closed; None for none."""
    if every < 1:
        raise ValueError("every must be 1 or more")
    _native.debug_traces(_not_negative(limit or 0), every)


def _not_negative(number):
    if number < 0:
        raise ValueError("the number must not be negative")
    return number


def set_on_invalid_handle(hook):
    """Set what is called for each invalid use of a handle, instead of ending the process."""
    _hooks["handle"] = _callable(hook)


def set_on_invalid_builder_handle(hook):
    """Set what is called for each use of a builder that has ended."""
    _hooks["builder"] = _callable(hook)


def _callable(hook):
    if hook is not None and not callable(hook):
        raise TypeError("the hook must be callable, or None")
    return hook


def last_finding():
    """Give the code and the message of what was found last; None if nothing was."""
    return _last


def _take_findings():
    """Give the message of each finding since the last call, and whether it is only a warning."""
    found = list(_untold)
    _untold.clear()
    return found


def set_action(action):
    """Set what is done about a finding if no hook is set: "abort", "warn" or "raise"."""
    global _action
    if action not in ACTIONS:
        raise ValueError(f"Unknown action {action!r}. Use abort, warn or raise.")
    _action = action


def _report_faults():
    _native.debug_faults()


def _copy_last_message(descriptor):
    global _copy
    _copy = descriptor


def _describe(code):
    """Give the title of a class of findings and how to mend it; None if there is no such class."""
    for known, title, advice in _native.debug_classes():
        if known == code:
            return title, advice
    return None


def _report_leaks_at_exit(on):
    global _tell_leaks
    _tell_leaks = on


def watch():
    """Tell of leaks when the process ends. The first call counts."""
    import atexit

    atexit.unregister(_tell_at_exit)
    atexit.register(_tell_at_exit)


def _tell_at_exit():
    if _tell_leaks and (get_open_handles(0) or get_open_resources(0)):
        from hpy.debug._exit import tell_leaks

        tell_leaks()


def _end_with_failure():
    if _action == "abort":
        os.abort()
    if _action == "raise":
        sys.stdout.flush()
        os._exit(1)
