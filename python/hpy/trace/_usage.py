"""What was counted: of functions of the API, and of functions of extensions."""

from dataclasses import dataclass, field

from hpy.universal import _trace


@dataclass(frozen=True)
class Calls:
    """Calls of one function. Times are nanoseconds."""

    calls: int = 0
    errors: int = 0
    total: int = 0
    """From the beginnings to the ends."""
    own: int = 0
    """The same without the calls inside."""

    def __sub__(self, earlier):
        return Calls(
            self.calls - earlier.calls,
            self.errors - earlier.errors,
            self.total - earlier.total,
            self.own - earlier.own,
        )


@dataclass(frozen=True)
class Entry:
    """A function of an extension, or the code that is in none of its functions."""

    module: str
    name: str
    outside: bool
    calls: Calls
    functions: dict = field(default_factory=dict)
    """The calls of the API in it, by name."""
    opened: int = 0
    """How many handles these gave to it."""
    texts: dict = field(default_factory=dict)
    """How often a function of the API got a text, by both."""

    @property
    def full_name(self):
        return f"{self.module}.{self.name}"

    @property
    def api_calls(self):
        return sum(calls.calls for calls in self.functions.values())

    def __sub__(self, earlier):
        return Entry(
            self.module,
            self.name,
            self.outside,
            self.calls - earlier.calls,
            difference(self.functions, earlier.functions),
            self.opened - earlier.opened,
            {
                key: count - earlier.texts.get(key, 0)
                for key, count in self.texts.items()
                if count > earlier.texts.get(key, 0)
            },
        )


@dataclass(frozen=True)
class Usage:
    """All that was counted."""

    functions: dict = field(default_factory=dict)
    entries: dict = field(default_factory=dict)

    @property
    def time(self):
        """The nanoseconds in extensions and in the API, each once."""
        parts = [*self.functions.values(), *(entry.calls for entry in self.entries.values())]
        return sum(calls.own for calls in parts)

    @property
    def tracing_time(self):
        """About how many nanoseconds of these went into reading the clock."""
        api = sum(calls.calls for calls in self.functions.values())
        entered = sum(entry.calls.calls for entry in self.entries.values())
        return round(2 * (api + entered) * _trace.reading_time()) if self.time else 0

    def __sub__(self, earlier):
        entries = {
            key: entry - earlier.entries[key] if key in earlier.entries else entry
            for key, entry in self.entries.items()
        }
        entries = {key: entry for key, entry in entries.items() if is_used(entry)}
        return Usage(difference(self.functions, earlier.functions), entries)


def is_used(entry):
    """Whether the function was called, or called the API."""
    return entry.calls.calls > 0 or bool(entry.functions)


def difference(later, earlier):
    """Give what has come since, by name, without what was not called."""
    differences = {name: calls - earlier.get(name, Calls()) for name, calls in later.items()}
    return {name: calls for name, calls in differences.items() if calls.calls > 0}


def now():
    """Give what was counted since the process began."""
    functions, entries = _trace.snapshot()
    return Usage(by_name(functions), {(row[0], row[1]): entry(*row) for row in entries})


def entry(module, name, outside, calls, functions, opened, texts):
    """Make an entry of a row of the snapshot."""
    texts = {(function, text): count for function, text, count in texts}
    return Entry(module, name, outside, Calls(*calls), by_name(functions), opened, texts)


def by_name(functions):
    """Give the calls of some functions by their names."""
    return {name: Calls(*numbers) for name, numbers in functions}
