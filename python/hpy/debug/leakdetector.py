"""Detection of what an extension has not ended: handles, builders, trackers, buffers."""

from hpy.universal import _debug

from hpy.debug.report import LeakReport, leaks


class HPyDebugError(Exception):
    """An extension uses HPy in a wrong way."""


class HPyLeakError(HPyDebugError):
    """An extension has left something open.

    `leaks` has the handles, then the rest, the oldest first; `report` has them grouped by the place
    that opened them. Each has a `kind`: "handle", "builder", "tracker" or "buffer".
    """

    def __init__(self, leaks):
        """Make the exception for `leaks`, a list."""
        super().__init__(leaks)
        self.leaks = leaks
        self.report = LeakReport(leaks)

    def __str__(self):
        """Say how many things were forgotten, where they were opened, and what to do."""
        return str(self.report)


class LeakDetector:
    """Finds what was opened between `start` and `stop` and not closed.

    That are handles, builders, trackers, and buffers that an extension exported.

    It is a context manager, too: `with LeakDetector(): ...`. If the block raises an exception, that
    is what comes out, because code that fails often leaves handles open.
    """

    def __init__(self):
        """Make a detector that is not started."""
        self.generation = None

    def start(self):
        """Look at what is opened from now on."""
        if self.generation is not None:
            raise ValueError("LeakDetector already started")
        self.generation = _debug.new_generation()

    def stop(self):
        """Raise HPyLeakError if something is still open."""
        if self.generation is None:
            raise ValueError("LeakDetector not started yet")
        generation, self.generation = self.generation, None
        found = leaks(generation).leaks
        if found:
            raise HPyLeakError(found)

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
