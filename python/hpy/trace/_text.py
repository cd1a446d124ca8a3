"""The report as a text for people."""

from hpy.trace._hints import hints

ROWS = 20
"""So many functions are shown."""
DETAILS, DETAIL_ROWS = 5, 6
"""Of so many functions of extensions, so many functions of the API are shown."""


def duration(nanoseconds):
    """Write a time with the unit that fits."""
    for unit, size in (("s ", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def share(part, whole):
    """Write a part of a whole."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def per(number, calls):
    """Write how many there are for one call."""
    return f"{number / calls:,.1f}" if calls else "-"


def by_time(item):
    """Sort what took most time first, then what was called most often."""
    _, calls = item
    return (-calls.own, -calls.calls)


def sorted_entries(usage):
    """Give the functions of extensions, those that took most time first."""
    entries = usage.entries.values()
    return sorted(entries, key=lambda entry: by_time((None, entry.calls)))


def title(usage):
    """Say it in one line."""
    calls = sum(calls.calls for calls in usage.functions.values())
    api = sum(calls.own for calls in usage.functions.values())
    modules = len({entry.module for entry in usage.entries.values()})
    line = f"{calls:,} calls of the API from {modules} module{'s' * (modules != 1)}"
    if usage.time:
        line += f"; {duration(usage.time)} in extensions, {share(api, usage.time)} of it in the API"
        line += f", and about {share(usage.tracing_time, usage.time)} in reading the clock for this"
    return line


def function_rows(functions, whole):
    """Give the rows of a table of functions of the API."""
    for name, calls in sorted(functions.items(), key=by_time):
        yield (
            name,
            f"{calls.calls:,}",
            f"{calls.errors:,}",
            duration(calls.total),
            duration(calls.own),
            share(calls.own, whole),
            duration(calls.total / calls.calls),
        )


FUNCTION_COLUMNS = ("function of the API", "calls", "errors", "total", "own", "share", "per call")


def entry_rows(usage):
    """Give the rows of the table of functions of extensions."""
    for entry in sorted_entries(usage):
        calls = entry.calls
        yield (
            entry.full_name,
            f"{calls.calls:,}",
            f"{calls.errors:,}",
            duration(calls.total),
            duration(calls.own),
            share(calls.own, usage.time),
            per(entry.api_calls, calls.calls),
            per(entry.opened, calls.calls),
        )


ENTRY_COLUMNS = (
    "function of an extension",
    "calls",
    "errors",
    "total",
    "own",
    "share",
    "API/call",
    "handles/call",
)


def table(columns, rows, limit=ROWS):
    """Lay a table out: the first column to the left, all others to the right."""
    rows = list(rows)
    more = len(rows) - limit
    rows = rows[:limit]
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    lines = []
    for row in [columns, tuple("-" * width for width in widths), *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells))
    if more > 0:
        lines.append(f"… and {more} more")
    return "\n".join(lines)


def details(usage):
    """Show the calls of the API by the functions of extensions that took most time."""
    for entry in sorted_entries(usage)[:DETAILS]:
        if entry.functions:
            rows = function_rows(entry.functions, usage.time)
            columns = (f"in {entry.full_name}", *FUNCTION_COLUMNS[1:])
            yield table(columns, rows, DETAIL_ROWS)


def text(usage):
    """Give the report."""
    parts = [
        title(usage),
        table(ENTRY_COLUMNS, entry_rows(usage)),
        table(FUNCTION_COLUMNS, function_rows(usage.functions, usage.time)),
        *details(usage),
    ]
    found = [f"- {hint.entry}: {hint.text}" for hint in hints(usage)]
    if found:
        parts.append("\n".join(["Worth a look:", *found]))
    return "\n\n".join(parts) + "\n"
