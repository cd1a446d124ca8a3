"""Detection of what an extension has not ended: handles, builders, trackers, buffers."""

import gc
import textwrap
from collections import Counter

from hpy.universal import _debug


class HPyDebugError(Exception):
    """An extension uses HPy in a wrong way."""


class HPyLeakError(HPyDebugError):
    """An extension has left something open: `leaks` has the handles, then the rest.

    Each leak has a `code` and a `history`; one that is no handle has a `kind`: "builder", "tracker"
    or "buffer".
    """

    def __init__(self, leaks):
        """Make the exception for `leaks`, a list."""
        super().__init__(leaks)
        self.leaks = leaks

    def __str__(self):
        """Say how many things were forgotten, and which."""
        nouns = [
            f"open {leak.kind}" if hasattr(leak, "kind") else "unclosed handle"
            for leak in self.leaks
        ]
        counts = [f"{n} {noun}{'s' if n != 1 else ''}" for noun, n in Counter(nouns).items()]
        lines = [", ".join(counts) + ":"]
        lines += [textwrap.indent(repr(leak), "    ") for leak in self.leaks]
        for code in sorted({leak.code for leak in self.leaks}):
            title, advice = _debug._describe(code)
            lines += [f"{code}: {title}", f"  To mend it: {advice}"]
            lines += [f"  More: docs/debug/{code}.md"]
        return "\n".join(lines)


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
        resources = _debug.get_open_resources(generation)
        if any(resource.kind == "buffer" for resource in resources):
            gc.collect()  # a memoryview in a cycle is nobody's mistake
            resources = _debug.get_open_resources(generation)
        leaks = _debug.get_open_handles(generation) + resources
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
