"""Detection of handles that an extension has not closed."""

import textwrap

from hpy.universal import _debug

CODE = "HPY-D001"
"""The code of this class of findings, and the name of the page that explains it."""


class HPyDebugError(Exception):
    """An extension uses HPy in a wrong way."""


class HPyLeakError(HPyDebugError):
    """An extension has not closed some handles; `leaks` has them, the oldest first."""

    def __init__(self, leaks):
        """Make the exception for `leaks`, a list of handles."""
        super().__init__(leaks)
        self.leaks = leaks

    def __str__(self):
        """Say how many handles were forgotten, and which."""
        count = len(self.leaks)
        lines = [f"{count} unclosed handle{'s' if count != 1 else ''}:"]
        lines += [textwrap.indent(repr(leak), "    ") for leak in self.leaks]
        title, advice = _debug._describe(CODE)
        lines += [f"{CODE}: {title}", f"  To mend it: {advice}", f"  More: docs/debug/{CODE}.md"]
        return "\n".join(lines)


class LeakDetector:
    """Finds the handles that were opened between `start` and `stop` and not closed.

    It is a context manager, too: `with LeakDetector(): ...`. If the block raises an exception, that
    is what comes out, because code that fails often leaves handles open.
    """

    def __init__(self):
        """Make a detector that is not started."""
        self.generation = None

    def start(self):
        """Look at handles that are opened from now on."""
        if self.generation is not None:
            raise ValueError("LeakDetector already started")
        self.generation = _debug.new_generation()

    def stop(self):
        """Raise HPyLeakError if there are handles that are still open."""
        if self.generation is None:
            raise ValueError("LeakDetector not started yet")
        generation, self.generation = self.generation, None
        leaks = _debug.get_open_handles(generation)
        if leaks:
            raise HPyLeakError(leaks)

    def __enter__(self):
        """Start."""
        self.start()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        """Stop; silently if the block failed."""
        if exc_type is None:
            self.stop()
        else:
            self.generation = None
