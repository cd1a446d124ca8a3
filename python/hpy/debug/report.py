"""Reports of what extensions have not closed, grouped by the place that opened it."""

import gc
import linecache
import reprlib
from collections import Counter

from hpy.universal import _debug

from hpy.debug import _colour

OBJECTS = 5
"""How many objects of a group are shown."""

CALLERS = 3
"""How many lines of Python code are shown from which a group comes."""

LOOKED_AT = 50
"""How many leaks of a group are looked at, to tell how often each object and caller is there."""

GROUPS = 50
"""How many groups the text shows."""


class LeakGroup:
    """The leaks of one kind that were opened at one place."""

    def __init__(self, leaks):
        """Make the group of `leaks`, a list that is not empty."""
        first = leaks[0]
        self.leaks = leaks
        self.code = first.code
        """The code of the class of findings, which names the page that explains it: "HPY-D001"."""
        self.kind = first.kind
        """What was not closed: "handle", "builder", "tracker" or "buffer"."""
        self.where = first.where
        """The functions that were running, the innermost first: (function, file, line)."""
        self.callers = Counter(leak.caller for leak in leaks[:LOOKED_AT])
        """How many of the first leaks come from each line of Python code: (function, file, line).
        None if it was not captured."""
        self.is_traced = first.is_traced
        """Whether the lines are those of the calls. They are if traces are captured; else there is
        only the function that Python called, and its first line."""
        self.objects = _representations(leaks[:LOOKED_AT])
        """What the first objects are: each `repr` once, cut if it is long."""

    @property
    def count(self):
        """How many leaks there are."""
        return len(self.leaks)

    @property
    def place(self):
        """Where they were opened, FILE:LINE in FUNCTION; None if that is not known."""
        return _place(self.where[0]) if self.where else None

    @property
    def source(self):
        """The line of source code there, if it is known and the file can be read; else None."""
        return _source(self.where[0]) if self.where else None

    def __repr__(self):
        """Show what it is, how often, and where."""
        return f"<LeakGroup {self.code}: {self.count} of kind {self.kind} at {self.place}>"

    def _lines(self, paint):
        what = _plural(self.count, self.kind)
        if not self.where:
            yield f"{what} opened at a place that is not known"
        for number, frame in enumerate(self.where):
            how = "at" if self.is_traced else "in a call that begins at"
            title = "  called at" if number else f"{what} opened {how}"
            yield from _frame_lines(title, frame, paint)
        for caller, count in self.callers.most_common(CALLERS):
            if caller:
                times = f" ({count} times)" if len(self.callers) > 1 < count else ""
                yield from _frame_lines("  called from", caller, paint, times)
        if len(self.callers) > CALLERS:
            yield "  called from elsewhere, too"
        if self.objects:
            title = "object" if self.count == 1 else "objects"
            more = ["…"] if len(self.objects) > OBJECTS or self.count > LOOKED_AT else []
            yield f"  the {title}: {', '.join(self.objects[:OBJECTS] + more)}"


class LeakReport:
    """What was not closed: an iterable of groups, the largest first. Its `str` is the report."""

    def __init__(self, leaks):
        """Make a report of `leaks`, handles and resources of `hpy.universal._debug`."""
        self.leaks = list(leaks)
        """All leaks, the oldest first."""
        groups = {}
        for leak in self.leaks:
            groups.setdefault((leak.code, leak.kind, tuple(leak.where)), []).append(leak)
        self._groups = sorted(map(LeakGroup, groups.values()), key=lambda group: -group.count)

    def __iter__(self):
        """Iterate over the groups."""
        return iter(self._groups)

    def __len__(self):
        """Count the groups."""
        return len(self._groups)

    @property
    def title(self):
        """How many leaks there are of each kind: "3 unclosed handles, 1 open tracker"."""
        counts = Counter(leak.kind for leak in self.leaks)
        return ", ".join(_counted(count, kind) for kind, count in counts.items())

    def text(self, *, colour=False):
        """Give the report as text."""
        return "\n".join(self._lines(_colour.painted if colour else _colour.plain))

    def __str__(self):
        """Give the report as text without colour."""
        return self.text()

    def _lines(self, paint):
        if not self.leaks:
            yield "nothing is unclosed"
            return
        yield paint(_colour.TITLE, f"{self.title}:")
        for group in self._groups[:GROUPS]:
            yield from (f"  {line}" for line in group._lines(paint))
        if len(self) > GROUPS:
            yield f"  … and {len(self) - GROUPS} places more"
        if not all(group.is_traced for group in self):
            yield "  (HPY_DEBUG_TRACES=16 shows the lines that opened them)"
        for code in sorted({group.code for group in self}):
            title, advice = _debug._describe(code)
            yield paint(_colour.TITLE, f"{code}: {title}")
            yield f"  To mend it: {paint(_colour.ADVICE, advice)}"
            yield f"  More: docs/debug/{code}.md"


def leaks(since=None, *, buffers=True, in_calls=True):
    """Report what extensions in debug mode have opened and not closed, until now.

    That are handles, builders, trackers, and buffers that an extension exported. `since` is a
    number from `new_generation()`: what was opened before does not count. None counts everything.

    `buffers=False` leaves out buffers, which a memoryview may keep for a good reason.
    `in_calls=False` leaves out what belongs to modules in which a call runs, in this thread or in
    another: the call may still close it.
    """
    since = since or 0
    resources = _debug.get_open_resources(since)
    if buffers and any(resource.kind == "buffer" for resource in resources):
        gc.collect()  # a memoryview in a cycle is nobody's mistake
        resources = _debug.get_open_resources(since)
    return LeakReport(
        leak
        for leak in _debug.get_open_handles(since) + resources
        if (buffers or leak.kind != "buffer") and (in_calls or not leak._may_be_in_use)
    )


def _counted(count, kind):
    return _plural(count, f"{'unclosed' if kind == 'handle' else 'open'} {kind}")


def _plural(count, noun):
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _representations(leaks):
    shown = Counter(map(_representation, leaks))
    shown.pop(None, None)
    return [text if count == 1 else f"{text} ({count} times)" for text, count in shown.items()]


def _representation(leak):
    try:
        return _shortener.repr(leak.obj)
    except AttributeError:  # it is about no object
        return None
    except Exception as error:
        return f"<an object whose repr raises {type(error).__name__}>"


_shortener = reprlib.Repr()
_shortener.maxstring = _shortener.maxother = 80


def _frame_lines(title, frame, paint, times=""):
    yield f"{title} {paint(_colour.PLACE, _place(frame))}{times}"
    source = _source(frame)
    if source:
        yield f"{frame[2]:6} | {paint(_colour.SOURCE, source)}"


def _place(frame):
    function, file, line = frame
    function = function or "(a function with no name)"
    if file is None:
        return f"{function} (compile the extension with -g for its lines)"
    return f"{file}:{line} in {function}" if line else f"{file} in {function}"


def _source(frame):
    _, file, line = frame
    if file is None or not line:
        return None
    text = linecache.getline(str(file), line).strip()
    # A function as a whole is at its brace.
    return text if any(map(str.isalnum, text)) else None
